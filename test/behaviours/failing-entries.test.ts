import { DataTypes, type Model } from 'sequelize';
import { createAuditLog } from 'sequelize-auditlog';
import { openAudited, refusalOf, rowOf } from '../support/audited';
import { testDatabase } from '../support/database';

const database = testDatabase();
const { sequelize } = database;
const Order = sequelize.define('Order', { status: DataTypes.TEXT });
const auditLog = createAuditLog(sequelize);
const orders = auditLog.registerAudited(Order, { snapshots: true });

let order: Model;
beforeAll(async () => {
  await openAudited(database, auditLog);
  order = await Order.create({ status: 'old' });
  const forbidden = `check (reason is distinct from 'forbidden')`;
  await database.rows(`alter table audit_log_entries add constraint no_forbidden ${forbidden}`);
});
afterAll(() => database.close());

const audit = { reason: 'forbidden' };

async function expectNothing(work: () => Promise<unknown>): Promise<void> {
  const counts = async () => [
    await Order.count(),
    await auditLog.LogEntry.count(),
    await orders.Snapshot.count(),
  ];
  const before = await counts();
  const error = await refusalOf(work);
  expect(error.code).toBe('ERR_AUDIT_WRITE_FAILED');
  expect(error.message).toContain('"audit_log_entries"');
  expect(error.cause).toMatchObject({ code: '23514', constraint: 'no_forbidden' });
  expect(await counts()).toEqual(before);
  expect(await rowOf(Order, order.get('id'))).toMatchObject({ status: 'old' });
}

test('W8 a create whose entry fails is not made, and the caller gets the error', async () => {
  await expectNothing(() => Order.create({ status: 'x' }, { audit }));
});

test('W9 neither is an update', async () => {
  await expectNothing(async () =>
    (await Order.findByPk(order.get('id') as number))!.update({ status: 'x' }, { audit }),
  );
});

test('W10 neither is a delete', async () => {
  await expectNothing(() => order.destroy({ audit }));
});

test('W8 W9 W10 neither are bulk writes', async () => {
  const where = { id: order.get('id') as number };
  await expectNothing(() => Order.bulkCreate([{}, {}], { audit }));
  await expectNothing(() => Order.update({ status: 'x' }, { where, audit }));
  await expectNothing(() => Order.destroy({ where, audit }));
  await expectNothing(() => Order.upsert({ id: where.id, status: 'x' }, { audit }));
  await expectNothing(() => Order.findOrCreate({ where: { status: 'none' }, audit }));
});

test('the same writes succeed once the entry can be stored', async () => {
  await order.update({ status: 'new' }, { audit: { reason: 'allowed' } });
  expect((await orders.entries(order)).map(({ reason }) => reason)).toEqual(['allowed', null]);
});
