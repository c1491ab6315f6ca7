import express, { type Express, type Request } from 'express';
import { DataTypes, type Model } from 'sequelize';
import { createAuditLog, currentAuditContext } from 'sequelize-auditlog';
import request from 'supertest';
import { entryOf, openAudited } from '../support/audited';
import { testDatabase } from '../support/database';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const database = testDatabase();
const { sequelize } = database;
const User = sequelize.define('User', { email: DataTypes.TEXT });
const Order = sequelize.define('Order', { status: DataTypes.TEXT });
const auditLog = createAuditLog(sequelize, { actor: { model: User } });
auditLog.registerAudited(Order);

let ann: Model;
beforeAll(async () => {
  await openAudited(database, auditLog);
  ann = await User.create({ email: 'ann@example.com' });
});
afterAll(() => database.close());

interface UserRequest extends Request {
  user?: unknown;
}

/** An application whose every POST creates an order, by `user` when there is one. */
function shop(user?: () => unknown): Express {
  const app = express();
  app.use(auditLog.auditMiddleware);
  app.use((req: UserRequest, _res, next) => {
    req.user = user?.();
    next();
  });
  app.post('/orders', async (_req, res) => {
    const order = await Order.create({ status: 'new' });
    res.status(201).json({ id: order.get('id'), context: currentAuditContext() });
  });
  return app;
}

test('C1 C8 C12 C21 an anonymous request leaves nobody, with address, port, line and id', async () => {
  const entry = await entryOf(auditLog, () => request(shop()).post('/orders?token=hush').expect(201));
  expect(entry).toMatchObject({ actorId: null, remoteAddr: '127.0.0.1', request: 'POST /orders' });
  expect(entry.remotePort).toBeGreaterThan(0);
  expect(entry.correlationId).toMatch(UUID);
  expect(JSON.stringify(entry)).not.toContain('hush');
});

test('C3 the answer is that of the route', async () => {
  const answer = await request(shop()).post('/orders');
  expect([answer.status, Object.keys(answer.body as object)]).toEqual([201, ['id', 'context']]);
});

test('C9 C21 the authenticated user is the actor of the entry', async () => {
  const entry = await entryOf(auditLog, () => request(shop(() => ann)).post('/orders'));
  expect(entry).toMatchObject({
    actorId: String(ann.get('id')),
    actorLabel: 'ann@example.com',
    actorType: 'User',
    remoteAddr: '127.0.0.1',
  });
});

test('C9 so is one of whom the session knows only the id, with the label of its row', async () => {
  const entry = await entryOf(auditLog, () => request(shop(() => ann.get('id'))).post('/orders'));
  expect(entry).toMatchObject({ actorLabel: 'ann@example.com', actorType: 'User' });
});

test.each([[true], [Symbol('user')], [{ name: 'no id' }], [() => 'ann'], [[]]])(
  'C11 a user that is %p is nobody and breaks no write',
  async (user) => {
    const entry = await entryOf(auditLog, () =>
      request(shop(() => user))
        .post('/orders')
        .expect(201),
    );
    expect([entry.actorId, entry.actorLabel, entry.actorType]).toEqual([null, null, null]);
  },
);

test.each([['no-such-id'], ['9'.repeat(40)], ['7; drop table "Users"'], [-1]])(
  'C11 an id %p that no row has is kept as it is',
  async (id) => {
    const entry = await entryOf(auditLog, () =>
      request(shop(() => id))
        .post('/orders')
        .expect(201),
    );
    expect([entry.actorId, entry.actorLabel]).toEqual([String(id), String(id)]);
  },
);

test('C5 C7 after the response, and after an error, a write has no context', async () => {
  const app = shop(() => ann);
  app.get('/boom', () => {
    throw new Error('boom');
  });
  app.use(
    (_error: unknown, _req: Request, res: express.Response, _next: express.NextFunction) =>
      void res.sendStatus(500),
  );
  await request(app).get('/boom').expect(500);
  await request(app).post('/orders').expect(201);
  const entry = await entryOf(auditLog, () => Order.create({}));
  expect(entry).toMatchObject({ actorId: null, remoteAddr: null, correlationId: null, request: null });
});

test('C13 a forwarded address counts only as trust proxy says', async () => {
  const [plain, trusting] = [shop(), shop()];
  trusting.set('trust proxy', 1);
  const post = (app: Express) => () =>
    request(app).post('/orders').set('X-Forwarded-For', '6.6.6.6, 203.0.113.9').expect(201);
  expect((await entryOf(auditLog, post(plain))).remoteAddr).toBe('127.0.0.1');
  expect((await entryOf(auditLog, post(trusting))).remoteAddr).toBe('203.0.113.9');
});

test.each(['unknown', '[2001:db8::1]:443', '203.0.113.9:80', 'x'.repeat(5000)])(
  'C16 a trusted header %p is no address and breaks no write',
  async (header) => {
    const app = shop();
    app.set('trust proxy', true);
    const post = () => request(app).post('/orders').set('X-Forwarded-For', header).expect(201);
    expect((await entryOf(auditLog, post)).remoteAddr).toBeNull();
  },
);

test('C15 a trusted IPv6 address is stored whole', async () => {
  const app = shop();
  app.set('trust proxy', true);
  const post = () => request(app).post('/orders').set('X-Forwarded-For', '2001:db8::1').expect(201);
  expect((await entryOf(auditLog, post)).remoteAddr).toBe('2001:db8::1');
});

test('D7 what currentAuditContext says is what is stored, and echoed', async () => {
  const app = shop(() => ann);
  let answer: request.Response;
  const entry = await entryOf(auditLog, async () => {
    answer = await request(app).post('/orders').set('X-Request-Id', 'req-7');
  });
  const { context } = answer!.body as { context: { correlationId: string; actor: { id: string } } };
  expect([entry.correlationId, context.correlationId]).toEqual(['req-7', 'req-7']);
  expect(answer!.headers['x-request-id']).toBe('req-7');
  expect(context.actor.id).toBe(entry.actorId);
});

test('D8 a value of one request never survives into a later one that sends none', async () => {
  const agent = request.agent(shop());
  const first = await entryOf(auditLog, () => agent.post('/orders').set('X-Request-Id', 'first'));
  const second = await entryOf(auditLog, () => agent.post('/orders'));
  expect(first.correlationId).toBe('first');
  expect(second.correlationId).toMatch(UUID);
});

test('D7 the entries of one request are found by its id', async () => {
  const app = shop();
  app.post('/two', async (_req, res) => {
    await Order.create({ status: 'a' });
    await Order.create({ status: 'b' });
    res.end();
  });
  await request(app).post('/two').set('X-Request-Id', 'both');
  const found = await auditLog.LogEntry.inRequest('both');
  expect(found.map(({ changes }) => changes!['status'])).toEqual([
    [null, 'b'],
    [null, 'a'],
  ]);
});
