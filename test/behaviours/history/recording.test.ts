import { DataTypes, literal, Model } from 'sequelize';
import { createAuditLog, withoutAudit } from 'sequelize-auditlog';
import { actionsOf, entriesOf, entryOf, openAudited, rowOf } from '../../support/audited';
import { testDatabase } from '../../support/database';
import { loggedBy } from '../../support/statements';
import { storyOf } from '../../support/versions';

const database = testDatabase();
const { sequelize } = database;
const titled = { title: { type: DataTypes.TEXT, defaultValue: 'untitled' } };
const Poll = sequelize.define('Poll', {
  ...titled,
  votes: { type: DataTypes.INTEGER, defaultValue: 0 },
  notes: DataTypes.TEXT,
  draft: DataTypes.TEXT,
});

/** What a base class brings: attributes for those who derive from it, each with a table of its own. */
class Located extends Model {}
Located.init({ ...titled, place: DataTypes.TEXT }, { sequelize });
class Market extends Located {}
Market.init({ ...titled, place: DataTypes.TEXT, stalls: DataTypes.INTEGER }, { sequelize });

const auditLog = createAuditLog(sequelize);
const polls = auditLog.registerAudited(Poll, { snapshots: true, exclude: ['draft'] });
const markets = auditLog.registerAudited(Market, { snapshots: true });

beforeAll(() => openAudited(database, auditLog));
afterAll(() => database.close());

const idOf = (row: Model): number => row.get('id') as number;
/** The row loaded with nothing but its key. */
const inPart = async (row: Model): Promise<Model> =>
  (await Poll.findByPk(idOf(row), { attributes: ['id'] }))!;

async function clock(): Promise<number> {
  const [row] = await database.rows<{ now: Date }>('select clock_timestamp() as now');
  return row!.now.getTime();
}

test('H001 H002 H005 H147 a create leaves one + version, equal to the row, of that time, without a reason', async () => {
  const before = await clock();
  const poll = await Poll.create({ title: 'a', votes: 1 });
  const after = await clock();
  const versions = await polls.versions(poll);
  expect(versions).toHaveLength(1);
  const { draft: _, ...row } = (await rowOf(Poll, idOf(poll)))!;
  expect(versions[0]!.get()).toMatchObject({ ...row, historyType: '+', historyChangeReason: null });
  expect(versions[0]!.historyDate.getTime()).toBeGreaterThanOrEqual(before);
  expect(versions[0]!.historyDate.getTime()).toBeLessThanOrEqual(after);
});

test('H003 H006 H157 an update leaves one more, the whole new state; the newest comes first', async () => {
  const poll = await Poll.create({ title: 'a', votes: 1, notes: 'kept' });
  await poll.update({ title: 'b' });
  const [newest, oldest, ...more] = await polls.versions(poll);
  expect(newest!.get()).toMatchObject({ historyType: '~', title: 'b', votes: 1, notes: 'kept' });
  expect(oldest!.get()).toMatchObject({ historyType: '+', title: 'a', votes: 1, notes: 'kept' });
  expect(more).toEqual([]);
});

test('H007 H149 H159 a delete leaves one - version with the last state, found by the key or the instance', async () => {
  const poll = await Poll.create({ title: 'a' });
  await poll.update({ title: 'b' });
  await poll.destroy();
  const [last] = await polls.versions(idOf(poll));
  expect(last!.get()).toMatchObject({ id: idOf(poll), historyType: '-', title: 'b' });
  expect(await storyOf(polls, poll, 'title')).toEqual([
    ['+', 'a'],
    ['~', 'b'],
    ['-', 'b'],
  ]);
});

test('H009 H010 a version gives an instance of the tracked class back, with its values', async () => {
  const poll = await Poll.create({ title: 'a', votes: 3 });
  const then = await rowOf(Poll, idOf(poll));
  await poll.update({ title: 'b', votes: 4 });
  const instance = (await polls.versions(poll))[1]!.toInstance();
  expect(instance).toBeInstanceOf(Poll);
  expect(instance).not.toBeInstanceOf(polls.Snapshot);
  const { draft: _, ...known } = then!;
  expect(instance.get()).toEqual(known);
});

test('H011 a key used again begins anew with a + version', async () => {
  const poll = await Poll.create({ title: 'first' });
  await poll.destroy();
  await Poll.create({ id: idOf(poll), title: 'second' });
  expect(await storyOf(polls, poll, 'title')).toEqual([
    ['+', 'first'],
    ['-', 'first'],
    ['+', 'second'],
  ]);
});

test('H013 H163 deleting one object leaves the history of others as it is', async () => {
  const [gone, kept] = [await Poll.create({}), await Poll.create({ title: 'kept' })];
  await kept.update({ votes: 1 });
  const before = (await polls.versions(kept)).map((version) => version.toJSON());
  await gone.destroy();
  expect((await polls.versions(kept)).map((version) => version.toJSON())).toEqual(before);
  expect(before).toHaveLength(2);
  expect(await polls.Snapshot.count({ where: { id: [idOf(gone), idOf(kept)] } })).toBe(4);
});

test('H014 H015 rows loaded in part are deleted, alone and together, with complete versions', async () => {
  const [one, two, three] = await Poll.bulkCreate([{ notes: '1' }, { notes: '2' }, { notes: '3' }]);
  await (await inPart(one!)).destroy();
  await Poll.destroy({ where: { id: [idOf(await inPart(two!)), idOf(await inPart(three!))] } });
  for (const [poll, notes] of [
    [one!, '1'],
    [two!, '2'],
    [three!, '3'],
  ] as const) {
    const last = await polls.mostRecent(idOf(poll));
    expect(last!.get()).toMatchObject({ historyType: '-', title: 'untitled', votes: 0, notes });
  }
});

test('H017 inside withoutAudit they are deleted without a version', async () => {
  const poll = await Poll.create({});
  const work = () => withoutAudit(async () => (await inPart(poll)).destroy());
  expect(await entriesOf(auditLog, work)).toEqual([]);
  expect(await storyOf(polls, poll, 'title')).toEqual([['+', 'untitled']]);
  expect(await rowOf(Poll, idOf(poll))).toBeNull();
});

test('H018 hooks: false silences nothing, audit: false does', async () => {
  const heard = await entriesOf(auditLog, async () => {
    await Poll.create({ title: 'a' }, { hooks: false });
    await Poll.bulkCreate([{ title: 'loud' }], { hooks: false });
    await Poll.update({ title: 'louder' }, { where: { title: 'loud' }, hooks: false });
    await Poll.create({ title: 'silent' }, { hooks: false, audit: false });
  });
  expect(actionsOf(heard)).toEqual(['create Poll', 'create Poll', 'update Poll']);
});

test('H019 the first recorded save of a row that was created unrecorded is a ~ version', async () => {
  const poll = await Poll.create({ title: 'unseen' }, { audit: false });
  await poll.update({ title: 'seen' });
  expect(await storyOf(polls, poll, 'title')).toEqual([['~', 'seen']]);
});

test('H033 a new order by one SQL update leaves a version of every row that moved, and of no other', async () => {
  const rows = await Poll.bulkCreate([1, 2, 3].map((votes) => ({ title: 'ordered', votes })));
  const moved = literal('case "votes" when 1 then 2 when 2 then 1 else "votes" end');
  await Poll.update({ votes: moved as never }, { where: { title: 'ordered' } });
  expect(await Promise.all(rows.map((row) => storyOf(polls, row, 'votes')))).toEqual([
    [
      ['+', 1],
      ['~', 2],
    ],
    [
      ['+', 2],
      ['~', 1],
    ],
    [['+', 3]],
  ]);
});

test('H035 H151 H153 H235 attributes of a base are recorded on the derived model, the base itself only when registered', async () => {
  const market = await Market.create({ place: 'square', stalls: 7 });
  await market.update({ place: 'harbour' });
  expect(await storyOf(markets, market, 'place')).toEqual([
    ['+', 'square'],
    ['~', 'harbour'],
  ]);
  const [newest, oldest] = await markets.versions(market);
  expect(newest!.diffAgainst(oldest!).changes).toEqual([
    { attribute: 'place', old: 'square', new: 'harbour' },
  ]);
  expect(await entriesOf(auditLog, () => Located.create({ place: 'nowhere' }))).toEqual([]);
  const bases = auditLog.registerAudited(Located);
  expect((await entryOf(auditLog, () => Located.create({ place: 'park' }))).model).toBe('Located');
  expect([bases.tracked.includes('stalls'), markets.tracked.includes('stalls')]).toEqual([false, true]);
});

test('E05 a save of some fields leaves what is stored, not what the instance holds besides', async () => {
  const poll = await Poll.create({ title: 'a', votes: 1 });
  poll.set({ title: 'b', votes: 99 });
  await poll.save({ fields: ['title'] });
  const last = await polls.mostRecent(idOf(poll));
  expect(last!.get()).toMatchObject({ title: 'b', votes: 1 });
});

test('E07 expressions of the database leave their result', async () => {
  const poll = await Poll.create({ title: sequelize.fn('upper', 'made'), votes: literal('2 + 2') });
  await poll.update({ votes: literal('"votes" * 10') });
  expect(await storyOf(polls, poll, 'votes')).toEqual([
    ['+', 4],
    ['~', 40],
  ]);
  expect(await storyOf(polls, poll, 'title')).toEqual([
    ['+', 'MADE'],
    ['~', 'MADE'],
  ]);
});

test('E08 E09 a save that changes nothing, or only what is excluded, leaves no version', async () => {
  const poll = await Poll.create({ title: 'same', draft: 'one' });
  const work = async () => {
    await poll.save();
    await poll.update({ title: 'same' });
    await Poll.update({ title: 'same' }, { where: { id: idOf(poll) } });
    await poll.update({ draft: 'two' });
  };
  expect(await entriesOf(auditLog, work)).toEqual([]);
  expect(await storyOf(polls, poll, 'title')).toEqual([['+', 'same']]);
  expect(await rowOf(Poll, idOf(poll))).toMatchObject({ draft: 'two' });
});

test('H225 H226 H227 H229 E37 what is excluded stays unknown to the past, without a query', async () => {
  const poll = await Poll.create({ draft: 'then' });
  await poll.update({ draft: 'now', votes: 1 });
  const [version] = await polls.versions(poll);
  const read = () => expect(version!.toInstance().get('draft')).toBeUndefined();
  expect(await loggedBy(sequelize, read)).toEqual([]);
  await poll.destroy();
  const last = await polls.mostRecent(idOf(poll));
  expect(last!.toInstance().get()).not.toHaveProperty('draft');
});

test('E61 raw SQL is recorded as any other write', async () => {
  const poll = await Poll.create({ title: 'a' });
  const entry = await entryOf(auditLog, () =>
    sequelize.query(`update "Polls" set "title" = 'raw' where "id" = ${idOf(poll)}`),
  );
  expect(entry.changes).toEqual({ title: ['a', 'raw'] });
});
