import { DataTypes, Model, Sequelize } from 'sequelize';
import { isAuditError } from '../../lib/core/errors';
import { defineLogEntry, type LogEntry } from '../../lib/schema/log-entry';
import { createLogTable } from '../../lib/schema/log-table';
import { testDatabase } from '../support/database';

const hooksSeen: string[] = [];
const database = testDatabase({
  define: {
    underscored: true,
    paranoid: true,
    timestamps: true,
    version: true,
    defaultScope: { where: { id: -1 } },
    hooks: { beforeFind: () => void hooksSeen.push('define.beforeFind') },
  },
});
const { sequelize } = database;
sequelize.addHook('beforeDefine', (_, options) => void hooksSeen.push(`beforeDefine ${options.modelName}`));
sequelize.addHook('beforeFind', () => void hooksSeen.push('beforeFind'));
sequelize.addHook('afterFind', () => void hooksSeen.push('afterFind'));
sequelize.addHook('beforeCount', () => void hooksSeen.push('beforeCount'));

class UsersOwn extends Model {}
UsersOwn.init(
  { note: DataTypes.TEXT },
  { sequelize, modelName: 'LogEntry', tableName: 'users_own', defaultScope: {} },
);
const LogEntries = defineLogEntry(sequelize, {
  schema: null,
  table: 'audit_log_entries',
});
const MICROS = '2026-11-21T20:17:26.123456Z';

async function entry(values: Record<string, unknown> = {}): Promise<string> {
  const row = {
    timestamp: MICROS,
    action: 'update',
    model: 'Order',
    object_pk: '1',
    changes: '{"a": [1, 2]}',
    ...values,
  };
  const columns = Object.keys(row);
  const [{ id }] = (await database.rows(
    `insert into audit_log_entries (${columns.join(', ')}) values (${columns.map((_, at) => `$${at + 1}`).join(', ')}) returning id`,
    Object.values(row),
  )) as [{ id: string }];
  return id;
}

beforeAll(async () => {
  await database.open();
  for (const sql of createLogTable({ schema: null, table: 'audit_log_entries' }))
    await database.admin.query(sql);
  await UsersOwn.sync();
});
beforeEach(async () => {
  hooksSeen.length = 0;
  await database.admin.query('truncate audit_log_entries');
});
afterAll(() => database.close());

describe('values', () => {
  test('L4 an entry reads as the contract says, ids as texts', async () => {
    const id = await entry({
      transaction_id: '9007199254740993',
      remote_addr: '10.0.0.7',
      remote_port: 55,
      additional_data: '{"k": 1}',
    });
    const found = (await LogEntries.findByPk(id)) as LogEntry;
    expect(found.id).toBe(id);
    expect(typeof found.id).toBe('string');
    expect(found.get()).toEqual({
      id,
      timestamp: new Date('2026-11-21T20:17:26.123Z'),
      action: 'update',
      model: 'Order',
      objectPk: '1',
      objectRepr: null,
      changes: { a: [1, 2] },
      actorId: null,
      actorLabel: null,
      actorType: null,
      remoteAddr: '10.0.0.7',
      remotePort: 55,
      correlationId: null,
      request: null,
      transactionId: '9007199254740993',
      reason: null,
      additionalData: { k: 1 },
    });
  });

  test('the timestamp is a Date, and text with microseconds in JSON', async () => {
    const id = await entry();
    const found = (await LogEntries.findByPk(id)) as LogEntry;
    expect(found.timestamp).toEqual(new Date('2026-11-21T20:17:26.123Z'));
    expect(JSON.parse(JSON.stringify(found))).toMatchObject({
      id,
      timestamp: MICROS,
      changes: { a: [1, 2] },
    });
  });

  test.each([
    ['findOne', () => LogEntries.findOne()],
    ['findAll', async () => (await LogEntries.findAll())[0]],
    ['findAll with limit', async () => (await LogEntries.findAll({ limit: 1, order: [['id', 'DESC']] }))[0]],
    ['findAndCountAll', async () => (await LogEntries.findAndCountAll()).rows[0]],
    ['attributes by list', () => LogEntries.findOne({ attributes: ['timestamp'] })],
    ['attributes with exclude', () => LogEntries.findOne({ attributes: { exclude: ['changes'] } })],
    [
      'attributes with include',
      () => LogEntries.findOne({ attributes: { include: [[sequelize.literal('1'), 'one']] } }),
    ],
    ['reload', async () => (await LogEntries.findOne({ attributes: ['id'] }))?.reload()],
    ['a scope', () => LogEntries.unscoped().findOne()],
  ])('microseconds are there by %s', async (_, find) => {
    await entry();
    const found = await find();
    expect(found?.toJSON()).toMatchObject({ timestamp: MICROS });
    expect(Object.keys(found!.dataValues)).not.toContain('$exact');
  });

  test('attributes without the timestamp bring no timestamp', async () => {
    await entry();
    const found = await LogEntries.findOne({ attributes: ['id', 'action'] });
    expect(Object.keys(found!.toJSON()).toSorted()).toEqual(['action', 'id']);
  });

  test('raw rows hold the columns and no more', async () => {
    await entry();
    const [row] = await LogEntries.findAll({ raw: true });
    expect(row).toMatchObject({ timestamp: new Date('2026-11-21T20:17:26.123Z'), objectPk: '1' });
    expect(Object.keys(row!)).toHaveLength(17);
  });

  test('grouping and aggregates work', async () => {
    await entry();
    await entry({ action: 'create' });
    expect(await LogEntries.count()).toBe(2);
    expect(await LogEntries.count({ group: ['action'] })).toHaveLength(2);
    expect(await LogEntries.max('timestamp')).toEqual(new Date('2026-11-21T20:17:26.123Z'));
    const groups = await LogEntries.findAll({ attributes: ['timestamp'], group: ['timestamp'], raw: true });
    expect(groups).toHaveLength(1);
  });

  test('a session in another time zone gives the same text', async () => {
    const elsewhere = database.createSequelize({ timezone: '+05:30' });
    await entry();
    const found = await defineLogEntry(elsewhere, { schema: null, table: 'audit_log_entries' }).findOne();
    expect(found?.toJSON()).toMatchObject({ timestamp: MICROS });
  });

  test('an application that parses timestamps itself gets a Date all the same', async () => {
    const other = database.createSequelize();
    await other.authenticate();
    const { connectionManager } = other as unknown as {
      connectionManager: { oidParserMap: Map<number, unknown> };
    };
    connectionManager.oidParserMap.set(1184, (text: string) => `parsed ${text}`);
    await entry();
    const found = await defineLogEntry(other, { schema: null, table: 'audit_log_entries' }).findOne();
    expect(found!.get('timestamp')).toEqual(new Date('2026-11-21T20:17:26.123Z'));
    expect(found!.toJSON()).toMatchObject({ timestamp: MICROS });
  });
});

describe('apart from the application’s models', () => {
  test('options of sequelize.options.define do not reach it', () => {
    expect(LogEntries.options).toMatchObject({
      underscored: false,
      paranoid: false,
      timestamps: false,
      version: false,
      defaultScope: {},
    });
    expect(Object.keys(LogEntries.getAttributes())).toHaveLength(17);
    expect(LogEntries.sequelize).toBe(sequelize);
  });

  test('hooks on all models do not see it', async () => {
    expect(hooksSeen).toEqual([]);
    await entry();
    await LogEntries.findAll();
    await LogEntries.count();
    expect(hooksSeen).toEqual([]);
    defineLogEntry(sequelize, { schema: null, table: 'audit_log_entries' });
    expect(hooksSeen).toEqual([]);
  });

  test('a model of the application with the same name stays', async () => {
    expect(sequelize.models['LogEntry']).toBe(UsersOwn);
    expect(sequelize.model('LogEntry')).toBe(UsersOwn);
    expect(UsersOwn.getTableName()).toBe('users_own');
  });

  test('it survives sync({ force }), truncate and drop of the instance', async () => {
    const id = await entry();
    await sequelize.sync({ force: true });
    await sequelize.truncate();
    await sequelize.drop();
    expect(await LogEntries.findByPk(id)).not.toBeNull();
  });

  test('a schema of the instance’s options is not taken', () => {
    const other = new Sequelize(database.url, { schema: 'elsewhere', logging: false } as never);
    expect(defineLogEntry(other, { schema: null, table: 'log' }).getTableName()).toBe('log');
    expect(defineLogEntry(other, { schema: 'audit', table: 'log' }).getTableName()).toMatchObject({
      schema: 'audit',
      tableName: 'log',
    });
  });

  test('the application’s own hooks on LogEntry run', async () => {
    const own = defineLogEntry(sequelize, { schema: null, table: 'audit_log_entries' });
    const seen: unknown[] = [];
    own.addHook('afterFind', (found) => void seen.push(found));
    await entry();
    await own.findAll();
    expect(seen).toHaveLength(1);
  });
});

describe('read-only', () => {
  const statics = LogEntries as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;

  test.each([
    ['create', [{ action: 'create', model: 'Order' }]],
    ['bulkCreate', [[{ action: 'create', model: 'Order' }]]],
    ['upsert', [{ id: 1 }]],
    ['update', [{ reason: 'x' }, { where: {} }]],
    ['destroy', [{ where: {} }]],
    ['truncate', []],
    ['restore', []],
    ['increment', ['remotePort', { where: {} }]],
    ['decrement', ['remotePort', { where: {} }]],
    ['findOrCreate', [{ where: { action: 'x' } }]],
    ['findCreateFind', [{ where: { action: 'x' } }]],
    ['sync', [{ force: true }]],
    ['drop', []],
  ])('LogEntry.%s is refused and changes nothing', async (method, args) => {
    await entry({ remote_port: 5 });
    const before = await database.rows('select * from audit_log_entries');
    await expect(statics[method]!(...args)).rejects.toMatchObject({ code: 'ERR_AUDIT_READ_ONLY' });
    expect(await database.rows('select * from audit_log_entries')).toEqual(before);
  });

  test.each(['save', 'update', 'destroy', 'restore', 'increment', 'decrement'])(
    'entry.%s is refused and changes nothing',
    async (method) => {
      const found = await LogEntries.findByPk(await entry({ remote_port: 5 }));
      const before = await database.rows('select * from audit_log_entries');
      found!.set('reason', 'x');
      const call = (found as unknown as Record<string, (arg: unknown) => Promise<unknown>>)[method]!;
      await expect(call.call(found, 'remotePort')).rejects.toMatchObject({ code: 'ERR_AUDIT_READ_ONLY' });
      expect(await database.rows('select * from audit_log_entries')).toEqual(before);
    },
  );

  test('an entry that was built can’t be saved', async () => {
    const built = LogEntries.build({ action: 'create', model: 'Order' } as never);
    await expect(built.save()).rejects.toThrow('read-only');
  });

  test('a scope of it is read-only too', async () => {
    await expect(LogEntries.unscoped().destroy({ where: {} })).rejects.toMatchObject({
      code: 'ERR_AUDIT_READ_ONLY',
    });
  });
});

describe('a missing table', () => {
  const Missing = defineLogEntry(sequelize, { schema: null, table: 'not_yet' });

  test.each([
    ['findAll', () => Missing.findAll()],
    ['findOne', () => Missing.findOne()],
    ['count', () => Missing.count()],
    ['raw', () => Missing.findAll({ raw: true })],
  ])('%s names what creates it', async (_, read) => {
    const error: unknown = await read().catch((each: unknown) => each);
    expect(error).toMatchObject({ code: 'ERR_AUDIT_MISSING_TABLE', cause: expect.any(Error) });
    expect((error as Error).message).toContain('auditLog.sync()');
    expect((error as Error).message).toContain('await auditLog.sync()');
  });

  test('a missing column is told apart', async () => {
    await database.admin.query('create table old_one (id bigint, timestamp timestamptz)');
    const Old = defineLogEntry(sequelize, { schema: null, table: 'old_one' });
    await expect(Old.findAll()).rejects.toMatchObject({ code: 'ERR_AUDIT_MISSING_COLUMN' });
  });

  test('a mistake of the caller stays the database’s error', async () => {
    await entry();
    const mistake = LogEntries.findAll({ where: sequelize.literal('nonsense = 1') });
    const error: unknown = await mistake.catch((each: unknown) => each);
    expect(isAuditError(error)).toBe(false);
    expect(error).toMatchObject({ name: 'SequelizeDatabaseError' });
  });
});
