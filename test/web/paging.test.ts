import { Op, type WhereOptions } from 'sequelize';
import type { LogEntryAttributes } from '../../lib/core/types';
import { readEntries, type EntryList, type EntryListOptions } from '../../lib/web/reading/entries';
import type { EntryFilter } from '../../lib/web/search/filter';
import { parseSearch } from '../../lib/web/search/language';
import { WebProblem } from '../../lib/web/problem';
import { auditFixture } from '../history/fixture';
import { testDatabase } from '../support/database';
import { loggedBy } from '../support/statements';

const isFull = process.env.FULL === '1';
/** Enough for the planner to prefer an index over reading all. */
const MANY = isFull ? 100_000 : 20_000;

const database = testDatabase();
const { sequelize } = database;
const fixture = auditFixture(database);
const log = { LogEntry: fixture.LogEntry, sequelize };

beforeAll(async () => {
  await database.open();
  await fixture.sync();
});
afterAll(() => database.close());

const search = (text: string): EntryFilter => parseSearch(text, 'UTC').filter;
const read = (options: Partial<EntryListOptions> = {}): Promise<EntryList> =>
  readEntries(log, { where: {}, limit: 10, ...options });
const ids = ({ entries }: EntryList): string[] => entries.map(({ id }) => id);

const NEXT_ID = `(select coalesce(max(id), 0) + 1000 from audit_log_entries)`;

/** Entries whose ids and times run against each other, four at a microsecond; between ids there is room. */
async function fill(model: string, count: number): Promise<string[]> {
  const rows = await database.rows<{ id: string }>(
    `insert into audit_log_entries (id, timestamp, action, model, object_pk)
     select ${NEXT_ID} + n * 10, '2026-11-01T00:00:00.000001Z'::timestamptz + ((${count} - n) / 4) * interval '1 microsecond',
       'update', $1, n::text from generate_series(1, ${count}) n returning id::text as "id"`,
    [model],
  );
  return rows.map(({ id }) => id);
}

/** Removes what it added before, and adds entries all over the range: what a walk must not stumble over. */
async function disturb(model: string, round: number): Promise<void> {
  await database.rows(`delete from audit_log_entries where model = $1 and reason = 'meanwhile'`, [model]);
  await database.rows(
    `insert into audit_log_entries (id, timestamp, action, model, object_pk, reason)
     select id + 1 + $2, timestamp, 'update', model, 'x', 'meanwhile' from audit_log_entries where model = $1 and id % 3 = 0`,
    [model, round % 9],
  );
}

/** All pages in one direction, with the log changing between them. */
async function walk(
  options: Partial<EntryListOptions>,
  direction: 'next' | 'prev',
  model: string,
): Promise<{ pages: string[][]; last: EntryList }> {
  const pages: string[][] = [];
  let cursor = options.cursor ?? null;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop
    const page = await read({ ...options, cursor });
    pages.push(page.entries.filter(({ reason }) => reason === null).map(({ id }) => id));
    cursor = page[direction];
    if (cursor === null) return { pages, last: page };
    // oxlint-disable-next-line no-await-in-loop
    await disturb(model, pages.length);
  }
}

describe('pages of a list that is written meanwhile', () => {
  const cases = [
    ['by id, newest first', 'desc', '', 'DESC'],
    ['by id, oldest first', 'asc', '', 'ASC'],
    ['by time, newest first', 'desc', 'at:2026-11-01', 'DESC'],
    ['by time, oldest first', 'asc', 'at:>=2026-11-01', 'ASC'],
  ] as const;

  // Acceptance 7: also with equal microseconds.
  it.each(cases)('show each entry once, forwards and back: %s', async (name, order, text, direction) => {
    const model = name.replaceAll(/\W/g, '');
    await fill(model, isFull ? 197 : 47);
    const options = { where: { model }, order, filter: search(text), limit: 7 };
    const by = text === '' ? 'entry.id' : `timestamp ${direction}, entry.id`;
    const sorted = await database.rows<{ id: string }>(
      `select id::text as id from audit_log_entries entry where model = $1 order by ${by} ${direction}`,
      [model],
    );
    const expected = sorted.map(({ id }) => id);
    const forwards = await walk(options, 'next', model);
    expect(forwards.pages.flat()).toEqual(expected);
    expect(forwards.last.next).toBeNull();
    // The walk back begins before the last page.
    const back = await walk({ ...options, cursor: forwards.last.prev }, 'prev', model);
    expect(back.pages.toReversed().flat()).toEqual(
      expected.slice(0, expected.length - (forwards.pages.at(-1)?.length ?? 0)),
    );
  });

  it('go on though the entries at their edge are gone', async () => {
    const all = (await fill('Edge', 30)).toReversed();
    const options = { where: { model: 'Edge' } };
    const first = await read(options);
    expect(first.prev).toBeNull();
    await database.rows(`delete from audit_log_entries where id = any($1)`, [all.slice(5, 12)]);
    const second = await read({ ...options, cursor: first.next });
    expect(ids(second)).toEqual(all.slice(12, 22));
    expect(ids(await read({ ...options, cursor: second.prev }))).toEqual(all.slice(0, 5));
  });

  it('lead back from a page that has become empty', async () => {
    const all = (await fill('Gone', 20)).toReversed();
    const options = { where: { model: 'Gone' }, filter: search('at:2026-11-01'), order: 'asc' as const };
    const first = await read(options);
    await database.rows(`delete from audit_log_entries where model = 'Gone' and not id = any($1)`, [
      ids(first),
    ]);
    const second = await read({ ...options, cursor: first.next });
    expect(second).toMatchObject({ entries: [], next: null });
    expect(ids(await read({ ...options, cursor: second.prev }))).toEqual(ids(first));
    expect(all).toHaveLength(20);
  });

  it('end exactly where the entries do', async () => {
    await fill('Exact', 20);
    const first = await read({ where: { model: 'Exact' } });
    const second = await read({ where: { model: 'Exact' }, cursor: first.next });
    expect([first.next, second.next]).toEqual([expect.any(String), null]);
    expect(ids(await read({ where: { model: 'Exact' }, cursor: second.prev }))).toEqual(ids(first));
    expect(await read({ where: { model: 'Nothing' } })).toEqual({ entries: [], next: null, prev: null });
  });
});

describe('a cursor', () => {
  const refusal = async (options: Partial<EntryListOptions>): Promise<unknown> =>
    read(options).catch((error: unknown) => error);
  const cursorOf = async (options: Partial<EntryListOptions>): Promise<string> => {
    const { next } = await read({ ...options, limit: 1 });
    return next ?? 'none';
  };

  beforeAll(() => fill('Cursor', 5));

  it('is refused for another filter, order, or list', async () => {
    const where = { model: 'Cursor' };
    const cursor = await cursorOf({ where, filter: search('action:update'), list: 'a' });
    await expect(read({ where, filter: search('action:update'), list: 'a', cursor })).resolves.toBeDefined();
    for (const other of [
      { filter: search('action:delete'), list: 'a' },
      { filter: search('action:update at:2026-11-01'), list: 'a' },
      { filter: search('action:update'), list: 'b' },
      { filter: search('action:update'), list: 'a', order: 'asc' as const },
    ]) {
      const error = await refusal({ where, cursor, ...other });
      expect(error).toBeInstanceOf(WebProblem);
      expect(error).toMatchObject({ status: 400, parameter: 'cursor' });
    }
  });

  it('of the same days in another zone is refused', async () => {
    const inZone = (zone: string): EntryFilter => parseSearch('at:2026-11-01', zone).filter;
    const cursor = await cursorOf({ filter: inZone('UTC') });
    expect(await refusal({ filter: inZone('Asia/Tokyo'), cursor })).toMatchObject({ status: 400 });
  });

  it('that is damaged or made up is refused, and reaches no statement', async () => {
    const cursor = await cursorOf({});
    const [digest] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as [string];
    const made = (...parts: unknown[]): string => Buffer.from(JSON.stringify(parts)).toString('base64url');
    const wrong = [
      'x',
      '',
      '!',
      cursor.slice(1),
      cursor.slice(0, -3),
      'bnVsbA',
      'e30',
      '__proto__',
      made(digest, 'after', '1 or true', null, false),
      made(digest, 'after', '9223372036854775808', null, false),
      made(digest, 'after', 1, null, false),
      made(digest, 'beside', '1', null, false),
      made(digest, 'after', '1', '2026-11-01T00:00:00.000001Z', false),
      made(digest, 'after', '1', null),
      made({}, 'after', '1', null, false),
    ];
    const { result, statements } = await loggedStatements(() =>
      Promise.all(wrong.map((each) => refusal({ cursor: each }))),
    );
    expect(result).toEqual(wrong.map(() => expect.objectContaining({ status: 400, parameter: 'cursor' })));
    expect(statements).toEqual([]);
    const byTime = { filter: search('at:2026-11-01') };
    const [timed] = JSON.parse(Buffer.from(await cursorOf(byTime), 'base64url').toString()) as [string];
    for (const time of [null, 'now', '2026-11-01T00:00:00.000Z', '2026-13-01T00:00:00.000001Z'])
      expect(await refusal({ ...byTime, cursor: made(timed, 'after', '1', time, false) })).toMatchObject({
        status: 400,
      });
  });

  it('holds the microseconds of the entry', async () => {
    const [part] = JSON.parse(
      `[${Buffer.from(await cursorOf({ filter: search('at:2026-11-01') }), 'base64url').toString()}]`,
    ) as [unknown[]];
    expect(part[3]).toMatch(/^2026-11-01T00:00:00\.\d{6}Z$/);
    expect(part[3]).not.toMatch(/000Z$/);
  });
});

describe('what is shown', () => {
  it('is what the condition of the visitor allows, also where that is an OR in a literal', async () => {
    await fill('Scope', 4);
    const where = sequelize.literal(
      `"model" = 'Scope' or "model" = 'Other'`,
    ) as WhereOptions<LogEntryAttributes>;
    const page = await read({ where, filter: search('pk:2,3') });
    expect(page.entries.map(({ objectPk }) => objectPk)).toEqual(['3', '2']);
    const cursor = (await read({ where, filter: search('pk:2,3'), limit: 1 })).next;
    expect((await read({ where, filter: search('pk:2,3'), cursor })).entries).toHaveLength(1);
  });

  it('comes by one statement without a count, a distinct or an offset', async () => {
    await fill('Plain', 30);
    const first = await read({ where: { model: 'Plain' } });
    const { statements } = await loggedStatements(() =>
      read({ where: { model: 'Plain' }, cursor: first.next }),
    );
    expect(statements).toHaveLength(1);
    expect(statements[0]).not.toMatch(/count|distinct|offset/i);
    expect(statements[0]).toMatch(/LIMIT 11/);
  });
});

/** The nodes of the plan of the page's statement. */
async function planOf(options: Partial<EntryListOptions>): Promise<string[]> {
  const { statements } = await loggedStatements(() => read(options));
  const [{ 'QUERY PLAN': plan } = { 'QUERY PLAN': [] }] = await database.rows<{ 'QUERY PLAN': unknown[] }>(
    `explain (format json) ${statements.at(-1)?.replace(/;$/, '')}`,
  );
  return [...JSON.stringify(plan).matchAll(/"(?:Node Type|Index Name)":"([^"]*)"/g)].map(
    ([, node]) => node ?? '',
  );
}

// What a page costs doesn't grow with the log.
describe('fault 82: pages of a long log', () => {
  beforeAll(async () => {
    await database.rows(
      `insert into audit_log_entries (id, timestamp, action, model, object_pk, actor_id, actor_label, changes)
       select ${NEXT_ID} + n, '2026-01-01Z'::timestamptz + n * interval '20 seconds', 'update', 'Model' || n % 7,
         (n % 9)::text, case when n % 1000 = 0 then 'rare' else 'u' || n % 50 end, 'User ' || n % 50, '{"status": ["a", "b"]}'
       from generate_series(1, ${MANY}) n`,
    );
    await database.rows('analyze audit_log_entries');
  }, 120_000);

  it.each<[string, Partial<EntryListOptions>]>([
    ['the feed', {}],
    ['the feed, oldest first', { order: 'asc' }],
    ['one actor', { filter: search('actor:u7') }],
    ['one model', { filter: search('model:Model3') }],
    ['several models', { where: { model: { [Op.in]: ['Model1', 'Model2'] } } }],
    ['one object', { filter: search('model:Model3 pk:5') }],
    ['a time', { filter: search('at:2026-01-02..2026-01-03') }],
    ['a time of one model', { filter: search('at:>=2026-01-02 model:Model3') }],
    ['an attribute', { filter: search('field:status') }],
  ])('%s: read from an index in its order', async (_name, options) => {
    const ordered = ['Limit', 'Index Scan', expect.stringMatching(/^audit_log_entries_/)];
    const first = await read(options);
    const second = await read({ ...options, cursor: first.next });
    for (const cursor of [null, first.next, second.prev])
      expect(await planOf({ ...options, cursor })).toEqual(ordered);
    expect(ids(await read({ ...options, cursor: second.prev }))).toEqual(ids(first));
  });

  it('whoever has few entries is found by id, not by reading the log', async () => {
    expect(await planOf({ filter: search('actor:rare') })).toContain('audit_log_entries_actor');
  });
});

/** What `work` sends. */
async function loggedStatements<T>(work: () => Promise<T>): Promise<{ result: T; statements: string[] }> {
  let result: T | undefined;
  const statements = await loggedBy(sequelize, async () => {
    result = await work();
  });
  return { result: result as T, statements };
}
