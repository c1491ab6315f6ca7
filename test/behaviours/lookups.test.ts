import { DataTypes, Op } from 'sequelize';
import { createAuditLog } from 'sequelize-auditlog';
import { entriesOf, entryOf, openAudited, refusalOf } from '../support/audited';
import { testDatabase } from '../support/database';

const database = testDatabase();
const { sequelize } = database;
const Item = sequelize.define('Item', {
  id: { type: DataTypes.UUID, defaultValue: DataTypes.UUIDV4, primaryKey: true },
  text: DataTypes.TEXT,
});
const auditLog = createAuditLog(sequelize);
const { LogEntry } = auditLog;
auditLog.registerAudited(Item);

beforeAll(() => openAudited(database, auditLog));
afterAll(() => database.close());

async function createAndUpdate() {
  const item = await Item.create({ text: 'a' });
  await item.update({ text: 'b' });
  return item;
}

test('L1 the log is a model of the instance', async () => {
  expect(LogEntry.sequelize).toBe(sequelize);
  expect(LogEntry.name).toBe('LogEntry');
});

test('L4 without configuration its table is audit_log_entries', async () => {
  const entry = await entryOf(auditLog, () => Item.create({}));
  expect(await database.rows('select action from audit_log_entries where id = $1', [entry.id])).toEqual([
    { action: 'create' },
  ]);
});

test('L5 one UUID-keyed row has the entries of its create and update', async () => {
  const item = await createAndUpdate();
  const entries = await LogEntry.forObject(item);
  expect(entries.map(({ action }) => action)).toEqual(['update', 'create']);
  expect(await LogEntry.forObject(Item, String(item.get('id')).toUpperCase())).toHaveLength(2);
});

test('L6 forObjects gives the entries of every row of a list', async () => {
  const [one, two, other] = [await createAndUpdate(), await createAndUpdate(), await createAndUpdate()];
  const found = await LogEntry.forObjects([one, two]);
  expect(new Set(found.map(({ objectPk }) => objectPk))).toEqual(new Set([one.get('id'), two.get('id')]));
  expect(found).toHaveLength(4);
  expect(found.map(({ objectPk }) => objectPk)).not.toContain(other.get('id'));
});

test('L8 forModel is filtered further by key and action', async () => {
  const item = await createAndUpdate();
  const where = { objectPk: String(item.get('id')), action: 'update' };
  expect((await LogEntry.forModel(Item, { where })).map(({ changes }) => changes)).toEqual([
    { text: ['a', 'b'] },
  ]);
});

test('L9 finders compose with find options', async () => {
  const item = await createAndUpdate();
  const options = {
    where: { action: { [Op.ne]: 'delete' } },
    order: [['id', 'ASC']],
    limit: 1,
    attributes: ['action'],
  };
  const found = await LogEntry.forObject(item, options as never);
  expect(found.map((entry) => entry.get())).toEqual([{ action: 'create' }]);
});

test.each([
  ['schema', ''],
  ['schema', 7],
  ['schema', 'x'.repeat(64)],
  ['tableName', ''],
  ['tableName', null],
  ['tableName', 'x'.repeat(64)],
  ['tableName', 'nul\0'],
  ['tableName', 'audit.log'],
  ['tableName', 'the "log"'],
  ['schema', 'my.audit'],
])('L2 a malformed %s (%p) is refused by name', async (option, value) => {
  const error = await refusalOf(() => createAuditLog(database.createSequelize(), { [option]: value }));
  expect(error.code).toBe('ERR_AUDIT_INVALID_OPTION');
  expect(error.message).toContain(`option "${option}"`);
});

describe.each([
  ['another table', { tableName: "Änderungs-Log of 'all'" }],
  ['another schema', { schema: 'other' }],
  ['both', { schema: 'other', tableName: 'log' }],
])('L10 with %s', (_title, { schema: suffix, ...given }: { schema?: string; tableName?: string }) => {
  test('writes, versions and finders use it', async () => {
    const options = suffix === undefined ? given : { ...given, schema: await database.createSchema(suffix) };
    const own = createAuditLog(database.createSequelize(), options);
    const Row = own.LogEntry.sequelize!.define('Item', Item.getAttributes());
    const rows = own.registerAudited(Row, { snapshots: { tableName: 'versions_here' } });
    await own.sync();
    const row = await Row.create({ text: 'a' });
    const entries = await entriesOf(own, () => row.update({ text: 'b' }));
    expect(entries.map(({ changes }) => changes)).toEqual([{ text: ['a', 'b'] }]);
    expect((await rows.versions(row)).map(({ text }) => text)).toEqual(['b', 'a']);
    expect(await LogEntry.forObject(Item, row.get('id') as string)).toEqual([]);
  });
});
