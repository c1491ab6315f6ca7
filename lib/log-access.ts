import type { ServerResponse } from 'node:http';
import { foundationOf, type AuditLog } from './audit-log';
import { inContextOf } from './context/storage';
import { AuditError } from './core/errors';
import type { AuditRequest } from './core/options';
import { describe, invalidArgument } from './core/suggest';
import { isModel } from './history/arguments';
import type { LogSubject } from './history/log';
import { fitsKey, keyTexts } from './history/object-key';

/** A request with what a route of Express found in its path. */
export interface AccessRequest extends AuditRequest {
  // As Express has it, of whatever types its router declares.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly params: any;
}

type Subject = LogSubject | null | undefined;

/** What a request is a view of: an instance, a model and a key, or null for nothing. */
export type AccessSubject<Req extends AuditRequest = AccessRequest> = (
  req: Req,
) => Subject | Promise<Subject>;

const WHERE = 'logAccessMiddleware';

/** Nothing that a client sends as a key is an error: of what no row can be called, there is nothing to be seen. */
function isThinkable(subject: LogSubject): boolean {
  if (!Array.isArray(subject)) return true;
  const [model, pk] = subject as readonly unknown[];
  return !isModel(model) || fitsKey(model, keyTexts(WHERE, model, pk));
}

async function record<Req extends AuditRequest>(
  auditLog: AuditLog,
  subjectOf: AccessSubject<Req>,
  req: Req,
): Promise<void> {
  const subject = await subjectOf(req);
  if (subject === null || subject === undefined || !isThinkable(subject)) return;
  // What was seen stays seen, whatever becomes of a transaction that the application has open.
  await inContextOf(req, () => auditLog.logAccess(subject, { transaction: null }));
}

/** `next` takes what is falsy for no error at all, and would show what was not logged. */
function asError(thrown: unknown): unknown {
  if (thrown instanceof Error) return thrown;
  const message = `${WHERE}: expected the function to throw errors, got ${describe(thrown)}. The view was not logged.`;
  return new AuditError('ERR_AUDIT_INVALID_ARGUMENT', message, { cause: thrown });
}

/**
 * A middleware of Express that leaves an `access` entry before the route answers, with the actor and the request line of its
 * context; mount it behind `auditMiddleware` and behind whatever refuses visitors. What fails goes to `next(error)`: nothing is
 * shown that was not logged. Null, and a key that no row of the model can have, leave no entry. It doesn't look whether
 * the object is there: who asked for one that is not is in the log as well.
 *
 * @param subjectOf may be asynchronous
 * @throws {AuditError} ERR_AUDIT_INVALID_ARGUMENT; to `next` those of `auditLog.logAccess`
 * @example
 * app.get('/customers/:id', logAccessMiddleware(auditLog, (req) => [Customer, req.params.id]), showCustomer);
 */
export function logAccessMiddleware<Req extends AuditRequest = AccessRequest>(
  auditLog: AuditLog,
  subjectOf: AccessSubject<Req>,
): (req: Req, res: ServerResponse, next: (error?: unknown) => void) => void {
  foundationOf(WHERE, auditLog);
  if (typeof subjectOf !== 'function') invalidArgument(WHERE, 'a function of the request', subjectOf);
  return async function logAccess(req, _res, next) {
    let failure: unknown;
    try {
      await record(auditLog, subjectOf, req);
    } catch (thrown) {
      failure = asError(thrown);
    }
    inContextOf(req, () => next(failure));
  };
}
