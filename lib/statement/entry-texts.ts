import { exactTimeSql } from '../schema/exact-time';
import { LOG_COLUMNS, type LogColumn } from '../schema/log-table';
import { quoteIdentifier, quoteLiteral } from '../schema/quote';

/** Stored bytes of the documents of one page, by and large; a single document may be larger. */
const PAGE_BYTES = 1024 * 1024;

/** `from` names the table that columns are of, where that has to be said. */
function columnOf(column: string, from: string | undefined): string {
  return from === undefined ? quoteIdentifier(column) : `${from}.${quoteIdentifier(column)}`;
}

function textOf({ column, type }: LogColumn, from?: string): string {
  const quoted = columnOf(column, from);
  if (type === 'timestamptz') return exactTimeSql(quoted);
  // A cast to text adds the length of the network, which the driver never sees.
  return type === 'inet' ? `nullif(concat(${quoted}), '')` : `${quoted}::text`;
}

/** Documents come digit by digit as they are stored. */
function jsonOf(column: LogColumn, from: string | undefined): string {
  if (column.type === 'jsonb') return `coalesce(${columnOf(column.column, from)}, 'null'::jsonb)`;
  const value = column.type === 'integer' ? columnOf(column.column, from) : textOf(column, from);
  return `coalesce(to_json(${value}), 'null'::json)`;
}

/**
 * SQL: an entry as one line of JSON, members in the order of LogEntry, as `JSON.stringify(entry)` gives it. By `concat`, which no
 * null can turn into null; `row_to_json` takes three times as long.
 */
export function entryLine(from?: string): string {
  const members = LOG_COLUMNS.map((column, at) => {
    const start = `${at === 0 ? '{' : ','}"${column.attribute}":`;
    return `${quoteLiteral(start)}, ${jsonOf(column, from)}`;
  });
  return `concat(${members.join(', ')}, '}')`;
}

/** SQL: the JSON text of an array of the entry's columns, each as text or null. */
export function entryCells(): string {
  return `to_json(array[${LOG_COLUMNS.map((column) => textOf(column)).join(', ')}])::text`;
}

/** Sizes are read without what they measure. */
function storedBytes(): string {
  const documents = LOG_COLUMNS.filter(({ type }) => type === 'jsonb');
  const sizes = documents.map(({ column }) => `coalesce(pg_column_size(${quoteIdentifier(column)}), 0)`);
  return `(${sizes.join(' + ')})`;
}

/** SQL: `text` of an entry, null from the entry on, by id, that with those before is more than a page; never for the first. */
export function withinPage(text: string): string {
  const bytes = storedBytes();
  const before = `sum(${bytes}) over (order by "id" rows unbounded preceding) - ${bytes}`;
  return `case when ${before} < ${PAGE_BYTES} then ${text} end`;
}

/** What `entryPage` answers. */
export interface EntryPage {
  /** Texts of entries, oldest first, each ended by a line feed; null when there is none. */
  readonly text: string | null;
  readonly entries: number;
  /** How many entries were looked at; more than `entries` when their documents are large. */
  readonly found: number;
  /** Id of the last of `entries`. */
  readonly last: string | null;
}

/**
 * The texts of a page as one: handling rows takes the driver and Sequelize longer than PostgreSQL takes to make them.
 *
 * @param select gives `"id"` and `"entry_text"`, which holds no line feed
 */
export function entryPage(select: string): string {
  const text = `string_agg("entry_text" || E'\\n', '' order by "id")`;
  const last = `max("id") filter (where "entry_text" is not null)::text`;
  return `select ${text} as "text", count("entry_text")::int as "entries", count(*)::int as "found", ${last} as "last" from (${select}) "!p"`;
}

/** SQL: the highest id of the log, as text. */
export function newestId(): string {
  return 'max("id")::text';
}
