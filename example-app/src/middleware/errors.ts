import type { NextFunction, Request, Response } from 'express';
import { UniqueConstraintError } from 'sequelize';
import { type AuditErrorCode, isAuditError } from 'sequelize-auditlog';
import { ShopError } from '../shop-error';
import { errorPage } from '../views/error-page';
import { sendPage } from '../views/send';

export function handleNotFound(_req: Request, _res: Response): never {
  throw new ShopError(404, 'There is nothing at this address.');
}

// Express tells an error handler by its four parameters.
export function handleError(error: unknown, _req: Request, res: Response, next: NextFunction): void {
  if (res.headersSent) return next(error);
  const known = asShopError(error);
  if (known.status >= 500) console.error(error);
  res.status(known.status).format({
    html: () => sendPage(res, errorPage(known)),
    json: () => res.json({ error: { status: known.status, message: known.message, fields: known.fields } }),
  });
}

function asShopError(error: unknown): ShopError {
  if (error instanceof ShopError) return error;
  if (isAuditError(error)) return asShopErrorOfHistory(error.code) ?? unexpected();
  if (error instanceof UniqueConstraintError)
    return new ShopError(409, 'There is already one with this name.');
  const status = clientErrorStatus(error);
  if (status) return new ShopError(status, 'The request could not be read.');
  return unexpected();
}

const unexpected = (): ShopError => new ShopError(500, 'Something went wrong on our side.');

/** The log's messages are for developers; these are for whoever looks at the page. */
function asShopErrorOfHistory(code: AuditErrorCode): ShopError | undefined {
  if (code === 'ERR_AUDIT_NOT_THERE') return new ShopError(404, 'It was not there at that time.');
  if (code === 'ERR_AUDIT_HISTORY_GAP') return new ShopError(422, 'What it was then was not recorded.');
  if (code === 'ERR_AUDIT_CONFLICT')
    return new ShopError(409, 'It was changed meanwhile. Nothing was put back.');
  if (code === 'ERR_AUDIT_NOT_RESTORABLE') return new ShopError(409, 'What it was is not kept in the log.');
  return undefined;
}

/** Body parsers mark what the client got wrong with a status of their own. */
function clientErrorStatus(error: unknown): number | undefined {
  const status = error instanceof Error && 'status' in error ? Number(error.status) : 0;
  return status >= 400 && status < 500 ? status : undefined;
}
