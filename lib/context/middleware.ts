import type { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { AuditRequest, ResolvedOptions } from '../core/options';
import { warnOnce } from '../core/warnings';
import { normaliseAddress, normalisePort } from './addresses';
import { correlationIdOf } from './correlation-id';
import { keepContextInLayers } from './express-layers';
import { cleanRequestLine, requestLine } from './request-line';
import { attempt, DEFAULT_SETTINGS, type ContextSettings } from './settings';
import { activeRequest, createFrame, inContextOf, requests, storage, type FrameValues } from './storage';

/** A middleware of Express 4 and 5, and of anything else built on `node:http`. */
export type AuditMiddleware = (
  req: AuditRequest,
  res: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/** `true` asks `preset`, a function is asked itself, `false` nobody. */
function askOption(
  settings: ContextSettings,
  name: 'remoteAddr' | 'request',
  req: AuditRequest,
  preset: (req: AuditRequest) => unknown,
): unknown {
  const option: ResolvedOptions[typeof name] = settings.options[name];
  if (option === false) return null;
  return attempt(settings, name, () => (option === true ? preset(req) : option(req)));
}

/** Express follows `trust proxy`; without Express there is only the socket. */
function peerAddress(req: AuditRequest): unknown {
  return req.ip ?? req.socket.remoteAddress;
}

/** Asking a socket that is already gone throws under HTTP/2. */
function peerPort(settings: ContextSettings, req: AuditRequest): unknown {
  if (settings.options.remoteAddr === false) return null;
  return attempt(settings, 'remotePort', () => req.socket.remotePort);
}

/** Read on arrival: later the socket may be gone and routers have rewritten the URL. */
function requestValues(settings: ContextSettings, req: AuditRequest): FrameValues {
  const line = askOption(settings, 'request', req, requestLine);
  return {
    remoteAddr: normaliseAddress(askOption(settings, 'remoteAddr', req, peerAddress)),
    remotePort: normalisePort(peerPort(settings, req)),
    correlationId: correlationIdOf(settings, req),
    request: typeof line === 'string' ? cleanRequestLine(line) : null,
  };
}

function echo(settings: ContextSettings, res: ServerResponse, correlationId: string): void {
  const { header } = settings.options.correlationId;
  if (header === false || res.headersSent) return;
  attempt(settings, 'correlationId.header', () => void res.setHeader(header, correlationId));
}

/** Requests whose response was ended. */
const answered = new WeakSet<AuditRequest>();

/**
 * Nobody but a callback that lost its context ends a response inside a request that is over. Waiting clients, whom one request
 * answers in passing, are answered while that request still runs.
 */
function noteAnswer(req: AuditRequest): void {
  const active = activeRequest();
  if (active !== undefined && active !== req && answered.has(active)) {
    warnOnce('AUDIT_CONTEXT_LOST', contextLost(requestLine(req)));
  }
  answered.add(req);
}

function contextLost(line: string): string {
  return `sequelize-auditlog: the response to ${line} was ended in the context of another request, which had been answered before. Callbacks of node-postgres and other pools run in the context that opened their connection, so that a write inside them gets the actor of that request. Use the promise (await pool.query(…)), or AsyncResource.bind(callback).`;
}

/** Not by an event: what waits in a pipeline or for a session store is finished by others. */
function noteEnd(res: ServerResponse, req: AuditRequest): void {
  const end = res.end.bind(res) as (...args: unknown[]) => ServerResponse;
  res.end = function endNoted(...args: unknown[]) {
    noteAnswer(req);
    return end(...args);
  };
}

/**
 * Listeners run in the context of who emits, and Node's parser emits outside every context: without this, hand-written
 * `req.on('end', …)` and `res.on('finish', …)` would be nobody's.
 */
function bindEmit(emitter: EventEmitter, req: AuditRequest): void {
  const emit = emitter.emit.bind(emitter);
  emitter.emit = function emitInContext(...args) {
    return inContextOf(req, () => emit(...args));
  };
}

function openRequest(settings: ContextSettings, req: AuditRequest, res: ServerResponse): void {
  const outer = storage.getStore();
  const values = requestValues(settings, req);
  const frame = createFrame(outer?.frame ?? null, values, { req, settings });
  requests.set(req, { frame, silenced: outer?.silenced ?? false });
  echo(settings, res, frame.correlationId as string);
  bindEmit(req, req);
  bindEmit(res, req);
  noteEnd(res, req);
  keepContextInLayers(req);
}

/**
 * A middleware that opens a context for each request: address, correlation id (echoed on the response), request line, and the
 * request itself, from which the actor is read when an entry is written. It never reads the body. Every later handler of Express
 * runs in it, also behind middleware whose callbacks lose it; elsewhere, mounted a second time, it re-enters the context.
 *
 * @example
 * app.use(createAuditMiddleware(settings));
 */
export function createAuditMiddleware(settings: ContextSettings): AuditMiddleware {
  return function auditMiddleware(req, res, next) {
    if (!requests.has(req)) openRequest(settings, req, res);
    inContextOf(req, () => next());
  };
}

/**
 * The middleware with the default options, for applications that configure nothing. Mount it after body parsers and session,
 * before the routes; authentication may run later.
 *
 * @example
 * app.use(session({ secret }));
 * app.use(auditMiddleware);
 */
export const auditMiddleware: AuditMiddleware = createAuditMiddleware(DEFAULT_SETTINGS);
