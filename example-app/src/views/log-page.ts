import type { LogEntry } from '../audit';
import { plural, time } from './format';
import { html, type Content, type Html } from './html';
import type { Page } from './layout';

export type Entry = InstanceType<typeof LogEntry>;
type Change = ReturnType<Entry['displayChanges']>[number];

interface Log {
  readonly title: string;
  readonly section: 'orders' | 'products';
  readonly head: Html;
  readonly entries: readonly Entry[];
  /** More about a change, below its time. */
  readonly more?: More | undefined;
}

type More = (entry: Entry) => Content;

export function logPage({ title, section, head, entries, more }: Log): Page {
  return { title, section, body: html`${head}${entries.length ? logTable(entries, more) : nothing}` };
}

const nothing = html`<p class="empty">Nothing is recorded here.</p>`;

function logTable(entries: readonly Entry[], more: More | undefined): Html {
  return html`<table class="log stack">
    <caption class="hidden">
      Changes, newest first
    </caption>
    <thead>
      <tr>
        <th scope="col">When</th>
        <th scope="col">Who</th>
        <th scope="col">What</th>
        <th scope="col">Why</th>
        <th scope="col">From where</th>
      </tr>
    </thead>
    <tbody>
      ${entries.map((entry) => logRow(entry, more))}
    </tbody>
  </table>`;
}

function logRow(entry: Entry, more: More | undefined): Html {
  return html`<tr>
    <td data-label="When">${time(entry.timestamp)}${more?.(entry)}</td>
    <td data-label="Who"><b class="actor">${entry.actorLabel ?? 'system'}</b></td>
    <td data-label="What">
      <p class="sentence">${entry.describe()}</p>
      ${changes(entry)}
    </td>
    ${optionalCell('Why', entry.reason)} ${optionalCell('From where', origin(entry))}
  </tr>`;
}

const optionalCell = (label: string, content: Content): Html =>
  content ? html`<td data-label="${label}">${content}</td>` : html`<td class="blank"></td>`;

function origin({ remoteAddr, request }: Entry): Content {
  if (!remoteAddr && !request) return null;
  return html`${remoteAddr} ${request && html`<code>${request}</code>`}`;
}

/** The sentence says a single change itself; what an object began or ended with is there on demand. */
function changes(entry: Entry): Content {
  const shown = entry.displayChanges();
  if (entry.action === 'update') return shown.length > 1 && changeTable(shown);
  return (
    shown.length > 0 &&
    html`<details>
      <summary>${plural(shown.length, 'value')}</summary>
      ${changeTable(shown)}
    </details>`
  );
}

const changeTable = (shown: readonly Change[]): Html =>
  html`<dl class="changes">${shown.map(changeItem)}</dl>`;

function changeItem({ label, old, new: now }: Change): Html {
  return html`<div>
    <dt>${label}</dt>
    <dd>
      ${old && html`<del><span class="hidden">was </span>${old}</del>`}
      ${now && html`<ins><span class="hidden">now </span>${now}</ins>`}
    </dd>
  </div>`;
}

/** A short list of sentences, for a page that is about something else. */
export function changeList(entries: readonly Entry[]): Html {
  return html`<ol class="feed">
    ${entries.map((entry) => html`<li>${time(entry.timestamp)} <span>${entry.describe()}</span></li>`)}
  </ol>`;
}
