import request from 'supertest';
import type { Request } from 'express';
import { withAuditContext, type LogEntry } from 'sequelize-auditlog';
import type { AuditRouterOptions } from 'sequelize-auditlog/web';
import { testDatabase } from '../support/database';
import { entriesOf } from '../support/audited';
import { pageOf, type Page } from '../support/page-text';
import { webWorld } from '../support/web';

const database = testDatabase();
const world = webWorld(database);
const { Order, Customer, Tag, auditLog } = world;
let entries: LogEntry[] = [];

async function page(path: string, options: AuditRouterOptions<Request> = {}): Promise<Page> {
  return pageOf(await request(world.app(options)).get(`/audit/${path}`));
}

beforeAll(async () => {
  await world.open();
  const context = {
    actor: { id: 'alice', label: 'Alice' },
    request: 'POST /orders',
    correlationId: 'req-1',
    reason: 'phone',
  };
  entries = await entriesOf(auditLog, () =>
    withAuditContext(context, async () => {
      await database.sequelize.transaction(async (transaction) => {
        const customer = await Customer.create({ name: 'Ada' }, { transaction });
        await Order.create({ status: 'pending', customerId: customer.get('id') }, { transaction });
      });
      await Order.update({ status: 'paid' }, { where: {} });
      await Tag.create({ name: 'red' });
    }),
  );
});
afterAll(() => database.close());

describe('one request', () => {
  test('shows all that it wrote, oldest first, transaction by transaction', async () => {
    const { status, sentences, text, links } = await page('r/req-1');
    expect(status).toBe(200);
    expect(sentences).toEqual([
      'Alice created Ada',
      'Alice created Order 1 (pending)',
      'Alice changed status pending → paid on Order 1 (paid)',
      'Alice created red',
    ]);
    expect(text).toMatch(/^Request req-1 Alice · POST \/orders · /);
    const transactions = [...new Set(entries.map(({ transactionId }) => transactionId!))];
    expect(transactions).toHaveLength(3);
    for (const id of transactions) expect(links.get(`Transaction ${id}`)).toBe(`../t/${id}`);
  });

  test('goes on on further pages', async () => {
    const first = await page('r/req-1', { authorize: () => true, pageSize: 3 });
    expect([first.sentences.length, first.links.has('Older')]).toEqual([3, false]);
    const href = new URL(first.links.get('Newer')!, 'http://host/audit/r/req-1');
    const second = await page(`r/req-1${href.search}`, { authorize: () => true, pageSize: 3 });
    expect(second.sentences).toEqual(['Alice created red']);
    expect(second.text).toContain('End of the list');
  });

  test('shows only models that may be viewed, and what is in the scope', async () => {
    const options = { authorize: (_: unknown, { model }: { model: string }) => model === 'Tag' };
    expect((await page('r/req-1', options)).sentences).toEqual(['Alice created red']);
    const scoped = await page('r/req-1', { authorize: () => true, scope: () => ({ model: 'Customer' }) });
    expect(scoped.sentences).toEqual(['Alice created Ada']);
  });

  test('that left nothing to see is not there', async () => {
    const missing = await page('r/req-2');
    expect(missing.status).toBe(404);
    const hidden = await page('r/req-1', { authorize: (_, { model }) => model === 'Item' });
    expect([hidden.status, hidden.text]).toEqual([404, missing.text]);
    expect((await page('r/a%00b')).status).toBe(404);
    expect((await page('r/req-1', { authorize: () => false })).status).toBe(403);
  });
});

describe('one transaction', () => {
  test('shows all that it wrote, oldest first', async () => {
    const id = entries[0]!.transactionId!;
    const { sentences, text, links } = await page(`t/${id}`);
    expect(sentences).toEqual(['Alice created Ada', 'Alice created Order 1 (pending)']);
    expect(text).toContain(`Transaction ${id} Alice · POST /orders`);
    expect(links.get('POST /orders')).toBe('../r/req-1');
  });

  test('whose id is none is not there', async () => {
    for (const id of ['x', '-1', '99999999999999999999', '9223372036854775808', '1'])
      expect([id, (await page(`t/${id}`)).status]).toEqual([id, 404]);
    expect((await page('t/x', { authorize: () => false })).status).toBe(403);
  });
});

test('a cursor of another request is refused', async () => {
  const { links } = await page('r/req-1', { authorize: () => true, pageSize: 3 });
  const { search } = new URL(links.get('Newer')!, 'http://host/');
  expect((await page(`r/other${search}`)).status).toBe(400);
});
