import { exactTimeSql } from '../schema/exact-time';
import { quoteLiteral, quoteTable, type TableName } from '../schema/quote';

/*
 * A prune leaves entries that say what it removed: its marks. They are about a model and no object, so that entries which the
 * application writes under the same word are none.
 */

/** What a mark's additional data hold. */
const OLDER_THAN = `("additional_data" ->> 'olderThan')::timestamptz`;
const LAST_TRANSACTION = `("additional_data" ->> 'lastTransactionId')::bigint`;
const LAST_ENTRY = `("additional_data" ->> 'lastEntryId')::bigint`;

function marks(log: TableName): string {
  return `${quoteTable(log)} where "action" = 'prune' and "object_pk" is null`;
}

function marksOf(log: TableName, model: string): string {
  return `${marks(log)} and "model" = ${quoteLiteral(model)}`;
}

/** SQL of one value: the time before which records of the model may be gone; null when it was never pruned. */
export function prunedTo(log: TableName, model: string): string {
  return `(select max(${OLDER_THAN}) from ${marksOf(log, model)})`;
}

/** SELECT of `prunedTo` as `since`, ISO text, where it comes after what `isReached` tells of it; else no row. */
export function prunedSince(log: TableName, model: string, isReached: (moment: string) => string): string {
  const latest = `select max(${OLDER_THAN}) as "to" from ${marksOf(log, model)}`;
  return `select ${exactTimeSql('m."to"')} as "since" from (${latest}) m where not (${isReached('m."to"')})`;
}

/** The mark that matters most, as `since` and `model`. */
function latestOf(log: TableName, condition: string): string {
  return `select ${exactTimeSql(OLDER_THAN)} as "since", "model" from ${marks(log)} and ${condition} order by ${OLDER_THAN} desc limit 1`;
}

/**
 * SELECT of the prune that may have removed entries of transaction `$1`, the oldest of which that is left came at `$2` (null for
 * none). Where the log came from another server, whose transactions had other numbers, entries after the prune are whole.
 */
export function pruneOfTransaction(log: TableName): string {
  const isYounger = `($2::timestamptz is null or "timestamp" > $2::timestamptz)`;
  return latestOf(log, `${LAST_TRANSACTION} >= $1::bigint and ${isYounger}`);
}

/** The same of the transactions of a request, of which the oldest entry that is left came at `$1`; `$2` is how long one may last. */
export function pruneOfRequest(log: TableName): string {
  return latestOf(log, `($1::timestamptz is null or ${OLDER_THAN} + $2::interval > $1::timestamptz)`);
}

/**
 * SELECT of the newest mark of all, as `id`, and of a prune after mark `$1` that removed entries behind the position (`$2` a
 * transaction, `$3` an entry), as `since` and `model`. A mark by a transaction that this server has not come to yet is that of
 * another server, whose transactions had other numbers.
 */
export function pruneBehind(log: TableName): string {
  const newest = `select max("id")::text as "id" from ${marks(log)}`;
  const isHere = `coalesce("transaction_id", 0) < pg_snapshot_xmax(pg_current_snapshot())::text::bigint`;
  const isBehind = `(${LAST_TRANSACTION}, ${LAST_ENTRY}) > ($2::bigint, $3::bigint)`;
  const behind = latestOf(log, `"id" > $1::bigint and ${isHere} and ${isBehind}`);
  return `select n."id", m."since", m."model" from (${newest}) n left join (${behind}) m on true`;
}
