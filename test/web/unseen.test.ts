import type { Request } from 'express';
import { DataTypes, type Model } from 'sequelize';
import request, { type Response } from 'supertest';
import { withAuditContext } from 'sequelize-auditlog';
import type { AuditRouterOptions } from 'sequelize-auditlog/web';
import { testDatabase } from '../support/database';
import { pageOf, type Page } from '../support/page-text';
import { statementsOf } from '../support/statements';
import { webWorld } from '../support/web';

const database = testDatabase();
const world = webWorld(database);
const { Order, Customer, Tag, auditLog } = world;
const Person = database.sequelize.define('Person', {
  name: { type: DataTypes.TEXT, validate: { notIn: [['former name']] } },
  badge: { type: DataTypes.TEXT, unique: true },
  grade: DataTypes.INTEGER,
});
auditLog.registerAudited(Person, { snapshots: true });

type Options = AuditRouterOptions<Request>;

const get = async (path: string, options: Options = {}): Promise<Page> =>
  pageOf(await request(world.app(options)).get(`/audit/${path}`));

function post(path: string, body: object, options: Options = {}, type = 'form'): Promise<Response> {
  const sent = request(world.app(options))
    .post(`/audit/${path}`)
    .type(type)
    .set('sec-fetch-site', 'same-origin');
  return Promise.resolve(sent.send(body));
}

const pathOf = (object: Model): string =>
  `o/${(object.constructor as typeof Model).name}/${String(object.get('id'))}`;
const entriesOf = async (object: Model) => (await auditLog.LogEntry.forObject(object)).toReversed();
const firstOf = async (object: Model): Promise<string> => (await entriesOf(object))[0]!.id;

const hiding =
  (...names: readonly string[]): NonNullable<Options['canSee']> =>
  (_req, _model, attribute) =>
    !names.includes(attribute);

beforeAll(() => world.open());
afterAll(() => database.close());

describe('fault 76: what stands in the way of a revert', () => {
  /** A person whose badge another one has taken since, and whose first grade fits its column no more. */
  async function blocked(): Promise<{ path: string; first: string }> {
    const person = await Person.create({ name: 'Bea', badge: 'badge-7', grade: 1 });
    await person.update({ badge: `badge-${String(person.get('id'))}x` });
    await Person.create({ name: 'Cleo', badge: 'badge-7', grade: 1 });
    return { path: pathOf(person), first: await firstOf(person) };
  }

  afterEach(() => Person.destroy({ where: {} }));

  test('is said in words for people, with the field by its label', async () => {
    const { path, first } = await blocked();
    const { text } = await get(`${path}/revert?to=${first}`);
    expect(text).toContain('This stands in the way Badge: another object has this value now.');
    expect(text).toContain('duplicate key value violates unique constraint');
  });

  test('that no field is to blame for begins like a sentence, without advice for programs', async () => {
    const person = await Person.create({ name: 'Bea', grade: 1 });
    const first = await firstOf(person);
    const id = String(person.get('id'));
    await person.destroy();
    await Person.create({ id, name: 'Cleo', grade: 2 });
    const { text } = await get(`${pathOf(person)}/revert?to=${first}`);
    expect(text).toContain(
      'This stands in the way Another object was created under its key since What would',
    );
  });

  test('of what the visitor does not see, neither field nor value nor the database’s own words', async () => {
    const { path, first } = await blocked();
    const canSee = hiding('badge');
    const page = await get(`${path}/revert?to=${first}`, { canSee });
    expect([page.status, page.html]).toEqual([200, expect.not.stringMatching(/badge|constraint|People/i)]);
    const body = { to: first, dryRun: true };
    const api = await post(`api/v1/objects/${path.slice(2)}/reverts`, body, { canSee }, 'json');
    expect([api.status, api.text]).toEqual([200, expect.not.stringMatching(/badge|constraint/i)]);
  });

  test('a value that an attribute may have no more is told to those who see the attribute', async () => {
    const person = await Person.create({ name: 'former name', grade: 1 }, { validate: false });
    const first = await firstOf(person);
    await person.update({ name: 'Dora' });
    expect((await get(`${pathOf(person)}/revert?to=${first}`)).text).toContain('Name: Validation notIn');
    const page = await get(`${pathOf(person)}/revert?to=${first}`, { canSee: hiding('name') });
    expect(page.html).not.toMatch(/former name|notIn/);
  });

  test('an undo names no field that is not seen', async () => {
    const order = await Order.create({ status: 'a' });
    const work = () => order.update({ status: 'b' });
    await withAuditContext({ correlationId: 'unseen-undo' }, work);
    await order.update({ status: 'c' });
    const reason = { reason: 'x', preview: '1' };
    const { text } = await post('r/unseen-undo', reason, { canSee: hiding('status') });
    expect(pageOf({ status: 200, text }).text).toContain('you may not see');
    expect(pageOf({ status: 200, text }).text).not.toMatch(/status/i);
  });
});

test('rows that a foreign key would take along are told without the names of tables and constraints', async () => {
  await database.rows(
    'create table visits (customer_id int constraint visits_fk references "Customers" on delete cascade)',
  );
  const customer = await withAuditContext({ correlationId: 'visited' }, () =>
    Customer.create({ name: 'Ada' }),
  );
  await database.rows('insert into visits values ($1)', [customer.get('id')]);
  const told = async (options: Options): Promise<string> =>
    pageOf(await post('r/visited', { reason: 'x', preview: '1' }, options)).text;
  expect(await told({})).toMatch(/Ada: other objects refer to it\. ?Technical details .*visits_fk/);
  expect(await told({ canSee: hiding('about') })).not.toMatch(/visits/);
});

describe('fault 76: names and fields', () => {
  test('a field of a model that is registered no more is found by who sees it', async () => {
    await database.rows(
      `insert into audit_log_entries ("timestamp", action, model, object_pk, changes)
       values (now(), 'update', 'Gone', '1', '{"pay": ["1", "2"]}'), (now(), 'update', 'Gone', '1', '{"name": ["a", "b"]}')`,
    );
    const found = async (path: string, options: Options): Promise<number> => {
      const { html } = await get(path, options);
      return path.startsWith('api')
        ? (JSON.parse(html) as { data: unknown[] }).data.length
        : (html.match(/data-entry="/g)?.length ?? 0);
    };
    for (const path of ['o/Gone/1?field=pay', 'api/v1/objects/Gone/1/entries?field=pay'])
      expect([path, await found(path, {}), await found(path, { canSee: hiding('pay') })]).toEqual([
        path,
        1,
        0,
      ]);
  });

  test('of a linked object that is gone the name is told to who sees what it is made of', async () => {
    const order = (await Order.create({ status: 'a' })) as Model & { setTags(tags: Model[]): Promise<void> };
    const tag = await Tag.create({ name: 'secret tag' });
    await order.setTags([tag]);
    const linked = (await entriesOf(order)).at(-1)!.id;
    await order.setTags([]);
    await tag.destroy();
    const path = `api/v1/objects/${pathOf(order).slice(2)}/reverts`;
    const why = async (options: Options): Promise<string> =>
      (await post(path, { to: linked, dryRun: true }, options, 'json')).text;
    expect(await why({})).toContain('secret tag does not exist any more');
    const unseen = await why({ canSee: (_req, model, attribute) => model !== 'Tag' || attribute !== 'name' });
    expect(unseen).toContain('what it refers to is not there any more');
    expect(unseen).not.toContain('secret tag');
  });
});

describe('names that objects of JavaScript have', () => {
  const NAMES = ['constructor', '__proto__', 'toString', 'hasOwnProperty'];

  test.each(NAMES)('are names like others: %s', async (name) => {
    const order = await Order.create({ status: 'a' });
    await database.rows(
      `insert into audit_log_entries ("timestamp", action, model, object_pk, changes)
       values (now(), 'update', 'Order', $1, jsonb_build_object($2::text, jsonb_build_array('old', 'new')))`,
      [String(order.get('id')), name],
    );
    const [entry] = await auditLog.LogEntry.findAll({ order: [['id', 'DESC']], limit: 1 });
    const paths = [
      '',
      `?q=field:${name}`,
      `e/${entry!.id}`,
      pathOf(order),
      `${pathOf(order)}?field=${name}`,
      `${pathOf(order)}/revert?to=${entry!.id}`,
    ];
    for (const path of paths) {
      const { status, html } = await get(path);
      expect([path, status, html]).toEqual([path, 200, expect.not.stringMatching(/native code|\[object /)]);
    }
    expect((await get(`e/${entry!.id}`)).text).toMatch(new RegExp(`1 .*old new`));
    expect((await get(`o/${name}/1`)).status).toBe(404);
    expect((await get(`api/v1/objects/${name}/${name}`)).status).toBe(422);
    expect((await get(`api/v1/entries?${name}=1`)).status).toBe(400);
    expect((await get(`export.csv?${name}=1`)).status).toBe(400);
    expect((await get(`api/v1/entries?model=${name}`)).status).toBe(200);
  });
});

describe('reasons', () => {
  const wish = async () => {
    const order = await Order.create({ status: 'a' });
    const first = await firstOf(order);
    await withAuditContext({ correlationId: `reasons-${first}` }, () => order.update({ status: 'b' }));
    const [, { id: expected }] = (await entriesOf(order)) as [unknown, { id: string }];
    return { order, first, expected, form: { to: first, expected, only: ['status'] } };
  };

  test.each([
    ['a NUL character, which no text of the database holds', 'a\0b'],
    ['more than 2000 characters', 'x'.repeat(2001)],
  ])('with %s are the visitor’s mistake, and nothing is done', async (_, reason) => {
    const { order, first, form } = await wish();
    const api = { to: first, reason };
    const statuses = [
      (await post(`${pathOf(order)}/revert`, { ...form, reason })).status,
      (await post(`r/reasons-${first}`, { reason })).status,
      (await post(`r/reasons-${first}`, { reason, preview: '1' })).status,
      (await post(`api/v1/objects/Order/${String(order.get('id'))}/reverts`, api, {}, 'json')).status,
    ];
    expect(statuses).toEqual([400, 400, 400, 400]);
    expect((await order.reload()).get('status')).toBe('b');
  });
});

describe('fault 82: time', () => {
  test('no rehearsal of a change waits for others longer than a page may take', async () => {
    const order = await Order.create({ status: 'a' });
    const first = await firstOf(order);
    await withAuditContext({ correlationId: 'slow-undo' }, () => order.update({ status: 'b' }));
    await database.sequelize.transaction(async (transaction) => {
      await order.update({ total: '1.00' }, { transaction });
      const limits = { statementTimeout: 50 };
      const body = { to: first, dryRun: true };
      const api = await post(`api/v1/objects/${pathOf(order).slice(2)}/reverts`, body, limits, 'json');
      const undo = await post('r/slow-undo', { reason: 'x', preview: '1' }, limits);
      expect([api.status, undo.status]).toEqual([503, 503]);
    });
  });

  test('an address of nothing but brackets is read at once', async () => {
    const started = performance.now();
    expect((await get(`?model=${'[,'.repeat(3000)}`)).status).toBe(302);
    expect(performance.now() - started).toBeLessThan(1000);
  });

  test('however many actors are asked for, they are looked up by one statement', async () => {
    const count = async (actors: readonly string[]): Promise<number> =>
      (
        await statementsOf(database.sequelize, async () => {
          expect((await get(`?q=actor:${actors.join(',')}`)).status).toBe(200);
        })
      ).length;
    const many = Array.from({ length: 40 }, (_, index) => `actor-${index}`);
    expect(await count(many)).toBe(await count(['ada']));
  });
});

describe('scope', () => {
  const mine = () => ({ additionalData: { tenant: 'mine' } });
  const asTenant = <T>(tenant: string, work: () => Promise<T>): Promise<T> =>
    withAuditContext({ additionalData: { tenant } }, work);

  test('a state that no entry made is seen by who sees the entry that ended it', async () => {
    await database.rows(
      `insert into "Customers" (id, "name", "createdAt", "updatedAt") values (901, 'theirs', now(), now()), (902, 'ours', now(), now())`,
    );
    await auditLog.audited(Customer).populate();
    const [theirs, ours] = [(await Customer.findByPk(901))!, (await Customer.findByPk(902))!];
    const [{ now }] = (await database.rows('select clock_timestamp()::text as now')) as [{ now: string }];
    await asTenant('other', () => theirs.destroy());
    await asTenant('mine', () => Customer.create({ id: 901, name: 'next' }));
    await asTenant('mine', () => ours.update({ name: 'changed' }));
    const at = `t=${encodeURIComponent(now.replace(' ', 'T').replace(/\+00$/, 'Z'))}`;
    const [hidden, shown] = [
      await get(`o/Customer/901/at?${at}`, { scope: mine }),
      await get(`o/Customer/902/at?${at}`, { scope: mine }),
    ];
    expect([hidden.status, hidden.html.includes('theirs')]).toEqual([404, false]);
    expect([shown.status, shown.html.includes('ours')]).toEqual([200, true]);
    expect((await get(`o/Customer/901/at?${at}`)).html).toContain('theirs');
  });

  test('an answer that one visitor knows is not called the same for another', async () => {
    await asTenant('mine', () => Customer.create({ name: 'counted' }));
    const read = (options: Options, etag = '') =>
      request(world.app(options)).get('/audit/api/v1/entries').set('if-none-match', etag);
    const all = await read({});
    const { etag } = all.headers as { etag: string };
    expect((await read({}, etag)).status).toBe(304);
    expect((await read({ scope: mine }, etag)).status).toBe(200);
    expect((await read({ authorize: () => false }, etag)).status).toBe(403);
    expect(all.headers).toMatchObject({
      'cache-control': 'private, no-cache',
      vary: 'Accept-Language, Cookie',
    });
  });
});
