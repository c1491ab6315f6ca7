import { nameOf, Scanner, type Token } from './scanner';

/** What a text does that is more than one simple statement, as far as its words tell. */
export interface Survey {
  /** The tables it writes to, by name without schema. */
  readonly tables: ReadonlySet<string>;
  /** Whether tables may be others after it, and whether columns may. */
  readonly defines: boolean;
  readonly alters: boolean;
}

interface Finds {
  readonly tables: Set<string>;
  defines: boolean;
  alters: boolean;
}

/** Statements whose words are about writes but make none. */
const WRITES_NOTHING = new Set(['create', 'alter', 'drop', 'comment', 'grant', 'revoke', 'reindex']);
const DEFINES = new Set(['create', 'alter', 'drop']);
/** What is created, altered or dropped without changing any table's columns or keys. */
const NO_TABLE = new Set(['index', 'function', 'temp', 'temporary']);
const BETWEEN = new Set(['or', 'replace', 'unique', 'local', 'global']);

/** One statement of a text: its tokens with their words in lower case, empty for what is no word. */
export interface Statement {
  readonly sql: string;
  readonly tokens: readonly Token[];
  readonly words: readonly string[];
}

/** The statements of a text. */
export function* statementsOf(sql: string): Generator<Statement> {
  const scanner = new Scanner(sql);
  let tokens: Token[] = [];
  for (let token = scanner.next(); token; token = scanner.next()) {
    if (token.depth > 0 || sql.slice(token.start, token.end) !== ';') tokens.push(token);
    else {
      if (tokens.length > 0) yield statementOf(sql, tokens);
      tokens = [];
    }
  }
  if (tokens.length > 0) yield statementOf(sql, tokens);
}

function statementOf(sql: string, tokens: readonly Token[]): Statement {
  const words = tokens.map(({ kind, start, end }) =>
    kind === 'word' ? sql.slice(start, end).toLowerCase() : '',
  );
  return { sql, tokens, words };
}

function symbolAt({ sql, tokens }: Statement, at: number): string {
  const token = tokens[at];
  return token?.kind === 'symbol' ? sql.slice(token.start, token.end) : '';
}

/** Notes the table named at `at`, which may have a schema; returns the place behind it. */
function noteTable(finds: Finds, statement: Statement, at: number): number {
  const { sql, tokens, words } = statement;
  if (words[at] === 'only') return noteTable(finds, statement, at + 1);
  const token = tokens[at];
  if (token?.kind !== 'name' && token?.kind !== 'word') return at;
  if (symbolAt(statement, at + 1) === '.') return noteTable(finds, statement, at + 2);
  finds.tables.add(nameOf(sql, token));
  return at + 1;
}

function noteTruncated(finds: Finds, statement: Statement, at: number): void {
  let next = noteTable(finds, statement, statement.words[at] === 'table' ? at + 1 : at);
  if (symbolAt(statement, next) === '*') next += 1;
  if (symbolAt(statement, next) === ',') noteTruncated(finds, statement, next + 1);
}

/** `copy t (a, b) from …`; `copy t to …` and `copy (select …) to …` only read. */
function noteCopied(finds: Finds, statement: Statement, at: number): void {
  const found: Finds = { tables: new Set(), defines: false, alters: false };
  let next = noteTable(found, statement, at);
  if (statement.tokens[next]?.kind === 'open')
    next = statement.tokens.findIndex((token, place) => place > next && token.kind === 'close') + 1;
  if (statement.words[next] === 'from') for (const table of found.tables) finds.tables.add(table);
}

/** "FOR UPDATE", "FOR NO KEY UPDATE" and "DO UPDATE" name no table that they write to. */
const NO_UPDATE_AFTER = new Set(['for', 'key', 'do', 'on']);

function noteWrite(finds: Finds, statement: Statement, at: number): void {
  const { words } = statement;
  const [word, next] = [words[at], words[at + 1]];
  if (word === 'update' && !NO_UPDATE_AFTER.has(words[at - 1] ?? '')) noteTable(finds, statement, at + 1);
  else if ((word === 'insert' || word === 'merge') && next === 'into') noteTable(finds, statement, at + 2);
  else if (word === 'delete' && next === 'from') noteTable(finds, statement, at + 2);
  else if (word === 'truncate') noteTruncated(finds, statement, at + 1);
  else if (word === 'copy') noteCopied(finds, statement, at + 1);
}

function noteDefinition(finds: Finds, { words }: Statement, at: number): void {
  const verb = words[at] ?? '';
  if (!DEFINES.has(verb)) return;
  let subject = at + 1;
  while (BETWEEN.has(words[subject] ?? '')) subject += 1;
  if (NO_TABLE.has(words[subject] ?? '')) return;
  finds.defines = true;
  if (verb === 'alter') finds.alters = true;
}

/** EXPLAIN runs what it explains only with ANALYZE. */
function runs({ words }: Statement): boolean {
  return words[0] !== 'explain' || words.includes('analyze') || words.includes('analyse');
}

function note(finds: Finds, statement: Statement): void {
  noteDefinition(finds, statement, 0);
  if (WRITES_NOTHING.has(statement.words[0] ?? '') || !runs(statement)) return;
  for (const at of statement.words.keys()) noteWrite(finds, statement, at);
  if (statement.words[0] === 'do') noteBody(finds, statement);
}

const QUOTED = new Set(['text', 'escapeText', 'dollarText']);

/** The code of a DO block, and the statements that it may hold as texts. */
function noteBody(finds: Finds, { sql, tokens }: Statement): void {
  for (const { kind, start, end } of tokens) {
    if (!QUOTED.has(kind)) continue;
    const body = contentOf(sql.slice(start, end), kind);
    for (const inner of statementsOf(body)) {
      noteBody(finds, inner);
      for (const at of inner.words.keys()) {
        noteDefinition(finds, inner, at);
        noteWrite(finds, inner, at);
      }
    }
  }
}

function contentOf(text: string, kind: Token['kind']): string {
  if (kind === 'text') return text.slice(1, -1).replaceAll("''", "'");
  const quote = kind === 'dollarText' ? text.indexOf('$', 1) : text.indexOf("'");
  return text.slice(quote + 1, kind === 'dollarText' ? text.lastIndexOf('$', text.length - 2) : -1);
}

/** Looks through a whole text for what it writes to and defines; never throws. */
export function survey(sql: string): Survey {
  const finds: Finds = { tables: new Set(), defines: false, alters: false };
  for (const statement of statementsOf(sql)) note(finds, statement);
  return finds;
}

/** The word that a text begins with, behind comments: always one of SQL's own. */
export function firstWord(sql: string): string {
  const token = new Scanner(sql).next();
  return token?.kind === 'word' ? sql.slice(token.start, token.end).toLowerCase() : 'statement';
}

const MAX_FORM = 4_000;

/** What makes two texts the same but for their values: the beginning of a text without literals, binds and comments. */
export function formOf(sql: string): string {
  const scanner = new Scanner(sql.slice(0, MAX_FORM));
  const parts: string[] = [];
  for (let token = scanner.next(); token; token = scanner.next()) {
    const { kind, start, end } = token;
    const text = sql.slice(start, end);
    const isValue = kind === 'text' || kind === 'escapeText' || kind === 'number' || kind === 'bind';
    // Most likely code.
    if (kind === 'dollarText') parts.push(formOf(contentOf(text, kind)));
    else parts.push(isValue ? '?' : text);
  }
  // Lists of values and of rows are the same in any length.
  return parts
    .join(' ')
    .replaceAll(/(?:\? , )+\?/g, '?')
    .replaceAll(/(?:\( \? \) , )+\( \? \)/g, '( ? )');
}
