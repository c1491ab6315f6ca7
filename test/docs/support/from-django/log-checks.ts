import { Model } from 'sequelize';
import type { LogEntry as Entry } from 'sequelize-auditlog';
import request from 'supertest';
import { actionsOf, refusalOf } from '../../../support/audited';
import { blocksOf, codeSpansOf } from '../markdown';
import { database } from './database';
import { tableRows, type Item } from './page';
import { User } from './user';
import {
  type Exports,
  Order,
  LogEntry,
  app,
  appOf,
  auditLog,
  entries,
  entry,
  items,
  newOrder,
  newUser,
  orders,
  page,
  typesOf,
  type Check,
} from './world';

function doneBefore(_: Exports, { number, title, text }: Item): void {
  const [, earlier = ''] = /Done in (\d+)\./.exec(text) ?? [];
  expect(Number(earlier)).toBeLessThan(Number(number));
  expect(items.find((each) => each.number === earlier)?.title).toBe(title);
}

async function forwarded(): Promise<void> {
  const order = await newOrder();
  const patched = (status: string): Promise<Entry> =>
    entry(() =>
      request(app).patch(`/orders/${order.id}`).set('X-Forwarded-For', '203.0.113.9').send({ status }),
    );
  expect((await patched('paid')).remoteAddr).not.toBe('203.0.113.9');
  app.set('trust proxy', true);
  expect((await patched('shipped')).remoteAddr).toBe('203.0.113.9');
  app.set('trust proxy', false);
}

async function tablesAreThere({ checkTables }: Exports): Promise<void> {
  expect((await checkTables()).ok).toBe(true);
  await database.rows('alter table "Orders_history" rename to elsewhere');
  const refusal = refusalOf(checkTables as () => unknown);
  const restored = refusal.finally(() => database.rows('alter table elsewhere rename to "Orders_history"'));
  expect((await restored).code).toBe('ERR_AUDIT_CHECK_FAILED');
}

async function registered({ users }: Exports): Promise<void> {
  const names = auditLog.registeredModels.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['Order', 'User', 'OrderItem', 'Contract']));
  expect(users.masked).toEqual(['passwordHash']);
  expect(typesOf(await orders.versions(await newOrder()))).toBe('+');
  const user = await User.create({ email: 'ada@shop.example', role: 'admin', passwordHash: 'x' });
  const [created] = await LogEntry.forObject(user);
  expect(created).toMatchObject({
    objectRepr: 'User ada@shop.example',
    changes: { passwordHash: [null, '********'] },
  });
}

async function noDecorator(): Promise<void> {
  class Unfinished extends Model {}
  const refusal = await refusalOf(() => auditLog.registerAudited(Unfinished));
  expect(refusal.message).toContain('init');
  expect(orders.modelName).toBe('Order');
}

async function someFields(): Promise<void> {
  const order = await newOrder();
  // The second of the two blocks holds now.
  expect(await entries(() => order.update({ internalNotes: 'a' }))).toEqual([]);
  expect((await entry(() => order.update({ customerNotes: 'a' }))).changes).toHaveProperty('customerNotes');
  auditLog.registerAudited(Order, { include: ['status', 'total'] });
  expect(await entries(() => order.update({ customerNotes: 'b' }))).toEqual([]);
  const left = await entry(() => newOrder({ customerNotes: 'c' }));
  expect(Object.keys(left.changes!).toSorted()).toEqual(['id', 'status', 'total']);
  expect((await refusalOf(() => orders.versions(order))).code).toBe('ERR_AUDIT_NO_SNAPSHOTS');
}

async function logSelectors(given: Exports): Promise<void> {
  const alice = await newUser();
  const order = await newOrder();
  const last = await entry(() => order.update({ status: 'paid' }, { audit: { actor: alice } }));
  await order.destroy({ audit: { actor: alice } });
  const all: Entry[] = await given['orderAuditLog'](order);
  expect(actionsOf(all)).toEqual(['delete Order', 'update Order', 'create Order']);
  expect(actionsOf(await LogEntry.forObject(Order, order.id))).toEqual(actionsOf(all));
  expect(actionsOf(await given['ordersChangedByUser'](alice.id))).toEqual(['delete Order', 'update Order']);
  const end = new Date(last.timestamp.getTime() + 1);
  const period: Entry[] = await given['auditLogForPeriod'](last.timestamp, end);
  const found = period.find(({ id }) => id === last.id);
  expect(found?.actor).toMatchObject({ id: alice.id });
  expect(await given['auditLogForPeriod'](last.timestamp, last.timestamp)).toEqual([]);
}

function entryFields(): void {
  const here = tableRows(page, 'what is different').flatMap(([, cell = '']) => codeSpansOf(cell));
  const attributes = Object.keys(LogEntry.getAttributes());
  expect(here.toSorted()).toEqual(attributes.filter((name) => name !== 'id').toSorted());
}

async function changes(_: Exports, item: Item): Promise<void> {
  const [sample] = blocksOf(item.text).filter(({ language }) => language === 'json');
  const order = await newOrder();
  const left = await entry(() => order.update({ status: 'shipped', total: '109.99' }));
  expect(left.changes).toEqual(JSON.parse(sample!.code));
  const emptied = await entry(() => order.update({ cacheKey: 'None' }));
  expect(emptied.changes).toEqual({ cacheKey: [null, 'None'] });
}

async function display({ formatAuditEntry }: Exports, item: Item): Promise<void> {
  const alice = await newUser();
  const order = await newOrder();
  const left = await entry(() =>
    order.update({ status: 'shipped', total: '109.99' }, { audit: { actor: alice } }),
  );
  const shown = formatAuditEntry(left);
  expect(shown).toMatchObject({ action: 'update', model: 'Order', objectId: String(order.id) });
  expect(shown.user).toBe('alice@shop.example');
  const comment = (code: string): string =>
    item.text
      .split('\n')
      .find((line) => line.includes(code))!
      .split(' // ')[1]!;
  expect(shown.sentence).toBe(comment('entry.describe()').replace('Order 1', `Order ${order.id}`));
  expect(Object.keys(shown.changes[0])).toEqual(comment('entry.displayChanges()').match(/\w+/g));
  expect(formatAuditEntry(await entry(() => order.update({ status: 'paid' }))).user).toBe('system');
}

async function links(given: Exports): Promise<void> {
  const alice = await newUser();
  const order = await newOrder();
  await order.update({ status: 'shipped' }, { audit: { actor: alice } });
  const staff = request(appOf({ role: 'staff' }));
  const timeline = await staff.get(given['timelineOf'](order)).expect(200);
  expect(timeline.text).toContain(`Order ${order.id}`);
  const found = await staff.get(given['updatesByAlice']).expect(200);
  expect(found.text).toContain(`Order ${order.id}`);
  const none = await staff.get(given['search'](`model:Order pk:${order.id} action:delete`)).expect(200);
  expect(none.text).not.toContain(`o/Order/${order.id}"`);
  const refusal = await refusalOf(() => LogEntry.create({ action: 'update', model: 'Order' } as never));
  expect(refusal.code).toBe('ERR_AUDIT_READ_ONLY');
}

/** For blocks 14 to 24: django-auditlog. */
export const LOG_CHECKS: Readonly<Record<string, Check>> = {
  14: doneBefore,
  15: async (exports, item) => (doneBefore(exports, item), forwarded()),
  16: async (exports, item) => (doneBefore(exports, item), tablesAreThere(exports)),
  17: registered,
  18: noDecorator,
  19: someFields,
  20: logSelectors,
  21: entryFields,
  22: changes,
  23: display,
  24: links,
};
