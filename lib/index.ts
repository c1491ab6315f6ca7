/**
 * Model auditing and version history for Express and Sequelize on PostgreSQL.
 *
 * @packageDocumentation
 */
export { createAuditLog, getAuditLog } from './audit-log';
export type { AuditLog, CheckOptions, RegisterAllOptions } from './audit-log';
export type { AuditedModel } from './audited-model';

export { logAccessMiddleware } from './log-access';
export type { AccessRequest, AccessSubject } from './log-access';

export { auditMiddleware } from './context/middleware';
export type { AuditMiddleware } from './context/middleware';
export {
  addAuditData,
  currentAuditContext,
  setActor,
  setReason,
  withAuditContext,
  withoutAudit,
} from './context/scopes';
export type { AuditContextSnapshot, AuditContextValues } from './context/scopes';

export type { AuditCallOption } from './core/call-option';
export { AuditError, isAuditError } from './core/errors';
export type { AuditErrorCode } from './core/errors';
export type { ModelAuditedEvent } from './core/events';
export type { AuditLogOptions, AuditRequest } from './core/options';
export type {
  ActorInput,
  ActorObject,
  AuditAction,
  CapturedAction,
  Changes,
  JsonValue,
  LinkChange,
  LinkedObject,
  LogEntryAttributes,
  ValueChange,
} from './core/types';

export type { AsOfReader } from './past/as-of';
export type { PastDiff } from './past/diff';
export type { LinkDiff } from './past/links-at';
export type { RevertOptions, RevertResult } from './revert/revert';
export type { UndoneObject, UndoneValue, UndoOptions, UndoResult } from './revert/undo';
export type { UndoObstacle, UndoSkip } from './revert/undo-plan';
export type { CleanDuplicatesOptions, CleanDuplicatesResult } from './history/clean-duplicates';
export type { ExportOptions, ExportProgress, ExportResult } from './history/export';
export type { ExportFormat } from './history/export-format';
export type { EntryFindOptions, LogEntryFinders, LogEntryModel } from './history/finders';
export type { LogAccessOptions, LogOptions, LogSubject } from './history/log';
export type { ObjectKey } from './history/object-key';
export type { PointInTime } from './history/point-in-time';
export type { PopulateOptions, PopulateProgress, PopulateResult } from './history/populate';
export type { TailedEntry, TailOptions } from './history/tail';
export type { VersionFindOptions } from './history/versions';
export type { CheckFinding, CheckResult } from './inspect/check';
export type { CascadeCoverage, ModelCoverage } from './inspect/coverage';
export type { NotRecorded } from './inspect/not-recorded';
export type { LogStats, ModelStats } from './inspect/stats';
export type { PrunedCounts, PruneOptions, PruneProgress, PruneResult } from './retention/prune';
export type { RestoreArchiveOptions, RestoreArchiveResult } from './retention/restore-archive';
export type { DisplayChange, LogEntry, LogEntryJson } from './schema/log-entry';
export type { MaskRule, RegistrationOptions, SnapshotIndex, SnapshotOptions } from './schema/registration';
export type {
  AttributeDiff,
  HistoryAttributes,
  HistoryType,
  Snapshot,
  SnapshotDiff,
  SnapshotModel,
} from './schema/snapshot-model';
export type { SyncOptions } from './schema/sync';
