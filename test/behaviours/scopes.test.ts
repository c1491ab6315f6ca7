import { DataTypes, type BelongsToManyAddAssociationMixin, type Model } from 'sequelize';
import { createAuditLog } from 'sequelize-auditlog';
import { actionsOf, entriesOf, entryOf, openAudited } from '../support/audited';
import { testDatabase } from '../support/database';

interface OrderRow extends Model {
  addTag: BelongsToManyAddAssociationMixin<Model, number>;
}

const database = testDatabase();
const { sequelize } = database;
const visible = {
  defaultScope: { where: { hidden: false } },
  scopes: { hidden: { where: { hidden: true } } },
};
const hidden = { type: DataTypes.BOOLEAN, defaultValue: false };
const Order = sequelize.define<OrderRow>('Order', { text: DataTypes.TEXT, hidden }, visible);
const Tag = sequelize.define('Tag', { name: DataTypes.TEXT, hidden }, visible);
const Note = sequelize.define('Note', { text: DataTypes.TEXT }, { paranoid: true });
Order.belongsToMany(Tag, { through: 'order_tags', as: { singular: 'tag', plural: 'tags' } });
Note.belongsTo(Order, { foreignKey: 'orderId' });
const auditLog = createAuditLog(sequelize);
auditLog.registerAudited(Order, { associations: ['tags'] });
auditLog.registerAudited(Tag, { repr: 'Tag {name}' });
auditLog.registerAudited(Note);

beforeAll(() => openAudited(database, auditLog));
afterAll(() => database.close());

test.each([
  ['X2 a visible row', false],
  ['X3 a row hidden by the default scope', true],
])('%s is logged with its real old value', async (_title, isHidden) => {
  const row = await Order.create({ text: 'old', hidden: isHidden });
  expect((await entryOf(auditLog, () => row.update({ text: 'new' }))).changes).toEqual({
    text: ['old', 'new'],
  });
});

test('X3 so is one that a scope, unscoped() or a query reaches', async () => {
  const { id } = (await Order.create({ text: 'a', hidden: true })).get() as { id: number };
  const changes = await entriesOf(auditLog, async () => {
    await (await Order.scope('hidden').findByPk(id))!.update({ text: 'b' });
    await (await Order.unscoped().findByPk(id))!.update({ text: 'c' });
    await Order.unscoped().update({ text: 'd' }, { where: { id } });
    await Order.scope('hidden').destroy({ where: { id } });
  });
  expect(changes.map((entry) => entry.changes!['text'])).toEqual([
    ['a', 'b'],
    ['b', 'c'],
    ['c', 'd'],
    ['d', null],
  ]);
});

test('X4 a key of a hidden row is shown as any other', async () => {
  const order = await Order.create({ hidden: true });
  const entry = await entryOf(auditLog, () => Note.create({ orderId: order.get('id') }));
  expect(entry.changes!['orderId']).toEqual([null, order.get('id')]);
  const pk = String(order.get('id'));
  expect(entry.displayChanges()).toContainEqual({
    attribute: 'orderId',
    label: 'orderId',
    old: 'null',
    new: pk,
  });
});

test('X6 X7 X8 linking a hidden row is logged once, among the added, and shown', async () => {
  const [order, tag] = [await Order.create({}), await Tag.create({ name: 'secret', hidden: true })];
  const entry = await entryOf(auditLog, () => order.addTag(tag.get('id') as number));
  const link = { pk: String(tag.get('id')), repr: 'Tag secret' };
  expect(entry.changes).toEqual({ tags: { type: 'm2m', added: [link], removed: [] } });
  expect(entry.displayChanges()[0]!.new).toBe('added Tag secret');
});

describe('a paranoid model', () => {
  test('logs a soft delete as a delete with what changed, a restore as an update', async () => {
    const note = await Note.create({ text: 'a' });
    const entries = await entriesOf(auditLog, async () => {
      await note.destroy();
      await note.restore();
    });
    expect(actionsOf(entries)).toEqual(['delete Note', 'update Note']);
    expect(entries.map(({ changes }) => Object.keys(changes!))).toEqual([['deletedAt'], ['deletedAt']]);
    expect(entries[1]!.describe()).toBe(`system restored Note ${String(note.get('id'))}`);
  });

  test('logs changes of a soft-deleted row with its real old value', async () => {
    const note = await Note.create({ text: 'old' });
    await note.destroy();
    const work = () =>
      Note.update({ text: 'new' }, { where: { id: note.get('id') as number }, paranoid: false });
    expect(await entryOf(auditLog, work)).toMatchObject({
      action: 'update',
      changes: { text: ['old', 'new'] },
    });
  });

  test('logs a hard delete of a soft-deleted row with its last state', async () => {
    const note = await Note.create({ text: 'gone' });
    await note.destroy();
    const entry = await entryOf(auditLog, () => note.destroy({ force: true }));
    expect([entry.action, entry.changes!['text']]).toEqual(['delete', ['gone', null]]);
  });

  test('logs setting deletedAt by hand as a delete', async () => {
    const note = await Note.create({ text: 'a' });
    const work = () => Note.update({ deletedAt: new Date() }, { where: { id: note.get('id') as number } });
    expect((await entryOf(auditLog, work)).action).toBe('delete');
  });
});
