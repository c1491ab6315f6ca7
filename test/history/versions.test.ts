import { expectTypeOf } from 'expect-type';
import { DataTypes, Model } from 'sequelize';
import type { LogEntry } from '../../lib/schema/log-entry';
import type { Snapshot } from '../../lib/schema/snapshot-model';
import { testDatabase } from '../support/database';
import { loggedBy } from '../support/statements';
import {
  auditFixture,
  defineModels,
  insert,
  insertEntry,
  Order,
  OrderItem,
  User,
  ORDER_HISTORY,
} from './fixture';

const database = testDatabase();
defineModels(database);
const { sequelize } = database;
const audit = auditFixture(database);
const orders = audit.register(Order, { snapshots: ORDER_HISTORY, exclude: ['notes'], mask: ['cardNumber'] });
const items = audit.register(OrderItem, { snapshots: { snapshotName: 'Line' } });
const users = audit.register(User);

const DAY = '2026-11-21';
const at = (time: string): string => `${DAY}T${time}Z`;

async function version(row: Record<string, unknown>): Promise<string> {
  const { data = null, ...rest } = row;
  const defaults = { id: 1, status: 'pending', history_date: at('10:00:00.000001'), history_type: '~' };
  return insert(database, 'orders_history', {
    ...defaults,
    data: data === null ? null : JSON.stringify(data),
    ...rest,
  });
}

beforeAll(async () => {
  await database.open();
  await sequelize.sync();
  await audit.sync();
});
beforeEach(async () => {
  await database.admin.query(
    'truncate orders_history, order_items_history, audit_log_entries restart identity',
  );
});
afterAll(() => database.close());

describe('the Snapshot model', () => {
  test('has the tracked attributes under their names, masked ones and enums as text, and its own', () => {
    const { Snapshot: model } = orders;
    expect(model.name).toBe('OrderSnapshot');
    expect(items.Snapshot.name).toBe('Line');
    const types = Object.fromEntries(
      Object.entries(model.getAttributes()).map(([name, each]) => [
        name,
        [each.field, (each.type as unknown as { key: string }).key],
      ]),
    );
    expect(types).toEqual({
      id: ['id', 'INTEGER'],
      status: ['status', 'TEXT'],
      total: ['total', 'DECIMAL'],
      cardNumber: ['card', 'TEXT'],
      data: ['data', 'JSONB'],
      customerId: ['customer_id', 'INTEGER'],
      createdAt: ['created_at', 'DATE'],
      updatedAt: ['updated_at', 'DATE'],
      historyId: ['history_id', 'BIGINT'],
      historyDate: ['history_date', 'DATE'],
      historyType: ['history_type', 'TEXT'],
      historyUserId: ['history_user_id', 'TEXT'],
      historyChangeReason: ['history_change_reason', 'TEXT'],
      logEntryId: ['log_entry_id', 'BIGINT'],
    });
    expect(model.primaryKeyAttributes).toEqual(['historyId']);
    expect(
      Object.values(model.getAttributes()).filter(
        (each) => each.references || each.unique || each.autoIncrement,
      ),
    ).toEqual([]);
  });

  test('reads values raw: getters of the model are not copied', async () => {
    await version({
      status: 'gone',
      total: '9.50',
      data: { a: 1 },
      card: '********',
      created_at: at('09:00:00'),
    });
    const [found] = await orders.versions(1);
    expect(found).toMatchObject({
      status: 'gone',
      total: '9.50',
      data: { a: 1 },
      cardNumber: '********',
      createdAt: new Date(at('09:00:00')),
      historyId: '1',
      historyDate: new Date(at('10:00:00.000')),
      historyType: '~',
      historyUserId: null,
      logEntryId: null,
    });
    expect(found!.toJSON()).toMatchObject({ historyDate: at('10:00:00.000001') });
  });

  test('is not one of the application’s models', () => {
    expect(orders.Snapshot).toBeDefined();
    expect(Object.keys(sequelize.models).toSorted()).toEqual(['Order', 'OrderItem', 'User']);
  });

  test('survives sync({ force }) and drop', async () => {
    await version({});
    await sequelize.sync({ force: true });
    await sequelize.truncate({ cascade: true });
    expect(await orders.Snapshot.count()).toBe(1);
  });

  test('E48 E49 is read-only, its instances too', async () => {
    await version({});
    const [found] = await orders.versions(1);
    const code = { code: 'ERR_AUDIT_READ_ONLY' };
    await expect(orders.Snapshot.create({} as never)).rejects.toMatchObject(code);
    await expect(orders.Snapshot.destroy({ where: {} })).rejects.toMatchObject(code);
    await expect(orders.Snapshot.update({ status: 'x' }, { where: {} })).rejects.toMatchObject(code);
    await expect(found!.update({ status: 'x' } as never)).rejects.toMatchObject(code);
    await expect(found!.destroy()).rejects.toMatchObject(code);
    expect(await database.rows('select status from orders_history')).toEqual([{ status: 'pending' }]);
  });

  test('brings the entry by the association logEntry, with microseconds', async () => {
    const entryId = await insertEntry(database, { timestamp: at('10:00:00.000001'), actor_label: 'alice' });
    await version({ log_entry_id: entryId });
    const [found] = await orders.versions(1, { include: 'logEntry' });
    expect(found!.logEntry).toMatchObject({ id: entryId, actorLabel: 'alice' });
    expect(found!.logEntry!.describe()).toBe('alice updated Order 1');
    expect(found!.logEntry!.toJSON().timestamp).toBe(at('10:00:00.000001'));
    expect(JSON.parse(JSON.stringify(found))).toMatchObject({ logEntry: { id: entryId } });
  });

  test('is the same until the model’s columns change, then it has them', async () => {
    class Growing extends Model {}
    Growing.init({ name: DataTypes.TEXT }, { sequelize, tableName: 'growing', timestamps: false });
    const growing = audit.register(Growing, { snapshots: true });
    const before = growing.Snapshot;
    expect(growing.Snapshot).toBe(before);
    Growing.belongsTo(User, { foreignKey: 'ownerId' });
    expect(growing.Snapshot).not.toBe(before);
    expect(Object.keys(growing.Snapshot.getAttributes())).toContain('ownerId');
    sequelize.modelManager.removeModel(Growing);
    audit.registry.unregister(Growing);
  });

  test('is typed by the model’s attributes', () => {
    type Version = Snapshot<Order>;
    expectTypeOf<Version['status']>().toEqualTypeOf<string>();
    expectTypeOf<Version['historyId']>().toEqualTypeOf<string>();
    expectTypeOf<Version['logEntry']>().toEqualTypeOf<LogEntry | null | undefined>();
    expectTypeOf<Version>().not.toHaveProperty('nothing');
    expectTypeOf(orders.versions).returns.resolves.toEqualTypeOf<Version[]>();
    expectTypeOf<ReturnType<Version['toInstance']>>().toEqualTypeOf<Order>();
  });

  test('a missing history table and a missing column are told apart', async () => {
    await database.admin.query('alter table orders_history rename to away');
    await expect(orders.versions(1)).rejects.toMatchObject({ code: 'ERR_AUDIT_MISSING_TABLE' });
    await database.admin.query('alter table away rename column total to was_total');
    await database.admin.query('alter table away rename to orders_history');
    await expect(orders.versions(1)).rejects.toMatchObject({ code: 'ERR_AUDIT_MISSING_COLUMN' });
    await database.admin.query('alter table orders_history rename column was_total to total');
  });
});

describe('versions', () => {
  beforeEach(async () => {
    await version({ history_type: '+' });
    await version({ id: 2, history_type: '+' });
    await version({ history_date: at('11:00:00'), status: 'shipped' });
    await version({ history_date: at('11:00:00'), status: 'lost' });
  });

  const ids = (found: { historyId: string }[]): string[] => found.map((each) => each.historyId);

  test('H163 E27 of one object come newest first, by id where dates are equal', async () => {
    expect(ids(await orders.versions(1))).toEqual(['4', '3', '1']);
    expect(ids(await orders.versions({ id: '1' }))).toEqual(['4', '3', '1']);
    expect(ids(await orders.versions(Order.build({ id: 2, status: '' })))).toEqual(['2']);
    expect(ids(await orders.versions(99))).toEqual([]);
  });

  test('take find options', async () => {
    expect(ids(await orders.versions(1, { where: { status: 'shipped' } }))).toEqual(['3']);
    expect(ids(await orders.versions(1, { limit: 1, offset: 1 }))).toEqual(['3']);
    expect(ids(await orders.versions(1, { order: [['historyId', 'ASC']] }))).toEqual(['1', '3', '4']);
    expect(ids(await orders.versions(1, { where: sequelize.literal('1 = 1 or 1 = 1') as never }))).toEqual([
      '4',
      '3',
      '1',
    ]);
  });

  test('a key that can’t be one has none', async () => {
    expect(await orders.versions('abc')).toEqual([]);
    expect(await orders.mostRecent('99999999999')).toBeNull();
  });

  test('of a composite key', async () => {
    const row = { sku: 'a', order_id: 2, history_date: DAY, history_type: '+' };
    await insert(database, 'order_items_history', row);
    await insert(database, 'order_items_history', { ...row, sku: 'b' });
    expect(await items.versions(['a', 2])).toHaveLength(1);
    expect(await items.versions({ orderId: '2', sku: 'b' })).toHaveLength(1);
  });

  test('H166 H167 E39 mostRecent is the last one, also of a deleted object', async () => {
    await version({ history_type: '-', history_date: at('12:00:00') });
    expect(await orders.mostRecent(1)).toMatchObject({ historyId: '5', historyType: '-' });
    expect(await orders.mostRecent(3)).toBeNull();
  });

  test('H170 H171 H175 prevRecord and nextRecord walk one object’s versions, one query each', async () => {
    const [last, middle, first] = await orders.versions(1);
    expect((await last!.prevRecord())!.historyId).toBe(middle!.historyId);
    expect((await middle!.prevRecord())!.historyId).toBe(first!.historyId);
    expect(await first!.prevRecord()).toBeNull();
    expect((await first!.nextRecord())!.historyId).toBe(middle!.historyId);
    expect((await middle!.nextRecord())!.historyId).toBe(last!.historyId);
    expect(await last!.nextRecord()).toBeNull();
    expect(await loggedBy(sequelize, () => last!.prevRecord())).toHaveLength(1);
  });

  test('a version without its key can’t walk', async () => {
    const found = await orders.Snapshot.findOne({ attributes: ['historyId', 'historyDate'] });
    await expect(found!.prevRecord()).rejects.toMatchObject({ code: 'ERR_AUDIT_INVALID_ARGUMENT' });
  });

  test('without snapshots each member says so', async () => {
    const code = { code: 'ERR_AUDIT_NO_SNAPSHOTS' };
    await expect(users.versions(1)).rejects.toMatchObject(code);
    await expect(users.mostRecent(1)).rejects.toMatchObject(code);
    expect(() => users.Snapshot).toThrow(expect.objectContaining(code));
    await expect(users.entries(1)).resolves.toEqual([]);
  });

  test('entries of a version are those of its object', async () => {
    const entryId = await insertEntry(database);
    const [found] = await orders.versions(1);
    expect((await audit.LogEntry.forObject(found!)).map((entry) => entry.id)).toEqual([entryId]);
    expect((await orders.entries(found as never)).map((entry) => entry.id)).toEqual([entryId]);
  });
});

describe('diffAgainst', () => {
  async function pair(
    older: Record<string, unknown>,
    newer: Record<string, unknown>,
  ): Promise<[Snapshot<Order>, Snapshot<Order>]> {
    await version(older);
    await version({ history_date: at('11:00:00'), ...newer });
    const [b, a] = await orders.versions(1);
    return [a!, b!];
  }

  test('H233 H234 lists what differs, in definition order, without a query', async () => {
    const [older, newer] = await pair(
      { total: '1.00', data: { a: [1] } },
      { status: 'shipped', total: '1.50', data: { a: [2] } },
    );
    let diff: unknown;
    const sent = await loggedBy(sequelize, () => {
      diff = newer.diffAgainst(older);
    });
    expect(sent).toEqual([]);
    expect(diff).toEqual({
      changes: [
        { attribute: 'status', old: 'pending', new: 'shipped' },
        { attribute: 'total', old: '1.00', new: '1.50' },
        { attribute: 'data', old: { a: [1] }, new: { a: [2] } },
      ],
      changedAttributes: ['status', 'total', 'data'],
      oldRecord: older,
      newRecord: newer,
    });
  });

  test('equal values of every kind are no change, whatever the order of JSON keys', async () => {
    const [older, newer] = await pair({ data: { a: 1, b: [{ c: 2 }] } }, { data: { b: [{ c: 2 }], a: 1 } });
    expect(newer.diffAgainst(older).changes).toEqual([]);
  });

  test('managed timestamps count only when named', async () => {
    const [older, newer] = await pair({ updated_at: at('01:00:00') }, { updated_at: at('02:00:00') });
    expect(newer.diffAgainst(older).changes).toEqual([]);
    expect(newer.diffAgainst(older, { include: ['updatedAt'] }).changes).toEqual([
      { attribute: 'updatedAt', old: new Date(at('01:00:00')), new: new Date(at('02:00:00')) },
    ]);
  });

  test('H242 H243 H245 H246 include and exclude choose, exclude wins, a misspelt name is refused', async () => {
    const [older, newer] = await pair({ total: '1.00' }, { total: '2.00', status: 'shipped' });
    expect(newer.diffAgainst(older, { include: ['total'] }).changedAttributes).toEqual(['total']);
    expect(newer.diffAgainst(older, { exclude: ['total'] }).changedAttributes).toEqual(['status']);
    expect(newer.diffAgainst(older, { include: ['total'], exclude: ['total'] }).changedAttributes).toEqual(
      [],
    );
    expect(newer.diffAgainst(older, { include: [] }).changes).toEqual([]);
    for (const option of ['include', 'exclude']) {
      const misspelt = (): unknown => newer.diffAgainst(older, { [option]: ['totla'] });
      expect(misspelt).toThrow(expect.objectContaining({ code: 'ERR_AUDIT_UNKNOWN_ATTRIBUTE' }));
      expect(misspelt).toThrow('Did you mean "total"?');
    }
  });

  test('a mask that came or went is a change, the values stay hidden', async () => {
    const [older, newer] = await pair({ card: null }, { card: '********' });
    expect(newer.diffAgainst(older).changes).toEqual([
      { attribute: 'cardNumber', old: null, new: '********' },
    ]);
  });

  test.each([
    ['nothing', () => undefined],
    ['an instance of the model', () => Order.build({ id: 1, status: '' })],
    ['a version of another model', () => items.Snapshot.build({} as never)],
  ])('H241 against %s is refused', async (_, other) => {
    await version({});
    const [newer] = await orders.versions(1);
    expect(() => newer!.diffAgainst(other() as never)).toThrow(
      expect.objectContaining({ code: 'ERR_AUDIT_INVALID_ARGUMENT' }),
    );
  });
});

describe('toInstance', () => {
  test('E37 is a detached instance of the model, with its getters and without what is hidden', async () => {
    await version({ status: 'shipped', card: '********', total: '2.00' });
    const [found] = await orders.versions(1);
    const order = found!.toInstance();
    expect(order).toBeInstanceOf(Order);
    expect(order.status).toBe('<shipped>');
    expect(order.shout).toBe('SHIPPED');
    expect(order.isNewRecord).toBe(false);
    expect(order.changed()).toBe(false);
    expect(order.getDataValue('total')).toBe('2.00');
    expect(Object.keys(order.dataValues)).not.toEqual(expect.arrayContaining(['cardNumber']));
    expect(Object.keys(order.dataValues)).not.toEqual(expect.arrayContaining(['notes']));
    expect(Object.keys(order.dataValues)).not.toEqual(expect.arrayContaining(['historyId']));
  });

  test.each(['save', 'update', 'destroy', 'increment', 'decrement', 'restore'] as const)(
    '%s is refused',
    async (method) => {
      await version({});
      const [found] = await orders.versions(1);
      const order = found!.toInstance() as unknown as Record<string, (given: unknown) => Promise<unknown>>;
      await expect(order[method]!({ status: 'x' })).rejects.toMatchObject({ code: 'ERR_AUDIT_READ_ONLY' });
    },
  );

  test('other instances of the model stay writable', async () => {
    await version({});
    (await orders.versions(1))[0]!.toInstance();
    const order = await Order.create({ status: 'pending' });
    await expect(order.update({ status: 'shipped' })).resolves.toBe(order);
  });
});
