import { DataTypes } from 'sequelize';
import { createAuditLog, withAuditContext } from 'sequelize-auditlog';
import { PreparedNames } from '../../lib/capture/prepared-names';
import { refusalOf } from '../support/audited';
import { testDatabase } from '../support/database';

const database = testDatabase();
const { sequelize } = database;
const auditLog = createAuditLog(sequelize);

beforeAll(async () => {
  await database.open();
  await auditLog.sync();
});
afterAll(() => database.close());

const changesOf = async (model: string): Promise<unknown[]> =>
  (await auditLog.LogEntry.forModel(model, { order: [['id', 'ASC']] })).map(({ action, changes }) => [
    action,
    changes,
  ]);

test('a table whose key is not unique is written as without auditing', async () => {
  await database.rows(
    `create table loose (x int, y int, n text); insert into loose values (1, 1, 'a'), (1, 2, 'b'), (null, 3, 'c')`,
  );
  const Loose = sequelize.define(
    'Loose',
    { x: { type: DataTypes.INTEGER, primaryKey: true }, y: DataTypes.INTEGER, n: DataTypes.TEXT },
    { tableName: 'loose', timestamps: false },
  );
  auditLog.registerAudited(Loose);
  expect(await Loose.update({ n: 'Z' }, { where: { y: 2 } })).toEqual([1]);
  expect(await Loose.update({ n: 'Y' }, { where: { y: 3 } })).toEqual([1]);
  expect(await database.rows('select n from loose order by y')).toEqual([{ n: 'a' }, { n: 'Z' }, { n: 'Y' }]);
  expect((await changesOf('Loose')).slice(0, 1)).toEqual([['update', { n: ['b', 'Z'] }]]);
});

test('a tracked column that another process adds is recorded from its first write on', async () => {
  await database.rows('create table growing (id int primary key, n int); insert into growing values (1, 1)');
  const Growing = sequelize.define(
    'Growing',
    { id: { type: DataTypes.INTEGER, primaryKey: true }, n: DataTypes.INTEGER, extra: DataTypes.TEXT },
    { tableName: 'growing', timestamps: false },
  );
  auditLog.registerAudited(Growing);
  await Growing.update({ n: 2 }, { where: { id: 1 } });
  await database.rows('alter table growing add column extra text');
  await Growing.update({ extra: 'now there' }, { where: { id: 1 } });
  expect(await changesOf('Growing')).toEqual([
    ['update', { n: [1, 2] }],
    ['update', { extra: [null, 'now there'] }],
  ]);
});

test('an error whose text holds the name of the log is still the application’s own', async () => {
  const Plain = sequelize.define('Plain', { n: DataTypes.INTEGER }, { timestamps: false });
  auditLog.registerAudited(Plain);
  await Plain.sync();
  const destroying = Plain.destroy({ where: { id: 'audit_log_entries' } as never });
  await expect(destroying).rejects.toMatchObject({
    name: 'SequelizeDatabaseError',
    parent: { code: '22P02' },
  });
});

test('the ON of a join is no ON CONFLICT', async () => {
  const Copy = sequelize.define('Copy', { n: DataTypes.INTEGER }, { tableName: 'copies', timestamps: false });
  auditLog.registerAudited(Copy);
  await Copy.sync();
  await sequelize.query(
    'insert into copies (n) select a.x from (select 5 as x) a join (select 5 as x) b on a.x = b.x',
  );
  expect(await changesOf('Copy')).toEqual([['create', { id: [null, 1], n: [null, 5] }]]);
});

test('SET NULL of some columns of a key leaves the others', async () => {
  await database.rows(`create table tenant_team (t int, id int, primary key (t, id));
    create table tenant_player (id int primary key, t int, team int,
      foreign key (t, team) references tenant_team on delete set null (team));
    insert into tenant_team values (1, 1); insert into tenant_player values (9, 1, 1)`);
  const key = (): object => ({ type: DataTypes.INTEGER, primaryKey: true });
  const Team = sequelize.define('Team', { t: key(), id: key() } as never, {
    tableName: 'tenant_team',
    timestamps: false,
  });
  const Player = sequelize.define(
    'Player',
    { id: key(), t: DataTypes.INTEGER, team: DataTypes.INTEGER } as never,
    {
      tableName: 'tenant_player',
      timestamps: false,
    },
  );
  auditLog.registerAudited(Player);
  await Team.destroy({ where: { id: 1 } as never });
  expect(await changesOf('Player')).toEqual([['update', { team: [1, null] }]]);
});

test('A masked attribute is masked as a label too, when it is not tracked; JSON is masked whole whatever its rule', async () => {
  const User = sequelize.define(
    'User',
    { name: DataTypes.TEXT, email: DataTypes.TEXT, meta: DataTypes.JSONB },
    { timestamps: false },
  );
  const handle = auditLog.registerAudited(User, {
    include: ['name', 'meta'],
    mask: { email: true, meta: { keepLast: 4 } },
  });
  await User.sync();
  const user = await User.create({ name: 'n', email: 'secret@shop.example', meta: { card: '12345678' } });
  await withAuditContext({ actor: user }, () => user.update({ name: 'm' }));
  const entries = await auditLog.LogEntry.forObject(user);
  expect(handle.masked).toEqual(['email', 'meta']);
  expect(JSON.stringify(entries)).not.toContain('secret@');
  expect(entries.at(-1)?.changes).toMatchObject({ meta: [null, '********'] });
});

test('a history table that is a table of the application is refused', () => {
  sequelize.define('Archive', { n: DataTypes.INTEGER }, { tableName: 'files_history' });
  const File = sequelize.define('File', { n: DataTypes.INTEGER }, { tableName: 'files' });
  expect(() => auditLog.registerAudited(File, { snapshots: true })).toThrow(
    expect.objectContaining({ code: 'ERR_AUDIT_NAME_TAKEN' }),
  );
});

describe('requireActor', () => {
  const signed = database.createSequelize();
  const log = createAuditLog(signed, { requireActor: true, tableName: 'signed_log' });
  const Parent = signed.define('Parent', {}, { tableName: 'parents', timestamps: false });
  const Doc = signed.define('Doc', { n: DataTypes.INTEGER }, { tableName: 'docs', paranoid: true });
  Parent.hasMany(Doc, { onDelete: 'CASCADE' });

  beforeAll(async () => {
    log.registerAudited(Doc, { actions: ['delete'] });
    await Parent.sync();
    await Doc.sync();
    await log.sync();
  });

  test('26 names the action that happens to the row, also for soft deletes and cascades', async () => {
    const parent = await Parent.create();
    const doc = await Doc.create({ n: 1, ParentId: parent.get('id') } as never);
    const refused = { code: 'ERR_AUDIT_ACTOR_REQUIRED', message: expect.stringContaining('A delete of Doc') };
    await expect(doc.destroy()).rejects.toMatchObject(refused);
    await expect(parent.destroy()).rejects.toMatchObject(refused);
    await expect(Doc.truncate({ force: true })).rejects.toMatchObject(refused);
    await doc.update({ n: 2 });
    expect(await Doc.count()).toBe(1);
    await withAuditContext({ actor: 7 }, () => parent.destroy());
    expect(await Doc.count()).toBe(0);
  });
});

test('a nested create without hooks hands its audit option down all the same', async () => {
  const Top = sequelize.define('Top', {}, { timestamps: false });
  const Sub = sequelize.define('Sub', {}, { timestamps: false });
  Top.hasMany(Sub, { as: 'subs' });
  for (const model of [Top, Sub]) {
    await model.sync();
    auditLog.registerAudited(model);
  }
  await Top.create({ subs: [{}] } as never, {
    include: [{ model: Sub, as: 'subs' }],
    hooks: false,
    audit: { reason: 'R' },
  });
  await Top.create({ subs: [{}] } as never, {
    include: [{ model: Sub, as: 'subs' }],
    hooks: false,
    audit: false,
  });
  const entries = await auditLog.LogEntry.forModel('Sub');
  expect(entries.map(({ reason }) => reason)).toEqual(['R']);
  // What a belongsTo creates is written before its parent: without hooks only the include can tell.
  const Owned = sequelize.define('Owned', {}, { timestamps: false });
  Owned.belongsTo(Top, { as: 'top' });
  await Owned.sync();
  const include = [{ model: Top, as: 'top', audit: { reason: 'I' } }] as never;
  await Owned.create({ top: {} } as never, { include, hooks: false });
  const [created] = await auditLog.LogEntry.forModel('Top');
  expect(created!.reason).toBe('I');
});

describe('a table that is changed behind the back of a transaction', () => {
  const attributes = {
    id: { type: DataTypes.INTEGER, primaryKey: true },
    n: DataTypes.INTEGER,
    gone: DataTypes.TEXT,
  };
  const Shrinking = sequelize.define('Shrinking', attributes, { tableName: 'shrinking', timestamps: false });
  const change = (n: number) =>
    sequelize.transaction((transaction) => Shrinking.update({ n }, { where: { id: 1 }, transaction }));

  beforeAll(async () => {
    auditLog.registerAudited(Shrinking);
    await Shrinking.sync();
    await Shrinking.create({ id: 1, n: 1, gone: 'x' });
  });

  test('fails it by a coded error that says what to do, and the next one succeeds', async () => {
    await change(2);
    await database.rows('alter table shrinking drop column gone');
    const refusal = await refusalOf(() => change(3));
    expect(refusal.code).toBe('ERR_AUDIT_STALE_STATEMENT');
    expect(refusal.message).toContain('Repeat it');
    await change(4);
    expect((await changesOf('Shrinking')).at(-1)).toEqual(['update', { n: [2, 4] }]);
  });

  test.each([
    ['a column that it names itself', 'update shrinking set n = 1 where "größe😀" = 1', '42703'],
    ['a column that it asks for', 'update shrinking set n = 1 returning gone', '42703'],
    ['a table that it names itself', 'delete from shrinking where id in (select id from nowhere)', '42P01'],
  ])('is no excuse for %s: that error is its own', async (_what, sql, code) => {
    const work = () => sequelize.transaction((transaction) => sequelize.query(sql, { transaction }));
    await expect(work()).rejects.toMatchObject({ name: 'SequelizeDatabaseError', parent: { code } });
    await expect(sequelize.query(sql)).rejects.toMatchObject({ name: 'SequelizeDatabaseError' });
  });
});

test('what a transaction reads of tables that it defines is forgotten with it', async () => {
  const Moving = sequelize.define(
    'Moving',
    { id: { type: DataTypes.INTEGER, primaryKey: true }, n: DataTypes.INTEGER },
    { tableName: 'moving', timestamps: false },
  );
  auditLog.registerAudited(Moving);
  await Moving.sync();
  await Moving.create({ id: 1, n: 1 });
  const rolledBack = sequelize.transaction(async (transaction) => {
    await sequelize.query('alter table moving alter column n type numeric(5,2)', { transaction });
    await Moving.update({ n: 2 }, { where: {}, transaction });
    throw new Error('rolled back');
  });
  await expect(rolledBack).rejects.toThrow('rolled back');
  await Moving.update({ n: 3 }, { where: {} });
  await sequelize.transaction(async (transaction) => {
    await sequelize.query('alter table moving alter column n type numeric(5,2)', { transaction });
    await Moving.update({ n: 4 }, { where: {}, transaction });
  });
  await Moving.update({ n: 5 }, { where: {} });
  expect(await changesOf('Moving')).toEqual([
    ['create', { id: [null, 1], n: [null, 1] }],
    ['update', { n: [1, 3] }],
    ['update', { n: ['3.00', '4.00'] }],
    ['update', { n: ['4.00', '5.00'] }],
  ]);
});

test('names of prepared statements are bounded, also when they are renewed again and again', () => {
  const names = new PreparedNames(true);
  const given = new Set<string>();
  for (let epoch = 0; epoch < 20; epoch += 1) {
    const inEpoch = new Set<string>();
    for (let at = 0; at < 500; at += 1) {
      names.nameFor(`update ${at}`);
      const name = names.nameFor(`update ${at}`);
      if (name !== undefined) inEpoch.add(name);
    }
    expect(inEpoch.size).toBeLessThanOrEqual(400);
    for (const name of inEpoch) given.add(name);
    names.renew();
  }
  expect(given.size).toBeGreaterThanOrEqual(400);
  expect(given.size).toBeLessThanOrEqual(1_000);
});
