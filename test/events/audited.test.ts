import { DataTypes, type Transaction } from 'sequelize';
import { createAuditLog, withAuditContext, withoutAudit, type ModelAuditedEvent } from 'sequelize-auditlog';
import { openAudited } from '../support/audited';
import { testDatabase } from '../support/database';
import { until } from '../support/until';

const database = testDatabase({ pool: { max: 20 } });
const { sequelize } = database;
const Order = sequelize.define('Order', {
  number: { type: DataTypes.TEXT, unique: true },
  status: DataTypes.TEXT,
  total: DataTypes.INTEGER,
});
const Item = sequelize.define('Item', { sku: DataTypes.TEXT });
const Note = sequelize.define('Note', { text: DataTypes.TEXT });
Order.hasMany(Item, { foreignKey: 'orderId', onDelete: 'CASCADE' });
const auditLog = createAuditLog(sequelize);
auditLog.registerAudited(Order);
auditLog.registerAudited(Item);

beforeAll(async () => {
  // Sequelize prints what it does about a commit that failed.
  jest.spyOn(console, 'warn').mockImplementation(() => undefined);
  await openAudited(database, auditLog);
});
afterAll(() => database.close());

const MARK = 'the end';

/**
 * The events of `work`, up to those of a last write whose event shows that all before it were told: events are told in the
 * order of commits.
 */
async function eventsOf(work: () => unknown): Promise<ModelAuditedEvent[]> {
  const events: ModelAuditedEvent[] = [];
  const hear = (event: ModelAuditedEvent): void => void events.push(event);
  auditLog.on('audited', hear);
  try {
    await work();
    await Order.create({ status: MARK, number: `${MARK} ${Math.random()}` }, { audit: { actor: MARK } });
    await until(() => events.at(-1)?.changedById === MARK);
  } finally {
    auditLog.off('audited', hear);
  }
  return events.slice(0, -1);
}

const told = (events: readonly ModelAuditedEvent[]): string[] =>
  events.map(({ action, modelName }) => `${action} ${modelName}`);

test('W2, W4, W5, H306: create, update and delete outside a transaction are told with all that the contract names', async () => {
  let id = '';
  const events = await eventsOf(() =>
    withAuditContext({ actor: { id: 7, label: 'Ann' }, correlationId: 'req-1' }, async () => {
      const order = await Order.create({ number: 'a1', status: 'new' });
      id = String(order.get('id'));
      await order.update({ total: 5, status: 'paid' });
      await order.destroy();
    }),
  );
  expect(told(events)).toEqual(['create Order', 'update Order', 'delete Order']);
  const entries = await auditLog.LogEntry.forObject(Order, id, { order: [['id', 'ASC']] });
  expect(events).toEqual(
    entries.map((entry) => ({
      entryId: entry.id,
      modelName: 'Order',
      instanceId: id,
      action: entry.action,
      changedFields: entry.changedAttributes,
      changedById: '7',
      timestamp: new Date(entry.timestamp.getTime()),
      correlationId: 'req-1',
      transactionId: entry.transactionId,
    })),
  );
});

test('fault 13: nothing is told of a transaction that rolled back, of a savepoint taken back, or of a commit that failed', async () => {
  const events = await eventsOf(async () => {
    await expect(
      sequelize.transaction(async (transaction) => {
        await Order.create({ number: 'b1' }, { transaction });
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    await sequelize.transaction(async (transaction) => {
      await Order.create({ number: 'b2', status: 'kept' }, { transaction });
      await expect(
        sequelize.transaction({ transaction }, async (inner) => {
          await Order.create({ number: 'b3', status: 'taken back' }, { transaction: inner });
          throw new Error('inner');
        }),
      ).rejects.toThrow('inner');
    });
    await failedCommit();
  });
  expect(told(events)).toEqual(['create Order']);
});

/** A deferred constraint fails at the commit itself. */
async function failedCommit(): Promise<void> {
  await sequelize.query(
    'create table "Deferred" ("id" integer references "Orders" ("id") deferrable initially deferred)',
  );
  const transaction = await sequelize.transaction();
  await Order.create({ number: 'b4' }, { transaction });
  await sequelize.query('insert into "Deferred" values (-1)', { transaction });
  await expect(transaction.commit()).rejects.toThrow('foreign key');
  await sequelize.query('drop table "Deferred"');
}

test('a commit that the server answers with a rollback is told of as none', async () => {
  const events = await eventsOf(async () => {
    const transaction = await sequelize.transaction();
    await Order.create({ number: 'c1' }, { transaction });
    await expect(sequelize.query('select 1/0', { transaction })).rejects.toThrow('zero');
    await transaction.commit();
  });
  expect(events).toEqual([]);
});

test('nothing is told before the commit', async () => {
  const events = await eventsOf(async () => {
    const transaction = await sequelize.transaction();
    await Order.create({ number: 'd1' }, { transaction });
    await Order.create({ number: 'd2' });
    await transaction.commit();
  });
  expect(events.map(({ entryId }) => entryId)).not.toEqual(events.map(({ entryId }) => entryId).toSorted());
  expect(told(events)).toEqual(['create Order', 'create Order']);
});

test('E16: every road of a write is told: bulk, upsert, increment, findOrCreate, raw SQL, cascades, truncate, own entries', async () => {
  const events = await eventsOf(async () => {
    await Order.bulkCreate([{ number: 'e1' }, { number: 'e2' }]);
    await Order.upsert({ number: 'e1', status: 'x' });
    await Order.increment('total', { by: 0, where: { number: 'e1' } });
    await Order.update({ total: 1 }, { where: { number: ['e1', 'e2'] } });
    await Order.findOrCreate({ where: { number: 'e3' } });
    await sequelize.query(`update "Orders" set status = 'raw' where number = 'e3'`);
    const [order] = await Order.findAll({ where: { number: 'e2' } });
    await Item.create({ sku: 's', orderId: order!.get('id') });
    await order!.destroy();
    await auditLog.log(order!, { action: 'approve' });
    await sequelize.transaction(async (transaction) => {
      await auditLog.logAccess(order!, { transaction });
    });
    await Item.create({ sku: 't' });
    await Item.destroy({ truncate: true });
  });
  expect(told(events)).toEqual([
    'create Order',
    'create Order',
    'update Order',
    'update Order',
    'update Order',
    'create Order',
    'update Order',
    'create Item',
    'delete Order',
    'delete Item',
    'approve Order',
    'access Order',
    'create Item',
    'delete Item',
  ]);
});

test('H307: a link is told as an update; what is not recorded is not told', async () => {
  const events = await eventsOf(async () => {
    await withoutAudit(() => Order.create({ number: 'f1' }));
    await Order.create({ number: 'f2' }, { audit: false });
    await Note.create({ text: 'not registered' });
    await Order.update({ status: 'nobody' }, { where: { id: -1 } });
  });
  expect(events).toEqual([]);
});

test('W8: a write that fails is told to its caller alone, as it would be without a listener', async () => {
  const events = await eventsOf(async () => {
    await Order.create({ number: 'g1' });
    await expect(Order.create({ number: 'g1' })).rejects.toMatchObject({
      name: 'SequelizeUniqueConstraintError',
    });
  });
  expect(told(events)).toEqual(['create Order']);
});

test('6,000 entries of one statement are told once each, in order, page by page', async () => {
  const events = await eventsOf(() =>
    sequelize.query(
      'insert into "Items" ("sku", "createdAt", "updatedAt") select n::text, now(), now() from generate_series(1, 6000) n',
    ),
  );
  const ids = events.map(({ entryId }) => BigInt(entryId));
  expect(ids).toHaveLength(6000);
  expect(ids.every((id, at) => at === 0 || id > ids[at - 1]!)).toBe(true);
});

test('50 transactions at once, half of them rolled back: exactly the others are told', async () => {
  const commit = async (at: number): Promise<void> => {
    const transaction: Transaction = await sequelize.transaction();
    await Order.create({ number: `h${at}`, total: at }, { transaction });
    await (at % 2 === 0 ? transaction.commit() : transaction.rollback());
  };
  const events = await eventsOf(() => Promise.all(Array.from({ length: 50 }, (_, at) => commit(at))));
  const orders = await Order.findAll({ where: { id: events.map(({ instanceId }) => instanceId) } });
  expect(orders.map((order) => order.get('total') as number).toSorted((a, b) => a - b)).toEqual(
    Array.from({ length: 25 }, (_, at) => at * 2),
  );
  expect(events).toHaveLength(25);
});

test('E15: a handler that throws or rejects breaks neither the write, whole or by half, nor the others; once() hears one event', async () => {
  const errors: unknown[] = [];
  const hearError = (error: unknown): void => void errors.push(error);
  const throwing = (): void => {
    throw new Error('thrown');
  };
  const rejecting = async (): Promise<void> => {
    await Promise.resolve();
    throw new Error('rejected');
  };
  const heard: string[] = [];
  auditLog.on('error', hearError);
  auditLog.on('audited', throwing);
  auditLog.on('audited', rejecting);
  auditLog.once('audited', (event) => void heard.push(event.action));
  await eventsOf(() => Order.create({ number: 'i1' }));
  const [order] = await Order.findAll({ where: { number: 'i1' } });
  expect(await auditLog.LogEntry.forObject(order!)).toMatchObject([{ action: 'create' }]);
  await until(() => errors.length === 4);
  expect(errors.map((error) => (error as Error).message).toSorted()).toEqual([
    'rejected',
    'rejected',
    'thrown',
    'thrown',
  ]);
  expect(heard).toEqual(['create']);
  auditLog.off('error', hearError);
  auditLog.off('audited', throwing);
  auditLog.off('audited', rejecting);
});

test('a handler runs in the context of the write it hears of', async () => {
  const reasons: (string | null)[] = [];
  const { currentAuditContext } = await import('sequelize-auditlog');
  const hear = (): void => void reasons.push(currentAuditContext()?.reason ?? null);
  auditLog.on('audited', hear);
  await eventsOf(() => withAuditContext({ reason: 'stocktaking' }, () => Order.create({ number: 'j1' })));
  auditLog.off('audited', hear);
  expect(reasons).toEqual(['stocktaking', null]);
});

test('without a listener nothing is read back and no transaction is added', async () => {
  const statements: string[] = [];
  const logging = (sql: string): void => void statements.push(sql);
  await Order.create({ number: 'k1' }, { logging });
  expect(statements).toHaveLength(1);
});
