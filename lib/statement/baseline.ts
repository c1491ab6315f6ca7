import { quoteIdentifier, quoteTable, type TableName } from '../schema/quote';
import { versionValue } from './delta';
import { behind, keyList, lastOf, pageKey, type KeyColumn } from './key-pages';
import type { ModelPlan, PlannedColumn } from './plan';

/** A table whose rows are to get a first version where they have none. */
export interface BaselineSource {
  readonly plan: ModelPlan;
  readonly history: TableName;
  /** In key order, with the types of the table. */
  readonly keys: readonly KeyColumn[];
}

const ROW = '"!r"';

const image = ({ column }: PlannedColumn): string => `${ROW}.${quoteIdentifier(column)}`;

/** A history keeps enums as text, so a row's key is compared as its version would hold it. */
function hasNoVersion({ plan, history }: BaselineSource): string {
  const same = plan.keys.map((key) => `"!h".${quoteIdentifier(key.column)} = ${versionValue(key, image)}`);
  return `not exists (select from ${quoteTable(history)} "!h" where ${same.join(' and ')})`;
}

/** How many rows have no version, as `total`. */
export function countUnversioned(source: BaselineSource): string {
  return `select count(*)::int as "total" from ${quoteTable(source.plan.table)} ${ROW} where ${hasNoVersion(source)}`;
}

/**
 * Locks a page of rows without a version, in key order: `seen` of them, up to the key `last`, of which `locked` are the keys
 * that are locked now, one array of texts for each column. Binds: the parts of the key after which the page begins where
 * `isBehind`, then its size.
 *
 * @param waits whether rows that others have locked are waited for or left out
 */
export function lockUnversioned(source: BaselineSource, isBehind: boolean, waits: boolean): string {
  const { plan, keys } = source;
  const table = quoteTable(plan.table);
  const order = keyList(keys, ROW);
  const columns = keys.map(({ column }, at) => `${ROW}.${quoteIdentifier(column)} as ${pageKey(at)}`);
  const from = isBehind ? `${behind(keys, ROW)} and ` : '';
  const limit = `$${isBehind ? keys.length + 1 : 1}::int`;
  const page = `select ${columns.join(', ')} from ${table} ${ROW} where ${from}${hasNoVersion(source)} order by ${order} limit ${limit}`;
  const same = keys.map(({ column }, at) => `${ROW}.${quoteIdentifier(column)} = "!b".${pageKey(at)}`);
  const lock = `for no key update of ${ROW}${waits ? '' : ' skip locked'}`;
  const rows = `select "!b".* from "!b" join ${table} ${ROW} on ${same.join(' and ')} order by ${order} ${lock}`;
  const locked = keys.map((_, at) => `coalesce(array_agg(${pageKey(at)}::text), '{}') as ${pageKey(at)}`);
  return `with "!b" as materialized (${page}) select (select count(*)::int from "!b") as "seen", ${lastOf(keys, '"!b"')} as "last", ${locked.join(', ')} from (${rows}) "!l"`;
}

/**
 * Writes a first version of each locked row, in a statement of its own: only its snapshot holds what was committed while the
 * rows were being locked. Binds: an array of texts for each column of the key. Answers with their number as `written`.
 */
export function insertBaselines(source: BaselineSource): string {
  const { plan, history, keys } = source;
  const columns = plan.columns.filter((column) => column.inVersion);
  const names = [...columns.map(({ column }) => column), 'history_date', 'history_type'];
  const values = [
    ...columns.map((column) => versionValue(column, image)),
    '(select clock_timestamp())',
    `'+'`,
  ];
  const locked = keys.map(({ type }, at) => `$${at + 1}::text[]::${type}[]`).join(', ');
  const where = `(${keyList(keys, ROW)}) in (select * from unnest(${locked})) and ${hasNoVersion(source)}`;
  const rows = `select ${values.join(', ')} from ${quoteTable(plan.table)} ${ROW} where ${where} order by ${keyList(keys, ROW)}`;
  const insert = `insert into ${quoteTable(history)} (${names.map(quoteIdentifier).join(', ')}) ${rows} returning 1`;
  return `with "!v" as (${insert}) select count(*)::int as "written" from "!v"`;
}
