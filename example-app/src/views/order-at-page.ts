import type { Order, OrderItem } from '../models';
import { fromCents, toCents } from '../money';
import type { Entry } from '../services/order-past';
import { momentText, money, time } from './format';
import { html, type Content, type Html } from './html';
import { itemsTable } from './items-table';
import type { Page } from './layout';
import { orderHead } from './order-head';
import { labelOf, showValue } from './order-values';

interface Subject {
  readonly id: number;
  /** The order as it is; null when it is deleted. */
  readonly now: Order | null;
  /** All that changed the order, newest first. */
  readonly changes: readonly Entry[];
}

export interface OrderAt extends Subject {
  readonly at: Date;
  /** Null when it was not there. */
  readonly past: Order | null;
}

interface Mistake {
  readonly entered: string;
  readonly message: string;
}

/** Which moment? */
export function choosePage(subject: Subject, mistake?: Mistake): Page {
  return page(
    subject,
    `Order ${subject.id} in the past`,
    html`${form(subject.id, '', mistake)} ${moments(subject)}`,
  );
}

export function orderAtPage(view: OrderAt): Page {
  const { id, at, past } = view;
  const body = html`${form(id, fieldValue(at))} ${neighbours(view)}
  ${past ? orderThen(past, view.now) : html`<p class="empty">${whyNot(view)}</p>`}`;
  return page(view, `Order ${id} on ${momentText(at)}`, body);
}

function page({ id, now }: Subject, title: string, content: Html): Page {
  const head = orderHead({ id, title, tab: 'past', exists: now !== null });
  return { title, section: 'orders', body: html`${head}${content}` };
}

/** What a datetime-local field takes: no zone, and no more digits than are needed. */
const fieldValue = (at: Date): string =>
  at
    .toISOString()
    .slice(0, -1)
    .replace(/\.000$/, '')
    .replace(/:00$/, '');

function form(id: number, value: string, mistake?: Mistake): Html {
  return html`<form class="moment" method="get" action="/orders/${id}/at">
    <div class="bar">
      <label for="t">As of</label>
      <input
        id="t"
        name="t"
        type="datetime-local"
        step="any"
        value="${value}"
        required
        aria-describedby="t-hint"
      />
      <span class="hint">UTC</span>
      <button>Show</button>
    </div>
    ${mistake ? error(mistake) : hint}
  </form>`;
}

const hint = html`<p class="hint" id="t-hint">
  The order with its items and tags, as they were at that moment.
</p>`;

const error = ({ entered, message }: Mistake): Html =>
  html`<p class="error" id="t-hint" role="alert">${entered && `“${entered}”: `}${message}</p>`;

function moments({ id, changes }: Subject): Html {
  return html`<h2>Or before or after a change</h2>
    <ol class="feed">
      ${changes.map(
        (entry) =>
          html`<li>${time(entry.timestamp)} <span>${entry.describe()}</span>${beforeAfter(id, entry)}</li>`,
      )}
    </ol>`;
}

/** Two links, to the moments around a change. */
export const beforeAfter = (id: number, { id: entryId }: Entry): Html =>
  html`<span class="around">
    <a href="/orders/${id}/at?before=${entryId}">before</a> ·
    <a href="/orders/${id}/at?after=${entryId}">after</a>
  </span>`;

function neighbours({ id, at, changes }: OrderAt): Html {
  const next = changes.findLast(({ timestamp }) => timestamp > at);
  const last = changes.find(({ timestamp }) => timestamp <= at);
  return html`<nav class="neighbours" aria-label="Changes around it">
    ${last && html`<a rel="prev" href="/orders/${id}/at?before=${last.id}">← Before ${what(last)}</a>`}
    ${next && html`<a rel="next" href="/orders/${id}/at?after=${next.id}">After ${what(next)} →</a>`}
  </nav>`;
}

const WHAT: Readonly<Record<string, string>> = {
  create: 'it was placed,',
  update: 'the change of',
  delete: 'it was deleted,',
};

const what = ({ action, timestamp }: Entry): Html => html`${WHAT[action]} ${time(timestamp)}`;

/** Why there is no order to show. */
export function whyNot({ id, at, changes }: Pick<OrderAt, 'id' | 'at' | 'changes'>): string {
  const last = changes.find(({ timestamp }) => timestamp <= at);
  const first = changes.at(-1);
  if (last?.action === 'delete') {
    return `Order ${id} was deleted by then: by ${last.actorLabel ?? 'system'}, ${momentText(last.timestamp)}.`;
  }
  if (first?.action === 'create') {
    return `Order ${id} was not placed yet; that was ${momentText(first.timestamp)}.`;
  }
  const begins = first ? `its history begins ${momentText(first.timestamp)}` : 'it has no history';
  return `What order ${id} was then is not known: ${begins}.`;
}

function orderThen(then: Order, now: Order | null): Html {
  const about = now ? 'What is different now is marked.' : 'The order is deleted by now.';
  return html`<p class="hint">${about} Card number and internal notes are not kept in its history.</p>
    ${orderPicture(then, now)}`;
}

/** The order as it was; what has become of it is marked, where it is still there. */
export function orderPicture(then: Order, now: Order | null): Html {
  return html`<div class="columns">
    <section class="card">
      <h2>Items</h2>
      ${items(then, now)} ${now && addedSince(then, now)}
    </section>
    <section class="card">
      <h2>Details</h2>
      <dl class="facts">
        ${Object.entries(DETAILS).map(([name, of]) => fact(name, of, then, now))}
        <div>
          <dt>Placed</dt>
          <dd>${time(then.createdAt)}</dd>
        </div>
      </dl>
    </section>
  </div>`;
}

type Of = (order: Order) => string | null;

const DETAILS: Readonly<Record<string, Of>> = {
  status: (order) => order.status,
  customerName: (order) => order.customerName,
  customerEmail: (order) => order.customerEmail,
  notes: (order) => order.notes,
  tags: ({ tags = [] }) => tags.map(({ name }) => name).join(', ') || null,
};

function fact(name: string, of: Of, then: Order, now: Order | null): Content {
  const [value, current] = [of(then), of(now ?? then)];
  if (!value && !current) return null;
  const differs = value !== current;
  return html`<div>
    <dt>${labelOf(name)}</dt>
    <dd>
      ${mark(value ? showValue(name, value) : 'none', differs)}
      ${differs && html`<small>now ${current ? showValue(name, current) : 'none'}</small>`}
    </dd>
  </div>`;
}

const mark = (content: Content, differs: boolean): Content =>
  differs ? html`<mark>${content}</mark>` : content;

function items(then: Order, now: Order | null): Html {
  const isOther = now !== null && now.total !== then.total;
  const total = html`${mark(money(then.total), isOther)}
  ${isOther && html`<small>now ${money(now.total)}</small>`}`;
  return itemsTable(
    (then.items ?? []).map((item) => itemRow(item, now)),
    total,
  );
}

function itemRow(item: OrderItem, now: Order | null): Html {
  const current = now?.items?.find(({ id }) => id === item.id);
  const isGone = now !== null && !current;
  const { quantity } = current ?? item;
  const name = current?.product?.name ?? item.product?.name;
  return html`<tr>
    <th scope="row">
      ${mark(item.product?.name, isGone)}<small>${money(item.unitPrice)} each</small>
      ${isGone && html`<small>removed since</small>`}
      ${name !== item.product?.name && html`<small>now called ${name}</small>`}
    </th>
    <td class="number">
      ${mark(item.quantity, quantity !== item.quantity)}
      ${quantity !== item.quantity && html`<small>now ${quantity}</small>`}
    </td>
    <td class="number">${money(fromCents(toCents(item.unitPrice) * item.quantity))}</td>
  </tr>`;
}

function addedSince(then: Order, now: Order): Content {
  const there = new Set(then.items?.map(({ id }) => id));
  const added = (now.items ?? []).filter(({ id }) => !there.has(id));
  const names = added.map(({ product, quantity }) => `${quantity} × ${product?.name}`).join(', ');
  return added.length > 0 && html`<p class="hint">Added since: ${names}</p>`;
}
