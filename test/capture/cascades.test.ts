import {
  DataTypes,
  type DataType,
  type Model,
  type ModelAttributeColumnOptions,
  type ModelStatic,
} from 'sequelize';
import { createAuditLog, type AuditLog } from 'sequelize-auditlog';
import { testDatabase } from '../support/database';

const database = testDatabase();
const { sequelize } = database;
let auditLog: AuditLog;

beforeAll(async () => {
  await database.open();
  auditLog = createAuditLog(sequelize);
});
afterAll(() => database.close());

let count = 0;

/** A model over a table made by `sql`, in which `t` stands for the table's name. */
async function table(
  name: string,
  attributes: Record<string, unknown>,
  sql: string,
): Promise<ModelStatic<Model>> {
  await database.rows(sql);
  return sequelize.define(name, attributes as never, { tableName: name, timestamps: false });
}

async function logged(): Promise<unknown[]> {
  const rows = await database.rows<{ action: string; model: string; object_pk: string; changes: unknown }>(
    `select action, model, object_pk, changes from audit_log_entries where id > $1 order by id`,
    [count],
  );
  const [last] = await database.rows<{ id: string }>(
    'select coalesce(max(id), 0) as id from audit_log_entries',
  );
  count = Number(last?.id);
  return rows.map(({ action, model, object_pk: pk, changes }) => [action, `${model} ${pk}`, changes]);
}

/** Anew each time: Sequelize writes into the attributes it is given. */
const key = (type: DataType = DataTypes.INTEGER): ModelAttributeColumnOptions => ({ type, primaryKey: true });
const TEXT = DataTypes.TEXT;

test('a changed key is followed through ON UPDATE CASCADE at any depth', async () => {
  const City = await table('city', { code: key(TEXT) }, 'create table city (code text primary key)');
  const Street = await table(
    'street',
    { city: key(TEXT), n: key() },
    'create table street (city text references city on update cascade, n int, primary key (city, n))',
  );
  const House = await table(
    'house',
    { id: key(), city: TEXT, n: DataTypes.INTEGER },
    'create table house (id int primary key, city text, n int, foreign key (city, n) references street on update cascade)',
  );
  for (const model of [City, Street, House]) auditLog.registerAudited(model);
  await auditLog.sync();
  await City.create({ code: 'A' });
  await Street.create({ city: 'A', n: 1 });
  await House.bulkCreate([
    { id: 1, city: 'A', n: 1 },
    { id: 2, city: 'A', n: 1 },
  ]);
  await logged();
  await City.update({ code: 'B' }, { where: { code: 'A' } });
  expect(await logged()).toEqual([
    ['delete', 'city A', { code: ['A', null] }],
    ['create', 'city B', { code: [null, 'B'] }],
    ['delete', 'street ["A","1"]', { city: ['A', null], n: [1, null] }],
    ['create', 'street ["B","1"]', { city: [null, 'B'], n: [null, 1] }],
    ['update', 'house 1', { city: ['A', 'B'] }],
    ['update', 'house 2', { city: ['A', 'B'] }],
  ]);
  expect(await database.rows('select city from house')).toEqual([{ city: 'B' }, { city: 'B' }]);
});

test('children of an unregistered parent are followed too', async () => {
  const Owner = await table('owner', { id: key() }, 'create table owner (id int primary key)');
  await table(
    'pet',
    { id: key() },
    'create table pet (id int primary key, owner int references owner on delete cascade on update cascade)',
  );
  const Toy = await table(
    'toy',
    { id: key(), pet: DataTypes.INTEGER },
    'create table toy (id int primary key, pet int references pet on delete cascade)',
  );
  auditLog.registerAudited(Toy);
  await database.rows(
    'insert into owner values (1); insert into pet values (1, 1); insert into toy values (1, 1)',
  );
  await Owner.destroy({ where: { id: 1 } });
  expect(await logged()).toEqual([['delete', 'toy 1', { id: [1, null], pet: [1, null] }]]);
});

test('SET NULL and SET DEFAULT are updates of the children', async () => {
  const Team = await table('team', { id: key() }, 'create table team (id int primary key)');
  const Player = await table(
    'player',
    { id: key(), first: DataTypes.INTEGER, second: DataTypes.INTEGER, third: DataTypes.INTEGER },
    `create table player (id int primary key, first int references team on delete set null on update set null,
      second int default 9 references team on delete set default on update set default, third int references team on update cascade on delete cascade)`,
  );
  for (const model of [Team, Player]) auditLog.registerAudited(model, { snapshots: true });
  await auditLog.sync();
  await Team.bulkCreate([{ id: 1 }, { id: 2 }, { id: 9 }]);
  await Player.bulkCreate([
    { id: 1, first: 1, second: 1 },
    { id: 2, first: 2, second: 1 },
    { id: 3, first: 1, third: 1 },
    { id: 4, first: 2, second: 2, third: 2 },
  ]);
  await logged();
  const team = await Team.findByPk(1, { rejectOnEmpty: true });
  await team.destroy();
  expect(await logged()).toEqual([
    ['delete', 'team 1', { id: [1, null] }],
    ['update', 'player 1', { first: [1, null], second: [1, 9] }],
    ['delete', 'player 3', { first: [1, null], id: [3, null], third: [1, null] }],
    ['update', 'player 2', { second: [1, 9] }],
  ]);
  await Team.update({ id: 3 }, { where: { id: 2 } });
  expect(await logged()).toEqual([
    ['delete', 'team 2', { id: [2, null] }],
    ['create', 'team 3', { id: [null, 3] }],
    ['update', 'player 4', { first: [2, null], second: [2, 9], third: [2, 3] }],
    ['update', 'player 2', { first: [2, null] }],
  ]);
  expect(await database.rows('select * from player order by id')).toEqual([
    { id: 1, first: null, second: 9, third: null },
    { id: 2, first: null, second: 9, third: null },
    { id: 4, first: null, second: 9, third: 3 },
  ]);
  const versions = await database.rows(
    'select distinct on (id) id, first, second, third, history_type as type from player_history order by id, history_id desc',
  );
  expect(versions).toEqual([
    { id: 1, first: null, second: 9, third: null, type: '~' },
    { id: 2, first: null, second: 9, third: null, type: '~' },
    { id: 3, first: 1, second: null, third: 1, type: '-' },
    { id: 4, first: null, second: 9, third: 3, type: '~' },
  ]);
});

test('a tree that refers to itself is removed row by row', async () => {
  const Node = await table(
    'node',
    { id: key(), parent: DataTypes.INTEGER },
    'create table node (id int primary key, parent int references node on delete cascade on update cascade)',
  );
  auditLog.registerAudited(Node);
  await Node.bulkCreate([
    { id: 1, parent: 1 },
    { id: 2, parent: 1 },
    { id: 3, parent: 2 },
    { id: 4, parent: null },
  ]);
  await logged();
  await Node.update({ id: 5 }, { where: { id: 2 } });
  expect(await logged()).toEqual([
    ['delete', 'node 2', { id: [2, null], parent: [1, null] }],
    ['create', 'node 5', { id: [null, 5], parent: [null, 1] }],
    ['update', 'node 3', { parent: [2, 5] }],
  ]);
  await Node.destroy({ where: { id: 1 } });
  expect((await logged()).map((entry) => (entry as string[]).slice(0, 2))).toEqual([
    ['delete', 'node 1'],
    ['delete', 'node 5'],
    ['delete', 'node 3'],
  ]);
  expect(await database.rows('select id from node')).toEqual([{ id: 4 }]);
});

test('a child committed while the delete waits is recorded', async () => {
  const Box = await table('box', { id: key() }, 'create table box (id int primary key)');
  const Ball = await table(
    'ball',
    { id: key(), box: DataTypes.INTEGER },
    'create table ball (id int primary key, box int references box on delete cascade)',
  );
  for (const model of [Box, Ball]) auditLog.registerAudited(model);
  await Box.create({ id: 1 });
  await logged();
  const other = database.newClient();
  await other.connect();
  await other.query('begin; insert into ball values (7, 1)');
  const destroying = Box.destroy({ where: { id: 1 } });
  await blocked();
  await other.query('commit');
  await destroying;
  expect(await logged()).toEqual([
    ['delete', 'box 1', { id: [1, null] }],
    ['delete', 'ball 7', { box: [1, null], id: [7, null] }],
  ]);
});

/** Waits until a session of this file waits for a lock. */
async function blocked(): Promise<void> {
  const waiting = `select 1 from pg_stat_activity where application_name = $1 and wait_event_type = 'Lock'`;
  while ((await database.rows(waiting, [database.schema])).length === 0) await new Promise(setImmediate);
}

test('an update that changes no key is one statement', async () => {
  const Shelf = await table(
    'shelf',
    { id: key(), name: TEXT },
    'create table shelf (id int primary key, name text)',
  );
  const Book = await table(
    'book',
    { id: key(), shelf: DataTypes.INTEGER },
    'create table book (id int primary key, shelf int references shelf on update cascade)',
  );
  for (const model of [Shelf, Book]) auditLog.registerAudited(model);
  const shelf = await Shelf.create({ id: 1, name: 'a' });
  await shelf.update({ name: 'b' });
  await logged();
  await shelf.update({ name: 'c' });
  expect(await logged()).toEqual([['update', 'shelf 1', { name: ['b', 'c'] }]]);
});
