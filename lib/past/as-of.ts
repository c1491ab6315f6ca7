import type { CountOptions, FindOptions, Model, ModelStatic, Transaction, WhereOptions } from 'sequelize';
import type { Registration } from '../capture/registry';
import { AuditError, isAuditError } from '../core/errors';
import { UNDEFINED_COLUMN } from '../core/postgres-codes';
import { isPlainObject } from '../history/arguments';
import { fitsKey, keyTexts, keyWhere, type ObjectKey } from '../history/object-key';
import type { Bound } from '../history/point-in-time';
import { wholeSince } from '../history/prune-marks';
import type { HistorySettings } from '../history/settings';
import type { SnapshotModels } from '../history/snapshots';
import { bothWhere } from '../history/where';
import { storedAttributes } from '../schema/attributes';
import { readingError } from '../schema/detached-model';
import { exactTimeSql } from '../schema/exact-time';
import { quoteIdentifier } from '../schema/quote';
import { runtimeOf } from '../schema/sequelize-runtime';
import { sqlState } from '../schema/sql-state';
import { checkAsked, refuse, refuseHidden, type Asked } from './asked';
import { pastModel } from './past-model';
import type { PastRelation } from './reading';
import { isTypeError, retypedError, unreadableError } from './retyped';
import type { PastRead, PastSource } from './source';
import { stateAt } from './state';

export interface StrictOption {
  /**
   * Throw when there are objects whose past at that time is unknown, instead of leaving them out. Conditions on the key narrow
   * down which objects count, except where the time lies before what a prune left: that throws whatever is asked. Costs two more
   * queries.
   *
   * @default false
   */
  readonly strict?: boolean;
}

/** Find options of a reader of the past: Sequelize's, without `include` and `lock`, and `strict`. */
export type AsOfFindOptions<M extends Model> = Omit<FindOptions<M['_attributes']>, 'include' | 'lock'> &
  StrictOption;
export type AsOfCountOptions<M extends Model> = Omit<
  CountOptions<M['_attributes']>,
  'include' | 'group' | 'attributes'
> &
  StrictOption;

/**
 * One model as of a time. Objects that were deleted or not yet created are absent; soft-deleted ones come with
 * `paranoid: false`. Instances are detached and read-only; masked and excluded attributes are unset. Default scopes don't apply.
 *
 * @example
 * const past = orders.asOf(new Date('2026-11-01'));
 * const order = await past.findByPk(42);
 * const open = await past.count({ where: { status: 'open' } });
 */
export interface AsOfReader<M extends Model> {
  /**
   * @throws {AuditError} ERR_AUDIT_HISTORY_GAP when the object's history begins later than the time, without a create, or what would
   * tell of it was pruned
   */
  readonly findByPk: (pk: ObjectKey, options?: AsOfFindOptions<M>) => Promise<M | null>;
  /** @throws {AuditError} with `strict`: ERR_AUDIT_HISTORY_GAP */
  readonly findOne: (options?: AsOfFindOptions<M>) => Promise<M | null>;
  /** @throws {AuditError} with `strict`: ERR_AUDIT_HISTORY_GAP */
  readonly findAll: (options?: AsOfFindOptions<M>) => Promise<M[]>;
  /** @throws {AuditError} with `strict`: ERR_AUDIT_HISTORY_GAP */
  readonly count: (options?: AsOfCountOptions<M>) => Promise<number>;
}

/** No name that a part of a key could have. */
const SINCE = '!since';
const SINCE_SQL = quoteIdentifier(SINCE);

interface Gap {
  readonly [SINCE]: string | null;
  readonly [key: string]: unknown;
}

const FIND_HOOKS = [
  'beforeFind',
  'beforeFindAfterExpandIncludeAll',
  'beforeFindAfterOptions',
  'afterFind',
] as const;

/** Whether the application is told the conditions of a query, by hooks or its own finders: then the key must be among them. */
function seesConditions(model: ModelStatic<Model>): boolean {
  const { Model: Base } = runtimeOf(model.sequelize!);
  const isOverridden = model.findAll !== Base.findAll || model.findOne !== Base.findOne;
  return isOverridden || FIND_HOOKS.some((name) => model.hasHook(name) || model.sequelize!.hasHook(name));
}

/** Whether the database answered, and not what was asked for: to be null or an error is the caller's choice. */
function isAnswer(error: unknown): boolean {
  return sqlState(error) === null && !isAuditError(error);
}

/** An answer counts when `check` has nothing against it; that nothing is known comes before that nothing was found. */
async function checked<T>(answer: Promise<T>, check: (found: T | null) => Promise<void>): Promise<T> {
  const found = await answer.catch(async (error: unknown) => {
    if (isAnswer(error)) await check(null);
    throw error;
  });
  await check(found);
  return found;
}

/** Whose past is read, and of when. */
export interface PastView {
  readonly settings: HistorySettings;
  readonly snapshots: SnapshotModels;
  readonly registration: Registration;
  readonly bound: Bound;
}

/** Reads one model as of one point in time. */
class PastReader {
  readonly #view: PastView;
  readonly #registration: Registration;
  readonly #source: PastSource;

  constructor(view: PastView, source: PastSource) {
    this.#view = view;
    this.#registration = view.registration;
    this.#source = source;
  }

  async findAll(asked: Asked = {}): Promise<unknown> {
    const { model, given } = await this.#prepare('rows', asked);
    return this.#answer(model.findAll(given), asked);
  }

  async findOne(asked: Asked = {}): Promise<unknown> {
    const { model, given } = await this.#prepare('rows', { ...asked, limit: 1 });
    return this.#answer(model.findOne(given), asked);
  }

  async findByPk(pk: unknown, { strict: _always, ...asked }: Asked = {}): Promise<unknown> {
    const { model } = this.#registration;
    const texts = keyTexts(`asOf of ${this.#registration.name}: findByPk`, model, pk);
    if (!fitsKey(model, texts)) return null;
    // Parameters of the caller's own, also in SQL of a condition, would be numbered like those of a text that serves all objects.
    const isGeneral = seesConditions(model) || asked.bind !== undefined || asked.where !== undefined;
    const ofObject = isGeneral ? null : await this.#source.ofObject?.(texts, asked);
    const found = ofObject
      ? new PastReader(this.#view, ofObject).#findKnown({}, asked)
      : this.#findKnown(keyWhere(model, texts), asked);
    return checked(found, async (each) => {
      if (each === null) await this.#checkPruned(texts, asked);
    });
  }

  /** The first that is found, or null; an error when what `key` holds for was something that can't be known. */
  async #findKnown(key: Record<string, unknown>, asked: Asked): Promise<unknown> {
    const where = bothWhere(this.#registration.model.sequelize!, key, asked.where);
    return checked(this.findOne({ ...asked, where }), async (found) => {
      if (found === null) await this.#checkGaps(key, asked);
    });
  }

  /** A number whatever is asked: without group, attributes have no meaning. */
  async count({ attributes: _unused, ...asked }: Asked = {}): Promise<number> {
    if (asked.group !== undefined)
      refuse(
        `asOf of ${this.#registration.name}: count takes no group; use findAll with group and fn('count', …).`,
      );
    const { model, given } = await this.#prepare('count', asked);
    return this.#answer(model.count(given), asked);
  }

  #answer<T>(answer: Promise<T>, asked: Asked): Promise<T> {
    const reading = this.#reading(answer, asked);
    return asked.strict === true ? checked(reading, () => this.#checkWhole(asked)) : reading;
  }

  async #prepare(
    kind: 'rows' | 'count',
    { strict, ...options }: Asked,
  ): Promise<{ model: ModelStatic<Model>; given: Asked }> {
    const { name, model } = this.#registration;
    checkAsked(name, this.#source.hidden, options);
    if (strict === true) await this.#checkGaps(this.#keyConditions(options.where), options);
    const past = pastModel(model, await this.#relation({ kind, options }));
    return { model: past.model, given: { ...options, ...past.reading } };
  }

  async #relation(read: PastRead): Promise<PastRelation> {
    const { rows, tested, hidden, unknownColumn, sending } = this.#source;
    const carefully = tested && {
      relation: (transaction?: Transaction | null) =>
        tested.rows({ ...read, options: { ...read.options, transaction: transaction ?? null } }),
      note: tested.note,
    };
    return { relation: await rows(read), tested: carefully, hidden, unknownColumn, sending };
  }

  /** What a condition says of the key: the rest of an object whose past is unknown may well have met it. */
  #keyConditions(where: unknown): Record<string, unknown> {
    const { primaryKeyAttributes } = this.#registration.model;
    if (!isPlainObject(where)) return {};
    return Object.fromEntries(Object.entries(where).filter(([name]) => primaryKeyAttributes.includes(name)));
  }

  /** @throws {AuditError} ERR_AUDIT_HISTORY_GAP */
  async #checkGaps(
    where: WhereOptions,
    { transaction, logging, searchPath, useMaster }: Asked,
  ): Promise<void> {
    const { model } = this.#registration;
    const { literal } = runtimeOf(model.sequelize!);
    const passed = { transaction, logging, searchPath, useMaster };
    const given = Object.fromEntries(Object.entries(passed).filter(([, each]) => each !== undefined));
    const relation = await this.#source.gaps({ kind: 'rows', options: { ...given, where } as Asked });
    const past = pastModel(model, { relation, sending: this.#source.sending });
    const options = {
      ...given,
      ...past.reading,
      attributes: [...model.primaryKeyAttributes, literal(`${exactTimeSql(SINCE_SQL)} as ${SINCE_SQL}`)],
      where,
      order: literal(`${SINCE_SQL} desc nulls first`),
      hooks: false,
      paranoid: false,
      raw: true,
      rejectOnEmpty: false,
    };
    const gap = (await this.#reading(past.model.findOne(options as never))) as unknown as Gap | null;
    if (gap) this.#refuseGap(gap);
  }

  /** Since when nothing of the model was pruned, where that is later than the time. */
  #wholeSince({ transaction }: Asked): Promise<string | null> {
    const { settings, registration, bound } = this.#view;
    return wholeSince(settings, registration.name, [bound.time], transaction);
  }

  /**
   * That no record tells of an object means nothing where records were pruned.
   *
   * @throws {AuditError} ERR_AUDIT_HISTORY_GAP
   */
  async #checkPruned(key: Readonly<Record<string, string>>, asked: Asked): Promise<void> {
    if ((await this.#wholeSince(asked)) === null) return;
    const { settings, snapshots, registration, bound } = this.#view;
    const options = asked.transaction === undefined ? {} : { transaction: asked.transaction };
    const { presence, since } = await stateAt(settings, snapshots, registration, key, bound, options);
    if (presence === 'unknown') this.#refuseGap({ ...key, [SINCE]: since });
  }

  /** @throws {AuditError} ERR_AUDIT_HISTORY_GAP */
  async #checkWhole(asked: Asked): Promise<void> {
    const since = await this.#wholeSince(asked);
    if (since === null) return;
    const message = `Which objects of ${this.#registration.name} there were at that time is unknown: what was recorded before ${since} was pruned.`;
    throw new AuditError('ERR_AUDIT_HISTORY_GAP', message);
  }

  #refuseGap({ [SINCE]: since, ...key }: Gap): never {
    const { name } = this.#registration;
    const subject = `What ${name} ${Object.values(key).map(String).join(', ')} was at that time is unknown: `;
    const reason =
      since === null ? 'nothing of it has been recorded yet.' : `its history begins at ${since}.`;
    throw new AuditError('ERR_AUDIT_HISTORY_GAP', subject + reason);
  }

  async #reading<T>(answer: Promise<T>, { transaction }: Asked = {}): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      this.#refuseHiddenColumn(error);
      // Inside a transaction, a second connection might have to wait for the first.
      const isOfVersions = this.#registration.options.snapshots !== null;
      if (isOfVersions && isTypeError(error) && !transaction)
        throw await retypedError(error, this.#registration);
      const unreadable = unreadableError(error, this.#registration);
      throw readingError(unreadable, this.#source.table, this.#source.columns);
    }
  }

  /** In SQL of the caller's, which only PostgreSQL reads. */
  #refuseHiddenColumn(error: unknown): void {
    if (sqlState(error) !== UNDEFINED_COLUMN) return;
    const text = (error as Error).message;
    const named = storedAttributes(this.#registration.model).find(
      ([name, { field = name }]) =>
        this.#source.hidden.has(name) && (text.includes(`.${field} `) || text.includes(`"${field}"`)),
    );
    if (named) refuseHidden(this.#registration.name, named[0], error);
  }
}

/** The rows of a registered model as of a point in time, for which `source` was made. */
export function asOf<M extends Model>(view: PastView, source: PastSource): AsOfReader<M> {
  const reader = new PastReader(view, source);
  return {
    findByPk: (pk, options) => reader.findByPk(pk, options as Asked) as Promise<M | null>,
    findOne: (options) => reader.findOne(options as Asked) as Promise<M | null>,
    findAll: (options) => reader.findAll(options as Asked) as Promise<M[]>,
    count: (options) => reader.count(options as Asked),
  };
}
