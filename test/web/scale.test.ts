import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import request from 'supertest';
import { testDatabase } from '../support/database';
import { pageOf } from '../support/page-text';
import { rowsPassedOver } from '../support/plan-rows';
import { statementsOf } from '../support/statements';
import { webWorld } from '../support/web';

const database = testDatabase();
const world = webWorld(database);

/** Entries one after another up to now, three to a request, by fifty actors, about four models. */
async function fill(count: number, days: number): Promise<void> {
  await database.rows('truncate audit_log_entries restart identity');
  await database.rows(
    `insert into audit_log_entries
       ("timestamp", action, model, object_pk, object_repr, changes, actor_id, actor_label, remote_addr, correlation_id,
        request, transaction_id, reason)
     select now() - ($1::int - n) * ($2::float8 / $1) * interval '1 day',
       (array['update', 'update', 'update', 'create', 'access'])[1 + n % 5],
       (array['Order', 'Customer', 'Item', 'Tag'])[1 + n % 4], (n % 5000)::text, 'Object ' || n % 5000,
       jsonb_build_object('status', jsonb_build_array('pending', 'paid'), 'total', jsonb_build_array('10.00', n::text)),
       'actor-' || n % 50, 'Actor ' || n % 50, '10.0.0.7', 'request-' || n / 3, 'PATCH /orders/' || n % 5000, 1000 + n / 3,
       case when n % 7 = 0 then 'ticket ' || n end
     from generate_series(1, $1::int) n order by n`,
    [count, days],
  );
}

beforeAll(() => world.open());
afterAll(() => database.close());

describe('a page', () => {
  /** The statements that read the log for a page; around them one begins a transaction, bounds it and ends it. */
  async function reads(path: string, pageSize: number): Promise<string[]> {
    const app = world.app({ authorize: () => true, pageSize, scope: () => ({ remoteAddr: '10.0.0.7' }) });
    const sent = await statementsOf(database.sequelize, async () => {
      expect((await request(app).get(`/audit/${path}`)).status).toBe(200);
    });
    return sent.map(({ text }) => text).filter((text) => !/^(START|SET|COMMIT)\b/.test(text));
  }

  beforeAll(() => fill(600, 20));

  test.each([
    ['the activity', ''],
    ['a filter', '?q=model%3AOrder'],
    ['an actor by search', '?q=actor%3Aactor-7'],
    ['a text', '?q=Object'],
    ['an entry', 'e/300'],
    ['a request', 'r/request-100'],
    ['a transaction', 't/1100'],
    ['an actor', 'a/actor-7'],
  ])('%s is read by at most 6 statements, whatever its length', async (_, path) => {
    const [few, many] = [await reads(path, 50), await reads(path, 200)];
    expect(few.length).toBeLessThanOrEqual(6);
    expect(many).toHaveLength(few.length);
  });

  test('fault 82: nothing counts the log as a whole, looks for its distinct values or skips pages', async () => {
    const sent: string[] = [];
    for (const path of ['', '?q=model%3AOrder', 'r/request-100', 'a/actor-7'])
      sent.push(...(await reads(path, 50)));
    const counting = sent.filter((text) => /count\(\*\)/i.test(text));
    expect(counting.length).toBeGreaterThan(0);
    expect(counting.filter((text) => !text.includes('"timestamp" >='))).toEqual([]);
    expect(sent.filter((text) => /distinct/i.test(text) && text.includes('audit_log_entries'))).toEqual([]);
    // Skipping is bounded: it finds out whether there is too much for a chart.
    expect(sent.filter((text) => text.includes('OFFSET') && !text.includes('OFFSET 10000'))).toEqual([]);
  });

  test('of 50 rows has at most 60 kB', async () => {
    const { html, sentences } = pageOf(await request(world.app()).get('/audit/'));
    expect(sentences).toHaveLength(50);
    expect(Buffer.byteLength(html)).toBeLessThan(60_000);
  });
});

test('a busy log shows bars of fewer days, and says so', async () => {
  await fill(12_000, 4);
  const page = pageOf(await request(world.app()).get('/audit/'));
  const days = page.html.match(/<rect class="ground"/g)?.length ?? 0;
  expect(days).toBeGreaterThanOrEqual(2);
  expect(days).toBeLessThanOrEqual(4);
  expect(page.text).toContain(`Entries per day, last ${days} days. For more days, narrow the filter.`);
  const narrowed = pageOf(await request(world.app()).get('/audit/?q=model%3ATag'));
  expect(narrowed.text).toContain('Entries per day, last 30 days');
});

test('of a busy actor the newest entries are counted, and the page says so', async () => {
  await fill(12_000, 4);
  await database.rows(`update audit_log_entries set actor_id = 'import' where actor_id <> 'actor-7'`);
  const busy = pageOf(await request(world.app()).get('/audit/a/import')).text;
  expect(busy).toContain('Entries by weekday and hour, the newest 10,000');
  expect(busy).toMatch(/Most changed, the newest 10,000 entries ?Model Entries \w+ 2,\d\d\d/);
  const other = pageOf(await request(world.app()).get('/audit/a/actor-7')).text;
  expect(other).toContain('Entries by weekday and hour, last 90 days');
});

test('what has been quiet is found without reading all that came after', async () => {
  await fill(20_000, 60);
  await database.rows(`update audit_log_entries set model = 'Tag', actor_id = 'gone' where id <= 4000`);
  await database.rows(`update audit_log_entries set model = 'Item' where id > 4000 and model = 'Tag'`);
  await database.rows('vacuum analyze audit_log_entries');
  const app = world.app({ authorize: () => true });
  const first = ['?q=model%3ATag', '?q=actor%3Agone', 'a/gone'];
  const links = [...first];
  for (const path of first) {
    const { html } = pageOf(await request(app).get(`/audit/${path}`));
    const [, older] = /href="([^"]*cursor=[^"]*)"/.exec(html) ?? [];
    links.push(older!.replaceAll('&amp;', '&').replace(/^.*?(?=\?|a\/gone)/, ''));
  }
  for (const path of links) {
    const sent = await statementsOf(database.sequelize, async () => {
      const { status, sentences } = pageOf(await request(app).get(`/audit/${path}`));
      expect([path, status, sentences.length]).toEqual([path, 200, 50]);
    });
    const lists = sent.filter(({ text }) => /ORDER BY .*"id" (?:DESC|ASC) LIMIT (?:51|1);?$/.test(text));
    expect(lists.length).toBeGreaterThan(0);
    for (const { text } of lists) expect([text, await rowsPassedOver(database, text)]).toEqual([text, 0]);
  }
});

// Runs with FULL=1 only: filling the log takes longer than all other tests of this file.
(process.env['FULL'] === '1' ? describe : describe.skip)('a log of 1,000,000 entries', () => {
  let server: Server;

  async function milliseconds(path: string): Promise<number> {
    const { port } = server.address() as AddressInfo;
    const start = performance.now();
    const answer = await fetch(`http://127.0.0.1:${port}/audit/${path}`);
    expect([answer.status, (await answer.text()).length > 0]).toEqual([200, true]);
    return performance.now() - start;
  }

  beforeAll(async () => {
    await fill(1_000_000, 365);
    await database.rows('vacuum analyze audit_log_entries');
    server = createServer(world.app()).listen(0);
  }, 400_000);
  afterAll(() => void server.close());

  test('the activity takes less than 50 ms', async () => {
    const times: number[] = [];
    // The first ones compile what they run.
    for (let round = 0; round < 45; round += 1) times.push(await milliseconds(''));
    const sorted = times.slice(20).toSorted((a, b) => a - b);
    process.stdout.write(
      `the activity: ${sorted[0]?.toFixed(1)} ms at best, ${sorted[12]?.toFixed(1)} ms in the middle\n`,
    );
    expect(sorted[12]).toBeLessThan(50);
  }, 120_000);

  test('of which too many came today shows no bars, and says so', async () => {
    await database.rows(`update audit_log_entries set "timestamp" = now() where id > 960000`);
    const { status, text } = pageOf(await request(world.app()).get('/audit/'));
    expect([status, text.includes('Too many entries to count by the day.')]).toEqual([200, true]);
  }, 60_000);
});
