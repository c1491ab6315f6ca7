import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Express, type Request } from 'express';
import { contentSecurityPolicy } from 'helmet';
import type { AuditRouterOptions } from 'sequelize-auditlog/web';
import type { WebWorld } from '../../support/web';

/** Content security policies of hosts. Strict names nothing but what decision 2 of the pages does. */
export const POLICIES = {
  helmet: contentSecurityPolicy({
    // Helmet's default, without the one word that turns plain http, as in these tests, into https.
    directives: { upgradeInsecureRequests: null, reportUri: '/csp-reports' },
  }),
  strict: policy("default-src 'none'; style-src 'self'; script-src 'self'"),
  'strict, with live': policy("default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'"),
  ours: null,
} as const;

function policy(text: string): express.RequestHandler {
  return (_req, res, next) => {
    res.set('Content-Security-Policy', `${text}; report-uri /csp-reports`);
    next();
  };
}

/** The world's pages on a real server. */
export interface Site {
  /** `http://127.0.0.1:1234/audit/` */
  readonly root: string;
  /** What browsers reported to the policy's `report-uri`. */
  readonly reports: string[];
  close(): Promise<void>;
}

export interface SiteOptions extends AuditRouterOptions<Request> {
  readonly policy?: keyof typeof POLICIES;
  /** Adds to the application, before the router. */
  readonly extend?: (app: Express) => void;
}

export async function openSite(
  world: WebWorld,
  { policy: name = 'ours', extend, ...options }: SiteOptions = {},
): Promise<Site> {
  const reports: string[] = [];
  const app = express();
  app.post('/csp-reports', express.text({ type: () => true }), (req, res) => {
    reports.push(String(req.body));
    res.sendStatus(204);
  });
  const policyOf = POLICIES[name];
  if (policyOf) app.use(policyOf);
  extend?.(app);
  app.use(world.app(options));
  const server = createServer(app).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    root: `http://127.0.0.1:${port}/audit/`,
    reports,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
