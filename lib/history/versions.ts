import type { FindOptions, Model } from 'sequelize';
import type { Registration } from '../capture/registry';
import { isInstance } from '../context/instances';
import { invalidArgument } from '../core/suggest';
import type { LogEntry } from '../schema/log-entry';
import type { HistoryAttributes, Snapshot, SnapshotModel } from '../schema/snapshot-model';
import { lazily } from '../core/lazily';
import type * as CleanDuplicates from './clean-duplicates';
import type { CleanDuplicatesOptions, CleanDuplicatesResult } from './clean-duplicates';
import { findIndexed, type EntryFindOptions } from './finders';
import { loadActors } from './load-actors';
import { fitsKey, keyTexts, keyWhere, objectPkText, type ObjectKey } from './object-key';
import type * as Populate from './populate';
import type { PopulateOptions, PopulateResult } from './populate';
import { registrationOf, type HistorySettings } from './settings';
import { bothWhere } from './where';
import { byId, firstVersions, type SnapshotModels } from './snapshots';

// Loaded when first used.
const populating = lazily(() => require('./populate') as typeof Populate);
const cleaning = lazily(() => require('./clean-duplicates') as typeof CleanDuplicates);

/** Sequelize's find options, and `actors`. */
export interface VersionFindOptions<M extends Model> extends FindOptions<
  M['_attributes'] & HistoryAttributes
> {
  /** Also load the actors' rows into `.actor`, in one more query. @default false */
  readonly actors?: boolean;
}

/** The reading members of an `AuditedModel`. */
export interface ModelHistory<M extends Model> {
  /** The read-only model over the versions. @throws {AuditError} ERR_AUDIT_NO_SNAPSHOTS */
  readonly Snapshot: SnapshotModel<M>;
  /** Entries about one object, newest first. */
  readonly entries: (object: M | ObjectKey, options?: EntryFindOptions) => Promise<LogEntry[]>;
  /** Versions of one object, newest first. @throws {AuditError} ERR_AUDIT_NO_SNAPSHOTS */
  readonly versions: (object: M | ObjectKey, options?: VersionFindOptions<M>) => Promise<Snapshot<M>[]>;
  /** The last version of one object, deleted or not, or null. @throws {AuditError} ERR_AUDIT_NO_SNAPSHOTS */
  readonly mostRecent: (pk: ObjectKey) => Promise<Snapshot<M> | null>;
  /**
   * Writes a version `'+'`, dated now, of every row that has none, soft-deleted rows too. It is a baseline: no entry belongs to
   * it, and before its date the row's past stays unknown. Batches of rows are committed one by one, so what was ended early goes
   * on when it is called again; rows may be written meanwhile.
   *
   * @throws {AuditError} ERR_AUDIT_NO_SNAPSHOTS, ERR_AUDIT_INVALID_OPTION, ERR_AUDIT_MISSING_TABLE, ERR_AUDIT_MISSING_COLUMN,
   * ERR_AUDIT_PERMISSION, ERR_AUDIT_UNSUPPORTED_WRITE for a view that can't be locked
   * @example
   * const { written } = await orders.populate({ onProgress: ({ done, total }) => console.log(`${done} of ${total}`) });
   */
  readonly populate: (options?: PopulateOptions) => Promise<PopulateResult>;
  /**
   * Removes versions `'~'` that equal the one before of the same object in every column of the row, managed timestamps
   * included. No state of the past changes by it, and no entry.
   *
   * @throws {AuditError} ERR_AUDIT_NO_SNAPSHOTS, ERR_AUDIT_INVALID_OPTION, ERR_AUDIT_INVALID_ARGUMENT, ERR_AUDIT_MISSING_TABLE,
   * ERR_AUDIT_PERMISSION
   * @example
   * const { examined, removed } = await orders.cleanDuplicates({ since: '2026-11-01', dryRun: true });
   */
  readonly cleanDuplicates: (options?: CleanDuplicatesOptions) => Promise<CleanDuplicatesResult>;
}

/**
 * The key of an object of a registered model, given by an instance, a version or a key.
 *
 * @throws {AuditError} ERR_AUDIT_INVALID_ARGUMENT, also for an instance of another model, which may well have a key of the same name
 */
export function objectKeyOf(
  settings: HistorySettings,
  registration: Registration,
  where: string,
  object: unknown,
): Record<string, string> {
  const isOther =
    typeof object === 'object' &&
    object !== null &&
    isInstance(object) &&
    registrationOf(settings, object.constructor) !== registration;
  if (isOther)
    invalidArgument(
      `${where} of ${registration.name}`,
      `an instance of ${registration.name}, or a key`,
      object,
    );
  return keyTexts(`${where} of ${registration.name}`, registration.model, object);
}

/** Whether a limit counts versions of the object and nothing else. */
function isPage({ where, order, group, include }: FindOptions): boolean {
  const isPlain = (each: unknown): boolean => typeof each === 'string';
  return [where, order, group].every((each) => each === undefined) && [include ?? []].flat().every(isPlain);
}

/** The caller's options for the versions of one object. */
function versionsAsked<M extends Model>(
  { sequelize }: HistorySettings,
  model: SnapshotModel<M>,
  key: Readonly<Record<string, unknown>>,
  options: FindOptions,
): FindOptions {
  const { limit, offset, ...others } = options;
  if (typeof limit === 'number' && isPage(options)) {
    const page = { limit, offset };
    return { ...others, ...firstVersions(model as unknown as SnapshotModel, key, 'DESC', page) };
  }
  const order = options.order ?? byId(sequelize, 'DESC');
  return { ...options, order, where: bothWhere(sequelize, key, options.where) };
}

async function findVersions<M extends Model>(
  settings: HistorySettings,
  model: SnapshotModel<M>,
  key: Readonly<Record<string, unknown>>,
  { actors = false, ...options }: VersionFindOptions<M> = {},
): Promise<Snapshot<M>[]> {
  const found = await model.findAll(versionsAsked(settings, model, key, options));
  if (actors && options.raw !== true) await loadActors(settings, found as unknown as Model[], options);
  return found;
}

/** The reading members for one registration. */
export function createModelHistory<M extends Model>(
  settings: HistorySettings,
  snapshots: SnapshotModels,
  registration: Registration,
): ModelHistory<M> {
  const { name } = registration;
  const fits = (key: Record<string, string>): boolean => fitsKey(registration.model, key);
  return {
    get Snapshot() {
      return snapshots.of<M>(registration, `${name}.Snapshot`);
    },
    async entries(object, options) {
      const objectPk = objectPkText(objectKeyOf(settings, registration, 'entries', object));
      const indexed = { attribute: 'objectPk', value: objectPk } as const;
      return findIndexed(settings, indexed, { model: registration.name }, options);
    },
    async versions(object, options) {
      const model = snapshots.of<M>(registration, `versions of ${name}`);
      const key = objectKeyOf(settings, registration, 'versions', object);
      return fits(key) ? findVersions(settings, model, keyWhere(registration.model, key), options) : [];
    },
    async mostRecent(pk) {
      const model = snapshots.of<M>(registration, `mostRecent of ${name}`);
      const key = objectKeyOf(settings, registration, 'mostRecent', pk);
      if (!fits(key)) return null;
      const [last] = await findVersions(settings, model, keyWhere(registration.model, key), { limit: 1 });
      return last ?? null;
    },
    populate: async (options) => populating().populate(settings, registration, options),
    cleanDuplicates: async (options) => cleaning().cleanDuplicates(settings, registration, options),
  };
}
