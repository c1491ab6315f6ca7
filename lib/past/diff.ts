import { isDeepStrictEqual } from 'node:util';
import type { Model } from 'sequelize';
import type { Registration } from '../capture/registry';
import { AuditError } from '../core/errors';
import { checkKeys } from '../core/suggest';
import { boundOf } from '../history/point-in-time';
import type { ObjectKey } from '../history/object-key';
import type { HistorySettings } from '../history/settings';
import { checkDiffOptions, comparedColumns, type SnapshotModels } from '../history/snapshots';
import { objectKeyOf } from '../history/versions';
import { exactTextOf } from '../schema/exact-time';
import { refuseInstanceWrites } from '../schema/read-only';
import type { AttributeDiff, DiffOptions } from '../schema/snapshot-model';
import { lifeOf, linkDiffs, linkedNames, linksWholeSince, type LinkDiff, type When } from './links-at';
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

/** What differs among the attributes that are known at both times, or whose masks are. */
export function stateDiffs(
  registration: Registration,
  from: ObjectState,
  to: ObjectState,
  options: DiffOptions,
): AttributeDiff[] {
  return comparedColumns(registration, options)
    .flatMap(({ attribute, mask }) => {
      const [old, now] = mask === null ? [from.values, to.values] : [from.masks, to.masks];
      const isKnown = Object.hasOwn(old, attribute) && Object.hasOwn(now, attribute);
      return isKnown ? [{ attribute, old: old[attribute] ?? null, new: now[attribute] ?? null }] : [];
    })
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

/** Links stand in entries alone, also where versions tell of all the rest. */
function linkGap(
  { name }: Registration,
  key: Readonly<Record<string, string>>,
  names: readonly string[],
  since: string,
): AuditError {
  const subject = `diff of ${name}: what ${name} ${Object.values(key).join(', ')} was linked to (${names.join(', ')}) is unknown before ${since}`;
  const advice = 'Compare later times, or leave the links out with exclude.';
  return new AuditError('ERR_AUDIT_HISTORY_GAP', `${subject}: older entries were pruned. ${advice}`);
}

/** What `orders.diff` needs of its audit log. */
export interface DiffSource {
  readonly settings: HistorySettings;
  readonly snapshots: SnapshotModels;
  readonly registration: Registration;
}

/** Links that came and went between two times; no query where none are asked for. */
async function linksBetween(
  { settings, registration }: DiffSource,
  key: Readonly<Record<string, string>>,
  times: readonly [from: When, to: When],
  { include, exclude = [] }: DiffOptions,
): Promise<LinkDiff[]> {
  const names = linkedNames(registration).filter((name) => !exclude.includes(name));
  const asked = include ? names.filter((name) => include.includes(name)) : names;
  if (asked.length === 0) return [];
  const life = await lifeOf(settings, registration, key, times, undefined);
  const since = await linksWholeSince(settings, registration, times, undefined);
  if (since !== null) throw linkGap(registration, key, asked, since);
  const all = linkDiffs(registration, life);
  return all.filter(({ attribute }) => asked.includes(attribute));
}

/** Compares one object at two points in time; see `PastMembers.diff`. */
export async function diff<M extends Model>(
  source: DiffSource,
  object: M | ObjectKey,
  from: When,
  to: When,
  options: DiffOptions = {},
): Promise<PastDiff<M>> {
  const { settings, snapshots, registration } = source;
  const where = `diff of ${registration.name}`;
  const key = objectKeyOf(settings, registration, 'diff', object);
  checkKeys(where, options, ['include', 'exclude']);
  checkDiffOptions(where, registration, options, linkedNames(registration));
  // Both are looked at before anything is read.
  for (const when of [from, to]) if (when !== 'current') boundOf(where, when);
  const stateAt = async (when: When): Promise<ObjectState> =>
    requireThere(where, registration, key, await stateOf(settings, snapshots, registration, key, when));
  const [older, newer] = [await stateAt(from), await stateAt(to)];
  const changes = [
    ...stateDiffs(registration, older, newer, options),
    ...(await linksBetween(source, key, [from, to], options)),
  ];
  return {
    changes,
    changedAttributes: changes.map(({ attribute }) => attribute),
    oldRecord: recordOf(registration, older) as M,
    newRecord: recordOf(registration, newer) as M,
  };
}
