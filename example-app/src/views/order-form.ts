import type { Product } from '../models';
import type { FieldErrors } from '../shop-error';
import { field, textOf, type Values } from './fields';
import { money } from './format';
import { html, type Html } from './html';
import type { Page } from './layout';

const NEW_ORDER_ROWS = 3;

interface OrderForm {
  readonly values: Values;
  readonly errors?: FieldErrors | undefined;
}

export function newOrderPage({
  values,
  errors,
  products,
}: OrderForm & { products: readonly Product[] }): Page {
  const body = html`<p class="crumbs"><a href="/orders">Orders</a></p>
    <h1>New order</h1>
    <form class="card" method="post" action="/orders">
      ${customerFields({ values, errors })}
      <fieldset>
        <legend>Items</legend>
        ${errors?.['items'] && html`<p class="error">${errors['items']}</p>`}
        ${Array.from({ length: NEW_ORDER_ROWS }, (_, row) => lineFields(row, values, products))}
      </fieldset>
      ${otherFields({ values, errors }, 'Only the last four digits reach the log.')}
      <button class="primary">Place the order</button>
    </form>`;
  return { title: 'New order', section: 'orders', body };
}

export function editOrderPage({ id, values, errors }: OrderForm & { id: number }): Page {
  const title = `Edit order ${id}`;
  const body = html`<p class="crumbs">
      <a href="/orders">Orders</a> / <a href="/orders/${id}">Order ${id}</a>
    </p>
    <h1>${title}</h1>
    <form class="card" method="post" action="/orders/${id}">
      ${customerFields({ values, errors })}
      ${otherFields({ values: { ...values, cardNumber: '' }, errors }, 'Leave this empty to keep the card as it is.')}
      <button class="primary">Save</button>
    </form>`;
  return { title, section: 'orders', body };
}

function customerFields({ values, errors }: OrderForm): Html {
  return html`<div class="pair">
    ${field({ name: 'customerName', label: 'Customer', required: true }, values, errors)}
    ${field({ name: 'customerEmail', label: 'E-mail', type: 'email', required: true }, values, errors)}
  </div>`;
}

function otherFields({ values, errors }: OrderForm, cardHint: string): Html {
  return html`${field({ name: 'cardNumber', label: 'Card number', inputmode: 'numeric', hint: cardHint }, values, errors)}
  ${field({ name: 'notes', label: 'Notes', type: 'textarea' }, values, errors)}
  ${field({ name: 'internalNotes', label: 'Internal notes', type: 'textarea', hint: 'Not part of the log.' }, values, errors)}`;
}

function lineFields(row: number, values: Values, products: readonly Product[]): Html {
  const chosen = textOf([values['productId']].flat()[row]);
  const quantity = textOf([values['quantity']].flat()[row] ?? 1);
  return html`<div class="line">
    <select name="productId" aria-label="Product ${row + 1}">
      <option value="">–</option>
      ${products.map((product) => option(product, String(product.id) === chosen))}
    </select>
    <input
      class="short"
      type="number"
      name="quantity"
      value="${quantity}"
      min="1"
      max="999"
      aria-label="Quantity ${row + 1}"
    />
  </div>`;
}

const option = ({ id, name, price }: Product, selected: boolean): Html =>
  html`<option value="${id}" ${selected && html` selected`}>${name} · ${money(price)}</option>`;
