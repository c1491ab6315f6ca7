import {
  DataTypes,
  Sequelize,
  type BelongsToManyAddAssociationMixin,
  type BelongsToManySetAssociationsMixin,
  type Model,
} from 'sequelize';
import { createAuditLog, withAuditContext, withoutAudit } from 'sequelize-auditlog';
import { actionsOf, entriesOf, entryOf, openAudited, refusalOf, rowOf } from '../support/audited';
import { testDatabase } from '../support/database';

const database = testDatabase();
const { sequelize } = database;

interface Linked extends Model {
  addTag: BelongsToManyAddAssociationMixin<Model, number>;
  setOrders: BelongsToManySetAssociationsMixin<Model, number>;
}

const Order = sequelize.define<Linked>('Order', { status: DataTypes.TEXT });
const Tag = sequelize.define<Linked>('Tag', { name: DataTypes.TEXT });
Order.belongsToMany(Tag, { through: 'order_tags', as: { singular: 'tag', plural: 'tags' } });
Tag.belongsToMany(Order, { through: 'order_tags', as: { singular: 'order', plural: 'orders' } });
const auditLog = createAuditLog(sequelize);
auditLog.registerAudited(Order, { associations: ['tags'], snapshots: true });
auditLog.registerAudited(Tag, { associations: ['orders'] });

beforeAll(() => openAudited(database, auditLog));
afterAll(() => database.close());

test('E1 { audit: false } leaves no entry of a create, an update and a delete, which are made', async () => {
  let order: Model;
  expect(
    await entriesOf(auditLog, async () => (order = await Order.create({ status: 'a' }, { audit: false }))),
  ).toEqual([]);
  expect(await entriesOf(auditLog, () => order.update({ status: 'b' }, { audit: false }))).toEqual([]);
  expect(await rowOf(Order, order!.get('id'))).toMatchObject({ status: 'b' });
  expect(await entriesOf(auditLog, () => order.destroy({ audit: false }))).toEqual([]);
  expect(await rowOf(Order, order!.get('id'))).toBeNull();
});

test('E3 { audit: false } leaves no entry of bulk writes, and none of the next call is lost', async () => {
  const work = async () => {
    await Order.bulkCreate([{ status: 'bulk' }, { status: 'bulk' }], { audit: false });
    await Order.update({ status: 'moved' }, { where: { status: 'bulk' }, audit: false });
    await Order.destroy({ where: { status: 'moved' }, audit: false });
  };
  expect(await entriesOf(auditLog, work)).toEqual([]);
  expect(actionsOf(await entriesOf(auditLog, () => Order.bulkCreate([{}, {}])))).toHaveLength(2);
});

test('E1 a version is not written either', async () => {
  const order = await Order.create({ status: 'a' }, { audit: false });
  expect(await auditLog.audited(Order).versions(order)).toEqual([]);
});

test('E2 a create inside withoutAudit leaves no entry, also after awaits', async () => {
  const work = () =>
    withoutAudit(async () => {
      await Order.findOne();
      await Order.create({});
    });
  expect(await entriesOf(auditLog, work)).toEqual([]);
});

test('E2 withoutAudit ends with its function, also when that throws', async () => {
  const failing = withoutAudit(async () => {
    await Order.create({});
    throw new Error('boom');
  });
  await expect(failing).rejects.toThrow('boom');
  expect((await entryOf(auditLog, () => Order.create({}))).action).toBe('create');
});

test('E2 a context inside withoutAudit does not switch auditing on, nesting ends where it began', async () => {
  const work = () =>
    withoutAudit(async () => {
      await withoutAudit(() => Order.create({}));
      await withAuditContext({ actor: 1 }, () => Order.create({}));
      await Order.create({});
    });
  expect(await entriesOf(auditLog, work)).toEqual([]);
});

test('E2 concurrent work outside withoutAudit is recorded', async () => {
  const work = () =>
    Promise.all([withoutAudit(() => Order.create({ status: 'off' })), Order.create({ status: 'on' })]);
  expect((await entryOf(auditLog, work)).changes).toMatchObject({ status: [null, 'on'] });
});

test('E5 link and unlink inside withoutAudit leave no entry on either side', async () => {
  const [order, tag] = [await Order.create({}), await Tag.create({})];
  const work = () =>
    withoutAudit(async () => {
      await order.addTag(tag);
      await tag.setOrders([]);
    });
  expect(await entriesOf(auditLog, work)).toEqual([]);
  const linked = () => order.addTag(tag);
  expect(actionsOf(await entriesOf(auditLog, linked)).toSorted()).toEqual(['update Order', 'update Tag']);
});

test('E2 access and hand-made entries are silenced too', async () => {
  const order = await Order.create({});
  const work = async () => {
    expect(await withoutAudit(() => auditLog.logAccess(order))).toBeNull();
    expect(await withoutAudit(() => auditLog.log(order, { action: 'approve' }))).toBeNull();
  };
  expect(await entriesOf(auditLog, work)).toEqual([]);
});

test.each([true, false, undefined, null])(
  'W6 a hook of the application that returns %p vetoes no entry',
  async (answer) => {
    const hooks = [
      'beforeCreate',
      'beforeUpdate',
      'beforeDestroy',
      'afterCreate',
      'afterUpdate',
      'afterDestroy',
    ] as const;
    for (const hook of hooks) Order.addHook(hook, 'answering', () => answer as never);
    const entries = await entriesOf(auditLog, async () => {
      const order = await Order.create({});
      await order.update({ status: 'x' });
      await order.destroy();
    });
    for (const hook of hooks) Order.removeHook(hook, 'answering');
    expect(actionsOf(entries)).toEqual(['create Order', 'update Order', 'delete Order']);
  },
);

test.each(['requireActor', 'remoteAddr', 'request', 'preparedStatements'] as const)(
  'E6 a non-boolean %s is refused by name',
  async (option) => {
    const sequelizeOfItsOwn = new Sequelize('postgres://nobody@localhost/nowhere');
    const error = await refusalOf(() => createAuditLog(sequelizeOfItsOwn, { [option]: 'yes' }));
    expect(error.code).toBe('ERR_AUDIT_INVALID_OPTION');
    expect(error.message).toMatch(
      new RegExp(`^createAuditLog: option "${option}" must be a boolean.*, got string "yes"\\.$`),
    );
  },
);

test.each([true, null, 'no', 0, []])(
  'E6 a call option audit: %p is refused and nothing is written',
  async (audit) => {
    const before = await Order.count();
    const error = await refusalOf(() => Order.create({}, { audit: audit as never }));
    expect(error.code).toBe('ERR_AUDIT_INVALID_ARGUMENT');
    expect(error.message).toContain('option "audit"');
    expect(await Order.count()).toBe(before);
  },
);
