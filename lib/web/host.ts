import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * A request as Express 4 and 5 hand it on. Built on Node's own, so that the declarations of this package need no types of
 * Express, whichever of them the host has.
 */
export interface HostRequest extends IncomingMessage {
  readonly originalUrl: string;
  readonly baseUrl: string;
  readonly path: string;
  readonly ip?: string | undefined;
  params: Record<string, string>;
  body?: unknown;
}

export type HostResponse = ServerResponse;

/** What `app.use` takes. */
export type HostHandler = (
  req: IncomingMessage,
  res: ServerResponse,
  next: (error?: unknown) => void,
) => void;
