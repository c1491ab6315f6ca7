import { DataTypes } from 'sequelize';
import { createAuditLog } from 'sequelize-auditlog';
import { openAudited, refusalOf } from '../support/audited';
import { testDatabase } from '../support/database';

const database = testDatabase();
const { sequelize } = database;
const columns = {
  text: DataTypes.TEXT,
  flag: DataTypes.BOOLEAN,
  price: DataTypes.DECIMAL(10, 2),
  at: DataTypes.DATE,
  day: DataTypes.DATEONLY,
  uuid: DataTypes.UUID,
  data: DataTypes.JSONB,
  parentId: { type: DataTypes.INTEGER, references: { model: 'Plains', key: 'id' } },
};
const Plain = sequelize.define('Plain', columns);
const Full = sequelize.define('Full', columns);
const Partial = sequelize.define('Partial', columns);
const auditLog = createAuditLog(sequelize);
auditLog.registerAudited(Plain);
const fulls = auditLog.registerAudited(Full, { snapshots: true });
const partials = auditLog.registerAudited(Partial, { snapshots: true, include: ['text', 'flag'] });

beforeAll(() => openAudited(database, auditLog));
afterAll(() => database.close());

const ABSENT = { flag: null, price: null, at: null, day: null, uuid: null, data: null, parentId: null };

test('U1 without snapshots there is none, and asking for one is refused', async () => {
  const row = await Plain.create({ text: 'a' });
  expect(await database.rows(`select to_regclass('"Plains_history"') as name`)).toEqual([{ name: null }]);
  const error = await refusalOf(() => auditLog.audited(Plain).versions(row));
  expect(error.code).toBe('ERR_AUDIT_NO_SNAPSHOTS');
  expect(error.message).toContain('registerAudited(Plain, { snapshots: true })');
});

test('U2 U7 U9 a create stores all columns with their types, keys as keys, absent ones as null', async () => {
  const parent = await Plain.create({});
  const row = await Full.create({ text: 'a', flag: true, data: { n: 1 }, parentId: parent.get('id') });
  const [version] = await fulls.versions(row);
  const stored = { text: 'a', flag: true, data: { n: 1 }, parentId: parent.get('id') };
  expect(version!.get()).toMatchObject({ ...ABSENT, ...stored, id: row.get('id'), historyType: '+' });
  expect(version!.get('createdAt')).toEqual(row.get('createdAt'));
});

test('U3 an update stores the row after it, also what the instance never saw', async () => {
  const { id } = (await Full.create({ text: 'a', flag: true })).get() as { id: number };
  const partial = (await Full.findByPk(id, { attributes: ['id'] }))!;
  await partial.update({ text: 'b' });
  const [version] = await fulls.versions(id);
  expect(version!.get()).toMatchObject({ ...ABSENT, text: 'b', flag: true, historyType: '~' });
});

test('U5 values given as texts are stored in their canonical form', async () => {
  const given = {
    at: '2026-11-21T13:00:00+01:00',
    day: '2026-11-21',
    uuid: '6F4F9A5A-6C22-4BD4-8F0A-2D1F2B1F0E11',
    price: '1.5',
  };
  const row = await Full.create(given);
  const [version] = await fulls.versions(row);
  expect(version!.get()).toMatchObject({
    at: new Date('2026-11-21T12:00:00Z'),
    day: '2026-11-21',
    uuid: given.uuid.toLowerCase(),
    price: '1.50',
  });
});

test('U6 a version is limited to the tracked attributes, managed timestamps and its own', async () => {
  const row = await Partial.create({ text: 'a', price: 1 });
  const [version] = await partials.versions(row);
  const own = [
    'historyChangeReason',
    'historyDate',
    'historyId',
    'historyType',
    'historyUserId',
    'logEntryId',
  ];
  expect(Object.keys(version!.get()).toSorted()).toEqual(
    ['createdAt', 'flag', 'id', 'text', 'updatedAt', ...own].toSorted(),
  );
});

test('U2 a delete stores the last state', async () => {
  const row = await Full.create({ text: 'last' });
  await row.destroy();
  const [version] = await fulls.versions(row.get('id') as number);
  expect(version!.get()).toMatchObject({ ...ABSENT, text: 'last', historyType: '-' });
});
