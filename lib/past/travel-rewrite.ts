import { quoteIdentifier } from '../schema/quote';
import type { Read, TravelStatement } from './travel-statement';

/** Rows of a time under the name of a table. */
export interface PastTable {
  readonly name: string;
  readonly relation: string;
}

/** A part of a text that is to be replaced. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

function edited(sql: string, edits: readonly Edit[], from: number): string {
  let result = '';
  let copied = from;
  for (const { start, end, text } of [...edits].toSorted((a, b) => a.start - b.start)) {
    result += sql.slice(copied, start) + text;
    copied = end;
  }
  return result + sql.slice(copied);
}

function definitions(tables: readonly PastTable[]): string {
  return tables
    .map(({ name, relation }) => `${quoteIdentifier(name)} as not materialized (${relation})`)
    .join(', ');
}

/**
 * The statement with its tables as of a time: common table expressions with their names. A WITH of its own is continued, unless
 * it has a name in common with them, or sees its own names where theirs are meant: then it stays whole, one level below.
 *
 * @param taken names of the statement's own that must not meet those of `tables`
 */
export function withPast(
  { sql }: TravelStatement,
  { statement, at, form }: Read,
  { tables, edits, taken }: { tables: readonly PastTable[]; edits: readonly Edit[]; taken: boolean },
): string {
  if (tables.length === 0 && edits.length === 0) return sql;
  const { start } = statement.tokens[at]!;
  const before = sql.slice(0, start);
  const past = `with ${definitions(tables)}`;
  if (form === 'select') return `${before}${past} ${edited(sql, edits, start)}`;
  const afterWith = statement.tokens[at]!.end;
  if (form === 'with' && !taken) return `${before}${past},${edited(sql, edits, afterWith)}`;
  const { end } = statement.tokens.at(-1)!;
  const whole = edited(sql.slice(0, end), edits, start);
  return `${before}${past} select * from (${whole}) "!q"${sql.slice(end)}`;
}
