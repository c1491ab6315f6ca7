import type { Model } from 'sequelize';
import type { Registration } from '../capture/registry';
import { lazily } from '../core/lazily';
import type { ObjectKey } from '../history/object-key';
import { boundOf, type PointInTime } from '../history/point-in-time';
import type { HistorySettings } from '../history/settings';
import type { SnapshotModels } from '../history/snapshots';
import type { VersionFindOptions } from '../history/versions';
import type { DiffOptions, Snapshot } from '../schema/snapshot-model';
import type * as AsOf from './as-of';
import type { AsOfReader } from './as-of';
import type * as ChooseSource from './choose-source';
import type * as Diff from './diff';
import type { PastDiff } from './diff';
import type * as Latest from './latest';
import type { When } from './links-at';

// Loaded when the past is first read.
const asOf = lazily(() => require('./as-of') as typeof AsOf);
const choosing = lazily(() => require('./choose-source') as typeof ChooseSource);
const diff = lazily(() => require('./diff') as typeof Diff);
const latest = lazily(() => require('./latest') as typeof Latest);

/** The members of an `AuditedModel` that read the past. */
export interface PastMembers<M extends Model> {
  /**
   * The model as of a point in time: a Date (the end of its millisecond), an ISO text (microseconds allowed), or a Snapshot or
   * LogEntry (right after it).
   *
   * @throws {AuditError} ERR_AUDIT_INVALID_ARGUMENT
   *
   * @example
   * const open = await orders.asOf('2026-11-01T08:00:00Z').findAll({ where: { status: 'open' }, order: ['id'], limit: 50 });
   */
  readonly asOf: (when: PointInTime) => AsOfReader<M>;
  /**
   * The newest version of every object, of deleted ones too, by default in the order of the key. Conditions are about that
   * version: an object is left out when only an older one fulfils them (`Snapshot` finds those). One query; a page in the
   * order of the key reads no further.
   *
   * @throws {AuditError} ERR_AUDIT_NO_SNAPSHOTS
   *
   * @example
   * const byAlice = await orders.latestOfEach({ where: { historyUserId: '7' }, limit: 50 });
   */
  readonly latestOfEach: (options?: VersionFindOptions<M>) => Promise<Snapshot<M>[]>;
  /**
   * The newest version of every object that is deleted, soft or hard, and was neither restored nor created again; by default in
   * the order of the key. One query, whose cost grows with the number of versions.
   *
   * @throws {AuditError} ERR_AUDIT_NO_SNAPSHOTS
   *
   * @example
   * for (const last of await orders.deleted({ actors: true })) console.log(last.id, last.historyDate, last.actor);
   */
  readonly deleted: (options?: VersionFindOptions<M>) => Promise<Snapshot<M>[]>;
  /**
   * What differs between two times of one object, or a time and `'current'`: `{ attribute, old, new }` in definition order, then
   * `{ attribute, added, removed }` for each tracked association. From a later time to an earlier one it tells what going back
   * would change. `include` and `exclude` name attributes and associations. Managed timestamps and the lock version are compared
   * only when named, masked attributes by their masks (`'********'`), what history doesn't hold never.
   *
   * @throws {AuditError} ERR_AUDIT_NOT_THERE when the object was not there at one of the times, ERR_AUDIT_HISTORY_GAP when what it
   * was is unknown, ERR_AUDIT_UNKNOWN_ATTRIBUTE, ERR_AUDIT_INVALID_ARGUMENT
   *
   * @example
   * const { changes } = await orders.diff(order, '2026-11-01T08:00:00Z', 'current');
   */
  readonly diff: (object: M | ObjectKey, from: When, to: When, options?: DiffOptions) => Promise<PastDiff<M>>;
}

/** The reading members for one registration. */
export function createPastMembers<M extends Model>(
  settings: HistorySettings,
  snapshots: SnapshotModels,
  registration: Registration,
): PastMembers<M> {
  return {
    asOf(when) {
      const bound = boundOf(`asOf of ${registration.name}`, when);
      const source = choosing().chooseSource(settings, snapshots, registration, bound);
      return asOf().asOf<M>({ settings, snapshots, registration, bound }, source);
    },
    latestOfEach: async (options) =>
      latest().latestVersions<M>(settings, snapshots, registration, 'every', options),
    deleted: async (options) =>
      latest().latestVersions<M>(settings, snapshots, registration, 'deleted', options),
    diff: async (object, from, to, options) =>
      diff().diff<M>({ settings, snapshots, registration }, object, from, to, options),
  };
}
