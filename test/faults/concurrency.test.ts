import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import connectPgSimple from 'connect-pg-simple';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import session from 'express-session';
import { Pool } from 'pg';
import { DataTypes } from 'sequelize';
import { createAuditLog, setReason, type LogEntry } from 'sequelize-auditlog';
import { actionsOf, openAudited } from '../support/audited';
import { testDatabase } from '../support/database';
import { matrix } from '../support/matrix';

/** Fewer beside the older server and Express, unless FULL=1: the promise is the same, and it is kept by the same code. */
const USERS = process.env['FULL'] === '1' || matrix.express === 5 ? 500 : 150;

const database = testDatabase({ pool: { max: 5, acquire: 120_000 } });
const { sequelize } = database;
const User = sequelize.define('User', { email: DataTypes.TEXT });
const Order = sequelize.define('Order', { owner: DataTypes.TEXT, step: DataTypes.INTEGER });
const Item = sequelize.define('Item', { owner: DataTypes.TEXT });
Order.hasMany(Item, { foreignKey: 'orderId' });
const auditLog = createAuditLog(sequelize, { actor: { model: User } });
auditLog.registerAudited(Order, { snapshots: true });
auditLog.registerAudited(Item);

const pool = new Pool({
  connectionString: database.url,
  max: 5,
  options: `-c search_path=${database.schema}`,
});
const PgStore = connectPgSimple(session);
const store = new PgStore({
  pool,
  schemaName: database.schema,
  createTableIfMissing: true,
  pruneSessionInterval: false,
});

type SessionRequest = Request & { session: { userId?: number }; user?: unknown };

/** Some time in which other requests go on. */
const elsewhere = (): Promise<unknown> => Promise.all([delay(Math.random() * 10), new Promise(setImmediate)]);

/** Who is logged in is known only behind the audit middleware. */
async function login(req: SessionRequest, _res: Response, next: NextFunction): Promise<void> {
  await elsewhere();
  if (req.session.userId !== undefined) req.user = await User.findByPk(req.session.userId);
  next();
}

async function order(req: Request, res: Response): Promise<void> {
  const { owner } = req.body as { owner: string };
  const created = await Order.create({ owner, step: 0 });
  await elsewhere();
  await sequelize.transaction(async (transaction) => {
    await created.update({ step: 1 }, { transaction });
    await elsewhere();
    await Item.bulkCreate([{ owner, orderId: created.get('id') }, { owner }], { transaction });
  });
  setReason(`by ${owner}`);
  await Promise.all([created.increment('step'), Item.create({ owner })]);
  res.json({ id: created.get('id') });
}

/** Reads the body itself, in callbacks that Node calls outside every request. */
function upload(req: Request, res: Response): void {
  let owner = '';
  req.on('data', (chunk: Buffer) => (owner += chunk.toString()));
  req.on('end', () => {
    setTimeout(
      () => void Order.create({ owner: owner.trim(), step: 9 }).then(() => res.end('ok')),
      Math.random() * 5,
    );
  });
}

function shop(): Express {
  const app = express();
  app.use(express.json());
  app.use(session({ secret: 'shop', store, resave: false, saveUninitialized: false }));
  app.use(auditLog.auditMiddleware);
  app.use(login as never);
  app.post('/login/:id', (req, res) => {
    (req as never as SessionRequest).session.userId = Number(req.params['id']);
    res.end('in');
  });
  app.post('/orders', async (req, res, next) => {
    try {
      await order(req, res);
    } catch (error) {
      next(error);
    }
  });
  app.post('/uploads', upload);
  return app;
}

let server: Server;
beforeAll(async () => {
  await openAudited(database, auditLog);
  const emails = Array.from({ length: USERS }, (_, at) => ({ id: at + 1, email: `u${at + 1}@example.com` }));
  await User.bulkCreate(emails);
  server = createServer(shop()).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  store.close();
  await pool.end();
  await database.close();
});

async function post(path: string, id: string, init: RequestInit): Promise<globalThis.Response> {
  const { port } = server.address() as AddressInfo;
  const headers = { ...(init.headers as Record<string, string>), 'x-request-id': id };
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', ...init, headers });
  expect([path, answer.status, await answer.text()]).toEqual([
    path,
    200,
    expect.not.stringContaining('Error'),
  ]);
  return answer;
}

/** One user's visit: a login, an order by JSON and an upload by a stream, the latter two at once. */
async function visit(user: number): Promise<void> {
  const owner = `u${user}@example.com`;
  const entered = await post(`/login/${user}`, `login-${user}`, {});
  const cookie = (entered.headers.get('set-cookie') ?? '').split(';')[0]!;
  const json = { cookie, 'content-type': 'application/json' };
  const body = new Blob([owner, ' '.repeat(100_000)]).stream();
  await Promise.all([
    post('/orders', `order-${user}`, { headers: json, body: JSON.stringify({ owner }) }),
    post('/uploads', `upload-${user}`, { headers: { cookie }, body, duplex: 'half' } as RequestInit),
  ]);
}

/** Who owns each row that was written, by model and key: what its entries must say. */
async function owners(): Promise<Map<string, string>> {
  const sql = `select 'Order ' || id as object, owner from "Orders" union all select 'Item ' || id, owner from "Items"`;
  const rows = await database.rows<{ object: string; owner: string }>(sql);
  return new Map(rows.map(({ object, owner }) => [object, owner]));
}

function isOwn(
  { actorId, actorLabel, actorType, correlationId }: LogEntry,
  owner: string | undefined,
): boolean {
  const id = /^u(\d+)@/.exec(owner ?? '')?.[1] ?? null;
  const isOwnRequest = correlationId === `order-${id}` || correlationId === `upload-${id}`;
  return id !== null && actorId === id && actorLabel === owner && actorType === 'User' && isOwnRequest;
}

const ORDERED = ['create Item', 'create Item', 'create Item', 'create Order', 'update Order', 'update Order'];

/** What the entries of one user's visit say, whoever else was at work. */
async function visitOf(user: number): Promise<object> {
  const ordered = await auditLog.LogEntry.inRequest(`order-${user}`);
  const uploaded = await auditLog.LogEntry.inRequest(`upload-${user}`);
  return {
    ordered: actionsOf(ordered).toSorted(),
    transactions: new Set(ordered.map(({ transactionId }) => transactionId)).size,
    reasons: ordered.map(({ reason }) => reason).filter((reason) => reason !== null),
    uploaded: actionsOf(uploaded),
  };
}

describe(`14 ${USERS} users at once, with Express ${matrix.express}`, () => {
  const users = Array.from({ length: USERS }, (_, at) => at + 1);
  beforeAll(() => Promise.all(users.map(visit)), 180_000);

  test('each is the actor of exactly the own entries: none is swapped, none is missing', async () => {
    const [entries, ownerOf] = [await auditLog.LogEntry.findAll(), await owners()];
    const swapped = entries.filter((entry) => !isOwn(entry, ownerOf.get(`${entry.model} ${entry.objectPk}`)));
    expect(swapped.map((entry) => entry.toJSON())).toEqual([]);
    expect(entries).toHaveLength(USERS * (ORDERED.length + 1));
  });

  test('each request has its entries under its own id, grouped by its transactions', async () => {
    for (const user of users) {
      const reason = `by u${user}@example.com`;
      const visited = {
        ordered: ORDERED,
        transactions: 4,
        reasons: [reason, reason],
        uploaded: ['create Order'],
      };
      expect(await visitOf(user)).toEqual(visited);
    }
  });
});

test('22 afterwards nobody is left on any connection of the pool', async () => {
  const created = await Promise.all(Array.from({ length: 10 }, () => Order.create({ owner: 'nobody' })));
  const entries = await auditLog.LogEntry.forObjects(created);
  expect(entries).toHaveLength(10);
  for (const entry of entries) {
    expect(entry).toMatchObject({
      actorId: null,
      actorLabel: null,
      correlationId: null,
      request: null,
      reason: null,
    });
  }
});

test('every version carries the actor and reason of its entry', async () => {
  const [row] = await database.rows<{ n: string }>(
    `select count(*) as n from "Orders_history" h join audit_log_entries e on e.id = h.log_entry_id
     where h.history_user_id is distinct from e.actor_id or h.history_change_reason is distinct from e.reason
        or h.history_date <> e.timestamp`,
  );
  expect(row!.n).toBe('0');
});
