import { may } from '../middleware/current-user';
import type { Order, OrderItem, Product, Tag, User } from '../models';
import { canBecome, isOpen } from '../services/orders';
import { auditLink } from './audit-link';
import { badge, lastFour, money, time } from './format';
import { html, type Content, type Html } from './html';
import { itemsTable } from './items-table';
import type { Page } from './layout';
import { orderHead } from './order-head';
import { fromCents, toCents } from '../money';

interface OrderView {
  readonly order: Order;
  readonly user: User | undefined;
  readonly products: readonly Product[];
}

export function orderPage({ order, user, products }: OrderView): Page {
  const title = `Order ${order.id}`;
  const editable = may(user, 'edit');
  const rows = (order.items ?? []).map((item) => itemRow(item, editable && isOpen(order)));
  const body = html`${orderHead({ id: order.id, title: html`${title} ${badge(order.status)}`, tab: 'order', exists: true })}
    ${user && actions(order, user)} ${auditLink(order, user)}
    <div class="columns">
      <section class="card">
        <h2>Items</h2>
        ${itemsTable(rows, money(order.total))} ${editable && isOpen(order) && addItem(order, products)}
      </section>
      <div>
        <section class="card">
          <h2>Details</h2>
          ${details(order)}
        </section>
        <section class="card">
          <h2>Tags</h2>
          ${tags(order, editable)}
        </section>
      </div>
    </div>`;
  return { title, section: 'orders', body };
}

function actions(order: Order, user: User): Html | false {
  const { id } = order;
  if (!may(user, 'edit')) return false;
  return html`<div class="actions">
    ${canBecome(order, 'shipped') && post(`/orders/${id}/ship`, 'Ship', 'primary')}
    ${canBecome(order, 'paid') && post(`/orders/${id}/pay`, 'Mark paid')}
    <a class="button" href="/orders/${id}/edit">Edit</a>
    ${canBecome(order, 'cancelled') && cancel(id)}
    ${may(user, 'delete') && post(`/orders/${id}/delete`, 'Delete', 'danger')}
  </div>`;
}

const post = (action: string, label: string, style = ''): Html =>
  html`<form method="post" action="${action}"><button class="${style}">${label}</button></form>`;

function cancel(id: number): Html {
  return html`<details class="popover">
    <summary class="button">Cancel…</summary>
    <form method="post" action="/orders/${id}/cancel">
      <label for="reason">Why is it cancelled?</label>
      <input id="reason" name="reason" required />
      <button class="danger">Cancel the order</button>
    </form>
  </details>`;
}

function itemRow(item: OrderItem, editable: boolean): Html {
  const sum = fromCents(toCents(item.unitPrice) * item.quantity);
  return html`<tr>
    <th scope="row">${item.product?.name}<small>${money(item.unitPrice)} each</small></th>
    <td class="number">${editable ? quantityForm(item) : item.quantity}</td>
    <td class="number">${money(sum)}</td>
  </tr>`;
}

function quantityForm({ orderId, productId, quantity, product }: OrderItem): Html {
  return html`<form class="inline" method="post" action="/orders/${orderId}/items">
    <input type="hidden" name="productId" value="${productId}" />
    <input
      class="short"
      type="number"
      name="quantity"
      value="${quantity}"
      min="0"
      max="999"
      aria-label="Quantity of ${product?.name}"
    />
    <button class="quiet">Set</button>
  </form>`;
}

function addItem(order: Order, products: readonly Product[]): Html {
  const there = new Set(order.items?.map((item) => item.productId));
  const others = products.filter((product) => !there.has(product.id));
  return html`<form class="bar" method="post" action="/orders/${order.id}/items">
    <select class="grow" name="productId" aria-label="Product">
      ${others.map((product) => html`<option value="${product.id}">${product.name}</option>`)}
    </select>
    <input class="short" type="number" name="quantity" value="1" min="1" max="999" aria-label="Quantity" />
    <button>Add</button>
  </form>`;
}

function details(order: Order): Html {
  return html`<dl class="facts">
    ${fact('Customer', customer(order))} ${fact('E-mail', order.customerEmail)}
    ${fact('Card', lastFour(order.cardNumber))} ${fact('Placed', time(order.createdAt))}
    ${fact('Notes', order.notes)} ${fact('Internal notes', order.internalNotes)}
  </dl>`;
}

const customer = ({ customerId, customerName }: Order): Content =>
  customerId === null ? customerName : html`<a href="/customers/${customerId}">${customerName}</a>`;

const fact = (label: string, content: Content): Content =>
  content &&
  html`<div>
    <dt>${label}</dt>
    <dd>${content}</dd>
  </div>`;

function tags(order: Order, editable: boolean): Html {
  const list = (order.tags ?? []).map((tag) => html`<li>${tagChip(order, tag, editable)}</li>`);
  return html`${
    list.length
      ? html`<ul class="chips">
          ${list}
        </ul>`
      : html`<p class="hint">No tags.</p>`
  }
  ${editable && addTag(order)}`;
}

function tagChip(order: Order, tag: Tag, editable: boolean): Html {
  if (!editable) return html`${tag.name}`;
  return html`<form method="post" action="/orders/${order.id}/tags/${tag.id}/remove">
    ${tag.name} <button class="quiet" aria-label="Remove ${tag.name}" title="Remove">×</button>
  </form>`;
}

function addTag(order: Order): Html {
  return html`<form class="bar" method="post" action="/orders/${order.id}/tags">
    <input
      class="grow"
      name="name"
      maxlength="30"
      required
      aria-label="New tag"
      placeholder="urgent, gift, …"
    />
    <button>Add</button>
  </form>`;
}
