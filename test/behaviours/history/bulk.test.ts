import { DataTypes, type Model } from 'sequelize';
import { createAuditLog } from 'sequelize-auditlog';
import { actionsOf, entriesOf, openAudited, rowOf } from '../../support/audited';
import { testDatabase } from '../../support/database';
import { statementsOf } from '../../support/statements';
import { storyOf } from '../../support/versions';

const database = testDatabase();
const { sequelize } = database;
const Poll = sequelize.define(
  'Poll',
  {
    title: { type: DataTypes.TEXT, unique: true },
    votes: { type: DataTypes.INTEGER, defaultValue: 0 },
    place: DataTypes.TEXT,
    draft: DataTypes.TEXT,
    hidden: { type: DataTypes.BOOLEAN, defaultValue: false },
  },
  { defaultScope: { where: { hidden: false } } },
);
const Plain = sequelize.define('Plain', { title: { type: DataTypes.TEXT, unique: true } });
const Other = sequelize.define('Other', { colour: DataTypes.TEXT });
const auditLog = createAuditLog(sequelize);
const polls = auditLog.registerAudited(Poll, { snapshots: true, exclude: ['draft'] });

beforeAll(() => openAudited(database, auditLog));
afterAll(() => database.close());

const idOf = (row: Model): number => row.get('id') as number;
let batch = 0;
/** Rows of titles that no other test uses. */
function rows(count: number, values: object = {}): { title: string }[] {
  batch += 1;
  return Array.from({ length: count }, (_, at) => ({ title: `${batch}-${at}`, ...values }));
}
const titlesOf = (given: { title: string }[]) => given.map(({ title }) => title);

test('H279 H283 H162 bulkCreate leaves one + version per row, of every column but the excluded', async () => {
  const given = rows(3, { votes: 7, place: 'here', draft: 'x' });
  const created = await Poll.bulkCreate(given);
  for (const poll of created) {
    const versions = await polls.versions(poll);
    const { draft, ...row } = (await rowOf(Poll, idOf(poll)))!;
    expect(draft).toBe('x');
    expect(versions.map((each) => each.historyType)).toEqual(['+']);
    expect(versions[0]!.get()).toMatchObject(row);
    expect(versions[0]!.get()).not.toHaveProperty('draft');
  }
});

test('H281 rows and versions of a batch are one statement', async () => {
  const batches = [rows(5), rows(5), rows(2)];
  const work = async () => {
    for (const each of batches) await Poll.bulkCreate(each);
  };
  expect(await statementsOf(sequelize, work)).toHaveLength(3);
  const titles = titlesOf(batches.flat());
  expect(await Poll.count({ where: { title: titles } })).toBe(12);
  expect(await polls.Snapshot.count({ where: { title: titles } })).toBe(12);
});

test('H282 H298 H299 rows that the default scope hides are recorded like the others, where the write reaches them', async () => {
  const given = rows(2).map((row, at) => ({ ...row, hidden: at === 1 }));
  const [shown, hidden] = await Poll.bulkCreate(given);
  expect(await storyOf(polls, hidden!, 'hidden')).toEqual([['+', true]]);
  const where = { title: titlesOf(given) };
  expect(await Poll.update({ votes: 1 }, { where })).toEqual([1]);
  expect(await Poll.unscoped().update({ votes: 2 }, { where })).toEqual([2]);
  expect(await storyOf(polls, shown!, 'votes')).toEqual([
    ['+', 0],
    ['~', 1],
    ['~', 2],
  ]);
  expect(await storyOf(polls, hidden!, 'votes')).toEqual([
    ['+', 0],
    ['~', 2],
  ]);
});

test('H285 H289 H290 a bulkCreate with a row that exists, or the last batch of a transaction, leaves nothing of any', async () => {
  const [first, second, last] = [rows(2), rows(2), rows(2)];
  await Poll.bulkCreate(first);
  const entries = await entriesOf(auditLog, async () => {
    const taken = [...second, first[0]!];
    await expect(Poll.bulkCreate(taken)).rejects.toMatchObject({ name: 'SequelizeUniqueConstraintError' });
    const existing = { id: idOf((await Poll.findOne({ where: first[0]! }))!), title: 'again' };
    await expect(Poll.bulkCreate([existing])).rejects.toMatchObject({
      name: 'SequelizeUniqueConstraintError',
    });
    const inBatches = sequelize.transaction(async (transaction) => {
      await Poll.bulkCreate(last, { transaction });
      await Poll.bulkCreate(taken, { transaction });
    });
    await expect(inBatches).rejects.toMatchObject({ name: 'SequelizeUniqueConstraintError' });
  });
  expect(entries).toEqual([]);
  expect(await polls.Snapshot.count({ where: { title: titlesOf([...second, ...last]) } })).toBe(0);
  expect(await Poll.count({ where: { title: titlesOf([...second, ...last]) } })).toBe(0);
});

test('H286 with ignoreDuplicates only rows that are really inserted have a version', async () => {
  const [old, fresh] = [rows(1), rows(2)];
  await Poll.bulkCreate(old);
  const entries = await entriesOf(auditLog, () =>
    Poll.bulkCreate([...old, ...fresh], { ignoreDuplicates: true }),
  );
  expect(entries.map(({ changes }) => changes!['title'])).toEqual(
    titlesOf(fresh).map((title) => [null, title]),
  );
  expect(await polls.Snapshot.count({ where: { title: titlesOf(old) } })).toBe(1);
});

test('H287 ids come back in the order of the rows, as without auditing', async () => {
  const given = rows(6).toReversed();
  for (const model of [Poll, Plain]) {
    const created = await model.bulkCreate(given);
    const ids = created.map(idOf);
    expect(ids).toEqual(ids.toSorted((a, b) => a - b));
    const stored = await model.findAll({ where: { title: titlesOf(given) }, order: ['id'], raw: true });
    expect(stored.map((each) => (each as never as { title: string }).title)).toEqual(titlesOf(given));
    expect(created.map((each) => each.get('title'))).toEqual(titlesOf(given));
  }
});

test('H291 rows of another model fail and leave nothing', async () => {
  const NotNull = sequelize.define('Strict', { title: { type: DataTypes.TEXT, allowNull: false } });
  await NotNull.sync();
  auditLog.registerAudited(NotNull);
  const entries = await entriesOf(auditLog, () =>
    expect(NotNull.bulkCreate([Other.build({ colour: 'red' })] as never[])).rejects.toThrow('null value'),
  );
  expect([entries, await NotNull.count()]).toEqual([[], 0]);
});

test('H293 H295 H297 H302 a bulk update leaves ~ versions of what really changed, and returns what it always does', async () => {
  const given = rows(3).map((row, at) => ({ ...row, votes: at }));
  const created = await Poll.bulkCreate(given);
  const options = { where: { title: titlesOf(given) }, audit: { additionalData: { ticket: 9 } } };
  let answer: unknown;
  const entries = await entriesOf(auditLog, async () => {
    answer = await Poll.update({ votes: 1 }, options);
  });
  expect(answer).toEqual([3]);
  expect(entries.map(({ changes, additionalData }) => [changes!['votes'], additionalData])).toEqual([
    [[0, 1], { ticket: 9 }],
    [[2, 1], { ticket: 9 }],
  ]);
  expect(await storyOf(polls, created[1]!, 'votes')).toEqual([['+', 1]]);
  expect(await entriesOf(auditLog, () => Poll.update({}, options))).toEqual([]);
  const [count, returned] = await Poll.update({ votes: 5 }, { ...options, returning: true });
  expect([count, returned.map((each) => each.get('votes'))]).toEqual([3, [5, 5, 5]]);
});

test('H302 a bulkCreate that updates what is there leaves + and ~ versions', async () => {
  const given = rows(2);
  await Poll.bulkCreate(given.slice(0, 1));
  const entries = await entriesOf(auditLog, () =>
    Poll.bulkCreate(
      given.map((row) => ({ ...row, votes: 3 })),
      { updateOnDuplicate: ['votes'], conflictAttributes: ['title'] },
    ),
  );
  expect(actionsOf(entries).toSorted()).toEqual(['create Poll', 'update Poll']);
  expect(await polls.Snapshot.count({ where: { title: titlesOf(given), votes: 3 } })).toBe(2);
});

test('H303 an empty list does nothing, in the log neither', async () => {
  expect(await statementsOf(sequelize, () => Poll.bulkCreate([]))).toEqual([]);
  expect(await entriesOf(auditLog, () => Poll.bulkCreate([]))).toEqual([]);
});
