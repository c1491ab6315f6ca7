import type { Attributes, DataType, Model, ModelAttributes, ModelStatic, Sequelize } from 'sequelize';
import { defineDetached } from './detached-model';
import { exactTextOf, rememberExact } from './exact-time';
import { checkHistoryNames, enumKind, HISTORY_COLUMNS } from './history-table';
import type { LogEntry, LogEntryStatic } from './log-entry';
import type { ResolvedRegistration } from './registration';
import { runtimeOf } from './sequelize-runtime';
import type { TrackedColumn, TrackedModel } from './tracked';

/** What happened to the row: created, updated, deleted. */
export type HistoryType = '+' | '~' | '-';

/** What a version has beside the model's attributes. */
export interface HistoryAttributes {
  /** bigint as string; versions of one object are totally ordered by it. */
  historyId: string;
  /** The entry's timestamp. */
  historyDate: Date;
  historyType: HistoryType;
  historyUserId: string | null;
  historyChangeReason: string | null;
  logEntryId: string | null;
}

/** What two versions differ in, columns only. */
export interface AttributeDiff {
  readonly attribute: string;
  readonly old: unknown;
  readonly new: unknown;
}

export interface SnapshotDiff<S> {
  /** In definition order of the attributes. */
  readonly changes: AttributeDiff[];
  readonly changedAttributes: string[];
  readonly oldRecord: S;
  readonly newRecord: S;
}

export interface DiffOptions {
  /** Only these attributes. @default all, without managed timestamps and the lock version */
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
}

/** Methods of a version. */
export interface SnapshotMethods<M extends Model> {
  /** The entry written with this version, when loaded with `include: 'logEntry'`. */
  logEntry?: LogEntry | null;
  /** The actor's row after `loadActors`. */
  actor?: Model | null;
  /** The version before this one of the same object, or null. */
  prevRecord(): Promise<Snapshot<M> | null>;
  /** The version after this one of the same object, or null. */
  nextRecord(): Promise<Snapshot<M> | null>;
  /** What changed from `older` to this version; no query. */
  diffAgainst(older: Snapshot<M>, options?: DiffOptions): SnapshotDiff<Snapshot<M>>;
  /** A detached, read-only instance of the model; masked and excluded attributes are unset. */
  toInstance(): M;
}

/** The attributes of an untyped model are any, which would make all of a version any. */
type RowAttributes<M extends Model> = 0 extends 1 & Attributes<M> ? Record<string, any> : Attributes<M>;

/** A version of one row of `M`: the model's tracked attributes (masked ones and enums as text) and its own. */
export type Snapshot<M extends Model = Model> = Model<RowAttributes<M> & HistoryAttributes> &
  RowAttributes<M> &
  HistoryAttributes &
  SnapshotMethods<M>;

/** The read-only Sequelize model over a history table. */
export type SnapshotModel<M extends Model = Model> = ModelStatic<Snapshot<M>>;

/** Masks are texts; enums are, so that the application may replace its enum types. */
function typeOf(sequelize: Sequelize, column: TrackedColumn): DataType {
  const { DataTypes } = runtimeOf(sequelize);
  const kind = enumKind(column.type);
  if (column.mask !== null || kind === 'enum') return DataTypes.TEXT;
  return kind === 'enum[]' ? DataTypes.ARRAY(DataTypes.TEXT) : column.type;
}

function historyAttributes(sequelize: Sequelize): ModelAttributes {
  const { DataTypes } = runtimeOf(sequelize);
  const types: Record<string, DataType> = {
    bigint: DataTypes.BIGINT,
    timestamptz: DataTypes.DATE(6),
    text: DataTypes.TEXT,
  };
  const entries = HISTORY_COLUMNS.map(({ attribute, column, type }) => [
    attribute,
    { type: types[type], field: column, primaryKey: attribute === 'historyId' },
  ]);
  return Object.fromEntries(entries) as ModelAttributes;
}

/** Type and column only: constraints, defaults, references, getters and setters stay with the model. */
function modelAttributes(sequelize: Sequelize, tracked: TrackedModel): ModelAttributes {
  const entries = tracked.columns.map((each) => [
    each.attribute,
    { type: typeOf(sequelize, each), field: each.column },
  ]);
  return Object.fromEntries(entries) as ModelAttributes;
}

/** A version and its entry share one instant, of which an included entry brings the milliseconds only. */
function shareTime(snapshot: Model): void {
  const { historyDate, logEntry } = snapshot.dataValues as { historyDate: Date; logEntry?: LogEntry | null };
  const timestamp: unknown = logEntry?.dataValues.timestamp;
  const exact = exactTextOf(historyDate);
  if (exact !== null && timestamp instanceof Date && timestamp.getTime() === historyDate.getTime()) {
    rememberExact(timestamp, exact);
  }
}

/**
 * The model over the history table of a registration with snapshots.
 *
 * @throws {AuditError} ERR_AUDIT_INVALID_OPTION when an attribute or column bears a name that versions need.
 */
export function defineSnapshot(
  sequelize: Sequelize,
  registration: Pick<ResolvedRegistration, 'name'> & {
    readonly snapshots: NonNullable<ResolvedRegistration['snapshots']>;
  },
  tracked: TrackedModel,
  LogEntryModel: LogEntryStatic,
): SnapshotModel {
  checkHistoryNames(registration.name, tracked);
  const model = defineDetached(sequelize, {
    name: registration.snapshots.snapshotName,
    table: registration.snapshots.table,
    attributes: { ...modelAttributes(sequelize, tracked), ...historyAttributes(sequelize) },
    onFound: shareTime,
    exactTime: { attribute: 'historyDate', column: 'history_date' },
    writeAdvice: 'Versions are written by audited writes; revert() sets an object back.',
  });
  model.belongsTo(LogEntryModel, { as: 'logEntry', foreignKey: 'logEntryId', constraints: false });
  return model as unknown as SnapshotModel;
}
