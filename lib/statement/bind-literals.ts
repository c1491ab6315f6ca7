import { Scanner, type Token } from './scanner';

/** More literals than this make a text that is hardly ever seen twice: not worth a name. */
const MAX_LITERALS = 24;
const INT4_MAX = 2_147_483_647n;
const INT8_MAX = 9_223_372_036_854_775_807n;

export interface BoundText {
  readonly sql: string;
  readonly values: readonly unknown[];
}

/** The type PostgreSQL's own parser gives to a numeric constant, so that the bound form resolves the same operators. */
function numberType(text: string): string {
  if (!/^\d+$/.test(text)) return 'numeric';
  const value = BigInt(text);
  if (value <= INT4_MAX) return 'int4';
  return value <= INT8_MAX ? 'int8' : 'numeric';
}

/** Without underscores, in base ten: what numeric's input reads as PostgreSQL's parser does. */
const PLAIN_NUMBER = /^(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** A minus before a number that int4 may not hold is part of it: the parser takes -2147483648 for an int4. */
const MINUS_TAKES = 9;

/** Whether a token is a literal that stands for what is written. */
function isPlain(sql: string, { kind, start, end }: Token, before: Token | null): boolean {
  if (kind !== 'number') return kind === 'text';
  const isNegative = before !== null && sql.slice(before.start, before.end) === '-';
  return PLAIN_NUMBER.test(sql.slice(start, end)) && !(isNegative && end - start > MINUS_TAKES);
}

/** Collects literals of one text and puts binds in their place. */
class Binder {
  readonly #sql: string;
  readonly values: unknown[];
  readonly #firstNew: number;
  #result = '';
  #copied = 0;

  constructor(sql: string, given: readonly unknown[]) {
    this.#sql = sql;
    this.values = [...given];
    this.#firstNew = given.length;
  }

  get count(): number {
    return this.values.length - this.#firstNew;
  }

  bind(token: Token): void {
    const text = this.#sql.slice(token.start, token.end);
    const isNumber = token.kind === 'number';
    this.values.push(isNumber ? text : text.slice(1, -1).replaceAll("''", "'"));
    const cast = isNumber ? `::${numberType(text)}` : '';
    this.#result += `${this.#sql.slice(this.#copied, token.start)}$${this.values.length}${cast}`;
    this.#copied = token.end;
  }

  get text(): string {
    return this.#result + this.#sql.slice(this.#copied);
  }
}

/** Before a parenthesis that groups or lists; any other name there is a function or a type. */
const BEFORE_GROUP = new Set(['in', 'where', 'and', 'or', 'not', 'set', 'when', 'then', 'else']);

/** Parentheses around an argument are part of the call. */
function opensGroup(sql: string, before: Token | null, isInCall: boolean): boolean {
  if (before === null) return true;
  const text = sql.slice(before.start, before.end).toLowerCase();
  if (before.kind === 'word') return BEFORE_GROUP.has(text);
  return before.kind !== 'name' && !(isInCall && (text === '(' || text === ','));
}

/** Which of the parentheses open at a token group or list, the innermost last. */
class Groups {
  readonly #open: boolean[] = [];

  note(sql: string, token: Token, before: Token | null): void {
    if (token.kind === 'open') this.#open.push(opensGroup(sql, before, this.isInCall));
    if (token.kind === 'close') this.#open.pop();
  }

  /** Arguments may be of any type, or part of the grammar: `concat('a')`, `numeric(10, 2)`, `extract('year' from d)`. */
  get isInCall(): boolean {
    return this.#open.at(-1) === false;
  }
}

const SAFE_BEFORE = new Set(['=', '<', '>', '(', ',', '+', '-', '*']);
const SAFE_WORDS = new Set(['like', 'ilike', 'and', 'between', 'limit']);

/** Only where a constant of unknown type and a parameter resolve alike; `interval '1 day'` and the like stay as they are. */
function mayBind(sql: string, before: Token | null, isInCall: boolean): boolean {
  if (before === null) return false;
  const text = sql.slice(before.start, before.end).toLowerCase();
  if (isInCall && (text === '(' || text === ',')) return false;
  if (before.kind === 'word') return SAFE_WORDS.has(text);
  return (before.kind === 'symbol' || before.kind === 'open') && SAFE_BEFORE.has(text);
}

/**
 * What follows a literal whose type is decided there, or in several places: `'1' in (i, d)` compares it as an int and as
 * a date. There it stays a literal.
 */
function isCastOrPath(sql: string, end: number): boolean {
  return /^\s*(?:::|->|#>|\[|\)*\s*(?:not\s+)?(?:in|between)\b)/i.test(sql.slice(end, end + 40));
}

/** Operators like `->`, `#>>`, `@>` and `||` choose by the literal's type, so their right side stays a literal. */
function endsOperator(sql: string, before: Token): boolean {
  return (
    before.kind === 'symbol' &&
    /(->>?|=>|#>>?|#-|@>|<@|@@|\|\||~\*?|&&|\?[|&]?)\s*$/.test(sql.slice(0, before.end).slice(-4))
  );
}

/**
 * Puts binds in the place of inlined numbers and texts of an UPDATE or DELETE, so that the same write gives the same
 * text and can be a prepared statement. Returns the text as it is where that is not plainly safe.
 */
export function bindLiterals(sql: string, given: readonly unknown[]): BoundText {
  const unchanged = { sql, values: given };
  const binder = new Binder(sql, given);
  const scanner = new Scanner(sql);
  const groups = new Groups();
  let before: Token | null = null;
  for (let token = scanner.next(); token; token = scanner.next()) {
    groups.note(sql, token, before);
    if (token.kind === 'escapeText' || token.kind === 'dollarText') return unchanged;
    // A number after ORDER BY or GROUP BY is a position, not a value.
    if (token.kind === 'word' && sql.slice(token.start, token.end).toLowerCase() === 'by') return unchanged;
    if (
      isPlain(sql, token, before) &&
      mayBind(sql, before, groups.isInCall) &&
      !isCastOrPath(sql, token.end) &&
      !(before && endsOperator(sql, before))
    ) {
      if (binder.count === MAX_LITERALS) return unchanged;
      binder.bind(token);
    }
    before = token;
  }
  return binder.count === 0 ? unchanged : { sql: binder.text, values: binder.values };
}

/** A part of a statement with only its own binds, numbered from 1: PostgreSQL can't tell the type of one that is not used. */
export function ownBinds(sql: string, values: readonly unknown[]): BoundText {
  const used: number[] = [];
  const scanner = new Scanner(sql);
  let result = '';
  let copied = 0;
  for (let token = scanner.next(); token; token = scanner.next()) {
    if (token.kind !== 'bind') continue;
    const place = Number(sql.slice(token.start + 1, token.end));
    if (!used.includes(place)) used.push(place);
    result += `${sql.slice(copied, token.start)}$${used.indexOf(place) + 1}`;
    copied = token.end;
  }
  return { sql: result + sql.slice(copied), values: used.map((place) => values[place - 1]) };
}
