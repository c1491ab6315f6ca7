import type { TableInfo } from '../schema/catalogue';
import { exactTimeSql } from '../schema/exact-time';
import { HISTORY_COLUMNS } from '../schema/history-table';
import { fitName } from '../schema/index-name';
import { addColumns, LOG_COLUMNS, logIndexes, type IndexDefinition } from '../schema/log-table';
import { quoteIdentifier, quoteLiteral, quoteTable, type TableName } from '../schema/quote';

/**
 * Run at the beginning of a transaction that reads lines of an archive, or reads them back: what PostgreSQL writes a value as,
 * and how it reads it, depends on these.
 */
export const ARCHIVE_SETTINGS = `select ${Object.entries({
  TimeZone: 'UTC',
  DateStyle: 'ISO, YMD',
  IntervalStyle: 'postgres',
  extra_float_digits: '3',
  bytea_output: 'hex',
  lc_monetary: 'C',
  xmloption: 'content',
})
  .map(([name, value]) => `set_config(${quoteLiteral(name)}, ${quoteLiteral(value)}, true)`)
  .join(', ')}`;

function qualified(column: string, from: string | undefined): string {
  return from === undefined ? quoteIdentifier(column) : `${from}.${quoteIdentifier(column)}`;
}

/** By the output function of the type, as COPY writes it: any type, an application's own too, is read back from that. */
function exactText(value: string): string {
  return `case when num_nulls(${value}) = 0 then concat(${value}) end`;
}

/**
 * SQL: a version as one line of JSON: its own columns by their attributes, those of the row by their columns, as texts that give
 * the very values back.
 *
 * @param columns names of the columns of the history table beside those that every one has
 */
export function versionLine(columns: readonly string[], from?: string): string {
  const members = HISTORY_COLUMNS.map(({ attribute, column, type }, at) => {
    const value = qualified(column, from);
    const text = type === 'timestamptz' ? exactTimeSql(value) : `${value}::text`;
    return `'${at === 0 ? '{' : ','}"${attribute}":', coalesce(to_json(${text}), 'null'::json)`;
  });
  const names = columns.map(quoteLiteral).join(', ');
  const texts = columns.map((column) => exactText(qualified(column, from))).join(', ');
  return `concat(${members.join(', ')}, ',"columns":', json_object(array[${names}]::text[], array[${texts}]::text[]), '}')`;
}

/** A column of a side table, and what in a line its value is. */
interface RestoredColumn {
  readonly column: string;
  readonly type: string;
  /** SQL over the line's members. */
  readonly value: string;
}

/** A table that lines of an archive are read back into. */
export interface RestoredTable {
  readonly table: TableName;
  /** The first one is the key. */
  readonly columns: readonly RestoredColumn[];
  /** The members of a line, as `json_to_recordset` is told of them. */
  readonly members: string;
  readonly indexes: readonly IndexDefinition[];
}

function member(attribute: string): string {
  return `"!l".${quoteIdentifier(attribute)}`;
}

function membersOf(columns: readonly { readonly attribute: string; readonly type: string }[]): string {
  return columns.map(({ attribute, type }) => `${quoteIdentifier(attribute)} ${type}`).join(', ');
}

/** A side table for entries: with the columns of the log and its indexes, so that all finders work. */
export function restoredEntries(table: TableName): RestoredTable {
  const columns = LOG_COLUMNS.map(({ attribute, column, type }) => ({
    column,
    type,
    value: member(attribute),
  }));
  return { table, columns, members: membersOf(LOG_COLUMNS), indexes: logIndexes(table) };
}

/**
 * A side table for the versions of one model.
 *
 * @param columns with types as PostgreSQL itself writes them
 * @param keys columns of the model's key
 */
export function restoredVersions(
  table: TableName,
  columns: readonly { readonly name: string; readonly type: string }[],
  keys: readonly string[],
): RestoredTable {
  const own = HISTORY_COLUMNS.map(({ attribute, column, type }) => ({
    column,
    type,
    value: member(attribute),
  }));
  const rows = columns.map(({ name, type }) => ({
    column: name,
    type,
    value: `(${member('columns')} ->> ${quoteLiteral(name)})::${type}`,
  }));
  const object = [...keys, 'history_id'].map(quoteIdentifier).join(', ');
  const index = { name: fitName(`${table.table}_object`), definition: `(${object})` };
  const members = `${membersOf(HISTORY_COLUMNS)}, "columns" jsonb`;
  return { table, columns: [...own, ...rows], members, indexes: keys.length === 0 ? [] : [index] };
}

/** The statements that create a side table, or complete one that an earlier archive was read back into. */
export function createRestoredTable(
  { table, columns }: RestoredTable,
  existing: TableInfo | null,
  comment: string,
): string[] {
  const definitions = columns.map(({ column, type }, at) => ({
    column,
    definition: at === 0 ? `${type} primary key` : type,
  }));
  if (existing) return addColumns(table, definitions, existing);
  const lines = definitions.map(({ column, definition }) => `${quoteIdentifier(column)} ${definition}`);
  return [
    `create table ${quoteTable(table)} (${lines.join(', ')})`,
    `comment on table ${quoteTable(table)} is ${quoteLiteral(comment)}`,
  ];
}

/** SQL: the comment of the table whose quoted name is the bind, as `comment`. */
export const TABLE_COMMENT = `select obj_description(to_regclass($1), 'pg_class') as "comment"`;

/** SQL: the type that the bind names, as `type`: without a length, as PostgreSQL writes it; null where it is not known. */
export const KNOWN_TYPE = `select format_type(to_regtype($1), -1) as "type"`;

/** SQL: the lines of the bind, the JSON text of an array of them. */
function givenLines({ members }: RestoredTable): string {
  return `json_to_recordset($1::json) as "!l"(${members})`;
}

/** Inserts lines; what is there already stays as it is. Answers how many were new, as `count`. */
export function insertLines(to: RestoredTable): string {
  const { table, columns } = to;
  const names = columns.map(({ column }) => quoteIdentifier(column)).join(', ');
  const values = columns.map(({ value }) => value).join(', ');
  const insert = `insert into ${quoteTable(table)} (${names}) select ${values} from ${givenLines(to)} on conflict do nothing returning 1`;
  return `with "!i" as (${insert}) select count(*)::int as "count" from "!i"`;
}

/** SELECT of a row that is there under the id of a line but is of another time, as `id`: two logs have given one id. */
export function strangeRow(to: RestoredTable): string {
  const [id, time] = to.columns;
  const row = (column: RestoredColumn): string => `t.${quoteIdentifier(column.column)}`;
  return `select ${row(id!)}::text as "id" from ${givenLines(to)} join ${quoteTable(to.table)} t on ${row(id!)} = ${id!.value} where ${row(time!)} is distinct from ${time!.value} limit 1`;
}
