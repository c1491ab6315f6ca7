import { closeTestShop, database, openTables } from './support/shop';
import { LogEntry, orders } from '../src/audit';
import { Order, OrderItem } from '../src/models';
import { seedShop } from '../src/seed';
import { orderAsOf } from '../src/services/order-past';

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

test('an order of months ago is shown with its items and the names that products had', async () => {
  const [sold] = await database.rows<{ orderId: number; at: Date }>(
    `select item.order_id as "orderId", item.created_at + interval '1 second' as at
       from order_items as item join products as product on product.id = item.product_id and sku = 'COF-DEC-1'
      order by item.id limit 1`,
  );
  const order = await orderAsOf(sold!.orderId, sold!.at);
  expect(order?.items?.map(({ product }) => product?.name)).toContain('Decaf espresso, 1 kg');
  expect(order?.items).toHaveLength(await OrderItem.count({ where: { orderId: sold!.orderId } }));
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
