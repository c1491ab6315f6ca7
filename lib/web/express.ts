import { AuditError } from '../core/errors';
import type { HostRequest, HostResponse } from './host';

type Next = (error?: unknown) => void;
type Handle = (req: HostRequest, res: HostResponse, next: Next) => void;
type HandleError = (error: unknown, req: HostRequest, res: HostResponse, next: Next) => void;

/** What is used of Express's router, alike in 4 and 5. */
export interface ExpressRouter {
  get(path: string, handle: Handle): void;
  post(path: string, handle: Handle): void;
  use(handle: Handle): void;
  use(handle: HandleError): void;
}

interface Express {
  Router(): ExpressRouter;
  urlencoded(options: { extended: boolean; limit: string }): Handle;
  json(options: { limit: string }): Handle;
}

/** The host's Express. @throws {AuditError} ERR_AUDIT_INVALID_OPTION when it is not installed */
export function expressOf(): Express {
  try {
    return require('express') as Express;
  } catch (cause) {
    const message =
      'auditRouter: the package "express" is not installed here, 4.18 or later, or 5. Run npm install express.';
    throw new AuditError('ERR_AUDIT_INVALID_OPTION', message, { cause });
  }
}
