import { AsyncResource } from 'node:async_hooks';
import { Writable } from 'node:stream';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { Pool } from 'pg';
import { DataTypes, type Model } from 'sequelize';
import { createAuditLog, withAuditContext, type AuditLogOptions } from 'sequelize-auditlog';
import request from 'supertest';
import { entriesOf, entryOf, openAudited, refusalOf } from '../support/audited';
import { testDatabase } from '../support/database';

const database = testDatabase();
const { sequelize } = database;
const User = sequelize.define('User', { email: DataTypes.TEXT });
const Order = sequelize.define('Order', {
  status: DataTypes.TEXT,
  number: { type: DataTypes.TEXT, unique: true },
});
const auditLog = createAuditLog(sequelize, { actor: { model: User } });
auditLog.registerAudited(Order);

let pool: Pool;
beforeAll(async () => {
  await openAudited(database, auditLog);
  pool = new Pool({ connectionString: database.url, max: 2 });
  await User.bulkCreate(Array.from({ length: 8 }, (_, at) => ({ email: `user${at + 1}@example.com` })));
});
afterAll(async () => {
  await pool.end();
  await database.close();
});

interface UserRequest extends Request {
  user?: unknown;
  upload?: string;
}

type Step = (req: UserRequest, res: Response, next: NextFunction) => void;

/** The user is named by a header, as an authentication of the application would find out. */
const logIn: Step = (req, _res, next) => {
  req.user = Number(req.headers['x-login']);
  next();
};

const createOrder = async (req: UserRequest, res: Response): Promise<void> => {
  const order = await Order.create({ status: req.upload ?? String(req.headers['x-login']) });
  res.json({ id: order.get('id') });
};

/** Our middleware first, then those steps, then a route that writes. */
function app(...steps: readonly Step[]): Express {
  const made = express();
  made.use(auditLog.auditMiddleware, ...steps);
  made.post('/orders', createOrder);
  return made;
}

function post(server: Express | string, user: number): request.Test {
  return request(server)
    .post('/orders')
    .set('X-Login', String(user))
    .set('X-Request-Id', `of-${user}`)
    .expect(200);
}

async function listening(served: Express, use: (url: string) => Promise<unknown>): Promise<void> {
  const server = served.listen(0);
  const { port } = server.address() as { port: number };
  try {
    await use(`http://127.0.0.1:${port}`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** Each entry as [who the client was, who the entry says it was, whose request it was]. */
async function identities(work: () => unknown): Promise<unknown[][]> {
  const entries = await entriesOf(auditLog, work);
  return entries.map(({ changes, actorId, actorLabel, correlationId }) => [
    changes!['status'],
    actorId,
    actorLabel,
    correlationId,
  ]);
}

/** Orders what `identities` gives by the client, which each stands for itself. */
function byClient(a: readonly unknown[], b: readonly unknown[]): number {
  return JSON.stringify(a).localeCompare(JSON.stringify(b));
}

const own = (user: number): unknown[] => [
  [null, String(user)],
  String(user),
  `user${user}@example.com`,
  `of-${user}`,
];

test('19 a write between requests, on the connections they used, is by nobody', async () => {
  await post(app(logIn), 1);
  const entries = await entriesOf(auditLog, () =>
    Promise.all(Array.from({ length: 5 }, () => Order.create({}))),
  );
  expect(
    new Set(
      entries.map(({ actorId, correlationId, remoteAddr }) =>
        JSON.stringify([actorId, correlationId, remoteAddr]),
      ),
    ),
  ).toEqual(new Set(['[null,null,null]']));
});

const writesEarly: Step = async (_req, _res, next) => {
  await Order.create({ status: 'early' });
  next();
};

const logsInLate: Step = (req, res, next) => void setImmediate(() => logIn(req, res, next));

test('18 who is authenticated behind the audit middleware is the actor, and from then on only', async () => {
  const seen = await identities(() => post(app(writesEarly, logsInLate), 3));
  expect(seen).toEqual([[[null, 'early'], null, null, 'of-3'], own(3)]);
});

const handWritten: Step = (req, _res, next) => {
  const chunks: Buffer[] = [];
  req.on('data', (chunk: Buffer) => chunks.push(chunk));
  req.on('end', () => {
    req.upload = Buffer.concat(chunks).toString().slice(0, 1);
    next();
  });
};

/** As multer does: the request is piped into a parser that answers asynchronously once it has all. */
const piped: Step = (req, _res, next) => {
  let first = '';
  const parser = new Writable({
    write(chunk: Buffer, _encoding, done) {
      first ||= chunk.toString().slice(0, 1);
      setImmediate(done);
    },
  });
  parser.on('finish', () => setImmediate(() => next((req.upload = first) && undefined)));
  req.pipe(parser);
};

const iterated: Step = async (req, _res, next) => {
  let text = '';
  for await (const chunk of req) text += String(chunk);
  req.upload = text.slice(0, 1);
  next();
};

test.each([
  ['listens to data and end', handWritten],
  ['pipes the request into a parser', piped],
  ['iterates over the request', iterated],
])('14 a body reader that %s keeps the actor of its own request', async (_name, reader) => {
  const users = Array.from({ length: 24 }, (_, at) => (at % 8) + 1);
  const send = (url: string) =>
    Promise.all(users.map((user) => post(url, user).type('text/plain').send(String(user).repeat(100_000))));
  const seen = await identities(() => listening(app(reader, logIn), send));
  expect(seen.toSorted(byClient)).toEqual(users.map(own).toSorted(byClient));
});

/** A session store or authentication on the driver's own pool, with callbacks. */
const asksPool: Step = (_req, _res, next) => {
  pool.query('select 1', (error: unknown) => next(error));
};

/** Callbacks of pg run in the context that opened their connection: on one connection that is the first request for all. */
async function onOneConnection(serve: (single: Pool) => Express): Promise<unknown[][]> {
  const single = new Pool({ connectionString: database.url, max: 1 });
  const served = serve(single);
  const seen = await identities(async () => {
    for (const user of [1, 2, 3]) await post(served, user);
  });
  await single.end();
  return seen;
}

const asks =
  (single: Pool): Step =>
  (_req, _res, next) =>
    single.query('select 1', (error: unknown) => next(error));

function behindRouter(single: Pool): Express {
  const made = express();
  const router = express.Router({ mergeParams: true });
  router.use(asks(single));
  router.param('shop', (req, res, next) => asks(single)(req, res, next));
  router.post('/:shop', asks(single), createOrder);
  made.use(auditLog.auditMiddleware, logIn);
  made.use('/', router);
  return made;
}

function behindErrorHandler(single: Pool): Express {
  const made = express();
  made.use(auditLog.auditMiddleware, logIn, asks(single), () => {
    throw new Error('refused');
  });
  made.use((_error: unknown, req: UserRequest, res: Response, _next: NextFunction) => createOrder(req, res));
  return made;
}

test.each<[string, (single: Pool) => Express]>([
  ['the next middleware and the route', (single) => app(asks(single), logIn, asks(single))],
  ['a router, its parameters and its route', behindRouter],
  ['an error handler', behindErrorHandler],
])(
  '14 behind a middleware with callbacks of pg %s keeps the actor of its own request',
  async (_name, serve) => {
    expect(await onOneConnection(serve)).toEqual([1, 2, 3].map(own));
  },
);

const asJob: Step = (req, _res, next) =>
  withAuditContext({ actor: `job of ${String(req.headers['x-login'])}` }, next);

test('14 behind it a context that a middleware opened is kept too', async () => {
  const seen = await onOneConnection((single) => app(logIn, asJob, asks(single)));
  expect(seen.map(([, actor]) => actor)).toEqual(['job of 1', 'job of 2', 'job of 3']);
});

// Before any test that is warned, since a warning comes once.
test('14 clients who wait and are answered from within another request cause no warning', async () => {
  const warned = jest.spyOn(process, 'emitWarning').mockImplementation();
  const waiting: Response[] = [];
  const answering = app((_req, _res, next) => {
    for (const each of waiting) each.sendStatus(200);
    next();
  });
  const patient = express();
  patient.use(auditLog.auditMiddleware);
  patient.get('/wait', (_req, res) => void waiting.push(res));
  await listening(patient, async (url) => {
    const answer = request(url)
      .get('/wait')
      .then(({ status }) => status);
    while (waiting.length === 0) await new Promise(setImmediate);
    await post(answering, 1);
    expect(await answer).toBe(200);
  });
  expect(warned).not.toHaveBeenCalled();
  warned.mockRestore();
});

// A callback inside a handler is out of reach; a library that patched the driver would change it for the whole process.
test('14 a write in a callback of pg itself is taken for the request that opened the connection, with a warning that says so', async () => {
  const warned = jest.spyOn(process, 'emitWarning').mockImplementation();
  const seen = await onOneConnection((single) =>
    app(logIn, (req, res) => single.query('select 1', () => void createOrder(req, res))),
  );
  expect(seen).toEqual([own(1), [[null, '2'], ...own(1).slice(1)], [[null, '3'], ...own(1).slice(1)]]);
  expect(warned.mock.calls).toEqual([
    [
      expect.stringMatching(/response to POST \/orders .* AsyncResource\.bind\(callback\)/),
      expect.objectContaining({ code: 'AUDIT_CONTEXT_LOST' }),
    ],
  ]);
  warned.mockRestore();
});

test('14 bound to its request, such a callback keeps the actor', async () => {
  const seen = await onOneConnection((single) =>
    app(logIn, (req, res) =>
      single.query(
        'select 1',
        AsyncResource.bind(() => void createOrder(req, res)),
      ),
    ),
  );
  expect(seen).toEqual([1, 2, 3].map(own));
});

test('14 before ours it takes nothing away', async () => {
  const users = Array.from({ length: 24 }, (_, at) => (at % 8) + 1);
  const first = express();
  first.use(asksPool, auditLog.auditMiddleware, logIn);
  first.post('/orders', createOrder);
  const seen = await identities(() =>
    listening(first, (url) => Promise.all(users.map((user) => post(url, user)))),
  );
  expect(seen.toSorted(byClient)).toEqual(users.map(own).toSorted(byClient));
});

test('14 mounted a second time behind it, ours finds the own request again', async () => {
  const users = Array.from({ length: 24 }, (_, at) => (at % 8) + 1);
  const remounted = app(asksPool, auditLog.auditMiddleware as Step, logIn);
  const seen = await identities(() =>
    listening(remounted, (url) => Promise.all(users.map((user) => post(url, user)))),
  );
  expect(seen.toSorted(byClient)).toEqual(users.map(own).toSorted(byClient));
});

const FORGED = {
  status: 'forged',
  audit: { actor: 1, reason: 'forged' },
  actor: 1,
  actorId: '1',
  actor_id: '1',
  user: { id: 1 },
  remoteAddr: '6.6.6.6',
  timestamp: '1999-01-01',
  correlationId: 'forged',
  historyUserId: '1',
  transactionId: '1',
};

test('21 neither body, query string nor headers choose the actor, the time or the address', async () => {
  const trusting = express();
  trusting.use(auditLog.auditMiddleware, express.json());
  trusting.post('/orders', async (req: Request, res: Response) => {
    const body = req.body as Record<string, unknown>;
    const order: Model = await Order.create(body);
    await order.update({ ...body, status: 'changed' });
    await Order.update(
      { ...body, ...req.query, status: 'again' },
      { where: { id: order.get('id') as number } },
    );
    res.sendStatus(204);
  });
  const send = () =>
    request(trusting)
      .post('/orders?actor=1&audit[actor]=1&user=1')
      .set({ 'X-User': '1', 'X-Actor': '1', 'X-Real-IP': '6.6.6.6', 'X-Forwarded-For': '6.6.6.6' })
      .send(FORGED)
      .expect(204);
  const entries = await entriesOf(auditLog, send);
  expect(entries.map(({ changes }) => changes!['status'])).toEqual([
    [null, 'forged'],
    ['forged', 'changed'],
    ['changed', 'again'],
  ]);
  for (const entry of entries) {
    expect(entry).toMatchObject({
      actorId: null,
      actorLabel: null,
      reason: null,
      remoteAddr: '127.0.0.1',
      request: 'POST /orders',
    });
    expect([
      Math.abs(entry.timestamp.getTime() - Date.now()) < 60_000,
      entry.correlationId,
      entry.transactionId,
    ]).not.toContain('forged');
    expect(entry.timestamp.getFullYear()).toBeGreaterThan(1999);
  }
});

async function settingsLeft(): Promise<unknown[]> {
  const sql = `select current_setting('sequelize_auditlog.old', true) as "left", current_setting('application_name') as "name"`;
  const [rows] = await sequelize.query(sql);
  return (rows as { left: string | null }[]).map(({ left }) => left ?? '');
}

test('22 23 nothing of a context or of a row stays on a pooled connection', async () => {
  const one = database.createSequelize({ pool: { max: 1 } });
  const Paper = one.define(
    'Paper',
    { id: { type: DataTypes.INTEGER, primaryKey: true }, text: DataTypes.TEXT },
    { tableName: 'Papers' },
  );
  const log = createAuditLog(one);
  log.registerAudited(Paper);
  await Paper.sync();
  const settings = () =>
    one.query(
      `select name, setting from pg_settings where source = 'session' and name <> 'client_encoding' order by 1`,
    );
  const before = await settings();
  await withAuditContext({ actor: 7, reason: 'secret reason', remoteAddr: '10.0.0.1' }, async () => {
    for (const text of ['a', 'b', 'c']) await Paper.upsert({ id: 1, text });
    await Paper.upsert({ id: 1, text: 'no\0' }).catch(() => undefined);
  });
  expect(await settings()).toEqual(before);
  const [[left]] = (await one.query(
    `select coalesce(current_setting('sequelize_auditlog.old', true), '') as "old"`,
  )) as unknown as [[{ old: string }]];
  expect(left.old).toBe('');
  await Paper.upsert({ id: 1, text: 'd' });
  const [last] = await log.LogEntry.forModel(Paper);
  expect(last).toMatchObject({
    actorId: null,
    reason: null,
    remoteAddr: null,
    changes: { text: [expect.any(String), 'd'] },
  });
});

test('22 inside one transaction no setting outlives its statement', async () => {
  await sequelize.transaction(async () => undefined);
  const left = await sequelize.transaction(async (transaction) => {
    const number = 'n1';
    await Order.upsert({ number, status: 'a' }, { transaction, conflictFields: ['number'] });
    await Order.upsert({ number, status: 'b' }, { transaction, conflictFields: ['number'] });
    const [rows] = await sequelize.query(
      `select coalesce(current_setting('sequelize_auditlog.old', true), '') as "left"`,
      { transaction },
    );
    return rows;
  });
  expect(left).toEqual([{ left: '' }]);
  expect(await settingsLeft()).toEqual(['']);
});

test('27 a deleted, then reused user id leaves the old entries as they were', async () => {
  const eve = await User.create({ email: 'eve@example.com' });
  const id = eve.get('id') as number;
  const entry = await entryOf(auditLog, () => withAuditContext({ actor: id }, () => Order.create({})));
  await eve.destroy();
  await User.create({ id, email: 'mallory@example.com' });
  await entry.reload();
  expect([entry.actorId, entry.actorLabel]).toEqual([String(id), 'eve@example.com']);
  expect((await auditLog.LogEntry.byActor(id, { limit: 5 })).map(({ actorLabel }) => actorLabel)).toEqual([
    'eve@example.com',
  ]);
});

/** A user table whose key is of another type than its model says. */
async function actorTable(
  column: string,
  type: typeof DataTypes.STRING | typeof DataTypes.BIGINT,
  options: AuditLogOptions = {},
) {
  const other = database.createSequelize();
  const table = `users_${column}`;
  await database.rows(`create table "${table}" (id ${column} primary key, email text)`);
  const Member = other.define(
    'Member',
    { id: { type, primaryKey: true }, email: DataTypes.TEXT },
    { tableName: table, timestamps: false },
  );
  const log = createAuditLog(other, { ...options, actor: { model: Member } });
  const Job = other.define('Job', { name: DataTypes.TEXT }, { tableName: `jobs_${column}` });
  log.registerAudited(Job);
  await Job.sync();
  return { Member, Job, log };
}

test.each([
  ['uuid', DataTypes.STRING, '6f4f9a5a-6c22-4bd4-8f0a-2d1f2b1f0e11', 'system'],
  ['integer', DataTypes.BIGINT, '7', '9999999999'],
  ['smallint', DataTypes.STRING, '7', 'seven'],
  ['bigint', DataTypes.STRING, '7', '9'.repeat(19)],
  ['varchar', DataTypes.STRING, 'ann', 'nobody'],
  ['date', DataTypes.STRING, '2024-02-29', 'no date'],
] as const)(
  '24 an actor id that the users’ %s key cannot hold breaks no write',
  async (column, type, id, odd) => {
    const { Member, Job, log } = await actorTable(column, type);
    await Member.create({ id, email: 'ann@example.com' });
    const known = await entryOf(log, () => withAuditContext({ actor: id }, () => Job.create({ name: 'a' })));
    const unknown = await entryOf(log, () =>
      withAuditContext({ actor: odd }, () => Job.create({ name: 'b' })),
    );
    expect([known.actorLabel, unknown.actorId, unknown.actorLabel]).toEqual(['ann@example.com', odd, odd]);
  },
);

test('26 requireActor refuses every kind of write without an actor, naming model and action, and writes nothing', async () => {
  const other = database.createSequelize();
  const Deed = other.define('Deed', { n: DataTypes.INTEGER });
  const log = createAuditLog(other, { requireActor: true });
  log.registerAudited(Deed);
  await Deed.sync();
  const deed = await withAuditContext({ actor: 1 }, () => Deed.create({ n: 1 }));
  const writes: [string, () => Promise<unknown>][] = [
    ['create', () => Deed.bulkCreate([{}, {}])],
    ['update', () => deed.increment('n')],
    ['delete', () => Deed.truncate()],
    ['delete', () => Deed.destroy({ where: {} })],
    ['update', () => other.query('update "Deeds" set n = 5')],
    ['create', () => withAuditContext({ actor: { id: '' } }, () => Deed.findOrCreate({ where: { n: 9 } }))],
  ];
  for (const [action, write] of writes) {
    const error = await refusalOf(write);
    expect([error.code, error.message]).toEqual([
      'ERR_AUDIT_ACTOR_REQUIRED',
      expect.stringContaining(`A ${action} of Deed`),
    ]);
  }
  expect(await database.rows('select n from "Deeds"')).toEqual([{ n: 1 }]);
});
