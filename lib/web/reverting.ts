import type { Transaction } from 'sequelize';
import { inContextOf } from '../context/storage';
import { isAuditError, type AuditError } from '../core/errors';
import { revert, type RevertResult } from '../revert/revert';
import type { LogEntry } from '../schema/log-entry';
import { forbidden, notFound } from './access';
import { newestSeen, objectWhere, requestedRegistered, type RegisteredObject } from './audited-object';
import { CURRENT, isStateSeen, newestBy, pointOf, type Point } from './points';
import { WebProblem } from './problem';
import { rehearsal } from './rehearsal';
import type { Visit } from './visit';

/** What a revert is about, read before it is tried. */
export interface RevertSubject {
  readonly object: RegisteredObject;
  readonly point: Point;
  /** The newest entry that the visitor sees: it names the object. */
  readonly entry: LogEntry | null;
  /** The newest change, which must still be the newest when it is done. */
  readonly expected: string;
}

/** The object of the address, which the visitor may put back. Asked on every request. @throws {WebProblem} 403, 404 */
export async function requestedForRevert(visit: Visit): Promise<RegisteredObject> {
  const object = await requestedRegistered(visit);
  if (!visit.canRevert) throw forbidden();
  await visit.access.require({ action: 'revert', model: object.model, pk: object.pk });
  return object;
}

async function pastPoint(visit: Visit, object: RegisteredObject, transaction: Transaction): Promise<Point> {
  const text = visit.field('to') ?? visit.query.get('to') ?? '';
  const point = await pointOf(visit, object, text.trim(), 'to', transaction);
  if (point.when === CURRENT)
    throw new WebProblem(400, 'Wrong parameter', {
      detail: visit.texts.t('revert.present'),
      parameter: 'to',
    });
  return point;
}

/**
 * Nobody puts back, or overwrites, what entries beyond their scope have made.
 *
 * @throws {WebProblem} 400, 404
 */
export function readSubject(visit: Visit, object: RegisteredObject): Promise<RevertSubject> {
  return visit.read(async (transaction) => {
    const point = await pastPoint(visit, object, transaction);
    const entry = await newestSeen(visit, object, transaction);
    for (const each of [point, { when: CURRENT, entry: null }])
      if (!(await isStateSeen(visit, object, each, transaction))) throw notFound();
    const newest = await newestBy(visit, object, CURRENT, transaction);
    return { object, point, entry, expected: newest?.id ?? '0' };
  });
}

/** Changes since the visitor looked, oldest first, as far as they are in scope; null when there are none at all. */
export function changesSince(
  visit: Visit,
  { object, expected }: RevertSubject,
  seen: string,
): Promise<LogEntry[] | null> {
  if (seen === expected) return Promise.resolve(null);
  const { LogEntry: Entry } = visit.web.settings;
  return visit.read(async (transaction) => {
    const newest = await Entry.findAll({
      where: objectWhere(visit, object, { action: ['create', 'update', 'delete'] }),
      order: [['id', 'DESC']],
      limit: visit.web.options.pageSize,
      transaction,
    });
    return newest.filter(({ id }) => BigInt(id) > BigInt(seen)).toReversed();
  });
}

interface Attempt {
  readonly only?: readonly string[];
  readonly reason?: string;
  readonly expected?: string;
  readonly dryRun: boolean;
}

/** Tries it, or does it, within the request's own context: the actor is the visitor, as for any write. */
export function attempt(
  visit: Visit,
  { object, point }: RevertSubject,
  { only, reason, expected, dryRun }: Attempt,
): Promise<RevertResult> {
  const { settings, snapshots } = visit.web;
  const { registration, key } = object;
  const options = {
    to: point.when,
    dryRun,
    ...(only && { only }),
    ...(reason !== undefined && { reason }),
    ...(expected !== undefined && {
      expectedVersion: settings.LogEntry.build({ id: expected } as never, { isNewRecord: false, raw: true }),
    }),
  };
  const run = (transaction?: Transaction): Promise<RevertResult> =>
    inContextOf(visit.req as never, () =>
      revert(
        { settings, snapshots, registration },
        { ...key },
        { ...options, ...(transaction && { transaction }) },
      ),
    );
  return dryRun ? rehearsal(visit, run) : run();
}

/** The codes by which a revert says that it can't be. */
const ANSWERS: Readonly<Record<string, number>> = {
  ERR_AUDIT_NOT_THERE: 410,
  ERR_AUDIT_HISTORY_GAP: 422,
  ERR_AUDIT_NOT_RESTORABLE: 400,
  ERR_AUDIT_UNKNOWN_ATTRIBUTE: 400,
};

export function isConflict(error: unknown): error is AuditError {
  return isAuditError(error) && error.code === 'ERR_AUDIT_CONFLICT';
}

/** What an error of a revert tells the visitor; another error is none of theirs. */
export function revertProblem(visit: Visit, error: unknown): unknown {
  const status = isAuditError(error) ? ANSWERS[error.code] : undefined;
  if (status === undefined) return error;
  const key = status === 410 ? 'at.absent' : status === 422 ? 'at.unknownNever' : 'revert.noneChosen';
  return new WebProblem(status, 'Cannot be reverted', { detail: visit.texts.t(key), cause: error });
}
