import { AuditError } from '../core/errors';
import { quoteTable, type TableName } from './quote';

/** Runs one statement with bound values: a `pg` client's `query`, or Sequelize's with binds. */
export type CatalogueQuery = (sql: string, values: unknown[]) => Promise<{ rows: readonly unknown[] }>;

/** One column as the database has it. */
export interface CatalogueColumn {
  readonly name: string;
  /** With modifiers, as `format_type` writes it: `numeric(10,2)`, `character varying(255)[]`. */
  readonly type: string;
  /** The type that holds the same values without a constraint, also of length: enums are `text`, domains the type below them. */
  readonly plainType: string;
  /** Internal name of the type behind domains: `int4`, `timestamptz`, `enum` for any enum; arrays end in `[]`. */
  readonly valueType: string;
  /** The default as SQL; null without one. */
  readonly defaultSql: string | null;
  readonly notNull: boolean;
  /** Computed by the database from other columns. */
  readonly generated: boolean;
  /** `always` refuses given values unless the statement overrides it. */
  readonly identity: 'always' | 'default' | null;
}

/** What the catalogue says about one table. */
export interface TableInfo {
  readonly schema: string;
  readonly table: string;
  /** `r` table, `p` partitioned, `v` view, `m` materialised view, `f` foreign table. */
  readonly kind: string;
  /** Whether other tables inherit from this one, whose rows a statement reaches too: no key is unique among them all. */
  readonly hasHeirs: boolean;
  /** Rewrite rules make a statement something else than it says. */
  readonly hasRules: boolean;
  readonly hasRowSecurity: boolean;
  /** Whether it applies to the role of this connection: an owner, say, is exempt. */
  readonly isRowSecurityActive: boolean;
  /** False for views that only triggers write: PostgreSQL locks no rows through a grouping one. */
  readonly isLockable: boolean;
  /** Whether triggers may give a row that is updated another key than the statement says. */
  readonly rewritesUpdates: boolean;
  /** The type of its rows as SQL, with its schema where the search path finds another type: a table may be called `path`. */
  readonly rowType: string;
  /** In table order. */
  readonly columns: readonly CatalogueColumn[];
  /** In key order. */
  readonly primaryKey: readonly string[];
  /** Sets of columns of which each row has its own values, none of them null: the primary key and the like. */
  readonly uniqueKeys: readonly (readonly string[])[];
  /** Names of the valid indexes. */
  readonly indexes: readonly string[];
  /** Names of those that PostgreSQL doesn't use: `create index concurrently` failed, or is at work. */
  readonly invalidIndexes: readonly string[];
  /** `u` is emptied after a crash, `t` is gone with its session. */
  readonly persistence: 'p' | 'u' | 't';
}

/** A table as another one refers to it. */
export interface CatalogueTable {
  readonly schema: string;
  readonly table: string;
  /** Whether the search path finds it without its schema. */
  readonly visible: boolean;
}

/** PostgreSQL's letters: no action, restrict, cascade, set null, set default. */
export type ReferentialAction = 'a' | 'r' | 'c' | 'n' | 'd';

export interface ForeignKey {
  readonly name: string;
  readonly child: CatalogueTable;
  readonly childColumns: readonly string[];
  readonly parent: CatalogueTable;
  readonly parentColumns: readonly string[];
  /** Internal names of the columns' types, `enum` for any enum. */
  readonly parentTypes: readonly string[];
  readonly onDelete: ReferentialAction;
  /** The columns that SET NULL or SET DEFAULT on delete changes: all of the key unless it names some. */
  readonly onDeleteColumns: readonly string[];
  readonly onUpdate: ReferentialAction;
  /** Whether triggers may keep a parent that is deleted. */
  readonly mayKeepParent: boolean;
  /** Whether triggers may make something else of what it does to its children. */
  readonly mayAlterChild: boolean;
}

/** PostgreSQL 15. */
export const OLDEST_SERVER_VERSION = 150_000;

/** `server_version_num`, such as 180004 for 18.4. */
export async function serverVersion(query: CatalogueQuery): Promise<number> {
  const { rows } = await query(`select current_setting('server_version_num')::int as "version"`, []);
  return (rows[0] as { version: number }).version;
}

/** @throws {AuditError} ERR_AUDIT_SERVER_VERSION when the server is older than PostgreSQL 15. */
export async function checkServerVersion(query: CatalogueQuery): Promise<number> {
  const version = await serverVersion(query);
  if (version >= OLDEST_SERVER_VERSION) return version;
  const seen = `${Math.floor(version / 10_000)}.${version % 10_000}`;
  const message = `The server is PostgreSQL ${seen}, but auditing needs 15 or later. Upgrade the server.`;
  throw new AuditError('ERR_AUDIT_SERVER_VERSION', message);
}

/** Of `pg_trigger.tgtype`: for each row, before, update. */
const ROW_BEFORE_UPDATE = 1 + 2 + 16;
const ROW_BEFORE_DELETE = 1 + 2 + 8;

const TABLE_SQL = `
select c.oid::text as "oid", n.nspname::text as "schema", c.relname::text as "table", c.relkind::text as "kind",
  c.relpersistence::text as "persistence",
  c.relrowsecurity as "hasRowSecurity", row_security_active(c.oid) as "isRowSecurityActive", c.reltype::regtype::text as "rowType",
  c.relkind <> 'v' or pg_relation_is_updatable(c.oid, false) & 4 = 4 as "isLockable",
  c.relkind = 'v' or exists (select from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal and t.tgenabled <> 'D'
    and t.tgtype & ${ROW_BEFORE_UPDATE} = ${ROW_BEFORE_UPDATE}) as "rewritesUpdates",
  c.relkind = 'r' and exists (select from pg_inherits h where h.inhparent = c.oid) as "hasHeirs",
  exists (select from pg_rewrite r where r.ev_class = c.oid and r.ev_enabled <> 'D' and r.rulename <> '_RETURN') as "hasRules"
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.oid = to_regclass($1) and c.relkind in ('r', 'p', 'v', 'm', 'f')`;

/** The type under a type, through domains over domains. */
function withoutDomains(type: string): string {
  return `
with recursive below(oid) as (
  select ${type}
  union all select d.typbasetype from below join pg_type d on d.oid = below.oid where d.typtype = 'd'
)
select y.* from below join pg_type y on y.oid = below.oid where y.typtype <> 'd'`;
}

/** Joined are `b`, the column's type, and `v`, the type of an array's elements or else `b` again. */
const COLUMNS_SQL = `
select a.attname::text as "name", format_type(a.atttypid, a.atttypmod) as "type", a.attnotnull as "notNull",
  case
    when v.typtype = 'e' then case when v.oid = b.oid then 'text' else 'text[]' end
    else format_type(b.oid, -1)
  end as "plainType",
  case v.typtype when 'e' then 'enum' else v.typname::text end || case when b.typcategory = 'A' then '[]' else '' end as "valueType",
  pg_get_expr(d.adbin, d.adrelid) as "defaultSql",
  a.attgenerated <> '' as "generated",
  case a.attidentity when 'a' then 'always' when 'd' then 'default' end as "identity",
  array_position(k.conkey, a.attnum) as "keyPosition"
from pg_attribute a
cross join lateral (${withoutDomains('a.atttypid')}) b
cross join lateral (${withoutDomains(`case when b.typcategory = 'A' and b.typelem <> 0 then b.typelem else b.oid end`)}) v
left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum and a.attgenerated = ''
left join pg_constraint k on k.conrelid = a.attrelid and k.contype = 'p'
where a.attrelid = $1::oid and a.attnum > 0 and not a.attisdropped
order by a.attnum`;

const INDEXES_SQL = `
select i.relname::text as "name", x.indisvalid as "isValid" from pg_index x join pg_class i on i.oid = x.indexrelid
where x.indrelid = $1::oid order by 1`;

const UNIQUE_KEYS_SQL = `
select array_agg(a.attname::text) as "columns"
from pg_index x join pg_attribute a on a.attrelid = x.indrelid and a.attnum = any (x.indkey[0:x.indnkeyatts - 1])
where x.indrelid = $1::oid and x.indisunique and x.indisvalid and x.indpred is null and x.indexprs is null
group by x.indexrelid, x.indnkeyatts having bool_and(a.attnotnull) and count(*) = x.indnkeyatts`;

interface TableRow extends Omit<
  TableInfo,
  'columns' | 'primaryKey' | 'uniqueKeys' | 'indexes' | 'invalidIndexes'
> {
  readonly oid: string;
}

interface ColumnRow extends CatalogueColumn {
  readonly keyPosition: number | null;
}

/**
 * What the catalogue says about a table; null when there is none. A table without schema is found by the search path of the
 * connection that `query` uses.
 */
export async function readTable(query: CatalogueQuery, table: TableName): Promise<TableInfo | null> {
  const found = (await query(TABLE_SQL, [quoteTable(table)])).rows[0] as TableRow | undefined;
  if (!found) return null;
  const { oid, ...info } = found;
  const rows = (await query(COLUMNS_SQL, [oid])).rows as ColumnRow[];
  const indexes = (await query(INDEXES_SQL, [oid])).rows as { name: string; isValid: boolean }[];
  const uniqueKeys = (await query(UNIQUE_KEYS_SQL, [oid])).rows as { columns: string[] }[];
  return {
    ...info,
    columns: rows.map(columnOf),
    primaryKey: primaryKeyOf(rows),
    uniqueKeys: uniqueKeys.map(({ columns }) => columns),
    indexes: indexes.filter(({ isValid }) => isValid).map(({ name }) => name),
    invalidIndexes: indexes.filter(({ isValid }) => !isValid).map(({ name }) => name),
  };
}

function columnOf({ keyPosition, ...column }: ColumnRow): CatalogueColumn {
  void keyPosition;
  return column;
}

function primaryKeyOf(rows: readonly ColumnRow[]): string[] {
  const keys = rows.filter((row) => row.keyPosition !== null);
  return keys.toSorted((a, b) => Number(a.keyPosition) - Number(b.keyPosition)).map((row) => row.name);
}

/** Without the copies that PostgreSQL keeps per partition (`conparentid`). */
const FOREIGN_KEYS_SQL = `
select c.conname::text as "name",
  cn.nspname::text as "childSchema", ct.relname::text as "childTable", pg_table_is_visible(ct.oid) as "childVisible",
  pn.nspname::text as "parentSchema", pt.relname::text as "parentTable", pg_table_is_visible(pt.oid) as "parentVisible",
  (select array_agg(a.attname::text order by k.n) from unnest(c.conkey) with ordinality k(attnum, n)
     join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.attnum) as "childColumns",
  (select array_agg(a.attname::text order by k.n) from unnest(c.confkey) with ordinality k(attnum, n)
     join pg_attribute a on a.attrelid = c.confrelid and a.attnum = k.attnum) as "parentColumns",
  (select array_agg(case y.typtype when 'e' then 'enum' else y.typname::text end order by k.n)
     from unnest(c.confkey) with ordinality k(attnum, n)
     join pg_attribute a on a.attrelid = c.confrelid and a.attnum = k.attnum
     join pg_type y on y.oid = a.atttypid) as "parentTypes",
  (select array_agg(a.attname::text) from pg_attribute a
     where a.attrelid = c.conrelid and a.attnum = any (coalesce(c.confdelsetcols, c.conkey))) as "onDeleteColumns",
  c.confdeltype::text as "onDelete", c.confupdtype::text as "onUpdate",
  exists (select from pg_trigger t where t.tgrelid = c.confrelid and not t.tgisinternal and t.tgenabled <> 'D'
    and t.tgtype & ${ROW_BEFORE_DELETE} = ${ROW_BEFORE_DELETE}) as "mayKeepParent",
  exists (select from pg_trigger t where t.tgrelid = c.conrelid and not t.tgisinternal and t.tgenabled <> 'D'
    and (t.tgtype & ${ROW_BEFORE_DELETE} = ${ROW_BEFORE_DELETE} or t.tgtype & ${ROW_BEFORE_UPDATE} = ${ROW_BEFORE_UPDATE})) as "mayAlterChild"
from pg_constraint c
join pg_class ct on ct.oid = c.conrelid join pg_namespace cn on cn.oid = ct.relnamespace
join pg_class pt on pt.oid = c.confrelid join pg_namespace pn on pn.oid = pt.relnamespace
where c.contype = 'f' and c.conparentid = 0
  and ($1 or c.confdeltype in ('c', 'n', 'd') or c.confupdtype in ('c', 'n', 'd'))
order by c.oid`;

interface ForeignKeyRow extends Pick<
  ForeignKey,
  | 'name'
  | 'childColumns'
  | 'parentColumns'
  | 'parentTypes'
  | 'onDelete'
  | 'onDeleteColumns'
  | 'onUpdate'
  | 'mayKeepParent'
  | 'mayAlterChild'
> {
  readonly childSchema: string;
  readonly childTable: string;
  readonly childVisible: boolean;
  readonly parentSchema: string;
  readonly parentTable: string;
  readonly parentVisible: boolean;
}

/** Every foreign key of the database by which a delete or an update of the parent changes children, or simply every one. */
export async function readForeignKeys(
  query: CatalogueQuery,
  which: 'changing' | 'all' = 'changing',
): Promise<ForeignKey[]> {
  const { rows } = await query(FOREIGN_KEYS_SQL, [which === 'all']);
  return (rows as ForeignKeyRow[]).map((row) => ({
    name: row.name,
    child: { schema: row.childSchema, table: row.childTable, visible: row.childVisible },
    childColumns: row.childColumns,
    parent: { schema: row.parentSchema, table: row.parentTable, visible: row.parentVisible },
    parentColumns: row.parentColumns,
    parentTypes: row.parentTypes,
    onDelete: row.onDelete,
    onDeleteColumns: row.onDeleteColumns,
    onUpdate: row.onUpdate,
    mayKeepParent: row.mayKeepParent,
    mayAlterChild: row.mayAlterChild,
  }));
}

/** The schema in which the search path of the connection that `query` uses finds a table. */
export async function visibleSchema(query: CatalogueQuery, table: string): Promise<string | null> {
  const sql = `select n.nspname::text as "schema" from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = to_regclass($1)`;
  const { rows } = await query(sql, [quoteTable({ schema: null, table })]);
  return (rows[0] as { schema: string } | undefined)?.schema ?? null;
}

export async function schemaExists(query: CatalogueQuery, schema: string): Promise<boolean> {
  const { rows } = await query('select 1 as "found" from pg_namespace where nspname = $1', [schema]);
  return rows.length > 0;
}

const TRUNCATED_SQL = `
with recursive emptied(oid) as (
  select to_regclass($1)::oid
  union select c.conrelid from pg_constraint c join emptied on c.confrelid = emptied.oid where c.contype = 'f'
)
select n.nspname::text as "schema", c.relname::text as "table", pg_table_is_visible(c.oid) as "visible"
from emptied join pg_class c on c.oid = emptied.oid join pg_namespace n on n.oid = c.relnamespace`;

/** The tables that TRUNCATE … CASCADE empties: the table and, at any depth, all that refer to it. */
export async function readTruncated(query: CatalogueQuery, table: TableName): Promise<CatalogueTable[]> {
  const { rows } = await query(TRUNCATED_SQL, [quoteTable(table)]);
  return rows as CatalogueTable[];
}

/** What the role of the connection may do with a table, by grants on the table or on each of its columns. */
export interface TablePrivileges {
  readonly canInsert: boolean;
  readonly canSelect: boolean;
  /** Sequences of the table's columns that the role may not draw from. */
  readonly closedSequences: readonly string[];
}

function mayEveryColumn(privilege: 'INSERT' | 'SELECT'): string {
  return `coalesce((select bool_and(has_column_privilege(c.oid, a.attnum, '${privilege}')) from pg_attribute a
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped), true)`;
}

const PRIVILEGES_SQL = `
select ${mayEveryColumn('INSERT')} as "canInsert", ${mayEveryColumn('SELECT')} as "canSelect",
  array(select s.relname::text from pg_depend d join pg_class s on s.oid = d.objid
    where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass and d.refobjid = c.oid
      and d.deptype in ('a', 'i')
      and case s.relkind when 'S' then not has_sequence_privilege(s.oid, 'USAGE') else false end) as "closedSequences"
from pg_class c where c.oid = to_regclass($1)`;

/** Null when there is no such table. */
export async function readPrivileges(
  query: CatalogueQuery,
  table: TableName,
): Promise<TablePrivileges | null> {
  const { rows } = await query(PRIVILEGES_SQL, [quoteTable(table)]);
  return (rows[0] as TablePrivileges | undefined) ?? null;
}
