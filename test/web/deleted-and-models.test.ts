import type { Request } from 'express';
import request from 'supertest';
import { withAuditContext } from 'sequelize-auditlog';
import type { AuditRouterOptions } from 'sequelize-auditlog/web';
import { testDatabase } from '../support/database';
import { rowsOf } from '../support/page-table';
import { pageOf, type Page } from '../support/page-text';
import { statementsOf } from '../support/statements';
import { asActor, webWorld } from '../support/web';

const database = testDatabase();
const world = webWorld(database);
const { Order, Item, Tag, Customer } = world;
const app = world.app();

async function get(path: string, options?: AuditRouterOptions<Request>): Promise<Page> {
  return pageOf(await request(options ? world.app(options) : app).get(`/audit/${path}`));
}

const objects = ({ html }: Page): string[] => rowsOf(html).map(([object]) => object!);

beforeAll(async () => {
  await world.open();
  await asActor('alice', 'cleaning', async () => {
    const [kept, restored, gone] = await Order.bulkCreate(
      ['kept', 'restored', 'gone'].map((status) => ({ status })),
      { returning: true },
    );
    for (const order of [restored!, gone!]) await order.destroy();
    await restored!.restore();
    // An update of what is deleted softly brings nothing back.
    await gone!.update({ status: 'gone for good' });
    await kept!.update({ status: 'still here' });
    const item = { orderId: 'a', sku: '1', quantity: 1 };
    await (await Item.create(item)).destroy();
    await (await Item.create(item)).update({ quantity: 2 });
    await (await Item.create({ ...item, sku: '2' })).destroy();
    const moved = await Item.create({ ...item, sku: '3' });
    await Item.update({ sku: '4' }, { where: { orderId: 'a', sku: moved.get('sku') as string } });
  });
  await withAuditContext({ additionalData: { tenant: 'b' } }, async () => {
    const tag = await Tag.create({ name: '<i>late</i>' });
    await tag.destroy();
  });
  const twice = await Order.create({ status: 'twice' });
  await twice.destroy();
  await twice.destroy({ force: true });
});
afterAll(() => database.close());

describe('deleted objects', () => {
  test('what is deleted and did not come back, the last first, with who, when and why', async () => {
    const page = await get('deleted');
    expect(page.status).toBe(200);
    expect(objects(page)).toEqual([
      'Order 4 (twice) Order',
      '<i>late</i> Tag',
      'Item ["a","2"] Item',
      'Order 3 (gone) Order',
    ]);
    expect(rowsOf(page.html).at(-1)!.slice(2, 4)).toEqual(['alice', 'cleaning']);
    expect(page.links.get('Restore Order 3 (gone)')).toMatch(/^\.\/o\/Order\/3\/revert\?to=\d{4}-/);
  });

  test('of one model', async () => {
    expect(objects(await get('deleted?model=Item'))).toEqual(['Item ["a","2"] Item']);
    expect((await get('deleted?model=Customer')).text).toContain('Nothing is deleted.');
    expect((await get('deleted?model=Nothing')).status).toBe(404);
  });

  test('pages by cursor, on and back, each object once', async () => {
    const seen: string[][] = [];
    let page = await get('deleted', { pageSize: 2 });
    for (let older = page.links.get('Older'); ; older = page.links.get('Older')) {
      seen.push(objects(page));
      if (!older) break;
      page = await get(older.replace('./', ''), { pageSize: 2 });
    }
    expect(seen.map((each) => each.length)).toEqual([2, 2]);
    expect(seen.flat()).toEqual(objects(await get('deleted')));
    const back = await get(page.links.get('Newer')!.replace('./', ''), { pageSize: 2 });
    expect(objects(back)).toEqual(seen[0]);
    expect((await get('deleted?cursor=x')).status).toBe(400);
  });

  test('only of models that may be viewed, in scope, and without restoring where that may not be', async () => {
    const authorize = (_req: unknown, { action, model }: { action: string; model: string }) =>
      model === 'Item' && action === 'view';
    const page = await get('deleted', { authorize });
    expect(objects(page)).toEqual(['Item ["a","2"] Item']);
    expect(page.html).not.toMatch(/restore|revert|Order/i);
    expect((await get('deleted?model=Order', { authorize })).status).toBe(404);
    expect((await get('deleted', { authorize: () => false })).status).toBe(403);
    const scope = () => ({ additionalData: { tenant: 'b' } });
    expect(objects(await get('deleted', { scope }))).toEqual(['<i>late</i> Tag']);
    expect((await get('deleted', { revert: false })).html).not.toMatch(/restore|revert/i);
  });

  test('one query, without counting, by the index on deletions', async () => {
    const sent = await statementsOf(database.sequelize, () => get('deleted'));
    const [select, ...others] = sent.filter(({ text }) => /^\s*select/i.test(text));
    expect(others).toEqual([]);
    expect(select!.text).not.toMatch(/count\(|distinct/i);
    await database.rows('set enable_seqscan = off');
    const plan = JSON.stringify(await database.rows(`explain ${select!.text}`));
    await database.rows('reset enable_seqscan');
    expect(plan).toContain('audit_log_entries_deleted');
  });
});

describe('models', () => {
  test('what is recorded of each, and since when', async () => {
    const page = await get('models');
    expect(page.status).toBe(200);
    const rows = rowsOf(page.html);
    expect(rows.map(([name]) => name)).toEqual([
      'Customer Customers',
      'Item Items',
      'Order Orders',
      'Tag Tags',
    ]);
    expect(rows[2]!.slice(1, 6)).toEqual([
      'Id, Status, Total, Description, Shipping, Customer, Created at, Updated at, Deleted at',
      'Card number',
      'Internal notes',
      'Tags',
      'yes',
    ]);
    expect([rows[0]![6], rows[1]![5]]).toEqual(['none', 'no']);
    expect(rows[2]![6]).toMatch(/^\w+ \d+, \d{4}, /);
    expect(page.links.get('Order')).toBe('./?model=Order');
  });

  test('only those that may be viewed; hidden attributes are counted', async () => {
    const page = await get('models', {
      authorize: (_req, { model }) => model === 'Order',
      canSee: (_req, _model, attribute) => attribute !== 'total' && attribute !== 'cardNumber',
      scope: () => ({ additionalData: { tenant: 'b' } }),
    });
    expect(rowsOf(page.html)).toEqual([
      [
        'Order Orders',
        expect.stringMatching(/^Id, Status, Description, .* \(1 you may not see\)$/),
        '(1 you may not see)',
        'Internal notes',
        'Tags',
        'yes',
        'none',
      ],
    ]);
    expect((await get('models', { authorize: () => false })).status).toBe(403);
  });

  test('one query for all models', async () => {
    const sent = await statementsOf(database.sequelize, () => get('models'));
    expect(sent.filter(({ text }) => /^\s*select/i.test(text))).toHaveLength(1);
    expect(await Customer.count()).toBe(0);
  });
});
