import { createServer } from 'node:http';
import { expectTypeOf } from 'expect-type';
import express, { type RequestHandler, type Router } from 'express';
import { Sequelize } from 'sequelize';
import { auditMiddleware, createAuditLog, type AuditMiddleware, type AuditRequest } from 'sequelize-auditlog';

const auditLog = createAuditLog(new Sequelize('postgres://nobody@localhost/nowhere'));

/** Checked by the compiler and never run. */
function compiled(_check: () => unknown): void {}

test('the middleware is one of Express, for an application, a router and a route', () => {
  expectTypeOf(auditLog.auditMiddleware).toEqualTypeOf<AuditMiddleware>();
  expectTypeOf(auditMiddleware).toExtend<RequestHandler>();
  compiled(() => {
    const app = express();
    app.use(auditMiddleware);
    app.use('/shop', auditLog.auditMiddleware, (_req, res) => void res.end());
    app.get('/orders/:id', auditMiddleware, (req, res) => void res.json(req.params['id']));
    (express.Router() as Router).use(auditMiddleware);
  });
});

test('and of plain node:http', () => {
  compiled(() => createServer((req, res) => auditMiddleware(req, res, () => res.end())));
});

test('options are given the request, with what Express and its companions add', () => {
  compiled(() =>
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
  );
});
