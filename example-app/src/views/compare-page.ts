import type { Order, OrderItem } from '../models';
import type { Difference, Side } from '../services/order-past';
import { money, time } from './format';
import { html, type Content, type Html } from './html';
import type { Page } from './layout';
import { orderHead } from './order-head';
import { labelOf, linkNames, showValue } from './order-values';

interface Comparison {
  readonly id: number;
  readonly exists: boolean;
  readonly from: Side;
  readonly to: Side;
  readonly changes: readonly Difference[];
}

export interface ItemChange {
  readonly item: OrderItem;
  readonly was: OrderItem | undefined;
  readonly now: OrderItem | undefined;
}

export function comparePage({ id, exists, from, to, changes }: Comparison): Page {
  const title = `Two versions of order ${id}`;
  const rows = [...changes.map(changeRow), ...itemChanges(from.order, to.order).map(itemRow)];
  const body = html`${orderHead({ id, title, tab: 'versions', exists })}
    ${rows.length > 0 ? table(rows, from, to) : html`<p class="empty">No difference.</p>`}
    <p><a href="/orders/${id}/versions">All versions</a></p>`;
  return { title, section: 'orders', body };
}

function table(rows: readonly Html[], from: Side, to: Side): Html {
  return html`<table class="compare stack">
    <caption class="hidden">
      What differs
    </caption>
    <thead>
      <tr>
        <th scope="col">What</th>
        <th scope="col">${when(from)}</th>
        <th scope="col">${when(to)}</th>
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`;
}

const when = ({ at }: Side): Content => (at ? time(at) : 'now');

function changeRow(change: Difference): Html {
  const name = change.attribute;
  if ('added' in change) return row(labelOf(name), linkNames(change.removed), linkNames(change.added));
  return row(labelOf(name), showValue(name, change.old), showValue(name, change.new));
}

const row = (label: Content, was: Content, now: Content): Html =>
  html`<tr>
    <th scope="row">${label}</th>
    <td data-label="Was">${was ? html`<del>${was}</del>` : html`<span class="hint">–</span>`}</td>
    <td data-label="Became">${now ? html`<ins>${now}</ins>` : html`<span class="hint">–</span>`}</td>
  </tr>`;

/** What came, went and changed among the items of an order. */
export function itemChanges(from: Order, to: Order): ItemChange[] {
  const [before, after] = [itemsById(from), itemsById(to)];
  const all = [...new Map([...after, ...before]).values()].toSorted((a, b) => a.id - b.id);
  return all
    .map((item) => ({ item, was: before.get(item.id), now: after.get(item.id) }))
    .filter(({ was, now }) => itemText(was) !== itemText(now));
}

const itemsById = ({ items = [] }: Order): Map<number, OrderItem> =>
  new Map(items.map((item) => [item.id, item]));

const itemText = (item: OrderItem | undefined): string | undefined =>
  item && `${item.quantity} × ${money(item.unitPrice)}`;

const itemRow = ({ item, was, now }: ItemChange): Html =>
  row(html`${item.product?.name}<small>item</small>`, itemText(was), itemText(now));
