import type { FieldErrors } from '../shop-error';
import { restorable, type Entry, type Restored, type Undeletion, type Version } from '../services/order-past';
import { field, type Values } from './fields';
import { time } from './format';
import { html, type Content, type Html } from './html';
import type { Page } from './layout';
import { orderPicture } from './order-at-page';
import { orderHead } from './order-head';
import { labelOf, linkNames, showValue } from './order-values';

interface Restore {
  readonly id: number;
  /** The newest change when the page was made: the order must not have changed since. */
  readonly seen: Entry;
  readonly values?: Values;
  readonly errors?: FieldErrors;
}

type Change = Restored['changes'][number];

const WHY: Readonly<Record<string, string>> = {
  masked: 'its value is not kept in the log',
  excluded: 'it is not part of the log',
};

/** An order that is there gets values of an earlier version back. */
export function restorePage(page: Restore & { readonly version: Version; readonly plan: Restored }): Page {
  const { id, version, plan } = page;
  const title = `Restore order ${id}`;
  const changes = restorable(plan);
  const body = html`${orderHead({ id, title, tab: 'restore', exists: true })}
    <p>What it was on ${time(version.historyDate)}, beside what it is. ${stays(plan, changes)}</p>
    ${changes.length > 0 ? form(page, html`${changeTable(page, changes)}`, plan) : nothing(id)}`;
  return { title, section: 'orders', body };
}

const stays = (plan: Restored, changes: readonly Change[]): string => {
  const [status, offered] = [plan.changes, changes].map((all) =>
    all.some(({ attribute }) => attribute === 'status'),
  );
  return status && !offered
    ? 'Items and total stay as they are, and so does the status: the products left the stock.'
    : 'Items and total stay as they are.';
};

/** A deleted order comes back whole. */
export function undeletePage(page: Restore & Undeletion): Page {
  const { id, seen, order, plan } = page;
  const title = `Restore order ${id}`;
  const body = html`${orderHead({ id, title, tab: 'restore', exists: false })}
    <p>
      Deleted by <b class="actor">${seen.actorLabel ?? 'system'}</b>, ${time(seen.timestamp)}. This is what
      comes back:
    </p>
    ${orderPicture(order, null)} ${form(page, null, plan)}`;
  return { title, section: 'orders', body };
}

const nothing = (id: number): Html =>
  html`<p class="empty">There is nothing to put back: these values are the same now.</p>
    <p><a href="/orders/${id}/versions">All versions</a></p>`;

function form({ id, seen, values = {}, errors = {} }: Restore, content: Content, plan: Restored): Html {
  return html`<form class="card" method="post">
    <input type="hidden" name="seen" value="${seen.id}" />
    ${errors['only'] && html`<p class="error" role="alert">${errors['only']}</p>`} ${content} ${skipped(plan)}
    ${
      plan.obstacles.length > 0
        ? obstacles(plan)
        : html`${field({ name: 'reason', label: 'Why?', required: true }, values, errors)}
            <div class="actions">
              <button class="primary">Restore</button>
              <a class="button" href="/orders/${id}/versions">Leave it</a>
            </div>`
    }
  </form>`;
}

function changeTable({ values }: Restore, changes: readonly Change[]): Html {
  return html`<table class="compare restore stack">
    <caption class="hidden">
      What is put back
    </caption>
    <thead>
      <tr>
        <th scope="col">Restore</th>
        <th scope="col">Now</th>
        <th scope="col">After</th>
      </tr>
    </thead>
    <tbody>
      ${changes.map((change) => changeRow(change, isChecked(values, change.attribute)))}
    </tbody>
  </table>`;
}

/** All of them at first; later what was checked. */
const isChecked = (values: Values | undefined, name: string): boolean =>
  values === undefined || [values['only']].flat().includes(name);

function changeRow(change: Change, checked: boolean): Html {
  const name = change.attribute;
  const [now, after] =
    'added' in change
      ? [linkNames(change.removed), linkNames(change.added)]
      : [showValue(name, change.now), showValue(name, change.after)];
  return html`<tr>
    <th scope="row">
      <label
        ><input type="checkbox" name="only" value="${name}" ${checked && html` checked`} />
        ${labelOf(name)}</label
      >
    </th>
    <td data-label="Now">${now ? html`<del>${now}</del>` : html`<span class="hint">–</span>`}</td>
    <td data-label="After">${after ? html`<ins>${after}</ins>` : html`<span class="hint">–</span>`}</td>
  </tr>`;
}

function skipped({ skipped: left }: Restored): Content {
  const texts = left.map(({ attribute, why }) => `${labelOf(attribute)} (${WHY[why] ?? why})`);
  return texts.length > 0 && html`<p class="hint">Not restored: ${texts.join(', ')}.</p>`;
}

const obstacles = (plan: Restored): Html =>
  html`<div role="alert">
    <p class="error">It can’t be restored:</p>
    <ul>
      ${plan.obstacles.map(({ attribute, why }) => html`<li>${attribute && html`${labelOf(attribute)}: `}${why}</li>`)}
    </ul>
  </div>`;

/** For who was slower than somebody else. */
export function stalePage({ id, newest, again }: { id: number; newest: Entry; again: string }): Page {
  const title = 'Changed meanwhile';
  const body = html`<p class="crumbs"><a href="/orders">Orders</a></p>
    <h1>${title}</h1>
    <p>
      Order ${id} was changed since you looked at it: ${newest.describe()}, ${time(newest.timestamp)}. Nothing
      was restored.
    </p>
    <div class="actions">
      <a class="button primary" href="${again}">Look again</a>
      <a class="button" href="/orders/${id}/log">Log</a>
    </div>`;
  return { title, section: 'orders', body };
}
