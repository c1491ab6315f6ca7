import type { Model, ModelStatic, Transaction } from 'sequelize';
import type { Registration } from '../capture/registry';
import { translateWriteError } from '../capture/write-errors';
import { labelAttribute } from '../context/actor';
import { isInstance } from '../context/instances';
import { toJson, type JsonObject } from '../context/json';
import { resolveWriteContext } from '../context/resolve';
import { boundedText, storableText } from '../context/text';
import type { AuditCallOption } from '../core/call-option';
import { AuditError, isAuditError } from '../core/errors';
import { OWN_ENTRY } from '../core/own-entry';
import { checkKeys, describe, invalidArgument } from '../core/suggest';
import type { ActorInput, JsonValue, LogEntryAttributes, WriteContext } from '../core/types';
import { columnOf, storedAttributes, tableOf } from '../schema/attributes';
import { rememberExact } from '../schema/exact-time';
import { typeOfAttribute } from '../schema/history-table';
import type { LogEntry } from '../schema/log-entry';
import { reprAttributes, type MaskRule } from '../schema/registration';
import { runtimeOf } from '../schema/sequelize-runtime';
import { keyKindOf } from '../statement/context-binds';
import { EXACT_TIME_COLUMN, insertEntry, type GivenEntry } from '../statement/insert-entry';
import type { ActorRow } from '../statement/plan';
import { isModel, isPlainObject } from './arguments';
import { maskedValue } from './mask';
import { objectPkOf, type ObjectKey } from './object-key';
import { logTable, registrationOf, type HistorySettings } from './settings';

export interface LogAccessOptions {
  readonly reason?: string | null;
  /** Who; an explicit null wins over the context. */
  readonly actor?: ActorInput;
  /** Merged over the context's. */
  readonly additionalData?: Readonly<Record<string, unknown>> | null;
  readonly transaction?: Transaction | null;
}

export interface LogOptions extends LogAccessOptions {
  /** `[a-z][a-z0-9_.-]*`, not `create`, `update` or `delete`. */
  readonly action: string;
  /** `[old, new]` by name; values of masked attributes are masked. */
  readonly changes?: Readonly<Record<string, readonly [old: unknown, new: unknown]>> | null;
}

/** An instance, or a model and a key. */
export type LogSubject = Model | readonly [model: ModelStatic<Model>, pk: ObjectKey];

const ACTION = /^[a-z][a-z0-9_.-]*$/;
const CAPTURED = ['create', 'update', 'delete'];
const ACCESS_KEYS = ['reason', 'actor', 'additionalData', 'transaction'];
const OWN = { [OWN_ENTRY]: true } as const;
const LOG_KEYS = ['action', 'changes', ...ACCESS_KEYS];
const MAX_REPR_LENGTH = 255;

/** @throws {AuditError} ERR_AUDIT_INVALID_ACTION */
function checkAction(action: unknown): string {
  if (typeof action === 'string' && ACTION.test(action) && !CAPTURED.includes(action)) return action;
  const message = `auditLog.log: an action is a lower-case word such as "approve" ([a-z][a-z0-9_.-]*), and not create, update or delete, which writes leave themselves; got ${describe(action)}.`;
  throw new AuditError('ERR_AUDIT_INVALID_ACTION', message);
}

interface Subject {
  readonly registration: Registration;
  readonly instance: Model | null;
  readonly objectPk: string;
}

/** @throws {AuditError} ERR_AUDIT_INVALID_ARGUMENT, ERR_AUDIT_NOT_REGISTERED */
function subjectOf(settings: HistorySettings, where: string, given: unknown): Subject {
  const [model, pk] =
    Array.isArray(given) && given.length === 2 ? (given as unknown[]) : [modelOf(given), given];
  if (!isModel(model))
    return invalidArgument(where, 'an instance of a registered model, or [Model, key]', given);
  const registration = registrationOf(settings, model) ?? settings.registry.get(model);
  const instance = pk === given ? (given as Model) : null;
  return { registration, instance, objectPk: objectPkOf(where, registration.model, pk) };
}

function modelOf(given: unknown): unknown {
  return typeof given === 'object' && given !== null && isInstance(given) ? given.constructor : null;
}

/** Names that are no attributes are masked by the same pattern. */
function maskRule({ options }: HistorySettings, registration: Registration, name: string): MaskRule | null {
  const column = registration.tracked.columns.find((each) => each.attribute === name);
  if (column) return column.mask;
  return registration.options.mask.get(name) ?? (options.mask?.test(name) ? { keepLast: 0 } : null);
}

function jsonValue(where: string, value: unknown): JsonValue {
  const json = toJson(value);
  return json === undefined ? invalidArgument(where, 'a JSON value', value) : json;
}

/** @throws {AuditError} ERR_AUDIT_INVALID_ARGUMENT */
function changesText(settings: HistorySettings, registration: Registration, given: unknown): string | null {
  if (given === undefined || given === null) return null;
  if (!isPlainObject(given))
    return invalidArgument('auditLog.log: changes', '{ attribute: [old, new] }', given);
  const entries = Object.entries(given).map(([name, pair]): [string, JsonValue] => {
    const where = `auditLog.log: changes.${name}`;
    if (!Array.isArray(pair) || pair.length !== 2) return invalidArgument(where, '[old, new]', pair);
    const rule = maskRule(settings, registration, name);
    const values = (pair as unknown[]).map((value) => jsonValue(where, value));
    return [storableText(name), rule ? values.map((value) => maskedValue(value, rule)) : values];
  });
  return JSON.stringify(Object.fromEntries(entries) satisfies JsonObject);
}

function reprValue(value: unknown): string {
  if (value instanceof Date) return value.toISOString().replace('Z', '000Z');
  const json = toJson(value) ?? null;
  if (json === null) return '';
  return typeof json === 'object' ? JSON.stringify(json) : String(json);
}

/** The template's text for an instance that has all its attributes; masked and excluded ones can't be in a template. */
function templateText(template: string, instance: Model): string | null {
  const values = instance.dataValues as Record<string, unknown>;
  if (reprAttributes(template).some((name) => values[name] === undefined)) return null;
  return template.replaceAll(/\{([^{}]*)\}/g, (_, name: string) => reprValue(values[name]));
}

function reprOf({ registration, instance, objectPk }: Subject): string {
  const { repr } = registration.options;
  const text = repr !== null && instance ? templateText(repr, instance) : null;
  return boundedText(text ?? `${registration.name} ${objectPk}`, MAX_REPR_LENGTH);
}

/** Where the label is read when only an id is known; the type comes from the model, as this one statement asks no catalogue. */
function actorRow({ options, context }: HistorySettings): ActorRow | null {
  const { model } = options.actor;
  const label = labelAttribute(context);
  if (!model || label === null) return null;
  const attributes = new Map(storedAttributes(model));
  const key = attributes.get(model.primaryKeyAttributes[0] ?? '');
  const labelColumn = columnOf(model, attributes.get(label)?.field ?? label);
  if (!key) return null;
  const keyColumn = columnOf(model, key.field ?? model.primaryKeyAttributes[0]!);
  return { table: tableOf(model), keyColumn, keyKind: keyKindOf(typeOfAttribute(key.type)), labelColumn };
}

/** The option `audit` made from what was given, so that an absent key inherits from the context. */
function callOf({ reason, actor, additionalData }: LogAccessOptions): Exclude<AuditCallOption, false> {
  return {
    ...(reason === undefined ? {} : { reason }),
    ...(actor === undefined ? {} : { actor }),
    ...(additionalData === undefined ? {} : { additionalData }),
  };
}

type ReturnedRow = LogEntryAttributes & { [EXACT_TIME_COLUMN]: string };

function toEntry(
  { LogEntry: model }: HistorySettings,
  { [EXACT_TIME_COLUMN]: exact, ...row }: ReturnedRow,
): LogEntry {
  const timestamp = new Date(exact);
  rememberExact(timestamp, exact);
  return model.build({ ...row, timestamp }, { raw: true, isNewRecord: false });
}

/** @param isHeard whether an event follows its commit */
export async function store(
  settings: HistorySettings,
  entry: GivenEntry,
  context: WriteContext,
  transaction: Transaction | null | undefined,
  isHeard = true,
): Promise<LogEntry> {
  const { sequelize } = settings;
  const { text, values } = insertEntry(logTable(settings), entry, context, actorRow(settings));
  const { SELECT } = runtimeOf(sequelize).QueryTypes;
  // Without the key, a transaction of Sequelize's CLS counts.
  const inTransaction = transaction === undefined ? {} : { transaction };
  try {
    const rows = await sequelize.query<ReturnedRow>(text, {
      bind: [...values],
      type: SELECT,
      // It reads what it returns, but it writes: not for a replica.
      useMaster: true,
      raw: true,
      ...inTransaction,
      ...(isHeard ? OWN : {}),
    });
    return toEntry(settings, rows[0]!);
  } catch (error) {
    throw storingError(settings, error);
  }
}

/** As of the entry of a write: an error of the log's table is coded, any other as it is. */
function storingError(settings: HistorySettings, error: unknown): unknown {
  const { original } = error as { readonly original?: unknown };
  if (!(original instanceof Error)) return error;
  const translated = translateWriteError(original, { log: logTable(settings), history: null });
  return isAuditError(translated) ? translated : error;
}

async function write(
  settings: HistorySettings,
  subject: Subject,
  given: Pick<GivenEntry, 'action' | 'changes'>,
  options: LogAccessOptions,
): Promise<LogEntry | null> {
  const context = resolveWriteContext(settings.context, callOf(options));
  if (context === null) return null;
  const { registration, objectPk } = subject;
  const entry = { ...given, model: registration.name, objectPk, objectRepr: reprOf(subject) };
  return store(settings, entry, context, options.transaction);
}

/** What an entry says it is about. */
export type EntrySubject = Pick<GivenEntry, 'model' | 'objectPk' | 'objectRepr'>;

/** As `logAccess`, of an object that may be gone and a model that may be registered no more: the log alone knows them. */
export async function recordAccess(
  settings: HistorySettings,
  subject: EntrySubject,
  additionalData?: JsonObject,
): Promise<LogEntry | null> {
  const context = resolveWriteContext(settings.context, additionalData && callOf({ additionalData }));
  if (context === null) return null;
  // Not in a transaction of Sequelize's CLS: what was seen stays seen, whatever becomes of it.
  return store(settings, { ...subject, action: 'access', changes: null }, context, null);
}

/** The writers of entries that no change makes. */
export interface EntryWriters {
  /**
   * Writes an entry of your own about an object; null inside `withoutAudit`.
   *
   * @throws {AuditError} ERR_AUDIT_INVALID_ACTION, ERR_AUDIT_INVALID_ARGUMENT, ERR_AUDIT_NOT_REGISTERED
   * @example
   * await auditLog.log(order, { action: 'approve', reason: 'ticket 9' });
   */
  readonly log: (subject: LogSubject, options: LogOptions) => Promise<LogEntry | null>;
  /**
   * Writes an entry with the action `access`; null inside `withoutAudit`.
   *
   * @throws {AuditError} ERR_AUDIT_INVALID_ARGUMENT, ERR_AUDIT_NOT_REGISTERED
   * @example
   * await auditLog.logAccess([Order, 42]);
   */
  readonly logAccess: (subject: LogSubject, options?: LogAccessOptions) => Promise<LogEntry | null>;
}

/** The writers over one log. */
export function createWriters(settings: HistorySettings): EntryWriters {
  return {
    async log(subject, options) {
      checkKeys('auditLog.log', options, LOG_KEYS);
      const action = checkAction(options.action);
      const about = subjectOf(settings, 'auditLog.log', subject);
      return write(
        settings,
        about,
        { action, changes: changesText(settings, about.registration, options.changes) },
        options,
      );
    },
    async logAccess(subject, options = {}) {
      checkKeys('auditLog.logAccess', options, ACCESS_KEYS);
      const about = subjectOf(settings, 'auditLog.logAccess', subject);
      return write(settings, about, { action: 'access', changes: null }, options);
    },
  };
}
