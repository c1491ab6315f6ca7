import type { NextFunction, Request, Response } from 'express';
import { User } from '../models';
import { ShopError } from '../shop-error';

const PERMISSIONS = {
  admin: ['edit', 'delete', 'bulk-edit', 'audit:view', 'audit:export', 'audit:revert'],
  sales: ['edit'],
  support: ['audit:view'],
} as const satisfies Record<User['role'], readonly string[]>;

export type Permission = (typeof PERMISSIONS)['admin'][number];

interface ShopLocals {
  user?: User;
}

export async function loadCurrentUser(req: Request, res: Response, next: NextFunction): Promise<void> {
  const { userId } = req.session;
  const user = userId === undefined ? null : await User.findByPk(userId);
  if (user) (res.locals as ShopLocals).user = user;
  next();
}

export const currentUser = (res: Response): User | undefined => (res.locals as ShopLocals).user;

export const may = (user: User | undefined, permission: Permission): boolean =>
  user !== undefined && (PERMISSIONS[user.role] as readonly Permission[]).includes(permission);

export function requireLogin(req: Request, res: Response, next: NextFunction): void {
  if (currentUser(res)) return next();
  if (req.accepts(['html', 'json']) === 'json') throw new ShopError(401, 'Please log in.');
  const back = req.method === 'GET' ? `?next=${encodeURIComponent(req.originalUrl)}` : '';
  res.redirect(303, `/login${back}`);
}

export const requirePermission = (permission: Permission) =>
  function checkPermission(_req: unknown, res: Response, next: NextFunction): void {
    demand(res, permission);
    next();
  };

/** For a route that knows only on the way what it takes. */
export function demand(res: Response, permission: Permission): void {
  const user = currentUser(res);
  if (may(user, permission)) return;
  throw new ShopError(403, `Your role (${user?.role ?? 'visitor'}) may not do this.`);
}
