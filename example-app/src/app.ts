import path from 'node:path';
import express, { type Express } from 'express';
import helmet from 'helmet';
import { auditMiddleware } from './audit';
import { loadCurrentUser, requireLogin } from './middleware/current-user';
import { handleError, handleNotFound } from './middleware/errors';
import { sameOrigin } from './middleware/same-origin';
import { createSession } from './middleware/session';
import { auditRoutes } from './routes/audit';
import { customerRoutes } from './routes/customers';
import { demoRoutes } from './routes/demo';
import { homeRoutes } from './routes/home';
import { loginRoutes } from './routes/login';
import { orderChangeRoutes } from './routes/order-changes';
import { orderHistoryRoutes } from './routes/order-history';
import { orderPastRoutes } from './routes/order-past';
import { orderRestoreRoutes } from './routes/order-restore';
import { orderRoutes } from './routes/orders';
import { productRoutes } from './routes/products';
import { undoRoutes } from './routes/undo';

// The same folder from src/ and from dist/, since tsc copies no other files.
const PUBLIC_FOLDER = path.join(__dirname, '..', 'src', 'public');

export interface Shop {
  readonly app: Express;
  readonly close: () => void;
}

export function createApp(): Shop {
  const session = createSession();
  const app = express();
  // A proxy on this machine may say who the client is; nobody else may.
  app.set('trust proxy', 'loopback');
  app.use(securityHeaders);
  app.use(express.static(PUBLIC_FOLDER));
  app.use(session.handler);
  app.use(express.urlencoded({ extended: false }), express.json());
  app.use(auditMiddleware);
  // After auditMiddleware on purpose: the actor is looked up when an entry is written, not when the request arrives.
  app.use(loadCurrentUser, sameOrigin);
  addRoutes(app);
  return { app, close: () => session.close() };
}

const securityHeaders = helmet({
  // The shop speaks plain http; upgraded requests would find nobody.
  contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } },
  // helmet's no-referrer makes browsers send `Origin: null` with our own forms.
  referrerPolicy: { policy: 'same-origin' },
});

function addRoutes(app: Express): void {
  app.use(loginRoutes, homeRoutes);
  app.use('/orders', requireLogin, orderPastRoutes, orderRoutes, orderChangeRoutes);
  app.use('/orders', requireLogin, orderHistoryRoutes, orderRestoreRoutes);
  app.use('/products', requireLogin, productRoutes);
  app.use('/customers', requireLogin, customerRoutes);
  app.use('/requests', requireLogin, undoRoutes);
  app.use('/demo', requireLogin, demoRoutes);
  app.use('/audit', auditRoutes);
  app.use(handleNotFound, handleError);
}
