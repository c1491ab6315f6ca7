import { DataTypes, type Model, type ModelStatic, type Options, type Sequelize } from 'sequelize';
import { createAuditLog, type AuditLog } from 'sequelize-auditlog';
import { testDatabase } from '../support/database';
import { statementsOf } from '../support/statements';

const database = testDatabase();
beforeAll(() => database.open());
afterAll(() => database.close());

let made = 0;

/** An audited model on an instance of its own with these options. */
async function audited(options: Options): Promise<{ Thing: ModelStatic<Model>; auditLog: AuditLog }> {
  const sequelize = database.createSequelize(options);
  const name = `thing_${(made += 1)}`;
  const Thing = sequelize.define(
    name,
    { name: DataTypes.TEXT, n: DataTypes.INTEGER },
    { tableName: name, timestamps: false },
  );
  const auditLog = createAuditLog(sequelize, { tableName: `log_${name}`, schema: database.schema });
  auditLog.registerAudited(Thing, { modelName: 'Thing', snapshots: true });
  await Thing.sync();
  await auditLog.sync();
  return { Thing, auditLog };
}

async function writeAll(Thing: ModelStatic<Model>, options: object = {}): Promise<void> {
  const thing = await Thing.create({ name: 'a', n: 1 }, options);
  await thing.update({ name: 'b' }, options);
  await thing.increment('n', options);
  await Thing.update({ name: "it's \\ $1" }, { where: { n: 2 }, ...options });
  await Thing.upsert({ id: 1, n: 5 } as never, options);
  await Thing.bulkCreate([{ name: 'c' }, { name: 'd' }], options);
  await Thing.findOrCreate({ where: { name: 'e' }, ...options } as never);
  await Thing.destroy({ where: { name: ['c', 'd', 'e'] }, ...options });
}

const EXPECTED = [
  ['create', '1', { id: [null, 1], name: [null, 'a'], n: [null, 1] }],
  ['update', '1', { name: ['a', 'b'] }],
  ['update', '1', { n: [1, 2] }],
  ['update', '1', { name: ['b', "it's \\ $1"] }],
  ['update', '1', { n: [2, 5] }],
  ['create', '2', { id: [null, 2], name: [null, 'c'] }],
  ['create', '3', { id: [null, 3], name: [null, 'd'] }],
  ['create', '4', { id: [null, 4], name: [null, 'e'] }],
  ['delete', '2', { id: [2, null], name: ['c', null] }],
  ['delete', '3', { id: [3, null], name: ['d', null] }],
  ['delete', '4', { id: [4, null], name: ['e', null] }],
];

async function entriesOf({ LogEntry }: AuditLog): Promise<unknown[]> {
  const entries = await LogEntry.forModel('Thing', { order: [['id', 'ASC']] });
  return entries.map(({ action, objectPk, changes }) => [action, objectPk, changes]);
}

test.each<[string, Options]>([
  ['minifyAliases', { minifyAliases: true }],
  ['quoteIdentifiers: false', { quoteIdentifiers: false }],
  ['omitNull', { omitNull: true }],
  ['benchmark and logging', { benchmark: true, logging: () => undefined }],
  ['a pool of one', { pool: { max: 1 } }],
  ['another time zone', { timezone: '+05:30' }],
  ['keepDefaultTimezone', { keepDefaultTimezone: true } as Options],
])('every write is recorded with %s', async (_, options) => {
  const { Thing, auditLog } = await audited(options);
  await writeAll(Thing);
  expect(await entriesOf(auditLog)).toEqual(EXPECTED);
});

test('every write is recorded under a search path of the call', async () => {
  const { Thing, auditLog } = await audited({ dialectOptions: { prependSearchPath: true } });
  const other = await database.createSchema('tenant');
  await database.rows(
    `create table "${other}"."${Thing.getTableName() as string}" (id serial primary key, name text, n int)`,
  );
  await writeAll(Thing, { searchPath: other });
  expect(await entriesOf(auditLog)).toEqual(EXPECTED);
  expect(await database.rows(`select name, n from "${other}"."${Thing.getTableName() as string}"`)).toEqual([
    { name: "it's \\ $1", n: 5 },
  ]);
});

describe('a table under its other name', () => {
  const named = async (): Promise<{ Thing: ModelStatic<Model>; auditLog: AuditLog; name: string }> => {
    const { Thing, auditLog } = await audited({});
    return { Thing, auditLog, name: Thing.getTableName() as string };
  };

  test('a model without schema is known by its schema too', async () => {
    const { Thing, auditLog, name } = await named();
    const { sequelize } = auditLog.LogEntry as unknown as { sequelize: Sequelize };
    const { schema } = database;
    await writeAll(Thing.schema(schema));
    expect(await entriesOf(auditLog)).toEqual(EXPECTED);
    await sequelize.query(`insert into "${schema}"."${name}" (id, name) values (9, 'raw')`);
    await sequelize.query(
      `set search_path = pg_catalog; update "${schema}"."${name}" set n = 1 where id = 9`,
    );
    await sequelize.query(`set search_path = "${schema}"`);
    await sequelize.getQueryInterface().bulkDelete({ tableName: name, schema }, { id: 9 });
    expect((await entriesOf(auditLog)).slice(EXPECTED.length)).toEqual([
      ['create', '9', { id: [null, 9], name: [null, 'raw'] }],
      ['update', '9', { n: [null, 1] }],
      ['delete', '9', { id: [9, null], n: [1, null], name: ['raw', null] }],
    ]);
    await Thing.schema(schema).truncate();
    expect(await auditLog.LogEntry.count({ where: { action: 'delete' } })).toBe(5);
  });

  test('a model with a schema is known by what the search path finds, and only by that', async () => {
    const sequelize = database.createSequelize({ pool: { max: 1 } });
    const auditLog = createAuditLog(sequelize, { tableName: 'log_full', schema: database.schema });
    const attributes = { name: DataTypes.TEXT, n: DataTypes.INTEGER };
    const options = { tableName: 'full', timestamps: false };
    const Full = sequelize.define('Full', { ...attributes }, { ...options, schema: database.schema });
    const Bare = sequelize.define('Bare', { ...attributes }, options);
    auditLog.registerAudited(Full, { modelName: 'Thing' });
    await Full.sync();
    await auditLog.sync();
    await writeAll(Bare);
    expect(await entriesOf(auditLog)).toEqual(EXPECTED);
    const other = await database.createSchema('bare');
    await database.rows(`create table "${other}"."full" (id serial primary key, name text, n int)`);
    await sequelize.query(`set search_path = "${other}"`);
    await Bare.create({ name: 'elsewhere' });
    expect(await auditLog.LogEntry.count()).toBe(EXPECTED.length);
    await expect(Full.schema(other).create({ name: 'x' })).rejects.toMatchObject({
      code: 'ERR_AUDIT_UNREGISTERED_SCHEMA',
    });
    await sequelize.query(`set search_path = "${database.schema}"`);
    await Bare.create({ name: 'here' });
    expect(await auditLog.LogEntry.count()).toBe(EXPECTED.length + 1);
  });
});

test('reads go to a replica, writes and their entries to the primary', async () => {
  const { Thing, auditLog } = await audited({ replication: { read: [{}], write: {} } });
  await writeAll(Thing);
  expect(await entriesOf(auditLog)).toEqual(EXPECTED);
});

test('without prepared statements every write is recorded and none is named', async () => {
  const sequelize = database.createSequelize();
  const Thing = sequelize.define(
    'unnamed',
    { n: DataTypes.INTEGER },
    { tableName: 'unnamed', timestamps: false },
  );
  const auditLog = createAuditLog(sequelize, { tableName: 'log_unnamed', preparedStatements: false });
  auditLog.registerAudited(Thing);
  await Thing.sync();
  await auditLog.sync();
  const thing = await Thing.create({ n: 0 });
  const statements = await statementsOf(sequelize, async () => {
    for (let n = 1; n <= 4; n += 1) await thing.update({ n });
  });
  expect(statements.map(({ name }) => name)).toEqual([undefined, undefined, undefined, undefined]);
  expect(await auditLog.LogEntry.count()).toBe(5);
});

test('a repeated write is one statement, prepared by name from its second use on', async () => {
  const { Thing, auditLog } = await audited({});
  const thing = await Thing.create({ name: 'a', n: 1 });
  await thing.update({ n: 2 });
  const statements = await statementsOf(Thing.sequelize!, async () => {
    for (let n = 3; n <= 6; n += 1) await thing.update({ n });
    for (let n = 1; n <= 3; n += 1) await thing.increment('n', { by: n });
  });
  const names = statements.map(({ name }) => name);
  expect(statements).toHaveLength(7);
  expect(new Set(names.slice(0, 4)).size).toBe(1);
  expect(names[4]).toBeUndefined();
  expect(names.slice(5)).toEqual([expect.stringMatching(/^audit_/), expect.stringMatching(/^audit_/)]);
  expect(await auditLog.LogEntry.count()).toBe(9);
});

test('a column added while statements are prepared is recorded at once, outside and inside a transaction', async () => {
  const { Thing, auditLog } = await audited({});
  const sequelize = Thing.sequelize!;
  const thing = await Thing.create({ name: 'a', n: 1 });
  for (let n = 2; n <= 4; n += 1) await thing.update({ n }, { returning: true });
  await database.rows(`alter table "${Thing.getTableName() as string}" alter column n type bigint`);
  for (const n of [5, 6, 5]) await thing.update({ n }, { returning: true });
  await database.rows(`alter table "${Thing.getTableName() as string}" alter column n type numeric(20, 2)`);
  await expect(
    sequelize.transaction((transaction) => thing.update({ n: 6 }, { returning: true, transaction })),
  ).rejects.toMatchObject({
    code: 'ERR_AUDIT_STALE_STATEMENT',
  });
  await sequelize.transaction((transaction) => thing.update({ n: 7 }, { returning: true, transaction }));
  const [last, before] = await auditLog.LogEntry.forObject(thing);
  expect([before?.changes, last?.changes]).toEqual([{ n: ['6', '5'] }, { n: ['5.00', '7.00'] }]);
});
