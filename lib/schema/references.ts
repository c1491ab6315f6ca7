import type { CatalogueQuery, ReferentialAction } from './catalogue';
import { tableKey, type TableName } from './quote';

/** One foreign key, whatever it does to children. */
export interface Reference {
  readonly name: string;
  readonly child: TableName;
  readonly childColumns: readonly string[];
  readonly parent: TableName;
  readonly parentColumns: readonly string[];
  readonly onDelete: ReferentialAction;
}

const NAMES = (side: string, columns: string): string =>
  `(select array_agg(a.attname::text order by k.n) from unnest(c.${columns}) with ordinality k(attnum, n)
     join pg_attribute a on a.attrelid = c.${side} and a.attnum = k.attnum)`;

/** Without the copies that PostgreSQL keeps per partition (`conparentid`). */
const REFERENCES_SQL = `
select c.conname::text as "name", c.confdeltype::text as "onDelete",
  json_build_object('schema', cn.nspname, 'table', ct.relname) as "child", ${NAMES('conrelid', 'conkey')} as "childColumns",
  json_build_object('schema', pn.nspname, 'table', pt.relname) as "parent", ${NAMES('confrelid', 'confkey')} as "parentColumns"
from pg_constraint c
join pg_class ct on ct.oid = c.conrelid join pg_namespace cn on cn.oid = ct.relnamespace
join pg_class pt on pt.oid = c.confrelid join pg_namespace pn on pn.oid = pt.relnamespace
where c.contype = 'f' and c.conparentid = 0
order by c.oid`;

/** Every foreign key of the database; tables always with their schema. */
export async function readReferences(query: CatalogueQuery): Promise<readonly Reference[]> {
  return (await query(REFERENCES_SQL, [])).rows as Reference[];
}

/** Tables in an order in which each comes behind those it refers to, as far as there is one: circles are cut somewhere. */
export function parentsFirst(tables: readonly TableName[], references: readonly Reference[]): TableName[] {
  const known = new Map(tables.map((table) => [tableKey(table), table]));
  const sorted = new Map<string, TableName>();
  const visit = (table: TableName, above: readonly string[]): void => {
    const key = tableKey(table);
    if (sorted.has(key) || above.includes(key)) return;
    for (const { child, parent } of references) {
      const next = known.get(tableKey(parent));
      if (next && tableKey(child) === key) visit(next, [...above, key]);
    }
    sorted.set(key, table);
  };
  for (const table of tables) visit(table, []);
  return [...sorted.values()];
}

const UNIQUE_SQL = `
select a.attname::text as "column" from pg_index x
join pg_class i on i.oid = x.indexrelid join pg_namespace n on n.oid = i.relnamespace
join pg_attribute a on a.attrelid = x.indrelid and a.attnum = any (x.indkey)
where i.relname = $1 and n.nspname = $2 and not a.attnotnull`;

/** The columns of an index that may be null. */
export async function nullableColumnsOf(
  query: CatalogueQuery,
  index: string,
  schema: string,
): Promise<readonly string[]> {
  const { rows } = await query(UNIQUE_SQL, [index, schema]);
  return (rows as { column: string }[]).map(({ column }) => column);
}

const DEFERRED_SQL = `
select n.nspname::text as "schema", c.conname::text as "table"
from pg_constraint c join pg_namespace n on n.oid = c.connamespace where c.condeferred and c.conparentid = 0 order by 1, 2`;

/** The constraints that are declared INITIALLY DEFERRED, by schema and name. */
export async function deferredConstraints(query: CatalogueQuery): Promise<readonly TableName[]> {
  return (await query(DEFERRED_SQL, [])).rows as TableName[];
}
