import { DataTypes, Model, type ModelAttributes } from 'sequelize';
import { Registry } from '../../lib/capture/registry';
import { readTable, type CatalogueQuery, type TableInfo } from '../../lib/schema/catalogue';
import { createHistoryTable, historyTableOf, type HistoryTable } from '../../lib/schema/history-table';
import type { RegistrationOptions } from '../../lib/schema/registration';
import { testDatabase } from '../support/database';

const database = testDatabase();
const { sequelize } = database;
const query: CatalogueQuery = async (sql, values) => ({ rows: await database.rows(sql, values) });

let count = 0;
/** A model over a table of its own, registered, and its history table as it should be. */
async function historyOf(
  attributes: ModelAttributes,
  options: RegistrationOptions = {},
  { create = true, ...init }: { create?: boolean; paranoid?: boolean; version?: boolean } = {},
): Promise<{ history: HistoryTable; table: string }> {
  count += 1;
  const table = `things_${count}`;
  class Thing extends Model {}
  Thing.init(attributes, { sequelize, modelName: `Thing${count}`, tableName: table, ...init });
  if (create) await Thing.sync();
  const registration = new Registry(sequelize, { schema: null, mask: /secret$/i }).register(Thing, {
    snapshots: true,
    ...options,
  });
  const base = await readTable(query, { schema: null, table });
  return {
    table,
    history: historyTableOf(registration.name, registration.tracked, registration.options.snapshots!, base),
  };
}

async function run(statements: readonly string[]): Promise<void> {
  for (const sql of statements) await database.admin.query(sql);
}

async function created(history: HistoryTable): Promise<TableInfo> {
  await run(createHistoryTable(history));
  return (await readTable(query, history.table))!;
}

function columnsOf(info: TableInfo): string[] {
  return info.columns.map((column) => `${column.name} ${column.type}${column.notNull ? ' not null' : ''}`);
}

const OWN = [
  'history_id bigint not null',
  'history_date timestamp with time zone not null',
  'history_type text not null',
  'history_user_id text',
  'history_change_reason text',
  'log_entry_id bigint',
];

beforeAll(() => database.open());
afterAll(() => database.close());

describe('columns', () => {
  const attributes: ModelAttributes = {
    code: { type: DataTypes.STRING(20), primaryKey: true },
    status: { type: DataTypes.ENUM('a', 'b'), allowNull: false, defaultValue: 'a' },
    moods: DataTypes.ARRAY(DataTypes.ENUM('x', 'y')),
    total: { type: DataTypes.DECIMAL(10, 2), unique: true, field: 'sum_total' },
    apiSecret: DataTypes.JSONB,
    pin: DataTypes.INTEGER,
    tags: DataTypes.ARRAY(DataTypes.TEXT),
    file: DataTypes.BLOB,
    hidden: DataTypes.TEXT,
    upper: { type: DataTypes.VIRTUAL },
    createdAt: DataTypes.DATE,
    updatedAt: DataTypes.DATE,
  };
  const expected = [
    ...OWN,
    'code character varying',
    'status text',
    'moods text[]',
    'sum_total numeric',
    'apiSecret text',
    'pin text',
    'tags text[]',
    'file bytea',
    'createdAt timestamp with time zone',
    'updatedAt timestamp with time zone',
  ];

  test('are the tracked ones by name and type only, masked ones and enums as text', async () => {
    const { history } = await historyOf(attributes, { exclude: ['hidden'], mask: ['pin'] });
    const info = await created(history);
    expect(columnsOf(info)).toEqual(expected);
    expect(info.primaryKey).toEqual(['history_id']);
  });

  test('are the same when the model’s table isn’t there yet', async () => {
    const { history } = await historyOf(
      attributes,
      { exclude: ['hidden'], mask: ['pin'] },
      { create: false },
    );
    expect(columnsOf(await created(history))).toEqual(expected);
  });

  test('carry no constraint, no default and no enum type', async () => {
    const { history, table } = await historyOf(attributes);
    await created(history);
    const constraints = await database.rows(
      `select contype from pg_constraint where conrelid = to_regclass($1) and contype not in ('p', 'n')`,
      [`${table}_history`],
    );
    expect(constraints).toEqual([]);
    const defaults = await database.rows(`select adnum from pg_attrdef where adrelid = to_regclass($1)`, [
      `${table}_history`,
    ]);
    expect(defaults).toEqual([]);
    const { columns } = (await readTable(query, history.table))!;
    expect(columns.filter((column) => column.valueType.startsWith('enum'))).toEqual([]);
  });

  test('take the type the database has, not the one the model believes', async () => {
    const { history, table } = await historyOf(
      { id: { type: DataTypes.INTEGER, primaryKey: true }, n: DataTypes.INTEGER },
      {},
      { create: false },
    );
    await database.admin.query(`create table ${table} (id bigint primary key, n numeric(12,3))`);
    expect(columnsOf(await created(history))).toContain('n integer');
    const { history: again } = await historyOf(
      { id: { type: DataTypes.INTEGER, primaryKey: true }, n: DataTypes.INTEGER },
      {},
      { create: false },
    );
    const base = await readTable(query, { schema: null, table });
    const registry = new Registry(sequelize, { schema: null, mask: null });
    const registration = registry.register(sequelize.model(`Thing${count}`), { snapshots: true });
    const fromBase = historyTableOf('Thing', registration.tracked, registration.options.snapshots!, base);
    expect(fromBase.columns).toContainEqual({ column: 'n', type: 'numeric' });
    expect(again.columns).toContainEqual({ column: 'n', type: 'INTEGER' });
  });

  test('hold the lock version and deletedAt', async () => {
    const { history } = await historyOf({ name: DataTypes.TEXT }, {}, { paranoid: true, version: true });
    expect(history.columns.map((column) => column.column)).toEqual(
      expect.arrayContaining(['version', 'deletedAt', 'id']),
    );
  });
});

describe('indexes', () => {
  test('serve the object by date, the date, each foreign key and what was asked for', async () => {
    const { history, table } = await historyOf(
      {
        b: { type: DataTypes.INTEGER, primaryKey: true, references: { model: 'owners', key: 'id' } },
        a: { type: DataTypes.INTEGER, primaryKey: true, references: { model: 'owners', key: 'id' } },
        ownerId: { type: DataTypes.INTEGER, field: 'owner_id', references: { model: 'owners', key: 'id' } },
        status: DataTypes.TEXT,
      },
      { snapshots: { indexes: [{ fields: ['status', 'ownerId'] }, { fields: ['status'], name: 'my_own' }] } },
      { create: false },
    );
    await created(history);
    const rows = await database.rows<{ name: string; definition: string }>(
      `select indexname as name, regexp_replace(indexdef, '^.* USING ', '') as definition from pg_indexes where schemaname = $1 and tablename = $2 order by 1`,
      [database.schema, `${table}_history`],
    );
    expect(Object.fromEntries(rows.map((row) => [row.name, row.definition]))).toEqual({
      my_own: 'btree (status)',
      [`${table}_history_object`]: 'btree (b, a, history_date DESC, history_id DESC) INCLUDE (history_type)',
      [`${table}_history_on_status_owner_id`]: 'btree (status, owner_id)',
      [`${table}_history_pkey`]: 'btree (history_id)',
      [`${table}_history_ref_a`]: 'btree (a)',
      [`${table}_history_ref_owner_id`]: 'btree (owner_id)',
      [`${table}_history_time`]: 'brin (history_date)',
    });
  });

  test('serve foreign keys that only associations know', async () => {
    const attributes = { ownerId: { type: DataTypes.INTEGER, field: 'owner_id' } };
    const { history } = await historyOf(attributes, {}, { create: false });
    const thing = sequelize.model(`Thing${count}`);
    expect(history.references).toEqual([]);
    sequelize.define('Owner', {}).hasMany(thing, { foreignKey: 'ownerId', constraints: false });
    const registration = new Registry(sequelize, { schema: null, mask: null }).register(thing, {
      snapshots: true,
    });
    const { references } = historyTableOf(
      'Thing',
      registration.tracked,
      registration.options.snapshots!,
      null,
    );
    expect(references).toEqual(['owner_id']);
  });

  test('on what isn’t tracked are refused', async () => {
    const attributes = { name: DataTypes.TEXT, hidden: DataTypes.TEXT };
    const options: RegistrationOptions = {
      exclude: ['hidden'],
      snapshots: { indexes: [{ fields: ['hidden'] }] },
    };
    await expect(historyOf(attributes, options)).rejects.toMatchObject({ code: 'ERR_AUDIT_INVALID_OPTION' });
  });
});

describe('names that versions need', () => {
  test.each([
    ['an attribute', { historyId: DataTypes.INTEGER }],
    ['a column', { kind: { type: DataTypes.TEXT, field: 'history_type' } }],
    ['the association', { logEntry: DataTypes.TEXT }],
  ])('%s of that name is refused', async (_, attributes) => {
    await expect(historyOf(attributes as ModelAttributes)).rejects.toMatchObject({
      code: 'ERR_AUDIT_INVALID_OPTION',
    });
  });

  test('excluded ones are fine', async () => {
    await expect(
      historyOf({ historyId: DataTypes.INTEGER }, { exclude: ['historyId'] }),
    ).resolves.toBeDefined();
  });
});

describe('completing', () => {
  test('a complete table needs no statement', async () => {
    const { history } = await historyOf(
      { name: DataTypes.TEXT, ownerId: { type: DataTypes.INTEGER, references: { model: 'x', key: 'id' } } },
      {},
      { create: false },
    );
    const info = await created(history);
    expect(createHistoryTable(history, info)).toEqual([]);
    await run(createHistoryTable(history));
    expect(await readTable(query, history.table)).toEqual(info);
  });

  test('adds missing columns and drops none', async () => {
    const { history } = await historyOf({ name: DataTypes.TEXT }, {}, { create: false });
    await created(history);
    const wider = {
      ...history,
      columns: [
        ...history.columns.filter((each) => each.column !== 'name'),
        { column: 'size', type: 'integer' },
      ],
    };
    await run(createHistoryTable(wider, await readTable(query, history.table)));
    const names = (await readTable(query, history.table))!.columns.map((column) => column.name);
    expect(names).toEqual(expect.arrayContaining(['name', 'size']));
  });
});
