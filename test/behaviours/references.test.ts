import { DataTypes, type BelongsToSetAssociationMixin, type Model } from 'sequelize';
import { createAuditLog } from 'sequelize-auditlog';
import { actionsOf, entriesOf, entryOf, openAudited } from '../support/audited';
import { testDatabase } from '../support/database';

interface BookRow extends Model {
  setAuthor: BelongsToSetAssociationMixin<Model, number>;
  author?: Model;
}

const database = testDatabase();
const { sequelize } = database;
const Person = sequelize.define('Person', { name: DataTypes.TEXT });
const Cover = sequelize.define('Cover', { colour: DataTypes.TEXT });
const Book = sequelize.define<BookRow>('Book', {
  title: DataTypes.TEXT,
  authorId: { type: DataTypes.INTEGER, field: 'author_id' },
});
Book.belongsTo(Person, { as: 'author', foreignKey: 'authorId', onDelete: 'SET NULL' });
Book.belongsTo(Cover, { as: 'cover', foreignKey: { name: 'coverId', field: 'cover_id' } });
Cover.hasOne(Book, { foreignKey: 'coverId' });
const auditLog = createAuditLog(sequelize);
auditLog.registerAudited(Person, { repr: '{name}' });
auditLog.registerAudited(Book);

let ann: Model;
let bob: Model;
let cover: Model;
const idOf = (row: Model): number => row.get('id') as number;
beforeAll(async () => {
  await openAudited(database, auditLog);
  [ann, bob, cover] = [
    await Person.create({ name: 'ann' }),
    await Person.create({ name: 'bob' }),
    await Cover.create(),
  ];
});
afterAll(() => database.close());

test('T1 a create holds foreign keys and one-to-one columns by key, under attribute names', async () => {
  const entry = await entryOf(auditLog, () => Book.create({ authorId: idOf(ann), coverId: idOf(cover) }));
  expect(entry.changes).toMatchObject({ authorId: [null, idOf(ann)], coverId: [null, idOf(cover)] });
  expect(entry.changes).not.toHaveProperty('author_id');
});

test('T2 replacing the related object logs its key', async () => {
  const book = await Book.create({ authorId: idOf(ann) });
  const entry = await entryOf(auditLog, () => book.setAuthor(bob));
  expect(entry.changes).toEqual({ authorId: [idOf(ann), idOf(bob)] });
});

test('T3 so does assigning the key', async () => {
  const book = await Book.create({ authorId: idOf(ann) });
  const entry = await entryOf(auditLog, () => book.update({ authorId: idOf(bob) }));
  expect(entry.changes).toEqual({ authorId: [idOf(ann), idOf(bob)] });
});

test('T5 a save restricted to the keys logs both, and nothing else', async () => {
  const book = await Book.create({ title: 'old', authorId: idOf(ann) });
  book.set({ title: 'new', authorId: idOf(bob), coverId: idOf(cover) });
  const entry = await entryOf(auditLog, () => book.save({ fields: ['authorId', 'coverId'] as never }));
  expect(entry.changes).toEqual({ authorId: [idOf(ann), idOf(bob)], coverId: [null, idOf(cover)] });
});

test('T6 T7 the display form shows the key, before and after the target is gone', async () => {
  const cid = await Person.create({ name: 'cid' });
  const book = await Book.create({ authorId: idOf(cid) });
  const shown = async () => (await auditLog.LogEntry.forObject(book)).at(-1)!.displayChanges();
  const before = await shown();
  expect(before).toContainEqual({
    attribute: 'authorId',
    label: 'authorId',
    old: 'null',
    new: String(idOf(cid)),
  });
  await cid.destroy();
  expect(await shown()).toEqual(before);
});

test('T9 BB8 another text of the related row makes no change of the referring one', async () => {
  const book = await Book.create({ authorId: idOf(ann) });
  const loaded = (await Book.findByPk(idOf(book), { include: 'author' }))!;
  loaded.author!.set({ name: 'anna' });
  expect(await entriesOf(auditLog, () => loaded.save())).toEqual([]);
});

test('T10 saving the related row is logged on that row', async () => {
  const loaded = (await Book.findByPk(idOf(await Book.create({ authorId: idOf(ann) })), {
    include: 'author',
  }))!;
  const entries = await entriesOf(auditLog, () => loaded.author!.update({ name: `ann ${Math.random()}` }));
  expect(actionsOf(entries)).toEqual(['update Person']);
  expect(entries[0]!.objectPk).toBe(String(idOf(ann)));
});

test('T11 another related row with the same text is a change', async () => {
  const [one, two] = [await Person.create({ name: 'twin' }), await Person.create({ name: 'twin' })];
  const book = await Book.create({ authorId: idOf(one) });
  const entry = await entryOf(auditLog, () => book.setAuthor(two));
  expect(entry.changes).toEqual({ authorId: [idOf(one), idOf(two)] });
});

test('T7 a key that the database empties is logged on the referring row', async () => {
  const dan = await Person.create({ name: 'dan' });
  const book = await Book.create({ authorId: idOf(dan) });
  const entries = await entriesOf(auditLog, () => dan.destroy());
  expect(actionsOf(entries).toSorted()).toEqual(['delete Person', 'update Book']);
  const update = entries.find(({ model }) => model === 'Book')!;
  expect([update.objectPk, update.changes]).toEqual([String(idOf(book)), { authorId: [idOf(dan), null] }]);
});
