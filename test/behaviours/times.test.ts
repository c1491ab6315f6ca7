import { DataTypes, fn, literal, type Model } from 'sequelize';
import { createAuditLog } from 'sequelize-auditlog';
import { entriesOf, entryOf, openAudited } from '../support/audited';
import { testDatabase } from '../support/database';

const database = testDatabase();
const { sequelize } = database;
const Event = sequelize.define('Event', {
  at: DataTypes.DATE(6),
  day: DataTypes.DATEONLY,
  time: DataTypes.TIME,
  data: DataTypes.JSONB,
  n: DataTypes.INTEGER,
});
const auditLog = createAuditLog(sequelize);
auditLog.registerAudited(Event);

beforeAll(() => openAudited(database, auditLog));
afterAll(() => database.close());

const noon = { at: new Date('2026-11-21T12:00:00Z'), day: '2026-11-21', time: '12:00:00' };

async function changesOf(values: object): Promise<unknown> {
  const row = await Event.create(noon);
  return (await entryOf(auditLog, () => row.update(values))).changes;
}

test('J1 assigning an equal date-time, date and time leaves no entry', async () => {
  const row = await Event.create(noon);
  const equal = { at: '2026-11-21T13:00:00.000+01:00', day: '2026-11-21', time: '12:00:00.000' };
  expect(await entriesOf(auditLog, () => row.update(equal))).toEqual([]);
  const where = { id: row.get('id') as number };
  expect(await entriesOf(auditLog, () => Event.update({ ...noon, at: equal.at }, { where }))).toEqual([]);
});

test('J3 another date-time leaves an entry', async () => {
  const changes = await changesOf({ at: new Date('2026-11-21T12:00:00.001Z') });
  expect(changes).toEqual({ at: ['2026-11-21T12:00:00.000000Z', '2026-11-21T12:00:00.001000Z'] });
});

test('J4 another date leaves an entry', async () => {
  expect(await changesOf({ day: '2026-11-22' })).toEqual({ day: ['2026-11-21', '2026-11-22'] });
});

test('J5 another time of day leaves an entry', async () => {
  expect(await changesOf({ time: '12:00:01' })).toEqual({ time: ['12:00:00', '12:00:01'] });
});

test('J7 J8 J9 the display form shows what is stored, on create and update', async () => {
  const row = await Event.create(noon);
  const [created] = await auditLog.LogEntry.forObject(row);
  const shown = created!.displayChanges().map(({ attribute, new: now }) => [attribute, now]);
  expect(shown).toEqual(
    expect.arrayContaining([
      ['at', '2026-11-21T12:00:00.000000Z'],
      ['day', '2026-11-21'],
      ['time', '12:00:00'],
    ]),
  );
  const updated = await entryOf(auditLog, () => row.update({ time: '12:00:01' }));
  expect(updated.describe()).toMatch(/: 12:00:00 → 12:00:01$/);
});

test('J11 a date-time text without a zone raises nothing', async () => {
  const entry = await entryOf(auditLog, () => Event.create({ at: '2026-11-21 12:00:00' }));
  expect(entry.changes!['at']).toEqual([null, '2026-11-21T12:00:00.000000Z']);
});

test('J12 a date-time by the database is stored as it computed it, on create and update', async () => {
  const row: Model = await Event.create({ at: fn('now') });
  const stored = async (): Promise<string> => {
    const text = `to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as text`;
    const [found] = await database.rows<{ text: string }>(`select ${text} from "Events" where id = $1`, [
      row.get('id'),
    ]);
    return found!.text;
  };
  const [created] = await auditLog.LogEntry.forObject(row);
  const before = await stored();
  expect(created!.changes!['at']).toEqual([null, before]);
  const updated = await entryOf(auditLog, () =>
    row.update({ at: fn('clock_timestamp'), n: literal('20 + 1') }),
  );
  expect(updated.changes).toEqual({ at: [before, await stored()], n: [null, 21] });
  expect(await stored()).not.toBe(before);
});

test('J13 a literal null as a JSON value leaves one entry, without it', async () => {
  const entry = await entryOf(auditLog, () => Event.create({ data: literal('null'), n: 1 }));
  expect(entry.changes).toEqual({ id: [null, expect.any(Number)], n: [null, 1] });
});
