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

/** How a write ended whose entry is refused, and what it left. */
async function outcomeOf(work: () => Promise<unknown>): Promise<object> {
  const counts = async () => [
    await Order.count(),
    await auditLog.LogEntry.count(),
    await orders.Snapshot.count(),
  ];
  const before = await counts();
  const error = await refusalOf(work);
  expect(error.message).toContain('"audit_log_entries"');
  expect(error.cause).toMatchObject({ code: '23514', constraint: 'no_forbidden' });
  const after = await counts();
  const row = await rowOf(Order, order.get('id'));
  return { code: error.code, added: after.map((count, at) => count - before[at]!), status: row?.['status'] };
}

const NOTHING = { code: 'ERR_AUDIT_WRITE_FAILED', added: [0, 0, 0], status: 'old' };

test('W8 a create whose entry fails is not made, and the caller gets the error', async () => {
  expect(await outcomeOf(() => Order.create({ status: 'x' }, { audit }))).toEqual(NOTHING);
});

test('W9 neither is an update', async () => {
  const loaded = (await Order.findByPk(order.get('id') as number))!;
  expect(await outcomeOf(() => loaded.update({ status: 'x' }, { audit }))).toEqual(NOTHING);
});

test('W10 neither is a delete', async () => {
  expect(await outcomeOf(() => order.destroy({ audit }))).toEqual(NOTHING);
});

const where = { status: 'old' };

test.each<[string, () => Promise<unknown>]>([
  ['bulkCreate', () => Order.bulkCreate([{}, {}], { audit })],
  ['Model.update', () => Order.update({ status: 'x' }, { where, audit })],
  ['Model.destroy', () => Order.destroy({ where, audit })],
  ['upsert', () => Order.upsert({ id: order.get('id'), status: 'x' }, { audit })],
  ['findOrCreate', () => Order.findOrCreate({ where: { status: 'none' }, audit })],
])('W8 W9 W10 neither is a write by %s', async (_name, write) => {
  expect(await outcomeOf(write)).toEqual(NOTHING);
});

test('the same writes succeed once the entry can be stored', async () => {
  await order.update({ status: 'new' }, { audit: { reason: 'allowed' } });
  expect((await orders.entries(order)).map(({ reason }) => reason)).toEqual(['allowed', null]);
});
