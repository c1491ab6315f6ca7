import type { Express } from 'express';
import { auditPath, auditRouter, renderTimeline, type WebAction } from 'sequelize-auditlog/web';
import { withAuditContext } from 'sequelize-auditlog';
import request from 'supertest';
import { refusalOf } from '../support/audited';
import { testDatabase } from '../support/database';
import { webWorld } from '../support/web';

/** Behaviours of the pages that other systems have and this one decided otherwise, or that no page has for itself. */
const database = testDatabase();
const world = webWorld(database);
const { auditLog, Order } = world;

beforeAll(() => world.open());
afterAll(() => database.close());

async function pageOf(app: Express, path: string): Promise<string> {
  return (await request(app).get(`/audit/${path}`).expect(200)).text;
}

test('O5: entries stay when their object is gone, and nothing on the pages removes one', async () => {
  const order = await Order.create({ status: 'new' });
  const path = auditPath(order);
  await order.destroy({ force: true });
  const page = await pageOf(world.app(), path);
  expect(page).toContain('created');
  expect(page).toContain('deleted');
  const [entry] = await auditLog.LogEntry.forObject(order);
  for (const method of ['delete', 'post'] as const) {
    const client = request(world.app());
    const asked = client[method](`/audit/e/${entry!.id}`);
    await asked.set('sec-fetch-site', 'same-origin').expect(404);
  }
  expect(await auditLog.LogEntry.forObject(order)).toHaveLength(2);
});

test('O7: a time is shown in a named zone, with the instant in UTC beside it', async () => {
  const order = await Order.create({ status: 'new' });
  const [entry] = await auditLog.LogEntry.forObject(order);
  const { timestamp } = entry!.toJSON();
  const page = await pageOf(world.app(), `e/${entry!.id}?tz=Asia/Kathmandu`);
  expect(page).toContain('Asia/Kathmandu');
  expect(page).toContain(`title="${timestamp}"`);
  const time = new Intl.DateTimeFormat('en', {
    timeZone: 'Asia/Kathmandu',
    timeStyle: 'medium',
    hourCycle: 'h23',
  });
  expect(page).toContain(time.format(entry!.timestamp));
});

test('O13: a value that the database computes is stored and shown as its text', async () => {
  const status = database.sequelize.literal(`'pa' || 'id'`);
  const order = await Order.create({ status: 'new' });
  await order.update({ status });
  const [entry] = await auditLog.LogEntry.forObject(order);
  expect(entry!.changes).toEqual({ status: ['new', 'paid'] });
  expect(await pageOf(world.app(), `e/${entry!.id}`)).toContain('paid');
});

test('P3, Q10: a timeline for a page of the host is a text, and auditPath is where its own page stands', async () => {
  const order = await Order.create({ status: 'new' });
  expect(typeof (await renderTimeline(auditLog, Order, order.get('id') as number))).toBe('string');
  expect(await pageOf(world.app(), auditPath(order))).toContain(`Order ${String(order.get('id'))} (new)`);
});

test('Q7, H363: no extra data goes through to a page: an option for it is refused', async () => {
  const refusal = await refusalOf(() => auditRouter(auditLog, { extra: { a: 1 } } as never));
  expect(refusal.code).toBe('ERR_AUDIT_INVALID_OPTION');
});

test('H342: what hosts supply is text and never markup', async () => {
  const order = await Order.create({ status: 'new' });
  const app = world.app({
    title: '<b>title</b>',
    messages: { 'nav.activity': '<i>activity</i>' },
    linkTo: () => '/x"><b>link</b>',
  });
  const page = await pageOf(app, auditPath(order));
  expect(page).toContain('&lt;b>title');
  expect(page).toContain('&lt;i>activity');
  expect(page).not.toMatch(/<b>|<i>/);
});

test('H343: additional data is shown with its entry', async () => {
  const order = await withAuditContext({ additionalData: { ticket: 'T-4711' } }, () => Order.create({}));
  const [entry] = await auditLog.LogEntry.forObject(order);
  expect(await pageOf(world.app(), `e/${entry!.id}`)).toContain('T-4711');
});

test.each<[WebAction, readonly number[]]>([
  ['view', [200, 403, 403]],
  ['export', [403, 403, 403]],
  ['revert', [403, 403, 403]],
])('H371: %s alone implies nothing else', async (allowed, expected) => {
  const order = await Order.create({ status: 'new' });
  const [entry] = await auditLog.LogEntry.forObject(order);
  const app = world.app({ authorize: (_req, { action }) => action === allowed });
  const paths = [auditPath(order), 'export.csv', `${auditPath(order)}/revert?to=${entry!.id}`];
  const answers = await Promise.all(paths.map((path) => request(app).get(`/audit/${path}`)));
  expect(answers.map(({ status }) => status)).toEqual(expected);
});
