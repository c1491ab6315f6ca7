import { closeTestShop, database, openTables } from './support/shop';
import { auditLog, customers, LogEntry } from '../src/audit';
import { Customer, Order, OrderItem, Product } from '../src/models';
import { seedShop } from '../src/seed';
import { orderAsOf } from '../src/services/order-past';

const MONTH_MS = 30 * 24 * 60 * 60 * 1000;
const SEED_TIMEOUT_MS = 120_000;

// A part of what `npm start` writes: the same stories, with fewer orders between them.
const SHARE = process.env['FULL'] === '1' ? 1 : 0.1;

beforeAll(async () => {
  await openTables();
  await seedShop(() => undefined, SHARE);
}, SEED_TIMEOUT_MS);

afterAll(closeTestShop);

test('the shop has half a year of history', async () => {
  const { entries, placed, oldest } = await totals();
  // 200 orders and one by night, and about 5,000 entries, of which 300 don't depend on how many orders there are.
  expect(placed).toBe(200 * SHARE + 1);
  expect(entries).toBeGreaterThan(300 + 4200 * SHARE);
  expect(entries).toBeLessThan(300 + 4800 * SHARE);
  expect(Date.now() - oldest.getTime()).toBeGreaterThan(5 * MONTH_MS);
});
test('its dates run in the order in which the changes were made', async () => {
  const backwards = await database.rows(
    `select 1 from (select timestamp, lag(timestamp) over (order by id) as before from audit_log_entries) as entry
      where timestamp < before`,
  );
  expect(backwards).toEqual([]);
});

test.each(['orders', 'order_items', 'products', 'customers', 'addresses', 'tags', 'order_tags'])(
  'versions of %s have the dates of their entries',
  async (table) => {
    const [counts] = await database.rows<{ all: number; equal: number }>(
      `select count(*)::int as all, count(*) filter (where version.history_date = entry.timestamp)::int as equal
         from ${table}_history as version left join audit_log_entries as entry on entry.id = version.log_entry_id`,
    );
    expect(counts?.all).toBeGreaterThan(0);
    expect(counts?.equal).toBe(counts?.all);
  },
);

test('an order has the dates of its first entry and its last one', async () => {
  const order = await Order.findOne({ where: { status: 'shipped' }, order: ['id'], rejectOnEmpty: true });
  const entries = await LogEntry.forObject(order);
  expect([order.createdAt, order.updatedAt]).toEqual([entries.at(-1)?.timestamp, entries[0]?.timestamp]);
});

test('who came by HTTP has a request and an address, a job has neither', async () => {
  const found = await database.rows(
    `select actor_type as type, bool_and(request is not null and remote_addr is not null) as has, bool_or(request is not null or remote_addr is not null) as any
       from audit_log_entries where correlation_id not like 'seed-%' group by 1 order by 1`,
  );
  expect(found).toEqual([
    { type: 'User', has: true, any: true },
    { type: 'integration', has: true, any: true },
    { type: 'job', has: false, any: false },
  ]);
});

describe('what there is to find', () => {
  test('a price import, which is one transaction of a job', async () => {
    const imported = await LogEntry.byActor('price-import');
    expect(imported.length).toBeGreaterThan(50);
    expect(new Set(imported.flatMap(({ changedAttributes }) => changedAttributes))).toEqual(
      new Set(['price']),
    );
    const [newest] = imported;
    expect(newest).toMatchObject({ actorType: 'job', reason: 'price list of the wholesaler' });
    expect(newest?.correlationId).toBe(`price-import-${newest?.timestamp.toISOString().slice(0, 10)}`);
    const run = await LogEntry.inRequest(newest!.correlationId!);
    expect(new Set(run.map(({ transactionId }) => transactionId)).size).toBe(1);
  });

  test('the newest price import can be undone', async () => {
    const [newest] = await LogEntry.byActor('price-import', { limit: 1 });
    const plan = await auditLog.revertRequest(newest!.correlationId!, { dryRun: true });
    expect(plan.obstacles).toEqual([]);
    expect(plan.changes.length).toBeGreaterThan(2);
  });

  test('a bulk cancel, one request for several orders', async () => {
    const entries = await LogEntry.findAll({ where: { request: 'POST /orders/bulk' } });
    expect(entries.length).toBeGreaterThan(1);
    expect(new Set(entries.map(({ transactionId }) => transactionId)).size).toBe(1);
    for (const entry of entries) expect(entry.changes).toEqual({ status: ['pending', 'cancelled'] });
  });

  test('a customer whom somebody deleted, and who can come back with the addresses', async () => {
    const [gone] = await customers.deleted();
    expect(gone?.name).toBe('Lakeside Hostel');
    const [entry] = await LogEntry.forObject(Customer, gone!.id);
    expect(entry).toMatchObject({
      action: 'delete',
      reason: 'taken for a duplicate',
      actorLabel: 'ada@shop.example',
    });
    const { changes, obstacles } = await auditLog.revertTransaction(entry!.transactionId!, { dryRun: true });
    expect(obstacles).toEqual([]);
    const back = changes.filter(({ action }) => action === 'create').map(({ model }) => model);
    expect(back.toSorted()).toEqual(['Address', 'Address', 'Customer']);
  });

  test('a night session from an address that nobody knows', async () => {
    const night = await LogEntry.findAll({ where: { remoteAddr: '203.0.113.66' }, order: [['id', 'asc']] });
    expect(new Set(night.map(({ timestamp }) => timestamp.getUTCHours()))).toEqual(new Set([3]));
    expect(night.filter(({ action }) => action === 'access').length).toBeGreaterThan(30);
    const prices = night.flatMap(({ model, changes }) => (model === 'Product' ? [changes?.['price']] : []));
    expect(prices).toEqual([
      ['49.00', '1.00'],
      ['1.00', '49.00'],
    ]);
  });

  test('texts of which a few words changed, and values deep in JSON', async () => {
    const edits = await LogEntry.forModel(Product, { where: { action: 'update' } });
    const changed = edits.flatMap(({ changedAttributes }) => changedAttributes);
    expect(changed).toEqual(expect.arrayContaining(['description', 'details', 'price', 'stock', 'name']));
    const [tea] = edits.filter(({ reason }) => reason === 'tasted again');
    expect(tea?.changes?.['details']).toMatchObject([
      { brewing: { celsius: 95, minutes: 4 } },
      { brewing: { celsius: 95, minutes: 3 } },
    ]);
  });
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
  expect(await seedShop(() => undefined, SHARE)).toBe(false);
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
    `select (select count(*)::int from audit_log_entries) as entries, (select count(*)::int from audit_log_entries where model = 'Order' and action = 'create') as placed,
            (select min(timestamp) from audit_log_entries) as oldest`,
  );
  if (!row) throw new Error('No totals.');
  return row;
}
