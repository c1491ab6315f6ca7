import {
  DataTypes,
  type BelongsToManyAddAssociationsMixin,
  type BelongsToManyRemoveAssociationMixin,
  type BelongsToManySetAssociationsMixin,
  type Model,
} from 'sequelize';
import { createAuditLog, type LogEntry } from 'sequelize-auditlog';
import { actionsOf, entriesOf, entryOf, openAudited } from '../support/audited';
import { testDatabase } from '../support/database';

type Add = BelongsToManyAddAssociationsMixin<Model, number>;
type Remove = BelongsToManyRemoveAssociationMixin<Model, number>;
type Set = BelongsToManySetAssociationsMixin<Model, number>;

interface Post extends Model {
  addTags: Add;
  removeTag: Remove;
  setTags: Set;
}
interface Tag extends Model {
  addPosts: Add;
  removePost: Remove;
  setPosts: Set;
}
interface Person extends Model {
  addFriends: Add;
}

const database = testDatabase();
const { sequelize } = database;
const Posts = sequelize.define<Post>('Post', { title: DataTypes.TEXT });
const Pages = sequelize.define<Post>('Page', { title: DataTypes.TEXT });
const Tags = sequelize.define<Tag>('Tag', { name: DataTypes.TEXT });
const People = sequelize.define<Person>('Person', { name: DataTypes.TEXT });
const names = { as: { singular: 'tag', plural: 'tags' } };
Posts.belongsToMany(Tags, { through: 'post_tags', ...names });
Tags.belongsToMany(Posts, { through: 'post_tags', as: { singular: 'post', plural: 'posts' } });
People.belongsToMany(People, { through: 'friendships', as: 'friends', foreignKey: 'a', otherKey: 'b' });

// One join table shared by two kinds of owners, told apart by a scope.
const Tagging = sequelize.define('Tagging', {
  id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
  kind: DataTypes.TEXT,
  ownerId: DataTypes.INTEGER,
  labelId: DataTypes.INTEGER,
});
const Labels = sequelize.define('Label', { name: DataTypes.TEXT });
const Notes = sequelize.define<Model & { addLabels: Add; setLabels: Set }>('Note', {});
const Files = sequelize.define<Model & { addLabels: Add; setLabels: Set }>('File', {});
for (const [model, kind] of [
  [Notes, 'note'],
  [Files, 'file'],
] as const) {
  model.belongsToMany(Labels, {
    through: { model: Tagging, unique: false, scope: { kind } },
    foreignKey: 'ownerId',
    otherKey: 'labelId',
    constraints: false,
  });
}

const auditLog = createAuditLog(sequelize);
auditLog.registerAudited(Posts, { associations: ['tags'], labels: {} });
auditLog.registerAudited(Tags, { repr: 'Tag {name}' });
auditLog.registerAudited(Pages);
auditLog.registerAudited(People, { associations: ['friends'], repr: '{name}' });
auditLog.registerAudited(Notes, { associations: ['Labels'] });
auditLog.registerAudited(Files, { associations: ['Labels'] });

beforeAll(() => openAudited(database, auditLog));
afterAll(() => database.close());

const pkOf = (row: Model): string => String(row.get('id'));
const linkOf = (tag: Model) => ({ pk: pkOf(tag), repr: `Tag ${String(tag.get('name'))}` });
const changesOf = (entries: readonly LogEntry[]): unknown[] => entries.map(({ changes }) => changes);

async function create(): Promise<[Post, Tag, Tag]> {
  return [
    await Posts.create({ title: 'p' }),
    await Tags.create({ name: 'a' }),
    await Tags.create({ name: 'b' }),
  ];
}

test('Y7 linking from the declaring side leaves one entry with key and text of the linked', async () => {
  const [post, one, two] = await create();
  const entry = await entryOf(auditLog, () => post.addTags([one, two]));
  expect([entry.action, entry.model, entry.objectPk]).toEqual(['update', 'Post', pkOf(post)]);
  expect(entry.changes).toEqual({ tags: { type: 'm2m', added: [linkOf(one), linkOf(two)], removed: [] } });
});

test('Y2 linking from the other side leaves exactly one, on the tracked side under its name', async () => {
  const [post, one] = await create();
  const entry = await entryOf(auditLog, () => one.addPosts([post]));
  expect([entry.model, entry.objectPk]).toEqual(['Post', pkOf(post)]);
  expect(entry.changes).toEqual({ tags: { type: 'm2m', added: [linkOf(one)], removed: [] } });
});

test('Y3 unlinking from the declaring side leaves one more', async () => {
  const [post, one, two] = await create();
  await post.addTags([one, two]);
  const entry = await entryOf(auditLog, () => post.removeTag(one));
  expect(entry.changes).toEqual({ tags: { type: 'm2m', added: [], removed: [linkOf(one)] } });
});

test('Y4 unlinking from the other side leaves one more', async () => {
  const [post, one] = await create();
  await post.addTags([one]);
  const entry = await entryOf(auditLog, () => one.removePost(post));
  expect([entry.model, entry.changes]).toEqual([
    'Post',
    { tags: { type: 'm2m', added: [], removed: [linkOf(one)] } },
  ]);
});

test('Y6 clearing from the other side lists only what was linked, one entry per owner', async () => {
  const [post, one, two] = await create();
  const second = await Posts.create({});
  await Promise.all([post.addTags([one, two]), second.addTags([one])]);
  const entries = await entriesOf(auditLog, () => one.setPosts([]));
  expect(new Set(entries.map(({ objectPk }) => objectPk))).toEqual(new Set([pkOf(post), pkOf(second)]));
  const cleared = { tags: { type: 'm2m', added: [], removed: [linkOf(one)] } };
  expect(changesOf(entries)).toEqual([cleared, cleared]);
});

test('Y6 replacing a set lists what was added and what was removed, and not what stays', async () => {
  const [post, one, two] = await create();
  const three = await Tags.create({ name: 'c' });
  await post.addTags([one, two]);
  const entries = await entriesOf(auditLog, () => post.setTags([two, three]));
  const links = entries.map(({ changes }) => changes!['tags'] as { added: object[]; removed: object[] });
  expect(links.flatMap(({ added }) => added)).toEqual([linkOf(three)]);
  expect(links.flatMap(({ removed }) => removed)).toEqual([linkOf(one)]);
});

test('Y6 clearing what is empty leaves none', async () => {
  const [post, one] = await create();
  expect(await entriesOf(auditLog, () => post.setTags([]))).toEqual([]);
  expect(await entriesOf(auditLog, () => one.setPosts([]))).toEqual([]);
});

test('linking what is linked leaves none', async () => {
  const [post, one] = await create();
  await post.addTags([one]);
  expect(await entriesOf(auditLog, () => post.addTags([one]))).toEqual([]);
});

test('Y8 the text form names the association, the operation and the objects', async () => {
  const [post, one, two] = await create();
  const entry = await entryOf(auditLog, () => post.addTags([one, two]));
  expect(entry.describe()).toBe(`system updated tags of Post ${pkOf(post)}: added Tag a, Tag b`);
  expect(entry.changedAttributes).toEqual(['tags']);
});

test('a through row created directly is an update of the owner', async () => {
  const [post, one] = await create();
  const Through = sequelize.model('post_tags');
  const entry = await entryOf(auditLog, () =>
    Through.create({ PostId: post.get('id'), TagId: one.get('id') }),
  );
  expect([entry.model, entry.objectPk, changesOf([entry])]).toEqual([
    'Post',
    pkOf(post),
    [{ tags: { type: 'm2m', added: [linkOf(one)], removed: [] } }],
  ]);
});

test('Y10 a join table shared by several owner models yields one entry, on the acting owner', async () => {
  const [note, file, label] = [
    await Notes.create({}),
    await Files.create({}),
    await Labels.create({ name: 'x' }),
  ];
  expect(pkOf(note)).toBe(pkOf(file));
  const entries = await entriesOf(auditLog, () => note.addLabels([label]));
  expect(actionsOf(entries)).toEqual(['update Note']);
  expect(actionsOf(await entriesOf(auditLog, () => file.addLabels([label])))).toEqual(['update File']);
  expect(actionsOf(await entriesOf(auditLog, () => file.setLabels([])))).toEqual(['update File']);
});

test('Y11 a self-referencing association raises nothing and is found', async () => {
  const [ann, bob] = [await People.create({ name: 'ann' }), await People.create({ name: 'bob' })];
  const entry = await entryOf(auditLog, () => ann.addFriends([bob]));
  expect(entry.changes).toEqual({
    friends: { type: 'm2m', added: [{ pk: pkOf(bob), repr: 'bob' }], removed: [] },
  });
  const [found] = await auditLog.LogEntry.forObject(ann);
  expect(found!.id).toBe(entry.id);
});

test('links of an association that is not tracked leave none', async () => {
  const Untracked = sequelize.define<Model & { addTags: Add }>('Untracked', {});
  Untracked.belongsToMany(Tags, { through: 'untracked_tags', ...names });
  auditLog.registerAudited(Untracked);
  await sequelize.sync();
  const [row, tag] = [await Untracked.create({}), await Tags.create({ name: 'u' })];
  expect(await entriesOf(auditLog, () => row.addTags([tag]))).toEqual([]);
});
