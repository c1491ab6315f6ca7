import { DataTypes, type BelongsToManyAddAssociationMixin, type Model } from 'sequelize';
import { createAuditLog } from 'sequelize-auditlog';
import { actionsOf, entriesOf, openAudited, refusalOf } from '../support/audited';
import { testDatabase } from '../support/database';

const database = testDatabase();
const { sequelize } = database;
const Order = sequelize.define('Order', { status: DataTypes.TEXT });
const auditLog = createAuditLog(sequelize);

beforeAll(async () => {
  auditLog.registerAudited(Order, { labels: { status: 'Status of it' }, repr: 'Order {id} - {status}' });
  await openAudited(database, auditLog);
});
afterAll(() => database.close());

async function formerly(): Promise<Model> {
  auditLog.registerAudited(Order, { labels: { status: 'Status of it' }, repr: 'Order {id} - {status}' });
  const order = await Order.create({ status: 'old' });
  expect(auditLog.unregister(Order)).toBe(true);
  return order;
}

test('K1 K2 K3 after unregister no create, update or delete is logged', async () => {
  await formerly();
  const work = async () => {
    const order = await Order.create({ status: 'a' });
    await order.update({ status: 'b' });
    await order.destroy();
    await Order.bulkCreate([{}, {}]);
    await Order.destroy({ where: {} });
  };
  expect(await entriesOf(auditLog, work)).toEqual([]);
});

test('K5 K6 K7 old entries of an unregistered model stay readable, raw, displayed and in a line', async () => {
  const order = await formerly();
  const [entry] = await auditLog.LogEntry.forObject(Order, order.get('id') as number);
  expect(entry!.changes).toEqual({ id: [null, order.get('id')], status: [null, 'old'] });
  expect(entry!.displayChanges()[1]).toEqual({
    attribute: 'status',
    label: 'status',
    old: 'null',
    new: 'old',
  });
  expect(entry!.describe()).toBe(`system created Order ${String(order.get('id'))} - old`);
  expect(await auditLog.LogEntry.forObject('Order', String(order.get('id')))).toHaveLength(1);
});

test('K1 unregister of an unknown model does nothing', async () => {
  const Never = sequelize.define('Never', {});
  expect(auditLog.unregister(Never)).toBe(false);
  await formerly();
  expect(auditLog.unregister(Order)).toBe(false);
});

test('a model registered again is logged again', async () => {
  const order = await formerly();
  auditLog.registerAudited(Order);
  expect(actionsOf(await entriesOf(auditLog, () => order.update({ status: 'new' })))).toEqual([
    'update Order',
  ]);
});

test('K14 registering one model registers only that one', async () => {
  const Other = sequelize.define('Other', { text: DataTypes.TEXT });
  const Only = sequelize.define('Only', { text: DataTypes.TEXT });
  await sequelize.sync();
  auditLog.registerAudited(Only);
  const work = () => Promise.all([Other.create({}), Only.create({})]);
  expect(actionsOf(await entriesOf(auditLog, work))).toEqual(['create Only']);
});

interface Tagged extends Model {
  addTag: BelongsToManyAddAssociationMixin<Model, number>;
  addFlag: BelongsToManyAddAssociationMixin<Model, number>;
}

test('K17 K37 only associations that are named are tracked', async () => {
  const Owner = sequelize.define<Tagged>('Owner', {});
  const Tag = sequelize.define('Tag', {});
  Owner.belongsToMany(Tag, { through: 'owner_tags', as: { singular: 'tag', plural: 'tags' } });
  Owner.belongsToMany(Tag, { through: 'owner_flags', as: { singular: 'flag', plural: 'flags' } });
  auditLog.registerAudited(Owner, { associations: ['tags'] });
  await sequelize.sync();
  const [owner, tag] = [await Owner.create({}), await Tag.create({})];
  const entries = await entriesOf(auditLog, async () => {
    await owner.addTag(tag);
    await owner.addFlag(tag);
  });
  expect(entries.map(({ changes }) => Object.keys(changes!))).toEqual([['tags']]);
});

test('K41 a second audit log of the instance is refused, so that nothing is logged twice', async () => {
  const error = await refusalOf(() => createAuditLog(sequelize));
  expect(error.code).toBe('ERR_AUDIT_ALREADY_CREATED');
  expect(error.message).toContain('getAuditLog(sequelize)');
});

test('K41 actions choose which events leave an entry', async () => {
  const Chosen = sequelize.define('Chosen', { text: DataTypes.TEXT });
  const chosen = auditLog.registerAudited(Chosen, { actions: ['delete'], snapshots: true });
  await Chosen.sync();
  await auditLog.sync();
  const entries = await entriesOf(auditLog, async () => {
    const row = await Chosen.create({ text: 'a' });
    await row.update({ text: 'b' });
    await row.destroy();
  });
  expect(actionsOf(entries)).toEqual(['delete Chosen']);
  expect(await chosen.Snapshot.count()).toBe(1);
});
