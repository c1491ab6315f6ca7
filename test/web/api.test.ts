import type { Express, Request } from 'express';
import { type Model, Op } from 'sequelize';
import request, { type Response, type Test } from 'supertest';
import type { AuditRouterOptions } from 'sequelize-auditlog/web';
import { testDatabase } from '../support/database';
import { statementsOf } from '../support/statements';
import { webWorld } from '../support/web';
import { seedAwkward, seedLives } from '../support/web-seed';

const database = testDatabase();
const world = webWorld(database);
const { auditLog, Order, Item, Customer } = world;
const { LogEntry } = auditLog;
let app: Express;
let alive: string;
let gone: string;
let last: string;

beforeAll(async () => {
  await world.open();
  const lives = await seedLives(world);
  [alive, gone] = [String(lives.alive.get('id')), String(lives.gone.get('id'))];
  await seedAwkward(world);
  app = world.app();
  last = (await LogEntry.findOne({ order: [['id', 'DESC']] }))!.id;
});
afterAll(() => database.close());

const API = '/audit/api/v1';
const get = (path: string, from: Express = app): Test => request(from).get(`${API}/${path}`);
const withOptions = (options: AuditRouterOptions<Request>): Express => world.app(options);
type Json = Record<string, never>;
const ids = ({ body }: Response): string[] => (body as { data: { id: string }[] }).data.map(({ id }) => id);

describe('lists', () => {
  it('give entries as they are stored, newest first, by cursor in both directions', async () => {
    const all = await LogEntry.findAll({ order: [['id', 'DESC']] });
    const first = await get('entries?limit=7').expect(200);
    expect(first.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'private, no-cache',
    });
    expect((first.body as Json)['data']).toEqual(
      all.slice(0, 7).map((entry) => ({ ...JSON.parse(JSON.stringify(entry)), hiddenChanges: 0 })),
    );
    const { next, prev } = (first.body as { page: Record<string, string> })['page'];
    expect(prev).toBeNull();
    expect(next).toMatch(/^\?limit=7&cursor=[\w-]+$/);
    expect(first.headers['link']).toBe(`<${next}>; rel="next"`);
    const second = await get(`entries${next}`).expect(200);
    expect(ids(second)).toEqual(all.slice(7, 14).map(({ id }) => id));
    const back = (second.body as { page: Record<string, string> })['page']['prev'];
    expect(ids(await get(`entries${back}`))).toEqual(ids(first));
    expect(second.headers['link']).toContain('rel="prev"');
  });

  it.each([
    ['entries?model=Order&action=delete', { model: 'Order', action: 'delete' }],
    ['entries?model=Order,Tag&actor=SAM', { model: ['Order', 'Tag'], actorId: 'sam' }],
    ['entries?model=Order&model=Tag&field=name', { model: 'Tag' }],
    ['entries?q=-model%3AItem,Tag+reason%3Aticket', { model: ['Order', 'Customer'], reason: 'ticket 7' }],
    ['entries?ip=10.0.0.0/24', { remoteAddr: '10.0.0.7' }],
    ['requests/req-1/entries', { correlationId: 'req-1' }],
    ['requests/req-1/entries?model=Order', { correlationId: 'req-1', model: 'Order' }],
    ['requests/-/entries?correlationId=..', { correlationId: '..' }],
    ['requests/nobody/entries', { correlationId: 'nobody' }],
    ['transactions/999999999/entries', { transactionId: '999999999' }],
    ['actors/ada/entries', { actorId: 'ada' }],
    ['actors/-/entries?actorId=-', { actorId: '-' }],
    ['actors/a%2Fb/entries', { actorId: 'a/b' }],
    ['objects/Item/%5B%22a%2Fb%22%2C%22sku%20a%2Fb%22%5D/entries', { objectPk: '["a/b","sku a/b"]' }],
    ['objects/Item/-/entries?pk=%5B%22..%22%2C%22sku%20..%22%5D', { objectPk: '["..","sku .."]' }],
  ])('%s', async (path, where) => {
    const expected = await LogEntry.findAll({ where, order: [['id', 'DESC']] });
    expect(ids(await get(`${path}${path.includes('?') ? '&' : '?'}limit=200`).expect(200))).toEqual(
      expected.map(({ id }) => id),
    );
  });

  it('of one transaction or time', async () => {
    const [one] = await LogEntry.findAll({ where: { correlationId: 'req-2', action: 'create' } });
    const { timestamp, transactionId } = one!.toJSON();
    expect(ids(await get(`transactions/${transactionId}/entries`).expect(200))).toEqual([one!.id]);
    expect(ids(await get(`entries?since=${timestamp}&limit=200`))).toContain(one!.id);
    expect(ids(await get(`entries?until=${timestamp}&limit=200`))).not.toContain(one!.id);
  });

  it('oldest first, with an estimate of how many', async () => {
    await database.rows('analyze audit_log_entries');
    const answer = await get('entries?order=asc&limit=3&count=estimate').expect(200);
    const expected = await LogEntry.findAll({ order: ['id'], limit: 3 });
    expect(ids(answer)).toEqual(expected.map(({ id }) => id));
    const [{ count } = { count: 0 }] = await database.rows<{ count: number }>(
      'select count(*)::int as count from audit_log_entries',
    );
    expect((answer.body as Json)['estimate']).toBe(count);
    const sent = await statementsOf(database.sequelize, () => get('entries?count=estimate'));
    expect(sent.filter(({ text }) => /count\(|distinct|offset/i.test(text))).toEqual([]);
  });

  it('of an object of which nothing is recorded are not found', async () => {
    await get('objects/Order/987654/entries').expect(404);
    await get('objects/Nothing/1/entries').expect(404);
    expect(ids(await get(`objects/Order/${alive}/entries?action=prune`).expect(200))).toEqual([]);
  });
});

describe('parameters', () => {
  it.each([
    ['entries?modle=Order', 'modle', 'Did you mean "model"?'],
    ['entries?model[$or]=x', 'model[$or]', 'There is no parameter'],
    ['entries?__proto__=x', '__proto__', 'There is no parameter'],
    ['entries?constructor=x', 'constructor', 'There is no parameter'],
    ['entries?limit=0', 'limit', 'limit'],
    ['entries?limit=201', 'limit', 'limit'],
    ['entries?limit=ten', 'limit', 'limit'],
    ['entries?limit=1&limit=2', 'limit', 'limit'],
    ['entries?order=id', 'order', 'order'],
    ['entries?model=', 'model', 'model'],
    ['entries?cursor=zzz', 'cursor', 'cursor'],
    ['entries?since=tomorrow', 'since', 'day'],
    ['entries?ip=nowhere', 'ip', 'address'],
    ['entries?tz=Mars', 'tz', 'time zone'],
    ['entries?q=at:never', 'q', 'at must be'],
    ['entries?offset=5', 'offset', 'Known:'],
    ['entries/1?model=Order', 'model', 'Known: tz'],
    ['objects/Order/1/entries?model=Item', 'model', 'There is no parameter'],
    ['objects/Order/1/diff?from=1', 'to', 'to'],
    ['stats/activity?bucket=year', 'bucket', 'bucket'],
    ['stats/activity?since=1000-01-01', 'bucket', '1000'],
    ['stats/activity?limit=1', 'limit', 'There is no parameter'],
    ['models?x=1', 'x', 'There is no parameter'],
  ])('%s are refused', async (path, parameter, text) => {
    const { body, headers } = await get(path).expect(400);
    expect(headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(body).toMatchObject({
      status: 400,
      parameter,
      title: expect.any(String),
      type: expect.stringMatching(/^urn:/),
    });
    expect((body as Json)['detail']).toContain(text);
  });

  it('of a cursor go with it', async () => {
    const { next } = ((await get('entries?limit=2&model=Order')).body as { page: Record<string, string> })[
      'page'
    ];
    const cursor = new URLSearchParams(next).get('cursor');
    expect(ids(await get(`entries?limit=9&model=Order&cursor=${cursor}`).expect(200))).not.toEqual([]);
    for (const other of ['entries?', 'entries?model=Item&', 'actors/ada/entries?model=Order&'])
      await get(`${other}cursor=${cursor}`).expect(400);
  });

  it('are looked at when it is settled who asks', async () => {
    const nobody = withOptions({ authorize: () => false });
    for (const path of [
      'entries?x=1',
      'objects/Order/1?x=1',
      'objects/Order/1/diff',
      'stats/activity?bucket=x',
    ])
      await get(path, nobody).expect(403);
    const authorize = ({ model }: { model?: string }): boolean => model === 'Tag';
    const some = withOptions({ authorize: (_req, subject) => authorize(subject) });
    await get(`objects/Order/${alive}?x=1`, some).expect(404);
    await request(world.app({ authorize: undefined as never }))
      .get('/audit/openapi.json?x=1')
      .expect(403);
  });
});

describe('one entry', () => {
  it('is there under its id, once and for all', async () => {
    const { body, headers } = await get(`entries/${last}`).expect(200);
    expect(body).toMatchObject({ id: last, timestamp: expect.stringMatching(/\.\d{6}Z$/) });
    expect(headers['etag']).toMatch(/^W\/"[0-9a-f]{16}"$/);
    for (const known of [headers['etag']!, `"x", ${headers['etag']}`, '*', headers['etag']!.slice(2)]) {
      const same = await get(`entries/${last}`).set('If-None-Match', known).expect(304);
      expect([same.text, same.headers['etag']]).toEqual(['', headers['etag']]);
    }
    await get(`entries/${last}`).set('If-None-Match', 'W/"0000"').expect(200);
    for (const missing of ['0', '99999999999999999999', 'x', '1%20or%201=1', '-'])
      await get(`entries/${missing}`).expect(404);
  });

  it('shows masked values as masks', async () => {
    const [entry] = await LogEntry.findAll({
      where: { correlationId: 'req-2', model: 'Order' },
      order: ['id'],
    });
    const { body } = await get(`entries/${entry!.id}`);
    expect((body as { changes: unknown }).changes).toMatchObject({ cardNumber: [null, '********1234'] });
  });
});

describe('an object', () => {
  it('is told as it is now, and as it was', async () => {
    const [created, paid] = await LogEntry.findAll({
      where: { model: 'Order', objectPk: alive },
      order: ['id'],
    });
    const now = (await get(`objects/Order/${alive}`).expect(200)).body as Json;
    expect(now).toMatchObject({
      model: 'Order',
      objectPk: alive,
      at: null,
      values: { status: 'shipped', total: '10.00', shipping: null, deletedAt: null },
      unknown: { cardNumber: 'masked', internalNotes: 'excluded' },
    });
    const { timestamp } = paid!.toJSON();
    for (const at of [paid!.id, timestamp]) {
      const then = (await get(`objects/Order/${alive}?at=${at}`).expect(200)).body as Json;
      expect(then).toMatchObject({ at: timestamp, values: { status: 'paid', shipping: { city: 'Bern' } } });
    }
    const first = (await get(`objects/Order/${alive}?at=${created!.id}`)).body as Json;
    expect(first['values']).toMatchObject({ status: 'pending', createdAt: expect.stringMatching(/Z$/) });
  });

  it('that is not there is told apart', async () => {
    await get(`objects/Order/${gone}`).expect(410);
    await get(`objects/Order/${alive}?at=2001-01-01`).expect(404);
    await get('objects/Order/987654').expect(404);
    await get('objects/Order/x').expect(404);
    await get(`objects/Order/${alive}?at=${last}`).expect(404);
    await get(`objects/Order/${alive}?at=soon`).expect(400);
    const row = await database.rows<{ id: number }>(
      `insert into "Tags" (name, "createdAt", "updatedAt") values ('old', now(), now()) returning id`,
    );
    const tag = `objects/Tag/${row[0]!.id}`;
    await get(tag).expect(200);
    const { body } = await get(`${tag}?at=2001-01-01`).expect(422);
    expect(body).toMatchObject({ parameter: 'at' });
  });

  it('is compared between two times', async () => {
    const [created] = await LogEntry.findAll({ where: { model: 'Order', objectPk: alive }, order: ['id'] });
    const { body } = await get(`objects/Order/${alive}/diff?from=${created!.id}&to=current`).expect(200);
    expect(body).toEqual({
      model: 'Order',
      objectPk: alive,
      from: created!.toJSON().timestamp,
      to: null,
      changes: [
        { attribute: 'status', old: 'pending', new: 'shipped' },
        { attribute: 'description', old: null, new: 'Handle with care.' },
        { attribute: 'cardNumber', old: null, new: '********1234' },
        { attribute: 'tags', added: [{ pk: expect.any(String), repr: 'urgent' }], removed: [] },
      ],
    });
    await get(`objects/Order/${alive}/diff?from=2001-01-01&to=current`).expect(422);
    await get(`objects/Order/${gone}/diff?from=current&to=current`).expect(200);
  });
});

describe('reverts', () => {
  let order: Model;
  let path: string;
  const post = (body: object, headers: Record<string, string> = {}, to = path, from = app): Test =>
    request(from)
      .post(`${API}/${to}/reverts`)
      .set({ Host: 'shop.example', Origin: 'http://shop.example', ...headers })
      .send(body);
  const tagOf = async (place = path): Promise<string> => (await get(place)).headers['etag'] as string;
  const firstEntry = async (): Promise<string> => {
    const where = { model: 'Order', objectPk: String(order.get('id')) };
    return (await LogEntry.findOne({ where, order: ['id'] }))!.id;
  };

  beforeEach(async () => {
    order = await Order.create({ status: 'new', total: '5.00', description: 'plain' });
    await order.update({ status: 'sent', description: 'fancy' });
    path = `objects/Order/${order.get('id') as number}`;
  });

  it('are tried in a dry run', async () => {
    const to = await firstEntry();
    const { body } = await post({ to, dryRun: true }).expect(200);
    expect(body).toMatchObject({
      dryRun: true,
      changes: [
        { attribute: 'status', now: 'sent', after: 'new' },
        { attribute: 'description', now: 'fancy', after: 'plain' },
      ],
      skipped: expect.arrayContaining([{ attribute: 'cardNumber', why: 'masked' }]),
      obstacles: [],
      entry: null,
    });
    await order.reload();
    expect(order.get('status')).toBe('sent');
  });

  it('are done with the ETag of what was seen, and tell the entry', async () => {
    const headers = { 'If-Match': await tagOf(), 'X-Request-Id': 'revert-1' };
    const { body, headers: given } = await post(
      { to: await firstEntry(), only: ['status'], reason: 'oops' },
      headers,
    ).expect(201);
    const { entry } = body as { entry: { id: string } };
    expect(entry).toMatchObject({
      reason: 'oops',
      correlationId: 'revert-1',
      changes: { status: ['sent', 'new'] },
    });
    const location = new URL(given['location']!, `http://x${API}/${path}/reverts`);
    expect(location.pathname).toBe(`${API}/entries/${entry.id}`);
    await order.reload();
    expect([order.get('status'), order.get('description')]).toEqual(['new', 'fancy']);
  });

  it('take the ETag of the entries, of the state in the past, and of a comparison', async () => {
    const to = await firstEntry();
    for (const place of ['/entries', '/entries?limit=1', `?at=${to}`, `/diff?from=${to}&to=current`]) {
      const tag = await tagOf(path + place);
      await post({ to, dryRun: true }, { 'If-Match': tag }).expect(200);
    }
    await post({ to, reason: 'any' }, { 'If-Match': '*' }).expect(201);
    const again = await post({ to, reason: 'again' }, { 'If-Match': await tagOf() }).expect(200);
    expect(again.body).toMatchObject({ changes: [], entry: null });
  });

  it('without an ETag are refused, and with an old one', async () => {
    const to = await firstEntry();
    await post({ to, reason: 'x' }).expect(428);
    const tag = await tagOf();
    await order.update({ status: 'other' });
    for (const old of [tag, '"1"', 'W/"x"', '', await tagOf(`objects/Order/${alive}`)])
      await post({ to, reason: 'x' }, { 'If-Match': old }).expect(412);
    await post({ to, dryRun: true }, { 'If-Match': tag }).expect(412);
    await order.reload();
    expect(order.get('status')).toBe('other');
  });

  it('of two who saw the same, one is done', async () => {
    const [to, tag] = [await firstEntry(), await tagOf()];
    const both = await Promise.all([1, 2].map(() => post({ to, reason: 'x' }, { 'If-Match': tag })));
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 412]);
  });

  it('of a model without versions are guarded as well', async () => {
    const item = await Item.create({ orderId: 'a, b', sku: 'x/y', quantity: 1 });
    const tag = async (): Promise<string> => tagOf(items);
    const items = `objects/Item/${encodeURIComponent('["a, b","x/y"]')}`;
    const [created] = await LogEntry.forObject(item);
    await item.update({ quantity: 2 });
    const old = await tag();
    await item.update({ quantity: 3 });
    const body = { to: created!.id, reason: 'fewer' };
    await post(body, { 'If-Match': old }, items).expect(412);
    await post(body, { 'If-Match': await tag() }, items).expect(201);
    await item.reload();
    expect(item.get('quantity')).toBe(1);
  });

  it.each<[string, object, number, string | null]>([
    ['no past', { reason: 'x' }, 400, 'to'],
    ['no reason', { to: '1' }, 400, 'reason'],
    ['an empty reason', { to: '1', reason: ' ' }, 400, 'reason'],
    ['an unknown member', { to: '1', reason: 'x', force: true }, 400, 'force'],
    ['the present', { to: 'current', reason: 'x' }, 400, 'to'],
    ['a member of another type', { to: '1', reason: 'x', only: 'status' }, 400, 'only'],
    ['an unknown attribute', { to: 'FIRST', dryRun: true, only: ['nope'] }, 400, 'only'],
    ['a masked attribute', { to: 'FIRST', dryRun: true, only: ['cardNumber'] }, 422, null],
    ["another object's entry", { to: 'LAST', dryRun: true }, 404, null],
    ['a time before', { to: '2001-01-01', dryRun: true }, 422, null],
    ['no time', { to: 'then', dryRun: true }, 400, 'to'],
  ])('of %s are refused', async (_, given, status, parameter) => {
    const places: Record<string, string> = { FIRST: await firstEntry(), LAST: last };
    const { to } = given as { to?: string };
    const body = { ...given, ...(to !== undefined && { to: places[to] ?? to }) };
    const answer = await post(body, { 'If-Match': '*' }).expect(status);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect((answer.body as { parameter?: string }).parameter ?? null).toBe(parameter);
  });

  it('that the database refuses leave all as it was', async () => {
    const customer = await Customer.create({ name: 'Gone' });
    await order.update({ customerId: customer.get('id') as number });
    const [newest] = await LogEntry.forObject(order);
    await order.update({ customerId: null, status: 'kept' });
    await customer.destroy();
    const answer = await post({ to: newest!.id, reason: 'x' }, { 'If-Match': await tagOf() }).expect(409);
    expect((answer.body as Json)['detail']).toContain('nothing was changed');
    await order.reload();
    expect(order.get('status')).toBe('kept');
  });

  it('are for those who may', async () => {
    const to = await firstEntry();
    const authorize = (_req: Request, { action }: { action: string }): boolean => action !== 'revert';
    for (const denied of [withOptions({ authorize }), withOptions({ revert: false })]) {
      const answer = await post({ to, dryRun: true, nonsense: 1 }, {}, path, denied);
      expect(answer.status).toBe(403);
    }
    await post({ to, dryRun: true }, { Origin: 'http://evil.example' }).expect(403);
    await request(app)
      .post(`${API}/${path}/reverts`)
      .set({ Host: 'shop.example', Origin: 'http://shop.example', 'If-Match': '*' })
      .type('form')
      .send({ to, reason: 'x' })
      .expect(415);
  });

  it('leave alone, and untold, what the visitor does not see', async () => {
    const to = await firstEntry();
    const half = withOptions({ canSee: (_req, _model, attribute) => attribute !== 'description' });
    const dry = await post({ to, dryRun: true }, {}, path, half).expect(200);
    expect(JSON.stringify(dry.body)).not.toMatch(/description|fancy/);
    await post({ to, dryRun: true, only: ['description'] }, {}, path, half).expect(400);
    await post({ to, reason: 'x' }, { 'If-Match': '*' }, path, half).expect(201);
    await order.reload();
    expect([order.get('status'), order.get('description')]).toEqual(['new', 'fancy']);
  });
});

describe('what a visitor may not see', () => {
  it('stands in no answer: models, tenants, attributes', async () => {
    const scoped = withOptions({
      scope: () => ({ actorId: { [Op.ne]: 'ada' } }),
      authorize: (_req, { model }) => model !== 'Tag',
      canSee: (_req, _model, attribute) => attribute !== 'status',
    });
    const adas = await LogEntry.findAll({ where: { [Op.or]: [{ actorId: 'ada' }, { model: 'Tag' }] } });
    const hidden = new Set(adas.map(({ id }) => id));
    for (const path of [
      'entries?limit=200',
      'entries?field=status&limit=200',
      'entries?q=shipped&limit=200',
      `objects/Order/${alive}/entries`,
      'requests/req-1/entries',
      'requests/req-2/entries',
      'actors/ada/entries',
      `entries?actor=ada`,
    ]) {
      const answer = await get(path, scoped).expect(200);
      expect(ids(answer).filter((id) => hidden.has(id))).toEqual([]);
      expect(answer.text).not.toMatch(/"status":|shipped|paid|pending/);
    }
    expect(ids(await get('entries?field=status', scoped))).toEqual([]);
    for (const id of hidden) await get(`entries/${id}`, scoped).expect(404);
    await get('objects/Tag/1', scoped).expect(404);
    // Ada was the last to change it.
    await get(`objects/Order/${alive}`, scoped).expect(404);
    const counted = await get('stats/activity', scoped).expect(200);
    const total = (counted.body as { data: { count: number }[] }).data.reduce(
      (sum, { count }) => sum + count,
      0,
    );
    const visible = ids(await get('entries?limit=200', scoped));
    expect(total).toBe(visible.length);
    const models = (await get('models', scoped)).body as { data: { model: string; tracked: string[] }[] };
    expect(models.data.map(({ model }) => model)).toEqual(['Customer', 'Item', 'Order']);
    expect(JSON.stringify(models)).not.toContain('status');
  });

  it('is recorded when somebody looks, where the host wants that', async () => {
    const watching = withOptions({ recordViews: true });
    const looks = (): Promise<number> => LogEntry.count({ where: { action: 'access' } });
    for (const [path, count] of [
      [`objects/Order/${alive}`, 1],
      [`objects/Order/${alive}/entries`, 1],
      [`entries/${last}`, 1],
      ['entries', 0],
      ['objects/Order/987654', 0],
    ] as const) {
      const before = await looks();
      await get(path, watching);
      expect([path, (await looks()) - before]).toEqual([path, count]);
    }
  });
});

describe('overviews', () => {
  it('count by day, in a zone', async () => {
    const { body } = await get('stats/activity?tz=Asia/Tokyo&model=Order').expect(200);
    const { data } = body as { data: { start: string; end: string; count: number }[] };
    expect(data).toHaveLength(30);
    expect(data.every(({ start }) => start.endsWith('T15:00:00.000000Z'))).toBe(true);
    const [{ count } = { count: 0 }] = await database.rows<{ count: number }>(
      `select count(*)::int as count from audit_log_entries where model = 'Order'`,
    );
    expect(data.reduce((sum, each) => sum + each.count, 0)).toBe(count);
  });

  it('tell what is registered', async () => {
    const { body } = await get('models').expect(200);
    const order = (body as { data: Json[] }).data.find((each) => each['model'] === ('Order' as never));
    expect(order).toMatchObject({
      primaryKey: ['id'],
      masked: ['cardNumber'],
      associations: ['tags'],
      labels: { customerId: 'customer' },
      snapshots: true,
      canRevert: true,
    });
    expect(order!['tracked']).not.toContain('internalNotes');
  });

  it('know no other addresses', async () => {
    for (const path of ['', 'entrie', 'objects/Order', 'stats']) {
      const { status, headers } = await get(path);
      expect([path, status, headers['content-type']]).toEqual([
        path,
        404,
        'application/problem+json; charset=utf-8',
      ]);
    }
  });
});
