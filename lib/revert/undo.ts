import type { Transaction } from 'sequelize';
import { checkText } from '../context/checks';
import type { AuditCallOption } from '../core/call-option';
import { AuditError } from '../core/errors';
import { checkKeys, invalidArgument, invalidOption } from '../core/suggest';
import type { JsonValue } from '../core/types';
import type { PruneMark } from '../history/prune-marks';
import { logTable, type HistorySettings } from '../history/settings';
import type { LogEntry } from '../schema/log-entry';
import { readForeignKeys } from '../schema/catalogue';
import { runtimeOf } from '../schema/sequelize-runtime';
import type { JsonText } from '../statement/undo-values';
import { ownTransaction } from '../statement/undo-sql';
import { transact } from './transact';
import { obstaclesOf, planOf, UndoAttempt, undoError } from './undo-attempts';
import { Conflicts } from './undo-conflicts';
import {
  isCaptured,
  oldestOf,
  readLater,
  readPrune,
  readUndone,
  type UndoneEntry,
  type UndoSubject,
} from './undo-entries';
import { daysOfCreation } from './undo-creation';
import { linkConflicts, linkObstacles, untrackedLinks, type LinkUndo } from './undo-links';
import type { RowUndo, UndoObstacle, UndoSkip } from './undo-plan';
import { UndoSession } from './undo-session';
import { readUndoTables, type UndoTables } from './undo-tables';
import { UndoWriter } from './undo-writes';

/** Options of `revertTransaction` and `revertRequest`. */
export interface UndoOptions {
  /** Why; kept on every entry that the undo writes. @default the context's */
  readonly reason?: string | null;
  /** Do it all, report, and roll it back: obstacles are in the result and nothing throws on their account. @default false */
  readonly dryRun?: boolean;
  /** Undo also where a later change of the same attributes, or of an object that the undo deletes, is lost by it. @default false */
  readonly force?: boolean;
  /** Runs inside this transaction, in a savepoint. @default one of its own */
  readonly transaction?: Transaction | null;
}

/** One attribute: what it was until now and what it is after the undo, in the form in which entries hold values. */
export interface UndoneValue {
  readonly attribute: string;
  readonly now: JsonValue;
  readonly after: JsonValue;
}

/** What an undo did to one object. */
export interface UndoneObject {
  readonly model: string;
  readonly objectPk: string;
  readonly objectRepr: string | null;
  /** What the undo does, not what it undoes. */
  readonly action: 'create' | 'update' | 'delete';
  readonly changes: readonly UndoneValue[];
}

/** What an undo did, or with `dryRun` would have done. */
export interface UndoResult {
  readonly changes: readonly UndoneObject[];
  /** What comes back other than it was: attributes and links that were not recorded. */
  readonly skipped: readonly UndoSkip[];
  /** What stands against it; empty unless it was a dry run. */
  readonly obstacles: readonly UndoObstacle[];
  /** The entries that the undo wrote, newest first; none of a dry run. */
  readonly entries: readonly LogEntry[];
  /** The transaction of the undo, by which it can be undone itself; null of a dry run. */
  readonly transactionId: string | null;
}

/** The members of the audit log that undo. */
export interface UndoMembers {
  /**
   * Undoes what one database transaction did, all or nothing: objects that it created are deleted, deleted ones come back under
   * their keys, changed attributes get their old values, other attributes stay as they are. Works from the log's entries, with
   * and without snapshots, and leaves entries and versions itself (`additionalData.revertOf`), so that an undo can be undone.
   * Hooks and validators of the models don't run; constraints and triggers of the database do.
   *
   * @throws {AuditError} ERR_AUDIT_CONFLICT when a later change would be lost or the database refuses it;
   * ERR_AUDIT_NOT_RESTORABLE when masked or otherwise unrecorded values would be needed; ERR_AUDIT_NOT_THERE when the log has no
   * entry of that transaction, ERR_AUDIT_HISTORY_GAP when some of its entries, or all, may have been pruned; ERR_AUDIT_NOT_REGISTERED, ERR_AUDIT_INVALID_ARGUMENT, ERR_AUDIT_INVALID_OPTION
   * @example
   * const [entry] = await LogEntry.forObject(order);
   * const { changes } = await auditLog.revertTransaction(entry.transactionId, { reason: 'wrong file imported' });
   */
  readonly revertTransaction: (
    transactionId: string | number | bigint,
    options?: UndoOptions,
  ) => Promise<UndoResult>;
  /**
   * Undoes what all transactions of one request did, as one: see `revertTransaction`.
   *
   * @throws {AuditError} as `revertTransaction`
   * @example
   * const { obstacles } = await auditLog.revertRequest(entry.correlationId, { dryRun: true });
   */
  readonly revertRequest: (correlationId: string, options?: UndoOptions) => Promise<UndoResult>;
}

const OPTIONS = ['reason', 'dryRun', 'force', 'transaction'];
const MAX_ID = 9_223_372_036_854_775_807n;

/** @throws {AuditError} ERR_AUDIT_INVALID_OPTION */
function checkOptions(where: string, options: UndoOptions): void {
  checkKeys(where, options, OPTIONS);
  for (const name of ['dryRun', 'force'] as const) {
    const value: unknown = options[name];
    if (value !== undefined && typeof value !== 'boolean') invalidOption(where, name, 'a boolean', value);
  }
  if (options.reason !== undefined) checkText(`${where}: reason`, options.reason);
}

/** @throws {AuditError} ERR_AUDIT_INVALID_ARGUMENT */
function transactionSubject(where: string, id: unknown): UndoSubject {
  const text = typeof id === 'number' || typeof id === 'bigint' ? String(id) : id;
  if (typeof text !== 'string' || !/^\d{1,19}$/.test(text))
    return invalidArgument(where, "an entry's transactionId (digits)", id);
  if (BigInt(text) > MAX_ID) throw notThere(where, text);
  return { by: 'transaction_id', value: text };
}

/** @throws {AuditError} ERR_AUDIT_INVALID_ARGUMENT */
function requestSubject(where: string, id: unknown): UndoSubject {
  if (typeof id !== 'string' || id === '' || id.includes('\0'))
    return invalidArgument(where, "an entry's correlationId", id);
  return { by: 'correlation_id', value: id };
}

function notThere(where: string, value: string): AuditError {
  const message = `${where}: the log has no entry of "${value}". It may still be open, have been rolled back, or have written nothing that is registered.`;
  return new AuditError('ERR_AUDIT_NOT_THERE', message);
}

function prunedAway(
  where: string,
  value: string,
  { model, since }: PruneMark,
  oldest: string | null,
): AuditError {
  const state =
    oldest === null
      ? `the log has no entry of "${value}" (any more)`
      : `"${value}" may not be whole any more`;
  const message = `${where}: ${state}: entries of ${model} before ${since} were pruned, and some of it may have been among them. Nothing was undone; put objects back one by one with revert().`;
  return new AuditError('ERR_AUDIT_HISTORY_GAP', message);
}

/** The members that undo transactions and requests. */
export function createUndoMembers(settings: HistorySettings): UndoMembers {
  return {
    async revertTransaction(id, options = {}) {
      const where = 'auditLog.revertTransaction';
      checkOptions(where, options);
      return new Undo(settings, where, transactionSubject(where, id), options).run();
    },
    async revertRequest(id, options = {}) {
      const where = 'auditLog.revertRequest';
      checkOptions(where, options);
      return new Undo(settings, where, requestSubject(where, id), options).run();
    },
  };
}

/** What is to be undone, and what was found out about it. */
interface Plan {
  readonly tables: UndoTables;
  readonly rows: readonly RowUndo[];
  readonly links: readonly LinkUndo[];
  /** Those that the rows and links are the sum of; null when some of them are left out. */
  readonly entries: readonly UndoneEntry[] | null;
  readonly obstacles: readonly UndoObstacle[];
  readonly skipped: readonly UndoSkip[];
}

/** The transaction that an undo runs in. */
interface OwnTransaction {
  readonly transactionId: string;
  readonly newest: string;
}

/** Any number will do that other programs don't use for their own advisory locks. */
const LOCK = 4_857_121;

/** One call. */
class Undo {
  readonly #settings: HistorySettings;
  readonly #where: string;
  readonly #subject: UndoSubject;
  readonly #options: UndoOptions;

  constructor(settings: HistorySettings, where: string, subject: UndoSubject, options: UndoOptions) {
    this.#settings = settings;
    this.#where = where;
    this.#subject = subject;
    this.#options = options;
  }

  run(): Promise<UndoResult> {
    const { transaction, dryRun = false } = this.#options;
    return transact(this.#settings.sequelize, transaction, dryRun, (own) =>
      this.#undo(new UndoSession(this.#settings.sequelize, own, this.#audit())),
    );
  }

  #audit(): AuditCallOption {
    const { reason } = this.#options;
    const additionalData = { revertOf: this.#subject.value };
    return reason === undefined ? { additionalData } : { reason, additionalData };
  }

  async #undo(session: UndoSession): Promise<UndoResult> {
    const log = logTable(this.#settings);
    // Of two undos of the same, the second waits here, and then finds what the first did.
    await session.query('select pg_advisory_xact_lock($1, hashtext($2))', [LOCK, this.#subject.value]);
    const entries = await readUndone(session.query, log, this.#subject);
    if (entries.length === 0) {
      await this.#checkPruned(session, null);
      throw notThere(this.#where, this.#subject.value);
    }
    const own = await this.#ownTransaction(session);
    await session.deferConstraints();
    const plan = await this.#plan(session, entries.filter(isCaptured));
    // Now that later entries were read too: a prune leaves its mark before it removes anything.
    await this.#checkPruned(session, oldestOf(entries));
    const failure =
      plan.obstacles.length > 0 ? { obstacles: plan.obstacles } : await this.#attempt(session, plan);
    if (failure && this.#options.dryRun !== true)
      throw undoError(this.#where, failure.obstacles, 'cause' in failure ? failure.cause : undefined);
    return this.#result(session, plan, failure?.obstacles ?? [], own);
  }

  /** @throws {AuditError} ERR_AUDIT_HISTORY_GAP when entries of it may have been pruned, or all: nothing is undone by halves */
  async #checkPruned({ query }: UndoSession, oldest: string | null): Promise<void> {
    const mark = await readPrune(query, logTable(this.#settings), this.#subject, oldest);
    if (mark) throw prunedAway(this.#where, this.#subject.value, mark, oldest);
  }

  async #plan(session: UndoSession, entries: readonly UndoneEntry[]): Promise<Plan> {
    const settings = this.#settings;
    const log = logTable(settings);
    const tables = await readUndoTables(session.query, settings, entries);
    const { planner, set } = planOf(settings, tables, entries);
    const conflicts = new Conflicts(this.#options.force === true);
    await conflicts.find(session, log, set.rows, entries);
    const owners = set.links.map(({ owner, ownerPk, firstId }) => {
      return { model: owner.model, pk: ownerPk, id: firstId };
    });
    const isAsked = owners.length > 0 && this.#options.force !== true;
    const later = isAsked ? await readLater(session.query, log, owners, entries) : [];
    const obstacles = [
      ...conflicts.obstacles,
      ...linkConflicts(set.links, later),
      ...planner.obstacles,
      ...linkObstacles(set.links),
    ];
    const skipped = [...planner.skipped, ...this.#lostLinks(conflicts.left)];
    const isWhole = conflicts.left.length === set.rows.length;
    return {
      tables,
      rows: conflicts.left,
      links: set.links,
      entries: isWhole ? entries : null,
      obstacles,
      skipped,
    };
  }

  /** Links of an object that is deleted leave no entry of their own: its delete says it all. */
  #lostLinks(undos: readonly RowUndo[]): UndoSkip[] {
    const created = undos.filter(({ action }) => action === 'create');
    return created.flatMap(({ table, pk }) =>
      untrackedLinks(this.#settings, table).map((attribute) => {
        const why = 'links that went with the object were not recorded: register the through model';
        return { model: table.model, objectPk: pk, attribute, why };
      }),
    );
  }

  /** What the attempt ended with; null when it went well. */
  async #attempt(
    session: UndoSession,
    plan: Plan,
  ): Promise<{ obstacles: readonly UndoObstacle[]; cause: unknown } | null> {
    const { tables, rows, links, entries } = plan;
    const doomed = rows.filter(({ action }) => action === 'delete');
    const days = await daysOfCreation(this.#settings, session, rows);
    const writer = new UndoWriter(session, await readForeignKeys(session.query, 'all'), days, doomed);
    const attempt = new UndoAttempt(this.#settings, session, writer, tables);
    try {
      await session.tentatively(async () => {
        await attempt.run({ rows, links }, entries);
        await session.checkConstraints();
      });
      return null;
    } catch (error) {
      const obstacles = obstaclesOf(tables, error);
      if (!obstacles) throw error;
      return { obstacles, cause: error instanceof Error && 'cause' in error ? error.cause : error };
    }
  }

  /** Its id, and its newest entry: the caller's transaction may have written before. */
  async #ownTransaction({ query }: UndoSession): Promise<OwnTransaction> {
    const { rows } = await query(ownTransaction(logTable(this.#settings)), []);
    return rows[0] as OwnTransaction;
  }

  async #result(
    { transaction }: UndoSession,
    { rows, skipped }: Plan,
    obstacles: readonly UndoObstacle[],
    { transactionId, newest }: OwnTransaction,
  ): Promise<UndoResult> {
    const changes = rows.map(undoneObject);
    if (this.#options.dryRun === true)
      return { changes, skipped, obstacles, entries: [], transactionId: null };
    const { Op } = runtimeOf(this.#settings.sequelize);
    const entries = await this.#settings.LogEntry.findAll({
      where: { transactionId, id: { [Op.gt]: newest } },
      order: [['id', 'DESC']],
      transaction,
    });
    return { changes, skipped, obstacles, entries, transactionId };
  }
}

function parsed(json: JsonText): JsonValue {
  return json === null ? null : (JSON.parse(json) as JsonValue);
}

function undoneObject({ action, table, span, pk, values }: RowUndo): UndoneObject {
  const written = new Set(values.map(([{ attribute }]) => attribute));
  const named = [...span.values].filter(([name]) => action === 'delete' || written.has(name));
  const changes = named.map(([attribute, { before, after }]) => {
    return {
      attribute,
      now: action === 'create' ? null : parsed(after),
      after: action === 'delete' ? null : parsed(before),
    };
  });
  return { model: table.model, objectPk: pk, objectRepr: span.repr, action, changes };
}
