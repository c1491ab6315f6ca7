// Functions given to expectTypeOf are checked by the compiler and never run.
import { createServer } from 'node:http';
import { expectTypeOf } from 'expect-type';
import express, { type RequestHandler, type Router } from 'express';
import { Sequelize } from 'sequelize';
import type {
  Express as Express4,
  RequestHandler as RequestHandler4,
  Router as Router4,
} from 'types-express-v4';
import { auditMiddleware, createAuditLog, type AuditMiddleware, type AuditRequest } from 'sequelize-auditlog';

const auditLog = createAuditLog(new Sequelize('postgres://nobody@localhost/nowhere'));

test('the middleware is one of Express, for an application, a router and a route', () => {
  expectTypeOf(auditLog.auditMiddleware).toEqualTypeOf<AuditMiddleware>();
  expectTypeOf(auditMiddleware).toExtend<RequestHandler>();
  expectTypeOf(() => {
    const app = express();
    app.use(auditMiddleware);
    app.use('/shop', auditLog.auditMiddleware, (_req, res) => void res.end());
    app.get('/orders/:id', auditMiddleware, (req, res) => void res.json(req.params['id']));
    (express.Router() as Router).use(auditMiddleware);
  }).toBeFunction();
});

test('and by the types of Express 4', () => {
  expectTypeOf(auditMiddleware).toExtend<RequestHandler4>();
  expectTypeOf((app: Express4, router: Router4) => {
    app.use(auditMiddleware);
    app.use('/shop', auditLog.auditMiddleware, (_req, res) => void res.end());
    app.get('/orders/:id', auditMiddleware, (req, res) => void res.json(req.params.id));
    router.use(auditMiddleware);
  }).toBeFunction();
});

test('and of plain node:http', () => {
  expectTypeOf(() => createServer((req, res) => auditMiddleware(req, res, () => res.end()))).toBeFunction();
});

test('options are given the request, with what Express and its companions add', () => {
  expectTypeOf(() =>
    createAuditLog(auditLog.LogEntry.sequelize!, {
      actor: {
        resolve: (req) => {
          expectTypeOf(req).toEqualTypeOf<AuditRequest>();
          expectTypeOf(req.ip).toEqualTypeOf<string | undefined>();
          expectTypeOf(req.headers['x-user']).toEqualTypeOf<string | string[] | undefined>();
          return (req.user as { id: number } | undefined)?.id;
        },
      },
      remoteAddr: (req) => req.socket.remoteAddress ?? null,
      correlationId: { header: false, generate: () => 'id', trust: (req) => req.ip === '127.0.0.1' },
    }),
  ).toBeFunction();
});
