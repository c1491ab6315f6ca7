import {
  DataTypes,
  type BelongsToManyAddAssociationMixin,
  type BelongsToManyAddAssociationsMixin,
  type BelongsToManyRemoveAssociationMixin,
  type BelongsToManyRemoveAssociationsMixin,
  type BelongsToManySetAssociationsMixin,
  type Model,
} from 'sequelize';
import { createAuditLog, withAuditContext, withoutAudit, type LogEntry } from 'sequelize-auditlog';
import { actionsOf, entriesOf, entryOf, openAudited } from '../../support/audited';
import { testDatabase } from '../../support/database';
import { loggedBy } from '../../support/statements';
import { storyOf } from '../../support/versions';

interface Linked extends Model {
  addTag: BelongsToManyAddAssociationMixin<Model, string>;
  addTags: BelongsToManyAddAssociationsMixin<Model, string>;
  removeTag: BelongsToManyRemoveAssociationMixin<Model, string>;
  removeTags: BelongsToManyRemoveAssociationsMixin<Model, string>;
  setTags: BelongsToManySetAssociationsMixin<Model, string>;
  addPlaces: BelongsToManyAddAssociationsMixin<Model, number>;
  addFriend: BelongsToManyAddAssociationMixin<Model, number>;
  addPolls: BelongsToManyAddAssociationsMixin<Model, number>;
  setPolls: BelongsToManySetAssociationsMixin<Model, number>;
  removePoll: BelongsToManyRemoveAssociationMixin<Model, number>;
}

const database = testDatabase();
const { sequelize } = database;
const named = () => ({ title: DataTypes.TEXT });
const Poll = sequelize.define<Linked>('Poll', named());
const Tag = sequelize.define<Linked>('Tag', {
  key: { type: DataTypes.UUID, defaultValue: DataTypes.UUIDV4, primaryKey: true, field: 'tag_key' },
  name: DataTypes.TEXT,
});
const Place = sequelize.define<Linked>('Place', named());

class Survey extends Poll {}
Survey.init(named(), { sequelize, modelName: 'Survey' });

const tags = { as: { singular: 'tag', plural: 'tags' } };
const PollTag = sequelize.define('PollTag', { note: DataTypes.TEXT });
Poll.belongsToMany(Tag, { through: PollTag, foreignKey: { name: 'pollId', field: 'poll_id' }, ...tags });
Tag.belongsToMany(Poll, {
  through: PollTag,
  foreignKey: { name: 'TagKey', field: 'tag_of_poll' },
  as: { singular: 'poll', plural: 'polls' },
});
Poll.belongsToMany(Place, { through: 'poll_places', as: { singular: 'place', plural: 'places' } });
Poll.belongsToMany(Poll, {
  through: 'poll_friends',
  as: { singular: 'friend', plural: 'friends' },
  foreignKey: 'a',
  otherKey: 'b',
});
Survey.belongsToMany(Tag, { through: 'survey_tags', ...tags });
Survey.belongsToMany(Place, { through: 'survey_places', as: { singular: 'place', plural: 'places' } });

const auditLog = createAuditLog(sequelize);
const polls = auditLog.registerAudited(Poll, {
  snapshots: true,
  associations: ['tags', 'places', 'friends'],
  repr: 'Poll {title}',
});
auditLog.registerAudited(Survey, { associations: ['tags', 'places'] });

beforeAll(() => openAudited(database, auditLog));
afterAll(() => database.close());

const idOf = (row: Model): number => row.get('id') as number;
const linkOf = (tag: Model) => ({ pk: String(tag.get('key')), repr: `Tag ${String(tag.get('key'))}` });
const byKey = (links: readonly { pk: string }[]) => links.toSorted((a, b) => (a.pk < b.pk ? -1 : 1));
const tagLinks = (entry: LogEntry) => {
  const { added, removed } = entry.changes!['tags'] as never as Record<'added' | 'removed', { pk: string }[]>;
  return { added: byKey(added), removed: byKey(removed) };
};

async function make(count: number): Promise<[Linked, Linked[]]> {
  const poll = await Poll.create({ title: 'linked' });
  return [poll, await Tag.bulkCreate(Array.from({ length: count }, (_, at) => ({ name: `t${at}` })))];
}

test('H257 H258 H259 H261 H262 each call leaves one update of the owner, with keys and texts of the links', async () => {
  const [poll, [a, b, c]] = await make(3);
  const [one, two, three] = [linkOf(a!), linkOf(b!), linkOf(c!)];
  const all = byKey([one, two, three]);
  const steps: [() => unknown, added: object[], removed: object[]][] = [
    [() => poll.addTags([a!, b!, c!]), all, []],
    [() => poll.removeTag(a), [], [one]],
    [() => poll.addTag(a), [one], []],
    [() => poll.removeTags([a!, b!]), [], byKey([one, two])],
    [() => poll.setTags([]), [], [three]],
  ];
  for (const [work, added, removed] of steps) {
    const entry = await entryOf(auditLog, work);
    expect([entry.action, entry.model, entry.objectPk]).toEqual(['update', 'Poll', String(idOf(poll))]);
    expect(tagLinks(entry)).toEqual({ added, removed });
  }
  expect(await storyOf(polls, poll, 'title')).toEqual([['+', 'linked']]);
});

test('H263 E25 an update of the owner leaves a version and no word of its links', async () => {
  const [poll, [tag]] = await make(1);
  await poll.addTag(tag);
  const entry = await entryOf(auditLog, () => poll.update({ title: 'renamed' }));
  expect(entry.changes).toEqual({ title: ['linked', 'renamed'] });
  expect(await storyOf(polls, poll, 'title')).toEqual([
    ['+', 'linked'],
    ['~', 'renamed'],
  ]);
});

test('H265 H266 H253 deleting a target leaves the links it takes along; older entries keep its key', async () => {
  const [poll, [tag]] = await make(1);
  const linked = await entryOf(auditLog, () => poll.addTag(tag));
  const unlinked = await entryOf(auditLog, () => tag!.destroy());
  expect([unlinked.model, unlinked.objectPk]).toEqual(['Poll', String(idOf(poll))]);
  expect(tagLinks(unlinked)).toEqual({ added: [], removed: [linkOf(tag!)] });
  const [, again] = await polls.entries(poll);
  expect(again!.toJSON()).toEqual(linked.toJSON());
});

test('H267 deleting the owner leaves a - version, and its link history stays', async () => {
  const [poll, [tag]] = await make(1);
  await poll.addTag(tag);
  const [link] = await polls.entries(poll);
  await poll.destroy();
  expect((await polls.mostRecent(idOf(poll)))!.historyType).toBe('-');
  const [last, before] = await polls.entries(idOf(poll));
  expect([last!.action, before!.toJSON()]).toEqual(['delete', link!.toJSON()]);
});

test('H269 links cost the same number of queries whatever their number', async () => {
  const costs = async (count: number) => {
    const [poll, given] = await make(count);
    const works = [
      () => poll.addTags(given),
      () => poll.removeTags(given),
      () => poll.setTags(given),
      () => poll.setTags([]),
    ];
    const counts: number[] = [];
    for (const work of works) counts.push((await loggedBy(sequelize, work)).length);
    return counts;
  };
  const few = await costs(1);
  expect(await costs(8)).toEqual(few);
  expect(Math.max(...few)).toBeLessThanOrEqual(2);
});

test('H270 H273 H274 H278 E24 several associations, one to itself too, are told apart; one transaction holds them together', async () => {
  const [poll, [tag]] = await make(1);
  const [place, friend] = [await Place.create({ title: 'here' }), await Poll.create({ title: 'friend' })];
  const entries = await entriesOf(auditLog, () =>
    withAuditContext({ correlationId: 'form-1' }, () =>
      sequelize.transaction(async (transaction) => {
        await poll.update({ title: 'form' }, { transaction });
        await poll.addTag(tag, { transaction });
        await poll.addPlaces([place], { transaction });
        await poll.addFriend(friend, { transaction });
      }),
    ),
  );
  const link = (pk: number, repr: string) => ({
    type: 'm2m',
    added: [{ pk: String(pk), repr }],
    removed: [],
  });
  expect(entries.map(({ changes }) => changes)).toEqual([
    { title: ['linked', 'form'] },
    { tags: { type: 'm2m', added: [linkOf(tag!)], removed: [] } },
    { places: link(idOf(place), `Place ${idOf(place)}`) },
    { friends: link(idOf(friend), 'Poll friend') },
  ]);
  expect(new Set(entries.map(({ objectPk }) => objectPk))).toEqual(new Set([String(idOf(poll))]));
  expect(new Set(entries.map(({ transactionId }) => transactionId)).size).toBe(1);
  expect(new Set(entries.map(({ correlationId }) => correlationId))).toEqual(new Set(['form-1']));
});

test('H271 a derived model has the associations that are tracked for it, the base keeps its own', async () => {
  const survey = await Survey.create({ title: 's' });
  const [tag, place] = [await Tag.create({ name: 'x' }), await Place.create({})];
  const entries = await entriesOf(auditLog, async () => {
    await survey.addTag(tag);
    await survey.addPlaces([place]);
  });
  expect(entries.map(({ model, changes }) => [model, Object.keys(changes!)])).toEqual([
    ['Survey', ['tags']],
    ['Survey', ['places']],
  ]);
});

test('H275 H278 E21 links made from the other side are an update of the tracked owner', async () => {
  const [poll, [tag]] = await make(1);
  const other = await Poll.create({ title: 'other' });
  const added = await entriesOf(auditLog, () => tag!.addPolls([poll, other]));
  expect(actionsOf(added)).toEqual(['update Poll', 'update Poll']);
  const owners = [poll, other].map((each) => String(idOf(each)));
  expect(new Set(added.map(({ objectPk }) => objectPk))).toEqual(new Set(owners));
  for (const entry of added) expect(tagLinks(entry)).toEqual({ added: [linkOf(tag!)], removed: [] });
  const removed = await entryOf(auditLog, () => tag!.removePoll(other));
  expect(removed.objectPk).toBe(String(idOf(other)));
  const cleared = await entryOf(auditLog, () => tag!.setPolls([]));
  expect(tagLinks(cleared)).toEqual({ added: [], removed: [linkOf(tag!)] });
});

test('E23 what changes no link leaves no entry: adding it again, removing what is not there, clearing nothing', async () => {
  const [poll, [a, b]] = await make(2);
  await poll.addTag(a);
  const work = async () => {
    await poll.addTag(a);
    await poll.addTags([a!]);
    await poll.removeTag(b);
    await poll.setTags([a!]);
    await (await Poll.create({}, { audit: false })).setTags([]);
  };
  expect(await entriesOf(auditLog, work)).toEqual([]);
});

test('H254 further columns of a join table are recorded when its model is registered', async () => {
  auditLog.registerAudited(PollTag);
  try {
    const [poll, [tag]] = await make(1);
    const entries = await entriesOf(auditLog, async () => {
      await poll.addTag(tag, { through: { note: 'first' } });
      await poll.addTag(tag, { through: { note: 'second' } });
    });
    expect(actionsOf(entries).toSorted()).toEqual(['create PollTag', 'update Poll', 'update PollTag']);
    expect(entries.at(-1)!.changes).toEqual({ note: ['first', 'second'] });
  } finally {
    auditLog.unregister(PollTag);
  }
});

test('E19 what was linked before the history began belongs to the baseline that populate writes, which has no reason', async () => {
  const [poll, [kept, removed]] = await withoutAudit(async () => {
    const [made, linked] = await make(2);
    await made.addTags(linked);
    return [made, linked] as const;
  });
  await polls.populate();
  const [baseline] = await polls.versions(poll);
  expect(baseline).toMatchObject({ historyType: '+', historyChangeReason: null });
  await poll.removeTag(removed);
  expect((await polls.diff(poll, baseline!, 'current')).changes).toEqual([
    { attribute: 'tags', added: [], removed: [linkOf(removed!)] },
  ]);
  await polls.revert(poll, { to: baseline! });
  const linked = await PollTag.findAll({ where: { pollId: idOf(poll) } });
  const keys = [kept, removed].map((tag) => tag!.get('key') as string);
  expect(linked.map((link) => link.get('TagKey') as string).toSorted()).toEqual(keys.toSorted());
});

test('H277 no other kind of recorder can be given', async () => {
  const register = () =>
    auditLog.registerAudited(Place, { associations: [{ name: 'x', bases: [] }] as never });
  expect(register).toThrow(expect.objectContaining({ code: 'ERR_AUDIT_INVALID_OPTION' }));
});
