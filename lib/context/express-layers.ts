import type { AuditRequest } from '../core/options';
import { activeRequest, inContextOf, requests, storage } from './storage';

/*
 * A middleware may go on in a foreign callback: those of node-postgres, for example, run in the context of the request that
 * opened their connection. What comes behind it would then be taken for that other request. All handlers of Express are called
 * through the methods of one class that it does not document, its layers: `handle_request` and `handle_error` in Express 4.22,
 * `handleRequest` and `handleError` in 5.3. There each handler gets its own request's context.
 */
const METHODS = ['handle_request', 'handle_error', 'handleRequest', 'handleError'];

type LayerMethod = (this: unknown, ...args: unknown[]) => unknown;
type LayerClass = Record<string, unknown>;

interface ExpressRouter {
  readonly stack?: readonly object[];
}

/** What Express makes of a request; `router` is first read in Express 5, since it throws in 4. */
interface ExpressRequest {
  readonly app?: Readonly<Partial<Record<'_router' | 'router', ExpressRouter>>>;
}

const kept = new WeakSet<object>();

/** Handlers of one request follow each other, so the last context seen is that of the next, `withAuditContext(…, next)` included. */
function runHandler(req: AuditRequest, handler: () => unknown): unknown {
  const store = storage.getStore();
  if (store !== undefined && activeRequest() === req) requests.set(req, store);
  return inContextOf(req, handler);
}

function wrap(layers: LayerClass, name: string): void {
  const method = layers[name];
  if (typeof method !== 'function') return;
  layers[name] = function inOwnContext(this: unknown, ...args: unknown[]): unknown {
    // `(req, res, next)`, with an error before them in the other method.
    return runHandler(args.at(-3) as AuditRequest, () => (method as LayerMethod).apply(this, args));
  };
}

/** Sees to it, once for each copy of Express, that every handler of a request known to us runs in its context. */
export function keepContextInLayers(req: AuditRequest): void {
  const { app } = req as ExpressRequest;
  const [layer] = (app?.['_router'] ?? app?.router)?.stack ?? [];
  if (layer === undefined) return;
  const layers = Object.getPrototypeOf(layer) as LayerClass;
  if (kept.has(layers)) return;
  kept.add(layers);
  for (const name of METHODS) wrap(layers, name);
}
