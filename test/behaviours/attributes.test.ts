import { DataTypes, type Model } from 'sequelize';
import { createAuditLog } from 'sequelize-auditlog';
import { entriesOf, entryOf, openAudited, rowOf } from '../support/audited';
import { testDatabase } from '../support/database';

const database = testDatabase();
const { sequelize } = database;
const columns = {
  label: DataTypes.TEXT,
  text: DataTypes.TEXT,
  version: { type: DataTypes.JSONB, field: 'ver' },
};
const Included = sequelize.define('Included', columns);
const Excluded = sequelize.define('Excluded', columns);
const Both = sequelize.define('Both', columns);
const Labelled = sequelize.define('Labelled', columns);
const auditLog = createAuditLog(sequelize);
auditLog.registerAudited(Included, { include: ['label'], snapshots: true });
auditLog.registerAudited(Excluded, { exclude: ['text', 'version'], snapshots: true });
auditLog.registerAudited(Both, { include: ['label', 'text'], exclude: ['text'] });
auditLog.registerAudited(Labelled, { labels: { label: 'The label', version: 'Revision' } });

beforeAll(() => openAudited(database, auditLog));
afterAll(() => database.close());

describe('with an include list', () => {
  test('F1 a create leaves one entry, of the key and the included attributes', async () => {
    const entry = await entryOf(auditLog, () => Included.create({ label: 'a', text: 'b' }));
    expect(Object.keys(entry.changes!).toSorted()).toEqual(['id', 'label']);
  });

  test('F3 changing only another attribute leaves none', async () => {
    const row = await Included.create({ label: 'a' });
    expect(await entriesOf(auditLog, () => row.update({ text: 'b' }))).toEqual([]);
    expect(await rowOf(Included, row.get('id'))).toMatchObject({ text: 'b' });
    expect(await auditLog.audited(Included).versions(row)).toHaveLength(1);
  });

  test('F4 nor does saving only another attribute by name', async () => {
    const row = await Included.create({ label: 'a' });
    row.set({ text: 'b', label: 'c' });
    expect(await entriesOf(auditLog, () => row.save({ fields: ['text'] }))).toEqual([]);
  });

  test('F5 saving both leaves only the included one', async () => {
    const row = await Included.create({ label: 'a', text: 'b' });
    const entry = await entryOf(auditLog, () => row.update({ label: 'c', text: 'd' }));
    expect(entry.changes).toEqual({ label: ['a', 'c'] });
  });
});

describe('with an exclude list', () => {
  test('F7 F11 a create leaves one entry without the excluded ones, with the key', async () => {
    let row: Model;
    const entry = await entryOf(
      auditLog,
      async () => (row = await Excluded.create({ label: 'a', text: 'b', version: {} })),
    );
    expect(entry.changes).toEqual({ id: [null, row!.get('id')], label: [null, 'a'] });
  });

  test('F8 changing another attribute leaves an entry', async () => {
    const row = await Excluded.create({ label: 'a' });
    expect((await entryOf(auditLog, () => row.update({ label: 'b' }))).changes).toEqual({
      label: ['a', 'b'],
    });
  });

  test('F9 changing only excluded ones leaves none, in any kind of write', async () => {
    const row = await Excluded.create({ label: 'a' });
    const work = async () => {
      await row.update({ text: 'x' });
      await Excluded.update({ version: { n: 1 } }, { where: { id: row.get('id') as number } });
      await Excluded.upsert({ id: row.get('id'), label: 'a', text: 'y' });
    };
    expect(await entriesOf(auditLog, work)).toEqual([]);
    expect(await rowOf(Excluded, row.get('id'))).toMatchObject({ text: 'y', version: { n: 1 } });
  });

  test('F11 a delete holds none of them either', async () => {
    const row = await Excluded.create({ label: 'a', text: 'b' });
    expect(Object.keys((await entryOf(auditLog, () => row.destroy())).changes!).toSorted()).toEqual([
      'id',
      'label',
    ]);
  });

  test('F11 versions have no column for them', () => {
    expect(Object.keys(auditLog.audited(Excluded).Snapshot.getAttributes())).not.toContain('text');
  });
});

test('exclude wins over include', async () => {
  const row = await Both.create({ label: 'a', text: 'b' });
  expect(await entriesOf(auditLog, () => row.update({ text: 'c' }))).toEqual([]);
  expect(auditLog.audited(Both).tracked).not.toContain('text');
});

describe('managed timestamps', () => {
  test('are no part of a delta', async () => {
    const row = await Labelled.create({ label: 'a' });
    const [created] = await auditLog.LogEntry.forObject(row);
    expect(Object.keys(created!.changes!)).not.toContain('createdAt');
    expect(await entriesOf(auditLog, () => row.update({ updatedAt: new Date(0) }, { silent: true }))).toEqual(
      [],
    );
  });

  test('are when included by name', async () => {
    const Timed = sequelize.define('Timed', { text: DataTypes.TEXT });
    auditLog.registerAudited(Timed, { include: ['text', 'updatedAt'] });
    await Timed.sync();
    const row = await Timed.create({ text: 'a' });
    const entry = await entryOf(auditLog, () => row.update({ text: 'b' }));
    expect(Object.keys(entry.changes!).toSorted()).toEqual(['text', 'updatedAt']);
  });
});

describe.each([
  ['a text', 'old', 'new', 'old', 'new'],
  ['a number', 1, 2.5, '1', '2.5'],
  ['a boolean', false, true, 'false', 'true'],
  ['an array', [1], [1, 2], '1', '1, 2'],
  ['an object', { a: 1 }, { a: null }, '{"a": 1}', '{"a": null}'],
])('G6 labels, with values that are %s', (_title, before, after, oldText, newText) => {
  const change = async () => {
    const row = await Labelled.create({ label: 'x', text: 'same', version: before });
    return entryOf(auditLog, () => row.update({ version: after, text: 'other', label: 'y' }));
  };

  test('G1 G2 stored keys are attribute names, labelled or not', async () => {
    expect((await change()).changes).toEqual({
      label: ['x', 'y'],
      text: ['same', 'other'],
      version: [before, after],
    });
  });

  test('G4 G5 the display form has the label, without one the attribute name', async () => {
    const shown = (await change()).displayChanges();
    expect(shown.map(({ attribute, label }) => [attribute, label])).toEqual([
      ['label', 'The label'],
      ['text', 'text'],
      ['version', 'Revision'],
    ]);
    const compact = (text: string): string => text.replaceAll(/\s/g, '');
    expect([compact(shown[2]!.old), compact(shown[2]!.new)]).toEqual([compact(oldText), compact(newText)]);
  });
});
