import type { NextFunction, Request, Response } from 'express';
import { ShopError } from '../shop-error';

const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS'];

/** Refuses a form that another site submits with our visitor's cookie. */
export function sameOrigin(req: Request, _res: Response, next: NextFunction): void {
  if (SAFE_METHODS.includes(req.method) || comesFromHere(req)) return next();
  throw new ShopError(403, 'This form was sent from another site.');
}

function comesFromHere(req: Request): boolean {
  const site = req.get('sec-fetch-site');
  if (site) return site === 'same-origin';
  const origin = req.get('origin');
  if (origin) return URL.canParse(origin) && new URL(origin).host === req.get('host');
  // Without either header it is an old browser or a script; a browser can't send JSON elsewhere without asking first.
  return Boolean(req.is('application/json'));
}
