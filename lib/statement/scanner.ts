/** Kinds of SQL tokens; white space and comments are passed over. */
export type TokenKind =
  'word' | 'name' | 'text' | 'escapeText' | 'dollarText' | 'number' | 'bind' | 'open' | 'close' | 'symbol';

export interface Token {
  readonly kind: TokenKind;
  readonly start: number;
  readonly end: number;
  /** Parentheses open before this token; an opening and its closing one have the same depth. */
  readonly depth: number;
}

/** PostgreSQL's own: a no-break space is part of a name to it. */
const SPACE = /[ \t\n\r\f\v]/;
const LINE_END = /[\n\r]/g;
const WORD_START = /[A-Za-z_\u0080-\uffff]/;
const WORD = /[\w$\u0080-\uffff]*/y;
/** Hexadecimal, octal and binary ones and those with underscores are errors before PostgreSQL 16. */
const NUMBER = /0[xXoObB]\w+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d[\d_]*)?/y;
const DOLLAR_TAG = /\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/y;
const BIND = /\$\d+/y;
/** All that a group may hold besides what plainly belongs to it. */
const GROUP_MARK = /[()'"$]|--|\/\*/g;
const WORD_PART = /[\w$\u0080-\uffff]/;

function matchAt(pattern: RegExp, sql: string, at: number): string | null {
  pattern.lastIndex = at;
  return pattern.exec(sql)?.[0] ?? null;
}

/** End of the line that `at` is in, or of the text. */
function lineEnd(sql: string, at: number): number {
  LINE_END.lastIndex = at;
  return LINE_END.exec(sql)?.index ?? sql.length;
}

/** Where a text goes on that ends at `end`: `'a'` and, on a line below, `'b'` are one. */
function continuation(sql: string, end: number): number | null {
  let isBelow = false;
  for (let at = end; ; at += 1) {
    const here = sql[at] ?? '';
    if (here === '\n' || here === '\r') isBelow = true;
    else if (here === '-' && sql[at + 1] === '-') at = lineEnd(sql, at) - 1;
    else if (!SPACE.test(here)) return isBelow && here === "'" ? at : null;
  }
}

/** End of a text that may go on in further lines, its first quote at `start`. */
function textEnd(sql: string, start: number, endOf: (sql: string, start: number) => number): number {
  let end = endOf(sql, start);
  for (let next = continuation(sql, end); next !== null; next = continuation(sql, end))
    end = endOf(sql, next);
  return end;
}

function plainTextEnd(sql: string, start: number): number {
  return quotedEnd(sql, start, "'");
}

/** End of a quoted run that begins at `start`; a doubled quote stands for itself. */
function quotedEnd(sql: string, start: number, quote: string): number {
  let at = start + 1;
  for (;;) {
    const close = sql.indexOf(quote, at);
    if (close < 0) return sql.length;
    if (sql[close + 1] !== quote) return close + 1;
    at = close + 2;
  }
}

/** End of an `E'…'` text, in which a backslash takes the next character with it. */
function escapeTextEnd(sql: string, quoteAt: number): number {
  for (let at = quoteAt + 1; at < sql.length; at += 1) {
    if (sql[at] === '\\') at += 1;
    else if (sql[at] === "'" && sql[at + 1] === "'") at += 1;
    else if (sql[at] === "'") return at + 1;
  }
  return sql.length;
}

/** Whether the quote at `quoteAt` is that of an `E'…'` text; what stands before `from` is of another token. */
function isEscapeText(sql: string, quoteAt: number, from: number): boolean {
  const start = wordStart(sql, quoteAt, from);
  return quoteAt - start === 1 && /[eE]/.test(sql[start] ?? '');
}

/** Where the run of letters, digits and dollar signs begins that ends at `end`. */
function wordStart(sql: string, end: number, from: number): number {
  let start = end;
  while (start > from && WORD_PART.test(sql[start - 1] ?? '')) start -= 1;
  return start;
}

/** End of a block comment; they nest in PostgreSQL. */
function blockCommentEnd(sql: string, start: number): number {
  let depth = 0;
  for (let at = start; at < sql.length; at += 1) {
    if (sql.startsWith('/*', at)) [depth, at] = [depth + 1, at + 1];
    else if (sql.startsWith('*/', at)) [depth, at] = [depth - 1, at + 1];
    if (depth === 0) return at + 1;
  }
  return sql.length;
}

/** Reads SQL token by token; knows strings, quoted names, dollar quotes, comments and parentheses, nothing of the grammar. */
export class Scanner {
  readonly #sql: string;
  #at = 0;
  #depth = 0;

  constructor(sql: string, at = 0) {
    this.#sql = sql;
    this.#at = at;
  }

  /** The next token, or null at the end. */
  next(): Token | null {
    this.#skipBlank();
    const start = this.#at;
    const first = this.#sql[start];
    if (first === undefined) return null;
    const kind = this.#read(first);
    if (kind === 'close') this.#depth -= 1;
    const token = { kind, start, end: this.#at, depth: this.#depth };
    if (kind === 'open') this.#depth += 1;
    return token;
  }

  /**
   * Moves behind the parenthesis that closes the group whose opening one was read last, and says where that is. Makes no
   * tokens of what the group holds: the rows of an insert may be thousands.
   */
  skipGroup(): number {
    const outside = this.#depth - 1;
    while (this.#depth > outside) {
      GROUP_MARK.lastIndex = this.#at;
      if (GROUP_MARK.test(this.#sql)) this.#passMark(GROUP_MARK.lastIndex);
      else [this.#at, this.#depth] = [this.#sql.length, outside];
    }
    return this.#at;
  }

  /** @param end of the mark */
  #passMark(end: number): void {
    const sql = this.#sql;
    const [from, at] = [this.#at, end - 1];
    this.#at = end;
    const mark = sql[at];
    if (mark === '(') this.#depth += 1;
    else if (mark === ')') this.#depth -= 1;
    else if (mark === "'")
      this.#at = textEnd(sql, at, isEscapeText(sql, at, from) ? escapeTextEnd : plainTextEnd);
    else if (mark === '"') this.#at = quotedEnd(sql, at, '"');
    else if (mark === '-') this.#at = lineEnd(sql, end);
    else if (mark === '*') this.#at = blockCommentEnd(sql, at - 1);
    else this.#passDollar(wordStart(sql, at, from), at);
  }

  /** A dollar sign in a name, which does not begin with a digit, is a letter like others. */
  #passDollar(start: number, at: number): void {
    const isInWord = start < at && WORD_START.test(this.#sql[start] ?? '');
    this.#at = isInWord ? start : at;
    if (isInWord) this.#readWord();
    else this.#readDollar();
  }

  #skipBlank(): void {
    for (;;) {
      const here = this.#sql[this.#at];
      if (here === undefined) return;
      if (SPACE.test(here)) this.#at += 1;
      else if (here === '-' && this.#sql[this.#at + 1] === '-') this.#skipLine();
      else if (here === '/' && this.#sql[this.#at + 1] === '*')
        this.#at = blockCommentEnd(this.#sql, this.#at);
      else return;
    }
  }

  #skipLine(): void {
    this.#at = lineEnd(this.#sql, this.#at);
  }

  #read(first: string): TokenKind {
    if (first === '(') return this.#take(1, 'open');
    if (first === ')') return this.#take(1, 'close');
    if (first === "'") return this.#readText();
    if (first === '"') return this.#until(quotedEnd(this.#sql, this.#at, '"'), 'name');
    if (first === '$') return this.#readDollar();
    if (WORD_START.test(first)) return this.#readWord();
    const number = matchAt(NUMBER, this.#sql, this.#at);
    return number ? this.#take(number.length, 'number') : this.#take(1, 'symbol');
  }

  /** One that goes on in further lines is no `text`: what it stands for is more than what its quotes enclose. */
  #readText(): TokenKind {
    const end = plainTextEnd(this.#sql, this.#at);
    const whole = textEnd(this.#sql, this.#at, plainTextEnd);
    return this.#until(whole, whole === end ? 'text' : 'escapeText');
  }

  #readDollar(): TokenKind {
    const bind = matchAt(BIND, this.#sql, this.#at);
    if (bind) return this.#take(bind.length, 'bind');
    const tag = matchAt(DOLLAR_TAG, this.#sql, this.#at);
    if (!tag) return this.#take(1, 'symbol');
    const close = this.#sql.indexOf(tag, this.#at + tag.length);
    return this.#until(close < 0 ? this.#sql.length : close + tag.length, 'dollarText');
  }

  #readWord(): TokenKind {
    const word = matchAt(WORD, this.#sql, this.#at) ?? '';
    const after = this.#at + word.length;
    if (this.#sql[after] !== "'" || !/^[eEbBxXnN]$/.test(word)) return this.#take(word.length, 'word');
    // Only in E'…' a backslash is more than itself.
    const endOf = word.toLowerCase() === 'e' ? escapeTextEnd : plainTextEnd;
    return this.#until(textEnd(this.#sql, after, endOf), 'escapeText');
  }

  #take(length: number, kind: TokenKind): TokenKind {
    return this.#until(this.#at + length, kind);
  }

  #until(end: number, kind: TokenKind): TokenKind {
    this.#at = end;
    return kind;
  }
}

/** The name a `name` or `word` token stands for: quoted as it is, unquoted folded to lower case, of which PostgreSQL does only `A-Z`. */
export function nameOf(sql: string, token: Token): string {
  const text = sql.slice(token.start, token.end);
  return token.kind === 'name' ? text.slice(1, -1).replaceAll('""', '"') : foldCase(text);
}

function foldCase(text: string): string {
  return text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
