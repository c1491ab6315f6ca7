import { quoteIdentifier, quoteTable, type TableName } from '../schema/quote';
import { LATEST_FIRST } from '../history/point-in-time';

/** Whose rows are to be read as of a time. */
export interface AsOfSource {
  readonly history: TableName;
  /** Column names in key order. */
  readonly keys: readonly string[];
  /** The columns of the row, keys included. */
  readonly columns: readonly string[];
  /** Column name of a paranoid model's `deletedAt`. */
  readonly deletedAt: string | null;
  /** SQL: the version is not after the time. */
  readonly bound: string;
}

/**
 * How the rows are found; a wrong choice costs time, never a result. Figures: `reference/time-travel.md` §1.
 * `stream` keeps the order of the key and stops early, `streamBackwards` likewise from the end, `probe` serves any index of the
 * history table, `bulk` reads everything once, `count` needs the index on the object only and gives nothing but keys.
 */
export type AsOfShape = 'stream' | 'streamBackwards' | 'probe' | 'bulk' | 'count';

function list(columns: readonly string[], alias = ''): string {
  const prefix = alias === '' ? '' : `${alias}.`;
  return columns.map((column) => prefix + quoteIdentifier(column)).join(', ');
}

function same(keys: readonly string[], a: string, b: string): string {
  return keys.map((key) => `${a}.${quoteIdentifier(key)} = ${b}.${quoteIdentifier(key)}`).join(' and ');
}

/**
 * Whether the row was there after its newest version. Both a hard and a soft delete leave a `'-'`; it was a soft one when it set
 * `deletedAt`, which the version before then lacks. A hard delete of a soft-deleted row shows that row as it was.
 */
function exists({ history, keys, deletedAt }: AsOfSource, type: string, row: string): string {
  const isKept = `${type}."history_type" <> '-'`;
  if (deletedAt === null) return isKept;
  const column = quoteIdentifier(deletedAt);
  const isEarlier = `(p."history_date", p."history_id") < (${row}."history_date", ${row}."history_id")`;
  const before = `select p.${column} from ${quoteTable(history)} p where ${same(keys, 'p', row)} and ${isEarlier} order by ${LATEST_FIRST} limit 1`;
  return `${isKept} or ${row}.${column} is not null and (${before}) is null`;
}

/** The newest version of each object, by the index on the object alone. */
function newest({ history, keys, bound }: AsOfSource): string {
  const columns = list(keys);
  return `select distinct on (${columns}) ${columns}, "history_id", "history_type" from ${quoteTable(history)} where ${bound} order by ${columns}, ${LATEST_FIRST}`;
}

/** The keys from `k`, so that conditions on them reach the index; the other columns from `h`. */
function selected({ keys, columns }: AsOfSource): string {
  const others = columns.filter((column) => !keys.includes(column));
  return [list(keys, 'k'), ...(others.length > 0 ? [list(others, 'h')] : [])].join(', ');
}

function stream(source: AsOfSource): string {
  // OFFSET 0 forbids a hash join, which would read everything before the first row.
  const row = `select * from ${quoteTable(source.history)} x where x."history_id" = k."history_id" offset 0`;
  return `select ${selected(source)} from (${newest(source)}) k cross join lateral (${row}) h where ${exists(source, 'k', 'h')}`;
}

/** From the end of the key, where DISTINCT ON would sort. */
function streamBackwards(source: AsOfSource): string {
  const { history, keys, bound } = source;
  const order = keys.map((key) => `${quoteIdentifier(key)} desc`).join(', ');
  const objects = `select distinct on (${list(keys)}) ${list(keys)} from ${quoteTable(history)} where ${bound} order by ${order}`;
  const row = `select * from ${quoteTable(history)} x where ${same(keys, 'x', 'k')} and ${bound} order by ${LATEST_FIRST} limit 1`;
  return `select ${selected(source)} from (${objects}) k cross join lateral (${row}) h where ${exists(source, 'h', 'h')}`;
}

function probe(source: AsOfSource): string {
  const { history, keys, columns, bound } = source;
  const table = quoteTable(history);
  const latest = `select n."history_id" from ${table} n where ${same(keys, 'n', 'h')} and ${bound} order by ${LATEST_FIRST} limit 1`;
  return `select ${list(columns, 'h')} from ${table} h where ${bound} and (${exists(source, 'h', 'h')}) and h."history_id" = (${latest})`;
}

function bulk(source: AsOfSource): string {
  const join = `join ${quoteTable(source.history)} h on h."history_id" = k."history_id"`;
  return `select ${selected(source)} from (${newest(source)}) k ${join} where ${exists(source, 'k', 'h')}`;
}

function count(source: AsOfSource): string {
  return `select ${list(source.keys, 'k')} from (${newest(source)}) k where k."history_type" <> '-'`;
}

const SHAPES: Readonly<Record<AsOfShape, (source: AsOfSource) => string>> = {
  stream,
  streamBackwards,
  probe,
  bulk,
  count,
};

/** SELECT of the rows that were there at the time. */
export function versionsAsOf(source: AsOfSource, shape: AsOfShape): string {
  return SHAPES[shape](source);
}
