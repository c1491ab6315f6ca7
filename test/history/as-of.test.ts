import { DataTypes, Model, Op } from 'sequelize';
import type { PointInTime } from '../../lib/history/point-in-time';
import { versionsAsOf, type AsOfShape, type AsOfSource } from '../../lib/past/versions-relation';
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
const items = audit.register(OrderItem, { snapshots: true });
audit.register(User);

const time = (clock: string): string => `2026-11-21T${clock}Z`;

async function version(row: Record<string, unknown>): Promise<string> {
  const defaults = { id: 1, status: 'pending', history_type: '~', log_entry_id: 1 };
  return insert(database, 'orders_history', { ...defaults, ...row });
}

/** Order 1: 10:00 created, 11:00 shipped, 12:00 deleted. Order 2: 10:30 created. Order 3: created at 13:00. */
async function story(): Promise<void> {
  await version({ history_type: '+', history_date: time('10:00:00.123456'), total: '1.00' });
  await version({ id: 2, history_type: '+', history_date: time('10:30:00'), total: '9.00', customer_id: 5 });
  await version({ status: 'shipped', history_date: time('11:00:00'), total: '2.00' });
  await version({ history_type: '-', status: 'shipped', history_date: time('12:00:00'), total: '2.00' });
  await version({ id: 3, history_type: '+', history_date: time('13:00:00'), total: '5.00', customer_id: 5 });
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
  await database.admin.query('truncate users restart identity cascade');
});
afterAll(() => database.close());

const at = (when: PointInTime) => orders.asOf(when);
const ids = (found: Order[]): number[] => found.map((order) => order.id);

describe('the rows of a time', () => {
  beforeEach(story);

  test.each([
    ['H195 before everything', '09:00:00', {}],
    ['H186 after a create', '10:00:01', { 1: '<pending>' }],
    ['after a second object', '10:45:00', { 1: '<pending>', 2: '<pending>' }],
    ['H189 after an update', '11:00:00', { 1: '<shipped>', 2: '<pending>' }],
    ['H182 H187 H202 after a delete', '12:00:00', { 2: '<pending>' }],
    ['after the last change', '23:00:00', { 2: '<pending>', 3: '<pending>' }],
  ])('%s', async (_, clock, expected) => {
    const found = await at(time(clock)).findAll();
    expect(Object.fromEntries(found.map((order) => [order.id, order.status]))).toEqual(expected);
    expect(await at(time(clock)).count()).toBe(found.length);
    for (const id of [1, 2, 3]) {
      const one = await at(time(clock)).findByPk(id);
      expect(one?.status).toBe((expected as Record<number, string>)[id]);
    }
  });

  test('the present does not shine through', async () => {
    await Order.bulkCreate([
      { id: 1, status: 'shipped' },
      { id: 4, status: 'shipped' },
    ]);
    expect(ids(await at(time('10:15:00')).findAll())).toEqual([1]);
    expect((await at(time('10:15:00')).findOne())!.status).toBe('<pending>');
  });

  test('H193 H194 where, order, limit, offset and attributes count', async () => {
    const past = at(time('11:30:00'));
    expect(ids(await past.findAll({ where: { status: 'shipped' } }))).toEqual([1]);
    expect(ids(await past.findAll({ where: { total: { [Op.gt]: 5 } } }))).toEqual([2]);
    expect(ids(await past.findAll({ order: [['total', 'DESC']] }))).toEqual([2, 1]);
    expect(ids(await past.findAll({ order: [['total', 'ASC']] }))).toEqual([1, 2]);
    expect(ids(await past.findAll({ order: [['id', 'DESC']], limit: 1 }))).toEqual([2]);
    expect(ids(await past.findAll({ order: ['id'], limit: 1, offset: 1 }))).toEqual([2]);
    expect(ids(await past.findAll({ where: { customerId: 5 } }))).toEqual([2]);
    const [first] = await past.findAll({ attributes: ['id'], order: ['id'] });
    expect(Object.keys(first!.dataValues)).toEqual(['id']);
    expect(await past.count({ where: { status: 'shipped' } })).toBe(1);
    expect(await past.findOne({ where: { status: 'lost' } })).toBeNull();
    expect((await past.findOne({ order: [['total', 'DESC']] }))!.id).toBe(2);
  });

  test('H181 H198 findByPk takes any form of a key, and find options', async () => {
    const past = at(time('11:30:00'));
    expect((await past.findByPk('1'))!.id).toBe(1);
    expect((await past.findByPk({ id: 1 }))!.getDataValue('total')).toBe('2.00');
    expect(await past.findByPk(1, { where: { status: 'pending' } })).toBeNull();
    expect(await past.findByPk(99)).toBeNull();
    expect(await past.findByPk('abc')).toBeNull();
    await expect(past.findByPk(undefined as never)).rejects.toMatchObject({
      code: 'ERR_AUDIT_INVALID_ARGUMENT',
    });
  });

  test('E36 each answer is one statement, whatever else is asked', async () => {
    const past = at(time('11:30:00'));
    expect(await loggedBy(sequelize, () => past.findByPk(1))).toHaveLength(1);
    expect(await loggedBy(sequelize, () => past.findAll({ limit: 2 }))).toHaveLength(1);
    expect(await loggedBy(sequelize, () => past.count())).toHaveLength(1);
  });

  test('a default scope of the present is not applied', async () => {
    expect(ids(await at(time('11:30:00')).findAll({ order: ['id'] }))).toEqual([1, 2]);
  });

  test('H205 several times are read side by side', async () => {
    const clocks = ['10:15:00', '11:30:00', '12:30:00', '13:30:00'];
    const counts = await Promise.all(clocks.map((clock) => at(time(clock)).count()));
    expect(counts).toEqual([1, 2, 1, 2]);
  });
});

describe('the bound', () => {
  beforeEach(story);

  const seen = async (when: PointInTime): Promise<boolean> => (await at(when).findByPk(1)) !== null;

  test('is inclusive, to the microsecond', async () => {
    expect(await seen(time('10:00:00.123456'))).toBe(true);
    expect(await seen(time('10:00:00.123455'))).toBe(false);
  });

  test('a Date stands for the end of its millisecond, its text too', async () => {
    expect(await seen(new Date(time('10:00:00.123')))).toBe(true);
    expect(await seen(new Date(time('10:00:00.122')))).toBe(false);
    expect(await seen(time('10:00:00.123'))).toBe(true);
    expect(await seen(time('10:00:00.122'))).toBe(false);
    expect(await seen(time('10:00:00'))).toBe(false);
  });

  test('texts with another zone, without one, and days are understood', async () => {
    expect(await seen('2026-11-21T11:00:01+01:00')).toBe(true);
    expect(await seen('2026-11-21T11:00:00+01:00')).toBe(false);
    expect(await seen('2026-11-21 10:00:01')).toBe(true);
    expect(await seen('2026-11-21')).toBe(false);
  });

  test.each(['', 'now', '2026-02-30', "2026-11-21' or 1=1", new Date(Number.NaN), 5, null, undefined, {}])(
    '%p is none',
    (when) => {
      expect(() => at(when as never)).toThrow(
        expect.objectContaining({ code: 'ERR_AUDIT_INVALID_ARGUMENT' }),
      );
    },
  );

  test('a Snapshot means the state right after it, by id', async () => {
    await database.admin.query('truncate orders_history restart identity');
    const same = time('10:00:00.000001');
    for (const status of ['a', 'b', 'c'])
      await version({ history_date: same, status, history_type: status === 'a' ? '+' : '~' });
    const [c, b, a] = await orders.versions(1);
    for (const [snapshot, status] of [
      [a, 'a'],
      [b, 'b'],
      [c, 'c'],
    ] as const) {
      expect((await at(snapshot!).findByPk(1))!.status).toBe(`<${status}>`);
    }
    expect((await at(time('10:00:00.000001')).findByPk(1))!.status).toBe('<c>');
  });

  test('a LogEntry means the state right after it, by id', async () => {
    await database.admin.query('truncate orders_history restart identity');
    const same = time('10:00:00.000001');
    for (const status of ['a', 'b']) {
      const entry = await insertEntry(database, { timestamp: same });
      await version({ history_date: same, status, log_entry_id: entry });
    }
    const [second, first] = await audit.LogEntry.forObject(Order, 1);
    expect((await at(first!).findByPk(1))!.status).toBe('<a>');
    expect((await at(second!).findByPk(1))!.status).toBe('<b>');
  });

  test('a version or entry of another model gives its moment', async () => {
    const row = { sku: 'a', order_id: 1, history_type: '+', history_date: time('10:30:00'), log_entry_id: 9 };
    await insert(database, 'order_items_history', row);
    const [item] = await items.versions(['a', 1]);
    expect(ids(await at(item!).findAll({ order: ['id'] }))).toEqual([1, 2]);
  });

  test('a version or entry without its date or id is refused', async () => {
    const found = await orders.Snapshot.findOne({ attributes: ['historyId'] });
    expect(() => at(found!)).toThrow(expect.objectContaining({ code: 'ERR_AUDIT_INVALID_ARGUMENT' }));
  });
});

describe('instances of the past', () => {
  beforeEach(story);

  test('H185 H190 H191 E37 are the model’s, with its getters; masked and excluded attributes are unset', async () => {
    await database.admin.query(`update orders_history set card = '********'`);
    const order = (await at(time('11:30:00')).findByPk(1))!;
    expect(order).toBeInstanceOf(Order);
    expect(order.constructor.name).toBe('Order');
    expect(order.shout).toBe('SHIPPED');
    expect(order.cardNumber).toBeUndefined();
    expect(order.notes).toBeUndefined();
    expect(Object.keys(order.dataValues).toSorted()).toEqual([
      'createdAt',
      'customerId',
      'data',
      'id',
      'status',
      'total',
      'updatedAt',
    ]);
  });

  test('attributes that name a hidden one leave it unset', async () => {
    const past = at(time('11:30:00'));
    const [order] = await past.findAll({ attributes: ['id', 'cardNumber'], where: { id: 1 } });
    expect(Object.keys(order!.dataValues)).toEqual(['id']);
    const [all] = await past.findAll({ attributes: { exclude: ['total'] }, where: { id: 1 } });
    expect(Object.keys(all!.dataValues)).not.toContain('cardNumber');
    expect(Object.keys(all!.dataValues)).not.toContain('total');
  });

  test.each(['save', 'update', 'destroy', 'increment', 'decrement', 'restore'] as const)(
    '%s is refused',
    async (method) => {
      const order = (await at(time('11:30:00')).findByPk(1)) as unknown as Record<
        string,
        (given: unknown) => Promise<unknown>
      >;
      await expect(order[method]!({ status: 'x' })).rejects.toMatchObject({ code: 'ERR_AUDIT_READ_ONLY' });
    },
  );

  test('the model itself stays writable', async () => {
    await at(time('11:30:00')).findAll();
    await expect(Order.create({ status: 'pending' })).resolves.toBeInstanceOf(Order);
  });
});

describe('what would read the present or what is hidden is refused', () => {
  const refused = { code: 'ERR_AUDIT_INVALID_ARGUMENT' };

  test('include, with the way to go', async () => {
    const past = at(time('11:30:00')) as unknown as Record<string, (given: unknown) => Promise<unknown>>;
    for (const method of ['findAll', 'findOne', 'count']) {
      await expect(past[method]!({ include: [User] })).rejects.toMatchObject(refused);
      await expect(past[method]!({ include: [User] })).rejects.toThrow('auditLog.asOf');
    }
  });

  test('lock', async () => {
    await expect(at(time('11:30:00')).findAll({ lock: true } as never)).rejects.toMatchObject(refused);
  });

  test.each([
    ['where', { where: { cardNumber: '1' } }],
    ['where on what isn’t tracked', { where: { notes: 'x' } }],
    ['where in a group', { where: { [Op.or]: [{ id: 1 }, { [Op.and]: [{ notes: 'x' }] }] } }],
    ['where not', { where: { [Op.not]: { cardNumber: null } } }],
    ['order', { order: [['cardNumber', 'ASC']] }],
    ['order by name', { order: ['notes'] }],
  ])('%s', async (_, options) => {
    await expect(at(time('11:30:00')).findAll(options as never)).rejects.toMatchObject(refused);
  });

  test('where in count', async () => {
    await expect(at(time('11:30:00')).count({ where: { notes: 'x' } })).rejects.toMatchObject(refused);
  });

  test('a value that reads like a hidden name is only a value', async () => {
    await expect(
      at(time('11:30:00')).findAll({ where: { status: { [Op.in]: ['notes'] } } }),
    ).resolves.toEqual([]);
    await expect(at(time('11:30:00')).findAll({ where: { status: 'notes' } })).resolves.toEqual([]);
  });
});

describe('soft-deleted objects', () => {
  test('come with paranoid: false only', async () => {
    const row = { sku: 'a', order_id: 1, quantity: 1, log_entry_id: 1 };
    await insert(database, 'order_items_history', {
      ...row,
      history_type: '+',
      history_date: time('10:00:00'),
    });
    await insert(database, 'order_items_history', {
      ...row,
      history_type: '-',
      deleted_at: time('11:00:00'),
      history_date: time('11:00:00'),
    });
    const past = items.asOf(time('12:00:00'));
    expect(await past.findAll()).toEqual([]);
    expect(await past.count()).toBe(0);
    expect(await items.asOf(time('10:30:00')).count()).toBe(1);
    const [item] = await past.findAll({ paranoid: false });
    expect(item).toMatchObject({ sku: 'a', orderId: 1 });
    expect(await past.count({ paranoid: false })).toBe(1);
    expect(await past.findByPk({ sku: 'a', orderId: 1 }, { paranoid: false })).not.toBeNull();
  });
});

describe('hard deletes of a paranoid model', () => {
  const row = { sku: 'a', order_id: 1, log_entry_id: 1 };
  const kept = async (clock: string): Promise<number> => items.asOf(time(clock)).count({ paranoid: false });

  test('of a live row leave nothing', async () => {
    await insert(database, 'order_items_history', {
      ...row,
      history_type: '+',
      history_date: time('10:00:00'),
    });
    await insert(database, 'order_items_history', {
      ...row,
      history_type: '-',
      history_date: time('11:00:00'),
    });
    expect([await kept('10:30:00'), await kept('11:30:00')]).toEqual([1, 0]);
  });

  test('of a soft-deleted row leave nothing either, though its last state has deletedAt', async () => {
    const gone = { ...row, deleted_at: time('11:00:00') };
    await insert(database, 'order_items_history', {
      ...row,
      history_type: '+',
      history_date: time('10:00:00'),
    });
    await insert(database, 'order_items_history', {
      ...gone,
      history_type: '-',
      history_date: time('11:00:00'),
    });
    await insert(database, 'order_items_history', {
      ...gone,
      history_type: '~',
      quantity: 2,
      history_date: time('12:00:00'),
    });
    await insert(database, 'order_items_history', {
      ...gone,
      history_type: '-',
      quantity: 2,
      history_date: time('13:00:00'),
    });
    expect([await kept('11:30:00'), await kept('12:30:00'), await kept('13:30:00')]).toEqual([1, 1, 0]);
    expect(await items.asOf(time('13:30:00')).findByPk(['a', 1], { paranoid: false })).toBeNull();
  });

  test('a restored and again deleted row is soft-deleted', async () => {
    await insert(database, 'order_items_history', {
      ...row,
      deleted_at: time('10:00:00'),
      history_type: '-',
      history_date: time('10:00:00'),
    });
    await insert(database, 'order_items_history', {
      ...row,
      history_type: '~',
      history_date: time('11:00:00'),
    });
    await insert(database, 'order_items_history', {
      ...row,
      deleted_at: time('12:00:00'),
      history_type: '-',
      history_date: time('12:00:00'),
    });
    expect([await kept('10:30:00'), await kept('11:30:00'), await kept('12:30:00')]).toEqual([1, 1, 1]);
    expect(await items.asOf(time('11:30:00')).count()).toBe(1);
    expect(await items.asOf(time('12:30:00')).count()).toBe(0);
  });

  test.each([
    ['in pages', { order: ['sku'], limit: 5 }],
    ['in pages from the end', { order: [['sku', 'DESC']], limit: 5 }],
    ['in bulk', { where: { quantity: 3 } }],
    ['by key', { where: { sku: 'a' } }],
  ])('%s they are told apart alike', async (_, options) => {
    for (const sku of ['a', 'b']) {
      const item = { ...row, sku, quantity: 3 };
      await insert(database, 'order_items_history', {
        ...item,
        history_type: '+',
        history_date: time('10:00:00'),
      });
      const gone = { ...item, deleted_at: time('11:00:00'), history_type: '-' };
      await insert(database, 'order_items_history', { ...gone, history_date: time('11:00:00') });
      if (sku === 'b')
        await insert(database, 'order_items_history', { ...gone, history_date: time('12:00:00') });
    }
    const found = await items.asOf(time('13:00:00')).findAll({ ...(options as object), paranoid: false });
    expect(found.map((item) => item.sku)).toEqual(['a']);
    expect(await items.asOf(time('13:00:00')).findAll(options as object)).toEqual([]);
  });
});

describe('an object whose history begins late', () => {
  test('is a gap before its first version, unless that is a create', async () => {
    await version({ history_date: time('10:00:00'), history_type: '~' });
    await expect(at(time('09:00:00')).findByPk(1)).rejects.toMatchObject({ code: 'ERR_AUDIT_HISTORY_GAP' });
    await expect(at(time('09:00:00')).findByPk(1)).rejects.toThrow('2026-11-21T10:00:00.000000Z');
    expect(await at(time('09:00:00')).findAll()).toEqual([]);
    expect(await at(time('10:00:00')).findByPk(1)).not.toBeNull();
  });

  test('a baseline without entry is a gap too', async () => {
    await version({ history_date: time('10:00:00'), history_type: '+', log_entry_id: null });
    await expect(at(time('09:00:00')).findByPk(1)).rejects.toMatchObject({ code: 'ERR_AUDIT_HISTORY_GAP' });
  });

  test('one that was deleted before is absent, not a gap', async () => {
    await version({ history_date: time('10:00:00'), history_type: '~' });
    await version({ history_date: time('11:00:00'), history_type: '-' });
    expect(await at(time('12:00:00')).findByPk(1)).toBeNull();
  });
});

test('a model in a schema of its own is read from its history', async () => {
  const schema = await database.createSchema('shop');
  class Shelf extends Model {
    declare name: string;
  }
  Shelf.init({ name: DataTypes.TEXT }, { sequelize, schema, tableName: 'shelves', timestamps: false });
  const shelves = audit.register(Shelf, { snapshots: true });
  await Shelf.sync();
  await audit.sync();
  const history = audit.registration(Shelf).options.snapshots!.table.table;
  expect(history).toBe(`${schema}_shelves_history`);
  await insert(database, history, {
    id: 1,
    name: 'old',
    history_type: '+',
    history_date: time('10:00:00'),
    log_entry_id: 1,
  });
  await Shelf.create({ id: 1, name: 'new' } as never);
  expect((await shelves.asOf(time('11:00:00')).findByPk(1))!.name).toBe('old');
  expect(await shelves.asOf(time('11:00:00')).findAll({ where: { name: 'new' } })).toEqual([]);
});

test('a transaction is used', async () => {
  await sequelize.transaction(async (transaction) => {
    await sequelize.query(
      `insert into orders_history (id, status, history_type, history_date, log_entry_id) values (7, 'x', '+', '${time('10:00:00')}', 1)`,
      { transaction },
    );
    expect(await at(time('11:00:00')).count({ transaction })).toBe(1);
    expect(await at(time('11:00:00')).count()).toBe(0);
  });
});

test('a missing history table names what creates it', async () => {
  await database.admin.query('alter table orders_history rename to away');
  await expect(at(time('11:00:00')).findAll()).rejects.toMatchObject({ code: 'ERR_AUDIT_MISSING_TABLE' });
  await expect(at(time('11:00:00')).count()).rejects.toMatchObject({ code: 'ERR_AUDIT_MISSING_TABLE' });
  await database.admin.query('alter table away rename to orders_history');
});

describe('the shapes', () => {
  const shapes: AsOfShape[] = ['stream', 'streamBackwards', 'probe', 'bulk'];

  test('all give the rows that row_number() gives, ties and composite keys included', async () => {
    await database.admin.query(`
      insert into order_items_history (sku, order_id, quantity, history_date, history_type)
      select 's' || (g % 7), g % 5, g, '2026-11-21'::timestamptz + (g / 4) * interval '1 microsecond',
        case when g % 11 = 0 then '-' else '~' end
      from generate_series(1, 600) g`);
    for (const micros of [0, 1, 40, 100, 149, 150]) {
      const bound = `"history_date" <= '2026-11-21'::timestamptz + ${micros} * interval '1 microsecond'`;
      const source: AsOfSource = {
        history: { schema: null, table: 'order_items_history' },
        keys: ['sku', 'order_id'],
        columns: ['sku', 'order_id', 'quantity'],
        deletedAt: null,
        bound,
      };
      const truth = await database.rows(`
        select sku, order_id, quantity from (select *, row_number() over (partition by sku, order_id
          order by history_date desc, history_id desc) r from order_items_history where ${bound}) t
        where r = 1 and history_type <> '-' order by 1, 2`);
      expect(truth.length).toBeGreaterThan(0);
      for (const shape of shapes) {
        expect(await database.rows(`select * from (${versionsAsOf(source, shape)}) t order by 1, 2`)).toEqual(
          truth,
        );
      }
      const keys = await database.rows(`select * from (${versionsAsOf(source, 'count')}) t`);
      expect(keys).toHaveLength(truth.length);
    }
  });
});
