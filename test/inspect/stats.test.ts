import { DataTypes, Op } from 'sequelize';
import { createAuditLog, withAuditContext } from 'sequelize-auditlog';
import { openAudited, refusalOf } from '../support/audited';
import { testDatabase } from '../support/database';
import { loggedBy } from '../support/statements';

const database = testDatabase();
const { sequelize } = database;
const Order = sequelize.define('Order', { status: DataTypes.TEXT, document: DataTypes.TEXT });
const Item = sequelize.define('Item', { sku: DataTypes.TEXT });
const Tag = sequelize.define('Tag', { name: DataTypes.TEXT });
const Gone = sequelize.define('Gone', { name: DataTypes.TEXT });
const auditLog = createAuditLog(sequelize);
auditLog.registerAudited(Order, { snapshots: true });
auditLog.registerAudited(Item);
auditLog.registerAudited(Tag, { snapshots: true });
const QUOTED = `it's "a" \\ name`;
auditLog.registerAudited(Gone, { modelName: QUOTED });

beforeAll(() => openAudited(database, auditLog));
afterAll(() => database.close());
beforeEach(() =>
  database.rows(
    'truncate audit_log_entries, "Orders_history", "Tags_history", "Orders", "Items", "Tags", "Gones"',
  ),
);

const NOTHING = { entries: 0, versions: 0, oldest: null, newest: null };

async function sizeOf(table: string): Promise<number> {
  const [row] = await database.rows<{ size: string }>('select pg_total_relation_size($1::regclass) as size', [
    table,
  ]);
  return Number(row!.size);
}

test('an empty log has every registered model with nothing, in the order of their names', async () => {
  const stats = await auditLog.stats();
  expect(Object.keys(stats)).toEqual(['Item', 'Order', 'Tag', QUOTED]);
  expect(stats['Item']).toEqual({ ...NOTHING, bytes: 0 });
  expect(stats['Tag']).toEqual({ ...NOTHING, bytes: await sizeOf('"Tags_history"') });
});

test('entries and versions are counted per model, whatever wrote them, with the time they span', async () => {
  const order = await Order.create({ status: 'new' });
  await order.update({ status: 'paid' });
  await auditLog.logAccess(order);
  await Item.bulkCreate([{ sku: 'a' }, { sku: 'b' }]);
  await database.rows(
    `update audit_log_entries set timestamp = '2026-01-02T03:04:05Z' where action = 'create'`,
  );
  await database.rows(
    `update "Orders_history" set history_date = '2026-01-01T00:00:00Z' where history_type = '+'`,
  );
  const { Order: ofOrders, Item: ofItems } = await auditLog.stats();
  const [newest] = await auditLog.LogEntry.forObject(order);
  expect(ofOrders).toMatchObject({ entries: 3, versions: 2, oldest: new Date('2026-01-01T00:00:00Z') });
  expect(ofOrders!.newest?.getTime()).toBe(newest!.timestamp.getTime());
  const then = new Date('2026-01-02T03:04:05Z');
  expect(ofItems).toMatchObject({ entries: 2, versions: 0, oldest: then, newest: then });
});

test('bytes: the shares of the log add up to its size on disk, by the weight of the rows, documents outside of them too', async () => {
  await Item.bulkCreate(Array.from({ length: 50 }, (_, at) => ({ sku: `sku ${at}` })));
  const random = Array.from({ length: 4000 }, () => Math.random().toString(36).slice(2)).join('');
  await Order.bulkCreate(Array.from({ length: 5 }, () => ({ document: random })));
  const stats = await auditLog.stats();
  const history = await sizeOf('"Orders_history"');
  const shares = [stats['Item']!.bytes, stats['Order']!.bytes - history];
  expect(Math.abs(shares[0]! + shares[1]! - (await sizeOf('audit_log_entries')))).toBeLessThanOrEqual(2);
  expect(shares[1]).toBeGreaterThan(5 * shares[0]!);
});

test('a model that is registered no more, or was never, is there under the name of its entries', async () => {
  await withAuditContext({ actor: 'ann' }, () => Gone.create({ name: 'x' }));
  await database.rows(
    `insert into audit_log_entries (action, model, object_pk) values ('update', '__proto__', '1'), ('update', 'Old', '1')`,
  );
  auditLog.unregister(Gone);
  const stats = await auditLog.stats();
  auditLog.registerAudited(Gone, { modelName: QUOTED });
  expect(Object.keys(stats)).toEqual(['Item', 'Old', 'Order', 'Tag', '__proto__', QUOTED].toSorted());
  expect([stats['Old'], stats[QUOTED]]).toEqual([
    expect.objectContaining({ entries: 1, versions: 0 }),
    expect.objectContaining({ entries: 1, versions: 0 }),
  ]);
  expect(Object.getOwnPropertyDescriptor(stats, '__proto__')?.value).toMatchObject({ entries: 1 });
});

test('it takes two statements, which leave no entry', async () => {
  await Order.create({ status: 'new' });
  const sent = await loggedBy(sequelize, () => auditLog.stats());
  expect(sent).toHaveLength(2);
  expect(await auditLog.LogEntry.count({ where: { action: { [Op.ne]: 'create' } } })).toBe(0);
});

test('a history that is not there has no versions; a log that is not there is coded', async () => {
  await Tag.create({ name: 'urgent' });
  await database.rows('alter table "Tags_history" rename to elsewhere');
  expect((await auditLog.stats())['Tag']).toMatchObject({ entries: 1, versions: 0 });
  await database.rows('alter table elsewhere rename to "Tags_history"');
  await database.rows('alter table audit_log_entries rename to elsewhere');
  const refusal = await refusalOf(() => auditLog.stats());
  await database.rows('alter table elsewhere rename to audit_log_entries');
  expect(refusal.code).toBe('ERR_AUDIT_MISSING_TABLE');
  expect(refusal.message).toContain('audit_log_entries');
});

test('a log and histories in a schema of their own are counted there', async () => {
  const schema = await database.createSchema('own');
  const other = database.createSequelize();
  const Parcel = other.define('Parcel', { weight: DataTypes.INTEGER });
  const log = createAuditLog(other, { schema, tableName: 'log' });
  log.registerAudited(Parcel, { snapshots: true });
  await Parcel.sync();
  await log.sync();
  await Parcel.create({ weight: 1 });
  expect(await log.stats()).toEqual({
    Parcel: expect.objectContaining({ entries: 1, versions: 1 }) as object,
  });
});

test('the size of a log that was partitioned by hand is that of its partitions', async () => {
  await database.rows(
    'create table parts (like audit_log_entries including defaults) partition by range (id)',
  );
  await database.rows('create table parts_1 partition of parts default');
  await database.rows(`insert into parts (id, action, model, object_pk) values (1, 'update', 'Order', '1')`);
  const log = createAuditLog(database.createSequelize(), { tableName: 'parts' });
  const { Order: stats } = await log.stats();
  expect(stats).toMatchObject({ entries: 1, bytes: await sizeOf('parts_1') });
});
