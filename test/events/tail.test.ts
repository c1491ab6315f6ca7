import { DataTypes, type Transaction } from 'sequelize';
import { createAuditLog, type TailedEntry } from 'sequelize-auditlog';
import { openAudited, refusalOf } from '../support/audited';
import { testDatabase } from '../support/database';
import { until } from '../support/until';

const database = testDatabase({ pool: { max: 60 } });
const { sequelize } = database;
const Order = sequelize.define('Order', { number: DataTypes.TEXT, total: DataTypes.INTEGER });
const auditLog = createAuditLog(sequelize);
auditLog.registerAudited(Order);

beforeAll(async () => {
  // Sequelize prints what it does about a commit that failed.
  jest.spyOn(console, 'warn').mockImplementation(() => undefined);
  await openAudited(database, auditLog);
});
afterAll(() => database.close());

/** Follows the log while `work` runs, until `isEnough` of what came. */
async function tailed(
  after: string | undefined,
  isEnough: (got: readonly TailedEntry[]) => boolean,
  work: () => Promise<unknown> = () => Promise.resolve(),
): Promise<TailedEntry[]> {
  const got: TailedEntry[] = [];
  const stop = new AbortController();
  const options = { signal: stop.signal, pollMs: 10, ...(after === undefined ? {} : { after }) };
  const reading = (async () => {
    for await (const each of auditLog.tail(options)) {
      got.push(each);
      if (isEnough(got)) stop.abort();
    }
  })();
  await Promise.all([reading, work()]);
  return got;
}

const ids = (got: readonly TailedEntry[]): string[] => got.map(({ entry }) => entry.id);
const numbers = async (): Promise<string[]> =>
  (await auditLog.LogEntry.findAll({ order: [['id', 'ASC']] })).map(({ id }) => id);

test('begins with the oldest entry, goes on behind a cursor, and gives entries of the log', async () => {
  await Order.bulkCreate([{ number: 'a1' }, { number: 'a2' }, { number: 'a3' }]);
  const all = await tailed(undefined, (got) => got.length === 3);
  expect(ids(all)).toEqual(await numbers());
  expect(all[0]!.entry.describe()).toBe('system created Order 1');
  const rest = await tailed(all[0]!.cursor, (got) => got.length === 2);
  expect(ids(rest)).toEqual(ids(all.slice(1)));
});

test('an entry waits for an older open transaction, whose entries are not skipped', async () => {
  const { cursor } = (await tailed(undefined, (got) => got.length === 3)).at(-1)!;
  const older = await sequelize.transaction();
  const first = await Order.create({ number: 'b1' }, { transaction: older });
  const second = await Order.create({ number: 'b2' });
  const got = await tailed(
    cursor,
    (each) => each.length === 2,
    () => older.commit(),
  );
  expect(got.map(({ entry }) => entry.objectPk)).toEqual(
    [first, second].map((each) => String(each.get('id'))),
  );
});

test("'now' begins at the end, with what commits from now on, transactions that are open included", async () => {
  const open = await sequelize.transaction();
  const late = await Order.create({ number: 'c1' }, { transaction: open });
  await Order.create({ number: 'c2' });
  const iteration = auditLog.tail({ after: 'now', pollMs: 10 });
  const next = iteration.next();
  await until(
    async () =>
      (
        await database.rows(
          `select 1 from pg_stat_activity where application_name = $1 and query like '%pg_visible_in_snapshot%'`,
          [database.schema],
        )
      ).length > 0,
  );
  await open.commit();
  const { value } = await next;
  expect((value as TailedEntry).entry.objectPk).toBe(String(late.get('id')));
  const after = await Order.create({ number: 'c3' });
  expect(((await iteration.next()).value as TailedEntry).entry.objectPk).toBe(String(after.get('id')));
  await iteration.return();
});

test('fault 13: 50 transactions that commit out of order, some rolled back, some with their connection killed: none lost, none twice', async () => {
  const { cursor } = (await tailed(undefined, () => true)).at(-1)!;
  const before = new Set(await numbers());
  const heard: string[] = [];
  const hear = ({ entryId }: { entryId: string }): void => void heard.push(entryId);
  auditLog.on('audited', hear);
  auditLog.on('error', () => undefined);
  const fate = async (at: number): Promise<void> => {
    const transaction = await sequelize.transaction();
    await Order.create({ number: `d${at}` }, { transaction });
    await Order.create({ number: `d${at}` }, { transaction });
    await database.rows('select pg_sleep($1::float8)', [((at * 7) % 10) / 1000]);
    if (at % 5 === 0) await kill(transaction);
    else await (at % 5 === 1 ? transaction.rollback() : transaction.commit());
  };
  const work = async (): Promise<void> => {
    await Promise.all(Array.from({ length: 50 }, (_, at) => fate(at)));
    await Order.create({ number: 'last' });
  };
  const isLast = (got: readonly TailedEntry[]): boolean =>
    got.some(({ entry }) => (entry.changes as Record<string, unknown[]>)['number']?.[1] === 'last');
  const got = ids(await tailed(cursor, isLast, work)).filter((id) => !before.has(id));
  const stored = (await numbers()).filter((id) => !before.has(id));
  expect(stored).toHaveLength(61);
  expect(new Set(got).size).toBe(got.length);
  expect(got.toSorted()).toEqual(stored.toSorted());
  await until(() => heard.length >= stored.length);
  auditLog.off('audited', hear);
  expect(heard.toSorted()).toEqual(stored.toSorted());
});

async function kill(transaction: Transaction): Promise<void> {
  const [row] = (await sequelize.query('select pg_backend_pid() as pid', { transaction }))[0] as [
    { pid: number },
  ];
  await database.rows('select pg_terminate_backend($1)', [row.pid]);
  await transaction.commit().catch(() => null);
}

test('no connection is held between two looks; abort ends it at once and normally', async () => {
  const stop = new AbortController();
  const [last] = (await tailed(undefined, () => true)).slice(-1);
  const all = await tailed(
    last!.cursor,
    () => true,
    () => Order.create({ number: 'e1' }),
  );
  const iteration = auditLog.tail({ after: all.at(-1)!.cursor, signal: stop.signal, pollMs: 600_000 });
  const end = iteration.next();
  const { pool } = sequelize.connectionManager as unknown as { pool: { using: number } };
  await until(() => pool.using === 0);
  stop.abort();
  expect(await end).toEqual({ done: true, value: undefined });
});

test('fault 111: while nobody reads, writes go on, and a reader finds all of it', async () => {
  const stored = await numbers();
  await sequelize.query(
    'insert into "Orders" ("number", "createdAt", "updatedAt") select n::text, now(), now() from generate_series(1, 1200) n',
  );
  const got = await tailed(undefined, (each) => each.length === stored.length + 1200);
  expect(ids(got)).toHaveLength(new Set(ids(got)).size);
});

test.each([
  ['a damaged cursor', { after: 'yesterday' }, 'ERR_AUDIT_INVALID_OPTION'],
  ['a cursor ahead of the server', { after: 't1.999999999999999999.1' }, 'ERR_AUDIT_CURSOR'],
  ['an unknown option', { poll: 1 }, 'ERR_AUDIT_INVALID_OPTION'],
  ['a pause that is none', { pollMs: 0 }, 'ERR_AUDIT_INVALID_OPTION'],
])('%s is refused', async (_, options, code) => {
  const error = await refusalOf(() => auditLog.tail(options as never).next());
  expect(error.code).toBe(code);
});
