import type { orders } from '../audit';
import { badge, money, time } from './format';
import { html, type Content, type Html } from './html';
import type { Page } from './layout';

export type Version = Awaited<ReturnType<typeof orders.versions>>[number];

interface Versions {
  readonly title: string;
  readonly head: Html;
  /** Newest first. */
  readonly versions: readonly Version[];
}

const WHAT: Readonly<Record<string, string>> = { '+': 'created', '~': 'changed', '-': 'deleted' };

const COLUMNS = {
  status: ['Status', (version: Version): Content => badge(version.status)],
  total: ['Total', (version: Version): Content => money(version.total)],
  customerName: ['Customer', (version: Version): Content => version.customerName],
  customerEmail: ['E-mail', (version: Version): Content => version.customerEmail],
  cardNumber: ['Card', (version: Version): Content => version.cardNumber],
  notes: ['Notes', (version: Version): Content => version.notes],
} as const;

const columns = Object.entries(COLUMNS);

export function versionsPage({ title, head, versions }: Versions): Page {
  const body = html`${head}
    <p class="hint">The whole order after each change. What differs from the version before is marked.</p>
    <table class="versions stack">
      <thead>
        <tr>
          <th scope="col">When</th>
          <th scope="col">By</th>
          ${columns.map(([, [label]]) => html`<th scope="col">${label}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${versions.map((version, index) => versionRow(version, versions[index + 1]))}
      </tbody>
    </table>`;
  return { title, section: 'orders', body };
}

function versionRow(version: Version, older: Version | undefined): Html {
  const changed = new Set<string>(older ? version.diffAgainst(older).changedAttributes : []);
  return html`<tr>
    <td data-label="When">${time(version.historyDate)}<small>${WHAT[version.historyType]}</small></td>
    <td data-label="By">
      <b class="actor">${version.logEntry?.actorLabel ?? 'system'}</b>
      ${version.historyChangeReason && html`<small>${version.historyChangeReason}</small>`}
    </td>
    ${columns.map(([name, [label, show]]) => cell(label, show(version), changed.has(name)))}
  </tr>`;
}

function cell(label: string, content: Content, changed: boolean): Html {
  if (!content) return html`<td class="blank${changed && ' changed'}"></td>`;
  return html`<td data-label="${label}" ${changed && html` class="changed"`}>
    ${content}${changed && html`<span class="hidden"> (changed)</span>`}
  </td>`;
}
