import { closeTestShop, database, openTables } from './support/shop';
import { LogEntry, orders } from '../src/audit';
import { Order } from '../src/models';
import { seedShop } from '../src/seed';

const MONTH_MS = 30 * 24 * 60 * 60 * 1000;
const SEED_TIMEOUT_MS = 120_000;

beforeAll(async () => {
  await openTables();
  await seedShop(() => undefined);
}, SEED_TIMEOUT_MS);

afterAll(closeTestShop);

test('the shop has half a year of history', async () => {
  const { entries, placed, oldest } = await totals();
  expect(entries).toBeGreaterThan(1500);
  expect(placed).toBeGreaterThan(250);
  expect(Date.now() - oldest.getTime()).toBeGreaterThan(5 * MONTH_MS);
});

test('its dates run in the order in which the changes were made', async () => {
  const backwards = await database.rows(
    `select 1 from (select timestamp, lag(timestamp) over (order by id) as before from audit_log_entries) as entry
      where timestamp < before`,
  );
  expect(backwards).toEqual([]);
});

test('versions and orders have the dates of their entries', async () => {
  const order = await Order.findOne({ where: { status: 'shipped' }, order: ['id'], rejectOnEmpty: true });
  const [entries, versions] = [await LogEntry.forObject(order), await orders.versions(order)];
  expect(versions[0]?.historyDate).toEqual(entries[0]?.timestamp);
  expect(versions.at(-1)?.historyDate).toEqual(entries.at(-1)?.timestamp);
  expect(order.createdAt).toEqual(entries.at(-1)?.timestamp);
});

test('a second start leaves the history alone', async () => {
  const before = await totals();
  expect(await seedShop(() => undefined)).toBe(false);
  expect(await totals()).toEqual(before);
});

test('no password and no whole card number is in it', async () => {
  const { rows } = {
    rows: await database.rows<{ text: string }>(`select changes::text as text from audit_log_entries`),
  };
  const all = rows.map(({ text }) => text).join('\n');
  expect(all).not.toMatch(/400000000000\d{4}/);
  expect(all).toMatch(/"passwordHash": \[null, "\*+"\]/);
});

async function totals(): Promise<{ entries: number; placed: number; oldest: Date }> {
  const [row] = await database.rows<{ entries: number; placed: number; oldest: Date }>(
    `select (select count(*)::int from audit_log_entries) as entries, (select count(*)::int from orders) as placed,
            (select min(timestamp) from audit_log_entries) as oldest`,
  );
  if (!row) throw new Error('No totals.');
  return row;
}
