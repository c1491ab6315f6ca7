import { isDeepStrictEqual } from 'node:util';
import type { Model, Transaction } from 'sequelize';
import type { Registration } from '../capture/registry';
import { boundOf } from '../history/point-in-time';
import type { ObjectKey } from '../history/object-key';
import type { HistorySettings } from '../history/settings';
import type { SnapshotModels } from '../history/snapshots';
import { objectKeyOf } from '../history/versions';
import { exactTextOf } from '../schema/exact-time';
import { refuseInstanceWrites } from '../schema/read-only';
import type { AttributeDiff } from '../schema/snapshot-model';
import type { TrackedColumn } from '../schema/tracked';
import { lifeOf, linkDiffs, linkedNames, type LinkDiff, type When } from './links-at';
import { historyGap, notThere, stateOf, type ObjectState } from './state';

/** What differs between two points in time of one object. */
export interface PastDiff<M extends Model> {
  /** Attributes in definition order, then tracked associations. */
  readonly changes: (AttributeDiff | LinkDiff)[];
  readonly changedAttributes: string[];
  /** A detached, read-only instance of the model as it was at the first time; what history doesn't hold is unset. */
  readonly oldRecord: M;
  /** The same for the second time. */
  readonly newRecord: M;
}

const PAST_IS_READ_ONLY = 'It shows the past; revert() sets an object back.';

function isSameDate(a: Date, b: Date): boolean {
  const [one, other] = [exactTextOf(a), exactTextOf(b)];
  // A Date without its microseconds may stand for any of its millisecond.
  return a.getTime() === b.getTime() && (one === null || other === null || one === other);
}

/** Whether two values of an attribute, as the model reads them, are the same; 0 and -0 are to PostgreSQL. */
export function isSameValue(a: unknown, b: unknown): boolean {
  if (a instanceof Date && b instanceof Date) return isSameDate(a, b);
  return a === b || isDeepStrictEqual(a ?? null, b ?? null);
}

/** Managed timestamps and the lock version change with every write, so they are not compared. */
export function comparedColumns({ tracked }: Registration): TrackedColumn[] {
  return tracked.columns.filter(({ inDelta }) => inDelta);
}

/** What differs among the attributes that are known at both times. */
export function stateDiffs(registration: Registration, from: ObjectState, to: ObjectState): AttributeDiff[] {
  const isKnown = (name: string): boolean =>
    Object.hasOwn(from.values, name) && Object.hasOwn(to.values, name);
  return comparedColumns(registration)
    .filter(({ attribute }) => isKnown(attribute))
    .map(({ attribute }) => ({
      attribute,
      old: from.values[attribute] ?? null,
      new: to.values[attribute] ?? null,
    }))
    .filter((change) => !isSameValue(change.old, change.new));
}

/** A detached instance of what is known. */
function recordOf({ model }: Registration, state: ObjectState): Model {
  const instance = model.build(state.values as never, { isNewRecord: false, raw: true });
  return refuseInstanceWrites(instance, PAST_IS_READ_ONLY);
}

/**
 * The state, which must be one of the object's life.
 *
 * @throws {AuditError} ERR_AUDIT_NOT_THERE, ERR_AUDIT_HISTORY_GAP
 */
export function requireThere(
  where: string,
  registration: Registration,
  key: Readonly<Record<string, string>>,
  state: ObjectState,
): ObjectState {
  if (state.presence === 'unknown') throw historyGap(where, registration, key, state.since);
  if (state.presence === 'absent') throw notThere(where, registration, key);
  return state;
}

/** What `orders.diff` needs of its audit log. */
export interface DiffSource {
  readonly settings: HistorySettings;
  readonly snapshots: SnapshotModels;
  readonly registration: Registration;
}

/** Links that came and went between two times; no query where no association is tracked. */
export async function linksBetween(
  { settings, registration }: DiffSource,
  key: Readonly<Record<string, string>>,
  times: readonly [from: When, to: When],
  transaction?: Transaction,
): Promise<LinkDiff[]> {
  if (linkedNames(registration).length === 0) return [];
  return linkDiffs(registration, await lifeOf(settings, registration, key, times, transaction));
}

/** Compares one object at two points in time; see `PastMembers.diff`. */
export async function diff<M extends Model>(
  source: DiffSource,
  object: M | ObjectKey,
  from: When,
  to: When,
): Promise<PastDiff<M>> {
  const { settings, snapshots, registration } = source;
  const where = `diff of ${registration.name}`;
  const key = objectKeyOf(settings, registration, 'diff', object);
  // Both are looked at before anything is read.
  for (const when of [from, to]) if (when !== 'current') boundOf(where, when);
  const stateAt = async (when: When): Promise<ObjectState> =>
    requireThere(where, registration, key, await stateOf(settings, snapshots, registration, key, when));
  const [older, newer] = [await stateAt(from), await stateAt(to)];
  const changes = [
    ...stateDiffs(registration, older, newer),
    ...(await linksBetween(source, key, [from, to])),
  ];
  return {
    changes,
    changedAttributes: changes.map(({ attribute }) => attribute),
    oldRecord: recordOf(registration, older) as M,
    newRecord: recordOf(registration, newer) as M,
  };
}
