import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { DataTypes, type Model } from 'sequelize';
import {
  createAuditLog,
  logAccessMiddleware,
  withAuditContext,
  withoutAudit,
  type AccessSubject,
} from 'sequelize-auditlog';
import request from 'supertest';
import { entriesOf, entryOf, openAudited, refusalOf } from '../support/audited';
import { testDatabase } from '../support/database';

const database = testDatabase();
const { sequelize } = database;
const User = sequelize.define('User', { email: DataTypes.TEXT });
const Order = sequelize.define('Order', { status: DataTypes.TEXT });
const Page = sequelize.define('Page', { path: { type: DataTypes.TEXT, primaryKey: true } });
const Seat = sequelize.define('Seat', {
  row: { type: DataTypes.UUID, primaryKey: true },
  number: { type: DataTypes.SMALLINT, primaryKey: true },
});
const auditLog = createAuditLog(sequelize, { actor: { model: User } });
auditLog.registerAudited(Page);
auditLog.registerAudited(Seat);
const orders = auditLog.registerAudited(Order, { snapshots: true });

let order: Model;
let ann: Model;
beforeAll(async () => {
  await openAudited(database, auditLog);
  [order, ann] = [await Order.create({ status: 'new' }), await User.create({ email: 'ann@example.com' })];
});
afterAll(() => database.close());

test.each([
  ['an instance', () => order],
  ['model and key', () => [Order, order.get('id')] as [typeof Order, number]],
])(
  'V1 V2 V5 V6 a view of %s leaves one entry: access, of the model, without changes',
  async (_title, subject) => {
    const entry = await entryOf(auditLog, () => auditLog.logAccess(subject()));
    const pk = String(order.get('id'));
    expect(entry).toMatchObject({
      action: 'access',
      model: 'Order',
      objectPk: pk,
      objectRepr: `Order ${pk}`,
      changes: null,
    });
  },
);

test('V1 the call answers with the entry, and writes no version', async () => {
  const versions = (await orders.versions(order)).length;
  let answer: Model | null;
  const entry = await entryOf(auditLog, async () => (answer = await auditLog.logAccess(order)));
  expect(answer!.toJSON()).toEqual(entry.toJSON());
  expect(await orders.versions(order)).toHaveLength(versions);
});

test('V4 its actor is the logged-in user', async () => {
  const view = () => withAuditContext({ actor: ann.get('id') as number }, () => auditLog.logAccess(order));
  expect(await entryOf(auditLog, view)).toMatchObject({ actorLabel: 'ann@example.com', actorType: 'User' });
});

test('V8 it has no changes to show', async () => {
  const entry = await entryOf(auditLog, () => auditLog.logAccess(order));
  expect([entry.changedAttributes, entry.displayChanges()]).toEqual([[], []]);
  expect(entry.describe()).toBe(`system viewed Order ${String(order.get('id'))}`);
});

test('V1 a view in a transaction that rolls back leaves none', async () => {
  const id = await auditLog.LogEntry.count();
  const transaction = await sequelize.transaction();
  await auditLog.logAccess(order, { transaction });
  await transaction.rollback();
  expect(await auditLog.LogEntry.count()).toBe(id);
});

test('a view of an unregistered model is refused', async () => {
  expect((await refusalOf(() => auditLog.logAccess(ann))).code).toBe('ERR_AUDIT_NOT_REGISTERED');
});

describe('logAccessMiddleware', () => {
  let shown: string[] = [];
  beforeEach(() => (shown = []));

  /** A page of the application behind the middleware, and an error handler that says what it was given. */
  function appWith(subjectOf: AccessSubject, path = '/orders/:id'): Express {
    const app = express();
    app.use(auditLog.auditMiddleware);
    app.get(path, logAccessMiddleware(auditLog, subjectOf), (req: Request, res: Response) => {
      shown.push(req.originalUrl);
      res.json('shown');
    });
    app.use(
      (error: { code?: string; message: string }, _req: Request, res: Response, _next: NextFunction) => {
        res.status(500).json(error.code ?? error.message);
      },
    );
    return app;
  }

  const get = async (app: Express, path: string): Promise<unknown> => (await request(app).get(path)).body;
  const byKey: AccessSubject = (req) => [Order, req.params.id];

  test.each<[string, AccessSubject]>([
    ['a model and a key of the path', byKey],
    ['an instance that is loaded first', async (req) => Order.findByPk(req.params.id)],
  ])('V1 V2 a request for %s leaves one entry, in the context of the request', async (_title, subjectOf) => {
    const app = appWith(async (req) => withAuditContext({ actor: 'inside' }, () => subjectOf(req)));
    const path = `/orders/${String(order.get('id'))}`;
    const entry = await entryOf(auditLog, async () => {
      await request(app).get(`${path}?card=4111`).set('x-request-id', 'visit-1').expect(200);
    });
    expect(entry).toMatchObject({
      action: 'access',
      model: 'Order',
      objectPk: String(order.get('id')),
      changes: null,
    });
    expect(entry).toMatchObject({ request: `GET ${path}`, correlationId: 'visit-1', actorId: null });
    expect(entry.remoteAddr).not.toBeNull();
  });

  test('V4 its actor is who is logged in, also by a middleware behind that of the log', async () => {
    const app = express();
    app.use(auditLog.auditMiddleware);
    app.use((req, _res, next) => {
      Object.assign(req, { user: ann });
      next();
    });
    app.get('/orders/:id', logAccessMiddleware(auditLog, byKey), (_req, res) => void res.end());
    const entry = await entryOf(auditLog, async () => {
      await request(app)
        .get(`/orders/${String(order.get('id'))}`)
        .expect(200);
    });
    expect(entry.actorLabel).toBe('ann@example.com');
  });

  test('the entry is stored before the route is asked', async () => {
    const app = express();
    app.get('/orders/:id', logAccessMiddleware(auditLog, byKey), async (req, res) => {
      res.json((await auditLog.LogEntry.forObject(Order, req.params['id'] as string)).length);
    });
    const { id } = (await Order.create({ status: 'new' })).get() as { id: number };
    expect(await get(app, `/orders/${id}`)).toBe(2);
  });

  test.each([
    ['null', () => null],
    ['nothing', () => undefined],
    ['a promise of null', () => Promise.resolve(null)],
  ])('%s is no view, and the route answers', async (_title, subjectOf) => {
    expect(await entriesOf(auditLog, () => get(appWith(subjectOf), '/orders/1'))).toEqual([]);
    expect(shown).toHaveLength(1);
  });

  test('a view inside withoutAudit leaves no entry, and the route answers', async () => {
    const app = express();
    app.use((_req, _res, next) => withoutAudit(next));
    app.get('/orders/:id', logAccessMiddleware(auditLog, byKey), (_req, res) => void res.json('shown'));
    expect(await entriesOf(auditLog, () => get(app, '/orders/1'))).toEqual([]);
  });

  test.each([
    'abc',
    '1e3',
    '1.5',
    '99999999999999999999',
    "1' or '1'='1",
    '%00',
    '__proto__',
    '-',
    '%F0%9F%94%A5',
  ])('the key %s, which no row can have, is no error and leaves no entry', async (id) => {
    const work = async () => expect(await get(appWith(byKey), `/orders/${id}`)).toBe('shown');
    expect(await entriesOf(auditLog, work)).toEqual([]);
  });

  test('parts of a key are looked at one by one', async () => {
    const app = appWith((req) => [Seat, [req.params.row, req.params.number]], '/:row/:number');
    const row = '2f1c9f4e-6f0e-4f57-9a3a-0b7f3f6f6a11';
    const views = async () => {
      for (const path of [`/${row}/70000`, '/front/1', `/${row.toUpperCase()}/1`]) await get(app, path);
    };
    expect((await entriesOf(auditLog, views)).map(({ objectPk }) => objectPk)).toEqual([`["${row}","1"]`]);
  });

  test('what is asked for and is not there is logged too: whether it is there is the route’s business', async () => {
    const entry = await entryOf(auditLog, () => get(appWith(byKey), '/orders/2147483647'));
    expect(entry.objectPk).toBe('2147483647');
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('no');
      },
      'no',
    ],
    ['rejects', () => Promise.reject(new Error('no')), 'no'],
    [
      'throws nothing',
      () => {
        throw undefined;
      },
      'ERR_AUDIT_INVALID_ARGUMENT',
    ],
    ['rejects with a text', () => Promise.reject('route'), 'ERR_AUDIT_INVALID_ARGUMENT'],
    ['names a model that is not registered', () => ann, 'ERR_AUDIT_NOT_REGISTERED'],
    ['gives a key without its model', () => '7' as never, 'ERR_AUDIT_INVALID_ARGUMENT'],
    ['gives no key', (): never => [Order, undefined] as never, 'ERR_AUDIT_INVALID_ARGUMENT'],
    ['gives half a key', (): never => [Seat, 1] as never, 'ERR_AUDIT_INVALID_ARGUMENT'],
  ])(
    'where its function %s, the error goes to next and nothing is shown',
    async (_title, subjectOf, expected) => {
      const work = async () => expect(await get(appWith(subjectOf), '/orders/1')).toBe(expected);
      expect(await entriesOf(auditLog, work)).toEqual([]);
      expect(shown).toEqual([]);
    },
  );

  test('where the entry can not be stored, nothing is shown', async () => {
    await database.rows('alter table audit_log_entries rename to elsewhere');
    const answer = await get(appWith(byKey), '/orders/1');
    await database.rows('alter table elsewhere rename to audit_log_entries');
    expect([answer, shown]).toEqual(['ERR_AUDIT_MISSING_TABLE', []]);
  });

  test('a key too long for any index is an error of the database: nothing is shown', async () => {
    const long = Array.from({ length: 500 }, () => Math.random().toString(36).slice(2)).join('');
    const app = appWith((req) => [Page, req.params.id]);
    await request(app).get(`/orders/${long}`).expect(500);
    expect(shown).toEqual([]);
  });

  test('what is no audit log or no function is refused at once', async () => {
    expect((await refusalOf(() => logAccessMiddleware({} as never, byKey))).code).toBe(
      'ERR_AUDIT_INVALID_ARGUMENT',
    );
    expect((await refusalOf(() => logAccessMiddleware(auditLog, 'Order' as never))).code).toBe(
      'ERR_AUDIT_INVALID_ARGUMENT',
    );
  });
});
