import type { TableName } from '../schema/quote';
import { nameOf, type Token } from './scanner';

/** A place where a text names a table, from the first letter of its schema to the last of its name. */
export interface TableUse {
  readonly table: TableName;
  readonly start: number;
  readonly end: number;
}

/** A table whose rows are read, as FROM, JOIN or TABLE name it. */
export interface TableRead extends TableUse {
  /** Whether rows may be given a name here that the text doesn't give: after TABLE none may stand. */
  readonly lacksAlias: boolean;
}

/** What one SELECT, of any depth, reads. */
export interface ReadTables {
  /** In the order of the text, without the names of its own common table expressions. */
  readonly reads: readonly TableRead[];
  /** Columns and rows that are named with schema and table: `"shop"."orders"."id"`; `end` is that of the table. */
  readonly columns: readonly TableUse[];
  /** Its own common table expressions, at the top. */
  readonly defined: ReadonlySet<string>;
}

/** A part of a text that has a FROM of its own: a pair of parentheses, or the whole. */
class Part {
  isFresh = true;
  /** A SELECT came, its FROM not yet: only then FROM is no part of `extract(… from …)`. */
  selects = false;
  /** A comma separates tables here, not expressions. */
  isInFrom = false;
  expectsTable: boolean;
  /** Between WITH and the statement it belongs to. */
  list: { isRecursive: boolean; expectsName: boolean; name: string | null } | null = null;
  readonly defined = new Set<string>();
  /** The common table expression whose body this is. */
  readonly bodyOf: string | null;

  constructor(expectsTable: boolean, bodyOf: string | null) {
    this.expectsTable = expectsTable;
    this.bodyOf = bodyOf;
  }
}

const END_FROM = new Set(
  'where group having window order limit offset fetch for union intersect except returning'.split(' '),
);
/** Words after a table that are no alias of it. */
const NO_ALIAS = new Set([
  ...END_FROM,
  ...'join inner left right full cross natural on using tablesample'.split(' '),
]);

/** Reads the tokens of one statement; knows where tables stand, and the scope of common table expressions. */
class UseReader {
  readonly reads: TableRead[] = [];
  readonly columns: TableUse[] = [];
  readonly #sql: string;
  readonly #tokens: readonly Token[];
  readonly #top = new Part(false, null);
  readonly #parts = [this.#top];

  constructor(sql: string, tokens: readonly Token[]) {
    this.#sql = sql;
    this.#tokens = tokens;
    for (let at = 0; at < tokens.length;) at = this.#read(at, tokens[at]!);
  }

  get defined(): ReadonlySet<string> {
    return this.#top.defined;
  }

  get #part(): Part {
    return this.#parts.at(-1) ?? this.#top;
  }

  /** A word in lower case, a symbol as it is, empty for what is neither. */
  #textAt(at: number): string {
    const token = this.#tokens[at];
    if (token?.kind !== 'word' && token?.kind !== 'symbol') return '';
    return this.#sql.slice(token.start, token.end).toLowerCase();
  }

  #isName(at: number): boolean {
    const kind = this.#tokens[at]?.kind;
    return kind === 'name' || kind === 'word';
  }

  /** Reads what begins at `at`; returns the place behind it. */
  #read(at: number, { kind }: Token): number {
    const part = this.#part;
    const wasFresh = part.isFresh;
    part.isFresh = false;
    if (kind === 'open') this.#open(at);
    else if (kind === 'close') this.#close();
    else if (kind === 'symbol') this.#readSymbol(at);
    else if (this.#isName(at) && !this.#readKeyword(at, wasFresh)) return this.#readName(at);
    return at + 1;
  }

  #open(at: number): void {
    const part = this.#part;
    const isBody = part.list?.name != null && ['as', 'materialized'].includes(this.#textAt(at - 1));
    this.#parts.push(new Part(part.expectsTable, isBody ? part.list!.name : null));
    part.expectsTable = false;
  }

  #close(): void {
    if (this.#parts.length === 1) return;
    const { bodyOf } = this.#parts.pop()!;
    const { list, defined } = this.#part;
    if (bodyOf === null || !list) return;
    defined.add(bodyOf);
    list.name = null;
  }

  #readSymbol(at: number): void {
    const part = this.#part;
    if (this.#textAt(at) !== ',') return;
    if (part.list) part.list.expectsName = true;
    else part.expectsTable = part.isInFrom;
  }

  /** Whether the token was a keyword that tells where tables stand. */
  #readKeyword(at: number, wasFresh: boolean): boolean {
    const part = this.#part;
    const word = this.#textAt(at);
    if (word === '') return false;
    if (wasFresh && word === 'with') part.list = { isRecursive: false, expectsName: true, name: null };
    else if (word === 'recursive' && this.#textAt(at - 1) === 'with' && part.list)
      part.list.isRecursive = true;
    else if (part.list?.expectsName) return false;
    else if (word === 'select' || (word === 'values' && (wasFresh || part.list))) this.#begin(part);
    else if (word === 'from') this.#readFrom(part, at);
    else if (word === 'join' || word === 'table') this.#expectTable(part, word === 'join');
    else if (END_FROM.has(word)) this.#endFrom(part);
    else return part.expectsTable && (word === 'lateral' || word === 'only');
    return true;
  }

  #begin(part: Part): void {
    part.list = null;
    part.selects = true;
    part.isInFrom = false;
    part.expectsTable = false;
  }

  #readFrom(part: Part, at: number): void {
    const compares = this.#textAt(at - 1) === 'distinct' && ['is', 'not'].includes(this.#textAt(at - 2));
    if (!part.selects || compares) return;
    part.selects = false;
    this.#expectTable(part, true);
  }

  #expectTable(part: Part, isInFrom: boolean): void {
    part.list = null;
    part.expectsTable = true;
    part.isInFrom ||= isInFrom;
  }

  #endFrom(part: Part): void {
    part.isInFrom = false;
    part.expectsTable = false;
  }

  /** A name with what is before it: `table`, `schema.table`, `schema.table.column`. */
  #readName(at: number): number {
    const part = this.#part;
    if (part.list?.expectsName) return this.#define(part, at);
    let end = at + 1;
    while (this.#textAt(end) === '.' && this.#isName(end + 1)) end += 2;
    if (part.expectsTable) this.#noteRead(part, at, end);
    else if (this.#textAt(end) === '.' ? end - at === 3 : end - at >= 5) this.#noteColumn(at);
    return end;
  }

  #define(part: Part, at: number): number {
    const name = nameOf(this.#sql, this.#tokens[at]!);
    part.list!.name = name;
    part.list!.expectsName = false;
    if (part.list!.isRecursive) part.defined.add(name);
    return at + 1;
  }

  #noteColumn(at: number): void {
    const table = { schema: this.#nameAt(at), table: this.#nameAt(at + 2)! };
    this.columns.push({ table, start: this.#tokens[at]!.start, end: this.#tokens[at + 2]!.end });
  }

  /** A name before a parenthesis is a function's. */
  #noteRead(part: Part, at: number, end: number): void {
    part.expectsTable = false;
    if (this.#tokens[end]?.kind === 'open') return;
    const schema = end - at > 1 ? this.#nameAt(end - 3) : null;
    const table = { schema, table: this.#nameAt(end - 1)! };
    if (schema === null && this.#parts.some(({ defined }) => defined.has(table.table))) return;
    const isAfterTable = this.#textAt(at - 1) === 'table';
    const lacksAlias = !isAfterTable && !this.#isAlias(end);
    this.reads.push({
      table,
      start: this.#tokens[at]!.start,
      end: this.#tokens[end - 1]!.end,
      lacksAlias,
    });
  }

  #isAlias(at: number): boolean {
    return this.#isName(at) && !NO_ALIAS.has(this.#textAt(at));
  }

  #nameAt(at: number): string | null {
    const token = this.#tokens[at];
    return token ? nameOf(this.#sql, token) : null;
  }
}

/** The tables that a SELECT, TABLE or WITH reads, its tokens given; never throws. */
export function tablesRead(sql: string, tokens: readonly Token[]): ReadTables {
  return new UseReader(sql, tokens);
}
