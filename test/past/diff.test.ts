import { DataTypes, type Model, type ModelStatic } from 'sequelize';
import {
  createAuditLog,
  withoutAudit,
  type AuditedModel,
  type LogEntry,
  type RegistrationOptions,
} from 'sequelize-auditlog';
import { openAudited, refusalOf } from '../support/audited';
import { testDatabase } from '../support/database';
import { loggedBy } from '../support/statements';

type Row = Model & Record<string, any>;

const database = testDatabase();
const { sequelize } = database;
const Tag = sequelize.define<Row>('Tag', { name: DataTypes.TEXT }, { timestamps: false });

function defineOrder(name: string): ModelStatic<Row> {
  const Order = sequelize.define<Row>(
    name,
    {
      status: DataTypes.TEXT,
      total: { type: DataTypes.DECIMAL(10, 2), field: 'the_total' },
      data: DataTypes.JSONB,
      paidAt: DataTypes.DATE,
      tagId: DataTypes.INTEGER,
      secret: DataTypes.TEXT,
      card: { type: DataTypes.TEXT, field: 'card_number' },
      pin: DataTypes.INTEGER,
      notes: DataTypes.TEXT,
    },
    { paranoid: true, version: true },
  );
  Order.belongsToMany(Tag, { through: `${name}Label`, as: { singular: 'label', plural: 'labels' } });
  return Order;
}

const auditLog = createAuditLog(sequelize);
const optionsOf = (name: string): RegistrationOptions<Row> => ({
  exclude: ['notes'],
  mask: { card: { keepLast: 4 }, pin: true },
  associations: ['labels'],
  repr: '{status}',
  snapshots: name === 'Versioned',
});
const kinds = ['Versioned', 'Logged'].map((name): [string, ModelStatic<Row>, AuditedModel<Row>] => {
  const model = defineOrder(name);
  return [name, model, auditLog.registerAudited(model, optionsOf(name))];
});

beforeAll(() => openAudited(database, auditLog));
afterAll(() => database.close());

describe.each(kinds)('diff of a model: %s', (_, Order, orders) => {
  const newest = async (row: Row): Promise<LogEntry> => (await orders.entries(row, { limit: 1 }))[0]!;
  const linkOf = (tag: Row) => ({ pk: String(tag['id']), repr: `Tag ${tag['id']}` });

  test('H233, H237, H251 what differs, in definition order; from the later time it is swapped', async () => {
    const paidAt = new Date('2026-11-21T10:00:00.123Z');
    const row = await Order.create({ status: 'new', total: '10', tagId: 7, data: { a: 1, b: [2] } });
    const created = await newest(row);
    await row.update({
      total: '10.50',
      paidAt,
      data: { b: [2], a: 1 },
      tagId: null,
      secret: 'x',
      notes: 'y',
    });
    const paid = await newest(row);
    await row.update({ status: 'sent' });
    const { changes, changedAttributes, oldRecord, newRecord } = await orders.diff(row, created, paid);
    expect(changes).toEqual([
      { attribute: 'total', old: '10.00', new: '10.50' },
      { attribute: 'paidAt', old: null, new: paidAt },
      { attribute: 'tagId', old: 7, new: null },
      { attribute: 'secret', old: null, new: '********' },
    ]);
    expect(changedAttributes).toEqual(['total', 'paidAt', 'tagId', 'secret']);
    expect([oldRecord, newRecord].map((each) => each.get('total'))).toEqual(['10.00', '10.50']);
    expect(oldRecord).toBeInstanceOf(Order);
    expect([newRecord['secret'], newRecord['notes'], newRecord['status']]).toEqual([
      undefined,
      undefined,
      'new',
    ]);
    await expect(newRecord.save()).rejects.toMatchObject({ code: 'ERR_AUDIT_READ_ONLY' });
    const swapped = await orders.diff(row['id'], paid, created);
    expect(swapped.changes).toEqual(
      changes.map((each) => ({ ...each, old: (each as any).new, new: (each as any).old })),
    );
    expect((await orders.diff(row, 'current', created)).changes[0]).toEqual({
      attribute: 'status',
      old: 'sent',
      new: 'new',
    });
    expect((await orders.diff(row, paid, paid)).changes).toEqual([]);
    const statements = await loggedBy(sequelize, () => orders.diff(row, created, paid));
    // One for each side, one for the links, one for whether links were pruned.
    expect(statements).toHaveLength(4);
  });

  test('fault 49: masked attributes come with their masks, as diffAgainst has them, and are unset in the records', async () => {
    const row = await Order.create({ status: 'new', card: '4111111111111111', pin: 123456789 });
    const created = await newest(row);
    await row.update({ card: '5500000000005559', pin: 987654321, secret: 'word' });
    const changed = await newest(row);
    await row.update({ status: 'b', card: '5600000000005559', pin: null });
    const card = { attribute: 'card', old: '********1111', new: '********5559' };
    const secret = { attribute: 'secret', old: null, new: '********' };
    const pin = { attribute: 'pin', old: '********', new: null };
    const first = await orders.diff(row, created, changed);
    expect(first.changes).toEqual([secret, card]);
    for (const record of [first.oldRecord, first.newRecord])
      expect([record['card'], record['pin'], record['secret']]).toEqual([undefined, undefined, undefined]);
    const now = await orders.diff(row, created, 'current', { exclude: ['secret'] });
    expect(now.changes).toEqual([{ attribute: 'status', old: 'new', new: 'b' }, card, pin]);
    expect((await orders.diff(row, changed, 'current', { include: ['card', 'pin'] })).changes).toEqual([pin]);
    await row.destroy({ force: true });
    expect((await orders.diff(row['id'], created, changed)).changes).toEqual([secret, card]);
  });

  test('fault 49: what was recorded before its mask is masked in a comparison', async () => {
    const bare = auditLog.registerAudited(Order, { mask: [], snapshots: Order.name === 'Versioned' });
    const row = await Order.create({ status: 'new', card: '4111111111111111', pin: 1 });
    const created = await newest(row);
    await row.update({ card: 'short', pin: null });
    const changed = (await bare.entries(row, { limit: 1 }))[0]!;
    const again = auditLog.registerAudited(Order, { ...optionsOf(Order.name) });
    expect((await again.diff(row, created, changed)).changes).toEqual([
      { attribute: 'card', old: '********1111', new: '********' },
      { attribute: 'pin', old: '********', new: null },
    ]);
  });

  test('H247, H250, H251, H253, H255 links are added and removed by key, net over the time', async () => {
    const ids = [998, 1010, 999].map((each) => each + (Order.name === 'Logged' ? 9000 : 0));
    const tags = await Tag.bulkCreate(ids.map((id) => ({ id })));
    const [two, ten, nine] = tags as [Row, Row, Row];
    const row = await Order.create({ status: 'new' });
    const created = await newest(row);
    await row['addLabels']([two]);
    const linked = await newest(row);
    await row['setLabels']([ten, nine]);
    const set = await newest(row);
    const name = 'labels';
    expect((await orders.diff(row, created, set)).changes).toEqual([
      { attribute: name, added: [linkOf(nine), linkOf(ten)], removed: [] },
    ]);
    expect((await orders.diff(row, set, linked)).changes).toEqual([
      { attribute: name, added: [linkOf(two)], removed: [linkOf(nine), linkOf(ten)] },
    ]);
    await row['setLabels']([two]);
    expect((await orders.diff(row, linked, 'current')).changes).toEqual([]);
    await two.destroy();
    expect((await orders.diff(row, linked, 'current')).changes).toEqual([
      { attribute: name, added: [], removed: [linkOf(two)] },
    ]);
  });

  test('links go along with a row that gets another key, and come back with it', async () => {
    const [one, two] = await Tag.bulkCreate([{}, {}]);
    const row = await Order.create({ status: 'new' });
    await row['addLabel'](one);
    const linked = await newest(row);
    const [home, away] = [Number(row['id']), Number(row['id']) + 1000];
    await Order.update({ id: away }, { where: { id: home } });
    const [moved] = await orders.entries(away, { limit: 1 });
    expect((await orders.diff(away, moved!, 'current')).changes).toEqual([]);
    await (await Order.findByPk(away, { rejectOnEmpty: true }))['addLabel'](two);
    await Order.update({ id: home }, { where: { id: away } });
    const labels = { attribute: 'labels', added: [linkOf(two!)], removed: [] };
    expect((await orders.diff(home, linked, 'current')).changes).toEqual([labels]);
    const { changes } = await orders.revert(home, { to: linked, force: true });
    expect(changes).toEqual([{ attribute: 'labels', added: [], removed: [linkOf(two!)] }]);
    expect((await orders.diff(home, linked, 'current')).changes).toEqual([]);
  });

  test('H249 names narrow it down; without links nothing is read for them', async () => {
    const tag = await Tag.create({});
    const row = await Order.create({ status: 'new' });
    const created = await newest(row);
    await row.update({ status: 'b', total: '1' });
    await row['addLabel'](tag);
    const names = async (options: object): Promise<string[]> =>
      (await orders.diff(row, created, 'current', options)).changedAttributes;
    expect(await names({ include: ['labels'] })).toEqual(['labels']);
    expect(await names({ exclude: ['labels', 'total'] })).toEqual(['status']);
    expect(await names({ include: [] })).toEqual([]);
    expect(await names({ include: ['updatedAt', 'labels'], exclude: ['labels'] })).toEqual(['updatedAt']);
    expect(await loggedBy(sequelize, () => names({ exclude: ['labels'] }))).toHaveLength(2);
    await expect(names({ include: ['lables'] })).rejects.toMatchObject({
      code: 'ERR_AUDIT_UNKNOWN_ATTRIBUTE',
      message: expect.stringContaining('labels'),
    });
  });

  test('H250 links that were there before anything was recorded are known once they go', async () => {
    const [one, two] = await Tag.bulkCreate([{}, {}]);
    const row = await Order.create({ status: 'new' });
    await withoutAudit(() => row['addLabels']([one, two]));
    const before = await newest(row);
    await row.update({ status: 'b' });
    await row['removeLabel'](one);
    expect((await orders.diff(row, before, 'current')).changes).toEqual([
      { attribute: 'status', old: 'new', new: 'b' },
      { attribute: 'labels', added: [], removed: [linkOf(one!)] },
    ]);
    // Deleted with its links, and created again without.
    const last = await newest(row);
    await row.destroy({ force: true });
    await Order.create({ id: row['id'], status: 'c' });
    await row['addLabels']([one]);
    expect((await orders.diff(row['id'], before, 'current')).changes).toContainEqual({
      attribute: 'status',
      old: 'new',
      new: 'c',
    });
    expect((await orders.diff(row['id'], last, 'current')).changes.at(-1)).toEqual({
      attribute: 'labels',
      added: [linkOf(one!)],
      removed: [],
    });
  });

  test('a soft delete is a change of deletedAt', async () => {
    const row = await Order.create({ status: 'new' });
    const created = await newest(row);
    await row.destroy();
    expect((await orders.diff(row, created, 'current')).changes).toEqual([
      { attribute: 'deletedAt', old: null, new: row['deletedAt'] },
    ]);
  });

  test('times without the object, unknown ones and what is no time are refused before anything is read', async () => {
    const before = new Date(Date.now() - 60_000);
    const row = await Order.create({ status: 'new' });
    const codeOf = async (from: unknown, to: unknown, object: unknown = row) =>
      (await refusalOf(() => orders.diff(object as Row, from as Date, to as Date))).code;
    expect(await codeOf(before, 'current')).toBe('ERR_AUDIT_NOT_THERE');
    expect(await codeOf('current', 'now')).toBe('ERR_AUDIT_INVALID_ARGUMENT');
    expect(await codeOf('current', before, Tag.build({}))).toBe('ERR_AUDIT_INVALID_ARGUMENT');
    await row.destroy({ force: true });
    expect(await codeOf(new Date(), 'current')).toBe('ERR_AUDIT_NOT_THERE');
    const unseen = await withoutAudit(() => Order.create({ status: 'new' }));
    await unseen.update({ status: 'b' });
    expect(await codeOf(before, 'current', unseen)).toBe('ERR_AUDIT_HISTORY_GAP');
    expect(await loggedBy(sequelize, () => codeOf(before, 'tomorrow'))).toEqual([]);
  });
});
