import { DataTypes } from 'sequelize';
import { createAuditLog, type Changes } from 'sequelize-auditlog';
import { entriesOf, entryOf, openAudited } from '../support/audited';
import { testDatabase } from '../support/database';

const database = testDatabase();
const { sequelize } = database;
const Target = sequelize.define('Target', { id: { type: DataTypes.BIGINT, primaryKey: true } });
const Typed = sequelize.define('Typed', {
  json: DataTypes.JSONB,
  plainJson: DataTypes.JSON,
  text: DataTypes.TEXT,
  integer: DataTypes.INTEGER,
  double: DataTypes.DOUBLE,
  decimal: DataTypes.DECIMAL(10, 2),
  flag: DataTypes.BOOLEAN,
  at: DataTypes.DATE(6),
  day: DataTypes.DATEONLY,
  time: DataTypes.TIME,
  uuid: DataTypes.UUID,
  list: DataTypes.ARRAY(DataTypes.INTEGER),
  blob: DataTypes.BLOB,
  targetId: { type: DataTypes.BIGINT, references: { model: 'Targets', key: 'id' } },
});
const auditLog = createAuditLog(sequelize);
auditLog.registerAudited(Typed);

beforeAll(() => openAudited(database, auditLog));
afterAll(() => database.close());

const values = {
  json: { quantity: '1', nested: [{ deep: [null, 1.5, ''] }] },
  plainJson: [1, { a: true }],
  text: '',
  integer: 7,
  double: 0.5,
  decimal: '99.90',
  flag: false,
  at: new Date('2026-11-21T20:17:26.123Z'),
  day: '2026-11-21',
  time: '20:17:26',
  uuid: '6f4f9a5a-6c22-4bd4-8f0a-2d1f2b1f0e11',
  list: [1, 2],
  blob: Buffer.from('hi'),
  targetId: '9007199254740993',
};

const stored = {
  ...values,
  at: '2026-11-21T20:17:26.123000Z',
  blob: { bytes: 2, sha256: '8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4' },
};

beforeAll(() => Target.create({ id: values.targetId }));

const pairs = (from: unknown, to: unknown): Changes =>
  Object.fromEntries(
    Object.entries(stored).map(([name, value]) => [
      name,
      [from === 'value' ? value : from, to === 'value' ? value : to],
    ]),
  ) as Changes;

test('R1 R5 R6 R7 R9 R10 R15 a create holds every value in its own JSON form, from null', async () => {
  const entry = await entryOf(auditLog, () => Typed.create(values));
  const { id, ...changes } = entry.changes!;
  expect(changes).toEqual(pairs(null, 'value'));
  expect(id).toEqual([null, expect.any(Number)]);
});

test('R11 an update does too, in both directions', async () => {
  const row = await Typed.create({});
  expect((await entryOf(auditLog, () => row.update(values))).changes).toEqual(pairs(null, 'value'));
  const nulls = Object.fromEntries(Object.keys(values).map((name) => [name, null]));
  expect((await entryOf(auditLog, () => row.update(nulls))).changes).toEqual(pairs('value', null));
});

test('R5 R13 R14 null attributes are left out of a create, for every type', async () => {
  const nulls = Object.fromEntries(Object.keys(values).map((name) => [name, null]));
  const entry = await entryOf(auditLog, () => Typed.create(nulls));
  expect(Object.keys(entry.changes!)).toEqual(['id']);
});

test('R14 null over null is no change, for every type', async () => {
  const row = await Typed.create({});
  const nulls = Object.fromEntries(Object.keys(values).map((name) => [name, null]));
  const where = { id: row.get('id') as number };
  expect(await entriesOf(auditLog, () => Typed.update(nulls, { where }))).toEqual([]);
});

test('R2 the text form of a JSON value is its JSON', async () => {
  const row = await Typed.create({ json: {} });
  const entry = await entryOf(auditLog, () => row.update({ json: { quantity: '1' } }));
  expect(entry.describe()).toMatch(/ updated json of Typed \d+: \{\} → \{"quantity":"1"\}$/);
});

test.each(['json', 'plainJson'])('R3 another order of the keys in %s is no change', async (name) => {
  const row = await Typed.create({ [name]: { a: 1, b: { c: 2, d: 3 } } });
  const work = () =>
    Typed.update({ [name]: { b: { d: 3, c: 2 }, a: 1 } }, { where: { id: row.get('id') as number } });
  expect(await entriesOf(auditLog, work)).toEqual([]);
});

test('R9 a null inside JSON is no missing key', async () => {
  const row = await Typed.create({ json: { a: null } });
  expect((await entryOf(auditLog, () => row.update({ json: {} }))).changes).toEqual({
    json: [{ a: null }, {}],
  });
});
