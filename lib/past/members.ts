import type { Model } from 'sequelize';
import type { Registration } from '../capture/registry';
import type { PointInTime } from '../history/point-in-time';
import type { HistorySettings } from '../history/settings';
import type { SnapshotModels } from '../history/snapshots';
import { asOf, type AsOfReader } from './as-of';

/** The members of an `AuditedModel` that read the past. */
export interface PastMembers<M extends Model> {
  /** The model as of a point in time. @throws {AuditError} ERR_AUDIT_NO_SNAPSHOTS, ERR_AUDIT_INVALID_ARGUMENT */
  readonly asOf: (when: PointInTime) => AsOfReader<M>;
}

/** The reading members for one registration. */
export function createPastMembers<M extends Model>(
  _settings: HistorySettings,
  snapshots: SnapshotModels,
  registration: Registration,
): PastMembers<M> {
  return { asOf: (when) => asOf<M>(snapshots, registration, when) };
}
