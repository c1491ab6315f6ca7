import { DataTypes, Model } from 'sequelize';
import { Registry } from '../../lib/capture/registry';
import { readTable } from '../../lib/schema/catalogue';
import { catalogueQuery, syncTables, type SyncOptions } from '../../lib/schema/sync';
import { testDatabase } from '../support/database';
import { loggedBy } from '../support/statements';

const database = testDatabase();
const { sequelize } = database;
class Plain extends Model {}
Plain.init({ name: DataTypes.TEXT }, { sequelize, tableName: 'plains', timestamps: false });
class Kept extends Model {}
Kept.init({ name: DataTypes.TEXT }, { sequelize, tableName: 'kept', timestamps: false });

const log = { schema: null, table: 'audit_log_entries' };
const registry = new Registry(sequelize, { schema: null, mask: null });
registry.register(Plain, {});
registry.register(Kept, { snapshots: true });

const sync = (options?: SyncOptions): Promise<void> =>
  syncTables(sequelize, registry.registrations, log, options);
const tables = async (): Promise<string[]> => {
  const rows = await database.rows<{ name: string }>(
    `select tablename as name from pg_tables where schemaname = $1 order by 1`,
    [database.schema],
  );
  return rows.map((row) => row.name);
};

beforeAll(() => database.open());
beforeEach(async () => {
  await database.admin.query('drop table if exists audit_log_entries, kept_history, kept');
});
afterAll(() => database.close());

test('creates the log and the history tables, and no other', async () => {
  await sync();
  expect(await tables()).toEqual(['audit_log_entries', 'kept_history']);
});

test('a second call changes nothing and keeps the rows', async () => {
  await sync();
  await database.admin.query(`insert into audit_log_entries (action, model) values ('x', 'Kept')`);
  const sent = await loggedBy(sequelize, () => sync());
  expect(sent.filter((sql) => /^(create|alter|drop)/i.test(sql))).toEqual([]);
  expect(await database.rows('select action from audit_log_entries')).toEqual([{ action: 'x' }]);
});

test('completes a history table after the model got a column', async () => {
  await sync();
  class Wider extends Model {}
  Wider.init(
    { name: DataTypes.TEXT, size: DataTypes.INTEGER },
    { sequelize, modelName: 'Wider', tableName: 'kept', timestamps: false },
  );
  const later = new Registry(sequelize, { schema: null, mask: null });
  later.register(Wider, { snapshots: true });
  await syncTables(sequelize, later.registrations, log);
  const info = await readTable(catalogueQuery(sequelize), { schema: null, table: 'kept_history' });
  expect(info!.columns.map((column) => column.name)).toContain('size');
});

test('a history follows a type that became wider, keeps its values, and leaves any other type alone', async () => {
  const columns =
    'id integer primary key, size smallint, rate real, code integer, mark text, label varchar(9)';
  await database.admin.query(`create table kept (${columns})`);
  class Sized extends Model {}
  const attributes = {
    size: DataTypes.SMALLINT,
    rate: DataTypes.REAL,
    code: DataTypes.INTEGER,
    mark: DataTypes.TEXT,
    label: DataTypes.STRING(9),
  };
  Sized.init(attributes, { sequelize, modelName: 'Sized', tableName: 'kept', timestamps: false });
  const later = new Registry(sequelize, { schema: null, mask: null });
  later.register(Sized, { snapshots: true });
  const again = (): Promise<void> => syncTables(sequelize, later.registrations, log);
  await again();
  await database.admin.query(
    `insert into kept_history (id, size, rate, code, mark, label, history_date, history_type) values (7, 8, 0.5, 9, '5', 'a', now(), '+')`,
  );
  await database.admin.query(
    `alter table kept alter id type bigint, alter size type numeric(9, 2), alter rate type double precision,
       alter code type text, alter mark type integer using mark::integer, alter label type text`,
  );
  await again();
  const info = await readTable(catalogueQuery(sequelize), { schema: null, table: 'kept_history' });
  const types = Object.fromEntries(info!.columns.map((column) => [column.name, column.type]));
  expect(types).toMatchObject({
    id: 'bigint',
    size: 'numeric',
    rate: 'double precision',
    code: 'text',
    mark: 'text',
    label: 'character varying',
  });
  expect(await database.rows('select id, size, rate, code, mark, label from kept_history')).toEqual([
    { id: '7', size: '8', rate: 0.5, code: '9', mark: '5', label: 'a' },
  ]);
  const sent = await loggedBy(sequelize, again);
  expect(sent.filter((sql) => /^(create|alter|drop)/i.test(sql))).toEqual([]);
});

test('with force the tables are made anew', async () => {
  await sync();
  await database.admin.query(`insert into audit_log_entries (action, model) values ('x', 'Kept')`);
  await database.admin.query(`insert into kept_history (history_date, history_type) values (now(), '+')`);
  await sync({ force: true });
  expect(await database.rows('select * from audit_log_entries')).toEqual([]);
  expect(await database.rows('select * from kept_history')).toEqual([]);
});

test('force is refused in production, and nothing is dropped', async () => {
  await sync();
  await database.admin.query(`insert into audit_log_entries (action, model) values ('x', 'Kept')`);
  const before = process.env['NODE_ENV'];
  process.env['NODE_ENV'] = 'production';
  try {
    await expect(sync({ force: true })).rejects.toMatchObject({ code: 'ERR_AUDIT_PRODUCTION' });
    await expect(sync()).resolves.toBeUndefined();
  } finally {
    process.env['NODE_ENV'] = before;
  }
  expect(await database.rows('select action from audit_log_entries')).toHaveLength(1);
});

test('several processes may start at once', async () => {
  const others = [1, 2, 3, 4].map(() => database.createSequelize());
  await Promise.all(others.map((other) => syncTables(other, registry.registrations, log)));
  expect(await tables()).toEqual(['audit_log_entries', 'kept_history']);
});

test('a failure leaves nothing behind', async () => {
  const clashing = new Registry(sequelize, { schema: null, mask: null });
  class Clash extends Model {}
  Clash.init({ name: DataTypes.TEXT }, { sequelize, tableName: 'clashes' });
  clashing.register(Kept, { snapshots: true });
  clashing.register(Clash, { snapshots: true });
  await database.rows('create view clashes_history as select 1 as id');
  await expect(syncTables(sequelize, clashing.registrations, log)).rejects.toThrow(/clashes_history/);
  expect(await tables()).toEqual([]);
  await database.rows('drop view clashes_history');
});

test('a schema that is missing is created, L10 with another table name', async () => {
  const schema = await database.createSchema('audit');
  await database.admin.query(`drop schema "${schema}"`);
  const own = new Registry(sequelize, { schema, mask: null });
  own.register(Kept, { snapshots: true });
  await syncTables(sequelize, own.registrations, { schema, table: 'trail' });
  const rows = await database.rows<{ name: string }>(
    `select tablename as name from pg_tables where schemaname = $1 order by 1`,
    [schema],
  );
  expect(rows.map((row) => row.name)).toEqual(['kept_history', 'trail']);
  expect(await tables()).toEqual([]);
});

test('an existing schema asks for no privilege on the database', async () => {
  const schema = await database.createSchema('given');
  const sent = await loggedBy(sequelize, () => syncTables(sequelize, [], { schema, table: 'trail' }));
  expect(sent.filter((sql) => /^create schema/i.test(sql))).toEqual([]);
});
