import type { AuditLog } from '../audit-log';
import { foundationOf } from '../audit-log';
import type { AuditRequest } from '../core/options';
import type { Answer } from './answers';
import { redirect } from './answers';
import { API_ROUTES } from './api/routes';
import { loadAssets } from './assets';
import { notFound } from './access';
import { expressOf, type ExpressRouter } from './express';
import type { HostHandler, HostRequest, HostResponse } from './host';
import { resolveWebOptions, type AuditRouterOptions, type ResolvedWebOptions } from './options';
import { PAGE_ROUTES } from './pages/routes';
import { WebProblem } from './problem';
import { problemAnswer } from './problem-answer';
import type { Route } from './route';
import { requireSameOrigin, secure } from './security';
import { Texts } from './texts';
import { Visit, type Web } from './visit';

async function send(res: HostResponse, { status, headers, body }: Answer): Promise<void> {
  res.statusCode = status;
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  const isHead = res.req.method === 'HEAD';
  if (typeof body === 'function' && !isHead) return body(res);
  res.end(isHead ? undefined : body);
}

/** What the error means to a visitor; null for a real fault, which is the host's to handle. */
function problemOf(error: unknown): WebProblem | null {
  if (error instanceof WebProblem) return error;
  const { status } = error as { status?: unknown };
  // Express and its body parser: a damaged path, a body too large.
  if (typeof status !== 'number' || status < 400 || status >= 500) return null;
  return new WebProblem(status, status === 413 ? 'Too large' : 'Bad request', { cause: error });
}

type Next = (error?: unknown) => void;

/** `next` as a promise's handler: what goes wrong while an answer is sent is the host's. */
function sendOr(next: Next, res: HostResponse, answer: Answer): void {
  // oxlint-disable-next-line promise/no-callback-in-promise
  send(res, answer).catch(next);
}

/** Calls the handler; Express 4 would wait for ever for a promise that fails. */
function serve(web: Web, { handler, kind, method }: Route) {
  return (req: HostRequest, res: HostResponse, next: Next): void => {
    const visit = new Visit(req, res, web);
    const answer = async (): Promise<void> => {
      if (web.options.authorize === null) throw setupProblem(web);
      if (method === 'post') requireSameOrigin(req);
      await send(res, await handler(visit));
    };
    answer().catch((error: unknown) => fail(visit, kind, error, next));
  };
}

function fail(visit: Visit, kind: Route['kind'], error: unknown, next: Next): void {
  const problem = problemOf(error);
  if (!problem || visit.res.headersSent) return next(error);
  sendOr(next, visit.res, problemAnswer(visit, kind, problem));
}

/** The way to let somebody in. */
function setupProblem({ texts }: Web): WebProblem {
  return new WebProblem(403, 'Forbidden', { detail: texts.t('problem.setup') });
}

/** `/audit` without a slash, where relative links would lead beside the mount. */
function bareMount(req: HostRequest, { basePath }: ResolvedWebOptions): string | null {
  const [path = '', ...query] = req.originalUrl.split('?');
  if (req.path !== '/' || path.endsWith('/')) return null;
  const mount = basePath?.replace(/\/+$/, '') ?? `./${path.slice(path.lastIndexOf('/') + 1)}`;
  return `${mount}/${query.length > 0 ? `?${query.join('?')}` : ''}`;
}

function addRoutes(router: ExpressRouter, web: Web): void {
  for (const route of [...PAGE_ROUTES, ...API_ROUTES]) router[route.method](route.path, serve(web, route));
  const unknown = (visit: Visit): Promise<Answer> =>
    visit.access.requireModels('view').then(() => {
      throw notFound();
    });
  const kindOf = (req: HostRequest): Route['kind'] => (req.path.startsWith('/api/') ? 'api' : 'page');
  router.use((req: HostRequest, res: HostResponse, next: Next) =>
    serve(web, { method: 'get', path: '', handler: unknown, kind: kindOf(req) })(req, res, next),
  );
  router.use((error: unknown, req: HostRequest, res: HostResponse, next: Next) =>
    fail(
      new Visit(req, res, web),
      kindOf(req),
      web.options.authorize === null ? setupProblem(web) : error,
      next,
    ),
  );
}

/**
 * The audit log in the browser, and as a JSON API: mount it behind the host's session. Links are relative, so it works at any
 * depth and behind proxies.
 *
 * @throws {AuditError} ERR_AUDIT_INVALID_OPTION, ERR_AUDIT_INVALID_ARGUMENT
 * @example
 * app.use('/audit', auditRouter(auditLog, { authorize: (req: Request) => req.session.user?.role === 'admin' }));
 */
export function auditRouter<Request = AuditRequest>(
  auditLog: AuditLog,
  options: AuditRouterOptions<Request> = {},
): HostHandler {
  const resolved = resolveWebOptions(options);
  const foundation = foundationOf('auditRouter', auditLog);
  const web: Web = {
    ...foundation,
    auditLog,
    options: resolved,
    texts: new Texts(resolved.messages, resolved.locale),
  };
  loadAssets();
  return createRouter(web) as unknown as HostHandler;
}

function createRouter(web: Web): ExpressRouter {
  const express = expressOf();
  const router = express.Router();
  router.use((req: HostRequest, res: HostResponse, next: Next) => {
    secure(res);
    const slash = bareMount(req, web.options);
    if (slash === null) return next();
    sendOr(next, res, redirect(slash, 308));
  });
  router.use(express.urlencoded({ extended: false, limit: '16kb' }));
  router.use(express.json({ limit: '16kb' }));
  addRoutes(router, web);
  return router;
}
