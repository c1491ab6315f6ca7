import { logTable, type HistorySettings } from '../history/settings';
import { readTable } from '../schema/catalogue';
import { createdAt, newestVersions } from '../statement/undo-sql';
import type { RowUndo } from './undo-plan';
import { firstPk, objectKey, type RowSpan } from './undo-rows';
import type { UndoSession } from './undo-session';
import { keyBinds, type UndoTable } from './undo-tables';

/** One answer of a statement over bound rows. */
interface Found {
  readonly n: number;
  readonly at: string;
}

/** `createdAt` as text, by `objectKey`. */
type Days = ReadonlyMap<string, string>;

function byObject(spans: readonly RowSpan[], rows: readonly unknown[]): [string, string][] {
  return (rows as readonly Found[]).map(({ n, at }) => {
    const span = spans[n - 1]!;
    return [objectKey(span.model, firstPk(span)), at];
  });
}

/** When the first entry was written, which of what was there before the log began, or was pruned, is later than the row came. */
async function fromEntries(
  settings: HistorySettings,
  session: UndoSession,
  spans: readonly RowSpan[],
): Promise<[string, string][]> {
  const binds = [
    spans.map(({ model }) => model),
    spans.map((span) => firstPk(span)),
    spans.map(({ firstId }) => firstId),
  ];
  const { rows } = await session.query(createdAt(logTable(settings)), binds);
  return byObject(spans, rows);
}

/** What the versions hold, which is the row's own. */
async function fromVersions(
  { query }: UndoSession,
  table: UndoTable,
  spans: readonly RowSpan[],
): Promise<[string, string][]> {
  const snapshots = table.registration.options.snapshots;
  const history = snapshots && (await readTable(query, snapshots.table));
  const column = history?.columns.find(({ name }) => name === table.createdAt!.name);
  if (!column) return [];
  const sql = newestVersions({ table: snapshots!.table, keys: table.keys }, column.name);
  const { rows } = await query(
    sql,
    keyBinds(
      table,
      spans.map((span) => firstPk(span)),
    ),
  );
  return byObject(spans, rows);
}

/** `createdAt` of the rows that an undo brings back. */
export async function daysOfCreation(
  settings: HistorySettings,
  session: UndoSession,
  undos: readonly RowUndo[],
): Promise<Days> {
  const returning = undos.filter(({ action, table }) => action === 'create' && table.createdAt);
  if (returning.length === 0) return new Map();
  const days = new Map(
    await fromEntries(
      settings,
      session,
      returning.map(({ span }) => span),
    ),
  );
  for (const table of new Set(returning.map((undo) => undo.table))) {
    const spans = returning.filter((undo) => undo.table === table).map(({ span }) => span);
    for (const [key, at] of await fromVersions(session, table, spans)) days.set(key, at);
  }
  return days;
}
