import type { Model, ModelStatic } from 'sequelize';
import { AuditError, isAuditError } from '../core/errors';
import { lazily } from '../core/lazily';
import { INSUFFICIENT_PRIVILEGE, UNDEFINED_TABLE } from '../core/postgres-codes';
import { inOwnTransaction } from '../history/own-transaction';
import { logTable, type HistorySettings } from '../history/settings';
import { quoteTable } from '../schema/quote';
import { sqlState } from '../schema/sql-state';
import type * as Archiving from './prune-archive';
import { alone } from './prune-lock';
import { resolvePrune } from './prune-options';
import { planPrune } from './prune-plan';
import { countOnly, removeAll, type RunSettings } from './prune-run';

// Loaded when something is archived.
const archiving = lazily(() => require('./prune-archive') as typeof Archiving);

/** How far a prune has come. */
export interface PruneProgress {
  /** `archive` before anything is removed, then `remove`; a dry run only says `remove`. */
  readonly phase: 'archive' | 'remove';
  /** The registered name of the model at work. */
  readonly model: string;
  /** Entries archived or removed so far, of all models. */
  readonly entries: number;
  /** Versions archived or removed so far, of all models. */
  readonly versions: number;
}

/** Options of `auditLog.prune`. */
export interface PruneOptions {
  /**
   * What is strictly older goes: than a time (a Date, or an ISO text with microseconds), or an age such as `'365d'` (`ms`, `s`,
   * `min`, `h`, `d`, `w`, `y`, or the words), which counts from now on the database's clock.
   */
  readonly olderThan: Date | string;
  /** Models, or names under which entries are stored. @default every model that is registered or that the log has entries of */
  readonly models?: readonly (string | ModelStatic<Model>)[];
  /** How many of the newest entries and versions of each object stay, however old. @default 0 */
  readonly keepLast?: number;
  /** Counts what would be removed, exactly, and changes nothing. @default false */
  readonly dryRun?: boolean;
  /** Rows looked at, and so at most removed, per transaction: 1 to 10,000. @default 1000 */
  readonly batchSize?: number;
  /**
   * A folder for NDJSON.gz files and a manifest, verified before anything is removed: one for each prune. A run that was broken
   * off goes on when it is called again with the same folder and options.
   */
  readonly archiveTo?: string;
  /** Called after every batch that removed or archived something, and awaited; what it throws ends the work, of which whole batches stay. */
  readonly onProgress?: (progress: PruneProgress) => void | Promise<void>;
}

/** What was removed of one model. */
export interface PrunedCounts {
  readonly entries: number;
  readonly versions: number;
}

/** By registered name: every model that was looked at. */
export type PruneResult = Readonly<Record<string, PrunedCounts>>;

/** The member of the audit log. */
export interface Pruning {
  /**
   * Removes entries and versions that are strictly older, but what is needed to read an object that was still there then, as of
   * that or any later time: its newest version, or the newest entry of each attribute, and the links it has. In batches of a
   * transaction each; a run that was broken off is gone on with by the next. Each model of which something was removed gets an
   * entry with the action `prune`.
   *
   * @throws {AuditError} ERR_AUDIT_INVALID_OPTION, ERR_AUDIT_NOT_REGISTERED when there is no model at all, ERR_AUDIT_BUSY while
   * another prune is at work, ERR_AUDIT_PERMISSION, ERR_AUDIT_MISSING_TABLE, ERR_AUDIT_ARCHIVE
   * @example
   * const pruned = await auditLog.prune({ olderThan: '365d', archiveTo: `/archive/${new Date().toISOString().slice(0, 10)}` });
   * console.log(pruned['Order']); // { entries: 1204, versions: 1198 }
   */
  readonly prune: (options: PruneOptions) => Promise<PruneResult>;
}

/** The role of an application needs no right to remove anything, so it may lack it. */
function coded(settings: HistorySettings, error: unknown): unknown {
  if (isAuditError(error)) return error;
  const log = quoteTable(logTable(settings));
  const cause = { cause: error };
  if (sqlState(error) === INSUFFICIENT_PRIVILEGE) {
    const message = `auditLog.prune: the database role may not remove entries or versions (${(error as Error).message}). Use a role that owns the log, or grant one: select, insert and delete on ${log} and usage on its sequence, select and delete on the history tables.`;
    return new AuditError('ERR_AUDIT_PERMISSION', message, cause);
  }
  if (sqlState(error) !== UNDEFINED_TABLE) return error;
  const message = `auditLog.prune: a table is missing (${(error as Error).message}). Create it: run "await auditLog.sync()".`;
  return new AuditError('ERR_AUDIT_MISSING_TABLE', message, cause);
}

function work(run: RunSettings, given: PruneOptions): Promise<PruneResult> {
  const { dryRun, archiveTo } = run.options;
  if (dryRun) return countOnly(run);
  if (archiveTo === null) return removeAll(run);
  const { archiveAndRemove, archiveHeader } = archiving();
  return archiveAndRemove(run, archiveTo, archiveHeader(run, given));
}

/**
 * `auditLog.prune`, which a signal may stop: the batch at hand is finished, and the answer says what was removed until then.
 *
 * @throws {AuditError} as `auditLog.prune`
 */
export async function prune(
  settings: HistorySettings,
  given: PruneOptions,
  signal?: AbortSignal,
): Promise<PruneResult> {
  const options = resolvePrune(given);
  const begin = async (lock: RunSettings['lock']): Promise<PruneResult> => {
    const plan = await inOwnTransaction(settings.sequelize, (query) => planPrune(settings, query, options));
    return work({ settings, options, plan, lock, signal }, given);
  };
  try {
    // What changes nothing is in nobody's way.
    return await (options.dryRun ? begin(async () => undefined) : alone(settings, begin));
  } catch (error) {
    throw coded(settings, error);
  }
}

export function createPrune(settings: HistorySettings): Pruning {
  return { prune: (options) => prune(settings, options) };
}
