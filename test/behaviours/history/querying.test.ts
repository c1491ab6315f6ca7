import { DataTypes, Op, type Model } from 'sequelize';
import * as library from 'sequelize-auditlog';
import { createAuditLog } from 'sequelize-auditlog';
import { openAudited, refusalOf } from '../../support/audited';
import { testDatabase } from '../../support/database';
import { loggedBy } from '../../support/statements';
import { storyOf } from '../../support/versions';

const database = testDatabase();
const { sequelize } = database;
const Poll = sequelize.define('Poll', { title: DataTypes.TEXT, secret: DataTypes.TEXT });
const Tag = sequelize.define('Tag', {});
Poll.belongsToMany(Tag, { through: 'poll_tags', as: 'tags' });
Poll.belongsTo(Tag, { as: 'mainTag', foreignKey: 'mainTagId' });
const Seat = sequelize.define(
  'Seat',
  {
    row: { type: DataTypes.TEXT, primaryKey: true },
    since: { type: DataTypes.DATEONLY, primaryKey: true },
    guest: DataTypes.TEXT,
  },
  { paranoid: true },
);
const Note = sequelize.define('Note', { title: DataTypes.TEXT });
const auditLog = createAuditLog(sequelize);
const polls = auditLog.registerAudited<Model>(Poll, {
  exclude: ['secret'],
  snapshots: { snapshotName: 'Ballot' },
});
const seats = auditLog.registerAudited<Model>(Seat, { snapshots: true });
const notes = auditLog.registerAudited<Model>(Note);

beforeAll(() => openAudited(database, auditLog));
beforeEach(() => database.admin.query('truncate "Polls", "Seats", "Polls_history", "Seats_history" cascade'));
afterAll(() => database.close());

const idOf = (poll: Model): number => poll.get('id') as number;
const titles = (found: readonly Model[]): unknown[] => found.map((each) => each.get('title'));
const pollOf = (title: string): Promise<Model> => Poll.create({ title });
type Version = Awaited<ReturnType<typeof polls.versions>>[number];
/** With microseconds. */
const dateOf = (version: Version): string =>
  (version.toJSON() as unknown as { historyDate: string }).historyDate;
const revertedTo = (version: Version) => ({
  revertedTo: dateOf(version),
  revertedToVersion: version.historyId,
});
/** The additional data of the newest entry. */
const provenanceOf = async (poll: Model): Promise<unknown> =>
  (await polls.entries(poll, { limit: 1 }))[0]!.additionalData;

test('H161 H231 E43 a deleted object comes back under its key, and its history is seen whole again', async () => {
  const poll = await pollOf('a');
  await poll.update({ title: 'b' });
  const [, first] = await polls.versions(poll);
  await poll.destroy();
  await polls.revert(poll, { to: first! });
  expect((await Poll.findByPk(idOf(poll)))!.get('title')).toBe('a');
  expect(await storyOf(polls, poll, 'title')).toEqual([
    ['+', 'a'],
    ['~', 'b'],
    ['-', 'b'],
    ['+', 'a'],
  ]);
  expect(await provenanceOf(poll)).toEqual(revertedTo(first!));
});

test('H230 E43 a revert of a live object is one more change, which says what it went back to', async () => {
  const poll = await pollOf('a');
  await poll.update({ title: 'b' });
  const [, first] = await polls.versions(poll);
  await polls.revert(poll, { to: first! });
  expect((await storyOf(polls, poll, 'title')).at(-1)).toEqual(['~', 'a']);
  expect(await provenanceOf(poll)).toEqual(revertedTo(first!));
});

test('H157 H159 H163 an object has its own versions, a deleted one too, and the Snapshot model those of all', async () => {
  const [one, two] = [await pollOf('one'), await pollOf('two')];
  await one.destroy();
  expect(await polls.versions(one)).toHaveLength(2);
  expect(await polls.versions(two)).toHaveLength(1);
  expect(await polls.Snapshot.count()).toBe(3);
});

test('H166 H167 H169 H181 H182 the newest version and the past of one object, gone or never there', async () => {
  const poll = await Poll.create({ title: 'a', mainTagId: idOf(await Tag.create()) });
  const tag = idOf(await Tag.create());
  await poll.update({ mainTagId: tag });
  expect((await polls.mostRecent(idOf(poll)))!.get('mainTagId')).toBe(tag);
  const before = (await polls.mostRecent(idOf(poll)))!;
  await poll.destroy();
  expect((await polls.mostRecent(idOf(poll)))!.historyType).toBe('-');
  expect(await polls.mostRecent(-1)).toBeNull();
  expect(await polls.asOf(new Date()).findByPk(-1)).toBeNull();
  expect(await polls.asOf(new Date()).findByPk(idOf(poll))).toBeNull();
  expect((await polls.asOf(before).findByPk(idOf(poll)))!.get('mainTagId')).toBe(tag);
});

test('H170 H173 H174 H175 H177 neighbours are one query each, with a name and columns of one’s own', async () => {
  const poll = await pollOf('a');
  await poll.update({ title: 'b' });
  await poll.update({ secret: 'untracked' });
  const [b, a] = await polls.versions(poll);
  expect(b!.constructor.name).toBe('Ballot');
  const sent = await loggedBy(sequelize, async () => {
    expect((await b!.prevRecord())!.historyId).toBe(a!.historyId);
    expect((await a!.nextRecord())!.historyId).toBe(b!.historyId);
    expect(await b!.nextRecord()).toBeNull();
  });
  expect(sent).toHaveLength(3);
});

test('H186 H187 H189 H194 H195 H202 H205 the set as of four moments, counted, filtered and projected', async () => {
  const first = await pollOf('a');
  const [created] = await polls.versions(first);
  await first.update({ title: 'b' });
  const [updated] = await polls.versions(first);
  const second = await pollOf('c');
  await first.destroy();
  const [gone] = await polls.versions(first);
  const set = async (when: typeof created): Promise<unknown[]> => {
    const past = polls.asOf(when!);
    const found = await past.findAll({ order: ['id'], attributes: ['title'] });
    expect(await past.count()).toBe(found.length);
    expect(await past.findAll({ where: { title: 'never' } })).toEqual([]);
    expect(await past.count({ where: { title: { [Op.ne]: 'b' } } })).toBe(
      titles(found).filter((title) => title !== 'b').length,
    );
    return titles(found);
  };
  expect([await set(created), await set(updated), await set(gone)]).toEqual([['a'], ['b'], ['c']]);
  expect(await polls.asOf(new Date(created!.historyDate.getTime() - 1)).findAll()).toEqual([]);
  expect(titles(await polls.asOf(new Date(Date.now() + 60_000)).findAll())).toEqual(titles([second]));
});

test('H185 H190 H191 H193 H198 H203 results are plain instances in the caller’s order, found by their own key', async () => {
  for (const title of ['a', 'b', 'c']) await pollOf(title);
  const past = polls.asOf(new Date());
  const found = await past.findAll({ order: [['title', 'DESC']] });
  expect(titles(found)).toEqual(['c', 'b', 'a']);
  expect(titles(await past.findAll({ order: [['title', 'DESC']] }))).toEqual(titles(found));
  expect(found[0]).toBeInstanceOf(Poll);
  expect(Object.keys(found[0]!.get() as object).filter((name) => name.startsWith('history'))).toEqual([]);
  expect((await past.findByPk(idOf(found[1]!)))!.get('title')).toBe('b');
  const [version] = await polls.versions(found[0]!);
  const tag = await Tag.create();
  for (const instance of [found[0]!, version!.toInstance()] as unknown as Record<
    string,
    (arg: unknown) => unknown
  >[])
    for (const method of [
      'save',
      'addTag',
      'setTags',
      'createTag',
      'removeTag',
      'setMainTag',
      'createMainTag',
    ])
      expect((await refusalOf(() => instance[method]!(tag))).code).toBe('ERR_AUDIT_READ_ONLY');
  expect(await database.rows('select from poll_tags')).toEqual([]);
  await ((await pollOf('live')) as unknown as { addTag(each: Model): Promise<void> }).addTag(tag);
});

test('H199 H201 latestOfEach is one row per object, deletions included; deleted only those, until they are back', async () => {
  const [one, two] = [await pollOf('one'), await pollOf('two')];
  await one.update({ title: 'one!' });
  await one.destroy();
  const sent = await loggedBy(sequelize, async () => {
    const latest = await polls.latestOfEach();
    expect(latest.map((each) => [each.get('id'), each.historyType])).toEqual([
      [idOf(one), '-'],
      [idOf(two), '+'],
    ]);
    expect(titles(await polls.deleted())).toEqual(['one!']);
  });
  expect(sent).toHaveLength(2);
  await Poll.create({ id: idOf(one), title: 'again' });
  expect(await polls.deleted()).toEqual([]);
});

test('E31 a condition of latestOfEach is about the newest version; what once matched is asked of all versions', async () => {
  const [moved, stayed] = [await pollOf('red'), await pollOf('red')];
  await moved.update({ title: 'blue' });
  const red = { where: { title: 'red' } };
  const objects = (found: readonly Model[]): unknown[] => found.map((each) => each.get('id'));
  expect(objects(await polls.latestOfEach(red))).toEqual([idOf(stayed)]);
  expect(objects(await polls.latestOfEach({ ...red, limit: 9 }))).toEqual([idOf(stayed)]);
  expect(objects(await polls.latestOfEach({ where: { title: 'blue' } }))).toEqual([idOf(moved)]);
  expect(objects(await polls.Snapshot.findAll({ ...red, order: ['id'] }))).toEqual([
    idOf(moved),
    idOf(stayed),
  ]);
});

test('E33 whoever loops over a past set, whole or page by page, meets instances of the model', async () => {
  for (const title of ['a', 'b', 'c', 'd', 'e']) await pollOf(title);
  const note = await Note.create({ title: 'a' });
  const [then, noted] = [(await polls.latestOfEach()).at(-1)!, (await notes.entries(note))[0]!];
  await Poll.update({ title: 'now' }, { where: {} });
  await note.update({ title: 'now' });
  const past = polls.asOf(then);
  const met: Model[] = [];
  for (const offset of [0, 2, 4]) met.push(...(await past.findAll({ order: ['id'], limit: 2, offset })));
  const travelled = await auditLog.asOf(then, (transaction) => Poll.findAll({ order: ['id'], transaction }));
  for (const set of [met, await past.findAll({ order: ['id'] }), travelled]) {
    expect(titles(set)).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(set.filter((each) => !(each instanceof Poll) || 'historyId' in (each.get() as object))).toEqual(
      [],
    );
  }
  for (const each of await notes.asOf(noted).findAll()) expect(each).toBeInstanceOf(Note);
  expect(titles(await notes.asOf(noted).findAll())).toEqual(['a']);
});

test('E47 the last version of a page still finds the one before it, and what changed between them', async () => {
  const poll = await pollOf('a');
  for (const title of ['b', 'c']) await poll.update({ title });
  const page = await polls.versions(poll, { limit: 2 });
  const changes = page.map(async (each) => each.diffAgainst((await each.prevRecord())!).changes);
  expect(await Promise.all(changes)).toEqual([
    [{ attribute: 'title', old: 'b', new: 'c' }],
    [{ attribute: 'title', old: 'a', new: 'b' }],
  ]);
});

test('H213 H214 nothing marks an instance of the past: it has the members of a live one, and is known by what it refuses', async () => {
  const live = await pollOf('a');
  const past = (await polls.asOf(new Date()).findByPk(idOf(live)))!;
  const membersOf = (of: object): string[] => {
    const names = new Set<string>();
    for (let each: object | null = of; each !== null; each = Object.getPrototypeOf(each) as object | null)
      for (const name of Object.getOwnPropertyNames(each)) names.add(name);
    return [...names];
  };
  const all = [library, auditLog, polls, Poll, past, polls.Snapshot.prototype].flatMap(membersOf);
  expect(all).toEqual(expect.arrayContaining(['createAuditLog', 'registerAudited', 'asOf', 'prevRecord']));
  expect(all.filter((name) => /historic/i.test(name))).toEqual([]);
  expect((await refusalOf(() => past.save())).code).toBe('ERR_AUDIT_READ_ONLY');
  await expect(live.save()).resolves.toBe(live);
});

test('H225 H226 H227 H229 an excluded attribute is unknown of the past, whatever it is now', async () => {
  const poll = await Poll.create({ title: 'a', secret: 'x' });
  const [created] = await polls.versions(poll);
  await poll.update({ secret: 'y', title: 'b' });
  const sent = await loggedBy(sequelize, async () => {
    expect((await polls.asOf(created!).findByPk(idOf(poll)))!.get('secret')).toBeUndefined();
    expect(created!.toInstance().get('secret')).toBeUndefined();
  });
  expect(sent).toHaveLength(1);
});

test('a composite key with dates, soft and hard deletes, restores, and a key that is changed', async () => {
  const key = { row: 'a', since: '2026-11-01' };
  const moments: Model[] = [];
  const mark = async (): Promise<void> => {
    moments.push((await seats.mostRecent(key))!);
  };
  const seat = await Seat.create({ ...key, guest: 'ann' });
  await mark();
  await seat.destroy();
  await mark();
  await Seat.update({ guest: 'bob' }, { where: key, paranoid: false });
  await mark();
  await seat.restore();
  await mark();
  await seat.destroy({ force: true });
  await mark();
  const seen = async (when: Model, paranoid: boolean): Promise<unknown> =>
    (await seats.asOf(when as never).findByPk(key, { paranoid }))?.get('guest');
  const all = (paranoid: boolean) => Promise.all(moments.map((when) => seen(when, paranoid)));
  expect(await all(true)).toEqual(['ann', undefined, undefined, 'bob', undefined]);
  expect(await all(false)).toEqual(['ann', 'ann', 'bob', 'bob', undefined]);
  const counts = moments.map((when) => seats.asOf(when as never).count({ paranoid: false }));
  expect(await Promise.all(counts)).toEqual([1, 1, 1, 1, 0]);
});

test('an object whose key is changed is at one place at a time', async () => {
  await pollOf('other');
  const poll = await pollOf('moving');
  const before = (await polls.mostRecent(idOf(poll)))!;
  await Poll.update({ id: 7_000 }, { where: { id: idOf(poll) } });
  const past = polls.asOf(new Date());
  expect((await past.findAll({ where: { title: 'moving' } })).map(idOf)).toEqual([7_000]);
  expect(await past.count()).toBe(2);
  expect((await polls.asOf(before).findAll({ where: { title: 'moving' } })).map(idOf)).toEqual([idOf(poll)]);
  await Poll.destroy({ where: { id: 7_000 } });
});

test('E20 E40 rows from before the registration are a gap until populate or a first change begins their history, and before it afterwards', async () => {
  await database.admin.query(
    `insert into "Polls" (id, title, "createdAt", "updatedAt") values (8000, 'old', now(), now()), (8001, 'older', now(), now())`,
  );
  const gap = async (work: () => unknown): Promise<string> => {
    const { code, message } = await refusalOf(work);
    expect(code).toBe('ERR_AUDIT_HISTORY_GAP');
    return message;
  };
  const then = new Date(Date.now() - 60_000);
  await gap(() => polls.asOf(then).findByPk(8000));
  await gap(() => polls.asOf(then).count({ strict: true }));
  expect(await polls.asOf(new Date()).count()).toBe(0);
  await Poll.update({ title: 'changed' }, { where: { id: 8001 } });
  expect(titles(await polls.asOf(new Date()).findAll())).toEqual(['changed']);
  expect(await polls.populate()).toEqual({ written: 1 });
  for (const id of [8000, 8001]) {
    const historyDate = dateOf((await polls.mostRecent(id))!);
    expect(await gap(() => polls.asOf(then).findByPk(id))).toContain(`its history begins at ${historyDate}`);
  }
  expect(await polls.asOf(new Date()).count({ strict: true })).toBe(2);
  expect((await polls.asOf(new Date()).findByPk(8000))!.get('title')).toBe('old');
  // No entry says that it was created then; what was created then is absent before.
  expect(await polls.entries(8000)).toEqual([]);
  expect(await polls.asOf(then).findByPk(idOf(await pollOf('new')))).toBeNull();
});
