import type { LogEntry as Entry } from 'sequelize-auditlog';
import request from 'supertest';
import { actionsOf, refusalOf } from '../../../support/audited';
import { statementsOf } from '../../../support/statements';
import { codeSpansOf } from '../markdown';
import { database } from './database';
import { tableRows, type Item } from './page';
import {
  type Exports,
  Order,
  type OrderRow,
  LogEntry,
  app,
  appOf,
  auditLog,
  entries,
  entry,
  findings,
  makeOlder,
  newOrder,
  newUser,
  orders,
  page,
  typesOf,
  type Check,
} from './world';

function requirements(_: Exports, { text }: Item): void {
  const [, names = ''] = /npm install (.+)/.exec(text) ?? [];
  const { name, peerDependencies } = require('../../../../package.json') as {
    name: string;
    peerDependencies: Record<string, string>;
  };
  expect([name, ...Object.keys(peerDependencies)]).toEqual(expect.arrayContaining(names.split(' ')));
}

async function settings(): Promise<void> {
  const order = await newOrder();
  const alice = await newUser();
  const left = await entry(() =>
    request(appOf(alice))
      .patch(`/orders/${order.id}`)
      .set('X-Request-Id', 'from-django-2')
      .send({ status: 'paid' })
      .expect(200),
  );
  expect(left).toMatchObject({ actorId: String(alice.id), actorLabel: alice.email, actorType: 'User' });
  expect(left).toMatchObject({ correlationId: 'from-django-2', request: `PATCH /orders/${order.id}` });
}

async function firstMigration({ up, down }: Exports): Promise<void> {
  const queryInterface = database.sequelize.getQueryInterface();
  await down(queryInterface);
  expect((await refusalOf(() => newOrder())).code).toBe('ERR_AUDIT_MISSING_TABLE');
  await up(queryInterface);
  await up(queryInterface);
  expect(actionsOf(await entries(() => newOrder()))).toEqual(['create Order']);
}

async function historyOnModel(): Promise<void> {
  expect(orders.Snapshot.getTableName()).toBe('Orders_history');
  const here = tableRows(page, 'here, on `orders.Snapshot`').flatMap(
    ([, cell = '']) => codeSpansOf(cell)[0]!,
  );
  expect(Object.keys(orders.Snapshot.getAttributes())).toEqual(expect.arrayContaining(here.slice(1)));
  const order = await newOrder();
  expect(await entries(() => order.save())).toEqual([]);
  const limits = await database.rows(
    `select column_name from information_schema.columns where table_schema = current_schema()
     and table_name = 'Orders_history' and column_name not like 'history_%' and (is_nullable = 'NO' or column_default is not null)`,
  );
  expect(limits).toEqual([]);
}

async function secondMigration({ up, down }: Exports): Promise<void> {
  const queryInterface = database.sequelize.getQueryInterface();
  await down(queryInterface);
  await up(queryInterface);
  const { id } = await Order.create({ total: '1' }, { audit: false });
  await orders.populate();
  expect(typesOf(await orders.versions(id))).toBe('+');
  await database.rows('alter table "Orders_history" drop column "cacheKey"');
  await writesGoOn().finally(() => up(queryInterface));
  expect(await findings()).toEqual([]);
}

/** While the history lacks a column. */
async function writesGoOn(): Promise<void> {
  auditLog.registerAudited(Order, { snapshots: true });
  const left = await entry(() => newOrder({ cacheKey: 'a' }));
  expect(left.changes).toHaveProperty('cacheKey');
  expect(await orders.Snapshot.count({ where: { logEntryId: left.id } })).toBe(1);
  expect((await refusalOf(() => orders.versions(1))).code).toBe('ERR_AUDIT_MISSING_COLUMN');
  expect(await findings()).toEqual([expect.stringContaining('cacheKey')]);
}

async function leaveFieldOut(): Promise<void> {
  const order = await newOrder({ cacheKey: 'a' });
  expect(await entries(() => order.update({ cacheKey: 'b' }))).toEqual([]);
  await order.update({ status: 'paid' });
  const [latest] = await orders.versions(order);
  expect(latest!.toJSON()).not.toHaveProperty('cacheKey');
  expect(typesOf(await orders.versions(order))).toBe('~+');
}

async function leaveTimeOut(): Promise<void> {
  const touch = async (order: OrderRow): Promise<void> => {
    order.changed('updatedAt', true);
    await order.save();
  };
  const order = await newOrder();
  expect((await orders.versions(order))[0]!.toJSON()).not.toHaveProperty('updatedAt');
  auditLog.registerAudited(Order, { snapshots: true });
  expect(await entries(() => touch(order))).toEqual([]);
  const { changes } = await entry(() => order.update({ status: 'paid' }));
  expect(changes).toEqual({ status: ['pending', 'paid'] });
  expect((await orders.versions(order))[0]!.toJSON()).toHaveProperty('updatedAt');
}

async function selectors(given: Exports): Promise<void> {
  const alice = await newUser();
  const order = await newOrder();
  await makeOlder(order, '1 minute');
  const [created] = await orders.versions(order);
  await order.update({ status: 'paid' }, { audit: { actor: alice } });
  expect(typesOf(await given['orderHistory'](order))).toBe('~+');
  const then = await given['orderAsOf'](order.id, created!.historyDate);
  expect(then.status).toBe('pending');
  expect((await refusalOf(() => then.save())).code).toBe('ERR_AUDIT_READ_ONLY');
  expect(await given['orderAsOf'](order.id, new Date('2020-01-01'))).toBeNull();
  const byAlice = await given['orderChangesByUser'](alice.id);
  expect(byAlice.map(({ id }: OrderRow) => id)).toEqual([order.id]);
  expect((await given['orderRecentChanges'](1)).at(-1).status).toBe('paid');
  expect(await orders.asOf(created!).count({ where: { id: order.id, status: 'pending' } })).toBe(1);
  const unrecorded = await Order.create({ total: '1' }, { audit: false });
  await unrecorded.update({ status: 'paid' });
  const gap = await refusalOf(() => given['orderAsOf'](unrecorded.id, new Date('2020-01-01')));
  expect(gap.code).toBe('ERR_AUDIT_HISTORY_GAP');
}

async function comparing(given: Exports): Promise<void> {
  const alice = await newUser();
  const order = await newOrder();
  await makeOlder(order, '1 minute');
  const [created] = await orders.versions(order);
  for (const status of ['paid', 'shipped']) await order.update({ status }, { audit: { actor: alice } });
  let changed: Exports[] = [];
  const sent = await statementsOf(database.sequelize, async () => {
    changed = await given['orderChanges'](order);
  });
  expect(sent).toHaveLength(2);
  expect(changed.map(({ type, changes }) => [type, changes])).toEqual([
    ['~', [{ attribute: 'status', old: 'paid', new: 'shipped' }]],
    ['~', [{ attribute: 'status', old: 'pending', new: 'paid' }]],
  ]);
  expect(changed[0]!['user']).toMatchObject({ id: alice.id });
  const left: Entry[] = await given['orderEntries'](order);
  expect(left.slice(0, 2).map(({ changes }) => changes)).toEqual([
    { status: ['paid', 'shipped'] },
    { status: ['pending', 'paid'] },
  ]);
  const { changes } = await given['changedSince'](order, created!.historyDate);
  expect(changes).toEqual([{ attribute: 'status', old: 'pending', new: 'shipped' }]);
  expect((await created!.nextRecord())?.status).toBe('paid');
}

/** What the first write after a registration asks the catalogue isn't part of the writes that are counted. */
async function warmUp(): Promise<void> {
  await (await newOrder()).update({ status: 'paid' });
}

async function reason({ orderCancel }: Exports): Promise<void> {
  await warmUp();
  const alice = await newUser();
  const order = await newOrder();
  const sent = await statementsOf(database.sequelize, () => orderCancel(order, 'customer called', alice));
  expect(sent.map(({ text }) => text)).toEqual([expect.stringMatching(/audit_log_entries.*Orders_history/s)]);
  await alice.destroy({ audit: false });
  const versions = await orders.versions(order);
  expect(typesOf(versions)).toBe('~+');
  expect(versions[0]).toMatchObject({
    status: 'cancelled',
    historyChangeReason: 'Cancelled: customer called',
    historyUserId: String(alice.id),
  });
}

async function revertPages(): Promise<void> {
  const order = await newOrder({ status: 'pending', total: '12.34' });
  const [created] = await LogEntry.forObject(order);
  await order.update({ status: 'paid' });
  const path = `/audit/o/Order/${order.id}`;
  const revert = `${path}/revert?to=${created!.id}`;
  await request(app).get(path).expect(403);
  const timeline = await request(appOf({ role: 'staff' }))
    .get(path)
    .expect(200);
  expect(timeline.text).toContain('12.34');
  await request(appOf({ role: 'staff' }))
    .get(revert)
    .expect(403);
  await request(appOf({ role: 'admin' }))
    .get(revert)
    .expect(200);
  await order.destroy();
  await orders.revert(order.id, { to: created! });
  expect((await Order.findByPk(order.id))?.status).toBe('pending');
}

async function viewOnly(): Promise<void> {
  const order = await newOrder();
  const [created] = await LogEntry.forObject(order);
  await order.update({ status: 'paid' });
  const path = `o/Order/${order.id}`;
  const admin = request(appOf({ role: 'admin' }));
  await admin.get(`/history/${path}/revert?to=${created!.id}`).expect(403);
  const shown = async (mount: string): Promise<string> =>
    (await admin.get(`${mount}/${path}/at?entry=${created!.id}`).expect(200)).text;
  expect(await shown('/audit')).toContain('/revert');
  expect(await shown('/history')).not.toContain('/revert');
}

async function bulk(given: Exports): Promise<void> {
  await warmUp();
  let made: OrderRow[] = [];
  const created = await entries(async () => {
    made = await given['ordersBulkCreate']([{ total: '1' }, { total: '2', status: 'paid' }]);
  });
  expect(actionsOf(created)).toEqual(['create Order', 'create Order']);
  const ids = made.map(({ id }) => id);
  let sent: unknown[] = [];
  const updated = await entries(async () => {
    sent = await statementsOf(database.sequelize, () => given['ordersBulkUpdateStatus'](ids, 'shipped'));
  });
  expect(sent).toHaveLength(1);
  expect(updated.map(({ changes }) => changes)).toEqual([
    { status: ['pending', 'shipped'] },
    { status: ['paid', 'shipped'] },
  ]);
  expect(typesOf(await orders.versions(ids[0]!))).toBe('~+');
  const gone = await entries(() => Order.destroy({ where: { id: ids } }));
  expect(actionsOf(gone)).toEqual(['delete Order', 'delete Order']);
}

/** For blocks 1 to 13: django-simple-history. */
export const HISTORY_CHECKS: Readonly<Record<string, Check>> = {
  1: requirements,
  2: settings,
  3: firstMigration,
  4: historyOnModel,
  5: secondMigration,
  6: leaveFieldOut,
  7: leaveTimeOut,
  8: selectors,
  9: comparing,
  10: reason,
  11: revertPages,
  12: viewOnly,
  13: bulk,
};
