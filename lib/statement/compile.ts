import { quoteIdentifier, quoteTable } from '../schema/quote';
import type { ContextBinds } from './context-binds';
import { clock, entryExpressions, type ImageSource } from './entries';
import { linkExpressions } from './links';
import { assignedColumns, type ParsedWrite } from './parse-write';
import { newImage, oldImage, type ModelPlan, type StatementSettings } from './plan';
import { askedColumns, imageMode, WRITTEN, writtenRows } from './written-rows';

/** A write and its entries as one statement. */
export interface CompiledStatement {
  readonly text: string;
  /** False when the caller asked for no columns: then the one row says how many rows were written, as `n`. */
  readonly returnsRows: boolean;
}

function mayMoveKey(write: ParsedWrite, plan: ModelPlan): boolean {
  const keys = new Set(plan.keys.map((key) => key.column));
  return write.kind === 'update' && assignedColumns(write.set).some((column) => keys.has(column));
}

function answer(write: ParsedWrite, plan: ModelPlan | null): string {
  const columns = plan ? askedColumns(write, plan) : write.returning === '*' ? [] : write.returning;
  if (columns === null) return `select count(*)::int as "n" from ${WRITTEN}`;
  return `select ${columns.map(quoteIdentifier).join(', ')} from ${WRITTEN}`;
}

/** Rows of another table that a write removes or changes as a consequence. */
export interface Consequence {
  readonly plan: ModelPlan;
  readonly tableText: string;
  /** Binds that hold the row addresses: table ids and positions. */
  readonly tableIds: string;
  readonly positions: string;
  /** Columns set to null; none when the rows are deleted. */
  readonly nulled: ReadonlySet<string>;
}

/** The images of rows that go or change as a consequence, read before they do, under the caller's locks. */
function consequenceRows({ plan, tableText, tableIds, positions, nulled }: Consequence, name: string): string {
  // nullif of a value with itself is a null of the column's own type.
  const columns = plan.columns.flatMap((column) => {
    const quoted = quoteIdentifier(column.column);
    const now = nulled.has(column.column) ? `nullif(${quoted}, ${quoted})` : quoted;
    return nulled.size === 0
      ? [`${quoted} as ${oldImage(column)}`]
      : [`${quoted} as ${oldImage(column)}`, `${now} as ${newImage(column)}`];
  });
  return `${name} as (select ${columns.join(', ')} from ${tableText} where ${rowsAt(tableIds, positions)})`;
}

/** Rows by address: quick by their position, exact by table and position, since partitions share positions. */
export function rowsAt(tableIds: string, positions: string): string {
  return `"ctid" = any (${positions}) and ("tableoid", "ctid") in (select * from unnest(${tableIds}, ${positions}))`;
}

/** Entries, versions and links of all rows that one statement writes, removes or empties. */
function stored(sources: readonly ImageSource[], settings: StatementSettings, binds: ContextBinds): string[] {
  return sources.flatMap((source) => [
    ...entryExpressions(source, settings, binds),
    ...linkExpressions(source, sources, settings, binds),
  ]);
}

function consequenceSource({ plan, nulled }: Consequence, at: number): ImageSource {
  const mode = nulled.size === 0 ? 'deleted' : 'updated';
  return { from: `"!c${at}"`, suffix: `c${at}`, mode, mayMoveKey: false, plan };
}

/** A delete together with what it removes or changes elsewhere; `plan` is null when its own table is not audited. */
export function compileCascade(
  write: ParsedWrite,
  plan: ModelPlan | null,
  consequences: readonly Consequence[],
  settings: StatementSettings,
  binds: ContextBinds,
): CompiledStatement {
  const own: ImageSource[] = plan ? [{ from: WRITTEN, suffix: '', mode: 'deleted', mayMoveKey: false, plan }] : [];
  const asked = write.returning === '*' ? [] : (write.returning ?? []);
  const bare = `${WRITTEN} as (${write.body} returning ${['1 as "!1"', ...asked.map(quoteIdentifier)].join(', ')})`;
  const sources = consequences.map(consequenceSource);
  const expressions = [
    ...(plan ? writtenRows(write, plan, settings) : [bare]),
    clock(WRITTEN),
    ...consequences.map((consequence, at) => consequenceRows(consequence, `"!c${at}"`)),
    ...stored([...own, ...sources], settings, binds),
  ];
  return { text: `with ${expressions.join(', ')} ${answer(write, plan)}`, returnsRows: write.returning !== null };
}

/** The write, its entries and versions as one statement that answers as the write alone would. */
export function compileWrite(
  write: ParsedWrite,
  plan: ModelPlan,
  settings: StatementSettings,
  binds: ContextBinds,
): CompiledStatement {
  const source = { from: WRITTEN, suffix: '', mode: imageMode(write), mayMoveKey: mayMoveKey(write, plan), plan };
  const expressions = [...writtenRows(write, plan, settings), clock(WRITTEN), ...stored([source], settings, binds)];
  return { text: `with ${expressions.join(', ')} ${answer(write, plan)}`, returnsRows: write.returning !== null };
}

/** Delete entries for every row of a table that is about to be emptied; answers with their number as `n`. */
export function compileEmptying(plan: ModelPlan, settings: StatementSettings, binds: ContextBinds): CompiledStatement {
  const columns = plan.columns.map((column) => `${quoteIdentifier(column.column)} as ${oldImage(column)}`);
  const source: ImageSource = { from: WRITTEN, suffix: '', mode: 'deleted', mayMoveKey: false, plan };
  const expressions = [
    `${WRITTEN} as (select ${columns.join(', ')} from ${quoteTable(plan.table)})`,
    clock(WRITTEN),
    ...stored([source], settings, binds),
  ];
  return { text: `with ${expressions.join(', ')} select count(*)::int as "n" from ${WRITTEN}`, returnsRows: false };
}
