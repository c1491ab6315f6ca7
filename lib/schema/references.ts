import type { CatalogueQuery, ForeignKey } from './catalogue';
import { tableKey, type TableName } from './quote';

/** Tables in an order in which each comes behind those it refers to, as far as there is one: circles are cut somewhere. */
export function parentsFirst(tables: readonly TableName[], references: readonly ForeignKey[]): TableName[] {
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
