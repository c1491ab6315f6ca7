import { readTable, type CatalogueQuery } from '../../lib/schema/catalogue';
import { fitName } from '../../lib/schema/index-name';
import { createLogTable, LOG_COLUMNS, logIndexes } from '../../lib/schema/log-table';
import type { TableName } from '../../lib/schema/quote';
import { testDatabase } from '../support/database';

const database = testDatabase();
const query: CatalogueQuery = async (sql, values) => ({ rows: await database.rows(sql, values) });

async function run(statements: readonly string[]): Promise<void> {
  for (const sql of statements) await database.admin.query(sql);
}

beforeAll(() => database.open());
afterAll(() => database.close());

const log: TableName = { schema: null, table: 'audit_log_entries' };

test('the log has the columns of the contract, by name, type and nullability', async () => {
  await run(createLogTable(log));
  const { columns, primaryKey } = (await readTable(query, log))!;
  expect(
    columns.map((column) => `${column.name} ${column.type}${column.notNull ? ' not null' : ''}`),
  ).toEqual([
    'id bigint not null',
    'timestamp timestamp with time zone not null',
    'action text not null',
    'model text not null',
    'object_pk text',
    'object_repr text',
    'changes jsonb',
    'actor_id text',
    'actor_label text',
    'actor_type text',
    'remote_addr inet',
    'remote_port integer',
    'correlation_id text',
    'request text',
    'transaction_id bigint',
    'reason text',
    'additional_data jsonb',
  ]);
  expect(primaryKey).toEqual(['id']);
  expect(columns[0]).toMatchObject({ identity: 'default' });
  expect(LOG_COLUMNS.map((each) => each.column)).toEqual(columns.map((column) => column.name));
});

test('the log has one index per finder', async () => {
  await run(createLogTable(log));
  const rows = await database.rows<{ definition: string }>(
    `select replace(indexdef, $1 || '.', '') as definition from pg_indexes where schemaname = $1 and tablename = 'audit_log_entries' order by indexname`,
    [database.schema],
  );
  expect(rows.map((row) => row.definition.replace(/^.* ON audit_log_entries /, ''))).toEqual([
    'USING btree (actor_id, id) WHERE (actor_id IS NOT NULL)',
    'USING btree (correlation_id) WHERE (correlation_id IS NOT NULL)',
    `USING btree (model, "timestamp") WHERE (action = 'delete'::text)`,
    'USING btree (model, id)',
    'USING btree (model, object_pk, id)',
    'USING btree (id)',
    `USING btree (model, id) WHERE (action = 'prune'::text)`,
    'USING btree ("timestamp", id)',
    'USING btree (transaction_id)',
  ]);
});

test('creating twice changes nothing', async () => {
  await run(createLogTable(log));
  const before = await readTable(query, log);
  await run(createLogTable(log));
  expect(await readTable(query, log)).toEqual(before);
});

test('a complete log needs no statement at all', async () => {
  await run(createLogTable(log));
  expect(createLogTable(log, await readTable(query, log))).toEqual([]);
});

test('an incomplete log gets the columns and indexes it lacks, and keeps its rows', async () => {
  const old: TableName = { schema: null, table: 'old_log' };
  await run(createLogTable(old));
  await database.admin.query(`alter table old_log drop column reason, drop column additional_data`);
  await database.admin.query(`drop index old_log_actor`);
  await database.admin.query(`insert into old_log (action, model) values ('create', 'Order')`);
  const statements = createLogTable(old, await readTable(query, old));
  expect(statements).toHaveLength(2);
  await run(statements);
  const info = (await readTable(query, old))!;
  expect(info.columns.map((column) => column.name)).toEqual(
    expect.arrayContaining(['reason', 'additional_data']),
  );
  expect(info.indexes).toContain('old_log_actor');
  expect(await database.rows(`select action, reason from old_log`)).toEqual([
    { action: 'create', reason: null },
  ]);
});

test('an invalid index is told apart, and its name not given again', async () => {
  const broken: TableName = { schema: null, table: 'broken_log' };
  await run(createLogTable(broken));
  await database.admin.query('drop index broken_log_model');
  await database.admin.query(`insert into broken_log (action, model) values ('a', 'b'), ('a', 'b')`);
  const unique = 'create unique index concurrently broken_log_model on broken_log (model)';
  await expect(database.admin.query(unique)).rejects.toThrow(/could not create unique index/);
  const info = (await readTable(query, broken))!;
  expect([info.indexes.includes('broken_log_model'), info.invalidIndexes]).toEqual([
    false,
    ['broken_log_model'],
  ]);
  expect(createLogTable(broken, info)).toEqual([]);
});

test('a name with quotes and capitals, in a schema of its own, is quoted everywhere', async () => {
  const schema = await database.createSchema('Odd x');
  const odd: TableName = { schema, table: 'The "log"' };
  await run(createLogTable(odd));
  await run(createLogTable(odd));
  expect((await readTable(query, odd))!.indexes).toHaveLength(9);
  expect(createLogTable(odd, await readTable(query, odd))).toEqual([]);
});

describe('names of indexes', () => {
  test('a short one stays as it is', () => {
    expect(logIndexes(log).map((index) => index.name)).toContain('audit_log_entries_object');
  });

  test('a long one is cut to 63 bytes, and different ones stay different', () => {
    const long = 'ä'.repeat(45);
    const names = logIndexes({ schema: null, table: long }).map((index) => index.name);
    for (const name of names) expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63);
    expect(new Set(names).size).toBe(names.length);
    expect(fitName(`${long}_object`)).not.toBe(fitName(`${long}_objects`));
  });

  test('a log with a long name is found complete again', async () => {
    const long: TableName = { schema: null, table: 'é'.repeat(31) };
    await run(createLogTable(long));
    expect(createLogTable(long, await readTable(query, long))).toEqual([]);
  });
});
