import { quoteIdentifier } from '../schema/quote';
import { rowsAt } from './addresses';
import type { ImageSource } from './entries';
import { newImage, oldImage, type ModelPlan, type PlannedColumn } from './plan';
import { WRITTEN } from './written-rows';

/** What the database puts into a column of an affected row, and on account of which parent: null when it goes for sure. */
export interface Replacement {
  readonly parent: number | null;
  readonly value:
    | { readonly kind: 'null' }
    | { readonly kind: 'default'; readonly sql: string }
    /** The parent's new key, by its place among the key's columns. */
    | { readonly kind: 'key'; readonly at: number };
}

/** An expression that holds images of parents, and the columns of their key there. */
export interface ParentSource {
  readonly from: string;
  readonly key: readonly PlannedColumn[];
}

/** Parents that get another key: their images, and the columns by which a row refers to them. */
export interface ParentJoin {
  readonly sources: readonly ParentSource[];
  readonly childColumns: readonly string[];
}

/** Rows of one table that a write removes or changes as a consequence, all in the same way. */
export interface Consequence {
  /** Name of the common table expression with their images. */
  readonly name: string;
  readonly plan: ModelPlan;
  /** Where the rows are read, and the condition that finds them; null for the rows that the write itself has changed. */
  readonly rows: { readonly tableText: string; readonly where: string } | null;
  /** By column, those of several foreign keys one after the other; null when the rows are removed. */
  readonly replaced: ReadonlyMap<string, readonly Replacement[]> | null;
  readonly parents: readonly ParentJoin[];
}

const ROW = '"!r"';

function parentAlias(at: number): string {
  return `"!p${at}"`;
}

function replacementSql({ parent, value }: Replacement, own: string): string {
  // A null of the column's own type.
  const none = `nullif(${own}, ${own})`;
  if (value.kind === 'null') return none;
  if (value.kind === 'default') return `coalesce(${value.sql}, ${none})`;
  return `${parentAlias(parent ?? 0)}."v${value.at}"`;
}

/** A parent that was not changed after all, or only to the same key, changes nothing. */
function valueAfter(column: PlannedColumn, replacements: readonly Replacement[] = []): string {
  const own = `${ROW}.${quoteIdentifier(column.column)}`;
  return replacements.reduce((before, replacement) => {
    const value = replacementSql(replacement, own);
    if (replacement.parent === null) return value;
    return `case when ${parentAlias(replacement.parent)}."k0" is not null then ${value} else ${before} end`;
  }, own);
}

/** Parents with another key than before, byte by byte as PostgreSQL compares them for its referential actions. */
function parentJoin({ sources, childColumns }: ParentJoin, at: number): string {
  const images = sources.map(({ from, key }) => {
    const columns = key.flatMap((column, n) => [
      `${oldImage(column)} as "k${n}"`,
      `${newImage(column)} as "v${n}"`,
    ]);
    const row = (image: typeof oldImage): string => `row(${key.map(image).join(', ')})`;
    return `select ${columns.join(', ')} from ${from} where record_image_ne(${row(oldImage)}, ${row(newImage)})`;
  });
  const alias = parentAlias(at);
  const ties = childColumns.map((child, n) => `${ROW}.${quoteIdentifier(child)} = ${alias}."k${n}"`);
  return ` left join (${images.join(' union all ')}) ${alias} on ${ties.join(' and ')}`;
}

function rowsWritten(plan: ModelPlan): string {
  const columns = plan.columns.map((column) => `${newImage(column)} as ${quoteIdentifier(column.column)}`);
  return `(select ${columns.join(', ')} from ${WRITTEN})`;
}

/** The condition for the rows at addresses that two binds hold. */
export function affectedRows(tableIds: string, positions: string): string {
  return rowsAt(tableIds, positions, ROW);
}

/** The images of rows that go or change as a consequence, read before they do, under locks taken before. */
export function consequenceRows({ name, plan, rows, replaced, parents }: Consequence): string {
  const columns = plan.columns.flatMap((column) => {
    const before = `${ROW}.${quoteIdentifier(column.column)} as ${oldImage(column)}`;
    const after = (): string => `${valueAfter(column, replaced?.get(column.column))} as ${newImage(column)}`;
    return replaced ? [before, after()] : [before];
  });
  const where = rows ? ` where ${rows.where}` : '';
  const from = `${rows?.tableText ?? rowsWritten(plan)} ${ROW}${parents.map(parentJoin).join('')}`;
  return `${name} as (select ${columns.join(', ')} from ${from}${where})`;
}

export function consequenceSource({ name, plan, replaced }: Consequence, at: number): ImageSource {
  const movesKey = replaced !== null && plan.keys.some((key) => replaced.has(key.column));
  const mode = replaced ? 'updated' : 'deleted';
  return { from: name, suffix: `c${at}`, mode, mayMoveKey: movesKey, follows: following(replaced), plan };
}

/** Columns that take the new key of the row they refer to. */
function following(replaced: Consequence['replaced']): ReadonlySet<string> {
  const follows = ([, replacements]: [string, readonly Replacement[]]): boolean =>
    replacements.every(({ value }) => value.kind === 'key');
  return new Set([...(replaced ?? [])].filter(follows).map(([column]) => column));
}
