import type { CatalogueColumn } from '../schema/catalogue';
import { quoteIdentifier, quoteTable, type TableName } from '../schema/quote';
import { castKey, castText } from './undo-values';
import type { KeyedTable } from './undo-sql';

/** The tables of one belongsToMany association. */
export interface LinkTables {
  readonly owner: KeyedTable;
  readonly ownerColumn: string;
  readonly target: KeyedTable;
  readonly targetColumn: string;
  readonly through: TableName;
  readonly ownerLink: string;
  readonly targetLink: string;
  /** What makes a row one of this association. */
  readonly scope: readonly (CatalogueColumn & { readonly value: string })[];
  /** Timestamps that Sequelize sets. */
  readonly stamps: readonly CatalogueColumn[];
  readonly deletedAt: CatalogueColumn | null;
}

function keyCount({ owner, target }: LinkTables): number {
  return owner.keys.length + target.keys.length;
}

function match(keys: readonly CatalogueColumn[], from: number, alias: string): string {
  return keys
    .map((key, at) => `${castKey(`"!x"."${from + at}"`, key)} = ${alias}.${quoteIdentifier(key.name)}`)
    .join(' and ');
}

/** The ends of the bound pairs: their keys are bound as one `text[]` per part, the owner's first. */
function pairs(tables: LinkTables): string {
  const { owner, target } = tables;
  const places = Array.from({ length: keyCount(tables) }, (_, at) => at);
  const rows = `unnest(${places.map((at) => `$${at + 1}::text[]`).join(', ')}) "!x"(${places.map((at) => `"${at}"`).join(', ')})`;
  const joined = `join ${quoteTable(owner.table)} "!o" on ${match(owner.keys, 0, '"!o"')} join ${quoteTable(target.table)} "!g" on ${match(target.keys, owner.keys.length, '"!g"')}`;
  return `${rows} ${joined}`;
}

function ends({ ownerColumn, targetColumn }: LinkTables): string {
  return `"!o".${quoteIdentifier(ownerColumn)}, "!g".${quoteIdentifier(targetColumn)}`;
}

/** The values of the scope are bound behind the keys. */
function scoped(tables: LinkTables): string[] {
  return tables.scope.map((column, at) => castText(`$${keyCount(tables) + at + 1}::text`, column));
}

function links(tables: LinkTables): string {
  return `${quoteIdentifier(tables.ownerLink)}, ${quoteIdentifier(tables.targetLink)}`;
}

/** Condition: the row of the through table is one of the bound links. */
function isLink(tables: LinkTables): string {
  const scope = tables.scope.map(
    (column, at) => ` and ${quoteIdentifier(column.name)} = ${scoped(tables)[at]}`,
  );
  return `(${links(tables)}) in (select ${ends(tables)} from ${pairs(tables)})${scope.join('')}`;
}

export function unlinkRows(tables: LinkTables): string {
  return `delete from ${quoteTable(tables.through)} where ${isLink(tables)}`;
}

/** Brings links back that a paranoid through table still has. */
export function restoreLinks(tables: LinkTables): string {
  const column = quoteIdentifier(tables.deletedAt?.name ?? '');
  return `update ${quoteTable(tables.through)} set ${column} = null where ${column} is not null and ${isLink(tables)}`;
}

/** The row of the through table that links "!o" and "!g". */
function there(tables: LinkTables): string {
  const column = (name: string): string => `"!t".${quoteIdentifier(name)}`;
  const same = `${column(tables.ownerLink)} = "!o".${quoteIdentifier(tables.ownerColumn)} and ${column(tables.targetLink)} = "!g".${quoteIdentifier(tables.targetColumn)}`;
  const scope = tables.scope.map((each, at) => ` and ${column(each.name)} = ${scoped(tables)[at]}`);
  const alive = tables.deletedAt ? ` and ${column(tables.deletedAt.name)} is null` : '';
  return `select from ${quoteTable(tables.through)} "!t" where ${same}${scope.join('')}${alive}`;
}

/** How many of the bound links are there. */
export function countLinks(tables: LinkTables): string {
  return `select count(*)::int as "count" from ${pairs(tables)} where exists (${there(tables)})`;
}

/** Makes the bound links where they are not there; the time is bound last. */
export function linkRows(tables: LinkTables): string {
  const stamp = `$${keyCount(tables) + tables.scope.length + 1}::text`;
  const others = [...tables.scope, ...tables.stamps].map((each) => `, ${quoteIdentifier(each.name)}`);
  const values = [...scoped(tables), ...tables.stamps.map((each) => castText(stamp, each))].map(
    (each) => `, ${each}`,
  );
  return `insert into ${quoteTable(tables.through)} (${links(tables)}${others.join('')}) select ${ends(tables)}${values.join('')} from ${pairs(tables)} where not exists (${there(tables)})`;
}
