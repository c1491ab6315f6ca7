import { DataTypes, type QueryInterface } from 'sequelize';
import { createAuditLog } from 'sequelize-auditlog';
import {
  createAuditTables,
  createHistoryTable,
  dropAuditTables,
  dropHistoryTable,
} from 'sequelize-auditlog/migrations';
import { memoryStorage, Umzug } from 'umzug';
import { readTable, type CatalogueQuery, type TableInfo } from '../../lib/schema/catalogue';
import { refusalOf } from '../support/audited';
import { testDatabase } from '../support/database';
import { loggedBy } from '../support/statements';

const database = testDatabase();
const { sequelize } = database;
/** As sequelize-cli does: an instance of its own, which knows no model and has no audit log. */
const tool = database.createSequelize();
const plain = tool.getQueryInterface();
const own = sequelize.getQueryInterface();
const query: CatalogueQuery = async (sql, values) => ({ rows: await database.rows(sql, values) });

const auditLog = createAuditLog(sequelize);
const Customer = sequelize.define('Customer', { name: DataTypes.TEXT });
const Order = sequelize.define('Order', {
  status: DataTypes.ENUM('open', 'closed'),
  total: { type: DataTypes.DECIMAL(10, 2), allowNull: false, unique: true },
  apiKey: { type: DataTypes.JSONB, field: 'api_key' },
  notes: DataTypes.STRING(20),
});
Customer.hasMany(Order);
Order.belongsTo(Customer);

const info = async (table: string, schema: string | null = null): Promise<TableInfo> =>
  (await readTable(query, { schema, table }))!;
const columns = async (table: string, schema: string | null = null): Promise<string[]> =>
  (await info(table, schema)).columns.map(({ name, type }) => `${name} ${type}`);
const tables = async (schema = database.schema): Promise<string[]> => {
  const sql = 'select tablename as name from pg_tables where schemaname = $1 order by 1';
  return (await database.rows<{ name: string }>(sql, [schema])).map(({ name }) => name);
};
const definitions = (sent: readonly string[]): string[] =>
  sent.filter((sql) => /^(create|alter|drop)/i.test(sql));

beforeAll(async () => {
  await database.open();
  await sequelize.sync();
});
afterEach(async () => {
  auditLog.unregister(Order);
  await database.rows('drop table if exists audit_log_entries, "Orders_history"');
});
afterAll(() => database.close());

describe('createAuditTables', () => {
  test('makes what sync() makes, by the same names', async () => {
    await auditLog.sync();
    const synced = await info('audit_log_entries');
    await dropAuditTables(plain);
    await createAuditTables(plain);
    expect(await info('audit_log_entries')).toEqual(synced);
  });

  test('does nothing a second time, and keeps the entries', async () => {
    await createAuditTables(plain);
    await database.rows(`insert into audit_log_entries (action, model) values ('note', 'Order')`);
    expect(definitions(await loggedBy(tool, () => createAuditTables(plain)))).toEqual([]);
    expect(await database.rows('select action from audit_log_entries')).toEqual([{ action: 'note' }]);
  });

  test('adds what an older log lacks, and keeps what a newer one has', async () => {
    await createAuditTables(plain);
    const complete = await info('audit_log_entries');
    await database.rows('drop index audit_log_entries_pruned');
    await database.rows('alter table audit_log_entries drop column reason, add column newer text');
    await createAuditTables(plain);
    const completed = await info('audit_log_entries');
    expect(completed.indexes).toEqual(complete.indexes);
    const names = completed.columns.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['reason', 'newer']));
  });

  test('goes back with the migration’s own transaction', async () => {
    const failing = tool.transaction(async (transaction) => {
      await createAuditTables(plain, { transaction });
      await createHistoryTable(plain, 'Orders', { transaction });
      throw new Error('a later step of the migration');
    });
    await expect(failing).rejects.toThrow('a later step');
    expect(await tables()).toEqual(['Customers', 'Orders']);
  });

  test('is all or nothing without one', async () => {
    await database.rows('create view "Orders_history" as select 1 as id');
    await expect(createHistoryTable(plain, 'Orders')).rejects.toThrow(/Orders_history/);
    await database.rows('drop view "Orders_history"');
    expect(await tables()).toEqual(['Customers', 'Orders']);
  });

  test('may run in several processes at once', async () => {
    const others = [1, 2, 3].map(() => database.createSequelize().getQueryInterface());
    await Promise.all([plain, ...others].map((each) => createAuditTables(each)));
    expect(await tables()).toContain('audit_log_entries');
  });

  test('checks its options and the query interface, with a suggestion', async () => {
    const refused = (given: unknown, options?: object): Promise<string> =>
      refusalOf(() => createAuditTables(given as QueryInterface, options as never)).then(
        ({ code, message }) => `${code} ${message}`,
      );
    expect(await refused(plain, { tablename: 'log' })).toMatch(/INVALID_OPTION.*Did you mean "tableName"/);
    expect(await refused(plain, { schema: 'a.b' })).toMatch(/INVALID_OPTION.*"schema"/);
    expect(await refused(plain, { transaction: 'yes' })).toMatch(/INVALID_OPTION.*"transaction"/);
    expect(await refused({ context: plain })).toMatch(/INVALID_ARGUMENT.*umzug/);
    const other = { sequelize: { getDialect: () => 'mysql' } };
    expect(await refused(other)).toMatch(/ERR_AUDIT_DIALECT.*mysql/);
  });
});

describe('createHistoryTable', () => {
  test('copies columns and types from the catalogue: enums and secrets as text, without limits', async () => {
    await createHistoryTable(plain, 'Orders');
    expect(await columns('Orders_history')).toEqual([
      'history_id bigint',
      'history_date timestamp with time zone',
      'history_type text',
      'history_user_id text',
      'history_change_reason text',
      'log_entry_id bigint',
      'id integer',
      'status text',
      'total numeric',
      'api_key text',
      'notes character varying',
      'createdAt timestamp with time zone',
      'updatedAt timestamp with time zone',
      'CustomerId integer',
    ]);
    expect((await info('Orders_history')).indexes).toEqual([
      'Orders_history_object',
      'Orders_history_pkey',
      'Orders_history_ref_CustomerId',
      'Orders_history_time',
    ]);
  });

  test('E55: carries none of the table’s constraints, so old values stay when they get stricter', async () => {
    await createHistoryTable(plain, 'Orders');
    const sql = `select contype::text as type from pg_constraint where conrelid = '"Orders_history"'::regclass and contype not in ('p', 'n')`;
    expect(await database.rows(sql)).toEqual([]);
    const required = (await info('Orders_history')).columns.filter(({ notNull }) => notNull);
    expect(required.map(({ name }) => name)).toEqual(['history_id', 'history_date', 'history_type']);
  });

  test('E56: adds a column that the table got, keeps one that it lost', async () => {
    await database.rows('create table shelves (id integer primary key, place text)');
    await createHistoryTable(plain, 'shelves');
    await database.rows('alter table shelves drop column place, add column height numeric(6,2)');
    await createHistoryTable(plain, 'shelves');
    const names = await columns('shelves_history');
    expect(names).toEqual(expect.arrayContaining(['place text', 'height numeric']));
    expect(definitions(await loggedBy(tool, () => createHistoryTable(plain, 'shelves')))).toEqual([]);
    await dropHistoryTable(plain, 'shelves');
    await database.rows('drop table shelves');
  });

  test('E57: refuses a column that versions need for themselves, until it is excluded', async () => {
    await database.rows('create table stages (id integer primary key, history_date date)');
    const { code, message } = await refusalOf(() => createHistoryTable(plain, 'stages'));
    expect([code, message]).toEqual(['ERR_AUDIT_INVALID_OPTION', expect.stringMatching(/history_date/)]);
    await createHistoryTable(plain, 'stages', { exclude: ['history_date'] });
    await dropHistoryTable(plain, 'stages');
    await database.rows('drop table stages');
  });

  test('takes what to leave out and what is masked by column, and indexes', async () => {
    const indexes = [{ fields: ['status', 'CustomerId'] }];
    await createHistoryTable(plain, 'Orders', {
      exclude: ['notes', 'id'],
      mask: ['total'],
      tableName: 'trail',
      indexes,
      references: ['notes', 'total'],
    });
    const names = await columns('trail');
    expect(names).toEqual(expect.arrayContaining(['id integer', 'total text', 'api_key text']));
    expect(names.join()).not.toMatch(/notes/);
    const made = (await info('trail')).indexes;
    expect(made).toEqual(expect.arrayContaining(['trail_on_status_CustomerId', 'trail_ref_total']));
    expect(made).not.toContain('trail_ref_notes');
    await dropHistoryTable(plain, 'Orders', { tableName: 'trail' });
    await createHistoryTable(plain, 'Orders', { mask: false });
    expect(await columns('Orders_history')).toContain('api_key jsonb');
  });

  test('a registered model has the history that sync() makes', async () => {
    auditLog.registerAudited(Order, {
      exclude: ['notes'],
      mask: ['total'],
      snapshots: { tableName: 'Orders_history', indexes: [{ fields: ['status'] }] },
    });
    await auditLog.sync();
    const synced = await info('Orders_history');
    await dropHistoryTable(plain, Order);
    await createHistoryTable(plain, Order);
    expect(await info('Orders_history')).toEqual(synced);
    await createAuditTables(plain);
    expect(await auditLog.check()).toEqual({ ok: true, findings: [] });
  });

  test('a model that is ahead of the migrations gets the columns there are', async () => {
    const Ahead = sequelize.define(
      'Ahead',
      { status: DataTypes.TEXT, notYet: DataTypes.TEXT },
      { tableName: 'Orders', timestamps: false },
    );
    await createHistoryTable(plain, Ahead, { exclude: ['status'] });
    expect((await columns('Orders_history')).slice(6)).toEqual(['id integer']);
    await refusalOf(() => createHistoryTable(plain, Ahead, { mask: ['statu'] })).then(({ message }) =>
      expect(message).toContain('Did you mean "status"'),
    );
    sequelize.modelManager.removeModel(Ahead);
  });

  test.each<[string, unknown, object, string]>([
    ['a table that is not there', 'Nothing', {}, 'ERR_AUDIT_MISSING_TABLE'],
    ['a dot in a name', 'crm.Orders', {}, 'ERR_AUDIT_INVALID_ARGUMENT'],
    ['what is no table', 7, {}, 'ERR_AUDIT_INVALID_ARGUMENT'],
    ['an unknown column', 'Orders', { exclude: ['note'] }, 'ERR_AUDIT_UNKNOWN_ATTRIBUTE'],
    ['a masked key', 'Orders', { mask: ['id'] }, 'ERR_AUDIT_INVALID_OPTION'],
    ['a list that is none', 'Orders', { exclude: 7 }, 'ERR_AUDIT_INVALID_OPTION'],
    ['an index without fields', 'Orders', { indexes: [{}] }, 'ERR_AUDIT_INVALID_OPTION'],
    ['an unknown option', 'Orders', { excluded: [] }, 'ERR_AUDIT_INVALID_OPTION'],
  ])('refuses %s', async (_, table, options, code) => {
    expect(await refusalOf(() => createHistoryTable(plain, table as string, options))).toMatchObject({
      code,
    });
    expect(await tables()).toEqual(['Customers', 'Orders']);
  });

  test('refuses a table without primary key', async () => {
    await database.rows('create table keyless (a text)');
    const { code } = await refusalOf(() => createHistoryTable(plain, 'keyless'));
    await database.rows('drop table keyless');
    expect(code).toBe('ERR_AUDIT_NO_PRIMARY_KEY');
  });
});

test('116: another schema, mixed case, reserved words and a search path that leads elsewhere', async () => {
  const [crm, audit] = [await database.createSchema('Crm'), await database.createSchema('Audit')];
  await database.rows(
    `create table "${crm}"."order" ("Group" integer, "Select" text, "user" text, primary key ("user", "Group"))`,
  );
  const elsewhere = database.createSequelize({ dialectOptions: { options: '-c search_path=pg_catalog' } });
  const tables116 = elsewhere.getQueryInterface();
  const options = { schema: audit, tableName: 'Order Log' };
  const order = { tableName: 'order', schema: crm };
  const up = async (): Promise<void> => {
    await createAuditTables(tables116, options);
    await createHistoryTable(tables116, order, { schema: audit });
  };
  await up();
  await up();
  expect(await tables(audit)).toEqual(['Order Log', `${crm}_order_history`]);
  expect((await columns(`${crm}_order_history`, audit)).slice(6)).toEqual([
    'Group integer',
    'Select text',
    'user text',
  ]);
  await dropHistoryTable(tables116, order, { schema: audit });
  await dropAuditTables(tables116, options);
  expect(await tables(audit)).toEqual([]);
});

test('116: a schema that is missing is created', async () => {
  const schema = await database.createSchema('later');
  await database.rows(`drop schema "${schema}"`);
  await createAuditTables(plain, { schema });
  expect(await tables(schema)).toEqual(['audit_log_entries']);
});

test('the audit log of the same instance refuses none of it, and writes to the new tables at once', async () => {
  const orders = auditLog.registerAudited(Order, { snapshots: true });
  const up = (): Promise<void> =>
    sequelize.transaction(async (transaction) => {
      await createAuditTables(own, { transaction });
      await createHistoryTable(own, Order, { transaction });
    });
  await up();
  const order = await Order.create({ total: '1.00' });
  await dropHistoryTable(own, Order);
  await dropAuditTables(own);
  await expect(order.update({ total: '2.00' })).rejects.toMatchObject({ code: 'ERR_AUDIT_MISSING_TABLE' });
  await up();
  await order.update({ total: '3.00' });
  expect((await orders.entries(order)).map(({ changes }) => changes?.['total'])).toEqual([['1.00', '3.00']]);
  expect(await orders.versions(order)).toHaveLength(1);
  await order.destroy({ audit: false });
});

test('umzug runs it up, down and up again, and nothing is pending then', async () => {
  const umzug = new Umzug({
    context: plain,
    logger: undefined,
    storage: memoryStorage(),
    migrations: [
      {
        name: '1-audit',
        up: async ({ context }) => {
          await createAuditTables(context);
          await createHistoryTable(context, 'Orders');
        },
        down: async ({ context }) => {
          await dropHistoryTable(context, 'Orders');
          await dropAuditTables(context);
        },
      },
    ],
  });
  await umzug.up();
  expect(await tables()).toEqual(['Customers', 'Orders', 'Orders_history', 'audit_log_entries']);
  await umzug.down({ to: 0 });
  expect(await tables()).toEqual(['Customers', 'Orders']);
  await umzug.up();
  expect([await umzug.pending(), await tables()]).toEqual([[], expect.arrayContaining(['Orders_history'])]);
});
