import type { Request } from 'express';
import type { WhereOptions } from 'sequelize';
import { withAuditContext, type LogEntryAttributes } from 'sequelize-auditlog';
import type { AuditRouterOptions, WebSubject } from 'sequelize-auditlog/web';
import request, { type Test } from 'supertest';
import { Access } from '../../lib/web/access';
import { resolveWebOptions } from '../../lib/web/options';
import { crawl } from '../support/crawl';
import { testDatabase } from '../support/database';
import { webWorld } from '../support/web';
import { seedLives } from '../support/web-seed';

const database = testDatabase();
const world = webWorld(database);
let orderId = 0;
let goneId = 0;

beforeAll(async () => {
  await world.open();
  const { alive, gone } = await seedLives(world);
  [orderId, goneId] = [alive.get('id') as number, gone.get('id') as number];
});
afterAll(() => database.close());

type Authorize = NonNullable<AuditRouterOptions<Request>['authorize']>;

/** Downloads too are read as text. */
const read = (test: Test): Test =>
  test.buffer(true).parse((res, done) => {
    const parts: Buffer[] = [];
    res.on('data', (part: Buffer) => parts.push(Buffer.from(part)));
    res.on('end', () => done(null, Buffer.concat(parts).toString()));
  });
const get = async (options: AuditRouterOptions<Request>, path: string) => {
  const { status, body } = await read(request(world.app(options)).get(`/audit/${path}`));
  return { status, text: body as string };
};
const statusesOf = async (options: AuditRouterOptions<Request>, paths: readonly string[]) => {
  const app = world.app(options);
  const answers: Record<string, number> = {};
  for (const path of paths) answers[path] = (await request(app).get(`/audit/${path}`)).status;
  return answers;
};
const all = (paths: readonly string[], status: number) =>
  Object.fromEntries(paths.map((path) => [path, status]));

const LISTS = [
  '',
  '?q=status',
  'e/1',
  'E/1/',
  'r/req-1',
  't/1',
  'a/ada',
  'deleted',
  'DELETED/?x=1',
  'models',
  'export.csv',
  'export.ndjson',
  'api/v1/entries',
  'API/V1/entries',
  'api/v1/entries/1',
  'api/v1/models',
  'api/v1/stats/activity',
  'api/v1/requests/req-1/entries',
  'api/v1/actors/ada/entries',
  'nothing/here',
];
const OBJECT = ['', '/at', '/diff', '/revert', '/?x=1', '/AT'].map((page) => `o/Order/1${page}`);
const API_OBJECT = ['', '/entries', '/diff'].map((page) => `api/v1/objects/Order/1${page}`);
const EVERYTHING = [...LISTS, ...OBJECT, ...API_OBJECT];

describe('authorize', () => {
  const denials: Record<string, Authorize> = {
    false: () => false,
    'a truthy value': (() => 1) as never,
    'a promise of a truthy value': (async () => 'yes') as never,
    'an error': () => {
      throw new Error('select secret from sessions');
    },
    'a rejection': () => Promise.reject(new Error('select secret from sessions')),
  };

  test.each(Object.entries(denials))(
    'that gives %s denies everything, whatever the address looks like',
    async (_, authorize) => {
      expect(await statusesOf({ authorize }, EVERYTHING)).toEqual(all(EVERYTHING, 403));
      expect((await get({ authorize }, '')).text).not.toMatch(/secret|Error:|\.ts/);
    },
  );

  test('that never answers denies after a while', async () => {
    const options = resolveWebOptions({ authorize: () => new Promise<never>(() => undefined) });
    const access = new Access({} as never, options, {} as never, 5);
    expect(await access.may({ action: 'view', model: 'Order' })).toBe(false);
  });

  test('is asked before what stands in the address is looked at', async () => {
    const wrong = [
      '?q=at%3Anonsense',
      '?tz=Nowhere',
      '?cursor=x',
      'e/none',
      't/none',
      'o/Order/1/at?t=x',
      'o/Order/1/diff?from=x',
      'api/v1/entries?limit=-1',
      'export.csv?q=at%3Ax',
    ];
    expect(await statusesOf({ authorize: () => false }, wrong)).toEqual(all(wrong, 403));
  });

  test('gets the host’s request, the action, the model, and the key of an object', async () => {
    const asked: (WebSubject & { path: string })[] = [];
    const authorize: Authorize = (req, subject) => {
      asked.push({ path: req.originalUrl, ...subject });
      return true;
    };
    await get({ authorize }, `o/Order/${orderId}`);
    expect(asked).toContainEqual({
      path: `/audit/o/Order/${orderId}`,
      action: 'view',
      model: 'Order',
      pk: String(orderId),
    });
    asked.length = 0;
    await get({ authorize }, 'export.csv');
    const exports = asked.filter(({ action }) => action === 'export');
    expect(exports.map(({ model, pk }) => [model, pk])).toEqual(
      ['Customer', 'Item', 'Order', 'Tag'].map((model) => [model, undefined]),
    );
  });

  test('an object of a model that may be seen in part answers as one that does not exist', async () => {
    const authorize: Authorize = (_, { pk }) => pk !== String(goneId);
    const paths = ['', '/at', '/diff', '/entries'];
    const pages = paths.slice(0, 3).map((page) => `o/Order/${goneId}${page}`);
    const api = paths.filter((page) => page !== '/at').map((page) => `api/v1/objects/Order/${goneId}${page}`);
    expect(await statusesOf({ authorize }, [...pages, ...api])).toEqual(all([...pages, ...api], 404));
    const [denied, missing] = [
      await get({ authorize }, `o/Order/${goneId}`),
      await get({ authorize }, 'o/Order/999999'),
    ];
    expect(denied.text).toBe(missing.text);
    expect(missing.status).toBe(404);
  });

  test('lists narrow to the models that are allowed, and say nothing of others', async () => {
    const authorize: Authorize = (_, { model }) => model === 'Customer';
    for (const path of LISTS.filter((one) => !/nothing|^e\/|^E\/|entries\/1|^t\//.test(one))) {
      const { status, text } = await get({ authorize }, path);
      expect([path, [200, 404].includes(status) || status]).toEqual([path, true]);
      expect([
        path,
        /Order|shipped|mistake|urgent/.exec(
          text.replace(/placeholder="[^"]*"|<p[^>]*class="hint".*?<\/p>/g, ''),
        ),
      ]).toEqual([path, null]);
    }
    expect(await statusesOf({ authorize }, ['o/Order/1', 'api/v1/objects/Order/1'])).toEqual({
      'o/Order/1': 404,
      'api/v1/objects/Order/1': 404,
    });
  });

  test('Q1, H346, H347, H369: without the right to view neither lists nor objects are shown', async () => {
    const authorize: Authorize = (_, { action }) => action !== 'view';
    expect(await statusesOf({ authorize }, EVERYTHING)).toEqual(all(EVERYTHING, 403));
  });

  test('exporting is asked for on its own', async () => {
    const authorize: Authorize = (_, { action }) => action === 'view';
    expect(await statusesOf({ authorize }, ['', 'export.csv', 'export.ndjson'])).toEqual({
      '': 200,
      'export.csv': 403,
      'export.ndjson': 403,
    });
    expect((await get({ authorize }, '')).text).not.toMatch(/export\.(csv|ndjson)/);
  });
});

describe('E45, fault 77, H365, H367, H370: who may not revert', () => {
  const none: [string, AuditRouterOptions<Request>][] = [
    ['because authorize says no', { authorize: (_, { action }) => action !== 'revert' }],
    ['because the router has no reverts', { revert: false }],
  ];

  test.each(none)('is refused by the server, and nothing is done (%s)', async (_, options) => {
    const app = world.app(options);
    const before = await database.rows('select * from "Orders" order by id');
    const entries = await world.auditLog.LogEntry.count();
    const [first] = await world.auditLog.LogEntry.findAll({
      where: { model: 'Order', objectPk: String(orderId) },
      order: ['id'],
    });
    for (const path of [
      `o/Order/${orderId}/revert`,
      `o/Order/${goneId}/revert`,
      'r/req-2',
      `t/${first!.transactionId}`,
      `api/v1/objects/Order/${orderId}/reverts`,
    ]) {
      const post = request(app)
        .post(`/audit/${path}`)
        .set({ 'Sec-Fetch-Site': 'same-origin', 'If-Match': '*' });
      const { status } = await post.send({ to: first!.id, reason: 'x', only: 'status', expected: '1' });
      expect([path, status]).toEqual([path, 403]);
    }
    expect(await database.rows('select * from "Orders" order by id')).toEqual(before);
    expect(await world.auditLog.LogEntry.count()).toBe(entries);
  });

  test.each(none)('sees no control that reverts (%s)', async (_, options) => {
    const app = world.app(options);
    for (const path of [
      '',
      `o/Order/${orderId}`,
      `o/Order/${orderId}/at?t=2100-01-01`,
      'e/1',
      'r/req-2',
      'deleted',
      'a/ada',
    ]) {
      const { status, text } = await request(app).get(`/audit/${path}`);
      expect([path, status]).toEqual([path, 200]);
      expect([
        path,
        /\/revert|method="post"|\b(revert|restore|undo)\b/i.exec(text.replace(/data-texts="[^"]*"/, '')),
      ]).toEqual([path, null]);
    }
    expect((await request(app).get(`/audit/o/Order/${orderId}/revert?to=1`)).status).toBe(403);
  });
});

describe('scope', () => {
  const TENANTS = ['alpha', 'beta'] as const;
  type Tenant = (typeof TENANTS)[number];
  const foreign: { paths: string[] } = { paths: [] };

  /** Every id, label and value of a tenant holds its name. */
  async function seedTenant(tenant: Tenant): Promise<void> {
    const context = {
      actor: { id: `${tenant}-actor`, label: `${tenant} person` },
      additionalData: { tenant },
      correlationId: `${tenant}-request`,
      request: `POST /${tenant}`,
      reason: `${tenant} reason`,
    };
    await withAuditContext(context, async () => {
      const customer = await world.Customer.create({ name: `${tenant} customer`, about: `${tenant} about` });
      await customer.update({ about: `${tenant} changed` });
      const item = await world.Item.create({ orderId: `${tenant}-order`, sku: `${tenant}-sku`, quantity: 1 });
      await item.update({ quantity: 2 });
      const gone = await world.Item.create({ orderId: `${tenant}-gone`, sku: `${tenant}-sku`, quantity: 9 });
      await gone.destroy();
      const dead = await world.Customer.create({ name: `${tenant} gone` });
      await dead.destroy();
    });
  }

  const scopeOf = (tenant: Tenant) => (): WhereOptions<LogEntryAttributes> => ({
    additionalData: { tenant },
  });

  beforeAll(async () => {
    for (const tenant of TENANTS) await seedTenant(tenant);
    const entries = await world.auditLog.LogEntry.findAll({ where: scopeOf('beta')() });
    foreign.paths = entries.flatMap(({ id, model, objectPk, transactionId }) => {
      const object = `${model}/${encodeURIComponent(objectPk ?? '')}`;
      return [
        `e/${id}`,
        `t/${transactionId}`,
        `o/${object}`,
        `o/${object}/at?t=2100-01-01`,
        `o/${object}/diff?from=2020-01-01&to=current`,
        `o/${object}/revert?to=${id}`,
        `api/v1/entries/${id}`,
        `api/v1/objects/${object}`,
        `api/v1/objects/${object}/entries`,
        `api/v1/objects/${object}/diff?from=${id}&to=current`,
        `api/v1/transactions/${transactionId}/entries`,
      ];
    });
    foreign.paths.push(
      'r/beta-request',
      'a/beta-actor',
      'api/v1/requests/beta-request/entries',
      'api/v1/actors/beta-actor/entries',
    );
  });

  test('two tenants: no page that can be reached shows anything of the other', async () => {
    const app = world.app({ scope: scopeOf('alpha'), pageSize: 3 });
    const seen = await crawl(
      async (method, path) => {
        const { status, body, headers } = await read(request(app)[method === 'GET' ? 'get' : 'post'](path));
        const location = headers['location'];
        return { status, text: body as string, ...(location === undefined ? {} : { location }) };
      },
      '/audit/',
      { perShape: 2 },
    );
    expect(seen.length).toBeGreaterThan(20);
    expect(seen.filter(({ text }) => text.includes('alpha')).length).toBeGreaterThan(10);
    expect(seen.filter(({ text }) => /beta|Bea Example|mistake/.test(text)).map(({ url }) => url)).toEqual(
      [],
    );
  });

  test('two tenants: what belongs to the other is not found, by whatever address', async () => {
    const app = world.app({ scope: scopeOf('alpha') });
    for (const path of new Set(foreign.paths)) {
      const { status, text } = await request(app).get(`/audit/${path}`);
      expect([path, /beta (person|customer|about|changed|reason|gone)|POST \/beta/.exec(text)]).toEqual([
        path,
        null,
      ]);
      const isList = /^(r|a|t)\/|(requests|actors|transactions)\//.test(path);
      expect([path, (isList && status === 200) || status]).toEqual([
        path,
        isList && status === 200 ? true : 404,
      ]);
    }
  });

  test('two tenants: neither search, lists, statistics nor exports cross', async () => {
    const app = world.app({ scope: scopeOf('alpha') });
    const queries = [
      '',
      '?q=beta',
      '?q=actor:beta-actor',
      '?q=req:beta-request',
      '?q=-actor:alpha-actor',
      '?q=model:Item',
      '?q=-model:Tag',
    ];
    const lists = [
      '',
      'deleted',
      'deleted?model=Item',
      'deleted?model=Customer',
      'models',
      'api/v1/entries?limit=200',
      'api/v1/models',
      'api/v1/stats/activity',
      'export.csv',
      'export.ndjson',
      'export.csv?q=beta',
    ];
    for (const path of [...queries, ...lists]) {
      const { body, status } = await read(request(app).get(`/audit/${path}`));
      expect([path, status]).toEqual([path, 200]);
      const found = (body as string)
        // The search itself is shown again.
        .match(/beta (person|customer|about|changed|reason|gone)|beta-(order|gone|sku)|Bea Example|mistake/);
      expect([path, found]).toEqual([path, null]);
    }
  });

  test('two tenants: nobody changes what is the other’s', async () => {
    const app = world.app({ scope: scopeOf('alpha') });
    const before = await database.rows('select * from "Customers" order by id');
    const entries = await world.auditLog.LogEntry.findAll({
      where: { model: 'Customer', ...(scopeOf('beta')() as object) },
    });
    for (const { id, objectPk, transactionId } of entries)
      for (const path of [
        `o/Customer/${objectPk}/revert`,
        `t/${transactionId}`,
        'r/beta-request',
        `api/v1/objects/Customer/${objectPk}/reverts`,
      ]) {
        const post = request(app)
          .post(`/audit/${path}`)
          .set({ 'Sec-Fetch-Site': 'same-origin', 'If-Match': '*' });
        const seen = path.startsWith('api/') ? {} : { expected: id };
        const { status } = await post.send({ to: id, reason: 'mine now', only: ['name'], ...seen });
        expect([path, [403, 404].includes(status) || status]).toEqual([path, true]);
      }
    expect(await database.rows('select * from "Customers" order by id')).toEqual(before);
  });

  test('a scope that gives no condition, or one later, is a fault and shows nothing', async () => {
    for (const scope of [() => undefined, async () => ({}), () => 'tenant = 1'] as never[]) {
      const { status, text } = await get({ scope }, '');
      expect(status).toBe(500);
      expect(text).not.toContain('class="entries"');
    }
  });
});
