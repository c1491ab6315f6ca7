import type { Model } from 'sequelize';
import type { Registration } from '../capture/registry';
import type { ObjectKey } from '../history/object-key';
import type { HistorySettings } from '../history/settings';
import type { SnapshotModels } from '../history/snapshots';
import { lazily } from '../core/lazily';
import type * as Reverting from './revert';
import type { RevertOptions, RevertResult } from './revert';

// Loaded when something is first put back.
const reverting = lazily(() => require('./revert') as typeof Reverting);

/** The members of an `AuditedModel` that put the past back. */
export interface RevertMembers<M extends Model> {
  /**
   * Sets an object back to what it was, as `instance.update` or `create` would, with hooks and validators, as one audited write
   * whose entry has `additionalData.revertedTo`. A deleted object comes back under its key, a soft-deleted one is restored, and
   * one that was soft-deleted at that time is so again. All or nothing, in one transaction with the row locked; an instance that
   * is given is not changed, reload it.
   *
   * Left as it is and listed in `skipped`: what is masked, excluded or dropped, what was not recorded then, such as a column added
   * since (an object that comes back has its default), and links to what is gone. Managed timestamps and
   * the lock version move on as with any update; an object that comes back has its old `createdAt`.
   *
   * @throws {AuditError} ERR_AUDIT_NOT_THERE when the object was not there then, ERR_AUDIT_HISTORY_GAP when what it was is unknown,
   * ERR_AUDIT_CONFLICT when `expectedVersion` is stale, the key belongs to another object now, or a constraint, a foreign key or a
   * validator refuses it (`cause` is Sequelize's error), ERR_AUDIT_NOT_RESTORABLE and ERR_AUDIT_UNKNOWN_ATTRIBUTE for names in `only`
   *
   * @example
   * const plan = await orders.revert(42, { to: version, dryRun: true });      // { changes, skipped, obstacles, entry: null }
   * if (plan.obstacles.length === 0) await orders.revert(42, { to: version, reason: 'ticket 9' });
   */
  readonly revert: (object: M | ObjectKey, options: RevertOptions) => Promise<RevertResult>;
}

/** The reverting members for one registration. */
export function createRevertMembers<M extends Model>(
  settings: HistorySettings,
  snapshots: SnapshotModels,
  registration: Registration,
): RevertMembers<M> {
  return {
    revert: async (object, options) =>
      reverting().revert({ settings, snapshots, registration }, object, options),
  };
}
