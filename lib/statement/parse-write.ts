import type { TableName } from '../schema/quote';
import { nameOf, Scanner, type Token } from './scanner';
import { survey, type Survey } from './survey';

/** A single INSERT, UPDATE or DELETE in a shape that can become part of a larger statement. */
export interface ParsedWrite {
  readonly kind: 'insert' | 'update' | 'delete';
  readonly table: TableName;
  /** The table as the statement spells it. */
  readonly tableText: string;
  /** The statement up to its RETURNING or end. */
  readonly body: string;
  /** UPDATE only: the SET list without the keyword. */
  readonly set: string;
  /** UPDATE, and INSERT with DO UPDATE: the columns that SET assigns to. */
  readonly assigned: readonly string[];
  /** INSERT only: the columns by which rows conflict that SET gives the very value they conflicted by. */
  readonly matched: readonly string[];
  /** UPDATE and DELETE: the condition without the keyword, null when there is none. */
  readonly where: string | null;
  /** INSERT only: what happens to a row that is there already. */
  readonly onConflict: 'none' | 'nothing' | 'update';
  /** Whether the rows are locked already, so that their address pairs old with new. */
  readonly rowsAreLocked?: boolean;
  /** Columns of RETURNING as names; `'*'` for all, null when nothing was asked for. */
  readonly returning: readonly string[] | '*' | null;
}

/** What a text turned out to be. */
export type ParsedStatement =
  | { readonly shape: 'write'; readonly write: ParsedWrite }
  | {
      readonly shape: 'truncate';
      readonly table: TableName;
      readonly tableText: string;
      readonly cascade: boolean;
    }
  /** The temporary function of `findOrCreate` around an INSERT. */
  | { readonly shape: 'guardedInsert'; readonly insert: ParsedWrite }
  /** Any other: a read, a definition, several statements, or a write in a shape nobody has taught the compiler. */
  | ({ readonly shape: 'other' } & Survey);

/** Reads one statement left to right with one token of look-ahead. */
class Reader {
  readonly sql: string;
  readonly #scanner: Scanner;
  #lastEnd = 0;
  current: Token | null;

  constructor(sql: string) {
    this.sql = sql;
    this.#scanner = new Scanner(sql);
    this.current = this.#scanner.next();
  }

  text(token: Token): string {
    return this.sql.slice(token.start, token.end);
  }

  advance(): Token | null {
    const token = this.current;
    this.#lastEnd = token?.end ?? this.#lastEnd;
    this.current = this.#scanner.next();
    return token;
  }

  /** The text from `start` to the last token that was read, without comments after it: one would swallow what follows. */
  since(start: number): string {
    return this.sql.slice(start, Math.max(start, this.#lastEnd));
  }

  /** The current token as a lower-case word, or an empty string. */
  get word(): string {
    return this.current?.kind === 'word' ? this.text(this.current).toLowerCase() : '';
  }

  accept(word: string): boolean {
    if (this.word !== word) return false;
    this.advance();
    return true;
  }

  acceptSymbol(symbol: string): boolean {
    if (this.current?.kind !== 'symbol' || this.text(this.current) !== symbol) return false;
    this.advance();
    return true;
  }

  /** `name`, or `name.name`. */
  table(): { table: TableName; text: string } | null {
    const first = this.#name();
    if (!first) return null;
    if (!this.acceptSymbol('.'))
      return { table: { schema: null, table: nameOf(this.sql, first) }, text: this.text(first) };
    const second = this.#name();
    if (!second) return null;
    const table = { schema: nameOf(this.sql, first), table: nameOf(this.sql, second) };
    return { table, text: this.sql.slice(first.start, second.end) };
  }

  #name(): Token | null {
    const { current } = this;
    if (current?.kind !== 'name' && current?.kind !== 'word') return null;
    return this.advance();
  }

  /** Moves to the next top-level token that is one of `words`, or to the end of the statement. */
  skipTo(words: ReadonlySet<string>): void {
    while (this.current && !this.atEnd) {
      if (this.current.depth === 0 && words.has(this.word)) return;
      if (this.current.kind === 'open') this.#skipGroup();
      else this.advance();
    }
  }

  #skipGroup(): void {
    this.#lastEnd = this.#scanner.skipGroup();
    this.current = this.#scanner.next();
  }

  get atEnd(): boolean {
    return (
      this.current === null ||
      (this.current.kind === 'symbol' && this.current.depth === 0 && this.text(this.current) === ';')
    );
  }

  /** True when nothing but a closing semicolon follows. */
  get isDone(): boolean {
    this.acceptSymbol(';');
    return this.current === null;
  }

  get position(): number {
    return this.current?.start ?? this.sql.length;
  }
}

/** The columns of RETURNING, null when one of them is more than a name. */
function readReturning(reader: Reader): readonly string[] | '*' | null {
  if (reader.acceptSymbol('*')) return '*';
  const names: string[] = [];
  do {
    const token = reader.advance();
    if (token?.kind !== 'name' && token?.kind !== 'word') return null;
    names.push(nameOf(reader.sql, token));
  } while (reader.acceptSymbol(','));
  return names;
}

interface Tail {
  readonly body: string;
  readonly returning: ParsedWrite['returning'];
}

/** The table that an INSERT begins with; its rows, which may be many, are not read. */
export function insertTarget(sql: string): TableName | null {
  const reader = new Reader(sql);
  const target = reader.accept('insert') && reader.accept('into') ? reader.table() : null;
  return target?.table ?? null;
}

/** The row that a cursor stands on can be named nowhere but in the plain statement. */
const AT_CURSOR = /^current\s+of\b/i;

/** The end of a write: RETURNING if there is one, then nothing more. */
function readTail(reader: Reader): Tail | null {
  const body = reader.since(0);
  const asked = reader.accept('returning');
  const returning = asked ? readReturning(reader) : null;
  if ((asked && returning === null) || !reader.isDone) return null;
  return { body, returning };
}

const AFTER_SET = new Set(['from', 'where', 'returning']);
const AFTER_TARGET = new Set(['using', 'where', 'returning']);
const AFTER_WHERE = new Set(['returning']);
const AFTER_INSERT = new Set(['on', 'returning']);

function readWhere(reader: Reader): string | null {
  if (!reader.accept('where')) return null;
  const start = reader.position;
  reader.skipTo(AFTER_WHERE);
  return reader.since(start);
}

function parseUpdate(reader: Reader): ParsedStatement | null {
  const target = reader.table();
  if (!target || !reader.accept('set')) return null;
  const start = reader.position;
  reader.skipTo(AFTER_SET);
  const set = reader.since(start);
  if (reader.word === 'from') return null;
  const where = readWhere(reader);
  if (AT_CURSOR.test(where ?? '')) return null;
  return finish(reader, 'update', target, { set, where, assigned: assignedColumns(set) });
}

function parseDelete(reader: Reader): ParsedStatement | null {
  const target = reader.accept('from') ? reader.table() : null;
  if (!target || !(reader.atEnd || AFTER_TARGET.has(reader.word)) || reader.word === 'using') return null;
  const where = readWhere(reader);
  if (AT_CURSOR.test(where ?? '')) return null;
  return finish(reader, 'delete', target, { where });
}

/** Moves behind ON CONFLICT, or to the end of the insert; the ON of a join is none. */
function findOnConflict(reader: Reader): boolean {
  reader.skipTo(AFTER_INSERT);
  while (reader.accept('on')) {
    if (reader.word === 'conflict') return true;
    reader.skipTo(AFTER_INSERT);
  }
  return false;
}

function parseInsert(reader: Reader): ParsedStatement | null {
  const target = reader.accept('into') ? reader.table() : null;
  if (!target || reader.word === 'as') return null;
  const conflict = findOnConflict(reader) ? readConflict(reader) : {};
  return conflict ? finish(reader, 'insert', target, conflict) : null;
}

/** What follows ON: the columns of the conflict and what happens then; null when not every row would be seen. */
function readConflict(reader: Reader): Partial<ParsedWrite> | null {
  const start = reader.position;
  reader.skipTo(new Set(['where', 'do']));
  const target = namesIn(reader.since(start));
  reader.skipTo(new Set(['do']));
  reader.advance();
  if (reader.accept('nothing')) return { onConflict: 'nothing' };
  reader.advance();
  reader.accept('set');
  const setAt = reader.position;
  reader.skipTo(new Set(['where', 'returning']));
  const set = reader.since(setAt);
  const assigned = assignedColumns(set);
  const matched = assigned.filter((column) => target.has(column) && takesExcluded(set, column));
  return reader.word === 'where' ? null : { onConflict: 'update', assigned, matched };
}

/** Whether a SET list gives a column the value of the row that was to be inserted, as Sequelize writes it. */
function takesExcluded(set: string, column: string): boolean {
  const name = `"?${column.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)}"?`;
  return new RegExp(String.raw`(?:^|,)\s*${name}\s*=\s*excluded\.${name}\s*(?:,|$)`, 'i').test(set);
}

function finish(
  reader: Reader,
  kind: ParsedWrite['kind'],
  target: { table: TableName; text: string },
  parts: Partial<ParsedWrite>,
): ParsedStatement | null {
  const tail = readTail(reader);
  if (!tail) return null;
  const defaults = { set: '', assigned: [], matched: [], where: null, onConflict: 'none' } as const;
  return {
    shape: 'write',
    write: { ...defaults, ...parts, kind, table: target.table, tableText: target.text, ...tail },
  };
}

/** What `sql` does, as far as a write can be compiled; reads the text once, twice where it is more than that, and never throws. */
export function parseStatement(sql: string): ParsedStatement {
  return parseSimple(sql) ?? { shape: 'other', ...survey(sql) };
}

function parseSimple(sql: string): ParsedStatement | null {
  const reader = new Reader(sql);
  if (reader.accept('update')) return parseUpdate(reader);
  if (reader.accept('insert')) return parseInsert(reader);
  if (reader.accept('delete')) return parseDelete(reader);
  if (reader.accept('truncate')) return parseTruncate(reader);
  return reader.word === 'create' ? parseGuardedInsert(sql) : null;
}

/** One table; a list of tables is a raw statement that nobody has taught the compiler. */
function parseTruncate(reader: Reader): ParsedStatement | null {
  reader.accept('table');
  if (reader.word === 'only') return null;
  const target = reader.table();
  if (!target) return null;
  const rest = new Set<string>();
  for (; !reader.atEnd; reader.advance()) rest.add(reader.word);
  if (rest.has('') || !reader.isDone) return null;
  return { shape: 'truncate', table: target.table, tableText: target.text, cascade: rest.has('cascade') };
}

const GUARDED_INSERT =
  /^CREATE OR REPLACE FUNCTION pg_temp\.testfunc\(.*?\) RETURNS RECORD AS (\$func_\w+\$) BEGIN (INSERT .*) RETURNING \* INTO response; EXCEPTION WHEN unique_violation THEN .*? END \1 LANGUAGE plpgsql; SELECT (.*?), testfunc\.sequelize_caught_exception FROM pg_temp\.testfunc\(\); DROP FUNCTION IF EXISTS pg_temp\.testfunc\(\);$/s;

/** The INSERT inside the function, asking for the columns that the caller selects from its result. */
function parseGuardedInsert(sql: string): ParsedStatement | null {
  const match = GUARDED_INSERT.exec(sql);
  if (!match) return null;
  const columns = (match[3] ?? '').replaceAll('(testfunc.response).', '');
  const inner = parseSimple(`${match[2] ?? ''} RETURNING ${columns}`);
  return inner?.shape === 'write' ? { shape: 'guardedInsert', insert: inner.write } : null;
}

/** Every name in a text, quoted or not. */
export function namesIn(sql: string): ReadonlySet<string> {
  const names = new Set<string>();
  const scanner = new Scanner(sql);
  for (let token = scanner.next(); token; token = scanner.next()) {
    if (token.kind === 'name' || token.kind === 'word') names.add(nameOf(sql, token));
  }
  return names;
}

/** The columns a SET list assigns to; `("a", "b") = (…)` included. */
function assignedColumns(set: string): string[] {
  const columns: string[] = [];
  const scanner = new Scanner(set);
  let isTarget = true;
  for (let token = scanner.next(); token; token = scanner.next()) {
    const text = set.slice(token.start, token.end);
    if (token.depth === 0 && text === ',') isTarget = true;
    else if (token.depth === 0 && text === '=') isTarget = false;
    else if (isTarget && (token.kind === 'name' || token.kind === 'word')) columns.push(nameOf(set, token));
  }
  return columns;
}
