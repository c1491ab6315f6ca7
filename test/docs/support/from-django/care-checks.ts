import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Model, ModelStatic } from 'sequelize';
import type { LogEntry as Entry } from 'sequelize-auditlog';
import request from 'supertest';
import { database } from './database';
import {
  type Exports,
  Order,
  LogEntry,
  app,
  appOf,
  auditLog,
  entry,
  makeOlder,
  newOrder,
  newUser,
  orders,
  typesOf,
  type Check,
} from './world';

/** The tests of blocks 30 and 31 themselves run below; this is the sentence above them. */
async function inTransaction(): Promise<void> {
  const transaction = await database.sequelize.transaction();
  const order = await Order.create({ total: '1' }, { transaction });
  expect(typesOf(await orders.versions(order, { transaction }))).toBe('+');
  expect(await LogEntry.forObject(order, { transaction })).toHaveLength(1);
  await transaction.rollback();
  expect(await orders.versions(order)).toEqual([]);
}

async function growth({ versionsPerOrder }: Exports): Promise<void> {
  await newOrder();
  const [versions, rows] = [await orders.Snapshot.count(), await Order.count()];
  expect(await versionsPerOrder()).toBe(versions / rows);
}

async function logSize(given: Exports): Promise<void> {
  const order = await newOrder();
  const today: number = await given['entriesToday']();
  expect(await given['totalEntries']()).toBe(await LogEntry.count());
  await makeOlder(order, '2 days');
  expect(await given['entriesToday']()).toBe(today - 1);
}

async function indexed(): Promise<void> {
  await auditLog.sync();
  const found = await database.rows<{ indexdef: string }>(
    `select indexdef from pg_indexes where schemaname = current_schema() and tablename in ('audit_log_entries', 'Orders_history')`,
  );
  const columns = found.map(({ indexdef }) => /\((.*?)\)/.exec(indexdef)![1]!.replaceAll('"', ''));
  expect(columns).toEqual(
    expect.arrayContaining([
      'model, object_pk, id',
      'model, id',
      'actor_id, id',
      'timestamp, id',
      'correlation_id',
      'transaction_id',
      'status',
    ]),
  );
}

async function archiving({ archiveAuditHistory }: Exports): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), 'from-django-archive-'));
  const order = await newOrder();
  await order.update({ status: 'paid' });
  await makeOlder(order, '400 days');
  const said: string = await archiveAuditHistory(['--dry-run'], join(home, 'a'));
  expect(said).toMatch(/^Would archive [1-9]/);
  expect(typesOf(await orders.versions(order))).toBe('~+');
  expect(await archiveAuditHistory(['--days', '365'], join(home, 'a'))).toBe(
    said.replace('Would archive', 'Archived'),
  );
  expect(typesOf(await orders.versions(order))).toBe('~');
  expect((await orders.asOf(new Date()).findByPk(order.id))?.status).toBe('paid');
  expect(await LogEntry.count({ where: { action: 'prune', model: 'Order' } })).toBe(1);
  await rm(home, { recursive: true, force: true });
}

async function reports(given: Exports): Promise<void> {
  const alice = await newUser();
  const order = await newOrder();
  await order.update({ status: 'paid' }, { audit: { actor: alice } });
  const [last, first] = await orders.versions(order);
  const rows: { id: number }[] = await given['orderAuditReport'](
    first!.historyDate,
    new Date(last!.historyDate.getTime() + 1),
  );
  expect(rows.filter(({ id }) => id === order.id)).toEqual([
    {
      id: order.id,
      historyDate: first!.historyDate,
      historyType: '+',
      email: null,
      status: 'pending',
      total: '99.99',
    },
    {
      id: order.id,
      historyDate: last!.historyDate,
      historyType: '~',
      email: 'alice@shop.example',
      status: 'paid',
      total: '99.99',
    },
  ]);
  const byOrder: Map<number, object[]> = await given['changesByUserReport'](alice.id);
  expect([...byOrder]).toEqual([
    [order.id, [{ historyDate: last!.historyDate, historyType: '~', status: 'paid' }]],
  ]);
}

async function endpoint(): Promise<void> {
  const alice = await newUser();
  const order = await newOrder();
  await order.update({ status: 'paid' }, { audit: { actor: alice } });
  const { body } = await request(app).get(`/orders/${order.id}/history`).expect(200);
  expect(body).toMatchObject([
    { historyType: '~', user: 'alice@shop.example', status: 'paid', total: '99.99' },
    { historyType: '+', user: null, status: 'pending' },
  ]);
  const log = await request(app).get(`/orders/${order.id}/log`).expect(200);
  expect((log.body as Entry[]).map(({ action }) => action)).toEqual(['update', 'create']);
  const path = `/audit/api/v1/objects/Order/${order.id}/entries`;
  const { body: listed } = await request(appOf(alice)).get(path).expect(200);
  expect((listed as { data: unknown[] }).data).toHaveLength(2);
  await request(app).get(path).expect(403);
  await request(appOf(alice)).get('/audit/openapi.json').expect(200);
}

async function softDelete(given: Exports): Promise<void> {
  const Contract = given['Contract'] as ModelStatic<Model>;
  const contract = await Contract.create();
  const deleted = await entry(() => given['softDelete'](contract, 'expired'));
  expect(deleted).toMatchObject({ action: 'delete', reason: 'expired' });
  expect(await Contract.count()).toBe(0);
  expect(await Contract.count({ paranoid: false })).toBe(1);
  expect((await entry(() => contract.restore())).action).toBe('update');
}

/** For blocks 30 to 38: tests, size, archives, reports. */
export const CARE_CHECKS: Readonly<Record<string, Check>> = {
  30: inTransaction,
  31: inTransaction,
  32: growth,
  33: logSize,
  34: indexed,
  35: archiving,
  36: reports,
  37: endpoint,
  38: softDelete,
};
