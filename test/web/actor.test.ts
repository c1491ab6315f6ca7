import request from 'supertest';
import type { Request } from 'express';
import type { AuditRouterOptions } from 'sequelize-auditlog/web';
import { testDatabase } from '../support/database';
import { pageOf, type Page } from '../support/page-text';
import { webWorld } from '../support/web';

const database = testDatabase();
const world = webWorld(database);

async function actor(path: string, options: AuditRouterOptions<Request> = {}): Promise<Page> {
  return pageOf(await request(world.app(options)).get(`/audit/a/${path}`));
}

/** An entry at a time of the zone of the database, days ago. */
async function add(model: string, ago: number, at: string, label: string | null = 'Alice'): Promise<void> {
  await database.rows(
    `insert into audit_log_entries ("timestamp", action, model, object_pk, actor_id, actor_label)
     values (((now() at time zone 'UTC')::date - $1::int + $2::time) at time zone 'UTC', 'update', $3, '1', 'alice', $4)`,
    [ago, at, model, label],
  );
}

beforeAll(async () => {
  await world.open();
  await add('Order', 400, '12:00', 'Alice Maiden');
  for (const at of ['23:30', '23:40', '23:50']) await add('Order', 7, at);
  await add('Tag', 1, '00:15');
});
afterAll(() => database.close());

/** `[hour][weekday]` of the table, as texts. */
function hours({ html }: Page): string[][] {
  return [...html.matchAll(/<tr><th scope="row">\d\d:00<\/th>(.*?)<\/tr>/g)].map(([, cells = '']) =>
    [...cells.matchAll(/>(\d+)</g)].map(([, count = '']) => count),
  );
}

test('one actor: the label of the newest entry, first and last seen, top models, entries', async () => {
  const page = await actor('alice');
  expect(page.status).toBe(200);
  expect(page.text).toMatch(/^Alice Id alice First seen .* 12:00:00.* Last seen .* 00:15:00/);
  expect(page.links.get('Order')).toBe('../?q=actor%3Aalice+model%3AOrder');
  expect(page.text).toMatch(/Order 3 Tag 1 /);
  expect(page.sentences).toHaveLength(5);
});

test('when in the week, in the zone of the page', async () => {
  const weekday = (daysAgo: number): number =>
    (new Date(Date.now() - daysAgo * 86_400_000).getUTCDay() + 6) % 7;
  const utc = hours(await actor('alice'));
  expect(utc).toHaveLength(24);
  expect([utc[23]![weekday(7)], utc[0]![weekday(1)]]).toEqual(['3', '1']);
  const tokyo = hours(await actor('alice?tz=Asia/Tokyo'));
  expect([tokyo[8]![weekday(6)], tokyo[9]![weekday(1)]]).toEqual(['3', '1']);
  const { html } = await actor('alice');
  expect(html.match(/class="heat-4"/g)).toHaveLength(1);
  expect(html).not.toContain('style=');
});

test('the entries go on on further pages', async () => {
  const options = { authorize: () => true, pageSize: 3 };
  const { links } = await actor('alice', options);
  const older = await actor(`alice${new URL(links.get('Older')!, 'http://host/').search}`, options);
  expect(older.sentences).toHaveLength(2);
  expect(older.links.get('Newest')).toBe('../a/alice');
});

test('only what may be viewed and is in the scope counts', async () => {
  const page = await actor('alice', { authorize: (_, { model }) => model === 'Tag' });
  expect(page.sentences).toHaveLength(1);
  expect(page.text).not.toContain('Order');
  expect(
    hours(page)
      .flat()
      .filter((count) => count !== '0'),
  ).toEqual(['1']);
  const scoped = await actor('alice', { authorize: () => true, scope: () => ({ model: 'Tag' }) });
  expect(scoped.text).not.toContain('Order');
});

test('who did nothing that may be seen is not there', async () => {
  const missing = await actor('nobody');
  expect(missing.status).toBe(404);
  const hidden = await actor('alice', { authorize: (_, { model }) => model === 'Item' });
  expect([hidden.status, hidden.text]).toEqual([404, missing.text]);
  expect((await actor('a%00b')).status).toBe(404);
  expect((await actor('alice', { authorize: () => false })).status).toBe(403);
});
