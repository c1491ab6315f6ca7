import { DataTypes, type Model } from 'sequelize';
import { createAuditLog, withAuditContext } from 'sequelize-auditlog';
import { entryOf, openAudited, refusalOf } from '../support/audited';
import { testDatabase } from '../support/database';

const database = testDatabase();
const { sequelize } = database;
const User = sequelize.define('User', { email: DataTypes.TEXT });
const Order = sequelize.define('Order', { status: DataTypes.TEXT });
const auditLog = createAuditLog(sequelize, { actor: { model: User } });
const orders = auditLog.registerAudited(Order, { snapshots: true });

let order: Model;
let ann: Model;
beforeAll(async () => {
  await openAudited(database, auditLog);
  [order, ann] = [await Order.create({ status: 'new' }), await User.create({ email: 'ann@example.com' })];
});
afterAll(() => database.close());

test.each([
  ['an instance', () => order],
  ['model and key', () => [Order, order.get('id')] as [typeof Order, number]],
])(
  'V1 V2 V5 V6 a view of %s leaves one entry: access, of the model, without changes',
  async (_title, subject) => {
    const entry = await entryOf(auditLog, () => auditLog.logAccess(subject()));
    const pk = String(order.get('id'));
    expect(entry).toMatchObject({
      action: 'access',
      model: 'Order',
      objectPk: pk,
      objectRepr: `Order ${pk}`,
      changes: null,
    });
  },
);

test('V1 the call answers with the entry, and writes no version', async () => {
  const versions = (await orders.versions(order)).length;
  let answer: Model | null;
  const entry = await entryOf(auditLog, async () => (answer = await auditLog.logAccess(order)));
  expect(answer!.toJSON()).toEqual(entry.toJSON());
  expect(await orders.versions(order)).toHaveLength(versions);
});

test('V4 its actor is the logged-in user', async () => {
  const view = () => withAuditContext({ actor: ann.get('id') as number }, () => auditLog.logAccess(order));
  expect(await entryOf(auditLog, view)).toMatchObject({ actorLabel: 'ann@example.com', actorType: 'User' });
});

test('V8 it has no changes to show', async () => {
  const entry = await entryOf(auditLog, () => auditLog.logAccess(order));
  expect([entry.changedAttributes, entry.displayChanges()]).toEqual([[], []]);
  expect(entry.describe()).toBe(`system viewed Order ${String(order.get('id'))}`);
});

test('V1 a view in a transaction that rolls back leaves none', async () => {
  const id = await auditLog.LogEntry.count();
  const transaction = await sequelize.transaction();
  await auditLog.logAccess(order, { transaction });
  await transaction.rollback();
  expect(await auditLog.LogEntry.count()).toBe(id);
});

test('a view of an unregistered model is refused', async () => {
  expect((await refusalOf(() => auditLog.logAccess(ann))).code).toBe('ERR_AUDIT_NOT_REGISTERED');
});
