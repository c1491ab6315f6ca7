import type { Registration } from '../capture/registry';
import { nameOf, Scanner } from '../statement/scanner';
import type { AsOfShape } from './versions-relation';

/** What of a query's options tells how its rows are found. Sequelize has turned `where` and `group` into SQL by then. */
export interface FindHints {
  readonly where?: unknown;
  readonly order?: unknown;
  readonly having?: unknown;
  readonly group?: unknown;
  readonly limit?: unknown;
  readonly attributes?: unknown;
  readonly include?: readonly { readonly required?: boolean }[] | undefined;
}

const COMPARES = /^(?:=|<|>|in|between)$/i;

/** The columns that all rows must meet a condition on. */
function conditions(where: unknown): string[] {
  if (typeof where !== 'string' || /\bor\b/i.test(where)) return [];
  const found: string[] = [];
  const scanner = new Scanner(where);
  let before = scanner.next();
  for (let token = scanner.next(); token; before = token, token = scanner.next())
    if (before?.kind === 'name' && COMPARES.test(where.slice(token.start, token.end)))
      found.push(nameOf(where, before));
  return found;
}

function names(registration: Registration, of: 'keys' | 'references'): Set<string> {
  const { keys, columns } = registration.tracked;
  const chosen = of === 'keys' ? keys.slice(0, 1) : columns.filter(({ isReference }) => isReference);
  return new Set(chosen.flatMap(({ attribute, column }) => [attribute, column]));
}

/** Of a page in the order of the key, or in none. */
function pageShape(keys: ReadonlySet<string>, order: unknown): AsOfShape | null {
  const [first] = Array.isArray(order) ? (order as unknown[]) : [order];
  const [name, direction, ...more] = Array.isArray(first) ? (first as unknown[]) : [first];
  if (more.length > 0 || (name !== undefined && name !== null && !keys.has(name as string))) return null;
  // Sequelize has put SQL in the place of the word.
  const word = typeof direction === 'string' ? direction : (direction as { val?: unknown } | undefined)?.val;
  return /^\s*desc\s*$/i.test(String(word)) ? 'streamBackwards' : 'stream';
}

/** `SELECT count("id") FROM …` and no more, as `Model.count()` writes it. */
function countsAll(registration: Registration, hints: FindHints): boolean {
  const { attributes, include, where, group, having, order } = hints;
  if (!Array.isArray(attributes) || attributes.length !== 1 || registration.tracked.deletedAt) return false;
  if ((include?.length ?? 0) > 0 || [where, group, having, order].some(isGiven)) return false;
  const [call] = (attributes as unknown[][])[0] ?? [];
  const { fn, args = [] } = (call ?? {}) as { fn?: string; args?: { col?: string }[] };
  const col = args.length === 1 ? args[0]?.col : undefined;
  return fn === 'count' && col !== undefined && (col === '*' || names(registration, 'keys').has(col));
}

function isGiven(option: unknown): boolean {
  return option !== undefined && option !== null && option !== '';
}

function aggregates({ attributes, group }: FindHints): boolean {
  const calls = Array.isArray(attributes) ? (attributes as unknown[]).filter(Array.isArray) : [];
  const isAggregate = ([call]: unknown[]): boolean =>
    /^(?:count|sum|avg|min|max)$/i.test(String((call as { fn?: unknown } | null)?.fn));
  return isGiven(group) || calls.some(isAggregate);
}

/** How the rows of the table that a query of Sequelize begins with are found best. */
export function rootShape(registration: Registration, hints: FindHints): AsOfShape {
  const keys = names(registration, 'keys');
  const named = conditions(hints.where);
  if (countsAll(registration, hints)) return 'count';
  if (named.some((name) => keys.has(name))) return 'stream';
  const references = names(registration, 'references');
  if (named.some((name) => references.has(name))) return 'probe';
  if (aggregates(hints)) return 'bulk';
  if (typeof hints.limit === 'number') return pageShape(keys, hints.order) ?? 'bulk';
  return hints.include?.some(({ required }) => required === true) ? 'probe' : 'bulk';
}

/** The same for SQL that somebody wrote, by its words. */
export function rawShape(words: ReadonlySet<string>): AsOfShape {
  if (words.has('group')) return 'bulk';
  if (words.has('where')) return 'probe';
  return words.has('limit') && !words.has('order') ? 'stream' : 'bulk';
}
