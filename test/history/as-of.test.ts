import { col, DataTypes, EmptyResultError, fn, literal, Model, Op, type FindOptions } from 'sequelize';
import type { PointInTime } from '../../lib/history/point-in-time';
import {
  versionsAsOf,
  type AsOfPart,
  type AsOfShape,
  type AsOfSource,
} from '../../lib/past/versions-relation';
import { testDatabase } from '../support/database';
import { rowsScanned } from '../support/plan-rows';
import { loggedBy, statementsOf, type SentStatement } from '../support/statements';
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
const audit = auditFixture(database, { actor: { model: User } });
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

  test('at one instant the ids decide, for entries and versions of other objects and models too', async () => {
    await database.admin.query('truncate orders_history restart identity');
    const same = time('10:00:00.000001');
    const entries: string[] = [];
    for (const id of [1, 2, 3]) {
      const entry = await insertEntry(database, { timestamp: same, object_pk: String(id) });
      entries.push(entry);
      await version({ id, history_type: '+', history_date: same, log_entry_id: entry });
    }
    const item = { sku: 'a', order_id: 1, history_type: '+', history_date: same, log_entry_id: entries[1] };
    await insert(database, 'order_items_history', item);
    const second = (await audit.LogEntry.findByPk(entries[1]))!;
    const versions = await orders.Snapshot.findAll({ order: ['historyId'] });
    const [ofItem] = await items.versions(['a', 1]);
    for (const when of [second, versions[1]!, ofItem!]) {
      expect(ids(await at(when).findAll({ order: ['id'] }))).toEqual([1, 2]);
    }
    expect(await at(same).count()).toBe(3);
    expect(await items.asOf(second).count()).toBe(1);
    expect(await items.asOf(versions[0]!).count()).toBe(0);
  });

  test('statements that ran side by side: ids decide where dates say otherwise', async () => {
    await database.admin.query('truncate orders_history restart identity');
    await version({ id: 1, history_type: '+', history_date: time('10:00:00.000009'), log_entry_id: 5 });
    await version({ id: 2, history_type: '+', history_date: time('10:00:00.000003'), log_entry_id: 6 });
    const [first] = await orders.versions(1);
    const [second] = await orders.versions(2);
    expect(ids(await at(first!).findAll())).toEqual([1]);
    expect(ids(await at(second!).findAll({ order: ['id'] }))).toEqual([1, 2]);
    expect(ids(await at(time('10:00:00.000003')).findAll())).toEqual([2]);
  });

  test('a baseline goes by its date, beside an entry', async () => {
    await version({ id: 8, history_type: '+', history_date: time('10:30:00'), log_entry_id: null });
    await version({ id: 9, history_type: '+', history_date: time('14:30:00'), log_entry_id: null });
    const entry = await insertEntry(database, { timestamp: time('14:00:00') });
    const found = await at((await audit.LogEntry.findByPk(entry))!).findAll({ order: ['id'] });
    expect(ids(found)).toEqual([2, 3, 8]);
  });

  test('a Date read off an entry is its whole millisecond', async () => {
    const entry = await insertEntry(database, { timestamp: time('10:00:00.123456') });
    const found = await audit.LogEntry.findByPk(entry);
    expect(await seen(found!.timestamp)).toBe(true);
    expect(await seen(new Date(found!.timestamp.getTime() - 1))).toBe(false);
  });

  test('the far past and the far future are times too', async () => {
    expect(await at(new Date(8.64e15)).count()).toBe(2);
    expect(await at(new Date(-8.64e15)).count()).toBe(0);
    expect(await at('9999-12-31').count()).toBe(2);
    expect(await at('0001-01-01').count()).toBe(0);
    expect(() => at('0000-01-01')).toThrow(expect.objectContaining({ code: 'ERR_AUDIT_INVALID_ARGUMENT' }));
  });

  test('fault 48: a clock set back keeps versions in order of their ids, and brings nothing of the future', async () => {
    await database.admin.query('truncate orders_history restart identity');
    for (const [status, clock] of [
      ['a', '10:00:00'],
      ['b', '09:58:00'],
      ['c', '09:59:00'],
    ] as const) {
      const type = status === 'a' ? '+' : '~';
      await version({ status, history_date: time(clock), history_type: type, log_entry_id: 1 });
    }
    const versions = await orders.versions(1);
    expect(versions.map((each) => each.status)).toEqual(['c', 'b', 'a']);
    expect((await orders.mostRecent(1))!.status).toBe('c');
    expect((await versions[1]!.prevRecord())!.status).toBe('a');
    expect((await versions[1]!.nextRecord())!.status).toBe('c');
    expect(await versions[0]!.nextRecord()).toBeNull();
    for (const each of versions) expect((await at(each).findByPk(1))!.status).toBe(`<${each.status}>`);
    expect((await at(time('09:58:30')).findByPk(1))!.status).toBe('<b>');
    const later = at(time('10:30:00'));
    expect((await later.findByPk(1))!.status).toBe('<c>');
    expect((await later.findAll({ where: { customerId: null } }))[0]!.status).toBe('<c>');
    expect(await at(time('09:57:00')).findAll()).toEqual([]);
  });

  test('fault 48: of an object with thousands of versions one is read, whenever, and the id decides', async () => {
    const versions = 3_000;
    const versionSql = `insert into orders_history (id, status, history_type, history_date, log_entry_id)
      select 7, n::text, case n when 1 then '+' else '~' end, timestamptz '2026-11-20 00:00:00Z' + n * interval '1 second', n from generate_series(1, $1::int) n`;
    await database.admin.query(versionSql, [versions]);
    await version({ id: 7, status: 'set back', history_date: '2026-11-20T00:40:00Z' });
    await database.admin.query('vacuum analyze orders_history');
    const find = async (when: PointInTime) => {
      let found: Order | null = null;
      const sent = await statementsOf(sequelize, async () => {
        found = await orders.asOf(when).findByPk(7);
      });
      const [{ text, values }] = sent as [SentStatement];
      return [found!.status, await rowsScanned(database, text, values)];
    };
    const [early] = await orders.versions(7, { where: { status: '5' } });
    expect(await find('2026-11-20T00:00:05.000000Z')).toEqual(['<5>', 2]);
    expect(await find('2026-11-20T00:39:59Z')).toEqual(['<2399>', 2]);
    expect(await find('2026-11-20T00:45:00Z')).toEqual(['<set back>', 3]);
    const [status, scanned] = await find(early!);
    expect(status).toBe('<5>');
    expect(scanned).toBeLessThan(10);
    for (const offset of [0, 20]) {
      let page: string[] = [];
      const [sent = ''] = await loggedBy(sequelize, async () => {
        page = (await orders.versions(7, { limit: 5, offset })).map((each) => each.status);
      });
      const newest = ['<set back>', ...Array.from({ length: 30 }, (_, index) => `<${versions - index}>`)];
      expect(page).toEqual(newest.slice(offset, offset + 5).map((text) => text.slice(1, -1)));
      expect(await rowsScanned(database, sent, [])).toBeLessThan(100);
    }
  });

  test('a version of another model without an entry gives its moment', async () => {
    const row = { sku: 'a', order_id: 1, history_type: '+', history_date: time('10:30:00') };
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

  test('are reloaded from the past, with and without a transaction; their class alone reads nothing', async () => {
    const past = (await at(time('11:30:00')).findByPk(1))!;
    const [listed] = await at(time('11:30:00')).findAll({ where: { id: 1 }, attributes: ['id', 'status'] });
    for (const order of [past, listed!]) {
      order.set('status', 'else', { raw: true });
      expect((await order.reload()).status).toBe('<shipped>');
      await sequelize.transaction(async (transaction) => {
        expect((await order.reload({ transaction })).status).toBe('<shipped>');
      });
    }
    const Past = past.constructor as typeof Order;
    await expect(Past.findAll()).rejects.toMatchObject({ code: 'ERR_AUDIT_READ_ONLY' });
    await expect(Past.count()).rejects.toMatchObject({ code: 'ERR_AUDIT_READ_ONLY' });
  });

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

describe('Sequelize’s own options', () => {
  beforeEach(story);
  const past = () => at(time('13:30:00'));

  test('aggregates, groups and having count the past', async () => {
    const total = [fn('sum', col('total')), 'sum'] as [ReturnType<typeof fn>, string];
    const [all] = await past().findAll({ attributes: [total], raw: true });
    expect(all).toEqual({ sum: '14.00' });
    const grouped = await past().findAll({
      attributes: ['customerId', [fn('count', literal('*')), 'n']],
      group: ['customerId'],
      having: literal('count(*) > 1'),
      raw: true,
    });
    expect(grouped).toEqual([{ customerId: 5, n: '2' }]);
    const hidden = { attributes: ['id'], group: ['cardNumber'] };
    await expect(past().findAll(hidden)).rejects.toMatchObject({ code: 'ERR_AUDIT_INVALID_ARGUMENT' });
    const grouping = past().count({ group: ['status'] } as object);
    await expect(grouping).rejects.toMatchObject({ code: 'ERR_AUDIT_INVALID_ARGUMENT' });
  });

  test('count takes distinct, col and a condition', async () => {
    expect(await past().count({ distinct: true, col: 'customerId' })).toBe(1);
    expect(await past().count({ col: 'total' })).toBe(2);
    expect(await past().count({ distinct: true })).toBe(2);
    expect(await at(time('11:30:00')).count({ where: { total: { [Op.gt]: 3 } } })).toBe(1);
    expect(await past().count({ limit: 1, attributes: ['id'] } as object)).toBe(2);
    await expect(past().count({ col: 'notes' })).rejects.toMatchObject({
      code: 'ERR_AUDIT_INVALID_ARGUMENT',
    });
  });

  test('raw rows, renamed attributes, casts and operators', async () => {
    const [row] = await past().findAll({ where: { id: 2 }, attributes: ['id', ['total', 'sum']], raw: true });
    expect(row).toEqual({ id: 2, sum: '9.00' });
    const found = past().findAll({
      where: { [Op.and]: [literal('total > 8'), { id: { [Op.in]: [2, 3] } }] },
    });
    expect(ids(await found)).toEqual([2]);
    const replaced = { where: literal("total > :least and status <> ':no'"), replacements: { least: 8 } };
    expect(ids(await past().findAll(replaced as never))).toEqual([2]);
    expect(ids(await past().findAll({ order: [[fn('abs', col('total')), 'DESC']] }))).toEqual([2, 3]);
    expect(ids(await past().findAll({ order: literal('total desc nulls last'), limit: 1 }))).toEqual([2]);
    expect((await past().findOne({ where: { id: 2 }, raw: true, nest: true }))!.id).toBe(2);
  });

  test('logging and benchmark are the caller’s', async () => {
    const lines: unknown[] = [];
    await past().findAll({ logging: (sql, timing) => lines.push([sql, typeof timing]), benchmark: true });
    expect(lines).toEqual([[expect.stringContaining('orders_history'), 'number']]);
  });

  test('a hidden column in the caller’s SQL is named, and never read', async () => {
    const refused = { code: 'ERR_AUDIT_INVALID_ARGUMENT' };
    for (const options of [
      { where: literal(`card = '1'`) },
      { where: literal(`"Order"."card" = '1'`) },
      { attributes: [[fn('max', col('card')), 'm']] },
      { order: [[col('card'), 'ASC']] },
      { where: { '$Order.cardNumber$': 'x' } },
      { where: { $card$: 'x' } },
      { where: { [Op.or]: [[{ cardNumber: 'x' }]] } },
    ]) {
      await expect(past().findAll(options as never)).rejects.toMatchObject(refused);
      await expect(past().findAll(options as never)).rejects.toThrow('masked or not tracked');
    }
  });

  test('an error of the caller’s SQL stays PostgreSQL’s', async () => {
    const wrong = past().findAll({ where: literal('nothing = 1') as never });
    await expect(wrong).rejects.toThrow('column "nothing" does not exist');
    await expect(wrong).rejects.toMatchObject({ name: 'SequelizeDatabaseError' });
  });

  test('an include that a hook adds is refused, a condition of one counts', async () => {
    const hooks = Order.options.hooks as unknown as Record<string, unknown>;
    Order.addHook('beforeFind', 'tenant', (options: FindOptions) => {
      options.where = { ...(options.where as object), customerId: 5 };
    });
    expect(ids(await at(time('11:30:00')).findAll())).toEqual([2]);
    Order.removeHook('beforeFind', 'tenant');
    Order.hasMany(OrderItem, { foreignKey: 'orderId', constraints: false });
    Order.addHook('beforeFind', 'join', (options: FindOptions) => {
      options.include = [OrderItem];
    });
    await expect(past().findAll()).rejects.toThrow('auditLog.asOf');
    Order.removeHook('beforeFind', 'join');
    expect(hooks['beforeFind'] ?? []).toEqual([]);
  });

  test('the master or a replica is read as by an ordinary finder', async () => {
    const used: unknown[] = [];
    const manager = sequelize.connectionManager as unknown as Record<string, (given: unknown) => unknown>;
    const getConnection = manager['getConnection']!;
    manager['getConnection'] = function spied(options) {
      used.push(options);
      return getConnection.call(this, options);
    };
    await past().findAll();
    await Order.findAll();
    await past().findAll({ useMaster: true });
    await past().count();
    manager['getConnection'] = getConnection;
    const kinds = used.map((each) => each as { type: string; useMaster?: boolean });
    expect(kinds.map(({ type, useMaster }) => [type, useMaster ?? false])).toEqual([
      ['SELECT', false],
      ['SELECT', false],
      ['SELECT', true],
      ['SELECT', false],
    ]);
  });

  test('virtual attributes that depend on a hidden one leave it unset', async () => {
    class Card extends Model {
      declare number: string | null;
      declare masked: string;
    }
    Card.init(
      {
        number: DataTypes.TEXT,
        masked: {
          type: new DataTypes.VIRTUAL(DataTypes.TEXT, ['number']),
          get() {
            return `…${this.getDataValue('number') ?? ''}`;
          },
        },
      },
      { sequelize, tableName: 'cards', timestamps: false },
    );
    const cards = audit.register(Card, { snapshots: true, mask: ['number'] });
    await Card.sync();
    await audit.sync();
    await insert(database, 'cards_history', {
      id: 1,
      number: '***',
      history_type: '+',
      history_date: time('10:00:00'),
      log_entry_id: 1,
    });
    const [card] = await cards.asOf(time('11:00:00')).findAll({ attributes: ['id', 'masked'] });
    expect([card!.masked, card!.dataValues]).toEqual(['…', { id: 1 }]);
    const [all] = await cards.asOf(time('11:00:00')).findAll();
    expect(all!.get()).toEqual({ id: 1, masked: '…' });
    audit.registry.unregister(Card);
    sequelize.modelManager.removeModel(Card);
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

  test('E20 a baseline without entry is a gap too', async () => {
    await version({ history_date: time('10:00:00'), history_type: '+', log_entry_id: null });
    await expect(at(time('09:00:00')).findByPk(1)).rejects.toMatchObject({ code: 'ERR_AUDIT_HISTORY_GAP' });
  });

  test('one that was deleted before is absent, not a gap', async () => {
    await version({ history_date: time('10:00:00'), history_type: '~' });
    await version({ history_date: time('11:00:00'), history_type: '-' });
    expect(await at(time('12:00:00')).findByPk(1)).toBeNull();
  });
});

describe('strict: objects whose past at that time is unknown are an error', () => {
  const gap = { code: 'ERR_AUDIT_HISTORY_GAP' };
  const first = (id: number, row: Record<string, unknown>): Promise<string> =>
    version({ id, history_date: time('10:00:00'), ...row });

  test.each([
    ['an update first', { history_type: '~' }],
    ['a delete first', { history_type: '-' }],
    ['a baseline of populate', { history_type: '+', log_entry_id: null }],
  ])('%s', async (_, row) => {
    await first(1, row);
    const past = at(time('09:00:00'));
    for (const read of [past.findAll, past.findOne, past.count]) {
      await expect(read({ strict: true })).rejects.toMatchObject(gap);
      await expect(read({ strict: true })).rejects.toThrow('2026-11-21T10:00:00.000000Z');
      await expect(read({ strict: false })).resolves.toBeDefined();
    }
    expect(await past.findAll()).toEqual([]);
    expect(await past.count()).toBe(0);
    await expect(at(time('10:00:00')).findAll({ strict: true })).resolves.toHaveLength(
      row.history_type === '-' ? 0 : 1,
    );
  });

  test('a key that was used again counts by its very first version', async () => {
    await first(1, { history_type: '~' });
    await first(1, { history_type: '-', history_date: time('11:00:00') });
    await first(1, { history_type: '+', history_date: time('12:00:00') });
    await expect(at(time('09:00:00')).count({ strict: true })).rejects.toMatchObject(gap);
    expect(await at(time('11:30:00')).count({ strict: true })).toBe(0);
    await first(2, { history_type: '+', history_date: time('12:00:00') });
    await first(2, { history_type: '-', history_date: time('13:00:00') });
    await first(2, { history_type: '+', history_date: time('14:00:00') });
    expect(await at(time('11:30:00')).count({ strict: true })).toBe(0);
    expect(await at(time('13:30:00')).count({ strict: true })).toBe(1);
  });

  test('an audited create is none, whatever came before it in the table', async () => {
    await first(1, { history_type: '+' });
    expect(await at(time('09:00:00')).findAll({ strict: true })).toEqual([]);
  });

  test('E40 a row that has no version at all is one', async () => {
    await database.admin.query(`insert into "${Order.tableName}" (id, status) values (70, 'shipped')`);
    try {
      await expect(at(time('09:00:00')).count({ strict: true })).rejects.toThrow(/Order 70 .* recorded/);
      await expect(at(time('09:00:00')).findByPk(70)).rejects.toMatchObject(gap);
      expect(await at(time('09:00:00')).findByPk(71)).toBeNull();
    } finally {
      await database.admin.query(`delete from "${Order.tableName}" where id = 70`);
    }
  });

  test('conditions on the key narrow it down, others don’t', async () => {
    await first(1, { history_type: '~' });
    await first(2, { history_type: '+', status: 'shipped' });
    const past = at(time('10:30:00'));
    const before = at(time('09:00:00'));
    expect(await past.findAll({ strict: true, where: { id: [1, 2] } })).toHaveLength(2);
    expect(await before.findAll({ strict: true, where: { id: 2 } })).toEqual([]);
    await expect(before.findAll({ strict: true, where: { id: { [Op.lt]: 2 } } })).rejects.toMatchObject(gap);
    await expect(before.findAll({ strict: true, where: { status: 'lost' } })).rejects.toMatchObject(gap);
  });

  test('findByPk that must not be empty tells of the gap first', async () => {
    await first(1, { history_type: '~' });
    const past = at(time('09:00:00'));
    await expect(past.findByPk(1, { rejectOnEmpty: true } as object)).rejects.toMatchObject(gap);
    await expect(past.findByPk(2, { rejectOnEmpty: true } as object)).rejects.toThrow(EmptyResultError);
  });

  test('of a paranoid model and a composite key', async () => {
    const row = { sku: 'a', order_id: 1, log_entry_id: 1, history_type: '~', history_date: time('10:00:00') };
    await insert(database, 'order_items_history', row);
    await expect(items.asOf(time('09:00:00')).findByPk(['a', 1])).rejects.toThrow('OrderItem a, 1');
    await expect(items.asOf(time('09:00:00')).count({ strict: true })).rejects.toMatchObject(gap);
    expect(await items.asOf(time('10:00:00')).count({ strict: true })).toBe(1);
  });
});

describe('the newest versions', () => {
  beforeEach(story);
  const keysOf = (found: readonly { id: number; historyType: string }[]): string[] =>
    found.map((each) => `${each.historyType}${each.id}`);

  test('H199 H201 H203 latestOfEach gives one per object, deleted ones too, in one query', async () => {
    expect(keysOf(await orders.latestOfEach())).toEqual(['-1', '+2', '+3']);
    expect(await loggedBy(sequelize, () => orders.latestOfEach())).toHaveLength(1);
    expect(keysOf(await orders.latestOfEach())).toEqual(['-1', '+2', '+3']);
  });

  test.each([
    ['where', { where: { status: 'pending' } }, ['+2', '+3']],
    ['where on what is a version’s', { where: { historyType: '-' } }, ['-1']],
    ['E31 a version that is not the newest is not found', { where: { total: '1.00' } }, []],
    ['order by key', { order: [['id', 'DESC']], limit: 2 }, ['+3', '+2']],
    ['order by other', { order: [['total', 'DESC']] }, ['+2', '+3', '-1']],
    ['limit and offset', { limit: 1, offset: 1 }, ['+2']],
    ['where with limit', { where: { customerId: 5 }, limit: 5 }, ['+2', '+3']],
  ] as const)('latestOfEach with %s', async (_, options, expected) => {
    expect(keysOf(await orders.latestOfEach(options as never))).toEqual(expected);
  });

  test('they are ordinary versions, typed, with microseconds and their entry', async () => {
    const entry = await insertEntry(database, { object_pk: '3' });
    await database.admin.query('update orders_history set log_entry_id = $1 where id = 3', [entry]);
    const [last] = await orders.latestOfEach({ where: { id: 3 }, include: 'logEntry' });
    expect(last).toBeInstanceOf(orders.Snapshot);
    expect(last!.constructor).toBe(orders.Snapshot);
    expect(last!.logEntry!.id).toBe(entry);
    expect(last!.toJSON()).toMatchObject({ historyDate: '2026-11-21T13:00:00.000000Z' });
    const [one] = await orders.latestOfEach({ where: { id: 1 } });
    expect((await one!.prevRecord())!.status).toBe('shipped');
    expect(one!.toInstance()).toBeInstanceOf(Order);
  });

  test('take attributes, raw, a transaction and actors', async () => {
    const alice = await User.create({ email: 'alice' });
    await database.admin.query('update orders_history set history_user_id = $1 where id = 2', [alice.id]);
    await sequelize.transaction(async (transaction) => {
      const [found] = await orders.latestOfEach({ where: { id: 2 }, actors: true, transaction });
      expect((found!.actor as User).email).toBe('alice');
    });
    expect(await orders.latestOfEach({ attributes: ['id', 'total'], raw: true, limit: 1 })).toEqual([
      { id: 1, total: '2.00' },
    ]);
  });

  test('deleted gives the last state of what is gone, until it is created again', async () => {
    expect(keysOf(await orders.deleted())).toEqual(['-1']);
    expect(await loggedBy(sequelize, () => orders.deleted())).toHaveLength(1);
    expect((await orders.deleted())[0]).toMatchObject({ status: 'shipped', total: '2.00' });
    expect(await orders.deleted({ where: { total: { [Op.gt]: 5 } } })).toEqual([]);
    await version({ history_type: '+', history_date: time('14:00:00') });
    expect(await orders.deleted()).toEqual([]);
  });

  test('deleted knows soft and hard deletes, restores, and changes of what is deleted', async () => {
    const item = (sku: string, type: string, clock: string, deletedAt: string | null = null) =>
      insert(database, 'order_items_history', {
        sku,
        order_id: 1,
        log_entry_id: 1,
        history_type: type,
        history_date: time(clock),
        deleted_at: deletedAt && time(deletedAt),
      });
    for (const sku of ['changed', 'hard', 'restored', 'soft']) await item(sku, '+', '10:00:00');
    for (const sku of ['changed', 'restored', 'soft']) await item(sku, '-', '11:00:00', '11:00:00');
    await item('hard', '-', '11:00:00');
    await item('restored', '~', '12:00:00');
    await item('changed', '~', '12:00:00', '11:00:00');
    const gone = await items.deleted();
    expect(gone.map(({ sku }) => sku)).toEqual(['changed', 'hard', 'soft']);
    const page = await items.deleted({ order: [['sku', 'DESC']], limit: 2 });
    expect(page.map(({ sku }) => sku)).toEqual(['soft', 'hard']);
  });

  test('without snapshots they say so', async () => {
    const users = audit.registration(User);
    expect(users.options.snapshots).toBeNull();
    const handle = audit.register(User);
    const code = { code: 'ERR_AUDIT_NO_SNAPSHOTS' };
    await expect(handle.latestOfEach()).rejects.toMatchObject(code);
    await expect(handle.deleted()).rejects.toMatchObject(code);
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

test('names that stay unquoted, and a key called like what a gap tells', async () => {
  const plain = database.createSequelize({ quoteIdentifiers: false });
  class Line extends Model {}
  const attributes = {
    since: { type: DataTypes.TEXT, primaryKey: true, field: 'sku' },
    orderId: { type: DataTypes.INTEGER, primaryKey: true, field: 'order_id' },
    deletedAt: { type: DataTypes.DATE, field: 'deleted_at' },
  };
  const options = { tableName: 'order_items', createdAt: false, updatedAt: false, paranoid: true } as const;
  Line.init(attributes, { ...options, sequelize: plain, rejectOnEmpty: true } as never);
  const lines = auditFixture({ sequelize: plain }).register(Line, { snapshots: true });
  const row = { sku: 'a', order_id: 1, history_type: '~', history_date: time('10:00:00'), log_entry_id: 1 };
  await insert(database, 'order_items_history', row);
  const past = lines.asOf(time('11:00:00'));
  expect(await past.count({ strict: true })).toBe(1);
  expect((await past.findByPk(['a', 1]))!.get()).toEqual({ since: 'a', orderId: 1, deletedAt: null });
  await expect(past.findByPk(['b', 1])).rejects.toThrow(EmptyResultError);
  await expect(lines.asOf(time('09:00:00')).findByPk(['a', 1])).rejects.toThrow(
    'Line a, 1 was at that time is unknown: its history begins at 2026-11-21T10:00:00.000000Z',
  );
  expect((await lines.latestOfEach({ limit: 1 }))[0]!.get('since')).toBe('a');
});

test('a key of bytes is found', async () => {
  class Blob extends Model {}
  Blob.init(
    { hash: { type: DataTypes.BLOB, primaryKey: true } },
    { sequelize, tableName: 'blobs', timestamps: false },
  );
  const blobs = audit.register(Blob, { snapshots: true });
  await Blob.sync();
  await audit.sync();
  const hash = Buffer.from([0, 92, 255]);
  const row = { hash, history_type: '+', history_date: time('10:00:00'), log_entry_id: 1 };
  await insert(database, 'blobs_history', row);
  expect((await blobs.asOf(time('11:00:00')).findByPk(hash))!.get('hash')).toEqual(hash);
  expect(await blobs.versions(hash)).toHaveLength(1);
  expect(await blobs.mostRecent(hash)).not.toBeNull();
  audit.registry.unregister(Blob);
  sequelize.modelManager.removeModel(Blob);
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

describe('a model that has changed since', () => {
  /** A model of one column beside the key, registered with snapshots and given one version. */
  async function things(definition: Record<string, unknown>, history: Record<string, unknown>) {
    class Thing extends Model {}
    Thing.init(definition as never, { sequelize, tableName: 'things', timestamps: false });
    const handle = audit.register(Thing, { snapshots: true });
    await Thing.sync();
    await audit.sync();
    const row = { id: 1, history_type: '+', history_date: time('10:00:00'), log_entry_id: 1 };
    await insert(database, 'things_history', { ...row, ...history });
    return { Thing, past: handle.asOf(time('11:00:00')), handle };
  }

  afterEach(async () => {
    const model = sequelize.models['Thing']!;
    audit.registry.unregister(model);
    sequelize.modelManager.removeModel(model);
    await database.admin.query('drop table if exists things, things_history');
  });

  test('a column added later is null in the past', async () => {
    const { Thing, handle } = await things({ name: DataTypes.TEXT }, { name: 'a' });
    class Grown extends Model {}
    Grown.init({ name: DataTypes.TEXT, size: DataTypes.INTEGER } as never, {
      sequelize,
      modelName: 'Thing',
      tableName: 'things',
      timestamps: false,
    });
    const grown = audit.register(Grown, { snapshots: true });
    const past = grown.asOf(time('11:00:00'));
    await expect(past.findAll()).rejects.toMatchObject({ code: 'ERR_AUDIT_MISSING_COLUMN' });
    await expect(past.findAll()).rejects.toThrow('"size"');
    await expect(past.findByPk(1)).rejects.toMatchObject({ code: 'ERR_AUDIT_MISSING_COLUMN' });
    await expect(grown.latestOfEach()).rejects.toMatchObject({ code: 'ERR_AUDIT_MISSING_COLUMN' });
    await Grown.sync({ alter: true });
    await audit.sync();
    expect((await past.findByPk(1))!.get()).toEqual({ id: 1, name: 'a', size: null });
    expect(await past.count({ where: { size: null } as never })).toBe(1);
    expect(handle.model).toBe(Grown);
    expect(Thing.name).toBe('Thing');
  });

  test('a column that the model lost stays in the versions and is not read', async () => {
    const { past } = await things({ name: DataTypes.TEXT }, { name: 'a' });
    await database.admin.query('alter table things_history add column gone text');
    await database.admin.query(`update things_history set gone = 'x'`);
    expect((await past.findByPk(1))!.get()).toEqual({ id: 1, name: 'a' });
    await expect(past.findAll({ where: { gone: 'x' } as never })).rejects.toThrow('gone');
  });

  test('an attribute that got a new column begins anew, renaming the history’s column keeps the past', async () => {
    const { past } = await things({ name: { type: DataTypes.TEXT, field: 'title' } }, { title: 'new' });
    await database.admin.query('alter table things_history rename title to was');
    await audit.sync();
    expect((await past.findByPk(1))!.get()).toEqual({ id: 1, name: null });
    await database.admin.query('alter table things_history drop column title');
    await database.admin.query('alter table things_history rename was to title');
    expect((await past.findByPk(1))!.get()).toEqual({ id: 1, name: 'new' });
  });

  test('a column of another type gives what was written; comparing the two says what to do', async () => {
    const { past } = await things({ size: DataTypes.INTEGER }, { size: 5 });
    await database.admin.query('alter table things_history alter size type text');
    expect((await past.findByPk(1))!.get()).toEqual({ id: 1, size: '5' });
    const compared = past.findAll({ where: { size: { [Op.gt]: 4 } } as never });
    await expect(compared).rejects.toMatchObject({ code: 'ERR_AUDIT_MISSING_COLUMN' });
    await expect(compared).rejects.toThrow(/"size" as text.*integer.*check\(\)/);
  });
});

describe('the shapes', () => {
  const shapes: AsOfShape[] = ['stream', 'streamBackwards', 'probe', 'bulk'];
  const table = 'order_items_history';
  const source = (bound: string): AsOfSource => ({
    live: { schema: null, table: 'order_items' },
    enumKeys: [],
    history: { schema: null, table },
    keys: ['sku', 'order_id'],
    columns: ['sku', 'order_id', 'quantity', 'deleted_at'],
    deletedAt: 'deleted_at',
    bound,
  });
  /** The newest version by id among those in time, and whether the one before of all was deleted softly. */
  const truth = (bound: string, part: AsOfPart): string => {
    const isSoft = `deleted_at is not null and was is null`;
    const conditions = {
      every: 'true',
      there: `history_type <> '-' or ${isSoft}`,
      deleted: `history_type = '-' or deleted_at is not null`,
    };
    return `select sku, order_id, quantity, deleted_at from (select *,
        lag(deleted_at) over (partition by sku, order_id order by history_id) was,
        row_number() over (partition by sku, order_id, (${bound}) order by history_id desc) r
        from ${table}) t where (${bound}) and r = 1 and (${conditions[part]}) order by 1, 2`;
  };

  test('fault 94: all give the rows that row_number() gives, ties, steps of the clock and composite keys included', async () => {
    await database.admin.query(`
      select setseed(0.25);
      insert into ${table} (sku, order_id, quantity, history_date, history_type, deleted_at)
      select 's' || floor(random() * 7), floor(random() * 5), g,
        '2026-11-21'::timestamptz + floor(g / 4 + random() * 3) * interval '1 microsecond',
        (array['+', '~', '~', '-'])[1 + floor(random() * 4)],
        case when random() < 0.3 then '2026-11-21'::timestamptz end
      from generate_series(1, 600) g`);
    let seen = 0;
    for (const micros of [0, 1, 40, 100, 149, 160]) {
      const bound = `"history_date" <= '2026-11-21'::timestamptz + ${micros} * interval '1 microsecond'`;
      for (const part of ['there', 'every', 'deleted'] as const) {
        const expected = await database.rows(truth(bound, part));
        seen += expected.length;
        for (const shape of shapes) {
          const sql = `select * from (${versionsAsOf(source(bound), shape, part)}) t order by 1, 2`;
          expect([shape, await database.rows(sql)]).toEqual([shape, expected]);
        }
      }
      const kept = { ...source(bound), deletedAt: null };
      const count = `select sku, order_id from (${versionsAsOf(kept, 'count')}) t order by 1, 2`;
      const rows = `select sku, order_id from (${versionsAsOf(kept, 'bulk')}) t order by 1, 2`;
      expect(await database.rows(count)).toEqual(await database.rows(rows));
    }
    expect(seen).toBeGreaterThan(200);
  });

  test.each([
    ['a key', { where: { sku: 's1' } }],
    ['several keys', { where: { sku: ['s1', 's2'], orderId: { [Op.lt]: 3 } } }],
    ['a key in a group', { where: { [Op.or]: [{ sku: 's1' }, { orderId: 2 }] } }],
    ['a key below and', { where: { [Op.and]: [{ sku: 's1' }, { quantity: { [Op.gt]: 20 } }] } }],
    ['no key', { where: { quantity: { [Op.between]: [10, 50] } } }],
    ['pages', { order: ['sku', 'orderId'], limit: 4, offset: 2 }],
    [
      'pages backwards',
      {
        order: [
          ['sku', 'DESC'],
          ['orderId', 'DESC'],
        ],
        limit: 4,
      },
    ],
    [
      'pages in mixed order',
      {
        order: [
          ['sku', 'DESC'],
          ['orderId', 'ASC'],
        ],
        limit: 4,
      },
    ],
    ['pages by another', { order: [['quantity', 'DESC']], limit: 4 }],
    ['backwards, nulls first', { order: [['sku', 'DESC NULLS LAST'], 'orderId'], limit: 4 }],
    ['a literal order', { order: sequelize.literal('order_id desc, sku'), limit: 3 }],
  ])('chosen for %s give what the same question of a plain table gives', async (_, options) => {
    await database.admin.query(`
      insert into ${table} (sku, order_id, quantity, history_date, history_type, log_entry_id)
      select 's' || g % 5, g % 4, g, '2026-11-21'::timestamptz + g * interval '1 second', case when g % 9 = 0 then '-' else '~' end, 1
      from generate_series(1, 90) g`);
    const when = time('00:01:05');
    const bound = `history_date <= '${when}'`;
    await database.admin.query(
      `truncate order_items; insert into order_items (sku, order_id, quantity, deleted_at) ${truth(bound, 'there')}`,
    );
    const given = { order: ['sku', 'orderId'], ...(options as object) } as FindOptions;
    const plain = (found: OrderItem[]): unknown[] => found.map((each) => each.get({ plain: true }));
    const past = items.asOf(when);
    expect(plain(await past.findAll(given))).toEqual(plain(await OrderItem.findAll(given)));
    expect((await past.findOne(given))?.get()).toEqual((await OrderItem.findOne(given))?.get());
    const condition = { where: given.where ?? {} };
    expect(await past.count(condition as never)).toBe(await OrderItem.count(condition));
    await database.admin.query('truncate order_items');
  });
});
