import type { Transaction } from 'sequelize';
import type { z } from 'zod';
import { inContextOf } from '../../context/storage';
import { isAuditError, type AuditError } from '../../core/errors';
import type { RevertOptions, RevertResult } from '../../revert/revert';
import { notFound } from '../access';
import { newestSeen, requestedRegistered, type RegisteredObject } from '../audited-object';
import { CURRENT, isStateSeen, pointOf, type Point } from '../points';
import { obstacleJson, skippedWhy } from '../obstacles';
import { WebProblem } from '../problem';
import { rehearsal } from '../rehearsal';
import type { Visit } from '../visit';
import { endpoint, type ApiAnswer, type Endpoint } from './endpoint';
import { currentVersion, expectedOf, versionTag } from './expected';
import { readBody } from './input';
import { shownDifferences } from './objects';
import { NO_QUERY, REVERT, REVERT_BODY } from './schemas';

type RevertBody = z.output<typeof REVERT_BODY>;

const wrong = (parameter: string, detail: string): WebProblem =>
  new WebProblem(400, 'Wrong parameter', { detail, parameter });

const stale = (): WebProblem =>
  new WebProblem(412, 'Changed since', {
    detail: 'The object has changed since the ETag was read. Read it again, and decide anew.',
  });

/** What is known of the object before it is put back. */
interface Before {
  readonly point: Point;
  /** What a revert in earnest expects to find. */
  readonly version: string;
}

/** @throws {WebProblem} 428 when a change doesn't say what it expects, 412 when it expects something else */
function checkExpected({ req }: Visit, { dryRun }: RevertBody, tag: string): boolean {
  const ifMatch = req.headers['if-match'];
  if (ifMatch === undefined && dryRun) return false;
  if (ifMatch === undefined)
    throw new WebProblem(428, 'Precondition required', {
      detail: "Send If-Match with the object's ETag, as GET of the object or of its entries gives it.",
    });
  const expected = expectedOf(ifMatch);
  if (expected !== null && !expected.includes(tag)) throw stale();
  return expected !== null;
}

async function readBefore(
  visit: Visit,
  object: RegisteredObject,
  body: RevertBody,
  transaction: Transaction,
): Promise<Before> {
  if (visit.access.scope !== null) await newestSeen(visit, object, transaction);
  const point = await pointOf(visit, object, body.to, 'to', transaction);
  if (point.when === CURRENT) throw wrong('to', 'The present needs no revert: name an entry or a time.');
  for (const each of [point, { when: CURRENT, entry: null }])
    if (!(await isStateSeen(visit, object, each, transaction))) throw notFound();
  return { point, version: await currentVersion(visit, object, transaction) };
}

/** Problems by the codes of errors that a visitor can do something about. */
const PROBLEMS: Readonly<Record<string, readonly [status: number, title: string]>> = {
  ERR_AUDIT_CONFLICT: [409, 'Conflict'],
  ERR_AUDIT_NOT_THERE: [422, 'Not there at that time'],
  ERR_AUDIT_HISTORY_GAP: [422, 'History begins later'],
  ERR_AUDIT_NOT_RESTORABLE: [422, 'Not restorable'],
  ERR_AUDIT_UNKNOWN_ATTRIBUTE: [400, 'Wrong parameter'],
};

function problemOf(visit: Visit, { model }: RegisteredObject, error: AuditError): unknown {
  const [status, title] = PROBLEMS[error.code] ?? [];
  if (status === undefined || title === undefined) return error;
  // The sentence may name what this visitor doesn't see.
  const isWhole = visit.access.hidden(model).length === 0;
  return new WebProblem(status, title, {
    detail: isWhole ? error.message : 'It can not be put back as asked.',
    ...(status === 400 && { parameter: 'only' }),
    cause: error,
  });
}

/** One call of `revert`, as the request's actor: the body parser may have lost the context that says who it is. */
async function call(visit: Visit, object: RegisteredObject, options: RevertOptions): Promise<RevertResult> {
  const { auditLog } = visit.web;
  const handle = auditLog.audited(object.registration.model);
  const run = (transaction?: Transaction): Promise<RevertResult> =>
    inContextOf(visit.req as never, () =>
      handle.revert(object.key, { ...options, ...(transaction && { transaction }) }),
    );
  try {
    return await (options.dryRun ? rehearsal(visit, run) : run());
  } catch (error) {
    throw isAuditError(error) ? problemOf(visit, object, error) : error;
  }
}

/**
 * The attributes that are put back; undefined for all. Nobody changes what he doesn't see.
 *
 * @throws {WebProblem} 400
 */
async function onlyOf(
  visit: Visit,
  object: RegisteredObject,
  { only }: RevertBody,
  options: RevertOptions,
): Promise<readonly string[] | undefined> {
  const hidden = visit.access.hidden(object.model);
  const unseen = only?.find((name) => hidden.includes(name));
  if (unseen !== undefined) throw wrong('only', `"${unseen}" in only is no attribute that you may see.`);
  if (only !== undefined || hidden.length === 0) return only;
  const { changes } = await call(visit, object, { ...options, dryRun: true });
  const { primaryKeyAttributes } = object.registration.model;
  const names = changes.map(({ attribute }) => attribute);
  return names.filter((name) => !hidden.includes(name) && !primaryKeyAttributes.includes(name));
}

function answerOf(visit: Visit, object: RegisteredObject, dryRun: boolean, result: RevertResult): ApiAnswer {
  const { model, pk } = object;
  const { changes, skipped, obstacles, entry } = result;
  const body = {
    model,
    objectPk: pk,
    dryRun,
    changes: shownDifferences(visit, model, changes as never),
    skipped: skipped
      .filter(({ attribute }) => visit.access.sees(model, attribute))
      .map((each) => ({ ...each, why: skippedWhy(visit, model, each) })),
    obstacles: obstacles.map((each) => obstacleJson(visit, model, each)),
    entry: entry && visit.entries.view(entry),
  };
  if (!entry) return { body };
  return { status: 201, body, headers: { location: visit.urls.to(`api/v1/entries/${entry.id}`) } };
}

/** What stands in the way, when it is that somebody was quicker. */
async function staleOr(
  visit: Visit,
  object: RegisteredObject,
  version: string,
  error: unknown,
): Promise<unknown> {
  if (!(error instanceof WebProblem) || error.status !== 409) return error;
  const now = await visit.read((transaction) => currentVersion(visit, object, transaction));
  return now === version ? error : stale();
}

async function revert(visit: Visit, object: RegisteredObject, body: RevertBody): Promise<ApiAnswer> {
  const { point, version } = await visit.read((transaction) => readBefore(visit, object, body, transaction));
  const isBound = checkExpected(visit, body, versionTag(object, version));
  const { dryRun, reason } = body;
  const options = { to: point.when, dryRun, ...(reason !== undefined && { reason }) };
  try {
    const only = await onlyOf(visit, object, body, options);
    const expected = isBound && !dryRun ? { expectedVersion: version } : {};
    const result = await call(visit, object, {
      ...options,
      ...expected,
      ...(only !== undefined && { only }),
    });
    return answerOf(visit, object, dryRun, result);
  } catch (error) {
    throw isBound ? await staleOr(visit, object, version, error) : error;
  }
}

const reverts = endpoint({
  method: 'post',
  path: '/api/v1/objects/:model/:pk/reverts',
  operationId: 'revertObject',
  summary: 'Puts one object back, or tells what that would do',
  description:
    'In earnest it needs `If-Match` with the ETag of the object or of its entries. A dry run answers 200, and so does a revert that has nothing to change. Programs send the header `Origin` with the address of this host.',
  query: NO_QUERY,
  body: REVERT_BODY,
  gives: { 200: REVERT, 201: REVERT },
  problems: {
    404: 'There is no such object, or none that you may see.',
    409: 'Something stands in the way, such as a constraint; nothing was changed.',
    412: 'The object has changed since the ETag was read.',
    415: 'The body is no JSON.',
    422: 'The past asked for is not known, or holds no such object.',
    428: 'The header If-Match is missing.',
  },
  allow: async (visit) => {
    const object = await requestedRegistered(visit);
    await visit.access.require({ action: 'revert', model: object.model, pk: object.pk });
    return object;
  },
  answer: async (visit, object) => {
    const { headers, body } = visit.req;
    const given = readBody(REVERT_BODY, headers['content-type'], body);
    if (given.reason === undefined && !given.dryRun) throw wrong('reason', 'Say why: reason is missing.');
    return revert(visit, object, given);
  },
});

export const REVERT_ENDPOINTS: readonly Endpoint[] = [reverts];
