import type { Client, QueryResult } from 'pg';
import type { TableName } from './subjects';
import type { PgType } from './values';

/** A row as PostgreSQL writes it: texts and nulls by column. */
export type Row = Readonly<Record<string, string | null>>;

export interface TableImage {
  readonly types: ReadonlyMap<string, PgType>;
  readonly rows: readonly Row[];
}

/** Every table at one moment, by its quoted name. */
export type DatabaseImage = ReadonlyMap<string, TableImage>;

/** What can send a statement: the test's own connection, or the one a transaction works on. */
export type Connection = Pick<Client, 'query'>;

export function quoted({ schema, table }: TableName): string {
  return `"${schema}"."${table}"`;
}

const AS_TEXT = { getTypeParser: () => (text: string) => text } as never;

/** Types by oid, enums and domains by the names of what they hold. */
export type TypesByOid = ReadonlyMap<number, PgType>;

interface TypeRow {
  readonly oid: number;
  readonly name: string;
  readonly element: number;
}

const TYPES_SQL = `
  select oid::int4 as "oid", typname::text as "name",
    case when typcategory = 'A' then typelem::int4 else 0 end as "element"
  from pg_type`;

export async function readTypes(connection: Connection): Promise<TypesByOid> {
  const { rows } = await connection.query<TypeRow>(TYPES_SQL);
  const names = new Map(rows.map((row) => [row.oid, row.name]));
  const element = (oid: number): PgType | null =>
    oid === 0 ? null : { name: names.get(oid) ?? '', element: null };
  return new Map(rows.map((row) => [row.oid, { name: row.name, element: element(row.element) }]));
}

/** Reads all tables in one round trip, every value as the text that PostgreSQL itself writes. */
export async function readImage(
  connection: Connection,
  tables: readonly TableName[],
  types: TypesByOid,
): Promise<DatabaseImage> {
  const text = tables.map((table) => `select * from ${quoted(table)}`).join('; ');
  const results = (await connection.query({ text, types: AS_TEXT })) as unknown as QueryResult<Row>[];
  return new Map(tables.map((table, at) => [quoted(table), imageOf(results[at] as QueryResult<Row>, types)]));
}

function imageOf({ fields, rows }: QueryResult<Row>, types: TypesByOid): TableImage {
  const unknownType: PgType = { name: 'unknown', element: null };
  return {
    types: new Map(fields.map((field) => [field.name, types.get(field.dataTypeID) ?? unknownType])),
    rows,
  };
}
