import type { TableName } from '../schema/quote';
import { groupBy } from './group-by';
import { lockKeyed } from '../statement/undo-sql';
import { readLater, type ObjectSince, type UndoneEntry } from './undo-entries';
import type { RowUndo, UndoObstacle } from './undo-plan';
import { firstPk, objectKey } from './undo-rows';
import type { UndoSession } from './undo-session';
import { encodedColumn, keyBinds, type UndoColumn } from './undo-tables';

/** Values of a live row as entries hold them, by attribute. */
type LiveRow = ReadonlyMap<string, string | null>;

/** Live rows by model and key. */
type LiveRows = ReadonlyMap<string, LiveRow>;

/** Columns whose present value must be the one that was written last. */
function comparedColumns({ action, table, span, values }: RowUndo): UndoColumn[] {
  const columns =
    action === 'update'
      ? values.map(([column]) => column)
      : [...span.values.keys()].map((name) => table.tracked.get(name));
  return columns.filter((each) => each !== undefined && !each.mask && !each.column.generated) as UndoColumn[];
}

/** Locks one table's rows that are about to be written. */
async function lockTable(
  session: UndoSession,
  undos: readonly RowUndo[],
  live: Map<string, LiveRow>,
): Promise<void> {
  const { table } = undos[0]!;
  const pks = [...new Set(undos.flatMap((undo) => [undo.pk, firstPk(undo.span)]))];
  const columns = [...new Set(undos.filter(({ action }) => action !== 'create').flatMap(comparedColumns))];
  const { rows } = await session.query(lockKeyed(table, columns.map(encodedColumn)), keyBinds(table, pks));
  for (const { n, values } of rows as { n: number; values: (string | null)[] }[]) {
    const row = new Map(columns.map((each, at) => [each.attribute, values[at] ?? null]));
    live.set(objectKey(table.model, pks[n - 1]!), row);
  }
}

/** By model and then by key, so that two undos wait for each other and don't block one another. */
async function lockRows(session: UndoSession, undos: readonly RowUndo[]): Promise<LiveRows> {
  const byTable = groupBy(undos, ({ table }) => table);
  const live = new Map<string, LiveRow>();
  for (const each of [...byTable].toSorted(([a], [b]) => (a.model < b.model ? -1 : 1))) {
    await lockTable(session, each[1], live);
  }
  return live;
}

function objectsSince(undos: readonly RowUndo[]): ObjectSince[] {
  return undos.flatMap(({ span }) =>
    [...new Set(span.pks)].map((pk) => ({ model: span.model, pk, id: span.firstId })),
  );
}

function isAfter(id: string, other: string): boolean {
  return BigInt(id) > BigInt(other);
}

/** What a later entry changed of what is to be undone; null when it may stay. */
function lostBy({ action, span, values }: RowUndo, entry: UndoneEntry): string | null {
  if (action !== 'update') return '';
  const changed = values.map(([{ attribute }]) => attribute);
  const found = entry.values.find(([name]) => {
    const since = span.values.get(name)?.firstId;
    return since !== undefined && changed.includes(name) && isAfter(entry.id, since);
  });
  return found ? found[0] : null;
}

/** Finds what has happened since: the rows are locked first, so that nothing happens any more. */
export class Conflicts {
  readonly #force: boolean;
  readonly obstacles: UndoObstacle[] = [];
  /** The undos that are still to be made. */
  readonly left: RowUndo[] = [];

  constructor(force: boolean) {
    this.#force = force;
  }

  async find(
    session: UndoSession,
    log: TableName,
    undos: readonly RowUndo[],
    entries: readonly UndoneEntry[],
  ): Promise<void> {
    const live = await lockRows(session, undos);
    const found = await readLater(session.query, log, objectsSince(undos), entries);
    const later = groupBy(found, ({ model, objectPk }) => objectKey(model, objectPk));
    const vacated = vacatedKeys(undos);
    for (const undo of undos) {
      const since = undo.span.pks.flatMap((pk) => later.get(objectKey(undo.span.model, pk)) ?? []);
      this.#check(undo, since, live, vacated);
    }
  }

  #check(undo: RowUndo, later: readonly UndoneEntry[], live: LiveRows, vacated: ReadonlySet<string>): void {
    const row = live.get(objectKey(undo.span.model, undo.pk));
    const isLost = this.#checkLater(undo, later);
    if (undo.action === 'create' || undo.isMove) this.#checkKey(undo, live, vacated);
    if (undo.action === 'create') this.left.push(undo);
    else if (row) {
      this.left.push(undo);
      if (!isLost) this.#checkRow(undo, row);
    } else this.#gone(undo, isLost);
  }

  /** One obstacle per object is enough to decide by. */
  #checkLater(undo: RowUndo, later: readonly UndoneEntry[]): boolean {
    for (const entry of later) {
      const attribute = lostBy(undo, entry);
      if (attribute === null) continue;
      this.#lost(undo, `${changeBy(undo, attribute)} later, by entry ${entry.id} of ${entry.at}`, attribute);
      return true;
    }
    return false;
  }

  #checkKey(undo: RowUndo, live: LiveRows, vacated: ReadonlySet<string>): void {
    const key = objectKey(undo.span.model, firstPk(undo.span));
    if (live.has(key) && !vacated.has(key)) this.#refuse(undo, 'its key is taken by another row now');
  }

  /** A row that is gone already needs no deleting, but whoever deleted it did something later. */
  #gone(undo: RowUndo, isLost: boolean): void {
    if (undo.action === 'update') this.#refuse(undo, 'it is gone, so it can no longer be changed back');
    else if (!isLost) this.#lost(undo, 'it is gone already, and no entry says why', '');
  }

  #checkRow(undo: RowUndo, row: LiveRow): void {
    const changed = comparedColumns(undo).find(
      ({ attribute }) => row.get(attribute) !== (undo.span.values.get(attribute)?.after ?? null),
    );
    if (!changed) return;
    const { attribute } = changed;
    this.#lost(undo, `"${attribute}" was changed later by a write that left no entry`, attribute);
  }

  #lost(undo: RowUndo, why: string, attribute: string): void {
    if (!this.#force) this.#refuse(undo, why, attribute);
  }

  #refuse({ span, pk }: RowUndo, why: string, attribute = ''): void {
    const named = attribute === '' ? {} : { attribute };
    this.obstacles.push({ code: 'ERR_AUDIT_CONFLICT', model: span.model, objectPk: pk, ...named, why });
  }
}

function changeBy({ action }: RowUndo, attribute: string): string {
  if (action === 'update') return `"${attribute}" was changed`;
  return action === 'delete' ? 'it was changed' : 'its key was used again';
}

/** Keys that the undo itself sets free. */
function vacatedKeys(undos: readonly RowUndo[]): ReadonlySet<string> {
  const leaving = undos.filter(({ action, isMove }) => action === 'delete' || isMove);
  return new Set(leaving.map(({ span, pk }) => objectKey(span.model, pk)));
}
