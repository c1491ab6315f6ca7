import type { Model, ModelStatic, Sequelize, Transaction } from 'sequelize';
import { AuditedModels, type AuditedModel } from './audited-model';
import { Capture } from './capture/capture';
import { Registry } from './capture/registry';
import type { CommitListener } from './capture/witness';
import { createAuditMiddleware, type AuditMiddleware } from './context/middleware';
import { rememberSettings, type ContextSettings } from './context/settings';
import { AuditError } from './core/errors';
import { AuditEvents, type AuditEventMap, type AuditEventName } from './core/events';
import { resolveOptions, type AuditLogOptions, type ResolvedOptions } from './core/options';
import { lazily } from './core/lazily';
import { checkKeys, describe, didYouMean, invalidArgument, invalidOption } from './core/suggest';
import type * as Audited from './history/audited-events';
import { addDisplay } from './history/display';
import type * as Export from './history/export';
import type { EntryExport } from './history/export';
import { addFinders, type LogEntryModel } from './history/finders';
import { loadActors, type ActorRecord, type LoadActorsOptions } from './history/load-actors';
import type * as Log from './history/log';
import type { EntryWriters } from './history/log';
import { logTable, type HistorySettings } from './history/settings';
import type { PointInTime } from './history/point-in-time';
import { SnapshotModels } from './history/snapshots';
import type * as Check from './inspect/check';
import type { CheckResult } from './inspect/check';
import type * as Coverage from './inspect/coverage';
import type { ModelCoverage } from './inspect/coverage';
import type * as Stats from './inspect/stats';
import type { LogStats } from './inspect/stats';
import type * as Tails from './history/tail';
import type { TailedEntry, TailOptions } from './history/tail';
import type * as Travel from './past/travel';
import type * as Prune from './retention/prune';
import type { Pruning } from './retention/prune';
import type * as Restore from './retention/restore-archive';
import type { ArchiveReading } from './retention/restore-archive';
import type * as Undo from './revert/undo';
import type { UndoMembers } from './revert/undo';
import { checkAssociations } from './schema/associations';
import { tableOf } from './schema/attributes';
import { defineLogEntry } from './schema/log-entry';
import { rememberRegistrations } from './schema/registered';
import type { RegistrationOptions } from './schema/registration';
import type * as Sync from './schema/sync';
import type { SyncOptions } from './schema/sync';

// Rooms that a program enters late or never.
const audited = lazily(() => require('./history/audited-events') as typeof Audited);
const exporting = lazily(() => require('./history/export') as typeof Export);
const log = lazily(() => require('./history/log') as typeof Log);
const check = lazily(() => require('./inspect/check') as typeof Check);
const coverage = lazily(() => require('./inspect/coverage') as typeof Coverage);
const tails = lazily(() => require('./history/tail') as typeof Tails);
const pruning = lazily(() => require('./retention/prune') as typeof Prune);
const restoring = lazily(() => require('./retention/restore-archive') as typeof Restore);
const stats = lazily(() => require('./inspect/stats') as typeof Stats);
const travelling = lazily(() => require('./past/travel') as typeof Travel);
const undoing = lazily(() => require('./revert/undo') as typeof Undo);
const syncing = lazily(() => require('./schema/sync') as typeof Sync);

/** Options of `registerAll`. */
export interface RegisterAllOptions {
  /** Models, or their names, that are left out. */
  readonly except?: readonly (string | ModelStatic<Model>)[];
  /** Options for every model registered by this call. */
  readonly options?: RegistrationOptions;
}

export interface CheckOptions {
  /** Throw instead of returning findings. @default false */
  readonly throw?: boolean;
}

/** The audit log of one Sequelize instance. Every member may be destructured. */
export interface AuditLog extends EntryExport, EntryWriters, UndoMembers, Pruning, ArchiveReading {
  /** The log as a read-only Sequelize model with finders. */
  readonly LogEntry: LogEntryModel;
  /** Opens a context for each request. Mount it once: after body parsers and session, before the routes. */
  readonly auditMiddleware: AuditMiddleware;
  /**
   * Registers a model: from now on its writes leave entries. Registering again replaces the options.
   *
   * @throws {AuditError} ERR_AUDIT_INVALID_OPTION, ERR_AUDIT_UNKNOWN_ATTRIBUTE, ERR_AUDIT_NO_PRIMARY_KEY,
   * ERR_AUDIT_OTHER_INSTANCE, ERR_AUDIT_NAME_TAKEN
   * @example
   * const orders = registerAudited(Order, { exclude: ['internalNotes'], snapshots: true });
   */
  readonly registerAudited: <M extends Model>(
    model: ModelStatic<M>,
    options?: NoInfer<RegistrationOptions<M>>,
  ) => AuditedModel<M>;
  /**
   * Registers every defined model, through models too; those registered explicitly keep their options. When one is refused, none
   * is registered.
   */
  readonly registerAll: (options?: RegisterAllOptions) => readonly AuditedModel[];
  /** Ends the registration; entries stay. False when the model was not registered. */
  readonly unregister: (model: ModelStatic<Model>) => boolean;
  readonly isRegistered: (model: ModelStatic<Model>) => boolean;
  /** The registered models, in order of registration. */
  readonly registeredModels: readonly ModelStatic<Model>[];
  /** The handle of a registered model. @throws {AuditError} ERR_AUDIT_NOT_REGISTERED */
  readonly audited: <M extends Model>(model: ModelStatic<M>) => AuditedModel<M>;
  /**
   * Runs ordinary Sequelize queries, includes and all, against the past: in a read-only transaction, models with snapshots are
   * read as of the time, unregistered ones as they are now. Gives back what `fn` gives. Instances of registered models are
   * read-only, also afterwards; masked and excluded attributes are null; objects whose past is unknown are left out.
   *
   * @throws {AuditError} ERR_AUDIT_READ_ONLY for a write or the end of its transaction, ERR_AUDIT_MISSING_TABLE or
   * ERR_AUDIT_MISSING_COLUMN when a history lacks what is read, ERR_AUDIT_NO_SNAPSHOTS for a registered model without snapshots,
   * ERR_AUDIT_INVALID_ARGUMENT for what would read the present: a query without the transaction (`transaction: null` reads it on
   * purpose), `lock`, several statements in one raw query, a condition on a masked or excluded attribute
   * @example
   * const order = await auditLog.asOf('2026-11-17', (transaction) =>
   *   Order.findByPk(42, { include: [OrderItem, Customer], transaction }),
   * );
   */
  readonly asOf: <T>(when: PointInTime, fn: (transaction: Transaction) => Promise<T> | T) => Promise<T>;
  /** Sets `.actor` of entries or versions to the rows of `actor.model`, in one query; null when gone. */
  readonly loadActors: <R extends ActorRecord>(
    records: readonly R[],
    options?: LoadActorsOptions,
  ) => Promise<readonly R[]>;
  /**
   * Creates or completes the log and the history tables, for development and tests.
   *
   * @throws {AuditError} ERR_AUDIT_PRODUCTION when `force` is used in production, ERR_AUDIT_SERVER_VERSION
   */
  readonly sync: (options?: SyncOptions) => Promise<void>;
  /**
   * Compares the database with what the registrations need: tables, columns, indexes, privileges, associations.
   *
   * @throws {AuditError} ERR_AUDIT_CHECK_FAILED when `throw` is set and something was found
   * @example
   * await auditLog.check({ throw: true }); // at start-up, so that a forgotten migration is found before the first write
   */
  readonly check: (options?: CheckOptions) => Promise<CheckResult>;
  /** What is recorded of every defined model, and what is not. */
  readonly coverage: () => Promise<ModelCoverage[]>;
  /** How many entries and versions there are of each model, how large they are, and of which time. */
  readonly stats: () => Promise<LogStats>;
  /**
   * All committed entries of all processes, without end: none is skipped, and from a stored `cursor` each comes at least once. An
   * entry comes once no older transaction is still open, as a rule within a second. No connection is held between two looks.
   * Aborting the signal, or leaving the loop, ends it.
   *
   * @throws {AuditError} ERR_AUDIT_INVALID_OPTION, ERR_AUDIT_CURSOR when the cursor is of another server, ERR_AUDIT_HISTORY_GAP when
   * entries that were not told yet were pruned
   * @example
   * for await (const { entry, cursor } of auditLog.tail({ after: await loadCursor(), signal })) {
   *   await deliver(entry);
   *   await storeCursor(cursor);
   * }
   */
  readonly tail: (options?: TailOptions) => AsyncGenerator<TailedEntry, void, undefined>;
  /**
   * `'audited'` tells of every entry that this process wrote, after its commit; `'error'` of what the application's own functions
   * threw. A write outside a transaction gets one of its own while somebody listens to `'audited'`.
   *
   * @example
   * auditLog.on('audited', ({ modelName, instanceId, changedFields }) => {
   *   if (modelName === 'User' && changedFields.includes('role')) alert(`role of user ${instanceId} changed`);
   * });
   */
  readonly on: <E extends AuditEventName>(event: E, handler: (...args: AuditEventMap[E]) => void) => void;
  readonly once: <E extends AuditEventName>(event: E, handler: (...args: AuditEventMap[E]) => void) => void;
  readonly off: <E extends AuditEventName>(event: E, handler: (...args: AuditEventMap[E]) => void) => void;
}

const logs = new WeakMap<Sequelize, AuditLog>();

/** What stands behind an audit log, for the rooms that are built on it. */
export interface Foundation {
  readonly settings: HistorySettings;
  readonly snapshots: SnapshotModels;
}

const foundations = new WeakMap<AuditLog, Foundation>();

/** @throws {AuditError} ERR_AUDIT_INVALID_ARGUMENT for what `createAuditLog` did not give. */
export function foundationOf(where: string, auditLog: AuditLog): Foundation {
  const isObject = typeof auditLog === 'object' && auditLog !== null;
  const found = isObject ? foundations.get(auditLog) : undefined;
  return found ?? invalidArgument(where, 'the audit log that createAuditLog returned', auditLog);
}

function checkInstance(sequelize: Sequelize): void {
  if (typeof (sequelize as Partial<Sequelize> | undefined)?.getDialect !== 'function')
    invalidArgument('createAuditLog', 'a Sequelize instance', sequelize);
  const dialect = sequelize.getDialect();
  if (dialect !== 'postgres') {
    const message = `createAuditLog: the dialect is ${dialect}, but entries are computed by PostgreSQL. Use the dialect "postgres".`;
    throw new AuditError('ERR_AUDIT_DIALECT', message);
  }
  if (!logs.has(sequelize)) return;
  const message =
    'createAuditLog: this Sequelize instance has an audit log already. getAuditLog(sequelize) returns it.';
  throw new AuditError('ERR_AUDIT_ALREADY_CREATED', message);
}

function contextSettingsOf(
  options: ResolvedOptions,
  registry: Registry,
  events: AuditEvents,
): ContextSettings {
  return {
    options,
    isMasked: (model, attribute) => {
      const masked = registry.find(model)?.masked;
      return masked ? masked.includes(attribute) : options.mask?.test(attribute) === true;
    },
    report: (error, what) => events.report(error, what),
  };
}

/** @throws {AuditError} ERR_AUDIT_INVALID_OPTION when `except` names what is no defined model. */
function exceptedNames(sequelize: Sequelize, except: RegisterAllOptions['except'] = []): ReadonlySet<string> {
  if (!Array.isArray(except)) invalidOption('registerAll', 'except', 'an array of models or names', except);
  const names = (except as readonly unknown[]).map((each) => (typeof each === 'function' ? each.name : each));
  for (const name of names) {
    if (typeof name === 'string' && sequelize.isDefined(name)) continue;
    const known = Object.keys(sequelize.models);
    const message = `registerAll: except names ${describe(name)}, which is no defined model.${didYouMean(String(name), known)}`;
    throw new AuditError('ERR_AUDIT_INVALID_OPTION', message);
  }
  return new Set(names as string[]);
}

/**
 * Creates the audit log of a Sequelize instance; nothing is recorded until models are registered.
 *
 * @throws {AuditError} ERR_AUDIT_DIALECT, ERR_AUDIT_ALREADY_CREATED, ERR_AUDIT_INVALID_OPTION, ERR_AUDIT_INVALID_ARGUMENT
 * @example
 * export const auditLog = createAuditLog(sequelize, { actor: { model: User } });
 * export const { auditMiddleware, registerAudited, LogEntry } = auditLog;
 */
export function createAuditLog(sequelize: Sequelize, options?: AuditLogOptions): AuditLog {
  checkInstance(sequelize);
  const resolved = resolveOptions(options);
  const registry = new Registry(sequelize, resolved);
  const events = new AuditEvents();
  const context = contextSettingsOf(resolved, registry, events);
  rememberSettings(sequelize, context);
  rememberRegistrations(sequelize, { ...resolved, find: (model) => registry.find(model) });
  const table = { schema: resolved.schema, table: resolved.tableName };
  const LogEntry = defineLogEntry(sequelize, table);
  const settings: HistorySettings = { sequelize, options: resolved, registry, context, LogEntry };
  const commits = commitsTo(settings, events);
  const capture = new Capture(sequelize, { options: resolved, registry, context, commits });
  const auditLog = assemble({ settings, events, capture });
  logs.set(sequelize, auditLog);
  return auditLog;
}

/**
 * The audit log of a Sequelize instance, or undefined when none was created.
 *
 * @example
 * const auditLog = getAuditLog(sequelize) ?? createAuditLog(sequelize);
 */
export function getAuditLog(sequelize: Sequelize): AuditLog | undefined {
  return logs.get(sequelize);
}

/** Where commits are told of: nobody reads entries back unless somebody listens. */
function commitsTo(settings: HistorySettings, events: AuditEvents): CommitListener {
  const herald = lazily(() => new (audited().Herald)(settings, events));
  return { isListening: () => events.has('audited'), committed: (id) => herald().committed(id) };
}

interface Rooms {
  readonly settings: HistorySettings;
  readonly events: AuditEvents;
  readonly capture: Capture;
}

function assemble({ settings, events, capture }: Rooms): AuditLog {
  const { sequelize, registry, context } = settings;
  const table = logTable(settings);
  addDisplay(settings.LogEntry, registry);
  const snapshots = new SnapshotModels(settings);
  const models = new AuditedModels(settings, snapshots);
  const writers = lazily(() => log().createWriters(settings));
  const exporter = lazily(() => exporting().createExport(settings));
  const travel = lazily(() => new (travelling().TimeTravel)(settings, snapshots));
  const undo = lazily(() => undoing().createUndoMembers(settings));
  const pruner = lazily(() => pruning().createPrune(settings));
  const archives = lazily(() => restoring().createArchiveReading(settings));
  const register: AuditLog['registerAudited'] = (model, given) =>
    models.of(registry.register(model, (given ?? {}) as RegistrationOptions));
  const auditLog: AuditLog = {
    log: async (subject, given) => writers().log(subject, given),
    logAccess: async (subject, given) => writers().logAccess(subject, given),
    export: async (given) => exporter().export(given),
    prune: async (given) => pruner().prune(given),
    restoreArchive: async (folder, given) => archives().restoreArchive(folder, given),
    stats: async () => stats().readStats(settings),
    revertTransaction: async (id, given) => undo().revertTransaction(id, given),
    revertRequest: async (id, given) => undo().revertRequest(id, given),
    LogEntry: addFinders(settings),
    auditMiddleware: createAuditMiddleware(context),
    registerAudited: register,
    registerAll: (given = {}) => registerAll(sequelize, registry, register, given),
    unregister: (model) => registry.unregister(model),
    isRegistered: (model) => registry.find(model) !== null,
    get registeredModels() {
      return registry.registrations.map((registration) => registration.model);
    },
    audited: (model) => models.of(registry.get(model)),
    asOf: async (when, fn) => travel().run(when, fn),
    loadActors: (records, given) => loadActors(settings, records, given),
    async sync(given) {
      for (const { model, options: each } of registry.registrations)
        checkAssociations(model, each.associations);
      await syncing().syncTables(sequelize, registry.registrations, table, given);
      capture.forget();
    },
    async check(given = {}) {
      checkKeys('check', given, ['throw']);
      const { checkTables, throwFindings } = check();
      const result = await checkTables(syncing().catalogueQuery(sequelize), {
        registry,
        log: table,
        mask: settings.options.mask,
      });
      if (given.throw === true) throwFindings(result);
      return result;
    },
    coverage: async () => coverage().coverageOf(sequelize, syncing().catalogueQuery(sequelize), registry),
    tail: (given) => tails().tail(settings, given),
    on: (event, handler) => events.on(event, handler),
    once: (event, handler) => events.once(event, handler),
    off: (event, handler) => events.off(event, handler),
  };
  foundations.set(auditLog, { settings, snapshots });
  return auditLog;
}

function registerAll(
  sequelize: Sequelize,
  registry: Registry,
  register: AuditLog['registerAudited'],
  given: RegisterAllOptions,
): readonly AuditedModel[] {
  checkKeys('registerAll', given, ['except', 'options']);
  const except = exceptedNames(sequelize, given.except);
  const models = Object.values(sequelize.models).filter(
    (model) => !except.has(model.name) && !registry.isOwnTable(tableOf(model)),
  );
  return allOrNone(registry, models, (model) => register(model, given.options as never));
}

/** A model that is refused must not leave the registration of half of the others behind. */
function allOrNone(
  registry: Registry,
  models: readonly ModelStatic<Model>[],
  register: (model: ModelStatic<Model>) => AuditedModel,
): readonly AuditedModel[] {
  const handles: AuditedModel[] = [];
  try {
    // Asked anew each time: of two models over one table the first is registered.
    for (const model of models) if (!registry.find(model)) handles.push(register(model));
  } catch (error) {
    for (const { model } of handles) registry.unregister(model);
    throw error;
  }
  return handles;
}
