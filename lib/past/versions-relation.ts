import { quoteIdentifier, quoteTable, type TableName } from '../schema/quote';

/** Whose rows are to be read as of a time. */
export interface AsOfSource {
  /** The model's own table. */
  readonly live: TableName;
  /** Key columns that are enums there and text in the history. */
  readonly enumKeys: readonly string[];
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

/** Which objects: those that were there, every one by its newest version, or those that were deleted, soft or hard. */
export type AsOfPart = 'there' | 'every' | 'deleted';

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
function exists({ history, keys, deletedAt }: AsOfSource): string {
  const isKept = `h."history_type" <> '-'`;
  if (deletedAt === null) return isKept;
  const column = quoteIdentifier(deletedAt);
  const isEarlier = `${same(keys, 'p', 'h')} and p."history_id" < h."history_id"`;
  const before = `select p.${column} from ${quoteTable(history)} p where ${isEarlier} order by p."history_id" + 0 desc limit 1`;
  return `${isKept} or h.${column} is not null and (${before}) is null`;
}

/** A row that was changed while it was soft-deleted stays deleted. */
function isDeleted({ deletedAt }: AsOfSource): string {
  const isGone = `h."history_type" = '-'`;
  return deletedAt === null ? isGone : `${isGone} or h.${quoteIdentifier(deletedAt)} is not null`;
}

function condition(source: AsOfSource, part: AsOfPart): string {
  if (part === 'every') return 'true';
  return part === 'there' ? exists(source) : isDeleted(source);
}

/**
 * The newest version of each object, by the index on the object alone. The id tells which is the newest, not the date, which runs
 * backwards when the server's clock was set back.
 */
function newest({ history, keys, bound }: AsOfSource): string {
  const id = 'max("history_id") as "history_id"';
  return `select ${list(keys)}, ${id} from ${quoteTable(history)} where ${bound} group by ${list(keys)}`;
}

/** The keys from `k`, so that conditions on them reach the index; the other columns from `h`. */
function selected({ keys, columns }: AsOfSource): string {
  const others = columns.filter((column) => !keys.includes(column));
  return [list(keys, 'k'), ...(others.length > 0 ? [list(others, 'h')] : [])].join(', ');
}

/** SQL: the key of the version `of` is that whose parts `key` are SQL of. */
function isObject({ keys }: AsOfSource, key: readonly string[], of: string): string {
  return keys.map((name, at) => `${of}.${quoteIdentifier(name)} = ${key[at]!}`).join(' and ');
}

/**
 * SELECT of one object, if it was there. The newest by the date is the first in the index, and hardly ever is there one with a greater
 * id, which a clock that was set back makes: that is asked of the index without reading out what it holds.
 *
 * @param key SQL of the parts of its key
 */
export function versionOfObject(source: AsOfSource, key: readonly string[]): string {
  const { history, columns, bound } = source;
  const table = quoteTable(history);
  const order = 'order by c."history_date" desc, c."history_id" desc limit 1';
  const latest = `select c."history_id" from ${table} c where ${isObject(source, key, 'c')} and ${bound} ${order}`;
  // As an expression, or the greatest would be looked for from the end of the whole table.
  const later = `select max(n."history_id" + 0) from ${table} n where ${isObject(source, key, 'n')} and ${bound} and n."history_id" > l."history_id"`;
  const newestId = `select coalesce((${later}), l."history_id") from (${latest}) l`;
  return `select ${list(columns, 'h')} from ${table} h where h."history_id" = (${newestId}) and (${condition(source, 'there')})`;
}

/** @param objects SELECT of the objects, as `k`, in their order @param id SQL: the newest version of `k` */
function ordered(source: AsOfSource, part: AsOfPart, objects: string, id: string): string {
  // OFFSET 0 forbids a hash join, which would read everything before the first row.
  const row = `select * from ${quoteTable(source.history)} x where x."history_id" = ${id} offset 0`;
  return `select ${selected(source)} from (${objects}) k cross join lateral (${row}) h where ${condition(source, part)}`;
}

function stream(source: AsOfSource, part: AsOfPart): string {
  return ordered(source, part, newest(source), 'k."history_id"');
}

/** From the end of the key: groups would all be sorted first, distinct keys are read off the index backwards. */
function streamBackwards(source: AsOfSource, part: AsOfPart): string {
  const { history, keys, bound } = source;
  const table = quoteTable(history);
  const order = keys.map((key) => `${quoteIdentifier(key)} desc`).join(', ');
  const objects = `select distinct on (${list(keys)}) ${list(keys)} from ${table} where ${bound} order by ${order}`;
  const id = `(select max(m."history_id") from ${table} m where ${same(keys, 'm', 'k')} and ${bound})`;
  return ordered(source, part, objects, id);
}

/** Every version that fits, unless there is a newer one: the look-up ends at the first, also for an object with thousands. */
function probe(source: AsOfSource, part: AsOfPart): string {
  const { history, keys, columns, bound } = source;
  const table = quoteTable(history);
  const newer = `select true from ${table} n where ${same(keys, 'n', 'h')} and ${bound} and n."history_id" > h."history_id" limit 1`;
  // "is true" keeps the index on the time out of it: a look-up would read all of it each time.
  return `select ${list(columns, 'h')} from ${table} h where (${bound}) is true and (${condition(source, part)}) and (${newer}) is null`;
}

function bulk(source: AsOfSource, part: AsOfPart): string {
  const join = `join ${quoteTable(source.history)} h on h."history_id" = k."history_id"`;
  return `select ${selected(source)} from (${newest(source)}) k ${join} where ${condition(source, part)}`;
}

/** In the order of the index, which then is read instead of the table, and groups are told apart without hashing. */
function count({ history, keys, bound }: AsOfSource): string {
  const order = `${list(keys)}, "history_date" desc, "history_id" desc`;
  const versions = `select ${list(keys)}, "history_id", "history_type" from ${quoteTable(history)} where ${bound} order by ${order} offset 0`;
  const isThere = `max("history_id") filter (where "history_type" <> '-') = max("history_id")`;
  return `select ${list(keys)} from (${versions}) v group by ${list(keys)} having ${isThere}`;
}

const SHAPES: Readonly<Record<AsOfShape, (source: AsOfSource, part: AsOfPart) => string>> = {
  stream,
  streamBackwards,
  probe,
  bulk,
  count,
};

/** SELECT of the rows that were there at the time, or of another part of the objects; `count` knows only the first. */
export function versionsAsOf(source: AsOfSource, shape: AsOfShape, part: AsOfPart = 'there'): string {
  return SHAPES[shape](source, part);
}

/**
 * SELECT of the objects whose past at the time is unknown, and when their history begins: those whose first version came later
 * and is no audited create, and rows that have no version at all. A first version that `populate` wrote has no entry.
 */
export function gapsAsOf({ live, enumKeys, history, keys, bound }: AsOfSource): string {
  const table = quoteTable(history);
  const first = `select ${list(keys)}, min("history_id") as "history_id" from ${table} group by ${list(keys)} having count(*) filter (where ${bound}) = 0`;
  const isCreated = `h."history_type" = '+' and h."log_entry_id" is not null`;
  const late = `select ${list(keys, 'k')}, h."history_date" as "!since" from (${first}) k join ${table} h on h."history_id" = k."history_id" where not (${isCreated})`;
  const row = keys.map(
    (key) => quoteIdentifier(key) + (enumKeys.includes(key) ? `::text as ${quoteIdentifier(key)}` : ''),
  );
  const rows = `select ${row.join(', ')} from ${quoteTable(live)}`;
  const none = `select ${list(keys, 'l')}, null::timestamptz from (${rows}) l where not exists (select from ${table} n where ${same(keys, 'n', 'l')})`;
  return `${late} union all ${none}`;
}

/** The same of one object. @param key SQL of the parts of its key */
export function gapOfObject(source: AsOfSource, key: readonly string[]): string {
  return `select * from (${gapsAsOf(source)}) g where ${isObject(source, key, 'g')}`;
}
