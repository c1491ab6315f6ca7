import { renderTimeline } from 'sequelize-auditlog/web';
import { refusalOf } from '../support/audited';
import { tablesOf } from '../support/page-table';
import { testDatabase } from '../support/database';
import { webWorld } from '../support/web';
import { withAuditContext } from 'sequelize-auditlog';

const database = testDatabase();
const world = webWorld(database);
const { auditLog, Order, Item } = world;

beforeAll(async () => {
  await world.open();
  await withAuditContext({ actor: '<b>alice</b>', reason: 'ticket <9>' }, async () => {
    const order = await Order.create({ status: 'pending', cardNumber: '4111111111111111' });
    await order.update({ status: '<script>alert(1)</script>" class="evil' });
    await order.destroy();
  });
  await Item.create({ orderId: 'a/b', sku: '2', quantity: 1 });
});
afterAll(() => database.close());

test('a fragment of the newest entries, sentences and changes, newest first', async () => {
  const html = await renderTimeline(auditLog, Order, 1);
  expect(html).toMatch(/^<ol class="audit-timeline">.*<\/ol>$/s);
  expect(html).toContain('<p class="audit-sentence">&lt;b>alice&lt;/b> deleted Order 1');
  expect(html.match(/deleted Order 1|updated status of Order 1|created Order 1/g)).toEqual([
    'deleted Order 1',
    'updated status of Order 1',
    'created Order 1',
  ]);
  expect(html).toContain('audit-reason">ticket &lt;9>');
  expect(tablesOf(html).map(({ rows }) => rows.length)).toEqual([2, 2, 4]);
});

test('every class has a prefix, nothing leads anywhere, and whatever is logged is text', async () => {
  const html = await renderTimeline(auditLog, Order, 1);
  const classes = [...html.matchAll(/ class="([^"]*)"/g)].flatMap(([, names]) => names!.split(' '));
  expect(classes.filter((name) => !name.startsWith('audit-'))).toEqual([]);
  expect(html).not.toMatch(/<a |<script|style=| id=/);
  expect(html).toContain('&lt;script>alert(1)&lt;/script>&quot; class=&quot;evil');
  expect(html).not.toContain('4111111111111111');
});

test('E47: it takes keys as finders do, and a limit, whose last entry shows its changes too', async () => {
  expect(await renderTimeline(auditLog, Item, ['a/b', 2])).toContain('created Item');
  expect((await renderTimeline(auditLog, 'Order', '1', { limit: 1 })).match(/<li/g)).toHaveLength(1);
  const whole = tablesOf(await renderTimeline(auditLog, Order, 1));
  expect(tablesOf(await renderTimeline(auditLog, Order, 1, { limit: 2 }))).toEqual(whole.slice(0, 2));
  expect(await renderTimeline(auditLog, Order, 404)).toBe('<ol class="audit-timeline"></ol>');
  for (const limit of [0, 201, 1.5, '5' as never])
    expect((await refusalOf(() => renderTimeline(auditLog, Order, 1, { limit }))).code).toBe(
      'ERR_AUDIT_INVALID_OPTION',
    );
});
