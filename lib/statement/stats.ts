import { LOG_COLUMNS } from '../schema/log-table';
import { quoteIdentifier, quoteLiteral, quoteTable, type TableName } from '../schema/quote';

/** What a row of the log takes besides its texts and documents: header, numbers, time and pointer. */
const ROW_OVERHEAD = 64;
const SIZED_TYPES = ['text', 'jsonb'];

function regclass(table: TableName): string {
  return `to_regclass(${quoteLiteral(quoteTable(table))})`;
}

/** SQL: bytes on disk, indexes and values kept outside of rows included; a partitioned table has them in its partitions. */
function sizeSql(table: TableName): string {
  const partitions = `select sum(pg_total_relation_size("relid")) from pg_partition_tree(${regclass(table)})`;
  return `greatest(pg_total_relation_size(${regclass(table)}), (${partitions}))`;
}

/** SQL: which of `tables` are there, by what they are called here, as `"name"`. */
export function presentTables(tables: ReadonlyMap<string, TableName>): string {
  const each = ([name, table]: [string, TableName]): string =>
    `select ${quoteLiteral(name)} as "name" where ${regclass(table)} is not null`;
  return [...tables].map(each).join(' union all ');
}

/**
 * SQL: what the row of an entry weighs. Column by column, since the size of a whole row would fetch the documents that
 * PostgreSQL keeps outside of it.
 */
function weightSql(): string {
  const sized = LOG_COLUMNS.filter(({ type }) => SIZED_TYPES.includes(type));
  const sizes = sized.map(({ column }) => `coalesce(pg_column_size(${quoteIdentifier(column)}), 0)`);
  return [ROW_OVERHEAD, ...sizes].join(' + ');
}

/** SQL: entries and their time by model, and each model's share of the table by the weight of its rows. */
function entriesSql(log: TableName): string {
  const perModel = `select "model", count(*) as "entries", sum(${weightSql()}) as "weight", min("timestamp") as "oldest", max("timestamp") as "newest" from ${quoteTable(log)} group by "model"`;
  const bytes = `${sizeSql(log)} * "weight" / sum("weight") over ()`;
  return `select "model", "entries", 0 as "versions", round(${bytes}) as "bytes", "oldest", "newest" from (${perModel}) "!m"`;
}

/** SQL: versions of one model and their time. */
function versionsSql(model: string, history: TableName): string {
  return `select ${quoteLiteral(model)}, 0, count(*), ${sizeSql(history)}, min("history_date"), max("history_date") from ${quoteTable(history)}`;
}

/** SQL: one row per model that has entries, or a history table. Reads the log and every history once. */
export function statsSql(log: TableName, histories: ReadonlyMap<string, TableName>): string {
  const parts = [
    entriesSql(log),
    ...[...histories].map(([model, history]) => versionsSql(model, history)),
  ].join(' union all ');
  const sums = ['entries', 'versions', 'bytes'].map((name) => `sum("${name}")::float8 as "${name}"`);
  return `select "model", ${sums.join(', ')}, min("oldest") as "oldest", max("newest") as "newest" from (${parts}) "!s" group by "model" order by "model"`;
}
