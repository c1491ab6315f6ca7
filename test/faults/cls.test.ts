import { AsyncLocalStorage } from 'node:async_hooks';
import { DataTypes, Sequelize, type Model } from 'sequelize';
import { createAuditLog, withAuditContext, type LogEntry } from 'sequelize-auditlog';
import { actionsOf, entriesOf, openAudited, refusalOf } from '../support/audited';
import { testDatabase } from '../support/database';

const database = testDatabase();
const { sequelize } = database;
const Order = sequelize.define('Order', {
  number: { type: DataTypes.TEXT, unique: true },
  n: DataTypes.INTEGER,
});
const Item = sequelize.define('Item', { name: DataTypes.TEXT });
Order.hasMany(Item, { as: 'items', foreignKey: 'orderId', onDelete: 'CASCADE' });
const auditLog = createAuditLog(sequelize);
auditLog.registerAudited(Order, { snapshots: true });
auditLog.registerAudited(Item);

/** What Sequelize asks of a namespace of cls-hooked. */
class Namespace {
  readonly #storage = new AsyncLocalStorage<Map<string, unknown>>();

  get(key: string): unknown {
    return this.#storage.getStore()?.get(key);
  }

  set(key: string, value: unknown): void {
    this.#storage.getStore()?.set(key, value);
  }

  run(work: (context: object) => unknown): unknown {
    const inner = new Map(this.#storage.getStore());
    return this.#storage.run(inner, () => work(inner));
  }

  bind<F extends (...args: never[]) => unknown>(work: F, context: Map<string, unknown>): F {
    return ((...args: never[]) => this.#storage.run(context, () => work(...args))) as F;
  }
}

/** Sequelize keeps the namespace on the class, and takes none back. */
const holder = Sequelize as unknown as { _cls?: unknown };
const before = holder['_cls'];

beforeAll(async () => {
  await openAudited(database, auditLog);
  Sequelize.useCLS(new Namespace());
});
afterAll(async () => {
  holder['_cls'] = before;
  await database.close();
});

/** One write of every kind, none of which names a transaction. */
async function everyWrite(name: string): Promise<void> {
  const order: Model = await Order.create(
    { number: name, n: 1, items: [{ name }] },
    { include: [{ association: 'items' }] },
  );
  await order.increment('n');
  await Order.update({ n: 7 }, { where: { number: name } });
  await Order.bulkCreate([{ number: `${name}-2` }, { number: `${name}-3` }]);
  await Order.upsert({ number: `${name}-2`, n: 2 }, { conflictFields: ['number'] });
  await Order.findOrCreate({ where: { number: `${name}-4` } });
  await sequelize.query(`update "Orders" set n = 9 where number = '${name}-3'`);
  await order.destroy();
  await auditLog.logAccess([Order, order.get('id') as number]);
}

const EVERY_ACTION = [
  'create Order',
  'create Item',
  'update Order',
  'update Order',
  'create Order',
  'create Order',
  'update Order',
  'create Order',
  'update Order',
  'delete Order',
  'delete Item',
  'access Order',
];

const transactionsOf = (entries: readonly LogEntry[]): Set<string | null> =>
  new Set(entries.map(({ transactionId }) => transactionId));

async function image(): Promise<unknown[]> {
  const found: unknown[] = [];
  for (const table of ['Orders', 'Items', 'audit_log_entries', 'Orders_history'])
    found.push(await database.rows(`select * from "${table}" order by 1`));
  return found;
}

test('2 with useCLS every kind of write has its entries in the transaction that is passed implicitly', async () => {
  let current: unknown;
  const entries = await entriesOf(auditLog, () =>
    sequelize.transaction(async () => {
      await everyWrite('kept');
      [[current]] = await sequelize.query('select pg_current_xact_id()::text as id');
    }),
  );
  expect(actionsOf(entries)).toEqual(EVERY_ACTION);
  expect(transactionsOf(entries)).toEqual(new Set([(current as { id: string }).id]));
});

test('2 with useCLS what that transaction takes back leaves no entry and no version', async () => {
  const earlier = await image();
  const failing = sequelize.transaction(async () => {
    await everyWrite('gone');
    throw new Error('taken back');
  });
  await expect(failing).rejects.toThrow('taken back');
  expect(await image()).toEqual(earlier);
});

test('3 with useCLS a savepoint that is taken back leaves nothing, the rest stays in one transaction', async () => {
  const entries = await entriesOf(auditLog, () =>
    sequelize.transaction(async (transaction) => {
      const order = await Order.create({ number: 'outer', n: 1 });
      const inner = sequelize.transaction({ transaction }, async () => {
        await order.update({ n: 2 });
        throw new Error('inner');
      });
      await expect(inner).rejects.toThrow('inner');
      await Order.update({ n: 3 }, { where: { number: 'outer' } });
    }),
  );
  expect(entries.map(({ changes }) => changes!['n'])).toEqual([
    [null, 1],
    [1, 3],
  ]);
  expect(transactionsOf(entries).size).toBe(1);
});

test('2 with useCLS a call with transaction: null is outside of it, and its entry too', async () => {
  const entries = await entriesOf(auditLog, async () => {
    const failing = sequelize.transaction(async () => {
      await Order.create({ number: 'inside' });
      await Order.create({ number: 'outside' }, { transaction: null });
      throw new Error('taken back');
    });
    await expect(failing).rejects.toThrow('taken back');
  });
  expect(entries.map(({ changes }) => changes!['number'])).toEqual([[null, 'outside']]);
});

const inTransactionOf = (name: string) =>
  withAuditContext({ actor: name }, () => sequelize.transaction(() => everyWrite(name)));

test('14 with useCLS transactions side by side keep actor and transaction apart', async () => {
  const entries = await entriesOf(auditLog, () => Promise.all(['ann', 'bob', 'cid'].map(inTransactionOf)));
  for (const name of ['ann', 'bob', 'cid']) {
    const own = entries.filter(({ actorId }) => actorId === name);
    expect(actionsOf(own)).toEqual(EVERY_ACTION);
    expect(transactionsOf(own).size).toBe(1);
  }
  expect(transactionsOf(entries).size).toBe(3);
});

test('with useCLS a write outside of every transaction has its entry in a transaction of its own', async () => {
  const entries = await entriesOf(auditLog, () => everyWrite('alone'));
  expect(actionsOf(entries)).toEqual(EVERY_ACTION);
  expect(transactionsOf(entries).size).toBeGreaterThan(5);
});

test('with useCLS auditLog.asOf hands on its transaction, and what it refuses stays refused', async () => {
  const order: Model = await Order.create({ number: 'past', n: 1 });
  const [then] = await auditLog.LogEntry.forObject(order);
  await order.update({ n: 2 });
  const where = { number: 'past' };
  const read = async (): Promise<unknown> => (await Order.findOne({ where }))!.get('n');
  expect(await sequelize.transaction(async () => [await auditLog.asOf(then!, read), await read()])).toEqual([
    1, 2,
  ]);
  const refused = [
    () => Item.findAll(),
    () => Order.create({ number: 'never' }),
    () => sequelize.transaction(async () => read()),
  ];
  const codes = await auditLog.asOf(then!, async () => {
    const found: string[] = [];
    for (const call of refused) found.push((await refusalOf(call)).code);
    return [...found, await sequelize.transaction({ transaction: null }, async () => 'open')];
  });
  expect(codes).toEqual([
    'ERR_AUDIT_NO_SNAPSHOTS',
    'ERR_AUDIT_READ_ONLY',
    'ERR_AUDIT_INVALID_ARGUMENT',
    'open',
  ]);
});

test('with useCLS switched off again such a call is outside of the transaction', async () => {
  const namespace = holder['_cls'];
  holder['_cls'] = undefined;
  const entries = await entriesOf(auditLog, async () => {
    const failing = sequelize.transaction(async (transaction) => {
      await Order.create({ number: 'implicit' });
      await Order.create({ number: 'explicit' }, { transaction });
      throw new Error('taken back');
    });
    await expect(failing).rejects.toThrow('taken back');
  });
  holder['_cls'] = namespace;
  expect(entries.map(({ changes }) => changes!['number'])).toEqual([[null, 'implicit']]);
});

test('a revert joins the transaction of the namespace, and null keeps it out', async () => {
  const orders = auditLog.audited(Order);
  const order: Model = await Order.create({ n: 1 });
  const [created] = await orders.entries(order);
  await order.update({ n: 2 });
  const storedN = async () =>
    (await Order.findByPk(order.get('id') as number, { transaction: null }))?.get('n');
  const work = async (): Promise<never> => {
    await orders.revert(order, { to: created! });
    throw new Error('rolled back');
  };
  await expect(sequelize.transaction(work)).rejects.toThrow('rolled back');
  expect(await storedN()).toBe(2);
  const apart = async (): Promise<never> => {
    await orders.revert(order, { to: created!, transaction: null });
    throw new Error('rolled back');
  };
  await expect(sequelize.transaction(apart)).rejects.toThrow('rolled back');
  expect(await storedN()).toBe(1);
});
