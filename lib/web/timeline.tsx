import type { JSX } from 'preact';
import { renderToString } from 'preact-render-to-string';
import { foundationOf, type AuditLog } from '../audit-log';
import { checkKeys, invalidOption } from '../core/suggest';
import { createFinders, type ModelReference } from '../history/finders';
import type { ObjectKey } from '../history/object-key';
import type { LogEntry } from '../schema/log-entry';
import { resolveWebOptions } from './options';
import { Changes } from './parts/changes';
import type { Showing } from './parts/fields';
import { Moment } from './parts/moment';
import { Texts } from './texts';
import { clockOf } from './zone';

/** Options of `renderTimeline`. */
export interface TimelineOptions {
  /** How many of the newest entries, 1 to 200. @default 20 */
  readonly limit?: number;
}

const WHERE = 'renderTimeline';
const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 200;

function limitOf(options: TimelineOptions): number {
  checkKeys(WHERE, options, ['limit']);
  const { limit = DEFAULT_LIMIT } = options;
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_LIMIT) return limit;
  return invalidOption(WHERE, 'limit', `a whole number from 1 to ${MAX_LIMIT}`, limit);
}

/** What parts of pages need, without a request: English, in UTC. */
function showingOf(auditLog: AuditLog): Showing {
  const options = resolveWebOptions();
  const texts = new Texts({}, options.locale);
  const web = { ...foundationOf(WHERE, auditLog), auditLog, options, texts };
  return { texts, web, clock: clockOf(options.timeZone, options.locale) };
}

function Entry({ visit, entry }: { readonly visit: Showing; readonly entry: LogEntry }): JSX.Element {
  const json = entry.toJSON();
  return (
    <li class="entry">
      <p class="sentence">{entry.describe()}</p>
      <p class="meta">
        <Moment visit={visit} at={json.timestamp} />
      </p>
      {json.reason !== null && <p class="reason">{json.reason}</p>}
      <Changes visit={visit} entry={{ ...json, hiddenChanges: 0 }} />
    </li>
  );
}

/** The host's page has classes of its own. What is rendered has quotation marks nowhere but around attributes. */
function prefixed(markup: string): string {
  return markup.replaceAll(/ class="([^"]*)"/g, (_attribute, names: string) => {
    const all = names.split(' ').filter((name) => name !== '');
    return ` class="${all.map((name) => `audit-${name}`).join(' ')}"`;
  });
}

/**
 * The newest entries about an object as a fragment of HTML for the host's own page: sentences and changes, without links. Everything
 * in it is escaped, and every class begins with `audit-`. Who may see it is the host's to decide before.
 *
 * @throws {AuditError} ERR_AUDIT_INVALID_OPTION, ERR_AUDIT_INVALID_ARGUMENT
 * @example
 * res.send(page({ order, history: await renderTimeline(auditLog, Order, order.id, { limit: 10 }) }));
 */
export async function renderTimeline(
  auditLog: AuditLog,
  model: ModelReference,
  pk: ObjectKey,
  options: TimelineOptions = {},
): Promise<string> {
  const limit = limitOf(options);
  const visit = showingOf(auditLog);
  const entries = await createFinders(visit.web.settings).forObject(model, pk, { limit });
  const list = (
    <ol class="timeline">
      {entries.map((entry) => (
        <Entry key={entry.id} visit={visit} entry={entry} />
      ))}
    </ol>
  );
  return prefixed(renderToString(list));
}
