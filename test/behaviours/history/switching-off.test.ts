import { setImmediate } from 'node:timers/promises';
import {
  DataTypes,
  type BelongsToManyAddAssociationMixin,
  type BelongsToManyGetAssociationsMixin,
  type BelongsToManySetAssociationsMixin,
  type Model,
} from 'sequelize';
import { createAuditLog, withoutAudit } from 'sequelize-auditlog';
import { entriesOf, entryOf, openAudited, refusalOf, rowOf } from '../../support/audited';
import { testDatabase } from '../../support/database';
import { storyOf } from '../../support/versions';

interface PollRow extends Model {
  addTag: BelongsToManyAddAssociationMixin<Model, number>;
  setTags: BelongsToManySetAssociationsMixin<Model, number>;
  getTags: BelongsToManyGetAssociationsMixin<Model>;
}

const database = testDatabase();
const { sequelize } = database;
const Poll = sequelize.define<PollRow>('Poll', { title: { type: DataTypes.TEXT, unique: true } });
const Tag = sequelize.define('Tag', { name: DataTypes.TEXT });
Poll.belongsToMany(Tag, { through: 'poll_tags', as: { singular: 'tag', plural: 'tags' } });
const auditLog = createAuditLog(sequelize);
const polls = auditLog.registerAudited(Poll, { snapshots: true, associations: ['tags'] });

beforeAll(() => openAudited(database, auditLog));
afterAll(() => database.close());

const idOf = (row: Model): number => row.get('id') as number;
const silent = { audit: false } as const;
let made = 0;
const unique = (): string => `title ${(made += 1)}`;
const makePoll = (): Promise<PollRow> => Poll.create({ title: unique() });

test('H038 H039 a save with audit: false is made unseen, the next one records what all of them made', async () => {
  const poll = await Poll.create({ title: 'seen' });
  await poll.update({ title: 'unseen' }, silent);
  expect(await rowOf(Poll, idOf(poll))).toMatchObject({ title: 'unseen' });
  await poll.update({ title: 'seen again' });
  expect(await storyOf(polls, poll, 'title')).toEqual([
    ['+', 'seen'],
    ['~', 'seen again'],
  ]);
});

test('H041 H042 a save with audit: false that fails leaves no row and no trace in the next', async () => {
  const [poll, taken] = [await makePoll(), await makePoll()];
  const failing = () => poll.update({ title: taken.get('title') as string }, silent);
  expect(await entriesOf(auditLog, () => expect(failing()).rejects.toThrow('Validation error'))).toEqual([]);
  const { action } = await entryOf(auditLog, () => poll.update({ title: unique() }));
  expect(action).toBe('update');
  expect(await storyOf(polls, poll, 'createdAt')).toHaveLength(2);
});

test('H043 H046 H047 inside withoutAudit creates, updates and links are made and leave no version', async () => {
  const work = () =>
    withoutAudit(async () => {
      const poll = await makePoll();
      const tag = await Tag.create({});
      await poll.addTag(tag);
      await poll.update({ title: unique() });
      expect(await poll.getTags()).toHaveLength(1);
      return poll;
    });
  let poll: PollRow;
  expect(await entriesOf(auditLog, async () => (poll = await work()))).toEqual([]);
  expect(await rowOf(Poll, idOf(poll!))).not.toBeNull();
  expect(await polls.versions(poll!)).toEqual([]);
});

test('H045 H049 links made unseen leave the history as it was; the next link is told alone', async () => {
  const [poll, one, two] = [await makePoll(), await Tag.create({}), await Tag.create({})];
  const before = await polls.entries(poll);
  await withoutAudit(async () => {
    await poll.addTag(one);
    await poll.setTags([]);
    await poll.addTag(one);
  });
  expect((await polls.entries(poll)).map(({ id }) => id)).toEqual(before.map(({ id }) => id));
  const entry = await entryOf(auditLog, () => poll.addTag(two));
  const added = [{ pk: String(idOf(two)), repr: `Tag ${idOf(two)}` }];
  expect(entry.changes).toEqual({ tags: { type: 'm2m', added, removed: [] } });
});

test('H050 H051 inside withoutAudit bulk writes are made and leave nothing', async () => {
  const titles = [unique(), unique()];
  const changed = `${titles[0]!} changed`;
  const work = () =>
    withoutAudit(async () => {
      await Poll.bulkCreate(titles.map((title) => ({ title })));
      await Poll.update({ title: changed }, { where: { title: titles[0]! } });
    });
  expect(await entriesOf(auditLog, work)).toEqual([]);
  expect(await Poll.count({ where: { title: [changed, titles[1]!] } })).toBe(2);
});

test('H053 whether a write is recorded is decided when it is made, by the scope that makes it', async () => {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  const entries = await entriesOf(auditLog, async () => {
    const silenced = withoutAudit(async () => {
      await opened;
      await Poll.create({ title: 'off' });
    });
    await Poll.create({ title: 'on' });
    open();
    await setImmediate();
    await Promise.all([silenced, Poll.create({ title: 'on too' })]);
  });
  const titles = entries.map(({ changes }) => (changes!['title'] as unknown[])[1]);
  expect(new Set(titles)).toEqual(new Set(['on', 'on too']));
});

test('E11 E13 audit: false counts for every kind of write, a create and a delete too', async () => {
  const before = await Poll.count();
  const work = async () => {
    const poll = await Poll.create({ title: unique() }, silent);
    await Poll.upsert({ id: idOf(poll), title: unique() }, silent);
    const [found] = await Poll.findOrCreate({ where: { title: unique() }, ...silent });
    await Poll.bulkCreate([{ title: unique() }], silent);
    await found.destroy(silent);
    await Poll.destroy({ where: { id: idOf(poll) }, ...silent });
  };
  expect(await entriesOf(auditLog, work)).toEqual([]);
  expect(await Poll.count()).toBe(before + 1);
});

test('E12 (corrected) only false silences a write: an empty option records it like none, and true, which says nothing, refuses it', async () => {
  const poll = await makePoll();
  for (const audit of [{}, undefined])
    expect((await entryOf(auditLog, () => poll.update({ title: unique() }, { audit }))).action).toBe(
      'update',
    );
  const before = await rowOf(Poll, idOf(poll));
  for (const work of [
    () => poll.update({ title: unique() }, { audit: true as never }),
    () => Poll.update({ title: unique() }, { where: { id: idOf(poll) }, audit: true as never }),
  ])
    expect((await refusalOf(work)).code).toBe('ERR_AUDIT_INVALID_ARGUMENT');
  expect(await rowOf(Poll, idOf(poll))).toEqual(before);
});
