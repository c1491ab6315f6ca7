import type { Model, Transaction } from 'sequelize';
import type { Registration } from '../capture/registry';
import { checkKeys, invalidArgument, invalidOption } from '../core/suggest';
import { fitsKey, objectPkText, type ObjectKey } from '../history/object-key';
import { boundOf, type PointInTime } from '../history/point-in-time';
import { objectKeyOf } from '../history/versions';
import { requireThere, type DiffSource } from '../past/diff';
import {
  lifeOf,
  linkDiffs,
  linkedNames,
  linksWholeSince,
  type LifeEntry,
  type LinkDiff,
  type When,
} from '../past/links-at';
import { stateOf, type ObjectState } from '../past/state';
import { storedAttributes } from '../schema/attributes';
import { readTable, type CatalogueColumn, type TableInfo } from '../schema/catalogue';
import { timeText } from '../schema/exact-time';
import type { LogEntry } from '../schema/log-entry';
import { runtimeOf } from '../schema/sequelize-runtime';
import type { Snapshot } from '../schema/snapshot-model';
import { catalogueQuery } from '../schema/sync';
import { explained } from './explain';
import { keepMicroseconds, type ObjectEntries } from './exact-dates';
import { conflict, obstaclesIn, type Obstacle } from './obstacles';
import {
  checkOnly,
  planOf,
  type AttributeRevert,
  type RevertFacts,
  type RevertPlan,
  type SkippedAttribute,
} from './plan';
import { transact } from './transact';
import { withoutUnrecorded } from './unrecorded';
import { createRow, putAllLinks, updateRow, type WriteOptions } from './write-back';

/** Options of `orders.revert`. */
export interface RevertOptions {
  /** The point in time whose state is put back. */
  readonly to: PointInTime;
  /** Only these attributes and tracked associations. @default all that history holds */
  readonly only?: readonly string[];
  /** Why; kept on the entry. */
  readonly reason?: string | null;
  /** Tell what would be done, trying it in a transaction that is rolled back; hooks don't run. @default false */
  readonly dryRun?: boolean;
  /**
   * What the caller has seen: the newest version or its `historyId`, without snapshots the newest entry or its `id`. When there
   * is a newer one, nothing is done (ERR_AUDIT_CONFLICT).
   */
  readonly expectedVersion?: string | number | bigint | Snapshot | LogEntry;
  /** Put back also over another object that was created under the same key since. @default false */
  readonly force?: boolean;
  /** Revert inside this transaction, in a savepoint. @default a transaction of its own */
  readonly transaction?: Transaction | null;
}

export interface RevertResult {
  /** What was changed, or would be: attributes in definition order, then links. All values of an object that comes back. */
  readonly changes: readonly (AttributeRevert | LinkDiff)[];
  /** What was left as it is, because history doesn't hold it or the other end of a link is gone. */
  readonly skipped: readonly SkippedAttribute[];
  /** What stands in the way: only a dry run tells it here, otherwise it is ERR_AUDIT_CONFLICT. */
  readonly obstacles: readonly Obstacle[];
  /** The entry that was written; null when nothing changed, in a dry run, and where auditing is off. */
  readonly entry: LogEntry | null;
}

const KEYS = ['to', 'only', 'reason', 'dryRun', 'expectedVersion', 'force', 'transaction'];
const CAPTURED = ['create', 'update', 'delete'];
/** What an entry of a revert has in its additional data; also of one that undid a transaction. */
const COME_BACK = ['revertedTo', 'revertOf'];

/** A guard that is given but empty, such as null, must not count as none. */
function checkExpected(where: string, expected: unknown): void {
  if (expected === undefined || ['string', 'number', 'bigint'].includes(typeof expected)) return;
  if (typeof expected === 'object' && expected !== null && 'dataValues' in expected) return;
  invalidOption(where, 'expectedVersion', 'a Snapshot, a LogEntry or the id of one', expected);
}

function checkOptions(where: string, options: RevertOptions): void {
  checkKeys(where, options, KEYS);
  const { to, only, dryRun = false, force = false } = options;
  if ((to as unknown) === 'current' || to === undefined)
    invalidArgument(
      where,
      'a point in the past as "to" (a Date, an ISO-8601 text, a Snapshot or a LogEntry)',
      to,
    );
  boundOf(where, to);
  const isNames =
    only === undefined || (Array.isArray(only) && only.every((each) => typeof each === 'string'));
  if (!isNames) invalidOption(where, 'only', 'an array of attribute names', only);
  if (typeof dryRun !== 'boolean') invalidOption(where, 'dryRun', 'a boolean', dryRun);
  if (typeof force !== 'boolean') invalidOption(where, 'force', 'a boolean', force);
  checkExpected(where, options.expectedVersion);
}

/** What the entry says about where the object was put back to. */
function provenance(where: string, to: PointInTime): Record<string, unknown> {
  const { time, version, logEntryId } = boundOf(where, to);
  if (to instanceof Date) return { revertedTo: timeText(to) };
  const id = version
    ? { revertedToVersion: version.historyId }
    : logEntryId === null
      ? {}
      : { revertedToEntry: logEntryId };
  return { revertedTo: time.text, ...id };
}

/** One call of `revert`, inside its transaction. */
class Revert {
  readonly #source: DiffSource;
  readonly #where: string;
  readonly #key: Readonly<Record<string, string>>;
  readonly #options: RevertOptions;
  readonly #transaction: Transaction;

  constructor(
    source: DiffSource,
    where: string,
    key: Readonly<Record<string, string>>,
    options: RevertOptions,
    transaction: Transaction,
  ) {
    this.#source = source;
    this.#where = where;
    this.#key = key;
    this.#options = options;
    this.#transaction = transaction;
  }

  async run(): Promise<RevertResult> {
    const { registration } = this.#source;
    const { dryRun = false } = this.#options;
    const row = await this.#lock();
    const life = await this.#life();
    const table = await this.#table();
    const facts = await this.#facts(life, table);
    checkOnly(this.#where, facts);
    const plan = planOf(facts);
    const last = await this.#newestEntry();
    const known = [...(await this.#staleness(last)), ...this.#reuse(life, row), ...plan.obstacles];
    if (known.length > 0 && !dryRun) throw conflict(this.#where, known);
    const answer = { changes: [...plan.changes, ...plan.links], skipped: plan.skipped, obstacles: known };
    if (known.length > 0 || answer.changes.length === 0) return { ...answer, entry: null };
    try {
      const left = await this.#apply(plan, row, table);
      await this.#settleConstraints();
      const entry = dryRun ? null : await this.#entryAfter(last);
      return { ...answer, skipped: [...plan.skipped, ...left], entry };
    } catch (error) {
      const found = obstaclesIn(registration, error);
      if (found === null) throw error;
      const obstacles = explained(facts, plan.changes, found);
      if (!dryRun) throw conflict(this.#where, obstacles, error);
      return { ...answer, obstacles, entry: null };
    }
  }

  /** Held from here on, so that writers of the row and other reverts wait, and see each other's work. */
  async #lock(): Promise<Model | null> {
    const { model } = this.#source.registration;
    if (!fitsKey(model, this.#key)) return null;
    const found = await model.unscoped().findOne({
      where: this.#key,
      paranoid: false,
      hooks: false,
      raw: false,
      lock: true,
      transaction: this.#transaction,
    } as never);
    // Hooks shall see an instance of the model itself, not of its unscoped class.
    return found && model.build(found.dataValues as never, { isNewRecord: false, raw: true });
  }

  #life(): Promise<LifeEntry[]> {
    const { settings, registration } = this.#source;
    return lifeOf(settings, registration, this.#key, ['current', this.#options.to], this.#transaction);
  }

  async #table(): Promise<TableInfo | null> {
    const { settings, registration } = this.#source;
    return readTable(catalogueQuery(settings.sequelize, this.#transaction), registration.table);
  }

  async #facts(life: readonly LifeEntry[], table: TableInfo | null): Promise<RevertFacts> {
    const { settings, snapshots, registration } = this.#source;
    const { only, to } = this.#options;
    const at = (when: When) =>
      stateOf(settings, snapshots, registration, this.#key, when, { transaction: this.#transaction });
    const then = requireThere(this.#where, registration, this.#key, await at(to));
    const now = await at('current');
    const columns = columnsByAttribute(registration, table);
    const linksSince = await this.#linksSince();
    return {
      registration,
      now,
      past: await this.#recorded(now, then, columns),
      links: linksSince === null ? linkDiffs(registration, life) : [],
      linksSince,
      columns,
      dropped: await this.#droppedNames(),
      only: only === undefined ? null : new Set(only),
    };
  }

  #recorded(
    now: ObjectState,
    past: ObjectState,
    columns: ReadonlyMap<string, CatalogueColumn>,
  ): Promise<ObjectState> {
    const { settings, registration } = this.#source;
    const facts = { registration, now, past, columns };
    return withoutUnrecorded(settings, this.#whereObject(), this.#options.to, facts, this.#transaction);
  }

  async #linksSince(): Promise<string | null> {
    const { settings, registration } = this.#source;
    if (linkedNames(registration).length === 0) return null;
    return linksWholeSince(settings, registration, [this.#options.to], this.#transaction);
  }

  #whereObject(): ObjectEntries {
    return { model: this.#source.registration.name, objectPk: objectPkText(this.#key) };
  }

  /** Names of values in the object's entries that are no attributes any more. */
  async #droppedNames(): Promise<string[]> {
    const { settings, registration } = this.#source;
    const { literal } = runtimeOf(settings.sequelize);
    const path = `$.keyvalue() ? (@.value.type() == "array").key`;
    const names = literal(`distinct jsonb_path_query("changes", '${path}') #>> '{}'`);
    const rows = (await settings.LogEntry.findAll({
      attributes: [[names, 'name']],
      where: { ...this.#whereObject(), action: CAPTURED } as never,
      raw: true,
      transaction: this.#transaction,
    })) as unknown as { name: string }[];
    const known = registration.model.getAttributes();
    return rows.map(({ name }) => name).filter((name) => !Object.hasOwn(known, name));
  }

  /** Not by max(), which Sequelize turns into a number. */
  async #newestEntry(): Promise<string> {
    const newest = await this.#source.settings.LogEntry.findOne({
      attributes: ['id'],
      where: { ...this.#whereObject(), action: CAPTURED } as never,
      order: [['id', 'DESC']],
      transaction: this.#transaction,
    });
    return newest?.id ?? '0';
  }

  async #newestVersion(): Promise<string> {
    const { snapshots, registration } = this.#source;
    const newest = await snapshots.of(registration).findOne({
      attributes: ['historyId'],
      where: this.#key as never,
      order: [['historyId', 'DESC']],
      transaction: this.#transaction,
    });
    return newest?.historyId ?? '0';
  }

  async #staleness(newestEntry: string): Promise<Obstacle[]> {
    const { expectedVersion: expected } = this.#options;
    if (expected === undefined) return [];
    const row = (expected as { dataValues?: { historyId?: unknown; id?: unknown } }).dataValues;
    const isEntry = row ? row.historyId === undefined : this.#source.registration.options.snapshots === null;
    const given = String(row ? (row.historyId ?? row.id) : expected);
    const newest = isEntry ? newestEntry : await this.#newestVersion();
    if (given === newest) return [];
    const what = isEntry ? 'entry' : 'version';
    return [{ why: `it has changed since: ${what} ${newest} is its newest, expected was ${given}` }];
  }

  /** Another object under the same key: what was created since, other than by putting back what was deleted. */
  #reuse(life: readonly LifeEntry[], row: Model | null): Obstacle[] {
    const isOther = ({ action, isAt, additionalData }: LifeEntry): boolean =>
      action === 'create' && isAt[1] === false && !COME_BACK.some((name) => name in (additionalData ?? {}));
    if (row === null || this.#options.force === true || !life.some(isOther)) return [];
    return [{ why: 'another object was created under its key since (force: true puts back over it)' }];
  }

  async #apply(plan: RevertPlan, row: Model | null, table: TableInfo | null): Promise<SkippedAttribute[]> {
    const { registration } = this.#source;
    const { reason, dryRun = false } = this.#options;
    const additionalData = provenance(this.#where, this.#options.to);
    const audit = { additionalData, ...(reason === undefined ? {} : { reason }) };
    await keepMicroseconds(
      this.#source.settings,
      this.#whereObject(),
      this.#options.to,
      plan.changes,
      this.#transaction,
    );
    const options: WriteOptions = { transaction: this.#transaction, audit, hooks: !dryRun };
    const instance = row ?? (await createRow(registration, plan.row, table, options));
    if (row !== null && plan.changes.length > 0) await updateRow(row, plan.changes, options);
    return putAllLinks(registration, instance, plan.links, options);
  }

  /**
   * Deferred constraints speak now: at a commit that fails Sequelize drops the connection, and a dry run has none. Those of the
   * caller's transaction are the caller's.
   */
  async #settleConstraints(): Promise<void> {
    if ((this.#transaction as { parent?: unknown }).parent) return;
    const { sequelize } = this.#source.settings;
    await sequelize.query('SET CONSTRAINTS ALL IMMEDIATE', { transaction: this.#transaction });
  }

  /** The first that the revert wrote; hooks may have written more about the same object. */
  async #entryAfter(last: string): Promise<LogEntry | null> {
    const { LogEntry, sequelize } = this.#source.settings;
    const { Op, literal } = runtimeOf(sequelize);
    return LogEntry.findOne({
      where: {
        ...this.#whereObject(),
        id: { [Op.gt]: last },
        [Op.and]: [literal(`"additional_data" ->> 'revertedTo' is not null`)],
      } as never,
      order: [['id', 'ASC']],
      transaction: this.#transaction,
    });
  }
}

function columnsByAttribute(
  { model }: Registration,
  table: TableInfo | null,
): ReadonlyMap<string, CatalogueColumn> {
  const known = new Map(table?.columns.map((column) => [column.name, column]));
  const all = storedAttributes(model).map(([name, { field = name }]) => [name, known.get(field)] as const);
  return new Map(all.filter((each): each is [string, CatalogueColumn] => each[1] !== undefined));
}

/** Sets one object back; see `RevertMembers.revert`. */
export async function revert(
  source: DiffSource,
  object: Model | ObjectKey,
  options: RevertOptions,
): Promise<RevertResult> {
  const { settings, registration } = source;
  const where = `revert of ${registration.name}`;
  checkOptions(where, options);
  const key = objectKeyOf(settings, registration, 'revert', object);
  try {
    return await transact(settings.sequelize, options.transaction, options.dryRun === true, (transaction) =>
      new Revert(source, where, key, options, transaction).run(),
    );
  } catch (error) {
    const obstacles = obstaclesIn(registration, error);
    if (obstacles === null) throw error;
    if (options.dryRun === true) return { changes: [], skipped: [], obstacles, entry: null };
    throw conflict(where, obstacles, error);
  }
}
