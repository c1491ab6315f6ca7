import request from 'supertest';
import express, { type Request } from 'express';
import { withAuditContext, withoutAudit, type LogEntry } from 'sequelize-auditlog';
import { auditRouter, type AuditRouterOptions } from 'sequelize-auditlog/web';
import { testDatabase } from '../support/database';
import { entriesOf } from '../support/audited';
import { pageOf, type Page } from '../support/page-text';
import { webWorld } from '../support/web';

const database = testDatabase();
const world = webWorld(database);
const { Order, Tag, auditLog } = world;
let entries: LogEntry[] = [];

async function entry(id: string | undefined, options: AuditRouterOptions<Request> = {}): Promise<Page> {
  return pageOf(await request(world.app(options)).get(`/audit/e/${id}`));
}

beforeAll(async () => {
  await world.open();
  const context = {
    actor: { id: 'alice', label: 'Alice', type: 'User' },
    remoteAddr: '10.0.0.7',
    remotePort: 4711,
    request: 'PATCH /orders/1',
    correlationId: 'req-1',
    reason: 'ticket 9',
    additionalData: { ticket: 9 },
  };
  entries = await entriesOf(auditLog, async () => {
    const order = await Order.create({ status: 'pending', total: '10.00' });
    await withAuditContext(context, () => order.update({ status: 'paid', total: '12.50' }));
    await order.destroy();
  });
});
afterAll(() => database.close());

test('O3, H337: says who, what, when, where, why, in which request', async () => {
  const page = await entry(entries[1]!.id);
  expect(page.status).toBe(200);
  expect(page.sentences).toEqual([
    expect.stringMatching(/^Alice changed status pending → paid, total 10.00 → 12.50 on Order 1/),
  ]);
  for (const fact of [
    'Actor Alice (alice, User)',
    'Object Order 1 (paid)',
    'Action update',
    'Reason ticket 9',
    'Request PATCH /orders/1',
    'Address 10.0.0.7',
    'Port 4711',
    'Correlation id req-1',
    `Transaction ${entries[1]!.transactionId}`,
    'Additional data { "ticket": 9 }',
  ])
    expect(page.text).toContain(fact);
  expect(page.links.get('req-1')).toBe('../r/req-1');
  expect(page.links.get(entries[1]!.transactionId!)).toBe(`../t/${entries[1]!.transactionId}`);
  expect(page.links.get('Permalink')).toBe(`../e/${entries[1]!.id}`);
});

test('holds all of it as JSON', async () => {
  const { html } = await entry(entries[1]!.id);
  const json = /<pre[^>]*>(.*?)<\/pre>/s.exec(html)?.[1]?.replaceAll('&quot;', '"') ?? '';
  expect(JSON.parse(json)).toEqual({ ...entries[1]!.toJSON(), hiddenChanges: 0 });
});

test('H338, P11, P12: a create shows its values, a delete what is gone', async () => {
  const cell = (text: string): string => `<span class="value">${text}</span>`;
  const none = '<span class="null">∅ null</span>';
  const created = await entry(entries[0]!.id);
  expect(created.html).toContain(
    `<td data-label="From">${none}</td><td data-label="To">${cell('pending')}</td>`,
  );
  const tag = await Tag.create({ name: 'red' });
  const [gone] = await entriesOf(auditLog, () => tag.destroy());
  const { html } = await entry(gone!.id);
  expect(html).toContain(`<td data-label="From">${cell('red')}</td><td data-label="To">${none}</td>`);
});

test('leads to the entries of the object before and after, and to the object around it', async () => {
  const { links } = await entry(entries[1]!.id);
  expect(links.get('Previous entry of this object')).toBe(`../e/${entries[0]!.id}`);
  expect(links.get('Next entry of this object')).toBe(`../e/${entries[2]!.id}`);
  const { timestamp } = entries[1]!.toJSON();
  expect(links.get('Object right after')).toBe(`../o/Order/1/at?t=${encodeURIComponent(timestamp)}`);
  const before = new URL(links.get('Object just before')!, 'http://host/audit/e/1').searchParams.get('t')!;
  expect(BigInt(timestamp.slice(20, 26)) - BigInt(before.slice(20, 26))).toBe(1n);
  expect((await entry(entries[0]!.id)).links.has('Object just before')).toBe(false);
  expect((await entry(entries[2]!.id)).links.has('Next entry of this object')).toBe(false);
});

test('just before the first microsecond of a second is the one before it', async () => {
  await database.rows(`insert into audit_log_entries ("timestamp", action, model, object_pk)
    values ('2024-01-01T00:00:00Z', 'update', 'Order', 'old')`);
  const id = await auditLog.LogEntry.max<string, LogEntry>('id');
  const { links } = await entry(id);
  expect(links.get('Object just before')).toContain(encodeURIComponent('2023-12-31T23:59:59.999999Z'));
});

test('O4: an entry can’t be deleted here', async () => {
  const app = world.app();
  for (const method of ['delete', 'post', 'put', 'patch'] as const)
    expect(
      (await request(app)[method](`/audit/e/${entries[0]!.id}`).set('sec-fetch-site', 'same-origin')).status,
    ).toBe(404);
});

test('what is missing, denied or of another tenant answers alike', async () => {
  const [{ id }] = entries as [LogEntry];
  const missing = await entry('999999');
  expect(missing.status).toBe(404);
  const answers = [
    await entry('abc'),
    await entry('99999999999999999999'),
    await entry('9223372036854775808'),
    await entry(id, { scope: () => ({ actorId: 'nobody' }) }),
    await entry(id, { authorize: (_, { model }) => model !== 'Order' }),
    await entry(id, { authorize: (_, { pk }) => pk === undefined }),
  ];
  for (const answer of answers) expect([answer.status, answer.text]).toEqual([404, missing.text]);
  expect((await entry(id, { authorize: () => false })).status).toBe(403);
  expect((await entry('abc', { authorize: () => false })).status).toBe(403);
});

test('the neighbours of an entry are in the scope too', async () => {
  const page = await entry(entries[1]!.id, { scope: () => ({ actorId: 'alice' }) });
  expect(page.status).toBe(200);
  expect(page.html).not.toContain('rel="prev"');
  expect(page.html).not.toContain('rel="next"');
});

test('a model that is registered no more keeps its pages, under plain names', async () => {
  await database.rows(`insert into audit_log_entries (action, model, object_pk, object_repr, changes)
    values ('update', 'Forgotten', '7', 'Seven', '{"fieldOne": [1, 2]}')`);
  const page = await entry(await auditLog.LogEntry.max<string, LogEntry>('id'));
  expect(page.sentences).toEqual(['system changed field one 1 → 2 on Seven']);
});

test('links to the host’s own page about the object, to nothing that would run', async () => {
  const linked = await entry(entries[0]!.id, { linkTo: (model, pk) => `/shop/${model}/${pk}` });
  expect(linked.links.get('Open in the application')).toBe('/shop/Order/1');
  const hostile = await entry(entries[0]!.id, { linkTo: () => 'java\nscript:alert(1)' });
  expect(hostile.links.has('Open in the application')).toBe(false);
});

describe('recordViews', () => {
  const app = world.app({ recordViews: true });
  const view = (path: string): Promise<LogEntry[]> =>
    entriesOf(auditLog, () => request(app).get(`/audit/${path}`).set('user-agent', 'test'));

  test('fault 79, V1, V5, V6: viewing an entry leaves one entry about its object', async () => {
    const [access, ...more] = await view(`e/${entries[1]!.id}`);
    expect(more).toEqual([]);
    expect(access).toMatchObject({
      action: 'access',
      model: 'Order',
      objectPk: '1',
      objectRepr: 'Order 1 (paid)',
      changes: null,
      request: `GET /audit/e/${entries[1]!.id}`,
    });
  });

  test('fault 79: viewing a record of viewing leaves none', async () => {
    const [access] = await view(`e/${entries[1]!.id}`);
    expect(await view(`e/${access!.id}`)).toEqual([]);
  });

  test('lists, and what was not shown, leave none', async () => {
    const paths = ['', 'r/req-1', `t/${entries[1]!.transactionId}`, 'a/alice', 'e/999999', '?q=at:never'];
    for (const path of paths) expect([path, await view(path)]).toEqual([path, []]);
    const denied = world.app({ recordViews: true, authorize: (_, { pk }) => pk === undefined });
    expect(await entriesOf(auditLog, () => request(denied).get(`/audit/e/${entries[0]!.id}`))).toEqual([]);
  });

  test('works for objects that are gone and models that are registered no more', async () => {
    await database.rows(
      `insert into audit_log_entries (action, model, object_pk) values ('delete', 'Forgotten', '9')`,
    );
    const id = await auditLog.LogEntry.max<string, LogEntry>('id');
    const [access] = await view(`e/${id}`);
    expect(access).toMatchObject({
      action: 'access',
      model: 'Forgotten',
      objectPk: '9',
      objectRepr: 'Forgotten 9',
    });
  });

  test('is silent without audit', async () => {
    const quiet = express();
    quiet.use(auditLog.auditMiddleware);
    quiet.use((_req, _res, next) => void withoutAudit(async () => next()));
    quiet.use('/audit', auditRouter(auditLog, { authorize: () => true, recordViews: true }));
    const path = `/audit/e/${entries[1]!.id}`;
    expect(await entriesOf(auditLog, () => request(quiet).get(path).expect(200))).toEqual([]);
  });

  test('a view that can’t be recorded is not given', async () => {
    const failing = world.app({ recordViews: true });
    failing.use(
      (
        _error: unknown,
        _req: Request,
        res: { status(code: number): { end(text: string): void } },
        _next: unknown,
      ) => res.status(500).end('fault'),
    );
    await database.rows(
      `create function refuse() returns trigger language plpgsql as $$ begin raise 'no'; end $$`,
    );
    await database.rows(`create trigger refuse before insert on audit_log_entries execute function refuse()`);
    const answer = await request(failing).get(`/audit/e/${entries[1]!.id}`);
    await database.rows('drop trigger refuse on audit_log_entries');
    expect([answer.status, answer.text]).toEqual([500, 'fault']);
  });
});
