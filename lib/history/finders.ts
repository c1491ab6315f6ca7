import type { FindOptions, Model, ModelStatic, Order, WhereOptions } from 'sequelize';
import { isInstance, keyOfInstance } from '../context/instances';
import { AuditError } from '../core/errors';
import { invalidArgument } from '../core/suggest';
import type { ActorInput, LogEntryAttributes } from '../core/types';
import type { LogEntry, LogEntryStatic } from '../schema/log-entry';
import { defineHidden } from '../schema/read-only';
import { runtimeOf } from '../schema/sequelize-runtime';
import { isModel } from './arguments';
import { besideInIndex, indexOrder, inIndex, pagingOf, type IndexedValue } from './in-index-order';
import { loadActors } from './load-actors';
import { objectPkOf, type ObjectKey } from './object-key';
import { givenTime, timeSql } from './point-in-time';
import { allOf, bothWhere } from './where';
import { entryName, registrationOf, type HistorySettings } from './settings';

/** Sequelize's find options, and `actors`. */
export interface EntryFindOptions extends FindOptions<LogEntryAttributes> {
  /** Also load the actors' rows into `.actor`, in one more query. @default false */
  readonly actors?: boolean;
}

/** A registered or unregistered model, or the name under which its entries are stored. */
export type ModelReference = ModelStatic<Model> | string;

/** The finders of `LogEntry`: newest first, for objects that are gone too. `where` is added to theirs by AND. */
export interface LogEntryFinders {
  /** Entries about one object. @throws {AuditError} ERR_AUDIT_INVALID_ARGUMENT */
  readonly forObject: {
    (instance: Model, options?: EntryFindOptions): Promise<LogEntry[]>;
    (model: ModelReference, pk: ObjectKey, options?: EntryFindOptions): Promise<LogEntry[]>;
  };
  /** Entries about any of these objects, of whatever models. @throws {AuditError} ERR_AUDIT_INVALID_ARGUMENT */
  readonly forObjects: (instances: readonly Model[], options?: EntryFindOptions) => Promise<LogEntry[]>;
  /** Entries about all objects of a model. @throws {AuditError} ERR_AUDIT_INVALID_ARGUMENT */
  readonly forModel: (model: ModelReference, options?: EntryFindOptions) => Promise<LogEntry[]>;
  /** What one actor did: `7`, `'7'` and the instance are the same. @throws {AuditError} ERR_AUDIT_INVALID_ARGUMENT */
  readonly byActor: (actor: ActorInput, options?: EntryFindOptions) => Promise<LogEntry[]>;
  /** Entries of a span of time, `start` ≤ t < `end`. @throws {AuditError} ERR_AUDIT_INVALID_ARGUMENT */
  readonly between: (
    start: Date | string,
    end: Date | string,
    options?: EntryFindOptions,
  ) => Promise<LogEntry[]>;
  /** What one database transaction did. @throws {AuditError} ERR_AUDIT_INVALID_ARGUMENT */
  readonly inTransaction: (
    transactionId: string | number | bigint,
    options?: EntryFindOptions,
  ) => Promise<LogEntry[]>;
  /** What one request did. @throws {AuditError} ERR_AUDIT_INVALID_ARGUMENT */
  readonly inRequest: (correlationId: string, options?: EntryFindOptions) => Promise<LogEntry[]>;
}

/** `LogEntry`: the Sequelize model with its finders. */
export type LogEntryModel = LogEntryStatic & LogEntryFinders;

type EntryWhere = WhereOptions<LogEntryAttributes>;

/** Runs a finder: its condition AND the caller's, newest first unless the caller orders. */
export async function findEntries(
  settings: HistorySettings,
  where: EntryWhere,
  { actors = false, ...options }: EntryFindOptions = {},
): Promise<LogEntry[]> {
  const both = bothWhere(settings.sequelize, where, options.where);
  const order = options.order ?? [['id', 'DESC']];
  const found = await settings.LogEntry.findAll({ ...options, order, where: both });
  if (actors && options.raw !== true) await loadActors(settings, found, options);
  return found;
}

/** Whether a find has an order of its own, or may not be able to follow another one: `select distinct`, say. */
function isOfItsOwn({ order, attributes, include, group }: EntryFindOptions): boolean {
  return [order, attributes, include, group].some((each) => each !== undefined);
}

/** As `findEntries`, of a value that has an index, by that index. */
export async function findIndexed(
  settings: HistorySettings,
  indexed: IndexedValue,
  where: { readonly model?: string },
  options: EntryFindOptions = {},
): Promise<LogEntry[]> {
  const { sequelize } = settings;
  if (isOfItsOwn(options))
    return findEntries(settings, { ...where, [indexed.attribute]: indexed.value }, options);
  const order = indexOrder(indexed, 'DESC');
  const paging = pagingOf(sequelize, options.where);
  if (!paging)
    return findEntries(settings, { ...where, ...inIndex(sequelize, indexed) }, { ...options, order });
  const beside = besideInIndex(settings.LogEntry, indexed, paging.bound, paging.id);
  const page = allOf(sequelize, [inIndex(sequelize, indexed), beside, paging.rest]);
  return findEntries(settings, where, { ...options, order, where: page });
}

/**
 * A `schema()` clone reads another table under the same class name: its objects are not the registered ones.
 *
 * @throws {AuditError} ERR_AUDIT_UNREGISTERED_SCHEMA
 */
function checkClone({ registry }: HistorySettings, where: string, model: ModelStatic<Model>): void {
  if (!registry.findCloned(model)) return;
  const message = `${where}: ${model.name} is a schema() clone that isn't registered. Register it with its own modelName.`;
  throw new AuditError('ERR_AUDIT_UNREGISTERED_SCHEMA', message);
}

function nameOf(settings: HistorySettings, where: string, model: unknown): string {
  if (typeof model === 'string' && model !== '') return model;
  if (!isModel(model))
    return invalidArgument(where, 'a model, or the name its entries are stored under', model);
  checkClone(settings, where, model);
  return entryName(settings, model);
}

function pkOf(settings: HistorySettings, where: string, model: ModelReference, pk: unknown): string {
  const known = typeof model === 'string' ? settings.registry.findByName(model)?.model : model;
  if (known) return objectPkOf(where, known, pk);
  if (typeof pk === 'string' || typeof pk === 'number' || typeof pk === 'bigint') return String(pk);
  return invalidArgument(where, `the key as text, as "${String(model)}" is not registered`, pk);
}

function objectOf(
  settings: HistorySettings,
  where: string,
  instance: unknown,
): { model: string; objectPk: string } {
  if (typeof instance !== 'object' || instance === null || !isInstance(instance)) {
    return invalidArgument(where, 'an instance of a model, or a model and a key', instance);
  }
  // A version stands for the object it shows.
  const model = registrationOf(settings, instance.constructor)?.model ?? instance.constructor;
  return { model: nameOf(settings, where, model), objectPk: objectPkOf(where, model, instance) };
}

/** One object as entries name it, given as `forObject` takes it. */
function subjectOf(
  settings: HistorySettings,
  where: string,
  subject: unknown,
  pk?: unknown,
): { model: string; objectPk: string } {
  if (typeof subject !== 'string' && !isModel(subject)) return objectOf(settings, where, subject);
  return { model: nameOf(settings, where, subject), objectPk: pkOf(settings, where, subject, pk) };
}

/** One condition per model, with the keys in a list, so that each uses the index on the object. */
function whereObjects(settings: HistorySettings, where: string, instances: readonly unknown[]): EntryWhere {
  const keys = new Map<string, Set<string>>();
  for (const instance of instances) {
    const { model, objectPk } = objectOf(settings, where, instance);
    keys.set(model, (keys.get(model) ?? new Set()).add(objectPk));
  }
  const { Op } = runtimeOf(settings.sequelize);
  return { [Op.or]: [...keys].map(([model, pks]) => ({ model, objectPk: [...pks] })) };
}

/** The id of an actor as entries hold it. */
function actorIdOf(where: string, actor: unknown): string {
  const given: unknown =
    typeof actor === 'object' && actor !== null && !isInstance(actor)
      ? (actor as { id?: unknown }).id
      : actor;
  const id = typeof given === 'object' && given !== null && isInstance(given) ? keyOfInstance(given) : given;
  const isId = typeof id === 'string' || typeof id === 'number' || typeof id === 'bigint';
  if (isId && String(id) !== '') return String(id);
  const advice =
    'an id, an object with an id, or an instance (entries without an actor: findAll({ where: { actorId: null } }))';
  return invalidArgument(where, advice, actor);
}

function whereTime(settings: HistorySettings, start: unknown, end: unknown): EntryWhere {
  const { Op, literal } = runtimeOf(settings.sequelize);
  const [from, to] = [givenTime('LogEntry.between: start', start), givenTime('LogEntry.between: end', end)];
  return { timestamp: { [Op.gte]: literal(timeSql(from)), [Op.lt]: literal(timeSql(to)) } };
}

function transactionIdOf(where: string, value: unknown): string {
  const text = typeof value === 'number' || typeof value === 'bigint' ? String(value) : value;
  if (typeof text === 'string' && /^\d{1,19}$/.test(text)) return text;
  return invalidArgument(where, "an entry's transactionId (digits)", value);
}

function correlationIdOf(where: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  return invalidArgument(where, 'a correlation id', value);
}

/** The finders over one log. */
export function createFinders(settings: HistorySettings): LogEntryFinders {
  const find = (where: EntryWhere, options?: EntryFindOptions): Promise<LogEntry[]> =>
    findEntries(settings, where, options);
  return {
    async forObject(subject: unknown, ...rest: unknown[]): Promise<LogEntry[]> {
      const byKey = typeof subject === 'string' || isModel(subject);
      const options = (byKey ? rest[1] : rest[0]) as EntryFindOptions | undefined;
      const { model, objectPk } = subjectOf(settings, 'LogEntry.forObject', subject, rest[0]);
      return findIndexed(settings, { attribute: 'objectPk', value: objectPk }, { model }, options);
    },
    async forObjects(instances, options) {
      if (!Array.isArray(instances))
        invalidArgument('LogEntry.forObjects', 'an array of instances', instances);
      if (instances.length === 0) return [];
      return find(whereObjects(settings, 'LogEntry.forObjects', instances), options);
    },
    async forModel(model, options) {
      const value = nameOf(settings, 'LogEntry.forModel', model);
      return findIndexed(settings, { attribute: 'model', value }, {}, options);
    },
    async byActor(actor, options) {
      const value = actorIdOf('LogEntry.byActor', actor);
      return findIndexed(settings, { attribute: 'actorId', value }, {}, options);
    },
    async between(start, end, options) {
      // By the index on time: ids are drawn before the clock is read, so that those of different objects may cross.
      const order: Order = [
        ['timestamp', 'DESC'],
        ['id', 'DESC'],
      ];
      return find(whereTime(settings, start, end), { order, ...options });
    },
    async inTransaction(transactionId, options) {
      return find({ transactionId: transactionIdOf('LogEntry.inTransaction', transactionId) }, options);
    },
    async inRequest(correlationId, options) {
      return find({ correlationId: correlationIdOf('LogEntry.inRequest', correlationId) }, options);
    },
  };
}

/** Gives the model of the log its finders. */
export function addFinders(settings: HistorySettings): LogEntryModel {
  defineHidden(settings.LogEntry, { ...createFinders(settings) });
  return settings.LogEntry as LogEntryModel;
}
