import { DataTypes } from 'sequelize';
import { createAuditLog, withAuditContext, withoutAudit } from 'sequelize-auditlog';
import { actionsOf, entriesOf, openAudited, refusalOf } from '../support/audited';
import { testDatabase } from '../support/database';

const database = testDatabase();
const { sequelize } = database;
const Order = sequelize.define('Order', { status: DataTypes.TEXT });
const Free = sequelize.define('Free', { status: DataTypes.TEXT });
const Deleted = sequelize.define('Deleted', { status: DataTypes.TEXT });
const auditLog = createAuditLog(sequelize, { requireActor: true });
auditLog.registerAudited(Order);
auditLog.registerAudited(Deleted, { actions: ['delete'] });

beforeAll(() => openAudited(database, auditLog));
afterAll(() => database.close());

const byAnn = <T>(work: () => T): T => withAuditContext({ actor: 'ann' }, work);

test.each([
  ['create', () => Order.create({ status: 'x' })],
  ['create', () => Order.bulkCreate([{}])],
  ['create', () => Order.findOrCreate({ where: { status: 'new' } })],
  ['update', () => Order.update({ status: 'x' }, { where: {} })],
  ['delete', () => Order.destroy({ where: {} })],
  ['delete', () => Order.truncate()],
])('26 a %s without an actor fails, names model and action, and is not made', async (action, write) => {
  await byAnn(() => Order.create({ status: 'kept' }));
  const rows = await Order.findAll({ raw: true });
  const error = await refusalOf(write);
  expect(error.code).toBe('ERR_AUDIT_ACTOR_REQUIRED');
  expect(error.message).toContain(`A ${action} of Order has no actor`);
  expect(error.message).toContain('withAuditContext({ actor }, fn)');
  expect(await Order.findAll({ raw: true })).toEqual(rows);
});

test('26 an explicit null is no actor', async () => {
  const error = await refusalOf(() => byAnn(() => Order.create({}, { audit: { actor: null } })));
  expect(error.code).toBe('ERR_AUDIT_ACTOR_REQUIRED');
});

test('26 with an actor, of the context or the call, it is made', async () => {
  const entries = await entriesOf(auditLog, async () => {
    await byAnn(() => Order.create({}));
    await Order.create({}, { audit: { actor: 7 } });
  });
  expect(entries.map(({ actorId }) => actorId)).toEqual(['ann', '7']);
});

test('26 what leaves no entry needs no actor', async () => {
  const entries = await entriesOf(auditLog, async () => {
    await Free.create({});
    await Order.create({}, { audit: false });
    await withoutAudit(() => Order.create({}));
    await (await Deleted.create({})).update({ status: 'x' });
  });
  expect(entries).toEqual([]);
  expect((await refusalOf(() => Deleted.destroy({ where: {} }))).code).toBe('ERR_AUDIT_ACTOR_REQUIRED');
});

test('26 a refused write in a transaction leaves it usable', async () => {
  const entries = await entriesOf(auditLog, () =>
    sequelize.transaction(async (transaction) => {
      await refusalOf(() => Order.create({}, { transaction }));
      await byAnn(() => Order.create({}, { transaction }));
    }),
  );
  expect(actionsOf(entries)).toEqual(['create Order']);
});

test('26 reading needs no actor', async () => {
  await expect(Order.findAll()).resolves.toBeDefined();
});
