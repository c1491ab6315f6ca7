import { DataTypes, Model, literal, type CreationAttributes } from 'sequelize';
import { createAuditLog } from 'sequelize-auditlog';
import { entriesOf, entryOf, openAudited, rowOf } from '../support/audited';
import { testDatabase } from '../support/database';

const database = testDatabase();
const { sequelize } = database;

class Vehicle extends Model {}
class Car extends Vehicle {}

const Owner = sequelize.define('Owner', { name: DataTypes.TEXT });
const columns = {
  name: { type: DataTypes.TEXT, defaultValue: 'unnamed' },
  code: { type: DataTypes.TEXT, defaultValue: () => 'computed' },
  stamp: { type: DataTypes.TEXT, defaultValue: literal(`'by the database'`) },
  price: DataTypes.DECIMAL(12, 5),
  count: DataTypes.INTEGER,
  data: DataTypes.JSON,
  shape: 'polygon',
  at: DataTypes.DATE,
};
Vehicle.init(columns, { sequelize });
Car.init(columns, { sequelize });
Owner.hasMany(Vehicle, { foreignKey: 'ownerId' });
Vehicle.belongsTo(Owner, { foreignKey: 'ownerId' });
Owner.hasOne(Car, { foreignKey: 'ownerId' });
const auditLog = createAuditLog(sequelize);
auditLog.registerAudited(Owner);
auditLog.registerAudited(Vehicle, { repr: '{name}' });
auditLog.registerAudited(Car, { snapshots: true });

beforeAll(() => openAudited(database, auditLog));
afterAll(() => database.close());

test('S1 rows with associations in both directions are compared, without these', async () => {
  const owner = await Owner.create({ name: 'ann' });
  const vehicle = await Vehicle.create({ ownerId: owner.get('id') });
  const loaded = (await Owner.findByPk(owner.get('id') as number, { include: [Vehicle] }))!;
  const entries = await entriesOf(auditLog, async () => {
    await loaded.update({ name: 'bob' });
    await vehicle.update({ name: 'van' });
  });
  expect(entries.map(({ changes }) => changes)).toEqual([
    { name: ['ann', 'bob'] },
    { name: ['unnamed', 'van'] },
  ]);
});

test('S2 rows of a class and of the class it derives from leave entries of their own', async () => {
  const [vehicle, car] = [await Vehicle.create({ name: 'bus' }), await Car.create({ name: 'mini' })];
  const entries = await entriesOf(auditLog, async () => {
    await vehicle.update({ name: 'coach' });
    await car.update({ name: 'maxi' });
  });
  expect(entries.map(({ model }) => model)).toEqual(['Vehicle', 'Car']);
});

test('S3 a delete whose related row is gone still has the row as text', async () => {
  const owner = await Owner.create({ name: 'ann' });
  const vehicle = await Vehicle.create({ name: 'van', ownerId: owner.get('id') });
  await owner.destroy();
  const entry = await entryOf(auditLog, () => vehicle.destroy());
  expect([entry.action, entry.objectRepr, entry.changes!['ownerId']]).toEqual(['delete', 'van', undefined]);
});

test('S5 S6 S7 what an instance lacks is read from the row: defaults of model and database, and none', async () => {
  const entry = await entryOf(auditLog, () => Vehicle.create({}));
  expect(entry.changes).toEqual({
    id: [null, expect.any(Number)],
    name: [null, 'unnamed'],
    code: [null, 'computed'],
    stamp: [null, 'by the database'],
  });
});

test('S5 a row loaded in part is compared with all of it', async () => {
  const { id } = (await Vehicle.create({ name: 'van', count: 1 })).get() as { id: number };
  const partial = (await Vehicle.findByPk(id, { attributes: ['id'] }))!;
  expect((await entryOf(auditLog, () => partial.update({ count: 2 }))).changes).toEqual({ count: [1, 2] });
  const deleted = await entryOf(auditLog, () => partial.destroy());
  expect(deleted.changes).toMatchObject({ name: ['van', null], count: [2, null] });
});

test('S5 an instance that is stale is compared with the row as it stands', async () => {
  const row = await Vehicle.create({ name: 'first' });
  const stale = (await Vehicle.findByPk(row.get('id') as number))!;
  await row.update({ name: 'second' });
  expect((await entryOf(auditLog, () => stale.update({ name: 'third' }))).changes).toEqual({
    name: ['second', 'third'],
  });
});

async function changed(from: CreationAttributes<Model>, to: object): Promise<unknown[]> {
  const row = await Vehicle.create(from);
  const where = { id: row.get('id') as number };
  return (await entriesOf(auditLog, () => Vehicle.update(to, { where }))).map(({ changes }) => changes);
}

test('BB1 0.17 over 0.17000 is no change', async () => {
  expect(await changed({ price: '0.17' }, { price: '0.17000' })).toEqual([]);
  expect(await changed({ price: '0.17' }, { price: 0.17 })).toEqual([]);
  expect(await changed({ price: '0.17' }, { price: '0.17001' })).toEqual([{ price: ['0.17000', '0.17001'] }]);
});

test('BB3 1.0 over 1 in an integer column is no change', async () => {
  expect(await changed({ count: 1 }, { count: literal('1.0') })).toEqual([]);
});

test('BB4 JSON is stored as PostgreSQL holds it, also what jsonb cannot', async () => {
  const row = await Vehicle.create({ data: literal(`'{"nul": "\\u0000"}'`) });
  const [entry] = await auditLog.LogEntry.forObject(row);
  expect(entry!.changes!['data']).toEqual([null, String.raw`{"nul": "\u0000"}`]);
});

test('BB5 BB7 a date-time is part of a create only when it has a value', async () => {
  const at = new Date('2026-11-21T12:00:00Z');
  expect((await entryOf(auditLog, () => Vehicle.create({ at: null }))).changes).not.toHaveProperty('at');
  const entry = await entryOf(auditLog, () => Vehicle.create({ at }));
  expect(entry.changes!['at']).toEqual([null, '2026-11-21T12:00:00.000000Z']);
});

test('BB9 types without an equality operator are compared: JSON and polygons', async () => {
  const from = { data: { a: 1, b: 2 }, shape: '((0,0),(1,1))' };
  expect(await changed(from, { data: { b: 2, a: 1 }, shape: '((0,0),(1,1))' })).toEqual([]);
  expect(await changed(from, { data: { a: 1 }, shape: '((0,0),(2,2))' })).toEqual([
    { data: [{ a: 1, b: 2 }, { a: 1 }], shape: ['((0,0),(1,1))', '((0,0),(2,2))'] },
  ]);
});

test('an equal value that the caller calls changed leaves no entry and no version', async () => {
  const row = await Car.create({ name: 'mini' });
  row.changed('name' as never, true);
  expect(await entriesOf(auditLog, () => row.save())).toEqual([]);
  expect(await rowOf(Car, row.get('id'))).toMatchObject({ name: 'mini' });
  expect(await auditLog.audited(Car).versions(row)).toHaveLength(1);
});
