import { may } from '../middleware/current-user';
import { ORDER_STATUSES, type Order, type OrderStatus, type User } from '../models';
import { badge, money, time } from './format';
import { html, type Html } from './html';
import type { Page } from './layout';
import { navLink } from './nav-link';

type Filter = OrderStatus | 'deleted' | undefined;

export interface OrderList {
  readonly orders: readonly Order[];
  readonly user: User | undefined;
  readonly status: OrderStatus | undefined;
  readonly next: number | undefined;
}

export function orderList(list: OrderList): Page {
  const { user, orders } = list;
  const body = html`<div class="head">
      <h1>Orders</h1>
      ${may(user, 'edit') && html`<a class="button primary" href="/orders/new">New order</a>`}
    </div>
    ${orderFilters(list.status)} ${orders.length ? rows(list) : html`<p class="empty">No orders here.</p>`}
    ${list.next && html`<p class="more"><a href="${olderHref(list)}">Older orders</a></p>`}`;
  return { title: 'Orders', section: 'orders', body };
}

export function orderFilters(current: Filter): Html {
  return html`<nav class="tabs" aria-label="Filter">
    ${navLink('/orders', 'all', current === undefined)}
    ${ORDER_STATUSES.map((status) => navLink(`/orders?status=${status}`, status, status === current))}
    ${navLink('/orders/deleted', 'deleted', current === 'deleted')}
  </nav>`;
}

function rows(list: OrderList): Html {
  if (!may(list.user, 'bulk-edit')) return table(list.orders, false);
  return html`<form method="post" action="/orders/bulk">${table(list.orders, true)}${bulkBar()}</form>`;
}

function table(orders: readonly Order[], checkable: boolean): Html {
  return html`<table class="orders">
    <thead>
      <tr>
        ${checkable && html`<th scope="col" class="check"><span class="hidden">Choose</span></th>`}
        <th scope="col">Order</th>
        <th scope="col">Customer</th>
        <th scope="col">Placed</th>
        <th scope="col">Status</th>
        <th scope="col" class="number">Total</th>
      </tr>
    </thead>
    <tbody>
      ${orders.map((order) => row(order, checkable))}
    </tbody>
  </table>`;
}

function row(order: Order, checkable: boolean): Html {
  return html`<tr>
    ${checkable && html`<td class="check"><input type="checkbox" name="ids" value="${order.id}" aria-label="Order ${order.id}" /></td>`}
    <td class="id">${order.id}</td>
    <th scope="row" class="customer"><a href="/orders/${order.id}">${order.customerName}</a></th>
    <td class="placed">${time(order.createdAt)}</td>
    <td class="status">${badge(order.status)}</td>
    <td class="number total">${money(order.total)}</td>
  </tr>`;
}

function bulkBar(): Html {
  return html`<fieldset class="bar">
    <legend class="hidden">Change the chosen orders</legend>
    <label
      >Set chosen to
      <select name="status">
        ${ORDER_STATUSES.map((status) => html`<option>${status}</option>`)}
      </select></label
    >
    <label class="grow">because <input name="reason" placeholder="optional" /></label>
    <button>Apply</button>
  </fieldset>`;
}

const olderHref = ({ status, next }: OrderList): string =>
  `/orders?${status ? `status=${status}&` : ''}before=${next}`;
