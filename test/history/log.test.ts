import { DataTypes, Model, Op } from 'sequelize';
import { withAuditContext, withoutAudit } from '../../lib/context/scopes';
import { createWriters, type LogOptions } from '../../lib/history/log';
import { testDatabase } from '../support/database';
import { loggedBy } from '../support/statements';
import { auditFixture, defineModels, Order, OrderItem, User } from './fixture';

const database = testDatabase();
defineModels(database);
const { sequelize } = database;
class Stray extends Model {}
Stray.init({ name: DataTypes.TEXT }, { sequelize });

const audit = auditFixture(database, { actor: { model: User, label: 'email' } });
const { log, logAccess } = createWriters(audit.settings);
audit.register(Order, {
  mask: { cardNumber: { keepLast: 4 }, data: true },
  repr: 'Order {id} - {status}',
  modelName: 'Sale',
});
audit.register(OrderItem);

const order = Order.build({ id: 1, status: 'pending' }, { isNewRecord: false, raw: true });
const MICROS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

beforeAll(async () => {
  await database.open();
  await sequelize.sync();
  await audit.sync();
});
beforeEach(async () => {
  await database.admin.query('truncate audit_log_entries restart identity');
});
afterAll(() => database.close());

const stored = () => database.rows('select * from audit_log_entries order by id');

describe('log', () => {
  test('A22 writes one entry and returns it as it is stored', async () => {
    const entry = (await log(order, {
      action: 'approve',
      changes: { level: [1, { by: 'x' }] },
      reason: 'ticket 9',
      additionalData: { n: 1n },
      actor: { id: 7, label: 'ann', type: 'User' },
    }))!;
    expect(await stored()).toHaveLength(1);
    const read = (await audit.LogEntry.findByPk(entry.id))!;
    expect(entry.toJSON()).toEqual(read.toJSON());
    expect(entry.get()).toEqual(read.get());
    expect(entry.toJSON()).toMatchObject({
      action: 'approve',
      model: 'Sale',
      objectPk: '1',
      objectRepr: 'Order 1 - pending',
      changes: { level: [1, { by: 'x' }] },
      reason: 'ticket 9',
      additionalData: { n: '1' },
      actorId: '7',
      actorLabel: 'ann',
      actorType: 'User',
      timestamp: expect.stringMatching(MICROS),
      transactionId: expect.stringMatching(/^\d+$/),
    });
    expect(entry.describe()).toBe('ann logged approve of Order 1 - pending, level: 1 → {"by":"x"}');
  });

  test('it is one statement', async () => {
    expect(await loggedBy(sequelize, () => log(order, { action: 'approve' }))).toHaveLength(1);
  });

  test('A22 entries are found by their changes', async () => {
    await log(order, { action: 'approve', changes: { level: [1, 2] } });
    expect(
      await audit.LogEntry.findAll({ where: { changes: { [Op.contains]: { level: [1, 2] } } } as never }),
    ).toHaveLength(1);
  });

  test.each(['create', 'update', 'delete', '', 'Approve', '9x', 'a b', '-x', 'é', null, undefined, 5])(
    'the action %p is refused',
    async (action) => {
      await expect(log(order, { action } as LogOptions)).rejects.toMatchObject({
        code: 'ERR_AUDIT_INVALID_ACTION',
      });
      expect(await stored()).toEqual([]);
    },
  );

  test.each(['approve', 'a', 'order.shipped', 'a_b-c.9'])('the action %p is taken', async (action) => {
    expect((await log(order, { action }))!.action).toBe(action);
  });

  test.each([
    ['no object', ['status']],
    ['a text', 'x'],
    ['a value alone', { status: 'x' }],
    ['one of a pair', { status: ['x'] }],
    ['three', { status: [1, 2, 3] }],
    ['a function', { status: [1, () => 1] }],
    ['undefined', { status: [undefined, 1] }],
  ])('changes that are %s are refused', async (_, changes) => {
    await expect(log(order, { action: 'x', changes } as never)).rejects.toMatchObject({
      code: 'ERR_AUDIT_INVALID_ARGUMENT',
    });
    expect(await stored()).toEqual([]);
  });

  test('masks apply to changes given by hand, H6 H7 H9 whatever their length and type', async () => {
    const changes = {
      cardNumber: ['4111111111113456', '12345678'],
      data: [null, { pin: 1 }],
      userPassword: ['', 5],
      status: ['a', 'b'],
    } as const;
    const entry = (await log(order, { action: 'x', changes }))!;
    expect(entry.changes).toEqual({
      cardNumber: ['********3456', '********'],
      data: [null, '********'],
      userPassword: ['********', '********'],
      status: ['a', 'b'],
    });
    expect(JSON.stringify(await stored())).not.toMatch(/41111|12345678|pin/);
  });

  test('what PostgreSQL can’t hold is made fit', async () => {
    const entry = (await log(order, { action: 'x', changes: { 'a\0b': ['\0', 'x\ud800'] }, reason: 'r\0' }))!;
    expect(entry.changes).toEqual({ ab: ['', 'x\ufffd'] });
    expect(entry.reason).toBe('r');
  });

  test('dates, BigInts and odd numbers become JSON', async () => {
    const entry = (await log(order, {
      action: 'x',
      changes: { a: [new Date(0), 9n], b: [Number.NaN, 1.5] },
    }))!;
    expect(entry.changes).toEqual({ a: ['1970-01-01T00:00:00.000Z', '9'], b: ['NaN', 1.5] });
  });

  test('unknown options are refused with a suggestion', async () => {
    await expect(log(order, { action: 'x', raeson: 'y' } as never)).rejects.toThrow('Did you mean "reason"?');
  });

  test.each([
    ['nothing', undefined],
    ['a key alone', 1],
    ['a plain object', { id: 1 }],
    ['a list of one', [Order]],
  ])('%s is no object to log', async (_, subject) => {
    await expect(log(subject as never, { action: 'x' })).rejects.toMatchObject({
      code: 'ERR_AUDIT_INVALID_ARGUMENT',
    });
  });

  test('a model that is not registered is refused', async () => {
    await expect(log(Stray.build({ id: 1 }), { action: 'x' })).rejects.toMatchObject({
      code: 'ERR_AUDIT_NOT_REGISTERED',
    });
  });

  test('a template with an attribute that wasn’t loaded gives the model and the key', async () => {
    const partial = Order.build({ id: 4 } as never, { isNewRecord: false, raw: true });
    expect((await log(partial, { action: 'x' }))!.objectRepr).toBe('Sale 4');
  });

  test('the representation is at most 255 characters', async () => {
    const long = Order.build({ id: 4, status: 'x'.repeat(300) }, { raw: true });
    expect((await log(long, { action: 'x' }))!.objectRepr).toHaveLength(255);
  });
});

describe('logAccess', () => {
  test('V1 V2 V5 V6 V8 adds one entry about the model, without changes', async () => {
    const entry = (await logAccess(order))!;
    expect(await stored()).toHaveLength(1);
    expect(entry).toMatchObject({ action: 'access', model: 'Sale', objectPk: '1', changes: null });
    expect(entry.displayChanges()).toEqual([]);
  });

  test('V4 its actor is that of the context', async () => {
    const entry = await withAuditContext({ actor: { id: 3, label: 'bob' } }, () => logAccess(order));
    expect(entry).toMatchObject({ actorId: '3', actorLabel: 'bob', actorType: 'User' });
  });

  test('a model and a key will do', async () => {
    const entry = await logAccess([OrderItem, { orderId: 2, sku: 'a/b' }], { reason: 'audit' });
    expect(entry).toMatchObject({
      model: 'OrderItem',
      objectPk: '["a/b","2"]',
      objectRepr: 'OrderItem ["a/b","2"]',
      reason: 'audit',
    });
  });

  test('it takes no action and no changes', async () => {
    await expect(logAccess(order, { changes: {} } as never)).rejects.toMatchObject({
      code: 'ERR_AUDIT_INVALID_OPTION',
    });
  });
});

describe('context', () => {
  test('an actor known by id alone gets the label from its row, in the same statement', async () => {
    const user = await User.create({ email: 'row@example.com' });
    let entry: unknown;
    const sent = await loggedBy(sequelize, async () => {
      entry = await log(order, { action: 'x', actor: user.id });
    });
    expect(sent).toHaveLength(1);
    expect(entry).toMatchObject({
      actorId: String(user.id),
      actorLabel: 'row@example.com',
      actorType: 'User',
    });
  });

  test('an actor without a row keeps the id as label', async () => {
    expect(await log(order, { action: 'x', actor: 999 })).toMatchObject({
      actorId: '999',
      actorLabel: '999',
    });
  });

  test('the call wins over the context, and data is merged', async () => {
    const context = {
      actor: { id: 3, label: 'bob' },
      reason: 'outer',
      remoteAddr: '10.0.0.1',
      additionalData: { a: 1, b: 1 },
    };
    const entry = await withAuditContext(context, () =>
      log(order, { action: 'x', actor: null, additionalData: { b: 2 } }),
    );
    expect(entry).toMatchObject({
      actorId: null,
      reason: 'outer',
      remoteAddr: '10.0.0.1',
      additionalData: { a: 1, b: 2 },
    });
  });

  test('inside withoutAudit nothing is written, and the answer is null', async () => {
    expect(await withoutAudit(() => log(order, { action: 'x' }))).toBeNull();
    expect(await withoutAudit(() => logAccess(order))).toBeNull();
    expect(await stored()).toEqual([]);
  });
});

describe('transactions', () => {
  test('an entry goes with its transaction', async () => {
    const transaction = await sequelize.transaction();
    const entry = (await log(order, { action: 'x', transaction }))!;
    expect(await stored()).toEqual([]);
    await transaction.rollback();
    expect(await stored()).toEqual([]);
    expect(entry.transactionId).toMatch(/^\d+$/);
  });

  test('entries of one transaction share its id', async () => {
    await sequelize.transaction(async (transaction) => {
      await log(order, { action: 'x', transaction });
      await logAccess(order, { transaction });
    });
    const [a, b] = await audit.LogEntry.findAll();
    expect(a!.transactionId).toBe(b!.transactionId);
  });
});

test('a missing table names what creates it', async () => {
  const other = auditFixture(database, { tableName: 'nowhere' });
  other.register(Order, {});
  const writers = createWriters(other.settings);
  await expect(writers.log(order, { action: 'x' })).rejects.toMatchObject({
    code: 'ERR_AUDIT_MISSING_TABLE',
  });
});
