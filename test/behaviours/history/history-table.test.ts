import { DataTypes, type Model, type ModelStatic } from 'sequelize';
import { createAuditLog } from 'sequelize-auditlog';
import { entriesOf, entryOf, openAudited, refusalOf } from '../../support/audited';
import { testDatabase } from '../../support/database';
import { loggedBy } from '../../support/statements';
import { storyOf } from '../../support/versions';

const database = testDatabase();
const { sequelize } = database;
const titled = () => ({ title: DataTypes.TEXT, draft: DataTypes.TEXT });
const Poll = sequelize.define('Poll', titled(), { indexes: [{ fields: ['draft'] }] });
const Tag = sequelize.define('Tag', {});
Poll.belongsToMany(Tag, { through: 'poll_tags', as: 'tags' });
Poll.belongsTo(Tag, { as: 'mainTag', foreignKey: { name: 'mainTagId', field: 'main_tag_id' } });

/** One derived class, with attributes of its own. */
class Survey extends Poll {}
Survey.init({ ...titled(), pages: DataTypes.INTEGER }, { sequelize, modelName: 'Survey' });

const auditLog = createAuditLog(sequelize);
const polls = auditLog.registerAudited(Poll, {
  exclude: ['draft'],
  snapshots: { tableName: 'ballots', snapshotName: 'Ballot' },
});
const surveys = auditLog.registerAudited<Model>(Survey, { snapshots: true });
const Changing = sequelize.define('Changing', titled());
const changing = auditLog.registerAudited(Changing, { snapshots: true });

beforeAll(() => openAudited(database, auditLog));
afterAll(() => database.close());

const columnsOf = async (table: string): Promise<string[]> => {
  const sql = `select column_name as name from information_schema.columns
    where table_schema = $1 and table_name = $2 order by ordinal_position`;
  const rows = await database.rows<{ name: string }>(sql, [database.schema, table]);
  return rows.map(({ name }) => name);
};
const refused = async (options: object, model: ModelStatic<Model> = Poll): Promise<string> => {
  const error = await refusalOf(() => auditLog.registerAudited(model, options));
  return `${error.code} ${error.message}`;
};

test('H109 H110 H111 E29 the id of a version is a growing bigint, and no option makes it another', async () => {
  const poll = await Poll.create({ title: 'a' });
  await poll.update({ title: 'b' });
  const [newer, older] = await polls.versions(poll);
  expect(newer!.historyId).toMatch(/^\d+$/);
  expect(BigInt(newer!.historyId)).toBeGreaterThan(BigInt(older!.historyId));
  const type = `select format_type(atttypid, null) as type from pg_attribute
    where attrelid = 'ballots'::regclass and attname = 'history_id'`;
  expect(await database.rows(type)).toEqual([{ type: 'bigint' }]);
  for (const options of [{ historyId: 'uuid' }, { snapshots: { historyId: DataTypes.UUID } }])
    expect(await refused(options)).toContain('unknown option "historyId"');
});

test('H113 H114 H115 the tracked attributes are told in the order of the model, and only they have columns', async () => {
  expect(polls.tracked).toEqual(['id', 'title', 'createdAt', 'updatedAt', 'mainTagId']);
  const own = await columnsOf('ballots');
  expect(own.filter((name) => !/^(history|log)_/.test(name))).toEqual([
    'id',
    'title',
    'createdAt',
    'updatedAt',
    'main_tag_id',
  ]);
});

test('H117 H118 H119 H153 table and model of versions have the names that were given, those of a derived model their own', async () => {
  expect([polls.Snapshot.name, surveys.Snapshot.name]).toEqual(['Ballot', 'SurveySnapshot']);
  expect(polls.Snapshot.getTableName()).toBe('ballots');
  expect(surveys.Snapshot.getTableName()).toBe('Surveys_history');
  const survey = await Survey.create({ title: 'a', pages: 3 } as never);
  expect(await storyOf(surveys, survey, 'pages')).toEqual([['+', 3]]);
  expect(await columnsOf('Surveys_history')).toContain('draft');
});

test('H170 H173 H174 H177 neighbours are found under a name of its own and with excluded columns, by one query', async () => {
  const poll = await Poll.create({ title: 'a', draft: 'x' });
  await poll.update({ title: 'b', draft: 'y' });
  const [newer, older] = await polls.versions(poll);
  let [previous, next]: unknown[] = [];
  const sent = await loggedBy(sequelize, async () => {
    previous = (await newer!.prevRecord())!.historyId;
    next = (await older!.nextRecord())!.historyId;
  });
  expect([previous, next]).toEqual([older!.historyId, newer!.historyId]);
  expect(sent).toHaveLength(2);
  expect(newer!.diffAgainst(older!).changedAttributes).toEqual(['title']);
});

test.each([
  ['H121 H122 a name that is computed', { snapshots: { snapshotName: () => 'X' } }, 'snapshots.snapshotName'],
  ['H123 the name of the model itself', { snapshots: { snapshotName: 'Poll' } }, 'got string "Poll"'],
  [
    'H123 also beside another stable name',
    { modelName: 'Ballots', snapshots: { snapshotName: 'Poll' } },
    'got string "Poll"',
  ],
  ['H127 H129 an option to leave an index out', { snapshots: { noIndex: 'title' } }, '"noIndex"'],
  ['H134 H141 an index that is no list', { snapshots: { indexes: { fields: ['title'] } } }, 'indexes'],
  ['H141 excluded attributes that are no list', { exclude: 'draft' }, '"exclude" must be an array'],
  ['H155 the table of another model', { snapshots: { tableName: 'Tags' } }, 'ERR_AUDIT_NAME_TAKEN'],
  [
    'H155 the history of another model',
    { snapshots: { tableName: 'Surveys_history' } },
    'ERR_AUDIT_NAME_TAKEN',
  ],
  ['H155 the name of another model', { modelName: 'Survey' }, 'ERR_AUDIT_NAME_TAKEN'],
])('%s is refused', async (_title, options, part) => {
  expect(await refused(options)).toContain(part);
  expect(polls.Snapshot.getTableName()).toBe('ballots');
});

test('H154 what cannot be tracked is refused by name', async () => {
  const Keyless = sequelize.define('Keyless', { a: DataTypes.TEXT });
  Keyless.removeAttribute('id');
  expect(await refused({}, Keyless)).toMatch(/^ERR_AUDIT_NO_PRIMARY_KEY registerAudited\(Keyless\)/);
  expect(await refused({}, 'Poll' as never)).toContain('got string "Poll"');
});

test('H125 two models of one name in two schemas are tracked, each under its own', async () => {
  const schema = await database.createSchema('other');
  const Other = sequelize.define('Twin', titled(), { schema, tableName: 'twins' });
  const Here = sequelize.define('Twin', titled(), { tableName: 'twins' });
  for (const model of [Other, Here]) await model.sync();
  const here = auditLog.registerAudited(Here, { snapshots: true });
  const other = auditLog.registerAudited(Other, { modelName: 'OtherTwin', snapshots: true });
  await auditLog.sync();
  const [one, two] = [await Here.create({ title: 'here' }), await Other.create({ title: 'other' })];
  expect(one.get('id')).toBe(two.get('id'));
  expect(await storyOf(here, one, 'title')).toEqual([['+', 'here']]);
  expect(await storyOf(other, two, 'title')).toEqual([['+', 'other']]);
});

test('H130 H131 H133 the history has indexes of its own only: by object and date, by date, by foreign key', async () => {
  const sql = `select regexp_replace(indexdef, '^.* USING ', '') as index from pg_indexes
    where schemaname = $1 and tablename = 'ballots' order by 1`;
  const rows = await database.rows<{ index: string }>(sql, [database.schema]);
  expect(rows.map(({ index }) => index)).toEqual([
    'brin (history_date)',
    'btree (history_id)',
    'btree (id, history_date DESC, history_id DESC) INCLUDE (history_type)',
    'btree (main_tag_id)',
  ]);
});

test('H145 a second sync has nothing to do', async () => {
  const sent = await loggedBy(sequelize, () => auditLog.sync());
  expect(sent.filter((sql) => /^\s*(create|alter|drop)/i.test(sql))).toEqual([]);
  expect(sent.length).toBeGreaterThan(0);
});

test('H146 H147 H150 tracking begins with the registration, and a second one replaces it', async () => {
  const Late = sequelize.define('Late', titled());
  await Late.sync();
  await Late.create({ title: 'untold' });
  const handle = auditLog.registerAudited(Late);
  expect(await auditLog.LogEntry.forModel(Late)).toEqual([]);
  expect((await entryOf(auditLog, () => Late.create({ title: 'first' }))).action).toBe('create');
  expect(auditLog.registerAudited(Late, { exclude: ['draft'], snapshots: true })).toBe(handle);
  await auditLog.sync();
  const row = await Late.create({ title: 'second', draft: 'x' });
  expect(await handle.entries(row)).toHaveLength(1);
  expect(await storyOf(handle, row, 'draft')).toEqual([['+', undefined]]);
  expect(await entriesOf(auditLog, () => row.update({ draft: 'y' }))).toEqual([]);
});

test('H165 mostRecent without an object is refused, by the compiler too', async () => {
  // @ts-expect-error the key is missing
  const error = await refusalOf(() => polls.mostRecent());
  expect(error.code).toBe('ERR_AUDIT_INVALID_ARGUMENT');
});

test('H183 as of its last version an object equals the live one, whatever associations are not tracked', async () => {
  const poll = await Poll.create({ title: 'a' });
  await poll.update({ title: 'b' });
  const [last] = await polls.versions(poll);
  const { draft: _, ...live } = (await Poll.findByPk(poll.get('id') as number))!.get() as { draft: unknown };
  expect((await polls.asOf(last!).findByPk(poll.get('id') as number))!.get()).toEqual(live);
});

test('H167 H197 E32 E39 the id of a version and the key of its object are two attributes', async () => {
  const poll = await Poll.create({ title: 'only' });
  await poll.destroy();
  const [last] = await polls.versions(poll);
  const { Snapshot } = polls;
  expect(await Snapshot.count({ where: { id: poll.get('id') as number } })).toBe(2);
  expect((await Snapshot.findByPk(last!.historyId))!.historyType).toBe('-');
  expect(await polls.mostRecent(poll.get('id') as number)).toMatchObject({ historyType: '-' });
});

test('H171 H175 E48 E49 versions have a first and a last, and none of them can be changed', async () => {
  const poll = await Poll.create({ title: 'a' });
  const [version] = await polls.versions(poll);
  expect([await version!.prevRecord(), await version!.nextRecord()]).toEqual([null, null]);
  const { Snapshot } = polls;
  for (const work of [
    () => version!.update({ title: 'b' }),
    () => version!.destroy(),
    () => Snapshot.update({ title: 'b' }, { where: {} }),
    () => Snapshot.destroy({ where: {} }),
    () => Snapshot.create({ title: 'b' } as never),
  ])
    expect((await refusalOf(work)).code).toBe('ERR_AUDIT_READ_ONLY');
  expect(await storyOf(polls, poll, 'title')).toEqual([['+', 'a']]);
});

test('H389 H390 H391 H393 H394 E60 each database has the history of its own models, deletes included, without a foreign key to an actor', async () => {
  const schema = await database.createSchema('second');
  const second = database.createSequelize({ dialectOptions: { options: `-c search_path=${schema}` } });
  const SecondTag = second.define('Tag', {});
  const SecondPoll = second.define('Poll', titled());
  SecondPoll.belongsTo(SecondTag, { as: 'mainTag', foreignKey: 'mainTagId' });
  const secondLog = createAuditLog(second);
  const handle = secondLog.registerAudited(SecondPoll, { snapshots: true });
  await second.sync();
  await secondLog.sync();
  const here = await entriesOf(auditLog, async () => {
    const tag = await SecondTag.create();
    const poll = await SecondPoll.create({ mainTagId: tag.get('id') }, { audit: { actor: 'nobody here' } });
    await poll.update({ title: 'b' });
    await poll.destroy();
    const id = tag.get('id');
    expect(await storyOf(handle, poll, 'mainTagId')).toEqual([
      ['+', id],
      ['~', id],
      ['-', id],
    ]);
  });
  expect([here, await secondLog.LogEntry.count()]).toEqual([[], 3]);
  const references = `select from pg_constraint where contype = 'f' and connamespace = $1::regnamespace
    and conrelid <> '"${schema}"."Polls"'::regclass`;
  expect(await database.rows(references, [schema])).toEqual([]);
});

test('E56 E57 a column that the model loses stays in its history, and a name that versions need is refused', async () => {
  const row = await Changing.create({ title: 'a', draft: 'kept' });
  await database.admin.query('alter table "Changings" drop column "draft"');
  Changing.removeAttribute('draft');
  await row.update({ title: 'b' });
  expect(await storyOf(changing, row, 'title')).toEqual([
    ['+', 'a'],
    ['~', 'b'],
  ]);
  const kept = await database.rows('select draft from "Changings_history" order by history_id');
  expect(kept).toEqual([{ draft: 'kept' }, { draft: null }]);
  const Clash = sequelize.define('Clash', { historyType: DataTypes.TEXT });
  expect(await refused({ snapshots: true }, Clash)).toMatch(/^ERR_AUDIT_INVALID_OPTION .*"historyType"/);
});
