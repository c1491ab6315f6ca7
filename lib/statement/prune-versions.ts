import { quoteIdentifier, quoteTable, type TableName } from '../schema/quote';

/** Versions of one model that are looked through for those that nobody needs any more. */
export interface VersionsToPrune {
  readonly history: TableName;
  /** Column names in key order. */
  readonly keys: readonly string[];
  /** Whether a `'-'` may be a soft delete. */
  readonly isParanoid: boolean;
  /** Column name of a paranoid model's `deletedAt`; null also where the history table lacks it. */
  readonly deletedAt: string | null;
  /** The newest so many of every object stay. */
  readonly keepLast: number;
}

/** One page, as `versionsPage` answers it. */
export interface VersionsPage {
  /** How many old versions were looked at. */
  readonly seen: number;
  readonly lastId: string | null;
  /** What may go, from old to new. */
  readonly ids: readonly string[];
}

/*
 * The newest old version of an object stays, unless it tells that the row is gone. Which is the newest the id tells, as where
 * versions are read; by the index on the object, of which the first one or two in time decide. Binds: `$1` the time, then those
 * of the page.
 */

function same({ keys }: VersionsToPrune, a: string, b: string): string {
  return keys.map((key) => `${a}.${quoteIdentifier(key)} = ${b}.${quoteIdentifier(key)}`).join(' and ');
}

/** A sub-select that looks no further than the first: an EXISTS might be answered by reading the whole table. */
function found(source: VersionsToPrune, n: string, condition: string): string {
  return `(select true from ${quoteTable(source.history)} ${n} where ${same(source, n, 'p')} and ${condition} limit 1) is not null`;
}

function hasLater(source: VersionsToPrune): string {
  return found(source, 'n', 'n."history_date" < $1::timestamptz and n."history_id" > p."history_id"');
}

function isSpare(source: VersionsToPrune): string {
  const { history, keepLast } = source;
  if (keepLast === 0) return 'true';
  return `(select true from ${quoteTable(history)} n where ${same(source, 'n', 'p')} and n."history_id" > p."history_id" offset ${keepLast - 1} limit 1) is not null`;
}

const column = (alias: string, name: string): string => `${alias}.${quoteIdentifier(name)}`;

/** The version before `p`, looked for where it decides. */
function before(source: VersionsToPrune, deletedAt: string): string {
  const { history } = source;
  const earlier = `${same(source, 'b', 'p')} and b."history_id" < p."history_id"`;
  const row = `select b."history_id", b."history_date" < $1::timestamptz as "isOld", ${column('b', deletedAt)} as "deleted" from ${quoteTable(history)} b where ${earlier} and p."history_type" = '-' and ${column('p', deletedAt)} is not null order by b."history_id" + 0 desc limit 1`;
  return `left join lateral (${row}) b on true`;
}

/**
 * SQL: the version is the last of a row that was hard-deleted after a soft delete. Without it that `'-'` would read as the soft
 * one, so it stays as long, and goes with it.
 */
function isTied(source: VersionsToPrune, deletedAt: string): string {
  const { history } = source;
  const newest = `select w."history_id", w."history_type", ${column('w', deletedAt)} as "deleted" from ${quoteTable(history)} w where ${same(source, 'w', 'p')} and w."history_date" < $1::timestamptz order by w."history_date" desc, w."history_id" desc limit 1`;
  const between = found(source, 'x', 'x."history_id" > p."history_id" and x."history_id" < w."history_id"');
  const isNext = `w."history_id" > p."history_id" and w."history_type" = '-' and w."deleted" is not null and not ${between}`;
  return `${column('p', deletedAt)} is not null and (select ${isNext} from (${newest}) w) is true`;
}

/** The versions of a page that may go, one row each or, of a hard delete after a soft one, together with the version before. */
function doomed(source: VersionsToPrune): string {
  const { deletedAt, isParanoid } = source;
  const later = hasLater(source);
  const isDelete = `p."history_type" = '-'`;
  if (deletedAt === null) {
    const isLast = isParanoid ? 'false' : isDelete;
    return `select p."history_id", array[p."history_id"] as "ids" from "!p" p where ${isSpare(source)} and (${later} or ${isLast})`;
  }
  const isHard = `${isDelete} and (${column('p', deletedAt)} is null or b."deleted" is not null)`;
  const ids = `array_remove(array[case when b."deleted" is not null and b."isOld" then b."history_id" end, p."history_id"], null)`;
  return `select p."history_id", ${ids} as "ids" from "!p" p ${before(source, deletedAt)} where ${isSpare(source)} and not (${isTied(source, deletedAt)}) and (${later} or ${isHard})`;
}

function pageOf(source: VersionsToPrune, condition: string, limit: string): string {
  const rows = `select p.* from ${quoteTable(source.history)} p where p."history_date" < $1::timestamptz and ${condition} order by p."history_id"${limit}`;
  const ids = `select array_agg(distinct i order by i) from (${doomed(source)}) d, unnest(d."ids") i`;
  return `with "!p" as materialized (${rows}) select (select count(*)::int from "!p") as "seen", (select max("history_id")::text from "!p") as "lastId", coalesce((${ids})::text[], '{}') as "ids"`;
}

/** One page of old versions. Binds: `$2` the id behind which it begins, `$3` the highest id of an old version, `$4` its size. */
export function versionsPage(source: VersionsToPrune): string {
  const range = `p."history_id" > $2::bigint and p."history_id" <= $3::bigint`;
  return pageOf(source, range, ' limit $4::int');
}

/** Which of the given versions may go, for those that stand in an archive. Binds: `$2` their ids. */
export function versionsAmong(source: VersionsToPrune): string {
  return pageOf(source, `p."history_id" = any ($2::bigint[])`, '');
}
