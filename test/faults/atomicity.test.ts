import type { Client } from 'pg';
import { DataTypes, Transaction, type Model, type Sequelize } from 'sequelize';
import { createAuditLog, type AuditLog } from 'sequelize-auditlog';
import { actionsOf, entriesOf, openAudited, refusalOf } from '../support/audited';
import { testDatabase } from '../support/database';

const database = testDatabase();
const { sequelize } = database;

const Order = sequelize.define(
  'Order',
  { status: DataTypes.TEXT, n: { type: DataTypes.INTEGER, defaultValue: 0 } },
  { timestamps: false },
);
const Item = sequelize.define('Item', { name: DataTypes.TEXT }, { timestamps: false });
Order.hasMany(Item, { foreignKey: 'orderId', onDelete: 'CASCADE' });
const auditLog = createAuditLog(sequelize);
auditLog.registerAudited(Order, { snapshots: true });
auditLog.registerAudited(Item);

const LOCK = 4242;
const AS_IF_SLOW = `create function wait_here() returns trigger language plpgsql as $$
  begin perform pg_advisory_xact_lock(${LOCK}); return coalesce(new, old); end $$`;

beforeAll(async () => {
  // Sequelize tells of every lost connection.
  jest.spyOn(console, 'warn').mockImplementation();
  await openAudited(database, auditLog);
  await database.rows(AS_IF_SLOW);
});
afterAll(() => database.close());

async function image(): Promise<unknown> {
  const tables = ['Orders', 'Items', 'audit_log_entries', 'Orders_history'];
  return Promise.all(tables.map((table) => database.rows(`select * from "${table}" order by 1`)));
}

/** The backend that waits for a lock, as soon as there is one. */
async function waitingBackend(): Promise<number> {
  const sql = `select pid from pg_stat_activity where wait_event_type = 'Lock' and application_name in ($1, '') and datname = current_database()
    and pid in (select pid from pg_locks where not granted)`;
  for (;;) {
    const [row] = await database.rows<{ pid: number }>(sql, [database.schema]);
    if (row) return row.pid;
  }
}

async function gone(pid: number): Promise<void> {
  while ((await database.rows('select from pg_stat_activity where pid = $1', [pid])).length > 0);
}

/** Runs `work` while `sql` of another connection holds its locks. */
async function against<T>(sql: string, work: (other: Client) => Promise<T>): Promise<T> {
  const other = database.newClient();
  await other.connect();
  await other.query(`begin; ${sql}`);
  try {
    return await work(other);
  } finally {
    await other.query('rollback');
    await other.end();
  }
}

/** A trigger that waits as long as `against(HOLD)` lasts. */
async function withTrigger(timing: string, work: () => Promise<void>): Promise<void> {
  await database.rows(`create ${timing.replace('TRIGGER', 'trigger slow')} execute function wait_here()`);
  const table = / on "?(\w+)"?/.exec(timing)?.[1];
  try {
    await work();
  } finally {
    await database.rows(`drop trigger slow on "${table}"`);
  }
}

const HOLD = `select pg_advisory_xact_lock(${LOCK})`;

test('1 a connection that dies between the write of the row and that of its entry leaves neither', async () => {
  const before = await image();
  await withTrigger('TRIGGER before insert on audit_log_entries for each row', () =>
    against(HOLD, async () => {
      const write = Order.create({ status: 'lost' }).then(
        () => 'done',
        (error: Error) => error.name,
      );
      await database.rows('select pg_terminate_backend($1)', [await waitingBackend()]);
      expect(await write).not.toBe('done');
    }),
  );
  expect(await image()).toEqual(before);
  expect(actionsOf(await entriesOf(auditLog, () => Order.create({ status: 'next' })))).toEqual([
    'create Order',
  ]);
});

test('2 3 what a transaction or a savepoint takes back leaves nothing, the rest stays', async () => {
  const before = await image();
  const failing = sequelize.transaction(async (transaction) => {
    await Order.create({ status: 'gone' }, { transaction });
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  expect(await image()).toEqual(before);
  const entries = await entriesOf(auditLog, () =>
    sequelize.transaction(async (transaction) => {
      const order = await Order.create({ status: 'kept' }, { transaction });
      const inner = sequelize.transaction({ transaction }, async (nested) => {
        await order.update({ status: 'inner' }, { transaction: nested });
        await Order.create({ status: 'inner' }, { transaction: nested });
        throw new Error('inner');
      });
      await inner.catch(() => undefined);
      await Order.update({ status: 'after' }, { where: { id: order.get('id') as number }, transaction });
    }),
  );
  expect(entries.map(({ changes }) => changes!['status'])).toEqual([
    [null, 'kept'],
    ['kept', 'after'],
  ]);
});

interface DriverConnection {
  readonly processID: number;
  readonly connection: { readonly stream: { destroy(): void; pause(): void } };
}

async function opened(): Promise<{ transaction: Transaction; connection: DriverConnection }> {
  const transaction = await sequelize.transaction();
  return { transaction, connection: (transaction as unknown as { connection: DriverConnection }).connection };
}

/** How many rows and how many entries there are of a status. */
async function found(status: string): Promise<unknown[]> {
  const [row] = await database.rows(
    `select (select count(*)::int from "Orders" where status = $1) as "rows",
       (select count(*)::int from audit_log_entries where changes->'status'->>1 = $1) as "entries",
       (select count(*)::int from "Orders_history" where status = $1) as "versions"`,
    [status],
  );
  return Object.values(row as object);
}

test('4 an entry that cannot be stored fails the write as a whole, with one error with a code and a cause', async () => {
  await database.rows(
    `alter table audit_log_entries add constraint refuse check (reason is distinct from 'refuse')`,
  );
  const before = await image();
  const order = await Order.findOne({ rejectOnEmpty: true });
  const audit = { reason: 'refuse' };
  const writes = [
    () => Order.create({ status: 'refused' }, { audit }),
    () => order.update({ status: 'refused' }, { audit }),
    () => Order.bulkCreate([{}, {}], { audit }),
    () => order.destroy({ audit }),
  ];
  for (const write of writes) {
    const error = await refusalOf(write);
    expect(error.code).toBe('ERR_AUDIT_WRITE_FAILED');
    expect(error.cause).toMatchObject({ code: '23514', constraint: 'refuse' });
  }
  expect(await image()).toEqual(before);
  await database.rows('alter table audit_log_entries drop constraint refuse');
});

test('9 a connection that ends while COMMIT is under way leaves neither row nor entry', async () => {
  const timing = 'constraint TRIGGER after insert on "Orders" deferrable initially deferred for each row';
  await withTrigger(timing, () =>
    against(HOLD, async () => {
      const { transaction } = await opened();
      await Order.create({ status: 'cut at commit' }, { transaction });
      const commit = transaction.commit().then(
        () => 'done',
        () => 'failed',
      );
      await database.rows('select pg_terminate_backend($1)', [await waitingBackend()]);
      expect(await commit).toBe('failed');
    }),
  );
  expect(await found('cut at commit')).toEqual([0, 0, 0]);
});

test('9 an answer to COMMIT that never arrives leaves both', async () => {
  const { transaction, connection } = await opened();
  await Order.create({ status: 'answer lost' }, { transaction });
  connection.connection.stream.pause();
  const commit = transaction.commit().then(
    () => 'done',
    () => 'failed',
  );
  while ((await found('answer lost'))[0] === 0);
  connection.connection.stream.destroy();
  expect(await commit).toBe('failed');
  expect(await found('answer lost')).toEqual([1, 1, 1]);
});

test('9 cut anywhere around COMMIT, the entry is there if and only if the row is', async () => {
  for (let at = 0; at < 12; at += 1) {
    const { transaction, connection } = await opened();
    const status = `cut ${at}`;
    await Order.create({ status }, { transaction });
    const commit = transaction.commit().catch(() => undefined);
    for (let wait = 0; wait < at; wait += 1) await Promise.resolve();
    if (at % 3 === 0) await new Promise(setImmediate);
    connection.connection.stream.destroy();
    await Promise.all([commit, gone(connection.processID)]);
    const [rows, entries, versions] = await found(status);
    expect([entries, versions]).toEqual([rows, rows]);
  }
});

test('9 a cascading delete of its own transaction that dies in COMMIT leaves all as it was', async () => {
  const order = await Order.create({ status: 'parent' });
  await Item.bulkCreate([{ orderId: order.get('id') }, { orderId: order.get('id') }]);
  const before = await image();
  const timing = 'constraint TRIGGER after delete on "Items" deferrable initially deferred for each row';
  await withTrigger(timing, () =>
    against(HOLD, async () => {
      const write = order.destroy().then(
        () => 'done',
        () => 'failed',
      );
      await database.rows('select pg_terminate_backend($1)', [await waitingBackend()]);
      expect(await write).toBe('failed');
    }),
  );
  expect(await image()).toEqual(before);
  expect(actionsOf(await entriesOf(auditLog, () => order.destroy()))).toEqual([
    'delete Order',
    'delete Item',
    'delete Item',
  ]);
});

const RETRIED = new Set(['40001', '40P01']);

/** As applications repeat a transaction that lost a race. */
async function repeated(
  on: Sequelize,
  isolationLevel: Transaction.ISOLATION_LEVELS,
  work: (transaction: Transaction) => Promise<unknown>,
): Promise<number> {
  for (let failures = 0; ; failures += 1) {
    try {
      await on.transaction({ isolationLevel }, work);
      return failures;
    } catch (error) {
      const { code } = (error as { original?: { code?: string } }).original ?? {};
      if (!RETRIED.has(code ?? '')) throw error;
    }
  }
}

async function values(log: AuditLog, order: Model): Promise<unknown[]> {
  return (await log.LogEntry.forObject(order, { order: [['id', 'ASC']] })).map(
    ({ changes }) => changes!['n'],
  );
}

test.each([Transaction.ISOLATION_LEVELS.REPEATABLE_READ, Transaction.ISOLATION_LEVELS.SERIALIZABLE])(
  '11 transactions that are repeated under %s leave one entry per surviving change',
  async (level) => {
    const order = await Order.create({ n: 0 });
    const where = { id: order.get('id') as number };
    let read = 0;
    let meet: () => void;
    const all = new Promise<void>((resolve) => (meet = resolve));
    const raise = async (transaction: Transaction): Promise<void> => {
      const { n } = (await Order.findOne({ where, transaction, raw: true })) as unknown as { n: number };
      // Nobody writes before all have read the same: three of four lose the race.
      if ((read += 1) >= 4) meet();
      await all;
      await Order.update({ n: n + 1 }, { where, transaction });
    };
    const failures = await Promise.all(Array.from({ length: 4 }, () => repeated(sequelize, level, raise)));
    expect(failures.some((count) => count > 0)).toBe(true);
    expect(await values(auditLog, order)).toEqual([
      [null, 0],
      [0, 1],
      [1, 2],
      [2, 3],
      [3, 4],
    ]);
  },
);

test('11 a deadlock surfaces as PostgreSQL raises it; repeated, every surviving change has one entry', async () => {
  const pair = [await Order.create({ n: 0 }), await Order.create({ n: 0 })];
  let met = 0;
  let meet: () => void;
  const both = new Promise<void>((resolve) => (meet = resolve));
  const crossing = (order: readonly Model[]) => async (transaction: Transaction) => {
    await sequelize.query(`set local deadlock_timeout = '10ms'`, { transaction });
    await order[0]!.increment('n', { transaction });
    if ((met += 1) >= 2) meet();
    await both;
    await order[1]!.increment('n', { transaction });
  };
  const level = Transaction.ISOLATION_LEVELS.READ_COMMITTED;
  const failures = await Promise.all(
    [pair, pair.toReversed()].map((order) => repeated(sequelize, level, crossing(order))),
  );
  expect(failures.toSorted((a, b) => a - b)).toEqual([0, 1]);
  for (const order of pair)
    expect(await values(auditLog, order)).toEqual([
      [null, 0],
      [0, 1],
      [1, 2],
    ]);
});

test('11 Sequelize’s own retry of a query leaves one entry', async () => {
  const order = await Order.create({ n: 0 });
  let tries = 0;
  const refuse = `create function fail_once() returns trigger language plpgsql as $$ begin
    if nextval('tries') = 1 then raise exception 'try again' using errcode = '40001'; end if; return new; end $$`;
  await database.rows('create sequence tries');
  await database.rows(refuse);
  await database.rows(
    'create trigger flaky before update on "Orders" for each row execute function fail_once()',
  );
  const retry = { max: 3, match: [/try again/], report: () => void (tries += 1) };
  await Order.update({ n: 5 }, { where: { id: order.get('id') as number }, retry } as never);
  await database.rows('drop trigger flaky on "Orders"');
  expect(tries).toBeGreaterThan(1);
  expect(await values(auditLog, order)).toEqual([
    [null, 0],
    [0, 5],
  ]);
});
