import type { Transaction } from 'sequelize';
import { stateDiffs } from '../../past/diff';
import { lifeOf, linkDiffs, linkedNames, linksWholeSince } from '../../past/links-at';
import { stateOf, type ObjectState } from '../../past/state';
import { notFound } from '../access';
import { newestSeen, requestedRegistered, type RegisteredObject } from '../audited-object';
import { jsonOf, seenState } from '../parts/state-table';
import { isStateSeen, newestBy, pointOf, type Point } from '../points';
import { WebProblem } from '../problem';
import { shownLinks } from '../shown-links';
import type { Visit } from '../visit';
import { endpoint, type Endpoint } from './endpoint';
import { expectedTag } from './expected';
import { recorded } from './recorded';
import { DIFF, DIFF_QUERY, STATE, STATE_QUERY } from './schemas';

/** A point in time and what the object was then. */
interface Standing {
  readonly point: Point;
  readonly state: ObjectState;
}

const gone = (detail: string): WebProblem => new WebProblem(410, 'Gone', { detail });
const unknown = (since: string | null, parameter: string): WebProblem =>
  new WebProblem(422, 'History begins later', {
    detail:
      since === null
        ? 'Nothing of this object was recorded by then.'
        : `What this object was at that time is unknown: its history begins at ${since}.`,
    parameter,
  });

function isSoftDeleted({ registration }: RegisteredObject, { values }: ObjectState): boolean {
  const { deletedAt } = registration.tracked;
  return deletedAt !== null && (values[deletedAt.attribute] ?? null) !== null;
}

async function standingAt(
  visit: Visit,
  object: RegisteredObject,
  text: string,
  parameter: string,
  transaction: Transaction,
): Promise<Standing> {
  const { settings, snapshots } = visit.web;
  const point = await pointOf(visit, object, text, parameter, transaction);
  if (!(await isStateSeen(visit, object, point, transaction))) throw notFound();
  const { registration, key } = object;
  const state = await stateOf(settings, snapshots, registration, key, point.when, { transaction });
  if (state.presence === 'unknown') throw unknown(state.since, parameter);
  return { point, state };
}

/** An object none of whose entries is in the visitor's scope does not exist. */
async function requireInScope(
  visit: Visit,
  object: RegisteredObject,
  transaction: Transaction,
): Promise<void> {
  if (visit.access.scope !== null) await newestSeen(visit, object, transaction);
}

/** @throws {WebProblem} 404 for an object that was never there by then, 410 for one that was deleted by then */
async function requirePresent(
  visit: Visit,
  object: RegisteredObject,
  { point, state }: Standing,
  transaction: Transaction,
): Promise<void> {
  if (state.presence === 'there' && !isSoftDeleted(object, state)) return;
  const last = await newestBy(visit, object, point.when, transaction);
  if (state.presence === 'there' || last?.action === 'delete') throw gone('It was deleted by then.');
  throw notFound();
}

const PROBLEMS = {
  404: 'There was no such object by then, or none that you may see.',
  422: 'The time lies before what was recorded of the object.',
};

const state = endpoint({
  method: 'get',
  path: '/api/v1/objects/:model/:pk',
  operationId: 'getObject',
  summary: 'One object as of a time, or as it is now',
  query: STATE_QUERY,
  gives: { 200: STATE },
  problems: { ...PROBLEMS, 410: 'It was deleted by then.' },
  allow: requestedRegistered,
  answer: async (visit, object, { query }) => {
    const answer = await visit.read(async (transaction) => {
      await requireInScope(visit, object, transaction);
      const standing = await standingAt(visit, object, query.at, 'at', transaction);
      await requirePresent(visit, object, standing, transaction);
      const body = stateBody(visit, object, standing);
      return { body, expected: await expectedTag(visit, object, transaction) };
    });
    await recorded(visit, object, null);
    return answer;
  },
});

function stateBody(visit: Visit, object: RegisteredObject, standing: Standing): object {
  const { fields } = seenState(visit, object.registration, standing.state);
  const known = fields.filter(({ why }) => why === null);
  const others = fields.filter(({ why }) => why !== null);
  return {
    model: object.model,
    objectPk: object.pk,
    at: standing.point.at,
    values: Object.fromEntries(known.map(({ field, raw }) => [field.name, jsonOf(raw)])),
    unknown: Object.fromEntries(others.map(({ field, why }) => [field.name, why])),
  };
}

/** What a visitor sees of a difference in values or links, which a comparison and a revert have in common. */
export function shownDifferences(
  visit: Visit,
  model: string,
  differences: readonly (Readonly<Record<string, unknown>> & { readonly attribute: string })[],
): object[] {
  const links = differences.filter((each) => 'added' in each);
  const values = differences.filter((each) => !('added' in each) && visit.access.sees(model, each.attribute));
  return [
    ...values.map((each) =>
      Object.fromEntries(
        Object.entries(each).map(([name, value]) => [name, name === 'attribute' ? value : jsonOf(value)]),
      ),
    ),
    ...shownLinks(visit, model, links as never).map(([attribute, { added, removed }]) => ({
      attribute,
      added,
      removed,
    })),
  ];
}

async function linksBetween(
  visit: Visit,
  { registration, key }: RegisteredObject,
  times: readonly [Point, Point],
  transaction: Transaction,
): Promise<ReturnType<typeof linkDiffs>> {
  if (linkedNames(registration).length === 0) return [];
  const { settings } = visit.web;
  const whens = times.map(({ when }) => when);
  const life = await lifeOf(settings, registration, key, whens, transaction);
  const since = await linksWholeSince(settings, registration, whens, transaction);
  if (since !== null) throw unknown(since, 'from');
  return linkDiffs(registration, life);
}

/** @throws {WebProblem} 422 when there is nothing to compare with */
function requireThere({ state: { presence } }: Standing, parameter: string): void {
  if (presence === 'there') return;
  throw new WebProblem(422, 'Not there at that time', {
    detail: 'The object was not there at that time: it was not yet created, or deleted by then.',
    parameter,
  });
}

const diff = endpoint({
  method: 'get',
  path: '/api/v1/objects/:model/:pk/diff',
  operationId: 'diffObject',
  summary: 'What differs between two times of one object',
  query: DIFF_QUERY,
  gives: { 200: DIFF },
  problems: PROBLEMS,
  allow: requestedRegistered,
  answer: async (visit, object, { query }) => {
    const answer = await visit.read(async (transaction) => {
      await requireInScope(visit, object, transaction);
      const from = await standingAt(visit, object, query.from, 'from', transaction);
      const to = await standingAt(visit, object, query.to, 'to', transaction);
      requireThere(from, 'from');
      requireThere(to, 'to');
      const changes = [
        ...stateDiffs(object.registration, from.state, to.state, {}),
        ...(await linksBetween(visit, object, [from.point, to.point], transaction)),
      ];
      const shown = shownDifferences(visit, object.model, changes as never);
      const { model, pk: objectPk } = object;
      return {
        body: { model, objectPk, from: from.point.at, to: to.point.at, changes: shown },
        expected: await expectedTag(visit, object, transaction),
      };
    });
    await recorded(visit, object, null);
    return answer;
  },
});

export const OBJECT_ENDPOINTS: readonly Endpoint[] = [state, diff];
