import type { Request } from 'express';
import { auditRouter } from 'sequelize-auditlog/web';
import { auditLog } from '../audit';
import { currentUser, may } from '../middleware/current-user';

/** The shop's own page about an object. */
const PAGE_OF: Readonly<Record<string, (pk: string) => string>> = {
  Order: (pk) => `/orders/${pk}`,
  Customer: (pk) => `/customers/${pk}`,
  Product: (pk) => `/products/${pk}/log`,
};

/**
 * Without `requireLogin` before it: who is not logged in, or sells, gets the same 403 everywhere below `/audit`, on pages, in the
 * API and for downloads.
 */
export const auditRoutes = auditRouter<Request>(auditLog, {
  title: 'Kettle & Paper audit log',
  authorize: (req, { action }) => req.res !== undefined && may(currentUser(req.res), `audit:${action}`),
  linkTo: (model, pk) => PAGE_OF[model]?.(encodeURIComponent(pk)),
  columns: {
    Order: ['status', 'total'],
    OrderItem: ['quantity', 'unitPrice'],
    Product: ['price', 'stock'],
    Customer: ['email'],
  },
});
