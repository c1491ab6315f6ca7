import express, { type Express } from 'express';
import session from 'express-session';
import { createAuditLog } from 'sequelize-auditlog';
import request from 'supertest';
import { openAudited } from '../support/audited';
import { testDatabase } from '../support/database';
import { defineOrders, Order, User } from './orders';

const database = testDatabase();
defineOrders(database.sequelize);
const auditLog = createAuditLog(database.sequelize, { actor: { model: User } });
const orders = auditLog.registerAudited(Order, { snapshots: true });

beforeAll(() => openAudited(database, auditLog));
afterAll(() => database.close());

/** Now by the clock that dates the versions. */
async function now(): Promise<string> {
  const text = `to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
  const [row] = await database.rows<{ now: string }>(`select ${text} as now`);
  return row!.now;
}

/** A shop with a login of its own, whose PATCH changes an order. */
function shop(): Express {
  const app = express();
  app.use(express.json());
  app.use(session({ secret: 'seed', resave: false, saveUninitialized: false }));
  app.use(auditLog.auditMiddleware);
  app.post('/login/:id', (req, res) => {
    (req.session as unknown as { userId: number }).userId = Number(req.params['id']);
    res.sendStatus(204);
  });
  app.patch('/orders/:id', async (req, res) => {
    const order = await Order.findByPk(req.params['id'], { rejectOnEmpty: true });
    res.json(await order.update(req.body as object));
  });
  return app;
}

describe('order history', () => {
  test('create generates history record', async () => {
    const order = await Order.create({});
    const history = await orders.versions(order);
    expect(history).toHaveLength(1);
    expect(history[0]!.historyType).toBe('+');
  });

  test('update generates history record', async () => {
    const order = await Order.create({ status: 'pending' });
    order.status = 'shipped';
    await order.save();
    const history = await orders.versions(order);
    expect(history).toHaveLength(2);
    expect([history[0]!.historyType, history[0]!.status]).toEqual(['~', 'shipped']);
  });

  test('delete generates history record', async () => {
    const order = await Order.create({});
    const { id } = order;
    await order.destroy();
    const history = await orders.versions(id);
    expect(history).toHaveLength(2);
    expect(history[0]!.historyType).toBe('-');
  });

  test('as of returns historical state', async () => {
    const order = await Order.create({ status: 'pending' });
    const createdTime = await now();
    order.status = 'shipped';
    await order.save();
    const [historical] = await orders.asOf(createdTime).findAll({ where: { id: order.id } });
    expect(historical!.status).toBe('pending');
  });

  test('diff against shows changes', async () => {
    const order = await Order.create({ status: 'pending', total: '100' });
    order.status = 'shipped';
    order.total = '150';
    await order.save();
    const [latest] = await orders.versions(order);
    const delta = latest!.diffAgainst((await latest!.prevRecord())!);
    expect(delta.changes).toEqual([
      { attribute: 'status', old: 'pending', new: 'shipped' },
      { attribute: 'total', old: '100.00', new: '150.00' },
    ]);
  });

  test('history user captured from request', async () => {
    const [user, order] = [await User.create({ email: 'ann@example.com' }), await Order.create({})];
    const agent = request.agent(shop());
    await agent.post(`/login/${user.id}`).expect(204);
    await agent.patch(`/orders/${order.id}`).send({ status: 'updated_via_view' }).expect(200);
    const [latest] = await orders.versions(order, { actors: true });
    expect([latest!.status, latest!.historyUserId]).toEqual(['updated_via_view', String(user.id)]);
    expect((latest!.actor as User).email).toBe('ann@example.com');
  });
});
