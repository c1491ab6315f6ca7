import { DataTypes, Model, Op } from 'sequelize';
import { testDatabase } from '../support/database';
import { loggedBy } from '../support/statements';
import { auditFixture, defineModels, insertEntry, Order, OrderItem, User } from './fixture';

const database = testDatabase();
defineModels(database);
const { sequelize } = database;

class Doc extends Model {
  declare id: string;
}
Doc.init({ id: { type: DataTypes.UUID, primaryKey: true } }, { sequelize, timestamps: false });
class Stray extends Model {}
Stray.init({ name: DataTypes.TEXT }, { sequelize, timestamps: false });
class Event extends Model {}
Event.init(
  { at: { type: DataTypes.DATE, primaryKey: true }, code: { type: DataTypes.CHAR(3), primaryKey: true } },
  { sequelize, timestamps: false },
);

const audit = auditFixture(database, { actor: { model: User } });
const { LogEntry } = audit;
const orders = audit.register(Order);
audit.register(OrderItem, { modelName: 'Line' });
audit.register(Doc);

const UUID = '0b2f8f3e-6a3c-4a53-9c64-0d0f3ab7e001';

beforeAll(async () => {
  await database.open();
  await sequelize.sync();
  await audit.sync();
});
beforeEach(async () => {
  await database.admin.query('truncate audit_log_entries restart identity');
  await database.admin.query('truncate users restart identity cascade');
});
afterAll(() => database.close());

const ids = (entries: { id: string }[]): string[] => entries.map((entry) => entry.id);

describe('forObject', () => {
  test('A29 gives the entries of one object, newest first', async () => {
    await insertEntry(database, { action: 'create' });
    await insertEntry(database, { object_pk: '2' });
    await insertEntry(database);
    expect(ids(await LogEntry.forObject(Order, 1))).toEqual(['3', '1']);
    expect(ids(await orders.entries(1))).toEqual(['3', '1']);
  });

  test('the order is by id, not by time', async () => {
    await insertEntry(database, { timestamp: '2030-01-01' });
    await insertEntry(database, { timestamp: '2020-01-01' });
    expect(ids(await LogEntry.forObject(Order, 1))).toEqual(['2', '1']);
  });

  test.each([
    ['a number', 7],
    ['a text', '7'],
    ['a bigint', 7n],
    ['a text with zeros', '007'],
    ['an array', [7]],
    ['an object', { id: '7' }],
    ['an instance', Order.build({ id: 7, status: 'pending' }, { isNewRecord: false }) as never],
  ])('the key may be %s', async (_, pk) => {
    await insertEntry(database, { object_pk: '7' });
    expect(await LogEntry.forObject(Order, pk)).toHaveLength(1);
    expect(await orders.entries(pk)).toHaveLength(1);
  });

  test.each([
    ['an array in key order', ['a/b', 2]],
    ['an object in any order', { orderId: '2', sku: 'a/b' }],
    ['the text of an entry', '["a/b","2"]'],
  ])('a composite key may be %s', async (_, pk) => {
    await insertEntry(database, { model: 'Line', object_pk: '["a/b","2"]' });
    expect(await LogEntry.forObject(OrderItem, pk)).toHaveLength(1);
  });

  test('L5 a UUID is found in capitals too', async () => {
    await insertEntry(database, { model: 'Doc', object_pk: UUID, action: 'create' });
    await insertEntry(database, { model: 'Doc', object_pk: UUID });
    expect(await LogEntry.forObject(Doc, UUID.toUpperCase())).toHaveLength(2);
    expect(await LogEntry.forObject(Doc.build({ id: UUID }))).toHaveLength(2);
  });

  test('a date in a key has microseconds, a char no padding', async () => {
    await insertEntry(database, { model: 'Event', object_pk: '["2026-11-21T20:17:26.123000Z","ab"]' });
    expect(await LogEntry.forObject(Event, [new Date('2026-11-21T20:17:26.123Z'), 'ab '])).toHaveLength(1);
    expect(await LogEntry.forObject(Event, ['2026-11-21T21:17:26.123+01:00', 'ab'])).toHaveLength(1);
    expect(await LogEntry.forObject(Event, ['2026-11-21T20:17:26.124Z', 'ab'])).toHaveLength(0);
  });

  test('an instance is found by its key alone, also when it is gone', async () => {
    await insertEntry(database, { object_pk: '5', action: 'delete' });
    const gone = Order.build({ id: 5, status: 'pending' });
    expect(ids(await LogEntry.forObject(gone))).toEqual(['1']);
    expect(ids(await LogEntry.forObject(gone, { where: { action: 'create' } }))).toEqual([]);
  });

  test('a registered name stands for the model', async () => {
    await insertEntry(database, { model: 'Line', object_pk: '["a","2"]' });
    expect(await LogEntry.forObject('Line', { orderId: 2, sku: 'a' })).toHaveLength(1);
    await insertEntry(database, { model: 'Gone', object_pk: '9' });
    expect(await LogEntry.forObject('Gone', 9)).toHaveLength(1);
  });

  test('K5 entries of a model that is not registered stay readable', async () => {
    await insertEntry(database, { model: 'Stray', object_pk: '3' });
    expect(await LogEntry.forObject(Stray, 3)).toHaveLength(1);
    expect(await LogEntry.forModel(Stray)).toHaveLength(1);
  });

  test('a scope is its model', async () => {
    await insertEntry(database);
    expect(await LogEntry.forObject(Order.unscoped(), 1)).toHaveLength(1);
  });

  test('an unregistered schema() clone is refused, as its objects are others', async () => {
    const clone = Order.schema('elsewhere');
    await expect(LogEntry.forObject(clone, 1)).rejects.toMatchObject({
      code: 'ERR_AUDIT_UNREGISTERED_SCHEMA',
    });
    await expect(LogEntry.forModel(clone)).rejects.toMatchObject({ code: 'ERR_AUDIT_UNREGISTERED_SCHEMA' });
  });

  test.each([
    ['nothing', [Order, undefined]],
    ['null', [Order, null]],
    ['NaN', [Order, Number.NaN]],
    ['a part too few', [OrderItem, ['a']]],
    ['one value for two', [OrderItem, 'a']],
    ['a part too many', [Order, [1, 2]]],
    ['a missing name', [OrderItem, { sku: 'a' }]],
    ['an unknown name', [Order, { idd: 1 }]],
    ['a date that is none', [Order, new Date(Number.NaN)]],
    ['an instance without key', [Order.build({ status: 'pending' })]],
    ['no subject', [undefined]],
    ['a plain object', [{ id: 1 }]],
  ])('%s is refused', async (_, args) => {
    const forObject = LogEntry.forObject as (...given: unknown[]) => Promise<unknown>;
    await expect(forObject(...args)).rejects.toMatchObject({ code: 'ERR_AUDIT_INVALID_ARGUMENT' });
  });

  test('the message of a misspelt key helps', async () => {
    await expect(LogEntry.forObject(Order, { idd: 1 } as never)).rejects.toThrow('Did you mean "id"?');
  });

  test('an instance of another model is no key of this one', async () => {
    const user = User.build({ id: 1, email: 'a@b.c' });
    await expect(orders.entries(user as never)).rejects.toMatchObject({ code: 'ERR_AUDIT_INVALID_ARGUMENT' });
  });
});

describe('forObjects', () => {
  test('L6 gives the entries of objects of several models in one query', async () => {
    await insertEntry(database, { object_pk: '1' });
    await insertEntry(database, { model: 'Doc', object_pk: UUID });
    await insertEntry(database, { object_pk: '2' });
    await insertEntry(database, { object_pk: '3' });
    await insertEntry(database, { model: 'Doc', object_pk: '1' });
    const objects = [
      Order.build({ id: 1, status: '' }),
      Order.build({ id: 3, status: '' }),
      Doc.build({ id: UUID }),
    ];
    let found: string[] = [];
    const sent = await loggedBy(sequelize, async () => {
      found = ids(await LogEntry.forObjects(objects));
    });
    expect(found).toEqual(['4', '2', '1']);
    expect(sent).toHaveLength(1);
  });

  test('of no object are none, without a query', async () => {
    await insertEntry(database);
    expect(await loggedBy(sequelize, async () => expect(await LogEntry.forObjects([])).toEqual([]))).toEqual(
      [],
    );
  });

  test('what is no list of instances is refused', async () => {
    const forObjects = LogEntry.forObjects as (...given: unknown[]) => Promise<unknown>;
    await expect(forObjects(Order.build())).rejects.toMatchObject({ code: 'ERR_AUDIT_INVALID_ARGUMENT' });
    await expect(forObjects([1])).rejects.toMatchObject({ code: 'ERR_AUDIT_INVALID_ARGUMENT' });
  });
});

describe('find options', () => {
  beforeEach(async () => {
    await insertEntry(database, { action: 'create' });
    await insertEntry(database, { object_pk: '2', action: 'create' });
    await insertEntry(database);
    await insertEntry(database, { model: 'Doc' });
  });

  test('L8 forModel filters further by key and action', async () => {
    expect(ids(await LogEntry.forModel(Order))).toEqual(['3', '2', '1']);
    expect(ids(await LogEntry.forModel(Order, { where: { objectPk: '1', action: 'create' } }))).toEqual([
      '1',
    ]);
    expect(ids(await LogEntry.forModel('Doc'))).toEqual(['4']);
  });

  test('L9 the caller’s where, order, limit and offset count', async () => {
    expect(ids(await LogEntry.forModel(Order, { order: [['id', 'ASC']], limit: 1, offset: 1 }))).toEqual([
      '2',
    ]);
    expect(ids(await LogEntry.forModel(Order, { limit: 2, order: undefined as never }))).toEqual(['3', '2']);
    expect(ids(await LogEntry.forModel(Order, { where: { id: { [Op.lt]: 3 } } }))).toEqual(['2', '1']);
  });

  test('the caller’s where can’t widen a finder', async () => {
    expect(ids(await LogEntry.forObject(Order, 1, { where: { objectPk: '2' } }))).toEqual([]);
    expect(
      ids(await LogEntry.forObject(Order, 1, { where: { [Op.or]: [{ objectPk: '2' }, { model: 'Doc' }] } })),
    ).toEqual([]);
    const or = sequelize.literal('1 = 1 or 1 = 1') as never;
    expect(ids(await LogEntry.forObject(Order, 1, { where: or }))).toEqual(['3', '1']);
    expect(ids(await LogEntry.forObject(Order, 1, { where: { [Op.and]: [or] } }))).toEqual(['3', '1']);
    expect(ids(await LogEntry.forObject(Order, 1, { where: {} }))).toEqual(['3', '1']);
  });

  test('attributes and raw are the caller’s', async () => {
    const [entry] = await LogEntry.forObject(Order, 1, {
      attributes: ['id', 'action'],
      raw: true,
      limit: 1,
      actors: true,
    });
    expect(entry).toEqual({ id: '3', action: 'update' });
  });

  test('a transaction is used', async () => {
    await sequelize.transaction(async (transaction) => {
      await sequelize.query(
        `insert into audit_log_entries (action, model, object_pk) values ('x', 'Order', '1')`,
        { transaction },
      );
      expect(await LogEntry.forObject(Order, 1, { transaction })).toHaveLength(3);
      expect(await LogEntry.forObject(Order, 1)).toHaveLength(2);
    });
  });
});

describe('byActor', () => {
  test('the number, the text, the object and the instance are the same', async () => {
    await insertEntry(database, { actor_id: '7' });
    await insertEntry(database, { actor_id: '8' });
    await insertEntry(database);
    const user = User.build({ id: 7, email: 'u@x' }, { isNewRecord: false });
    for (const actor of [7, '7', 7n, { id: 7 }, user]) {
      expect(ids(await LogEntry.byActor(actor))).toEqual(['1']);
    }
  });

  test.each([null, undefined, '', {}, { id: null }, true])('%p is nobody', async (actor) => {
    await expect(LogEntry.byActor(actor as never)).rejects.toMatchObject({
      code: 'ERR_AUDIT_INVALID_ARGUMENT',
    });
  });

  test('B8 entries are found when the user is gone', async () => {
    await insertEntry(database, { actor_id: '7', actor_label: 'ann@example.com' });
    const found = await LogEntry.byActor(7, { actors: true });
    expect(found).toHaveLength(1);
    expect(found[0]!.actor).toBeNull();
    expect(await LogEntry.findAll({ where: { actorLabel: 'ann@example.com' } })).toHaveLength(1);
  });
});

describe('between', () => {
  beforeEach(async () => {
    for (const time of ['20:00:00.000000', '20:00:00.123455', '20:00:00.123456', '20:00:01.000000']) {
      await insertEntry(database, { timestamp: `2026-11-21T${time}Z` });
    }
  });

  test('takes the start in and leaves the end out, to the microsecond', async () => {
    expect(ids(await LogEntry.between('2026-11-21T20:00:00Z', '2026-11-21T20:00:01Z'))).toEqual([
      '3',
      '2',
      '1',
    ]);
    expect(ids(await LogEntry.between('2026-11-21T20:00:00.123456Z', '2026-11-21T20:00:01.000001Z'))).toEqual(
      ['4', '3'],
    );
    expect(ids(await LogEntry.between('2026-11-21T20:00:00.123455Z', '2026-11-21T20:00:00.123456Z'))).toEqual(
      ['2'],
    );
  });

  test('takes Dates, other zones, days and texts alike', async () => {
    expect(
      ids(await LogEntry.between(new Date('2026-11-21T20:00:00Z'), new Date('2026-11-21T20:00:01Z'))),
    ).toHaveLength(3);
    expect(ids(await LogEntry.between('2026-11-21T21:00:01+01:00', '2026-11-22'))).toEqual(['4']);
    expect(ids(await LogEntry.between('2026-11-21 20:00:01', '2026-11-21T20:00:02+0000'))).toEqual(['4']);
  });

  test('takes find options', async () => {
    expect(
      ids(await LogEntry.between('2026-11-21', '2026-11-22', { limit: 1, where: { model: 'Order' } })),
    ).toEqual(['4']);
  });

  test.each([
    '',
    'yesterday',
    '2026-02-30',
    '2026-13-01',
    "2026-11-21'; --",
    new Date(Number.NaN),
    5,
    null,
    undefined,
  ])('%p is no time', async (time) => {
    const between = LogEntry.between as (...given: unknown[]) => Promise<unknown>;
    await expect(between(time, '2026-11-22')).rejects.toMatchObject({ code: 'ERR_AUDIT_INVALID_ARGUMENT' });
    await expect(between('2026-11-21', time)).rejects.toMatchObject({ code: 'ERR_AUDIT_INVALID_ARGUMENT' });
  });
});

describe('groups', () => {
  test('inTransaction gives what one transaction did', async () => {
    await insertEntry(database, { transaction_id: '9007199254740993' });
    await insertEntry(database, { transaction_id: '9007199254740992' });
    expect(ids(await LogEntry.inTransaction('9007199254740993'))).toEqual(['1']);
    expect(ids(await LogEntry.inTransaction(9007199254740993n))).toEqual(['1']);
    await expect(LogEntry.inTransaction('x')).rejects.toMatchObject({ code: 'ERR_AUDIT_INVALID_ARGUMENT' });
    await expect(LogEntry.inTransaction(undefined as never)).rejects.toMatchObject({
      code: 'ERR_AUDIT_INVALID_ARGUMENT',
    });
  });

  test('inRequest gives what one request did', async () => {
    await insertEntry(database, { correlation_id: 'r-1' });
    await insertEntry(database, { correlation_id: 'r-2' });
    await insertEntry(database);
    expect(ids(await LogEntry.inRequest('r-1'))).toEqual(['1']);
    await expect(LogEntry.inRequest('')).rejects.toMatchObject({ code: 'ERR_AUDIT_INVALID_ARGUMENT' });
    await expect(LogEntry.inRequest(undefined as never)).rejects.toMatchObject({
      code: 'ERR_AUDIT_INVALID_ARGUMENT',
    });
  });
});

test.each([
  ['forObject', () => LogEntry.forObject(Order, 1, { limit: 50 })],
  ['forObjects', () => LogEntry.forObjects([Order.build({ id: 1, status: '' }), Doc.build({ id: UUID })])],
  ['forModel', () => LogEntry.forModel(Order, { limit: 50 })],
  ['byActor', () => LogEntry.byActor(7, { limit: 50 })],
  ['inTransaction', () => LogEntry.inTransaction(7)],
  ['inRequest', () => LogEntry.inRequest('r')],
  ['between', () => LogEntry.between('2026-01-01', '2026-01-02')],
])('%s is served by an index', async (_, find) => {
  const [sql] = await loggedBy(sequelize, find);
  await database.admin.query('begin; set local enable_seqscan = off');
  const plan = await database.rows<{ 'QUERY PLAN': string }>(`explain ${sql}`);
  await database.admin.query('rollback');
  const text = plan.map((row) => row['QUERY PLAN']).join('\n');
  expect(text).not.toContain('Seq Scan');
  expect(text).not.toContain('audit_log_entries_pkey');
  expect(text).toMatch(/audit_log_entries_(object|model|actor|transaction|correlation|time)/);
});
