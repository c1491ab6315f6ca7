// Functions given to expectTypeOf are checked by the compiler and never run.
import { expectTypeOf } from 'expect-type';
import type { Express, Request } from 'express';
import { DataTypes, Sequelize } from 'sequelize';
import { createAuditLog, logAccessMiddleware, type AccessRequest } from 'sequelize-auditlog';
import type { Express as Express4, Request as Request4 } from 'types-express-v4';

const sequelize = new Sequelize('postgres://nobody@localhost/nowhere');
const Order = sequelize.define('Order', { status: DataTypes.TEXT });
const auditLog = createAuditLog(sequelize);

test('the function is given the request with its params, in a route, a router and by itself', () => {
  expectTypeOf((app: Express) => {
    app.get(
      '/orders/:id',
      logAccessMiddleware(auditLog, (req) => [Order, req.params.id]),
      (req, res) => void res.json(req.params.id),
    );
    app.use(
      '/orders',
      logAccessMiddleware(auditLog, () => null),
    );
    const middleware = logAccessMiddleware(auditLog, (req) => {
      expectTypeOf(req).toEqualTypeOf<AccessRequest>();
      return [Order, req.params.id];
    });
    app.get('/orders/:id', middleware);
    const loaded = logAccessMiddleware<Request>(auditLog, async (req) =>
      Order.findByPk(req.params['id'] as string),
    );
    app.get('/orders/:id', loaded);
  }).toBeFunction();
});

test('and by the types of Express 4', () => {
  expectTypeOf((app: Express4) => {
    app.get(
      '/orders/:id',
      logAccessMiddleware(auditLog, (req) => [Order, req.params.id]),
      (req, res) => void res.json(req.params.id),
    );
    app.get(
      '/orders/:id',
      logAccessMiddleware<Request4>(auditLog, (req) => Order.findByPk(req.params['id'])),
    );
  }).toBeFunction();
});

test('what is no object is refused by the compiler', () => {
  // @ts-expect-error a key alone says nothing of its model
  expectTypeOf(() => logAccessMiddleware(auditLog, (req) => req.originalUrl)).toBeFunction();
});
