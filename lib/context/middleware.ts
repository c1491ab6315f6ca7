import type { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { AuditRequest, ResolvedOptions } from '../core/options';
import { normaliseAddress, normalisePort } from './addresses';
import { correlationIdOf } from './correlation-id';
import { cleanRequestLine, requestLine } from './request-line';
import { attempt, DEFAULT_SETTINGS, type ContextSettings } from './settings';
import { createFrame, requests, storage, type FrameValues, type Store } from './storage';

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

/**
 * Listeners run in the context of who emits, and Node's parser emits outside every context: without this, hand-written
 * `req.on('end', …)` and `res.on('finish', …)` would be nobody's.
 */
function bindEmit(emitter: EventEmitter, req: AuditRequest, store: Store): void {
  const emit = emitter.emit.bind(emitter);
  emitter.emit = function emitInContext(...args) {
    // Contexts opened inside the request stay.
    if (storage.getStore()?.frame?.origin?.req === req) return emit(...args);
    return storage.run(store, () => emit(...args));
  };
}

function openRequest(settings: ContextSettings, req: AuditRequest, res: ServerResponse): Store {
  const outer = storage.getStore();
  const values = requestValues(settings, req);
  const frame = createFrame(outer?.frame ?? null, values, { req, settings });
  const store: Store = { frame, silenced: outer?.silenced ?? false };
  requests.set(req, store);
  echo(settings, res, frame.correlationId as string);
  bindEmit(req, req, store);
  bindEmit(res, req, store);
  return store;
}

/**
 * A middleware that opens a context for each request: address, correlation id (echoed on the response), request line, and the
 * request itself, from which the actor is read when an entry is written. It never reads the body. Mounted a second time it only
 * re-enters the request's context, where callbacks have lost it.
 *
 * @example
 * app.use(createAuditMiddleware(settings));
 */
export function createAuditMiddleware(settings: ContextSettings): AuditMiddleware {
  return function auditMiddleware(req, res, next) {
    if (storage.getStore()?.frame?.origin?.req === req) return next();
    storage.run(requests.get(req) ?? openRequest(settings, req, res), () => next());
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
