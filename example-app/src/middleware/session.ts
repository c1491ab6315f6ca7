import connectPgSimple from 'connect-pg-simple';
import type { RequestHandler } from 'express';
import session from 'express-session';
import { databaseUrl } from '../database';

declare module 'express-session' {
  interface SessionData {
    userId: number;
    notice: string;
  }
}

const DAY_MS = 24 * 60 * 60 * 1000;

export interface ShopSession {
  readonly handler: RequestHandler;
  readonly close: () => void;
}

export function createSession(): ShopSession {
  const PgStore = connectPgSimple(session);
  const store = new PgStore({ conString: databaseUrl, createTableIfMissing: true });
  const handler = session({
    store,
    name: 'shop.sid',
    secret: process.env['SESSION_SECRET'] ?? 'a demo keeps no secrets',
    resave: false,
    saveUninitialized: false,
    cookie: { httpOnly: true, sameSite: 'lax', maxAge: DAY_MS },
  });
  return { handler, close: () => store.close() };
}
