import { quoteIdentifier } from '../schema/quote';
import type { ImageSource } from './entries';
import { newImage, oldImage, type ModelPlan, type PlannedColumn } from './plan';

/** What the database puts into a column of an affected row. */
export type Replacement =
  | { readonly kind: 'null' }
  | { readonly kind: 'default'; readonly sql: string }
  /** The parent's new key, from the common table expression that holds the parent's images. */
  | { readonly kind: 'parent'; readonly join: number; readonly column: PlannedColumn };

/** The parent whose new key a row follows: its images, and the columns that tie the row to its old key. */
export interface ParentJoin {
  readonly from: string;
  readonly on: readonly { readonly child: string; readonly parent: PlannedColumn }[];
}

/** Rows of one table that a write removes or changes as a consequence, all in the same way. */
export interface Consequence {
  /** Name of the common table expression with their images. */
  readonly name: string;
  readonly plan: ModelPlan;
  readonly tableText: string;
  /** Binds that hold the row addresses: table ids and positions. */
  readonly tableIds: string;
  readonly positions: string;
  /** By column; null when the rows are removed. */
  readonly replaced: ReadonlyMap<string, Replacement> | null;
  readonly parents: readonly ParentJoin[];
}

/** Rows by address: quick by their position, exact by table and position, since partitions share positions. */
export function rowsAt(tableIds: string, positions: string, alias?: string): string {
  const prefix = alias === undefined ? '' : `${alias}.`;
  const address = `(${prefix}"tableoid", ${prefix}"ctid")`;
  return `${prefix}"ctid" = any (${positions}) and ${address} in (select * from unnest(${tableIds}, ${positions}))`;
}

const ROW = '"!r"';

function valueAfter(column: PlannedColumn, replaced: ReadonlyMap<string, Replacement>): string {
  const value = `${ROW}.${quoteIdentifier(column.column)}`;
  const replacement = replaced.get(column.column);
  switch (replacement?.kind) {
    case undefined:
      return value;
    case 'null':
      // A null of the column's own type.
      return `nullif(${value}, ${value})`;
    case 'default':
      return `coalesce(${replacement.sql}, nullif(${value}, ${value}))`;
    case 'parent':
      return `"!p${replacement.join}".${newImage(replacement.column)}`;
  }
}

function parentJoins(parents: readonly ParentJoin[]): string {
  return parents
    .map(({ from, on }, at) => {
      const ties = on.map(
        ({ child, parent }) => `${ROW}.${quoteIdentifier(child)} = "!p${at}".${oldImage(parent)}`,
      );
      return ` join ${from} "!p${at}" on ${ties.join(' and ')}`;
    })
    .join('');
}

/** The images of rows that go or change as a consequence, read before they do, under locks taken before. */
export function consequenceRows({
  name,
  plan,
  tableText,
  tableIds,
  positions,
  replaced,
  parents,
}: Consequence): string {
  const columns = plan.columns.flatMap((column) => {
    const before = `${ROW}.${quoteIdentifier(column.column)} as ${oldImage(column)}`;
    return replaced ? [before, `${valueAfter(column, replaced)} as ${newImage(column)}`] : [before];
  });
  const where = rowsAt(tableIds, positions, ROW);
  return `${name} as (select ${columns.join(', ')} from ${tableText} ${ROW}${parentJoins(parents)} where ${where})`;
}

export function consequenceSource({ name, plan, replaced }: Consequence, at: number): ImageSource {
  const movesKey = replaced !== null && plan.keys.some((key) => replaced.has(key.column));
  return { from: name, suffix: `c${at}`, mode: replaced ? 'updated' : 'deleted', mayMoveKey: movesKey, plan };
}
