import { getAuditLog, withAuditContext } from 'sequelize-auditlog';
import { refusalOf } from '../support/audited';
import { testDatabase } from '../support/database';
import { blocksOf, readPaper, typescriptBlocksOf } from './support/markdown';
import { Order, OrderItem } from './support/reader';
import { Recipes } from './support/recipes';

const paper = readPaper('docs/operations.md');
const blocks = typescriptBlocksOf(paper);
// One connection, so that what it has counted can be asked for.
const database = testDatabase({ pool: { max: 1 } });
const recipes = new Recipes(database, blocks);

/** By the comment they begin with. */
const queries = new Map(
  blocksOf(paper)
    .filter(({ language }) => language === 'sql')
    .map(({ code }) => [/^-- (\w+)\n/.exec(code)?.[1] ?? code, code]),
);

const ask = (name: string): Promise<Record<string, unknown>[]> => database.rows(queries.get(name)!);

beforeAll(() => recipes.open());
afterAll(() => recipes.close());

test('every block has a name and is run below', () => {
  expect(blocks.map(({ name }) => name)).toEqual(['start', 'pooler', 'stats']);
  expect([...queries.keys()]).toEqual([
    'size',
    'vacuum',
    'silence',
    'unaudited',
    'clients',
    'slots',
    'transactions',
    'pruned',
  ]);
});

test('the check at start passes, and fails when a migration was forgotten', async () => {
  await recipes.run('start');
  await database.rows('drop index audit_log_entries_time');
  expect((await refusalOf(() => recipes.run('start'))).code).toBe('ERR_AUDIT_CHECK_FAILED');
  await recipes.wired.auditLog.sync();
});

test('behind a pooler nothing is sent by name', async () => {
  const other = database.createSequelize();
  await recipes.run('pooler', { sequelize: other });
  expect((await getAuditLog(other)!.check()).ok).toBe(true);
});

test('sizes are told by model and by table', async () => {
  const log = jest.spyOn(console, 'log').mockImplementation(() => undefined);
  await recipes.run('stats');
  expect(log.mock.calls.map(([model]) => model as string)).toEqual(
    expect.arrayContaining(['Order', 'OrderItem']),
  );
  log.mockRestore();
  const tables = (await ask('size')).map(({ table }) => table);
  expect(tables).toEqual(expect.arrayContaining(['audit_log_entries', 'Orders_history']));
});

test('an entry takes as many bytes as the benchmark says', () => {
  const [, bytes] = /(\d+) bytes an entry/.exec(readPaper('bench/RESULTS.md'))!;
  expect(paper).toContain(`takes ${bytes} bytes on disk`);
});

test('the settings of vacuum are taken by the table', async () => {
  await ask('vacuum');
  const [row] = await database.rows<{ options: string[] }>(
    `select reloptions as options from pg_class where oid = 'audit_log_entries'::regclass`,
  );
  expect(row!.options).toContain('autovacuum_vacuum_insert_threshold=100000');
});

/** A connection that rests tells its counts within ten seconds, unless it is asked to. */
const counters = async (): Promise<{ writes: number; entries: number }> => {
  await database.sequelize.query('select pg_stat_force_next_flush()');
  const [row] = await ask('silence');
  return { writes: Number(row!['writes']), entries: Number(row!['entries']) };
};

test('fault 114: of writes that leave no entry one counter runs and the other stands still, and the rows are found', async () => {
  const before = await counters();
  const seen = await Order.create({ status: 'pending' });
  const middle = await counters();
  const [a, b] = await Order.bulkCreate([{ status: 'a' }, { status: 'b' }], { audit: false });
  const after = await counters();
  const grown = [middle, after].map(({ writes, entries }) => [
    writes - before.writes,
    entries - before.entries,
  ]);
  expect(grown).toEqual([
    [1, 1],
    [3, 1],
  ]);
  const found = (await ask('unaudited')).map(({ id }) => id);
  expect(found).toEqual(expect.arrayContaining([a!.id, b!.id]));
  expect(found).not.toContain(seen.id);
});

test('fault 113: entries and views are counted by actor and address, the busiest first', async () => {
  const { auditLog } = recipes.wired;
  await withAuditContext({ actor: { id: 9, label: 'mallory' }, remoteAddr: '203.0.113.66' }, async () => {
    for (let at = 0; at < 8; at += 1) await auditLog.logAccess([Order, at]);
    await OrderItem.create({ quantity: 1 });
  });
  expect((await ask('clients'))[0]).toEqual({
    actor: 'mallory',
    client: '203.0.113.66',
    entries: '9',
    views: '8',
  });
});

test('fault 112: slots and long transactions are looked for where PostgreSQL tells of them', async () => {
  expect(await ask('slots')).toEqual([]);
  const own = ({ application_name: name }: Record<string, unknown>): boolean => name === database.schema;
  expect((await ask('transactions')).filter(own)).toEqual([]);
});

test('the marks of pruning say since when history is whole', async () => {
  await database.rows(
    `insert into audit_log_entries (action, model, additional_data) values ('prune', 'Order', '{"olderThan": "2026-01-01T00:00:00.000000Z"}')`,
  );
  expect(await ask('pruned')).toEqual([
    { model: 'Order', last_pruned: expect.any(Date) as Date, history_begins: '2026-01-01T00:00:00.000000Z' },
  ]);
});
