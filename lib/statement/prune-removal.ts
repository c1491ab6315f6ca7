import { exactTimeSql } from '../schema/exact-time';
import { quoteLiteral, quoteTable, type TableName } from '../schema/quote';

/** Any number will do that other programs don't use for their own advisory locks; the table's own number makes it one per log. */
const LOCK_BASE = '4857120262000000000';

/** Takes the lock of the log until the transaction ends, or says that another has it; null where there is no log. */
export function tryLock(log: TableName): string {
  const key = `${LOCK_BASE}::bigint + to_regclass(${quoteLiteral(quoteTable(log))})::oid::bigint`;
  return `select pg_try_advisory_xact_lock(${key}) as "isMine"`;
}

/** The transaction waits for the process between its statements, for as long as the work takes. Not every server knows both. */
export const WAIT_WITHOUT_END = `select set_config("name", '0', true) from unnest(array['idle_in_transaction_session_timeout', 'transaction_timeout']) "name" where current_setting("name", true) is not null`;

/** Compiling a statement of many parts takes the server longer than running it for one page. */
export const WITHOUT_JIT = `select set_config('jit', 'off', true)`;

/** What a time or an age means on the database's clock, and whether that has passed. `$1` is a time, or `$2` milliseconds. */
export const CUT_OFF = `select ${exactTimeSql('"at"')} as "olderThan", "at" > "now" as "isAhead" from (select coalesce($1::timestamptz, "now" - $2::double precision * interval '1 millisecond') as "at", "now" from (select clock_timestamp() as "now" offset 0) "!n") "!t"`;

/** The highest id of an entry older than `$1`. Without OFFSET it might be looked for backwards from the end, through all young ones. */
export function highestEntry(log: TableName): string {
  const older = `select "id" from ${quoteTable(log)} where "timestamp" < $1::timestamptz offset 0`;
  return `select max("id")::text as "id" from (${older}) "!o"`;
}

/** The highest id of a version older than `$1`, by the index on the date. */
export function highestVersion(history: TableName): string {
  const older = `select "history_id" from ${quoteTable(history)} where "history_date" < $1::timestamptz offset 0`;
  return `select max("history_id")::text as "id" from (${older}) "!o"`;
}

/** The names of all models that the log has entries of: from each to the next by the index, not by reading the log. */
export function modelsOfLog(log: TableName): string {
  const table = quoteTable(log);
  const first = `(select e."model" from ${table} e order by e."model" limit 1)`;
  const next = `(select e."model" from ${table} e where e."model" > m."model" order by e."model" limit 1)`;
  return `with recursive m("model") as (${first} union all select ${next} from m where m."model" is not null) select "model" from m where "model" is not null`;
}

/** SQL: the entry is a mark, and no entry that the application wrote under the same word. */
const IS_MARK = `"action" = 'prune' and "object_pk" is null`;

/** What one statement removed of the log. */
export interface RemovedEntries {
  readonly removed: number;
  /** The last of them as a tail reads them. */
  readonly lastTransactionId: string | null;
  readonly lastEntryId: string | null;
}

/** Removes entries by their ids (`$1`), only those of the model (`$2`) that are old (`$3`); a mark of a prune never. */
export function removeEntries(log: TableName): string {
  const removed = `delete from ${quoteTable(log)} where "id" = any ($1::bigint[]) and "model" = $2::text and "timestamp" < $3::timestamptz and not (${IS_MARK}) returning "id", "transaction_id"`;
  const last = `select "id", "transaction_id" from "!r" order by "transaction_id" desc nulls last, "id" desc limit 1`;
  return `with "!r" as (${removed}), "!l" as (${last}) select (select count(*)::int from "!r") as "removed", (select "transaction_id"::text from "!l") as "lastTransactionId", (select "id"::text from "!l") as "lastEntryId"`;
}

/** Removes versions by their ids (`$1`). */
export function removeVersions(history: TableName): string {
  const removed = `delete from ${quoteTable(history)} where "history_id" = any ($1::bigint[]) returning 1`;
  return `with "!r" as (${removed}) select count(*)::int as "removed" from "!r"`;
}

/** Takes back the mark (`$1`) that another, with higher counts, takes the place of in the same transaction. */
export function replaceMark(log: TableName): string {
  return `delete from ${quoteTable(log)} where "id" = $1::bigint and ${IS_MARK}`;
}

/**
 * SELECT of those of the ids (`$1`) whose rows are of these times (`$2`): a log that was copied gives ids of its own to other rows
 * than the log that it is a copy of.
 */
export function idsOfTimes(table: TableName, id: string, time: string): string {
  const given = `unnest($1::bigint[], $2::timestamptz[]) with ordinality u("id", "time", "at")`;
  return `select coalesce(array_agg(u."id"::text order by u."at"), '{}') as "ids" from ${given} join ${quoteTable(table)} e on e.${id} = u."id" and e.${time} = u."time"`;
}

/** SELECT of texts of rows, in the order of their ids (`$1`). @param line SQL of the text of the row `e` */
export function linesOf(table: TableName, id: string, line: string): string {
  return `select ${line} as "line" from unnest($1::bigint[]) with ordinality u("id", "at") join ${quoteTable(table)} e on e.${id} = u."id" order by u."at"`;
}
