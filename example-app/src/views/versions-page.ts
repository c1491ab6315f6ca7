import type { Version } from '../services/order-past';
import { momentText, time } from './format';
import { html, type Content, type Html } from './html';
import type { Page } from './layout';
import { labelOf, showValue } from './order-values';

interface Versions {
  readonly id: number;
  readonly title: string;
  readonly head: Html;
  /** Newest first. */
  readonly versions: readonly Version[];
  readonly exists: boolean;
  readonly mayRestore: boolean;
}

const WHAT: Readonly<Record<string, string>> = { '+': 'created', '~': 'changed', '-': 'deleted' };

const COLUMNS = ['status', 'total', 'customerName', 'customerEmail', 'cardNumber', 'notes'] as const;

/** What a deletion left is no order to compare with, or to go back to. */
const isOrder = ({ historyType }: Version): boolean => historyType !== '-';

export function versionsPage(page: Versions): Page {
  const { id, title, head, versions } = page;
  const body = html`${head}
    <p class="hint">The whole order after each change. What differs from the version before is marked.</p>
    <form method="get" action="/orders/${id}/compare">
      ${versions.filter(isOrder).length > 0 && compareBar()}
      <table class="versions stack">
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">By</th>
            ${COLUMNS.map((name) => html`<th scope="col">${labelOf(name)}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${versions.map((_, index) => versionRow(page, index))}
        </tbody>
      </table>
    </form>`;
  return { title, section: 'orders', body };
}

const compareBar = (): Html =>
  html`<p class="bar">
    <button>Compare</button> <span class="hint">what is chosen below as from and to</span>
  </p>`;

function versionRow(page: Versions, index: number): Html {
  const { versions } = page;
  const [version, older] = [versions[index]!, versions[index + 1]];
  const changed = new Set<string>(older ? version.diffAgainst(older).changedAttributes : []);
  return html`<tr>
    <td data-label="When">
      ${time(version.historyDate)}<small>${WHAT[version.historyType]}</small>
      ${isOrder(version) && choices(page, version)}
    </td>
    <td data-label="By">
      <b class="actor">${version.logEntry?.actorLabel ?? 'system'}</b>
      ${version.historyChangeReason && html`<small>${version.historyChangeReason}</small>`}
    </td>
    ${COLUMNS.map((name) => cell(labelOf(name), showValue(name, version[name]), changed.has(name)))}
  </tr>`;
}

function choices({ id, versions, exists, mayRestore }: Versions, version: Version): Html {
  const [newest, second = newest] = versions.filter(isOrder);
  const isNewest = version === newest;
  // The newest one is the order itself, which may have got other tags since.
  const to = isNewest && exists ? 'current' : version.historyId;
  const isRestorable = exists && mayRestore && !isNewest;
  return html`<span class="choices">
      ${choice('from', version.historyId, version, version === second)} ${choice('to', to, version, isNewest)}
    </span>
    <span class="choices">
      <a href="/orders/${id}/at?after=${version.logEntryId}">Show</a>
      ${isRestorable && html`· <a href="/orders/${id}/restore?to=${version.historyId}">Restore…</a>`}
    </span>`;
}

/** All of them are called the same, so each says for listeners which version it is. */
function choice(name: 'from' | 'to', value: string, { historyDate }: Version, checked: boolean): Html {
  const label = `${name} the version of ${momentText(historyDate)}`;
  return html`<label
    ><input type="radio" name="${name}" value="${value}" aria-label="${label}" ${checked && html` checked`} />
    ${name}</label
  >`;
}

function cell(label: string, content: Content, changed: boolean): Html {
  if (!content) return html`<td class="blank${changed && ' changed'}"></td>`;
  return html`<td data-label="${label}" ${changed && html` class="changed"`}>
    ${content}${changed && html`<span class="hidden"> (changed)</span>`}
  </td>`;
}
