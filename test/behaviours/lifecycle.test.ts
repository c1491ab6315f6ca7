import { randomUUID } from 'node:crypto';
import { DataTypes, Op, type Model, type ModelAttributes, type ModelStatic } from 'sequelize';
import { createAuditLog } from 'sequelize-auditlog';
import { actionsOf, entriesOf, entryOf, openAudited, refusalOf, rowOf } from '../support/audited';
import { testDatabase } from '../support/database';

const database = testDatabase();
const { sequelize } = database;
const auditLog = createAuditLog(sequelize);
const { LogEntry, registerAudited } = auditLog;

const columns: ModelAttributes = {
  text: DataTypes.TEXT,
  boolean: { type: DataTypes.BOOLEAN, defaultValue: false },
  integer: DataTypes.INTEGER,
};

const Simple = sequelize.define('Simple', columns);
const WithUuid = sequelize.define('WithUuid', {
  id: { type: DataTypes.UUID, defaultValue: DataTypes.UUIDV4, primaryKey: true },
  ...columns,
});
const Parent = sequelize.define('Parent', {});
const WithParentKey = sequelize.define('WithParentKey', {
  id: { type: DataTypes.INTEGER, primaryKey: true, references: { model: 'Parents', key: 'id' } },
  ...columns,
});
const Original = sequelize.define('Original', columns);
const SecondClass = sequelize.define('SecondClass', columns, { tableName: 'Originals' });

registerAudited(Simple);
registerAudited(WithUuid);
registerAudited(WithParentKey);
registerAudited(Original);

beforeAll(() => openAudited(database, auditLog));
afterAll(() => database.close());

interface Kind {
  readonly model: ModelStatic<Model>;
  readonly name: string;
  /** A key for a further row; nothing where the database gives it. */
  readonly nextKey: () => Promise<Record<string, unknown>>;
}

const kinds: readonly (readonly [string, Kind])[] = [
  ['a serial key', { model: Simple, name: 'Simple', nextKey: async () => ({}) }],
  ['A25 a UUID key', { model: WithUuid, name: 'WithUuid', nextKey: async () => ({ id: randomUUID() }) }],
  [
    'A26 a key that is a foreign key',
    {
      model: WithParentKey,
      name: 'WithParentKey',
      nextKey: async () => ({ id: (await Parent.create()).get('id') }),
    },
  ],
  ['A27 a second class over the table', { model: SecondClass, name: 'Original', nextKey: async () => ({}) }],
];

describe.each(kinds)('a row with %s', (_title, { model, name, nextKey }) => {
  async function create(values: object = {}): Promise<Model> {
    return model.create({ ...(await nextKey()), ...values });
  }

  const pkOf = (row: Model): string => String(row.get('id'));

  test('A1 A2 a create leaves exactly one entry, a create', async () => {
    const key = await nextKey();
    const entries = await entriesOf(auditLog, () => model.create({ ...key, text: 'hi' }));
    expect(actionsOf(entries)).toEqual([`create ${name}`]);
    expect(entries[0]!.changes).toMatchObject({ text: [null, 'hi'], boolean: [null, false] });
  });

  test('A3 the representation is the row as text at that moment', async () => {
    const row = await create();
    const [entry] = await LogEntry.forObject(row);
    expect([entry!.objectPk, entry!.objectRepr]).toEqual([pkOf(row), `${name} ${pkOf(row)}`]);
  });

  test('A5 A6 an update holds only the changed attribute, with typed values', async () => {
    const row = await create({ text: 'same', integer: 7 });
    const entry = await entryOf(auditLog, () => row.update({ boolean: true }));
    expect([entry.action, entry.changes]).toEqual(['update', { boolean: [false, true] }]);
  });

  test('A7 its text form is one line', async () => {
    const row = await create();
    const entry = await entryOf(auditLog, () => row.update({ boolean: true }));
    expect(entry.describe()).toBe(`system updated boolean of ${name} ${pkOf(row)}: false → true`);
    expect(entry.displayChanges()).toEqual([
      { attribute: 'boolean', label: 'boolean', old: 'false', new: 'true' },
    ]);
  });

  test('A9 A10 a save restricted to one of two dirty fields logs only that one', async () => {
    const row = await create({ text: 'old', integer: 1 });
    row.set({ text: 'new', integer: 2 });
    const entry = await entryOf(auditLog, () => row.save({ fields: ['text'] }));
    expect(entry.changes).toEqual({ text: ['old', 'new'] });
    expect(entry.displayChanges().map(({ attribute }) => attribute)).toEqual(['text']);
    expect(await rowOf(model, row.get('id'))).toMatchObject({ text: 'new', integer: 1 });
  });

  test('A11 a save restricted to no field writes nothing', async () => {
    const row = await create({ text: 'old' });
    row.set({ text: 'new' });
    expect(await entriesOf(auditLog, () => row.save({ fields: [] }))).toEqual([]);
    expect(await rowOf(model, row.get('id'))).toMatchObject({ text: 'old' });
  });

  test('A11 a save without a list of fields writes every dirty one', async () => {
    const row = await create({ text: 'old', integer: 1 });
    row.set({ text: 'new', integer: 2 });
    const entry = await entryOf(auditLog, () => row.save());
    expect(entry.changes).toEqual({ text: ['old', 'new'], integer: [1, 2] });
  });

  test('A13 several changes are listed in alphabetical order', async () => {
    const row = await create();
    const entry = await entryOf(auditLog, () => row.update({ integer: 1, boolean: true }));
    expect(entry.changedAttributes).toEqual(['boolean', 'integer']);
    expect(entry.describe()).toMatch(/ updated boolean, integer of .*: false → true; null → 1$/);
  });

  test('A14 a null is a null, and the text "null" is a text', async () => {
    const row = await create();
    const entry = await entryOf(auditLog, () => row.update({ text: 'null' }));
    expect(entry.changes).toEqual({ text: [null, 'null'] });
  });

  test('A15 a delete leaves one entry, found by model and key after the row is gone', async () => {
    const row = await create({ text: 'last' });
    const entry = await entryOf(auditLog, () => row.destroy());
    expect(entry.changes).toMatchObject({ text: ['last', null], boolean: [false, null] });
    const [found] = await LogEntry.forObject(model, pkOf(row));
    expect([found!.id, found!.action]).toEqual([entry.id, 'delete']);
  });

  test('A17 create, update and delete remain, in that order by id', async () => {
    const row = await create();
    await row.update({ text: 'x' });
    await row.destroy();
    const entries = await LogEntry.forObject(model, pkOf(row), { order: [['id', 'ASC']] });
    expect(entries.map(({ action }) => action)).toEqual(['create', 'update', 'delete']);
  });

  test('A18 a key used again keeps the entries of its predecessor, parted by a create', async () => {
    const row = await create({ text: 'first' });
    await row.destroy();
    await model.create({ id: row.get('id'), text: 'second' });
    const entries = await LogEntry.forObject(model, pkOf(row));
    expect(entries.map(({ action }) => action)).toEqual(['create', 'delete', 'create']);
    expect(entries[0]!.changes).toMatchObject({ text: [null, 'second'] });
  });

  test('A23 a loaded row saved as a new one leaves one create, of the new key', async () => {
    const original = await create({ text: 'cloned' });
    const clone = (await model.findByPk(pkOf(original)))!;
    clone.setDataValue('id', (await nextKey())['id'] ?? null);
    clone.isNewRecord = true;
    const entry = await entryOf(auditLog, () => clone.save());
    expect([entry.action, entry.objectPk]).toEqual(['create', pkOf(clone)]);
    expect(pkOf(clone)).not.toBe(pkOf(original));
    expect(entry.changes).toMatchObject({ text: [null, 'cloned'] });
  });

  test('A29 of several updates the latest entry comes first', async () => {
    const row = await create({ integer: 0 });
    for (const integer of [1, 2, 3]) await row.update({ integer });
    const entries = await LogEntry.forObject(row, { where: { action: 'update' } });
    expect(entries.map(({ changes }) => changes!['integer'])).toEqual([
      [2, 3],
      [1, 2],
      [0, 1],
    ]);
  });

  test('A21 a hand-made entry cannot carry a timestamp', async () => {
    const row = await create();
    const options = { action: 'import', timestamp: new Date(0) };
    const error = await refusalOf(() => auditLog.log(row, options));
    expect(error.code).toBe('ERR_AUDIT_INVALID_OPTION');
    expect(error.message).toContain('"timestamp"');
  });

  test('A22 a hand-made entry takes JSON changes and is found by them', async () => {
    const row = await create();
    const changes = { text: [null, { from: [pkOf(row), 2] }] as [null, object] };
    await auditLog.log(row, { action: 'import', changes });
    const found = await LogEntry.forModel(model, { where: { changes: { [Op.contains]: changes } as never } });
    expect(actionsOf(found)).toEqual([`import ${name}`]);
    expect(found[0]!.objectPk).toBe(pkOf(row));
  });
});

test('A3 the representation follows the template, after the change and on delete the last state', async () => {
  const Titled = sequelize.define('Titled', { title: DataTypes.TEXT });
  registerAudited(Titled, { repr: '{title} ({id})' });
  await Titled.sync();
  const row = await Titled.create({ title: 'one' });
  await row.update({ title: 'two' });
  await row.destroy();
  const entries = await LogEntry.forObject(Titled, row.get('id') as number);
  expect(entries.map(({ objectRepr }) => objectRepr)).toEqual(['two (1)', 'two (1)', 'one (1)']);
});
