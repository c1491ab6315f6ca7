import { quoteIdentifier, quoteTable } from '../schema/quote';
import type { ContextBinds } from './context-binds';
import { consequenceRows, consequenceSource, type Consequence } from './consequences';
import { clock, entryExpressions, loggedName, type ImageSource } from './entries';
import { linkExpressions } from './links';
import type { ParsedWrite } from './parse-write';
import { oldImage, type ModelPlan, type StatementSettings } from './plan';
import { comparedColumns, imageMode, mayMoveKey, restingColumns, writesOneRow } from './write-effect';
import { answeredColumns, joinsOldRows, WRITTEN, writtenRows } from './written-rows';

/** A write and its entries as one statement. */
export interface CompiledStatement {
  readonly text: string;
  /** False when the caller asked for no columns: then the one row says how many rows were written, as `n`. */
  readonly returnsRows: boolean;
  /** Whether a plan made once serves for good: one that joins many rows, made while the table was small, would not. */
  readonly keepsItsPlan: boolean;
  /** False for a write that only leads to audited tables, and found nothing there: it has no place for the context's values. */
  readonly leavesEntries: boolean;
}

function answer(write: ParsedWrite, plan: ModelPlan): string {
  return `select ${answeredColumns(write, plan) ?? 'count(*)::int as "n"'} from ${WRITTEN}`;
}

/** Entries, versions and links of all rows that one statement writes, removes or empties: first those of its own table. */
function stored(sources: readonly ImageSource[], settings: StatementSettings, binds: ContextBinds): string[] {
  const logged = sources.filter(({ plan }) => plan.isLogged).map(loggedName);
  const ordered = sources.map((source) => ({
    ...source,
    after: logged.slice(0, logged.indexOf(loggedName(source))),
  }));
  return [
    ...ordered.flatMap((source) => entryExpressions(source, settings, binds)),
    ...ordered.flatMap((source) => linkExpressions({ ...source, after: logged }, sources, settings, binds)),
  ];
}

/**
 * The write, its entries and versions as one statement that answers as the write alone would.
 *
 * @param plan one that is not logged serves a table that only leads to audited ones
 * @param consequences what a delete or a change of keys removes or changes elsewhere
 */
export function compileWrite(
  write: ParsedWrite,
  plan: ModelPlan,
  settings: StatementSettings,
  binds: ContextBinds,
  consequences: readonly Consequence[] = [],
): CompiledStatement {
  const own: ImageSource = {
    from: WRITTEN,
    suffix: '',
    mode: imageMode(write),
    mayMoveKey: mayMoveKey(write, plan),
    compared: {
      columns: comparedColumns(write, plan),
      isGuarded: restingColumns(write, plan).length > 0,
    },
    isOneRow: consequences.length === 0 && plan.links.length === 0 && writesOneRow(write, plan),
    plan,
  };
  const entries = stored([own, ...consequences.map(consequenceSource)], settings, binds);
  const expressions = [
    ...writtenRows(write, plan, settings),
    ...(own.isOneRow ? [] : [clock(WRITTEN)]),
    ...consequences.map(consequenceRows),
    ...entries,
  ];
  return {
    text: `with ${expressions.join(', ')} ${answer(write, plan)}`,
    returnsRows: write.returning !== null,
    keepsItsPlan: own.isOneRow === true || !joinsOldRows(write, plan, settings),
    leavesEntries: entries.length > 0,
  };
}

/** Delete entries for every row of a table that is about to be emptied; answers with their number as `n`. */
export function compileEmptying(
  plan: ModelPlan,
  settings: StatementSettings,
  binds: ContextBinds,
): CompiledStatement {
  const columns = plan.columns.map((column) => `${quoteIdentifier(column.column)} as ${oldImage(column)}`);
  const source: ImageSource = { from: WRITTEN, suffix: '', mode: 'deleted', mayMoveKey: false, plan };
  const expressions = [
    `${WRITTEN} as (select ${columns.join(', ')} from ${quoteTable(plan.table)})`,
    clock(WRITTEN),
    ...stored([source], settings, binds),
  ];
  return {
    text: `with ${expressions.join(', ')} select count(*)::int as "n" from ${WRITTEN}`,
    returnsRows: false,
    keepsItsPlan: false,
    leavesEntries: true,
  };
}
