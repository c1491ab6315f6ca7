import express from 'express';
import request, { type Test } from 'supertest';
import { auditRouter } from 'sequelize-auditlog/web';
import { testDatabase } from '../support/database';
import { webWorld } from '../support/web';
import { seedLives } from '../support/web-seed';

const database = testDatabase();
const world = webWorld(database);
let order: { id: number; firstEntry: string; newestEntry: string };

beforeAll(async () => {
  await world.open();
  const { alive } = await seedLives(world);
  const id = alive.get('id') as number;
  const entries = await world.auditLog.LogEntry.findAll({
    where: { model: 'Order', objectPk: String(id) },
    order: ['id'],
  });
  order = { id, firstEntry: entries[0]!.id, newestEntry: entries.at(-1)!.id };
});
afterAll(() => database.close());

const HOST = 'shop.example:8443';

/** Headers a browser or program may send, and whether the change counts as made from a page of this site. */
const ORIGINS: [name: string, headers: Record<string, string>, isOwn: boolean][] = [
  ['another site', { 'Sec-Fetch-Site': 'cross-site', Origin: `https://${HOST}` }, false],
  [
    'another subdomain or port of the site',
    { 'Sec-Fetch-Site': 'same-site', Origin: `https://${HOST}` },
    false,
  ],
  ['a typed address', { 'Sec-Fetch-Site': 'none' }, false],
  ['an unknown word', { 'Sec-Fetch-Site': 'SAME-ORIGIN' }, false],
  ['a foreign origin', { Origin: 'https://evil.example' }, false],
  ['another port', { Origin: 'https://shop.example:8444' }, false],
  ['a host that only begins alike', { Origin: `https://${HOST}.evil.example` }, false],
  ['our name as user of another host', { Origin: `https://${HOST}@evil.example` }, false],
  ['a sandboxed page', { Origin: 'null' }, false],
  ['no word about it', {}, false],
  ['no word but a referrer', { Referer: `https://${HOST}/audit/` }, false],
  ['damaged words', { Origin: 'https://' }, false],
  [
    'a forwarded host that nobody trusts',
    { Origin: 'https://evil.example', 'X-Forwarded-Host': 'evil.example' },
    false,
  ],
  ['our own page', { 'Sec-Fetch-Site': 'same-origin' }, true],
  ['our own page, in a browser that only names the origin', { Origin: `https://${HOST}` }, true],
];

/** Everything that changes something. */
const CHANGES: [path: string, type: 'form' | 'json'][] = [
  ['o/Order/ID/revert', 'form'],
  ['o/Order/ID/revert', 'json'],
  ['r/req-2', 'form'],
  ['t/1', 'form'],
  ['api/v1/objects/Order/ID/reverts', 'json'],
];

const changeBy = (app: express.Express, path: string, type: string, headers: Record<string, string>): Test =>
  request(app)
    .post(`/audit/${path.replace('ID', String(order.id))}`)
    .set({ Host: HOST, ...headers })
    .type(type)
    .send({ to: order.firstEntry, reason: 'forged', only: 'status', expected: order.newestEntry });

const stateOf = async (): Promise<unknown> => [
  await database.rows('select status, total, description, "deletedAt" from "Orders" order by id'),
  await world.auditLog.LogEntry.max('id'),
];

describe('fault 78: a change that another site may have forged is refused, and nothing of it is done', () => {
  test.each(ORIGINS.filter(([, , isOwn]) => !isOwn))('%s', async (_, headers) => {
    const app = world.app();
    const before = await stateOf();
    for (const [path, type] of CHANGES) {
      const answer = await changeBy(app, path, type, headers);
      expect([path, answer.status]).toEqual([path, 403]);
      expect(answer.text).toContain('did not come from a page of this site');
    }
    expect(await stateOf()).toEqual(before);
  });

  test.each(ORIGINS.filter(([, , isOwn]) => isOwn))('but not %s', async (_, headers) => {
    const app = world.app();
    for (const [path, type] of CHANGES.slice(2))
      expect((await changeBy(app, path.replace('req-2', 'no-such'), type, headers)).text).not.toContain(
        'did not come from',
      );
  });

  test('a proxy that the host trusts says under which name it was called', async () => {
    const forwarded = { Origin: 'https://public.example', 'X-Forwarded-Host': 'public.example, inner' };
    const hosts = (trust: unknown): express.Express => express().set('trust proxy', trust).use(world.app());
    // Inner applications take the setting over from the one they are mounted in.
    const trusted = await changeBy(hosts('loopback'), 'r/no-such', 'form', forwarded);
    expect(trusted.text).not.toContain('did not come from');
    const untrusted = await changeBy(hosts('10.9.9.9'), 'r/no-such', 'form', forwarded);
    expect(untrusted.status).toBe(403);
  });
});

test('a refused change is refused before anything else is looked at', async () => {
  const authorize = jest.fn(() => true);
  const answer = await changeBy(world.app({ authorize }), 'o/Order/ID/revert', 'form', {});
  expect(answer.status).toBe(403);
  expect(authorize).not.toHaveBeenCalled();
});

test('fault 78: GET and HEAD change nothing, whatever they carry', async () => {
  const app = world.app();
  const before = await stateOf();
  const query = `to=${order.firstEntry}&reason=x&only=status&confirm=1&_method=POST&expectedVersion=1`;
  const asPost = { 'Sec-Fetch-Site': 'same-origin', 'X-HTTP-Method-Override': 'POST' };
  const changing = [...CHANGES.map(([path]) => path), 'deleted'];
  for (const path of changing.map((one) => `/audit/${one.replace('ID', String(order.id))}?${query}`)) {
    await request(app).get(path).set(asPost);
    await request(app).head(path).set(asPost);
  }
  expect(await stateOf()).toEqual(before);
});

test('the host’s own token stands in every form that changes something', async () => {
  const csrf = { field: '_csrf', token: () => 't"ok<en' };
  const app = world.app({ csrf });
  const { text } = await request(app).get(`/audit/o/Order/${order.id}/revert?to=${order.firstEntry}`);
  const forms = text.match(/<form[^>]*method="post".*?<\/form>/gs) ?? [];
  expect(forms.length).toBeGreaterThan(0);
  for (const form of forms)
    expect(form).toMatch(/<input type="hidden" name="_csrf" value="t&quot;ok(&lt;|<)en"/);
});

test('forms work whether the host has read the body already or not', async () => {
  const revert = { to: order.firstEntry, only: ['status', 'description'], expected: order.newestEntry };
  for (const parse of [
    null,
    express.urlencoded({ extended: true }),
    express.urlencoded({ extended: false }),
  ]) {
    const app = express();
    if (parse) app.use(parse);
    app.use('/audit', auditRouter(world.auditLog, { authorize: () => true }));
    const post = request(app).post(`/audit/o/Order/${order.id}/revert`).set('Sec-Fetch-Site', 'same-origin');
    const { status, text } = await post.type('form').send({ ...revert, reason: '' });
    // Without a reason it is asked for again, with the same boxes ticked: so all fields have been read.
    expect(status).toBe(400);
    expect([...text.matchAll(/name="only" value="(\w+)" checked/g)].map(([, name]) => name)).toEqual([
      'status',
      'description',
    ]);
  }
});
