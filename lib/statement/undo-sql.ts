import type { CatalogueColumn } from '../schema/catalogue';
import { exactTimeSql } from '../schema/exact-time';
import { quoteIdentifier, quoteTable, type TableName } from '../schema/quote';
import type { ForeignKey } from '../schema/catalogue';
import { castKey, castText } from './undo-values';
import { jsonOf, type EncodedColumn } from './encode';

/** Rows of one table, addressed by their keys, whose parts are bound as one `text[]` per key column. */
export interface KeyedTable {
  readonly table: TableName;
  readonly keys: readonly CatalogueColumn[];
}

/** A column whose values are bound as one `text[]`. */
export type BoundColumn = CatalogueColumn;

function list(parts: readonly string[]): string {
  return parts.join(', ');
}

function binds(from: number, count: number): string[] {
  return Array.from({ length: count }, (_, at) => `$${from + at}::text[]`);
}

/** `unnest` of `count` bound arrays as rows "!x"("0", "1", …, "n"); n numbers them from 1. */
function boundRows(from: number, count: number): string {
  const names = Array.from({ length: count }, (_, at) => quoteIdentifier(String(at)));
  return `unnest(${list(binds(from, count))}) with ordinality "!x"(${list([...names, '"n"'])})`;
}

function bound(at: number): string {
  return `"!x"."${at}"`;
}

/** The first of the bound arrays are the key of a row of `alias`. */
function sameKey(keys: readonly CatalogueColumn[], alias: string): string {
  return keys
    .map((key, at) => `${castKey(bound(at), key)} = ${alias}.${quoteIdentifier(key.name)}`)
    .join(' and ');
}

function keyList(keys: readonly CatalogueColumn[], alias = ''): string {
  return list(keys.map((key) => alias + quoteIdentifier(key.name)));
}

/** Condition: the row's key is among those bound from `$from` on. */
function amongKeys({ keys }: KeyedTable, from: number, alias = ''): string {
  const parts = list(keys.map((key, at) => castKey(bound(at), key)));
  return `(${keyList(keys, alias)}) in (select ${parts} from ${boundRows(from, keys.length)})`;
}

/** Locks the rows in the order of their keys; answers with the number of the bound key, and values as entries hold them. */
export function lockKeyed(
  target: KeyedTable,
  columns: readonly (EncodedColumn & { column: string })[],
): string {
  const value = (column: EncodedColumn & { column: string }): string =>
    `((${jsonOf(`"!r".${quoteIdentifier(column.column)}`, column)})::jsonb)::text`;
  const values = columns.length === 0 ? `array[]::text[]` : `array[${list(columns.map(value))}]`;
  return `select "!x"."n"::int as "n", ${values} as "values" from ${boundRows(1, target.keys.length)} join ${quoteTable(target.table)} "!r" on ${sameKey(target.keys, '"!r"')} order by ${keyList(target.keys, '"!r".')} for update of "!r"`;
}

/** One INSERT of all bound rows, as written: without the values that a GENERATED ALWAYS identity would put in their place. */
export function insertRows(
  table: TableName,
  columns: readonly BoundColumn[],
  keys: ReadonlySet<string>,
): string {
  const overriding = columns.some((each) => each.identity === 'always') ? ' overriding system value' : '';
  const values = columns.map((column, at) =>
    keys.has(column.name) ? castKey(bound(at), column) : castText(bound(at), column),
  );
  return `insert into ${quoteTable(table)} (${list(columns.map((each) => quoteIdentifier(each.name)))})${overriding} select ${list(values)} from ${boundRows(1, columns.length)}`;
}

/** What an undo sets by itself: when the row was last written, and the number that optimistic locks compare. */
export interface ManagedColumns {
  readonly updatedAt: CatalogueColumn | null;
  readonly version: CatalogueColumn | null;
}

/** One UPDATE of all bound rows: the arrays hold the parts of the key, then the new values; the last bind is the time. */
export function updateRows(
  target: KeyedTable,
  columns: readonly BoundColumn[],
  { updatedAt, version }: ManagedColumns,
): string {
  const own = quoteIdentifier(target.table.table);
  const count = target.keys.length + columns.length;
  const isKey = (column: BoundColumn): boolean => target.keys.some((key) => key.name === column.name);
  const values = columns.map((column, at) =>
    (isKey(column) ? castKey : castText)(bound(target.keys.length + at), column),
  );
  const row = `select ${list(values)} from ${boundRows(1, count)} where ${sameKey(target.keys, own)}`;
  const assigned = [`(${list(columns.map((each) => quoteIdentifier(each.name)))}) = (${row})`];
  if (updatedAt)
    assigned.push(`${quoteIdentifier(updatedAt.name)} = ${castText(`$${count + 1}::text`, updatedAt)}`);
  if (version)
    assigned.push(`${quoteIdentifier(version.name)} = ${own}.${quoteIdentifier(version.name)} + 1`);
  return `update ${quoteTable(target.table)} set ${list(assigned)} where ${amongKeys(target, 1)}`;
}

export function deleteKeyed(target: KeyedTable): string {
  return `delete from ${quoteTable(target.table)} where ${amongKeys(target, 1)}`;
}

/** Sets one column of one row to null, for as long as it is in another row's way. */
export function parkRow(target: KeyedTable, column: string): string {
  return `update ${quoteTable(target.table)} set ${quoteIdentifier(column)} = null where ${amongKeys(target, 1)}`;
}

/**
 * Counts the rows that refer to bound ones of the parent's, per number of the bound key.
 *
 * @param undone the child's own table, where rows of it are to be deleted too: their keys are bound after the parent's
 */
export function countChildren(parent: KeyedTable, reference: ForeignKey, undone: KeyedTable | null): string {
  const match = reference.childColumns.map(
    (column, at) =>
      `"!c".${quoteIdentifier(column)} = "!p".${quoteIdentifier(reference.parentColumns[at] ?? '')}`,
  );
  const others = undone ? ` where not (${amongKeysOf(undone, parent.keys.length + 1)})` : '';
  return `select "!x"."n"::int as "n", count(*)::int as "count" from ${boundRows(1, parent.keys.length)} join ${quoteTable(parent.table)} "!p" on ${sameKey(parent.keys, '"!p"')} join ${quoteTable(reference.child)} "!c" on ${match.join(' and ')}${others} group by 1 order by 1 limit 5`;
}

/** In a query that has bound rows already. */
function amongKeysOf(target: KeyedTable, from: number): string {
  return `(${keyList(target.keys, '"!c".')}) in (select ${list(target.keys.map((key, at) => castKey(bound(at), key)))} from ${boundRows(from, target.keys.length)})`;
}

const PAIRS = `(select coalesce(json_agg(json_build_array("!c"."key", nullif(("!c"."value"->0)::text, 'null'), nullif(("!c"."value"->1)::text, 'null'))), '[]')
  from jsonb_each(case jsonb_typeof("!e"."changes") when 'object' then "!e"."changes" else '{}' end) "!c" where jsonb_typeof("!c"."value") = 'array')`;
const LINKS = `(select coalesce(json_agg(json_build_object('association', "!c"."key", 'added', "!c"."value"->'added', 'removed', "!c"."value"->'removed')), '[]')
  from jsonb_each(case jsonb_typeof("!e"."changes") when 'object' then "!e"."changes" else '{}' end) "!c" where jsonb_typeof("!c"."value") = 'object' and "!c"."value"->>'type' = 'm2m')`;

/** Entries with their values as JSON texts, which JavaScript would round. */
function entries(log: TableName): string {
  const column = (name: string): string => `"!e".${quoteIdentifier(name)}`;
  return `select ${column('id')}::text as "id", ${column('model')} as "model", ${column('object_pk')} as "objectPk", ${column('object_repr')} as "objectRepr",
  ${column('action')} as "action", ${column('transaction_id')}::text as "transactionId", ${exactTimeSql(column('timestamp'))} as "at",
  ${column('additional_data')}->>'movedTo' as "movedTo", ${column('additional_data')}->>'movedFrom' as "movedFrom",
  ${PAIRS} as "values", ${LINKS} as "links" from ${quoteTable(log)} "!e"`;
}

const CAPTURED = `"!e"."action" in ('create', 'update', 'delete')`;

/** The entries whose column `by` is `$1`, oldest first. */
export function entriesBy(log: TableName, by: 'transaction_id' | 'correlation_id'): string {
  const type = by === 'transaction_id' ? 'bigint' : 'text';
  return `${entries(log)} where "!e".${quoteIdentifier(by)} = $1::${type} order by "!e"."id"`;
}

/** Entries of the objects `$1` (models), `$2` (keys) after their entries `$3`, and not in `$4`. */
export function laterEntries(log: TableName): string {
  const objects = `unnest($1::text[], $2::text[], $3::bigint[]) "!o"("model", "pk", "id")`;
  return `${entries(log)} join ${objects} on "!e"."model" = "!o"."model" and "!e"."object_pk" = "!o"."pk" and "!e"."id" > "!o"."id"
 where ${CAPTURED} and not ("!e"."id" = any ($4::bigint[])) order by "!e"."id"`;
}

/** When the objects `$1`, `$2` that were there before the entries `$3` came to be, by the numbers of `$1`. */
export function createdAt(log: TableName): string {
  const objects = `unnest($1::text[], $2::text[], $3::bigint[]) with ordinality "!o"("model", "pk", "id", "n")`;
  const of = `"!e"."model" = "!o"."model" and "!e"."object_pk" = "!o"."pk" and "!e"."id" <= "!o"."id"`;
  const first = `select "!e"."timestamp" from ${quoteTable(log)} "!e" where ${of} order by ("!e"."action" = 'create') desc, case when "!e"."action" = 'create' then -"!e"."id" else "!e"."id" end limit 1`;
  return `select "!o"."n"::int as "n", ${exactTimeSql('"!f"."timestamp"')} as "at" from ${objects} cross join lateral (${first}) "!f"`;
}

/** What the newest version of each bound key holds in `column`, as text, by the number of the key. */
export function newestVersions(history: KeyedTable, column: string): string {
  const value = `"!v".${quoteIdentifier(column)}`;
  const newest = `select ${value}::text as "at" from ${quoteTable(history.table)} "!v" where ${sameKey(history.keys, '"!v"')} order by "!v"."history_date" desc, "!v"."history_id" desc limit 1`;
  return `select "!x"."n"::int as "n", "!f"."at" from ${boundRows(1, history.keys.length)} cross join lateral (${newest}) "!f" where "!f"."at" is not null`;
}

/** The id of this transaction, and that of its newest entry so far. */
export function ownTransaction(log: TableName): string {
  const id = 'pg_current_xact_id()::text';
  return `select ${id} as "transactionId", coalesce(max("id"), 0)::text as "newest" from ${quoteTable(log)} where "transaction_id" = ${id}::bigint`;
}
