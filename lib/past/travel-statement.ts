import { nameOf } from '../statement/scanner';
import { statementsOf, survey, type Statement } from '../statement/survey';

/** What a statement is to the past: one that may read tables, one that reads and writes none, or any other. */
type Kind = 'read' | 'control' | 'other';

/** One text on its way to the server, as far as the past must know it. */
export interface TravelStatement {
  readonly sql: string;
  /** What reads: more than one only when a text holds several. */
  readonly reads: readonly Read[];
  /** The verb of a statement that doesn't just read, in capitals; null when there is none. */
  readonly refused: string | null;
  /** What begins or ends a transaction, in capitals, and is no part of `refused`; null when nothing does. */
  readonly ends: string | null;
  readonly locks: boolean;
}

/** One SELECT, TABLE, VALUES or WITH. */
export interface Read {
  readonly statement: Statement;
  /** Its first token, behind EXPLAIN. */
  readonly at: number;
  /** `open` for one in parentheses. */
  readonly form: 'select' | 'with' | 'withRecursive' | 'open';
}

const READS = new Set(['select', 'with', 'table', 'values']);
const CONTROLS = new Set(
  'abort begin close commit deallocate end fetch move release reset rollback savepoint set show start'.split(
    ' ',
  ),
);
const ENDS = new Set(['abort', 'begin', 'commit', 'end', 'rollback', 'start']);
const NAMES: ReadonlySet<string> = new Set(['name', 'word']);
const LOCKS = new Set(['update', 'share', 'no', 'key']);

/** Without these nothing but the first word decides. */
const MAY_WRITE = /\b(?:insert|update|delete|truncate|merge|copy|into)\b/i;

/** The place behind EXPLAIN and its options. */
function explained({ words, tokens }: Statement): number {
  if (words[0] !== 'explain') return 0;
  if (tokens[1]?.kind === 'open' && !READS.has(words[2] ?? ''))
    return tokens.findIndex(({ kind, depth }) => kind === 'close' && depth === 0) + 1;
  let at = 1;
  while (['analyze', 'analyse', 'verbose'].includes(words[at] ?? '')) at += 1;
  return at;
}

/** The first token from `at` that is no opening parenthesis. */
function behindOpen({ tokens }: Statement, at: number): number {
  let next = at;
  while (tokens[next]?.kind === 'open') next += 1;
  return next;
}

function kindOf(statement: Statement): Kind {
  const { words } = statement;
  const first = words[behindOpen(statement, explained(statement))] ?? '';
  if (READS.has(first)) return 'read';
  return CONTROLS.has(first) && words[0] !== 'explain' ? 'control' : 'other';
}

function formOf(statement: Statement, at: number): Read['form'] {
  const { words, tokens } = statement;
  if (tokens[at]?.kind === 'open') return words[behindOpen(statement, at)] === 'with' ? 'open' : 'select';
  if (words[at] !== 'with') return 'select';
  return words[at + 1] === 'recursive' ? 'withRecursive' : 'with';
}

function isInto({ words, tokens }: Statement): boolean {
  return words.some((word, at) => word === 'into' && tokens[at]?.depth === 0);
}

/** PostgreSQL 15 takes these back to their defaults whenever it is told so, in the middle of a transaction too. */
const MODES = new Set(['transaction_read_only', 'transaction_isolation']);

function opensWrites({ sql, words, tokens }: Statement): boolean {
  if (words[0] !== 'set' && words[0] !== 'reset') return false;
  const isMode = words.includes('transaction') || words.includes('characteristics');
  if (isMode && words.includes('write')) return true;
  return tokens.some((token) => NAMES.has(token.kind) && MODES.has(nameOf(sql, token)));
}

/** Whether it ends a transaction or begins one; ROLLBACK TO a savepoint does neither. */
function endsTransaction({ words }: Statement): boolean {
  const [first = '', second] = words;
  if (first === 'prepare') return second === 'transaction';
  return ENDS.has(first) && !(first === 'rollback' && words.includes('to'));
}

function endIn(statements: readonly Statement[]): string | null {
  const [first, second] = statements.find(endsTransaction)?.words ?? [];
  if (first === undefined) return null;
  return (second === 'transaction' ? `${first} ${second}` : first).toUpperCase();
}

function locks({ words }: Statement): boolean {
  return words.some((word, at) => word === 'for' && LOCKS.has(words[at + 1] ?? ''));
}

function verbOf({ words }: Statement): string {
  return (words.find((word) => word !== '' && word !== 'explain') ?? 'statement').toUpperCase();
}

/** The verb of what is no read, though it may begin like one; null for a read. */
function refusedIn(sql: string, statements: readonly Statement[]): string | null {
  const other = statements.find((each) => kindOf(each) === 'other' || opensWrites(each));
  if (other) return verbOf(other);
  if (!MAY_WRITE.test(sql)) return null;
  const into = statements.find((each) => kindOf(each) === 'read' && isInto(each));
  if (into) return `${verbOf(into)} INTO`;
  return survey(sql).tables.size > 0 ? 'write inside a WITH' : null;
}

/** Reads one text: what it reads, and whether it does more than that. */
export function readStatement(sql: string): TravelStatement {
  const statements = [...statementsOf(sql)];
  const reads = statements.filter((each) => kindOf(each) === 'read');
  return {
    sql,
    reads: reads.map((statement) => {
      const at = explained(statement);
      return { statement, at, form: formOf(statement, at) };
    }),
    refused: refusedIn(sql, statements),
    ends: endIn(statements),
    locks: reads.some(locks),
  };
}

/** Whether names are written with escapes (`U&"…"`), which are not read here. */
export function hasEscapedNames({ sql, tokens }: Statement): boolean {
  return tokens.some(
    ({ kind, start }) => kind === 'name' && /u&$/i.test(sql.slice(Math.max(0, start - 2), start)),
  );
}
