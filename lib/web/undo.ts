import type { Transaction, WhereOptions } from 'sequelize';
import { inContextOf } from '../context/storage';
import { isAuditError } from '../core/errors';
import type { LogEntryAttributes } from '../core/types';
import { bothWhere } from '../history/where';
import type { UndoOptions, UndoResult } from '../revert/undo';
import type { LogEntry } from '../schema/log-entry';
import { forbidden } from './access';
import { WebProblem } from './problem';
import { rehearsal } from './rehearsal';
import { inScope } from './visible';
import type { Visit } from './visit';

/** What is undone: all that one request, or one transaction, did. */
export interface UndoTarget {
  readonly kind: 'request' | 'transaction';
  readonly id: string;
}

/** More entries than this are undone by a program: each object is asked about. */
export const MAX_UNDONE = 1000;

/** An object that an undo writes, as `authorize` is asked about it. */
interface Touched {
  readonly model: string;
  readonly pk: string;
}

const CAPTURED = ['create', 'update', 'delete'];

export function targetWhere({ kind, id }: UndoTarget): WhereOptions<LogEntryAttributes> {
  return kind === 'request' ? { correlationId: id } : { transactionId: id };
}

export function targetUrl(
  { urls }: Visit,
  { kind, id }: UndoTarget,
  query: Record<string, string> = {},
): string {
  return kind === 'request' ? urls.request(id, query) : urls.transaction(id, query);
}

const MAX_ID = 2n ** 63n - 1n;

/** The request that the address names; null for what can't be one: PostgreSQL's texts hold no NUL. */
export function requestOf(visit: Visit): UndoTarget | null {
  const id = visit.param('correlationId');
  return id.includes('\0') ? null : { kind: 'request', id };
}

/** The transaction that the address names; null for what can't be one. */
export function transactionOf(visit: Visit): UndoTarget | null {
  const text = visit.param('transactionId');
  const isId = /^\d{1,19}$/.test(text) && BigInt(text) <= MAX_ID;
  return isId ? { kind: 'transaction', id: String(BigInt(text)) } : null;
}

/** Everything the target wrote, whoever may see it, and whether some of it lies outside the visitor's scope. */
export interface Undoable {
  readonly entries: readonly LogEntry[];
  readonly isTooMuch: boolean;
  readonly isInScope: boolean;
}

/** Reads what an undo would undo. Without `changes` unless asked for. */
export async function readUndoable(
  visit: Visit,
  target: UndoTarget,
  transaction: Transaction,
  withChanges = false,
): Promise<Undoable> {
  const { LogEntry: log } = visit.web.settings;
  const written = bothWhere(visit.sequelize, { action: CAPTURED }, targetWhere(target));
  const attributes = ['id', 'model', 'objectPk', 'objectRepr', ...(withChanges ? ['changes'] : [])];
  const paging = { limit: MAX_UNDONE + 1, transaction };
  const entries = await log.findAll({ attributes, where: written, order: [['id', 'DESC']], ...paging });
  const seen =
    visit.access.scope === null
      ? entries
      : await log.findAll({ attributes: ['id'], where: inScope(visit, written), ...paging });
  return { entries, isTooMuch: entries.length > MAX_UNDONE, isInScope: seen.length === entries.length };
}

/** Whether an undo is offered: of each model on its own, since asking about each object belongs to the undo. */
export async function mayOfferUndo(visit: Visit, undoable: Undoable): Promise<boolean> {
  const { entries, isTooMuch, isInScope } = undoable;
  if (!visit.canRevert || entries.length === 0 || isTooMuch || !isInScope) return false;
  const allowed = await revertable(visit);
  return entries.every(({ model }) => allowed.has(model));
}

/** Models that may be viewed and reverted. */
async function revertable({ access }: Visit): Promise<ReadonlySet<string>> {
  const viewed = new Set(await access.models('view'));
  return new Set((await access.models('revert')).filter((model) => viewed.has(model)));
}

const keyOf = ({ model, pk }: Touched): string => JSON.stringify([model, pk]);

function objectsOf(entries: readonly Pick<LogEntry, 'model' | 'objectPk'>[]): Touched[] {
  const objects = entries.flatMap(({ model, objectPk }) =>
    objectPk === null ? [] : [{ model, pk: objectPk }],
  );
  return [...new Map(objects.map((each) => [keyOf(each), each])).values()];
}

async function requireEach({ access }: Visit, objects: readonly Touched[]): Promise<void> {
  for (const object of objects)
    for (const action of ['view', 'revert'] as const) await access.require({ action, ...object });
}

/** That some of it may have been pruned is no failure of the page. */
function prunedProblem({ texts }: Visit, error: unknown): unknown {
  if (!isAuditError(error) || error.code !== 'ERR_AUDIT_HISTORY_GAP') return error;
  return new WebProblem(422, 'Cannot be undone', { detail: texts.t('undo.pruned'), cause: error });
}

/** One undo of one visitor, of objects each of which may be reverted. */
export class PermittedUndo {
  readonly #visit: Visit;
  readonly #target: UndoTarget;
  readonly #allowed: ReadonlySet<string>;

  private constructor(visit: Visit, target: UndoTarget, objects: readonly Touched[]) {
    this.#visit = visit;
    this.#target = target;
    this.#allowed = new Set(objects.map(keyOf));
  }

  /** @throws {WebProblem} 403 when one of the objects may not be reverted, or lies outside the scope */
  static async ask(
    visit: Visit,
    target: UndoTarget,
    { entries, isInScope }: Undoable,
  ): Promise<PermittedUndo> {
    if (!isInScope) throw forbidden();
    const objects = objectsOf(entries);
    await requireEach(visit, objects);
    return new PermittedUndo(visit, target, objects);
  }

  /** What it would do. @throws {WebProblem} 403 */
  async preview(): Promise<UndoResult> {
    const result = await rehearsal(this.#visit, (transaction) => this.#revert({ dryRun: true, transaction }));
    this.#checkWritten(result.changes);
    return result;
  }

  /**
   * Does it, all or nothing.
   *
   * @throws {WebProblem} 403; 422 when some of it may have been pruned
   * @throws {AuditError} ERR_AUDIT_CONFLICT, ERR_AUDIT_NOT_RESTORABLE
   */
  run(reason: string): Promise<UndoResult> {
    return this.#visit.sequelize.transaction(async (transaction) => {
      const result = await this.#revert({ reason, transaction });
      this.#checkWritten(result.entries);
      return result;
    });
  }

  #revert(options: UndoOptions): Promise<UndoResult> {
    const { req, web } = this.#visit;
    const { kind, id } = this.#target;
    const { revertRequest, revertTransaction } = web.auditLog;
    // The body parser may have lost the context that says who it is.
    return inContextOf(req as never, () =>
      kind === 'request' ? revertRequest(id, options) : revertTransaction(id, options),
    ).catch((error: unknown) => {
      throw prunedProblem(this.#visit, error);
    });
  }

  /** Somebody may have written under the same correlation id since it was asked. */
  #checkWritten(written: readonly Pick<LogEntry, 'model' | 'objectPk'>[]): void {
    if (objectsOf(written).some((each) => !this.#allowed.has(keyOf(each)))) throw forbidden();
  }
}
