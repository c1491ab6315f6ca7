import { AuditError } from '../core/errors';
import type { HistorySettings } from '../history/settings';
import { nullableColumnsOf } from '../schema/references';
import { sqlState } from '../schema/sql-state';
import { parkRow } from '../statement/undo-sql';
import { obstaclesIn } from './obstacles';
import { byStatement, type UndoneEntry } from './undo-entries';
import { linkUndos, type LinkUndo } from './undo-links';
import { UndoPlanner, UndoRefused, type RowUndo, type UndoObstacle } from './undo-plan';
import { rowSpans } from './undo-rows';
import type { UndoSession } from './undo-session';
import { keyBinds, type UndoTables } from './undo-tables';
import type { UndoSet, UndoWriter } from './undo-writes';

/** Violations that another order of the same writes may avoid: of unique, exclusion and foreign keys. */
const OF_ORDER = new Set(['23505', '23P01', '23503', '23001']);
const UNIQUE_VIOLATION = '23505';

function isOfOrder(error: unknown): boolean {
  return error instanceof UndoRefused ? error.isOrder : OF_ORDER.has(sqlState(error) ?? '');
}

/** What entries say is to be done, without looking whether it may be. */
export function planOf(
  settings: HistorySettings,
  tables: UndoTables,
  entries: readonly UndoneEntry[],
): { readonly planner: UndoPlanner; readonly set: UndoSet } {
  const planner = new UndoPlanner(tables);
  const keyOf = (model: string): string | undefined =>
    tables.get(model)?.registration.tracked.keys[0]?.attribute;
  const rows = rowSpans(entries, keyOf).map((span) => planner.plan(span));
  const links = linkUndos(settings, tables, entries);
  return { planner, set: { rows: rows.filter((each) => each !== null), links } };
}

/** One row or link, where sets of them fail. */
interface Step {
  readonly set: UndoSet;
  readonly row: RowUndo | null;
  readonly lastId: bigint;
  isParked: boolean;
}

/** Newest first: in that order each state in between was once valid. */
function stepsOf({ rows, links }: UndoSet): Step[] {
  const ofRow = (row: RowUndo): Step => {
    return { set: { rows: [row], links: [] }, row, lastId: BigInt(row.span.lastId), isParked: false };
  };
  const ofLink = (link: LinkUndo): Step => {
    return { set: { rows: [], links: [link] }, row: null, lastId: BigInt(link.lastId), isParked: false };
  };
  return [...rows.map(ofRow), ...links.map(ofLink)].toSorted((a, b) => (a.lastId < b.lastId ? 1 : -1));
}

/** Tries a set as a whole, then statement by statement backwards, then row by row. */
export class UndoAttempt {
  readonly #settings: HistorySettings;
  readonly #session: UndoSession;
  readonly #writer: UndoWriter;
  readonly #tables: UndoTables;

  constructor(settings: HistorySettings, session: UndoSession, writer: UndoWriter, tables: UndoTables) {
    this.#settings = settings;
    this.#session = session;
    this.#writer = writer;
    this.#tables = tables;
  }

  /**
   * @param entries those of which the set is the sum; null when it is not all of them
   * @throws {UndoRefused} or the database's error
   */
  async run(set: UndoSet, entries: readonly UndoneEntry[] | null): Promise<void> {
    // Where a key changed, children followed: only each statement by itself finds rows under the keys it left them with.
    const replayed = entries && set.rows.some(({ isMove }) => isMove) ? this.#statements(entries) : null;
    if (replayed) await this.#replay(replayed);
    else await this.#runWhole(set, entries);
  }

  async #runWhole(set: UndoSet, entries: readonly UndoneEntry[] | null): Promise<void> {
    try {
      await this.#session.tentatively(() => this.#writer.run(set));
    } catch (error) {
      if (!isOfOrder(error) || error instanceof UndoRefused) throw error;
      const statements = entries ? this.#statements(entries) : null;
      if (statements) await this.#replay(statements);
      else await this.#rounds(stepsOf(set));
    }
  }

  /** Each statement by itself, the newest first; null when one of them can't be undone by itself. */
  #statements(entries: readonly UndoneEntry[]): UndoSet[] | null {
    const plans = byStatement(entries).map((each) => planOf(this.#settings, this.#tables, each));
    if (plans.some(({ planner }) => planner.obstacles.length > 0)) return null;
    return plans.map(({ set }) => set);
  }

  async #replay(statements: readonly UndoSet[]): Promise<void> {
    for (const set of statements) {
      try {
        await this.#session.tentatively(() => this.#writer.run(set));
      } catch (error) {
        if (!isOfOrder(error)) throw error;
        await this.#rounds(stepsOf(set));
      }
    }
  }

  /** Row by row, again and again for as long as that leads on. */
  async #rounds(steps: readonly Step[]): Promise<void> {
    let left = steps;
    while (left.length > 0) {
      const failed: { readonly step: Step; readonly error: unknown }[] = [];
      for (const step of left) {
        const error = await this.#try(step);
        if (error !== null) failed.push({ step, error });
      }
      if (failed.length === left.length && !(await this.#park(failed)))
        throw this.#refused(failed[0]!.step, failed[0]!.error);
      left = failed.map(({ step }) => step);
    }
  }

  /** The error when another order may help. */
  async #try({ set, row }: Step): Promise<unknown> {
    try {
      await this.#session.tentatively(() => this.#writer.run(set));
      return null;
    } catch (error) {
      if (isOfOrder(error)) return error;
      throw row ? this.#refused({ row }, error) : error;
    }
  }

  /** Rows that have each other's unique value: one of them gives it up for a while, if its column may be null. */
  async #park(failed: readonly { readonly step: Step; readonly error: unknown }[]): Promise<boolean> {
    for (const { step, error } of failed) {
      if (step.isParked || step.row?.action !== 'update' || sqlState(error) !== UNIQUE_VIOLATION) continue;
      const column = await this.#parkingColumn(step.row, error);
      if (column === null) continue;
      const { table, pk } = step.row;
      step.isParked = true;
      await this.#session.write(parkRow(table, column), keyBinds(table, [pk]));
      return true;
    }
    return false;
  }

  async #parkingColumn({ table, values }: RowUndo, error: unknown): Promise<string | null> {
    const { original } = error as { readonly original?: { readonly constraint?: string } };
    const nullable = await nullableColumnsOf(
      this.#session.query,
      original?.constraint ?? '',
      table.resolved.schema ?? '',
    );
    return values.map(([{ column }]) => column.name).find((name) => nullable.includes(name)) ?? null;
  }

  #refused({ row }: Pick<Step, 'row'>, error: unknown): unknown {
    const obstacles = row ? obstaclesIn(row.table.registration, error) : null;
    if (!row || !obstacles) return error;
    return new RowRefused(
      obstacles.map((each) => ({
        code: 'ERR_AUDIT_CONFLICT',
        model: row.table.model,
        objectPk: row.pk,
        ...each,
      })),
      error,
    );
  }
}

/** A row that the database refuses. */
class RowRefused extends UndoRefused {
  constructor(obstacles: readonly UndoObstacle[], cause: unknown) {
    super(obstacles, false);
    this.cause = cause;
  }
}

/** What stands against an undo by the error that it ended with; null when the error is another. */
export function obstaclesOf(tables: UndoTables, error: unknown): readonly UndoObstacle[] | null {
  if (error instanceof UndoRefused) return error.obstacles;
  const { original } = error as { readonly original?: { readonly table?: string } };
  const all = [...tables.values()];
  const table = all.find((each) => each.resolved.table === original?.table);
  const registration = (table ?? all[0])?.registration;
  const found = registration ? obstaclesIn(registration, error) : null;
  return (
    found?.map((each) => ({
      code: 'ERR_AUDIT_CONFLICT',
      model: table?.model ?? null,
      objectPk: null,
      ...each,
    })) ?? null
  );
}

const MAX_NAMED = 5;

function named({ model, objectPk, why }: UndoObstacle): string {
  if (model === null) return why;
  return objectPk === null ? `${model}: ${why}` : `${model} ${objectPk}: ${why}`;
}

/** The coded error that names the objects. */
export function undoError(where: string, obstacles: readonly UndoObstacle[], cause: unknown): AuditError {
  const isConflict = obstacles.some(({ code }) => code === 'ERR_AUDIT_CONFLICT');
  const texts = obstacles.slice(0, MAX_NAMED).map(named);
  const more = obstacles.length > MAX_NAMED ? `; and ${obstacles.length - MAX_NAMED} more` : '';
  const message = `${where}: nothing was undone. ${texts.join('; ')}${more}. With { dryRun: true } the result lists all that stands against it.`;
  const code = isConflict ? 'ERR_AUDIT_CONFLICT' : 'ERR_AUDIT_NOT_RESTORABLE';
  return new AuditError(code, message, cause === undefined ? {} : { cause });
}
