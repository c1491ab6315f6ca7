import type { CountOptions, FindOptions, Model, ModelStatic, Sequelize } from 'sequelize';
import type { Registration } from '../capture/registry';
import { AuditError } from '../core/errors';
import { storedAttributes, tableOf } from '../schema/attributes';
import { timeText } from '../schema/exact-time';
import { readingError } from '../schema/detached-model';
import { quoteIdentifier } from '../schema/quote';
import { refuseWrites } from '../schema/read-only';
import { runtimeOf } from '../schema/sequelize-runtime';
import type { SnapshotModel } from '../schema/snapshot-model';
import { isPlainObject } from '../history/arguments';
import { versionsAsOf, type AsOfShape, type AsOfSource } from './versions-relation';
import { fitsKey, keyTexts, type ObjectKey } from '../history/object-key';
import { boundOf, versionNotAfter, type Bound, type PointInTime } from '../history/point-in-time';
import { readSameTable } from '../history/settings';
import { bothWhere } from '../history/where';
import { knownColumns, type SnapshotModels } from '../history/snapshots';

/** Find options of a reader of the past: Sequelize's, without `include` and `lock`. */
export type AsOfFindOptions<M extends Model> = Omit<FindOptions<M['_attributes']>, 'include' | 'lock'>;
export type AsOfCountOptions<M extends Model> = Omit<CountOptions<M['_attributes']>, 'include' | 'group'>;

/** One model as of a time: objects that were deleted or not yet created are absent, soft-deleted ones come with `paranoid: false`. */
export interface AsOfReader<M extends Model> {
  /** @throws {AuditError} ERR_AUDIT_HISTORY_GAP when the object's history begins later than the time, without a create */
  readonly findByPk: (pk: ObjectKey, options?: AsOfFindOptions<M>) => Promise<M | null>;
  readonly findOne: (options?: AsOfFindOptions<M>) => Promise<M | null>;
  readonly findAll: (options?: AsOfFindOptions<M>) => Promise<M[]>;
  readonly count: (options?: AsOfCountOptions<M>) => Promise<number>;
}

const READ_ONLY = 'It shows the past; revert() sets an object back.';

/** Attributes of the model that its versions don't show. */
function hiddenAttributes(registration: Registration): Set<string> {
  const known = new Set(knownColumns(registration).map((column) => column.attribute));
  return new Set(
    storedAttributes(registration.model)
      .map(([name]) => name)
      .filter((name) => !known.has(name)),
  );
}

/** The attribute names that a `where` or an `order` mentions, as far as they are no SQL. */
function* namesIn(value: unknown): Generator<string> {
  if (typeof value === 'string') yield value;
  if (Array.isArray(value)) for (const each of value) yield* namesIn(each);
  if (!isPlainObject(value)) return;
  for (const key of Object.keys(value)) yield key.replaceAll('$', '').split('.')[0] ?? '';
  for (const key of Object.getOwnPropertySymbols(value)) yield* namesInOperator(value[key as never]);
}

/** Below an operator such as `Op.and` stand conditions; below `Op.eq` stand values, which name nothing. */
function* namesInOperator(value: unknown): Generator<string> {
  const conditions = Array.isArray(value) ? value : [value];
  for (const each of conditions) if (isPlainObject(each)) yield* namesIn(each);
}

function orderNames(order: unknown): string[] {
  const items = Array.isArray(order) ? (order as unknown[]) : order === undefined ? [] : [order];
  return items
    .map((item) => (Array.isArray(item) ? (item as unknown[])[0] : item))
    .filter((name) => typeof name === 'string');
}

function invalid(message: string): never {
  throw new AuditError('ERR_AUDIT_INVALID_ARGUMENT', message);
}

/** @throws {AuditError} ERR_AUDIT_INVALID_ARGUMENT for what would read the present, or what the past doesn't hold. */
function checkOptions(registration: Registration, hidden: ReadonlySet<string>, options: FindOptions): void {
  const { name } = registration;
  if (options.include !== undefined) {
    invalid(
      `asOf of ${name}: include would read the present of other models. Use auditLog.asOf(when, (transaction) => …), which takes them all.`,
    );
  }
  if (options.lock !== undefined && options.lock !== false)
    invalid(`asOf of ${name}: rows of the past can't be locked; leave out lock.`);
  const named = [...namesIn(options.where), ...orderNames(options.order)].find((each) => hidden.has(each));
  if (named === undefined) return;
  invalid(
    `asOf of ${name}: "${named}" is masked or not tracked, so the past can't be searched or ordered by it.`,
  );
}

/** The caller's attributes without those that stay unset. */
function visibleAttributes(
  hidden: ReadonlySet<string>,
  given: FindOptions['attributes'],
): FindOptions['attributes'] {
  if (Array.isArray(given)) return given.filter((each) => typeof each !== 'string' || !hidden.has(each));
  const { include = [], exclude = [] } = (given ?? {}) as { include?: never[]; exclude?: string[] };
  return { include, exclude: [...exclude, ...hidden] };
}

function pageShape(registration: Registration, options: FindOptions): AsOfShape | null {
  const [first] = Array.isArray(options.order) ? (options.order as unknown[]) : [];
  const [name, direction] = Array.isArray(first) ? (first as unknown[]) : [first];
  const isKey = name === undefined || name === registration.tracked.keys[0]?.attribute;
  if (!isKey || (Array.isArray(first) && first.length > 2)) return null;
  return String(direction).toUpperCase() === 'DESC' ? 'streamBackwards' : 'stream';
}

/** By what the index on the object or on a foreign key can serve. */
function shapeOf(registration: Registration, options: FindOptions): AsOfShape {
  const names = Object.keys(isPlainObject(options.where) ? options.where : {});
  const [key] = registration.tracked.keys;
  if (key !== undefined && names.includes(key.attribute)) return 'stream';
  const isReference = (name: string): boolean =>
    registration.tracked.columns.some((column) => column.attribute === name && column.isReference);
  if (names.some(isReference)) return 'probe';
  return (options.limit === undefined ? null : pageShape(registration, options)) ?? 'bulk';
}

function isEmptyWhere(where: unknown): boolean {
  return where === undefined || (isPlainObject(where) && Reflect.ownKeys(where).length === 0);
}

/** A stand-in for `sequelize` that puts `prefix` before every statement. */
function prefixing(sequelize: Sequelize, prefix: string): Sequelize {
  const query = (sql: string, options: object): Promise<unknown> =>
    sequelize.query(`${prefix} ${sql}`, options as never);
  return Object.create(sequelize, { query: { value: query } }) as Sequelize;
}

/** What Sequelize's find methods ask of a model class here; checked with 6.37. */
interface ReadableClass {
  new (...args: never[]): Model;
  getTableName(): unknown;
  readonly queryInterface: object;
}

/**
 * A class of the model whose statements read from a common table expression with the table's own name: the rows as of the time.
 * No default scope: it belongs to the present.
 */
function pastModel(model: ModelStatic<Model>, relation: string): ModelStatic<Model> {
  const { table } = tableOf(model);
  const sequelize = model.sequelize!;
  const prefix = `with ${quoteIdentifier(table)} as not materialized (${relation})`;
  const queryInterface = Object.create(sequelize.getQueryInterface(), {
    sequelize: { value: prefixing(sequelize, prefix) },
  }) as object;
  const Base = model.unscoped() as unknown as ReadableClass;
  const past = class extends Base {
    static override getTableName(): unknown {
      return table;
    }

    static override get queryInterface(): object {
      return queryInterface;
    }
  };
  Object.defineProperty(past, 'name', { value: model.name });
  refuseWrites(past as unknown as ModelStatic<Model>, READ_ONLY);
  return past as unknown as ModelStatic<Model>;
}

/** Reads one model as of one point in time. */
class PastReader {
  readonly #registration: Registration;
  readonly #snapshot: SnapshotModel;
  readonly #bound: Bound;

  constructor(registration: Registration, snapshot: SnapshotModel, when: PointInTime) {
    this.#registration = registration;
    this.#snapshot = snapshot;
    this.#bound = boundOf(`asOf of ${registration.name}`, when);
  }

  async findAll(options: FindOptions = {}): Promise<unknown> {
    const { model, given } = this.#prepare(options, shapeOf(this.#registration, options));
    return this.#reading(model.findAll(given));
  }

  async findOne(options: FindOptions = {}): Promise<unknown> {
    const one = { ...options, limit: 1 };
    const { model, given } = this.#prepare(one, shapeOf(this.#registration, one));
    return this.#reading(model.findOne(given));
  }

  async findByPk(pk: unknown, options: FindOptions = {}): Promise<unknown> {
    const { model } = this.#registration;
    const texts = keyTexts(`asOf of ${this.#registration.name}: findByPk`, model, pk);
    if (!fitsKey(model, texts)) return null;
    const where = bothWhere(model.sequelize!, texts, options.where);
    const found = await this.findOne({ ...options, where });
    if (found === null) await this.#checkGap(texts, options);
    return found;
  }

  async count(options: CountOptions = {}): Promise<number> {
    const { tracked } = this.#registration;
    const keysOnly = isEmptyWhere(options.where) && tracked.deletedAt === null && options.col === undefined;
    const shape = keysOnly ? 'count' : shapeOf(this.#registration, options);
    const { model, given } = this.#prepare(options as FindOptions, shape);
    // COUNT takes no attributes.
    delete given.attributes;
    return this.#reading(model.count(given));
  }

  #prepare(options: FindOptions, shape: AsOfShape): { model: ModelStatic<Model>; given: FindOptions } {
    const hidden = hiddenAttributes(this.#registration);
    checkOptions(this.#registration, hidden, options);
    const relation = versionsAsOf(this.#source(), shape);
    const attributes = visibleAttributes(hidden, options.attributes)!;
    return { model: pastModel(this.#registration.model, relation), given: { ...options, attributes } };
  }

  #source(): AsOfSource {
    const { options, tracked } = this.#registration;
    return {
      history: options.snapshots!.table,
      keys: tracked.keys.map((each) => each.column),
      columns: knownColumns(this.#registration).map((each) => each.column),
      deletedAt: tracked.deletedAt?.column ?? null,
      bound: versionNotAfter(this.#bound, (model) => readSameTable(model, this.#snapshot)),
    };
  }

  async #reading<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      const { options, tracked } = this.#registration;
      throw readingError(
        error,
        options.snapshots!.table,
        tracked.columns.map((each) => each.column),
      );
    }
  }

  /** An object whose first version is no audited create was there before, in a state nobody recorded. */
  async #checkGap(texts: Record<string, string>, { transaction }: FindOptions): Promise<void> {
    const { literal, Op } = runtimeOf(this.#snapshot.sequelize!);
    const order = [
      ['historyDate', 'ASC'],
      ['historyId', 'ASC'],
    ];
    const [first] = await this.#snapshot.findAll({
      where: texts as never,
      order: order as never,
      limit: 1,
      ...(transaction === undefined ? {} : { transaction }),
    });
    if (!first || (first.historyType === '+' && first.logEntryId !== null)) return;
    const bound = versionNotAfter(this.#bound, (model) => readSameTable(model, this.#snapshot));
    const where = { [Op.and]: [{ historyId: first.historyId }, literal(bound)] };
    if ((await this.#snapshot.count({ where: where as never })) > 0) return;
    const { name } = this.#registration;
    const since = timeText(first.historyDate);
    const message = `What ${name} ${Object.values(texts).join(', ')} was at that time is unknown: its history begins at ${since}.`;
    throw new AuditError('ERR_AUDIT_HISTORY_GAP', message);
  }
}

/**
 * The rows of a registered model as of a point in time.
 *
 * @throws {AuditError} ERR_AUDIT_NO_SNAPSHOTS, ERR_AUDIT_INVALID_ARGUMENT
 */
export function asOf<M extends Model>(
  snapshots: SnapshotModels,
  registration: Registration,
  when: PointInTime,
): AsOfReader<M> {
  const reader = new PastReader(
    registration,
    snapshots.of(registration, `asOf of ${registration.name}`),
    when,
  );
  return {
    findByPk: (pk, options) => reader.findByPk(pk, options as FindOptions) as Promise<M | null>,
    findOne: (options) => reader.findOne(options as FindOptions) as Promise<M | null>,
    findAll: (options) => reader.findAll(options as FindOptions) as Promise<M[]>,
    count: (options) => reader.count(options as CountOptions),
  };
}
