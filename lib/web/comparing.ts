import type { Transaction } from 'sequelize';
import { lifeOf, linkDiffs, linkedNames, linksWholeSince, type LinkDiff } from '../past/links-at';
import { stateOf, type ObjectState } from '../past/state';
import { managedAttributes } from '../schema/attributes';
import type { LogEntry } from '../schema/log-entry';
import { notFound } from './access';
import { nameOf, newestSeen, type RegisteredObject } from './audited-object';
import { differs, seenState, type StateField } from './parts/state-table';
import { CURRENT, isStateSeen, pointOf, type Point } from './points';
import { WebProblem } from './problem';
import type { Visit } from './visit';

/** One of the two times, and what the object was then. */
export interface Side {
  readonly point: Point;
  readonly state: ObjectState;
}

/** Two times of one object. */
export interface TwoTimes {
  readonly object: RegisteredObject;
  readonly name: string;
  readonly entry: LogEntry | null;
  readonly from: Side;
  readonly to: Side;
  /** Null where links of one of the times were pruned. */
  readonly links: readonly LinkDiff[] | null;
}

const missing = (parameter: string): WebProblem =>
  new WebProblem(400, 'Wrong parameter', {
    detail: `Say what to compare: ${parameter} is missing. It is an entry's id, a time, or current.`,
    parameter,
  });

/** The boxes ticked on a timeline come without an order: the older one is compared with the newer. */
export function ticked({ query, texts }: Visit): readonly [from: string, to: string] | null {
  const picks = [...new Set(query.getAll('pick'))];
  if (picks.length === 0) return null;
  if (picks.length !== 2 || !picks.every((pick) => pick === CURRENT || /^\d{1,19}$/.test(pick)))
    throw new WebProblem(400, 'Wrong parameter', { detail: texts.t('diff.pickTwo'), parameter: 'pick' });
  const isNewer = (a: string, b: string): boolean =>
    a === CURRENT || (b !== CURRENT && BigInt(a) > BigInt(b));
  const [a, b] = picks as [string, string];
  return isNewer(a, b) ? [b, a] : [a, b];
}

async function readSide(
  visit: Visit,
  object: RegisteredObject,
  parameter: 'from' | 'to',
  transaction: Transaction,
): Promise<Side> {
  const text = visit.query.get(parameter)?.trim() ?? '';
  if (text === '') throw missing(parameter);
  const { settings, snapshots } = visit.web;
  const point = await pointOf(visit, object, text, parameter, transaction);
  if (!(await isStateSeen(visit, object, point, transaction))) throw notFound();
  const { registration, key } = object;
  const state = await stateOf(settings, snapshots, registration, key, point.when, { transaction });
  return { point, state };
}

/** Reads both sides. @throws {WebProblem} 400, 404 */
export async function readTimes(visit: Visit, object: RegisteredObject): Promise<TwoTimes> {
  return visit.read(async (transaction) => {
    const from = await readSide(visit, object, 'from', transaction);
    const to = await readSide(visit, object, 'to', transaction);
    const entry = to.point.entry ?? (await newestSeen(visit, object, transaction));
    const links = await readLinks(visit, object, [from, to], transaction);
    return { object, name: nameOf(visit, object, entry), entry, from, to, links };
  });
}

async function readLinks(
  { web: { settings } }: Visit,
  { registration, key }: RegisteredObject,
  sides: readonly Side[],
  transaction: Transaction,
): Promise<LinkDiff[] | null> {
  if (linkedNames(registration).length === 0) return [];
  const times = sides.map(({ point }) => point.when);
  const life = await lifeOf(settings, registration, key, times, transaction);
  const since = await linksWholeSince(settings, registration, times, transaction);
  return since === null ? linkDiffs(registration, life) : null;
}

/** One field at both times. */
export interface Row {
  readonly from: StateField;
  readonly to: StateField;
  /** Null where one of the two isn't known. */
  readonly isDifferent: boolean | null;
}

/** Of an object that is not there nothing is known to be anything: all its fields are null. */
function fieldsOf(visit: Visit, { registration }: RegisteredObject, { state }: Side): readonly StateField[] {
  const { fields } = seenState(visit, registration, state);
  if (state.presence === 'there') return fields;
  return fields.map((each) =>
    state.unknown.has(each.field.name)
      ? { ...each, why: state.unknown.get(each.field.name)! }
      : { ...each, raw: null },
  );
}

/** Managed timestamps and the lock version differ between any two versions: they say nothing. */
export function isTelling({ registration }: RegisteredObject, { from, isDifferent }: Row): boolean {
  const { timestamps, version } = managedAttributes(registration.model);
  return isDifferent === true && !timestamps.has(from.field.name) && version !== from.field.name;
}

/** Every field that the visitor sees, in definition order. */
export function rowsOf(visit: Visit, { object, from, to }: TwoTimes): Row[] {
  const newer = fieldsOf(visit, object, to);
  return fieldsOf(visit, object, from).map((each, index) => {
    const other = newer[index]!;
    return { from: each, to: other, isDifferent: differs(each, other) };
  });
}
