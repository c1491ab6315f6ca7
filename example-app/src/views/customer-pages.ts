import { may } from '../middleware/current-user';
import type { Address, Customer, Order, User } from '../models';
import type { FieldErrors } from '../shop-error';
import { auditLink } from './audit-link';
import { field, type Values } from './fields';
import { badge, money, time } from './format';
import { html, type Content, type Html } from './html';
import type { Page } from './layout';

interface CustomerList {
  readonly customers: readonly Customer[];
  readonly user: User | undefined;
}

export function customerList({ customers, user }: CustomerList): Page {
  const body = html`<div class="head">
      <h1>Customers</h1>
      ${may(user, 'edit') && html`<a class="button primary" href="/customers/new">New customer</a>`}
    </div>
    <table class="orders">
      <thead>
        <tr>
          <th scope="col">Customer</th>
          <th scope="col">E-mail</th>
        </tr>
      </thead>
      <tbody>
        ${customers.map(
          ({ id, name, email }) =>
            html`<tr>
              <th scope="row" class="customer"><a href="/customers/${id}">${name}</a></th>
              <td>${email}</td>
            </tr>`,
        )}
      </tbody>
    </table>`;
  return { title: 'Customers', section: 'customers', body };
}

interface CustomerView {
  readonly customer: Customer;
  readonly user: User | undefined;
  /** What happened to it, for those who may see that. */
  readonly timeline: Html | null;
}

export function customerPage({ customer, user, timeline }: CustomerView): Page {
  const { id, name, email, note } = customer;
  const body = html`<p class="crumbs"><a href="/customers">Customers</a></p>
    <h1>${name}</h1>
    <div class="actions">
      ${may(user, 'edit') && html`<a class="button" href="/customers/${id}/edit">Edit</a>`}
      ${may(user, 'delete') && deleteButton(id)}
    </div>
    <section class="card">
      <h2>Details</h2>
      <dl class="facts">${fact('E-mail', email)} ${fact('Note', note)}</dl>
    </section>
    <section class="card">
      <h2>Addresses</h2>
      ${(customer.addresses ?? []).map((address) => addressOf(address, may(user, 'edit')))}
    </section>
    <section class="card">
      <h2>Latest orders</h2>
      ${orderLinks(customer.orders ?? [])}
    </section>
    ${timeline && history(timeline, customer, user)}`;
  return { title: name, section: 'customers', body };
}

const history = (timeline: Html, customer: Customer, user: User | undefined): Html =>
  html`<section class="card">
    <h2>What happened lately</h2>
    ${timeline} ${auditLink(customer, user)}
  </section>`;

const deleteButton = (id: number): Html =>
  html`<form method="post" action="/customers/${id}/delete"><button class="danger">Delete</button></form>`;

const fact = (label: string, content: Content): Content =>
  content &&
  html`<div>
    <dt>${label}</dt>
    <dd>${content}</dd>
  </div>`;

function addressOf({ id, customerId, kind, street, city }: Address, editable: boolean): Html {
  if (!editable) return html`<dl class="facts">${fact(kind, `${street}, ${city}`)}</dl>`;
  return html`<form class="bar" method="post" action="/customers/${customerId}/addresses/${id}">
    <span>${kind}</span>
    <input class="grow" name="street" value="${street}" required aria-label="Street (${kind})" />
    <input name="city" value="${city}" required aria-label="Town (${kind})" />
    <button>Save</button>
  </form>`;
}

const orderLinks = (orders: readonly Order[]): Html =>
  orders.length === 0
    ? html`<p class="hint">No orders.</p>`
    : html`<ul class="plain">
        ${orders.map(
          ({ id, status, total, createdAt }) =>
            html`<li>
              <span><a href="/orders/${id}">Order ${id}</a>, ${time(createdAt)} ${badge(status)}</span>
              ${money(total)}
            </li>`,
        )}
      </ul>`;

interface CustomerForm {
  readonly title: string;
  readonly action: string;
  readonly values: Values;
  readonly errors?: FieldErrors | undefined;
}

export function customerForm({ title, action, values, errors }: CustomerForm): Page {
  const body = html`<p class="crumbs"><a href="/customers">Customers</a></p>
    <h1>${title}</h1>
    <form class="card narrow" method="post" action="${action}">
      ${field({ name: 'name', label: 'Name', required: true }, values, errors)}
      ${field({ name: 'email', label: 'E-mail', type: 'email', required: true }, values, errors)}
      ${field({ name: 'note', label: 'Note', type: 'textarea' }, values, errors)}
      <button class="primary">Save</button>
    </form>`;
  return { title, section: 'customers', body };
}
