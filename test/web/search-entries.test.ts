import { readActivity, readActorActivity, type ActivityOptions } from '../../lib/web/reading/activity';
import { readEntries } from '../../lib/web/reading/entries';
import { WebProblem } from '../../lib/web/problem';
import { parseSearch } from '../../lib/web/search/language';
import type { Unseen } from '../../lib/web/search/where';
import { auditFixture, insertEntry } from '../history/fixture';
import { testDatabase } from '../support/database';

const database = testDatabase({ timezone: '+05:00' });
const { sequelize } = database;
const fixture = auditFixture(database);
const log = { LogEntry: fixture.LogEntry, sequelize };

beforeAll(async () => {
  await database.open();
  await fixture.sync();
});
afterAll(() => database.close());

/** The reasons of what is found, which are its names here. */
async function found(text: string, unseen: Unseen | null = null, zone = 'UTC'): Promise<string[]> {
  const { filter, problems } = parseSearch(text, zone);
  expect(problems).toEqual([]);
  const { entries } = await readEntries(log, { where: {}, filter, unseen, limit: 200, order: 'asc' });
  return entries.map(({ additionalData }) => (additionalData as { name: string }).name);
}

async function entry(name: string, row: Record<string, unknown> = {}): Promise<void> {
  await insertEntry(database, { additional_data: { name }, ...row });
}

const clear = (): Promise<unknown> => database.rows('delete from audit_log_entries');

describe('what a search finds', () => {
  beforeAll(async () => {
    await clear();
    await entry('ann', {
      actor_id: '7',
      actor_label: 'Ann_Lee',
      model: 'Order',
      object_pk: '1',
      changes: { price: [1, 2] },
    });
    await entry('annex', {
      actor_id: '71',
      actor_label: 'annXLee',
      model: 'Item',
      object_pk: '["a/b","2"]',
      reason: '100% \\ sure',
    });
    await entry('seven', {
      actor_id: '8',
      actor_label: '7',
      model: 'Order',
      object_pk: '2',
      changes: { status: ['a', 'b'], price: [1, 2] },
    });
    await entry('nobody', {
      model: 'User',
      object_pk: '1',
      remote_addr: '10.1.2.3',
      object_repr: 'Ann at 100',
      transaction_id: 42,
    });
    await entry('system', {
      actor_id: '9',
      actor_label: 'System',
      remote_addr: '2001:db8::1',
      correlation_id: "r'1",
      changes: ['price'],
    });
  });

  it.each([
    ['', 'ann annex seven nobody system'],
    ['model:Order', 'ann seven system'],
    ['model:Item,User', 'annex nobody'],
    ['-model:Order', 'annex nobody'],
    ['pk:1', 'ann nobody system'],
    ['pk:["a/b",2]', 'annex'],
    ['-pk:1', 'annex seven'],
    ['action:delete', ''],
    // An actor's id is that actor, not a label that is the same.
    ['actor:7', 'ann'],
    ['-actor:7', 'annex seven nobody system'],
    ['actor:ann', 'ann annex'],
    ['actor:ANN_', 'ann'],
    ['-actor:ann', 'seven nobody system'],
    ['actor:system', 'nobody system'],
    ['-actor:null', 'ann annex seven system'],
    ['actor:nobody', ''],
    ['field:price', 'ann seven system'],
    ['field:price,status -field:status', 'ann system'],
    ['-field:price', 'annex nobody'],
    ['field:"price\' or 1=1 --"', ''],
    ['ip:10.1.2.3', 'nobody'],
    ['ip:10.0.0.0/8,2001:db8::/32', 'nobody system'],
    ['-ip:10.0.0.0/8', 'ann annex seven system'],
    ['req:"r\'1"', 'system'],
    ['-req:"r\'1"', 'ann annex seven nobody'],
    ['tx:42', 'nobody'],
    ['reason:sure', 'annex'],
    ['-reason:sure', 'ann seven nobody system'],
    ['100%', 'annex'],
    ['100', 'annex nobody'],
    [String.raw`"\\ SURE"`, 'annex'],
    ['_', ''],
    ['100 ann', 'nobody'],
    ['-100', 'ann seven system'],
    ['-ann model:User', ''],
  ])('%s', async (text, names) => {
    expect((await found(text)).join(' ')).toBe(names);
  });

  it('tells nothing of what is hidden from the visitor', async () => {
    const unseen: Unseen = {
      modelsHiding: (attribute) => (attribute === 'price' ? ['Order'] : []),
      modelsHidingRepr: ['User'],
    };
    expect(await found('field:price', unseen)).toEqual([]);
    expect(await found('-field:price', unseen)).toHaveLength(5);
    expect(await found('field:status', unseen)).toEqual(['seven']);
    expect(await found('Ann', unseen)).toEqual([]);
    expect(await found('-Ann', unseen)).toHaveLength(5);
    expect(await found('100', unseen)).toEqual(['annex']);
  });

  it('fault 81: takes hostile texts as values', async () => {
    for (const text of [
      `'; drop table audit_log_entries; --`,
      `\\'; --`,
      '$1',
      '?',
      ':name',
      `E'\\x'`,
      '%',
      `'||1||'`,
    ])
      for (const key of [
        'model:',
        'pk:',
        'actor:',
        'action:',
        'field:',
        'req:',
        'reason:',
        '-actor:',
        '-field:',
        '',
        '-',
      ])
        expect(await found(`${key}${JSON.stringify(text)}`)).toHaveLength(
          key.startsWith('-')
            ? text === '%' && key === '-'
              ? 4
              : 5
            : text === '%' && /^(reason:)?$/.test(key)
              ? 1
              : 0,
        );
  });
});

describe('days of a zone', () => {
  // Clocks go forward on 29 March and back on 25 October: days of 23 and of 25 hours.
  beforeAll(async () => {
    await clear();
    for (const time of [
      '2026-03-28T22:59:59.999999Z',
      '2026-03-28T23:00Z',
      '2026-03-29T21:59:59.999999Z',
      '2026-03-29T22:00Z',
      '2026-10-24T21:59:59.999999Z',
      '2026-10-24T22:00Z',
      '2026-10-25T00:30Z',
      '2026-10-25T01:30Z',
      '2026-10-25T22:59:59.999999Z',
      '2026-10-25T23:00Z',
    ])
      await entry(time.slice(5, 16), { timestamp: time });
  });

  it.each([
    ['at:2026-03-29', 'Europe/Berlin', '03-28T23:00 03-29T21:59'],
    ['at:2026-10-25', 'Europe/Berlin', '10-24T22:00 10-25T00:30 10-25T01:30 10-25T22:59'],
    ['at:2026-10-25', 'UTC', '10-25T00:30 10-25T01:30 10-25T22:59 10-25T23:00'],
    [
      'at:2026-10-24..2026-10-25',
      'Europe/Berlin',
      '10-24T21:59 10-24T22:00 10-25T00:30 10-25T01:30 10-25T22:59',
    ],
    ['at:>2026-10-25', 'Europe/Berlin', '10-25T23:00'],
    ['at:2026-10-25T23:59', 'Europe/Berlin', '10-25T22:59'],
    ['at:2026-10-25T00:30Z', 'Asia/Tokyo', '10-25T00:30'],
    ['at:>=2026-10-25T22:59:59.999999Z', 'Asia/Tokyo', '10-25T22:59 10-25T23:00'],
    ['at:>2026-10-25T22:59:59.999999Z', 'Asia/Tokyo', '10-25T23:00'],
    ['at:<2026-03-28T22:59:59.999999Z', 'Asia/Tokyo', ''],
  ])('%s in %s', async (text, zone, names) => {
    expect((await found(text, null, zone)).join(' ')).toBe(names);
  });

  const counted = async (text: string, options: Partial<ActivityOptions>): Promise<string[]> => {
    const { filter } = parseSearch(text, options.zone ?? 'UTC');
    const buckets = await readActivity(log, { where: {}, filter, zone: 'UTC', ...options });
    return buckets.map(({ start, end, count }) => `${start.slice(5, 16)} ${end.slice(5, 16)} ${count}`);
  };

  it('are counted as bars that hold what the same days find', async () => {
    expect(await counted('at:2026-03-28..2026-03-30', { zone: 'Europe/Berlin' })).toEqual([
      '03-27T23:00 03-28T23:00 1',
      '03-28T23:00 03-29T22:00 2',
      '03-29T22:00 03-30T22:00 1',
    ]);
    expect(await counted('at:2026-10-24..2026-10-26', { zone: 'Europe/Berlin' })).toEqual([
      '10-23T22:00 10-24T22:00 1',
      '10-24T22:00 10-25T23:00 4',
      '10-25T23:00 10-26T23:00 1',
    ]);
  });

  it('have hours of their own', async () => {
    const autumn = await counted('at:2026-10-25', { zone: 'Europe/Berlin', bucket: 'hour' });
    expect(autumn).toHaveLength(25);
    expect(autumn.filter((each) => !each.endsWith(' 0'))).toEqual([
      '10-24T22:00 10-24T23:00 1',
      '10-25T00:00 10-25T01:00 1',
      '10-25T01:00 10-25T02:00 1',
      '10-25T22:00 10-25T23:00 1',
    ]);
    expect(await counted('at:2026-03-29', { zone: 'Europe/Berlin', bucket: 'hour' })).toHaveLength(23);
    // Here clocks move by half an hour.
    const half = await counted('at:2026-04-05', { zone: 'Australia/Lord_Howe', bucket: 'hour' });
    expect(half.at(-1)).toBe('04-05T12:30 04-05T13:30 0');
  });

  it('make up weeks and months', async () => {
    expect(await counted('at:2026-10-24..2026-10-26', { zone: 'Europe/Berlin', bucket: 'week' })).toEqual([
      '10-18T22:00 10-25T23:00 5',
      '10-25T23:00 11-01T23:00 1',
    ]);
    const months = await counted('at:2026-01-31..2026-10-31', { zone: 'Europe/Berlin', bucket: 'month' });
    expect(months.map((each) => each.slice(0, 5))).toEqual([
      '12-31',
      '01-31',
      '02-28',
      '03-31',
      '04-30',
      '05-31',
      '06-30',
      '07-31',
      '08-31',
      '09-30',
    ]);
    expect(months.map((each) => each.split(' ')[2]).join('')).toBe('0040000006');
  });

  it('that are none, and bars beyond number, are refused', async () => {
    await expect(counted('', { zone: 'Mars/Base' })).rejects.toMatchObject({ status: 400, parameter: 'tz' });
    await expect(counted('at:>=1000-01-01', { bucket: 'hour' })).rejects.toThrow(WebProblem);
    expect(await counted('at:<2026-01-01 at:>=2026-02-01', {})).toEqual([]);
    expect(await counted('at:2023-02-01..2025-10-27', {})).toHaveLength(1000);
    await expect(counted('at:2023-02-01..2025-10-28', {})).rejects.toMatchObject({ parameter: 'bucket' });
  });
});

describe('activity', () => {
  beforeAll(async () => {
    await clear();
    for (const [ago, model, actor] of [
      ['0 seconds', 'Order', '7'],
      ['1 minute', 'Order', '7'],
      ['29 days', 'Item', '7'],
      ['31 days', 'Item', '7'],
      ['89 days', 'Tag', '7'],
      ['91 days', 'Tag', '7'],
      ['0 seconds', 'Order', '8'],
    ])
      await database.rows(
        `insert into audit_log_entries (timestamp, action, model, actor_id) values (now() - $1::interval, 'update', $2, $3)`,
        [ago, model, actor],
      );
  });

  it('of thirty days ends today and shows days without any', async () => {
    const bars = await readActivity(log, { where: { actorId: '7' }, zone: 'UTC' });
    expect(bars).toHaveLength(30);
    expect(bars.reduce((sum, { count }) => sum + count, 0)).toBe(3);
    expect(bars[0]?.count).toBe(1);
    expect(bars.slice(1, -2).every(({ count }) => count === 0)).toBe(true);
    expect(bars.map(({ end }) => end).slice(0, -1)).toEqual(bars.map(({ start }) => start).slice(1));
  });

  it('before a time ends with it', async () => {
    const { filter } = parseSearch('at:<2020-03-01', 'UTC');
    const bars = await readActivity(log, { where: {}, filter, zone: 'UTC' });
    expect([bars[0]?.start, bars.at(-1)?.end]).toEqual([
      '2020-01-31T00:00:00.000000Z',
      '2020-03-01T00:00:00.000000Z',
    ]);
  });

  it('of one actor is counted by hour of the week and by model, over ninety days', async () => {
    const { hours, models } = await readActorActivity(log, '7', { where: {}, zone: 'Asia/Kathmandu' });
    expect(hours.map((each) => each.length)).toEqual([24, 24, 24, 24, 24, 24, 24]);
    expect(hours.flat().reduce((sum, each) => sum + each, 0)).toBe(5);
    expect(models).toEqual([
      { model: 'Item', count: 2 },
      { model: 'Order', count: 2 },
      { model: 'Tag', count: 1 },
    ]);
    const [{ day, hour } = { day: 0, hour: 0 }] = await database.rows<{ day: number; hour: number }>(
      `select extract(isodow from timestamp at time zone 'Asia/Kathmandu')::int as day, extract(hour from timestamp at time zone 'Asia/Kathmandu')::int as hour
       from audit_log_entries where model = 'Order' and actor_id = '8'`,
    );
    expect(hours[day - 1]?.[hour]).toBeGreaterThanOrEqual(1);
  });
});
