import { isDeepStrictEqual } from 'node:util';
import type { FindOptions, Model, ModelStatic, Sequelize, WhereOptions } from 'sequelize';
import type { Registration } from '../capture/registry';
import { AuditError } from '../core/errors';
import { didYouMean, invalidArgument } from '../core/suggest';
import { defineHidden, refuseInstanceWrites } from '../schema/read-only';
import { runtimeOf } from '../schema/sequelize-runtime';
import {
  defineSnapshot,
  type AttributeDiff,
  type DiffOptions,
  type Snapshot,
  type SnapshotDiff,
  type SnapshotModel,
} from '../schema/snapshot-model';
import type { TrackedColumn } from '../schema/tracked';
import { readSameTable, type HistorySettings } from './settings';
import { allOf } from './where';

/** A version without the types of its model. */
type AnySnapshot = Snapshot;

const PAST_IS_READ_ONLY = 'It shows the past; revert() sets an object back.';

/** The registration's snapshots, or the coded error of a member that needs them. */
export function requireSnapshots(where: string, registration: Registration): void {
  if (registration.options.snapshots !== null) return;
  const { name } = registration;
  const message = `${where} needs versions of ${name}, but it is registered without: registerAudited(${name}, { snapshots: true }).`;
  throw new AuditError('ERR_AUDIT_NO_SNAPSHOTS', message);
}

/** The Snapshot models of one audit log, each defined at first use and anew when its model's columns have changed. */
export class SnapshotModels {
  readonly #settings: HistorySettings;
  readonly #known = new WeakMap<Registration, { readonly tracked: object; readonly model: SnapshotModel }>();

  constructor(settings: HistorySettings) {
    this.#settings = settings;
  }

  /** @throws {AuditError} ERR_AUDIT_NO_SNAPSHOTS, ERR_AUDIT_INVALID_OPTION */
  of<M extends Model = Model>(registration: Registration, where = 'Snapshot'): SnapshotModel<M> {
    requireSnapshots(where, registration);
    const { tracked } = registration;
    const known = this.#known.get(registration);
    if (known?.tracked === tracked) return known.model as SnapshotModel<M>;
    const model = this.#define(registration);
    this.#known.set(registration, { tracked, model });
    return model as SnapshotModel<M>;
  }

  #define(registration: Registration): SnapshotModel {
    const { sequelize, LogEntry } = this.#settings;
    const { name, snapshots } = registration.options;
    const model = defineSnapshot(sequelize, { name, snapshots: snapshots! }, registration.tracked, LogEntry);
    addMethods(model, registration);
    return model;
  }
}

/** Every version of the object that `snapshot` is one of. */
function whereSameObject(registration: Registration, snapshot: Model): Record<string, unknown> {
  const values = snapshot.dataValues as Record<string, unknown>;
  const keys = registration.tracked.keys.map(({ attribute }) => [attribute, values[attribute]] as const);
  const missing = ['historyId', ...keys.map(([name]) => name)].find((name) => values[name] === undefined);
  if (missing === undefined) return Object.fromEntries(keys);
  return invalidArgument('snapshot', `a version loaded with "${missing}"`, snapshot);
}

/**
 * The order of versions of one object. The id decides, not the date, which a clock that was set back makes run backwards. As an
 * expression: by the bare column, a query with a limit may walk the whole table from its newest version.
 */
export function byId(sequelize: Sequelize, direction: 'ASC' | 'DESC'): NonNullable<FindOptions['order']> {
  return [[runtimeOf(sequelize).literal('"history_id" + 0'), direction]];
}

/** What Sequelize's query generator is asked for; it has no public type. Checked with 6.37. */
interface SelectGenerator {
  selectQuery(table: unknown, options: FindOptions, model: ModelStatic<Model>): string;
}

function byColumn(model: ModelStatic<Model>, where: object): WhereOptions {
  const columnOf = (key: string | symbol): string | symbol =>
    (typeof key === 'string' ? model.getAttributes()[key]?.field : undefined) ?? key;
  return Object.fromEntries(Reflect.ownKeys(where).map((key) => [columnOf(key), where[key as never]]));
}

/**
 * The first versions of one object in the order of their ids, which are read off the index on the object: of an object with
 * thousands of versions all rows would be read and sorted otherwise.
 *
 * @param where conditions by attribute, the object's key among them
 */
export function firstVersions(
  model: SnapshotModel,
  where: object,
  direction: 'ASC' | 'DESC',
  { limit, offset }: { readonly limit: number; readonly offset?: number | undefined },
): Pick<FindOptions, 'where' | 'order'> {
  const sequelize = model.sequelize!;
  const { Op, literal } = runtimeOf(sequelize);
  const order = byId(sequelize, direction);
  const first = { where: byColumn(model, where), limit, offset: offset ?? 0 };
  const bound = literal(furthestId(model, first, direction));
  const ids = selectIds(model, { ...first, where: allOf(sequelize, [first.where, bound]), order });
  return { where: { historyId: { [Op.in]: literal(`(${ids})`) } }, order };
}

function selectIds(model: SnapshotModel, options: FindOptions): string {
  const { queryGenerator } = model.sequelize!.getQueryInterface() as unknown as {
    queryGenerator: SelectGenerator;
  };
  const all = { ...options, attributes: ['history_id'] };
  return queryGenerator.selectQuery(model.getTableName(), all, model).replace(/;$/, '');
}

interface First {
  readonly where: WhereOptions;
  readonly limit: number;
  readonly offset: number;
}

/**
 * SQL: as many versions as are asked for lie on this side of a version, by their ids. They are found by their dates, in the order of
 * the index; where a clock was set back there are more.
 */
function furthestId(
  model: SnapshotModel,
  { where, limit, offset }: First,
  direction: 'ASC' | 'DESC',
): string {
  const order = ['history_date', 'history_id'].map((column): [string, string] => [column, direction]);
  const ids = selectIds(model, { where, order, limit: limit + offset });
  return direction === 'DESC'
    ? `"history_id" >= (select min("history_id") from (${ids}) "!i")`
    : `"history_id" <= (select max("history_id") from (${ids}) "!i")`;
}

async function neighbour(
  registration: Registration,
  snapshot: Model,
  direction: 'prev' | 'next',
): Promise<AnySnapshot | null> {
  const model = snapshot.constructor as SnapshotModel;
  const { Op } = runtimeOf(model.sequelize!);
  const { historyId } = snapshot.dataValues as { historyId: string };
  const where: Record<string, unknown> = whereSameObject(registration, snapshot);
  where['historyId'] = { [direction === 'prev' ? Op.lt : Op.gt]: historyId };
  const first = firstVersions(model, where, direction === 'prev' ? 'DESC' : 'ASC', { limit: 1 });
  return (await model.findOne(first as never)) as AnySnapshot | null;
}

/** @throws {AuditError} ERR_AUDIT_UNKNOWN_ATTRIBUTE */
export function checkDiffOptions(
  where: string,
  { tracked, name }: Registration,
  { include = [], exclude = [] }: DiffOptions,
  associations: readonly string[] = [],
): void {
  const known = [...tracked.columns.map((column) => column.attribute), ...associations];
  const unknown = [...include, ...exclude].find((each) => !known.includes(each));
  if (unknown === undefined) return;
  const message = `${where}: "${unknown}" is no tracked attribute of ${name}.${didYouMean(unknown, known)}`;
  throw new AuditError('ERR_AUDIT_UNKNOWN_ATTRIBUTE', message);
}

/** Managed timestamps and the lock version differ in every version, so they count only when named. */
export function comparedColumns(
  registration: Registration,
  { include, exclude }: DiffOptions,
): TrackedColumn[] {
  return registration.tracked.columns.filter(({ attribute, inDelta }) => {
    if (exclude?.includes(attribute)) return false;
    return include ? include.includes(attribute) : inDelta;
  });
}

function valueOf(snapshot: Model, attribute: string): unknown {
  return (snapshot.dataValues as Record<string, unknown>)[attribute] ?? null;
}

/** What differs between two rows of the past, in definition order of the attributes. */
export function diffRows(columns: readonly TrackedColumn[], older: Model, newer: Model): AttributeDiff[] {
  return columns
    .map(({ attribute }) => ({ attribute, old: valueOf(older, attribute), new: valueOf(newer, attribute) }))
    .filter((change) => !isDeepStrictEqual(change.old, change.new));
}

function checkOlder(snapshot: Model, older: unknown): asserts older is AnySnapshot {
  const isVersion = typeof older === 'object' && older !== null && 'dataValues' in older;
  if (isVersion && readSameTable(older.constructor, snapshot.constructor as SnapshotModel)) return;
  invalidArgument('diffAgainst', `a version of the same model (${snapshot.constructor.name})`, older);
}

function diffAgainst(
  registration: Registration,
  snapshot: AnySnapshot,
  older: unknown,
  options: DiffOptions = {},
): SnapshotDiff<AnySnapshot> {
  checkOlder(snapshot, older);
  checkDiffOptions('diffAgainst', registration, options);
  const changes = diffRows(comparedColumns(registration, options), older, snapshot);
  return {
    changes,
    changedAttributes: changes.map((each) => each.attribute),
    oldRecord: older,
    newRecord: snapshot,
  };
}

/** What a version knows of the row: neither masks nor what isn't tracked. */
export function knownColumns(registration: Registration): TrackedColumn[] {
  return registration.tracked.columns.filter((column) => column.mask === null);
}

function toInstance(registration: Registration, snapshot: Model): Model {
  const values = snapshot.dataValues as Record<string, unknown>;
  const known = knownColumns(registration).filter(({ attribute }) => values[attribute] !== undefined);
  const row = Object.fromEntries(known.map(({ attribute }) => [attribute, values[attribute]]));
  const instance = registration.model.build(row as never, { isNewRecord: false, raw: true });
  return refuseInstanceWrites(instance, PAST_IS_READ_ONLY);
}

function addMethods(model: SnapshotModel, registration: Registration): void {
  defineHidden(model.prototype as object, {
    async prevRecord(this: Model) {
      return neighbour(registration, this, 'prev');
    },
    async nextRecord(this: Model) {
      return neighbour(registration, this, 'next');
    },
    diffAgainst(this: AnySnapshot, older: unknown, options?: DiffOptions) {
      return diffAgainst(registration, this, older, options);
    },
    toInstance(this: Model) {
      return toInstance(registration, this);
    },
  });
}
