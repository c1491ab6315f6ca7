import type { PruneMark } from '../history/prune-marks';
import type { CatalogueQuery } from '../schema/catalogue';
import type { TableName } from '../schema/quote';
import type { JsonText } from '../statement/undo-values';
import { pruneOfRequest, pruneOfTransaction } from '../statement/prune-marks';
import { entriesBy, laterEntries } from '../statement/undo-sql';
import { groupBy } from './group-by';

/** Links of one association that an entry tells of. */
export interface EntryLinks {
  readonly association: string;
  readonly added: readonly { readonly pk: string }[];
  readonly removed: readonly { readonly pk: string }[];
}

/** One entry as an undo reads it: values are JSON texts, exact also where a JavaScript number is not. */
export interface UndoneEntry {
  readonly id: string;
  readonly model: string;
  readonly objectPk: string;
  readonly objectRepr: string | null;
  readonly action: string;
  readonly transactionId: string | null;
  /** ISO text with microseconds: the same for all entries of one statement. */
  readonly at: string;
  readonly movedTo: string | null;
  readonly movedFrom: string | null;
  readonly values: readonly (readonly [attribute: string, old: JsonText, now: JsonText])[];
  readonly links: readonly EntryLinks[];
}

/** Which entries are undone. */
export interface UndoSubject {
  readonly by: 'transaction_id' | 'correlation_id';
  readonly value: string;
}

/** All entries of a transaction or request, oldest first. */
export async function readUndone(
  query: CatalogueQuery,
  log: TableName,
  { by, value }: UndoSubject,
): Promise<readonly UndoneEntry[]> {
  return (await query(entriesBy(log, by), [value])).rows as UndoneEntry[];
}

/** When the first of the entries was written. */
export function oldestOf(entries: readonly UndoneEntry[]): string {
  return entries.map(({ at }) => at).reduce((a, b) => (a < b ? a : b));
}

/** Work of a request may go on in jobs, so that entries of one may lie on both sides of where a prune came to. */
const LONGEST_REQUEST = '1 day';

/** A prune that may have removed entries of the subject, of which the oldest that is left came at `oldest`; null where none did. */
export async function readPrune(
  query: CatalogueQuery,
  log: TableName,
  { by, value }: UndoSubject,
  oldest: string | null,
): Promise<PruneMark | null> {
  const { rows } = await (by === 'transaction_id'
    ? query(pruneOfTransaction(log), [value, oldest])
    : query(pruneOfRequest(log), [oldest, LONGEST_REQUEST]));
  return (rows[0] as PruneMark | undefined) ?? null;
}

/** An object and the entry after which others count as later. */
export interface ObjectSince {
  readonly model: string;
  readonly pk: string;
  readonly id: string;
}

/** Entries about these objects that came later and are not among those undone. */
export async function readLater(
  query: CatalogueQuery,
  log: TableName,
  objects: readonly ObjectSince[],
  undone: readonly UndoneEntry[],
): Promise<readonly UndoneEntry[]> {
  const column = (name: keyof ObjectSince): string[] => objects.map((each) => each[name]);
  const ids = undone.map(({ id }) => id);
  return (await query(laterEntries(log), [column('model'), column('pk'), column('id'), ids]))
    .rows as UndoneEntry[];
}

const CAPTURED = new Set(['create', 'update', 'delete']);

/** Whether an entry tells of a write: `access` and words of the application change nothing. */
export function isCaptured({ action }: UndoneEntry): boolean {
  return CAPTURED.has(action);
}

/** The entries by statement: those of one share their instant. Newest statement first. */
export function byStatement(entries: readonly UndoneEntry[]): UndoneEntry[][] {
  const statements = groupBy(entries, ({ transactionId, at }) => `${transactionId} ${at}`);
  return [...statements.values()].toReversed();
}
