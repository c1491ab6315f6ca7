import request from 'supertest';
import type { Request } from 'express';
import type { AuditRouterOptions } from 'sequelize-auditlog/web';
import { withAuditContext, type LogEntry } from 'sequelize-auditlog';
import { testDatabase } from '../support/database';
import { pageOf, type Page } from '../support/page-text';
import { asActor, webWorld } from '../support/web';

const database = testDatabase();
const world = webWorld(database);
const { Order, Customer, Tag, auditLog } = world;
const app = world.app();

async function feed(query = '', options: AuditRouterOptions<Request> | null = null): Promise<Page> {
  return pageOf(
    await request(options ? world.app(options) : app).get(`/audit/${query.replace(/^\.\//, '')}`),
  );
}

const search = (text: string): string => `?q=${encodeURIComponent(text)}`;

/** The chips, as `text → where removing it leads`. */
function chips({ links }: Page): string[] {
  return [...links]
    .filter(([text]) => text.startsWith('Remove '))
    .map(([text, href]) => `${text.slice(7)} → ${href}`);
}

beforeAll(async () => {
  await world.open();
  await asActor('alice', 'first order', async () => {
    await Customer.create({ name: 'Ada & Sons' });
    await Order.create({ status: 'pending', total: '10.00' });
  });
  const place = { request: 'PATCH /orders/1', correlationId: 'req-1', remoteAddr: '10.0.0.7' };
  await withAuditContext({ actor: { id: 'bob', label: 'Bob' }, ...place }, async () => {
    await Order.update({ status: 'paid' }, { where: { id: 1 } });
    for (const name of ['red', 'green', 'blue']) await Tag.create({ name });
  });
  await asActor('carol', null, () => Customer.update({ name: 'Ada & Daughters' }, { where: { id: 1 } }));
  // One entry of long ago.
  await database.rows(`update audit_log_entries set "timestamp" = now() - interval '90 days' where id = 1`);
});
afterAll(() => database.close());

describe('the activity', () => {
  test('O1, Q9: shows what happened, newest first, with links to the entry, the object, the actor', async () => {
    const page = await feed();
    expect([page.status, page.sentences[0]]).toEqual([
      200,
      'carol changed name Ada & Sons → Ada & Daughters on Ada & Daughters',
    ]);
    expect(page.sentences).toHaveLength(7);
    expect(page.links.get('carol')).toBe('./a/carol');
    expect(page.links.get('Ada & Daughters')).toBe('./o/Customer/1');
    expect(page.html).toContain('href="./e/7" data-open');
  });

  test('H358, H359: has a pager only where there is more, no page numbers, and says where it ends', async () => {
    const pages: string[][] = [];
    let path = '';
    do {
      const page = await feed(path, { authorize: () => true, pageSize: 3 });
      pages.push([...page.html.matchAll(/data-entry="(\d+)"/g)].map(([, id = '']) => id));
      expect(page.text.includes('End of the list')).toBe(!page.links.has('Older'));
      path = page.links.get('Older') ?? '';
    } while (path !== '');
    expect(pages).toEqual([['7', '6', '5'], ['4', '3', '2'], ['1']]);
    const whole = await feed('', { authorize: () => true, pageSize: 7 });
    expect(whole.html).not.toContain('class="pager"');
  });

  test('leads back to newer entries, and to the newest', async () => {
    const options = { authorize: () => true, pageSize: 3 };
    const second = await feed((await feed('', options)).links.get('Older'), options);
    expect(second.links.get('Newest')).toBe('./');
    const back = await feed(second.links.get('Newer'), options);
    expect(back.html).toContain('data-entry="7"');
  });

  test('puts consecutive entries of one request together, under its request line', async () => {
    const page = await feed();
    const text = /Bob · PATCH \/orders\/1 · 4 changes in 2 models/.exec(page.text);
    expect(text).not.toBeNull();
    expect(page.links.get('Whole request')).toBeDefined();
    expect(page.html).toContain('href="./r/req-1"');
    // Up to three are open.
    expect(page.html.match(/<details class="group" data-group="r req-1">/g)).toHaveLength(1);
    expect(page.html.match(/<details class="group"[^>]* open>/g)).toHaveLength(1);
  });

  test('says of a group that the page cuts that there may be more', async () => {
    const page = await feed('', { authorize: () => true, pageSize: 3 });
    expect(page.text).toContain('Bob · PATCH /orders/1 · 2 changes or more in Tag');
  });

  test('has a heading per day in the zone', async () => {
    await database.rows(`update audit_log_entries set "timestamp" = '2026-03-28T23:30:00Z' where id = 7`);
    const day = async (tz: string): Promise<string | undefined> =>
      /<h2 class="day"[^>]*>([^<]*)</.exec((await feed(`?tz=${tz}`)).html)?.[1];
    expect(await day('UTC')).toBe('Mar 28, 2026');
    expect(await day('Europe/Zurich')).toBe('Mar 29, 2026');
    await database.rows(`update audit_log_entries set "timestamp" = now() where id = 7`);
  });

  test('says what the script watches, and can be refreshed without it', async () => {
    const page = await feed(search('model:Tag'));
    expect(page.html).toContain('data-live="./api/v1/entries?model=Tag"');
    expect(page.links.get('Refresh')).toBe('./?q=model%3ATag');
    const inZone = await feed(search('at:2026-11-01'), { authorize: () => true, timeZone: 'Asia/Tokyo' });
    expect(inZone.html).toContain(
      'api/v1/entries?since=2026-11-01&amp;until=2026-11-01&amp;tz=Asia%2FTokyo"',
    );
    const older = (await feed('', { authorize: () => true, pageSize: 3 })).links.get('Older');
    expect((await feed(older, { authorize: () => true, pageSize: 3 })).html).not.toContain('data-live="');
  });

  test('offers to export what it shows to those who may export', async () => {
    const page = await feed(search('model:Tag'));
    expect(page.links.get('Export CSV')).toBe('./export.csv?q=model%3ATag');
    const none = await feed('', { authorize: (_, { action }) => action === 'view' });
    expect(none.html).not.toContain('export.');
  });

  test('says so when there is nothing', async () => {
    expect((await feed(search('model:Nothing'))).text).toContain('No entry matches. Show everything');
    const empty = await feed('', { authorize: () => true, scope: () => ({ id: '0' }) });
    expect(empty.text).toContain('No changes yet.');
  });
});

describe('the search', () => {
  test('narrows the list; the box shows it as it was written', async () => {
    const page = await feed(search(' field:status  actor:bob'));
    expect(page.sentences).toEqual(['Bob changed status pending → paid on Order 1 (paid)']);
    expect(page.html).toContain('value=" field:status  actor:bob"');
  });

  test('plain fields lead to the search that says the same', async () => {
    const answer = async (query: string): Promise<string | undefined> =>
      (await request(app).get(`/audit/?${query}`)).headers['location'];
    expect(await answer('model=Tag&action=&actor=bob&since=&until=&q=-field%3Aid')).toBe(
      './?q=actor%3Abob+model%3ATag+-field%3Aid',
    );
    expect(await answer('model=&action=&actor=&since=2026-11-01&until=2026-11-02&tz=Europe/Zurich')).toBe(
      './?q=at%3A2026-11-01..2026-11-02&tz=Europe%2FZurich',
    );
    expect(await answer('model=')).toBe('./');
    expect(await answer('q=model:Tag')).toBeUndefined();
  });

  test('the fields show what the search says, and carry along what they can’t', async () => {
    const { html } = await feed(search('model:Order,Tag action:update -actor:x at:7d hello'));
    expect(html).toContain('<option value="Order,Tag" selected>');
    expect(html).toContain('<option value="update" selected>');
    expect(html).toContain('<input type="text" name="since" value="7d"');
    expect(html).toContain('<input type="hidden" name="q" value="-actor:x hello"');
  });

  test('each chip removes its condition and no other', async () => {
    const page = await feed(search('model:Order,Tag -actor:x at:2026-11-01..2026-11-30 paid'));
    expect(chips(page)).toEqual([
      'Model: Order → ./?q=-actor%3Ax+model%3ATag+at%3A2026-11-01..2026-11-30+paid',
      'Model: Tag → ./?q=-actor%3Ax+model%3AOrder+at%3A2026-11-01..2026-11-30+paid',
      'Actor: not x → ./?q=model%3AOrder%2CTag+at%3A2026-11-01..2026-11-30+paid',
      'Time: 2026-11-01..2026-11-30 → ./?q=-actor%3Ax+model%3AOrder%2CTag+paid',
      'Text: paid → ./?q=-actor%3Ax+model%3AOrder%2CTag+at%3A2026-11-01..2026-11-30',
    ]);
  });

  test('what can’t be read is told beside the box, and nothing is listed', async () => {
    const page = await feed(search('at:yesterday model:Tag'));
    expect(page.status).toBe(400);
    expect(page.text).toContain('at must be a day such as 2026-11-21');
    expect(page.html).toContain('aria-invalid="true" aria-describedby="search-problems"');
    expect(page.sentences).toEqual([]);
    expect((await request(app).get('/audit/?since=yesterday')).status).toBe(400);
  });

  test('fault 82: texts are looked for in the last 30 days, and in all with a click', async () => {
    const page = await feed(search('ada'));
    expect(page.sentences).toHaveLength(1);
    expect(chips(page)).toEqual(['Text: ada → ./', 'Text: last 30 days only → ./?q=ada&window=all']);
    const all = await feed('?q=ada&window=all');
    expect(all.sentences).toHaveLength(2);
    expect(chips(all)).toEqual(['Text: ada → ./']);
    expect(page.links.get('Export CSV')).toBe('./export.csv?q=at%3A30d+ada');
  });

  test('fault 82: a query that takes too long ends with a hint', async () => {
    const blocker = database.newClient();
    await blocker.connect();
    await blocker.query('begin; lock table audit_log_entries in access exclusive mode');
    const page = await feed('', { authorize: () => true, statementTimeout: 20 });
    await blocker.query('rollback');
    expect(page.status).toBe(503);
    expect(page.text).toContain('Narrow your filters');
  });
});

describe('the bars', () => {
  const days = ({ html }: Page): string[] =>
    [...html.matchAll(/<th scope="row"><a href="([^"]*)">[^<]*<\/a><\/th><td class="number">(\d+)</g)].map(
      ([, href = '', count = '']) => `${href} ${count}`,
    );

  test('count the last 30 days, each with a link that narrows to the day', async () => {
    const page = await feed();
    const shown = days(page);
    const today = new Date().toISOString().slice(0, 10);
    expect(shown).toHaveLength(30);
    expect(shown.at(-1)).toBe(`./?q=at%3A${today} 6`);
    expect(page.text).toContain('Entries per day, last 30 days');
    expect((await feed(`?q=at%3A${today}`)).sentences).toHaveLength(6);
  });

  test('narrow as the list does, and end where it does', async () => {
    const page = await feed(search('model:Tag'));
    expect(days(page).at(-1)).toMatch(/^\.\/\?q=model%3ATag\+at%3A[\d-]+ 3$/);
    const past = await feed(search('at:2020-01-01..2026-03-31'));
    expect(past.text).toContain('Entries per day, 30 days to Mar 31, 2026');
    expect(days(past)).toHaveLength(30);
  });

  test('mark the day that is shown', async () => {
    const today = new Date().toISOString().slice(0, 10);
    expect((await feed(search(`at:${today}`))).html.match(/class="bar current"/g)).toHaveLength(1);
    expect((await feed()).html).not.toContain('bar current');
  });

  test('know the days of a zone across a change of its clocks', async () => {
    const page = await feed(`?q=at%3A2026-03-20..2026-04-02&tz=Europe%2FZurich`);
    expect(new Set(days(page)).size).toBe(30);
    expect(days(page)[26]).toContain('at%3A2026-03-30&amp;tz=Europe');
  });
});

test('fault 73: what was recorded is text, wherever it stands', async () => {
  const hostile = '<img src=x onerror=alert(1)>"\'&{{7*7}}';
  const values = { actor: { id: hostile, label: hostile }, request: hostile, reason: hostile };
  await withAuditContext(values, async () => {
    const order = await Order.create({ status: hostile });
    await order.update({ status: `javascript:${hostile}` });
  });
  const { html, sentences } = await feed(search(hostile));
  expect(html).not.toContain('<img');
  expect(sentences.some((each) => each.includes(hostile))).toBe(true);
  const last = await auditLog.LogEntry.max<string, LogEntry>('id');
  const answers = await Promise.all(
    [`e/${last}`, `a/${encodeURIComponent(hostile)}`].map((path) => request(app).get(`/audit/${path}`)),
  );
  expect(answers.map(({ status, text }) => [status, text.includes('<img')])).toEqual([
    [200, false],
    [200, false],
  ]);
});
