import { html, type Content, type Html } from './html';

/** The items of an order, one row each, above their total. */
export function itemsTable(rows: readonly Html[], total: Content): Html {
  return html`<table class="items">
    <thead>
      <tr>
        <th scope="col">Product</th>
        <th scope="col" class="number">Quantity</th>
        <th scope="col" class="number">Sum</th>
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
    <tfoot>
      <tr>
        <th scope="row" colspan="2">Total</th>
        <td class="number">${total}</td>
      </tr>
    </tfoot>
  </table>`;
}
