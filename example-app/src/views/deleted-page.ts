import type { Version } from '../services/order-past';
import { money, time } from './format';
import { html, type Html } from './html';
import type { Page } from './layout';
import { orderFilters } from './order-list';

interface Deleted {
  /** The last version of each, newest first. */
  readonly deleted: readonly Version[];
  readonly next: string | undefined;
  readonly mayRestore: boolean;
}

export function deletedPage(page: Deleted): Page {
  const { deleted, next } = page;
  const body = html`<div class="head"><h1>Deleted orders</h1></div>
    ${orderFilters('deleted')}
    ${deleted.length > 0 ? table(page) : html`<p class="empty">No order is deleted.</p>`}
    ${next && html`<p class="more"><a href="/orders/deleted?before=${next}">Older ones</a></p>`}`;
  return { title: 'Deleted orders', section: 'orders', body };
}

function table({ deleted, mayRestore }: Deleted): Html {
  return html`<table class="deleted stack">
    <caption class="hidden">
      Deleted orders, newest first
    </caption>
    <thead>
      <tr>
        <th scope="col">Deleted</th>
        <th scope="col">Order</th>
        <th scope="col" class="number">Total</th>
        <th scope="col">By</th>
        <th scope="col">Why</th>
        <th scope="col"><span class="hidden">Actions</span></th>
      </tr>
    </thead>
    <tbody>
      ${deleted.map((version) => row(version, mayRestore))}
    </tbody>
  </table>`;
}

function row(version: Version, mayRestore: boolean): Html {
  const { id, customerName, total, historyDate, historyChangeReason: why } = version;
  return html`<tr>
    <td data-label="Deleted">${time(historyDate)}</td>
    <td data-label="Order"><b>${id}</b> <span>${customerName}</span></td>
    <td data-label="Total" class="number">${money(total)}</td>
    <td data-label="By"><b class="actor">${version.logEntry?.actorLabel ?? 'system'}</b></td>
    ${why ? html`<td data-label="Why">${why}</td>` : html`<td class="blank"></td>`}
    <td class="row-actions">
      <a class="button quiet" href="/orders/${id}/log">Log</a>
      ${mayRestore && html`<a class="button quiet" href="/orders/${id}/restore">Restore…</a>`}
    </td>
  </tr>`;
}
