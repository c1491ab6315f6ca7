import { DataTypes, type Transaction } from 'sequelize';
import { createAuditLog, type AuditLog } from 'sequelize-auditlog';
import { actionsOf, entriesOf, refusalOf } from '../support/audited';
import { testDatabase, type TestDatabase } from '../support/database';

const database = testDatabase({ pool: { max: 1 } });
let count = 0;

/** A log and a history of their own for one test, behind one connection. */
async function shop(options: { readonly sync?: boolean } = {}) {
  count += 1;
  const [tableName, history] = [`log_${count}`, `versions_${count}`];
  const sequelize = database.createSequelize({ pool: { max: 1 } });
  const auditLog = createAuditLog(sequelize, { tableName });
  const Order = sequelize.define('Order', { status: DataTypes.TEXT }, { tableName: `orders_${count}` });
  auditLog.registerAudited(Order, { snapshots: { tableName: history } });
  await sequelize.sync();
  if (options.sync !== false) await auditLog.sync();
  return { sequelize, auditLog, Order, tableName, history };
}
type Shop = Awaited<ReturnType<typeof shop>>;

beforeAll(() => database.open());
afterAll(() => database.close());

const rowsIn = async (db: TestDatabase, table: string): Promise<number> =>
  Number((await db.rows<{ n: string }>(`select count(*) as n from "${table}"`))[0]!.n);

/** Every kind of write, with and without the caller's transaction. */
function writesOf({ Order }: Shop, transaction?: Transaction): readonly (() => Promise<unknown>)[] {
  const own = transaction ? { transaction } : {};
  return [
    () => Order.create({ status: 'new' }, own),
    () => Order.bulkCreate([{}, {}], own),
    () => Order.update({ status: 'changed' }, { where: {}, ...own }),
    () => Order.destroy({ where: {}, ...own }),
    () => Order.upsert({ id: 1, status: 'upserted' }, own),
    () => Order.findOrCreate({ where: { status: 'missing' }, ...own }),
    () => Order.truncate(own),
  ];
}

interface Break {
  readonly name: string;
  readonly of: 'tableName' | 'history';
  readonly sql: (table: string) => string;
  readonly repair: (table: string) => string | null;
  readonly code: string;
  readonly advice: string;
}

const missing = { code: 'ERR_AUDIT_MISSING_TABLE', advice: 'await auditLog.sync()' };
const breaks: readonly Break[] = (['tableName', 'history'] as const).flatMap(
  (of) =>
    [
      { name: 'dropped', of, sql: (table) => `drop table "${table}"`, repair: () => null, ...missing },
      {
        name: 'renamed',
        of,
        sql: (table) => `alter table "${table}" rename to "${table}_old"`,
        repair: (table) => `alter table "${table}_old" rename to "${table}"`,
        ...missing,
      },
      {
        name: 'short of a column',
        of,
        sql: (table) =>
          `alter table "${table}" drop column "${of === 'tableName' ? 'reason' : 'history_change_reason'}"`,
        repair: () => null,
        code: 'ERR_AUDIT_MISSING_COLUMN',
        advice: 'await auditLog.sync()',
      },
      {
        name: 'under a constraint that nothing satisfies',
        of,
        sql: (table) => `alter table "${table}" add constraint never check (false) not valid`,
        repair: (table) => `alter table "${table}" drop constraint never`,
        code: 'ERR_AUDIT_WRITE_FAILED',
        advice: 'violates check constraint "never"',
      },
      {
        name: 'with a trigger that refuses',
        of,
        sql: (table) =>
          `create or replace function refuse() returns trigger language plpgsql as $$ begin raise 'no more of this' using table = tg_table_name; end $$;
       create trigger refusing before insert on "${table}" for each row execute function refuse()`,
        repair: (table) => `drop trigger refusing on "${table}"`,
        code: 'ERR_AUDIT_WRITE_FAILED',
        advice: 'no more of this',
      },
    ] satisfies Break[],
);

async function expectRefused(broken: Break, given: Shop, work: () => Promise<unknown>): Promise<void> {
  const error = await refusalOf(work);
  expect([error.name, error.code]).toEqual(['AuditError', broken.code]);
  expect(error.message).toContain(`"${given[broken.of]}"`);
  expect(error.message).toContain(broken.advice);
  expect(error.message).toContain('was not made');
}

async function repair(broken: Break, { auditLog, ...given }: Shop): Promise<void> {
  const sql = broken.repair(given[broken.of]);
  if (sql === null) await auditLog.sync();
  else await database.rows(sql);
}

describe.each(breaks.map((each) => [each.of === 'tableName' ? 'log' : 'history', each.name, each] as const))(
  '7 a %s table that is %s',
  (_kind, _name, broken) => {
    test.each([
      ['before the first write', false],
      ['after writes that succeeded', true],
    ])('fails every write as a whole %s, and works again once repaired', async (_when, isUsed) => {
      const given = await shop();
      const { Order, auditLog, sequelize } = given;
      await Order.create({ status: 'kept' }, { audit: false });
      if (isUsed) for (const status of ['a', 'b', 'c']) await Order.update({ status }, { where: {} });
      const before = await Order.findAll({ raw: true });
      await database.rows(broken.sql(given[broken.of]));
      for (const write of writesOf(given)) await expectRefused(broken, given, write);
      expect(await Order.findAll({ raw: true })).toEqual(before);
      await sequelize.query('select 1');
      await repair(broken, given);
      expect(actionsOf(await entriesOf(auditLog, () => Order.create({ status: 'after' })))).toEqual([
        'create Order',
      ]);
      expect(await rowsIn(database, given.history)).toBeGreaterThanOrEqual(1);
    });

    test('ends a transaction of the caller, without a trace of it', async () => {
      const given = await shop();
      const { Order, sequelize, auditLog } = given;
      await Order.create({ status: 'kept' });
      await database.rows(broken.sql(given[broken.of]));
      const work = sequelize.transaction(async (transaction) => {
        await Order.create({ status: 'unlogged' }, { transaction, audit: false });
        await Order.update({ status: 'changed' }, { where: {}, transaction });
      });
      await expectRefused(broken, given, () => work);
      expect((await Order.findAll()).map((row) => row.get('status'))).toEqual(['kept']);
      await repair(broken, given);
      const again = () =>
        sequelize.transaction((transaction) => Order.update({ status: 'again' }, { where: {}, transaction }));
      expect(actionsOf(await entriesOf(auditLog, again))).toEqual(['update Order']);
    });

    test('leaves a savepoint to go back to', async () => {
      const given = await shop();
      const { Order, sequelize } = given;
      await Order.create({ status: 'kept' });
      await database.rows(broken.sql(given[broken.of]));
      await sequelize.transaction(async (transaction) => {
        await Order.create({ status: 'first' }, { transaction, audit: false });
        const inner = sequelize.transaction({ transaction }, (nested) =>
          Order.create({}, { transaction: nested }),
        );
        await expectRefused(broken, given, () => inner);
        await Order.create({ status: 'second' }, { transaction, audit: false });
      });
      const stored = (await Order.findAll({ order: ['id'] })).map((row) => row.get('status'));
      expect(stored).toEqual(['kept', 'first', 'second']);
      await repair(broken, given);
    });
  },
);

test('7 a log that was never created names the command, and sync() makes it work', async () => {
  const given = await shop({ sync: false });
  const { Order, auditLog } = given;
  const error = await refusalOf(() => Order.create({}));
  expect(error.code).toBe('ERR_AUDIT_MISSING_TABLE');
  expect(error.message).toContain('await auditLog.sync()');
  expect(await Order.count()).toBe(0);
  await auditLog.sync();
  expect(actionsOf(await entriesOf(auditLog, () => Order.create({})))).toEqual(['create Order']);
});

test('reading and hand-made entries of a missing log fail by the same code', async () => {
  const { Order, auditLog, tableName } = await shop();
  const order = await Order.create({});
  await database.rows(`drop table "${tableName}"`);
  for (const work of [
    () => auditLog.LogEntry.findAll(),
    () => auditLog.LogEntry.forObject(order),
    () => auditLog.logAccess(order),
  ]) {
    const error = await refusalOf(work);
    expect(error.code).toBe('ERR_AUDIT_MISSING_TABLE');
    expect(error.message).toContain(`"${tableName}"`);
  }
});

test('a column of the model that the history lacks is left out of the version, and writes go on', async () => {
  const { Order, auditLog, history } = await shop();
  await database.rows(`alter table "${history}" drop column "status"`);
  const order = await Order.create({ status: 'a' });
  expect(await rowsIn(database, history)).toBe(1);
  expect((await auditLog.LogEntry.forObject(order))[0]!.changes!['status']).toEqual([null, 'a']);
});

test('another table in the place of the log is told apart', async () => {
  const { Order, tableName } = await shop({ sync: false });
  await database.rows(`create table "${tableName}" (id text)`);
  const error = await refusalOf(() => Order.create({}));
  expect(error.code).toBe('ERR_AUDIT_MISSING_COLUMN');
  expect(error.message).toContain(`"${tableName}"`);
  expect(await Order.count()).toBe(0);
});

describe('a role without the privilege', () => {
  const role = database.schema;

  /** The same shop, written to by a role that owns nothing. */
  async function restricted(): Promise<Shop & { readonly owned: Shop }> {
    const owned = await shop();
    const { tableName, history } = owned;
    const options = `-c search_path=${database.schema} -c role=${role}`;
    const sequelize = database.createSequelize({ pool: { max: 1 }, dialectOptions: { options } });
    const auditLog = createAuditLog(sequelize, { tableName });
    const Order = sequelize.define(
      'Order',
      { status: DataTypes.TEXT },
      { tableName: owned.Order.getTableName() as string },
    );
    auditLog.registerAudited(Order, { snapshots: { tableName: history } });
    await database.rows(`grant all on all tables in schema "${database.schema}" to "${role}"`);
    await database.rows(`grant all on all sequences in schema "${database.schema}" to "${role}"`);
    return { sequelize, auditLog, Order, tableName, history, owned };
  }

  beforeAll(async () => {
    await database.rows(`drop role if exists "${role}"`);
    await database.rows(`create role "${role}"`);
    await database.rows(`grant usage on schema "${database.schema}" to "${role}"`);
  });
  afterAll(async () => {
    await database.rows(`drop owned by "${role}"`);
    await database.rows(`drop role "${role}"`);
  });

  const revoked: readonly (readonly [string, (shop: Shop) => string, 'tableName' | 'history'])[] = [
    ['insert on the log', ({ tableName }) => `insert on "${tableName}"`, 'tableName'],
    ['all on the log', ({ tableName }) => `all on "${tableName}"`, 'tableName'],
    ['insert on the history', ({ history }) => `insert on "${history}"`, 'history'],
    ['usage of the log’s sequence', ({ tableName }) => `all on sequence "${tableName}_id_seq"`, 'tableName'],
  ];

  test.each(revoked)(
    '%s fails the write, before the first and after one, until it is granted',
    async (_name, privilege, of) => {
      const given = await restricted();
      const { Order, auditLog } = given;
      await Order.create({ status: 'kept' });
      await database.rows(`revoke ${privilege(given)} from "${role}"`);
      for (const write of [
        () => Order.create({}),
        () => Order.update({ status: 'x' }, { where: {} }),
        () => Order.destroy({ where: {} }),
      ]) {
        const error = await refusalOf(write);
        expect(error.code).toBe('ERR_AUDIT_PERMISSION');
        expect(error.message).toContain(`may not write to "${given[of]}"`);
        expect(error.message).toContain('Grant it');
        expect(error.cause).toMatchObject({ code: '42501' });
      }
      expect((await Order.findAll()).map((row) => row.get('status'))).toEqual(['kept']);
      await database.rows(`grant ${privilege(given)} to "${role}"`);
      expect(await logged(auditLog, () => Order.update({ status: 'x' }, { where: {} }))).toEqual([
        'update Order',
      ]);
    },
  );

  test('insert alone is enough to write', async () => {
    const { Order, tableName, history } = await restricted();
    for (const table of [tableName, history])
      await database.rows(`revoke select, update, delete, truncate on "${table}" from "${role}"`);
    await Order.create({ status: 'a' });
    expect(await rowsIn(database, tableName)).toBe(1);
  });

  test('fails entries that no change makes by the same code', async () => {
    const { Order, auditLog, tableName } = await restricted();
    const order = await Order.create({});
    await database.rows(`revoke insert on "${tableName}" from "${role}"`);
    expect((await refusalOf(() => auditLog.logAccess(order))).code).toBe('ERR_AUDIT_PERMISSION');
    expect((await refusalOf(() => auditLog.log(order, { action: 'approve' }))).code).toBe(
      'ERR_AUDIT_PERMISSION',
    );
  });

  test('may neither clean up a history nor give it baselines', async () => {
    const { Order, auditLog, history } = await restricted();
    await Order.create({}, { audit: false });
    const orders = auditLog.audited(Order);
    await database.rows(`revoke insert, delete on "${history}" from "${role}"`);
    for (const work of [() => orders.populate(), () => orders.cleanDuplicates()]) {
      const error = await refusalOf(work);
      expect([error.code, error.message]).toEqual([
        'ERR_AUDIT_PERMISSION',
        expect.stringMatching(new RegExp(`"${history}".*Grant it`)),
      ]);
    }
    expect(await orders.cleanDuplicates({ dryRun: true })).toEqual({ examined: 0, removed: 0 });
  });

  test('the user’s own table fails as it does without auditing', async () => {
    const { Order } = await restricted();
    await database.rows(`revoke insert on "${Order.getTableName() as string}" from "${role}"`);
    await expect(Order.create({})).rejects.toMatchObject({
      name: 'SequelizeDatabaseError',
      parent: { code: '42501' },
    });
  });
});

async function logged(auditLog: AuditLog, work: () => unknown): Promise<string[]> {
  return actionsOf(await entriesOf(auditLog, work));
}

test('7 a database that is read-only fails the write as it does without auditing', async () => {
  const given = await shop();
  const { Order, sequelize } = given;
  await sequelize.query('set default_transaction_read_only = on');
  await expect(Order.create({})).rejects.toMatchObject({ parent: { code: '25006' } });
  await sequelize.query('set default_transaction_read_only = off');
  await Order.create({});
  expect(await Order.count()).toBe(1);
});

describe('8 a log table that is locked', () => {
  test.each([
    ['lock_timeout', '55P03'],
    ['statement_timeout', '57014'],
  ])('fails the write as a whole by %s and leaves the connection usable', async (setting, code) => {
    const given = await shop();
    const { Order, sequelize, auditLog, tableName } = given;
    await Order.create({ status: 'kept' });
    await sequelize.query(`set ${setting} = '50ms'`);
    const locker = database.newClient();
    await locker.connect();
    await locker.query('begin');
    await locker.query(`lock table "${tableName}" in access exclusive mode`);
    const pid = (await sequelize.query('select pg_backend_pid() as pid')) as never as [[{ pid: number }]];
    for (const write of [
      () => Order.create({}),
      () => Order.update({ status: 'x' }, { where: {} }),
      () => Order.destroy({ where: {} }),
    ]) {
      const error: unknown = await write().then(String, (thrown: unknown) => thrown);
      expect(codeOf(error)).toBe(code);
    }
    expect((await Order.findAll()).map((row) => row.get('status'))).toEqual(['kept']);
    expect(await sequelize.query('select pg_backend_pid() as pid')).toEqual(pid);
    await locker.query('rollback');
    expect(actionsOf(await entriesOf(auditLog, () => Order.create({ status: 'after' })))).toEqual([
      'create Order',
    ]);
  });

  function codeOf(error: unknown): unknown {
    const { cause, parent } = error as { cause?: { code?: string }; parent?: { code?: string } };
    return cause?.code ?? parent?.code;
  }
});
