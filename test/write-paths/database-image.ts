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
type TypesByOid = ReadonlyMap<number, PgType>;

interface TypeRow {
  readonly oid: number;
  readonly name: string;
  readonly element: number;
}

const TYPES_SQL = `
  select oid::int4 as "oid", typname::text as "name",
    case when typcategory = 'A' then typelem::int4 else 0 end as "element"
  from pg_type`;

async function readTypes(connection: Connection): Promise<TypesByOid> {
  const { rows } = await connection.query<TypeRow>(TYPES_SQL);
  const names = new Map(rows.map((row) => [row.oid, row.name]));
  const element = (oid: number): PgType | null =>
    oid === 0 ? null : { name: names.get(oid) ?? '', element: null };
  return new Map(rows.map((row) => [row.oid, { name: row.name, element: element(row.element) }]));
}

/** Reads tables of which most are empty: first which are not, then those. */
export class ImageReader {
  readonly #tables: readonly TableName[];
  readonly #filled: { readonly name: string; readonly text: string };
  /** The types of each table's columns, and no rows. */
  #empty: DatabaseImage = new Map();
  #types: TypesByOid = new Map();

  constructor(tables: readonly TableName[]) {
    this.#tables = tables;
    const each = tables.map((table) => `exists (select from ${quoted(table)})`);
    this.#filled = { name: 'filled_tables', text: `select array[${each.join(', ')}] as "filled"` };
  }

  async open(connection: Connection): Promise<void> {
    this.#types = await readTypes(connection);
    this.#empty = await this.#readAll(connection, this.#tables);
  }

  async filled(connection: Connection): Promise<readonly TableName[]> {
    const { rows } = await connection.query<{ filled: boolean[] }>(this.#filled);
    return this.#tables.filter((_table, at) => rows[0]?.filled[at]);
  }

  async read(connection: Connection): Promise<DatabaseImage> {
    return new Map([...this.#empty, ...(await this.#readAll(connection, await this.filled(connection)))]);
  }

  /** In one round trip, every value as the text that PostgreSQL itself writes. */
  async #readAll(connection: Connection, tables: readonly TableName[]): Promise<DatabaseImage> {
    const text = tables.map((table) => `select * from ${quoted(table)}`).join('; ');
    if (text === '') return new Map();
    // Of several statements pg gives an array of results.
    const results = [(await connection.query({ text, types: AS_TEXT })) as QueryResult<Row>].flat();
    return new Map(
      results.map((result, at) => [quoted(tables[at] as TableName), imageOf(result, this.#types)]),
    );
  }
}

function imageOf({ fields, rows }: QueryResult<Row>, types: TypesByOid): TableImage {
  const unknownType: PgType = { name: 'unknown', element: null };
  return {
    types: new Map(fields.map((field) => [field.name, types.get(field.dataTypeID) ?? unknownType])),
    rows,
  };
}
