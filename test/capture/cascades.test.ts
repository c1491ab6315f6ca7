import {
  DataTypes,
  literal,
  type DataType,
  type Model,
  type ModelAttributeColumnOptions,
  type ModelStatic,
} from 'sequelize';
import { createAuditLog, type AuditLog } from 'sequelize-auditlog';
import { testDatabase } from '../support/database';
import { statementsOf } from '../support/statements';

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
    ['update', 'player 2', { first: [2, null] }],
    ['update', 'player 4', { first: [2, null], second: [2, 9], third: [2, 3] }],
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
  await Node.update({ id: 9 }, { where: { id: [1, 4] } }).catch(() => undefined);
  expect(await logged()).toEqual([]);
  await Node.update({ id: literal('id + 10') as never }, { where: { id: [1, 4] } });
  expect((await logged()).slice(4)).toEqual([
    ['update', 'node 11', { parent: [1, 11] }],
    ['update', 'node 2', { parent: [1, 11] }],
  ]);
  await Node.update({ id: literal('id - 10') as never }, { where: { id: [11, 14] } });
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

test('a key that is set to what it was changes no children', async () => {
  const Area = await table(
    'area',
    { id: key(), name: TEXT },
    'create table area (id int primary key, name text)',
  );
  const Plot = await table(
    'plot',
    { id: key(), area: DataTypes.INTEGER },
    'create table plot (id int primary key, area int references area on update set null)',
  );
  for (const model of [Area, Plot]) auditLog.registerAudited(model);
  await Area.bulkCreate([{ id: 1 }, { id: 2 }]);
  await Plot.bulkCreate([
    { id: 1, area: 1 },
    { id: 2, area: 2 },
  ]);
  await logged();
  await Area.update({ id: 1, name: 'a' }, { where: { id: 1 } });
  expect(await logged()).toEqual([['update', 'area 1', { name: [null, 'a'] }]]);
  await Area.update({ id: literal('greatest(id, 3 * (id - 1))') as never }, { where: {} });
  expect((await logged()).slice(2)).toEqual([['update', 'plot 2', { area: [2, null] }]]);
  expect(await database.rows('select area from plot order by id')).toEqual([{ area: 1 }, { area: null }]);
});

test('a key that all tables share is followed on every way and down a tree', async () => {
  const Tenant = await table('tenant', { id: key() }, 'create table tenant (id int primary key)');
  const Folder = await table(
    'folder',
    { tenant: key(), id: key(), parent: DataTypes.INTEGER },
    `create table folder (tenant int references tenant on update cascade, id int, parent int, primary key (tenant, id),
      foreign key (tenant, parent) references folder on update cascade)`,
  );
  const Label = await table(
    'label',
    { tenant: key(), id: key() },
    'create table label (tenant int references tenant on update cascade, id int, primary key (tenant, id))',
  );
  const Tag = await table(
    'tag',
    { id: key(), tenant: DataTypes.INTEGER, folder: DataTypes.INTEGER, label: DataTypes.INTEGER },
    `create table tag (id int primary key, tenant int, folder int, label int,
      foreign key (tenant, folder) references folder on update cascade,
      foreign key (tenant, label) references label on update cascade)`,
  );
  for (const model of [Tenant, Folder, Label, Tag]) auditLog.registerAudited(model);
  await Tenant.create({ id: 1 });
  for (const id of [1, 2, 3]) await Folder.create({ tenant: 1, id, parent: id === 1 ? null : id - 1 });
  await Label.create({ tenant: 1, id: 1 });
  await Tag.create({ id: 1, tenant: 1, folder: 3, label: 1 });
  await logged();
  await Tenant.update({ id: 2 }, { where: { id: 1 } });
  const entries = (await logged()) as [string, string, object][];
  expect(entries.map(([action, name]) => `${action} ${name}`).toSorted()).toEqual([
    'create folder ["2","1"]',
    'create folder ["2","2"]',
    'create folder ["2","3"]',
    'create label ["2","1"]',
    'create tenant 2',
    'delete folder ["1","1"]',
    'delete folder ["1","2"]',
    'delete folder ["1","3"]',
    'delete label ["1","1"]',
    'delete tenant 1',
    'update tag 1',
  ]);
  expect(entries.at(-1)?.[2]).toEqual({ tenant: [1, 2] });
});

/** A registered parent with a unique code that children follow. */
async function coded(name: string): Promise<{ Parent: ModelStatic<Model>; Child: ModelStatic<Model> }> {
  const Parent = await table(
    name,
    { id: key(), code: { type: TEXT, unique: true }, name: TEXT },
    `create table ${name} (id int primary key, code text unique, name text)`,
  );
  const Child = await table(
    `${name}_child`,
    { id: key(), code: TEXT, other: TEXT },
    `create table ${name}_child (id int primary key, code text references ${name} (code) on update cascade,
      other text references ${name} (code) on update set null)`,
  );
  for (const model of [Parent, Child]) auditLog.registerAudited(model);
  return { Parent, Child };
}

test('an upsert that changes a referenced key records the children', async () => {
  const { Parent, Child } = await coded('crate');
  await Parent.bulkCreate([
    { id: 1, code: 'a' },
    { id: 2, code: 'b' },
  ]);
  await Child.bulkCreate([
    { id: 1, code: 'a', other: 'b' },
    { id: 2, code: 'b', other: 'a' },
  ]);
  await logged();
  await Parent.upsert({ id: 1, code: 'c' }, { conflictFields: ['id'] as never });
  expect(await logged()).toEqual([
    ['update', 'crate 1', { code: ['a', 'c'] }],
    ['update', 'crate_child 1', { code: ['a', 'c'] }],
    ['update', 'crate_child 2', { other: ['a', null] }],
  ]);
  const made = await Parent.bulkCreate(
    [
      { id: 1, code: 'c', name: 'same' },
      { id: 2, code: 'd' },
      { id: 3, code: 'e' },
    ],
    { updateOnDuplicate: ['code', 'name'], conflictAttributes: ['id'] },
  );
  expect(made.map((each) => each.get('id'))).toEqual([1, 2, 3]);
  expect(await logged()).toEqual([
    ['update', 'crate 1', { name: [null, 'same'] }],
    ['update', 'crate 2', { code: ['b', 'd'] }],
    ['create', 'crate 3', { id: [null, 3], code: [null, 'e'] }],
    ['update', 'crate_child 2', { code: ['b', 'd'] }],
    ['update', 'crate_child 1', { other: ['b', null] }],
  ]);
  expect(await database.rows('select * from crate_child order by id')).toEqual([
    { id: 1, code: 'c', other: null },
    { id: 2, code: 'd', other: null },
  ]);
});

test('an upsert of an unregistered parent, and one in a transaction that is rolled back', async () => {
  const { Parent, Child } = await coded('barrel');
  auditLog.unregister(Parent);
  await Parent.create({ id: 1, code: 'a' });
  await Child.create({ id: 1, code: 'a' });
  await logged();
  const fails = sequelize.transaction(async (transaction) => {
    await Parent.upsert({ id: 1, code: 'b' }, { conflictFields: ['id'] as never, transaction });
    await Child.update({ code: 'nowhere' }, { where: {}, transaction });
  });
  await expect(fails).rejects.toThrow('barrel_child_code_fkey');
  expect(await logged()).toEqual([]);
  await Parent.upsert({ id: 1, code: 'b' }, { conflictFields: ['id'] as never });
  expect(await logged()).toEqual([['update', 'barrel_child 1', { code: ['a', 'b'] }]]);
});

test('a parent and its child committed while an upsert waits are recorded', async () => {
  const { Parent } = await coded('sack');
  const other = database.newClient();
  await other.connect();
  await other.query(`begin; insert into sack values (1, 'a'); insert into sack_child values (1, 'a', 'a')`);
  const upserting = Parent.upsert({ id: 1, code: 'b' }, { conflictFields: ['id'] as never });
  await blocked();
  await other.query('commit');
  await upserting;
  expect(await logged()).toEqual([
    ['update', 'sack 1', { code: ['a', 'b'] }],
    ['update', 'sack_child 1', { code: ['a', 'b'], other: ['a', null] }],
  ]);
});

test('an upsert that changes no referenced key is one statement', async () => {
  const { Parent } = await coded('jar');
  await Parent.upsert(
    { id: 1, code: 'a', name: 'x' },
    { conflictFields: ['code'] as never, fields: ['code', 'name'] },
  );
  const upsert = async (name: string): Promise<void> => {
    await Parent.bulkCreate([{ id: 1, code: 'a', name }], { updateOnDuplicate: ['name'] });
  };
  await upsert('y');
  await logged();
  expect(await statementsOf(sequelize, () => upsert('z'))).toHaveLength(1);
  expect(await logged()).toEqual([['update', 'jar 1', { name: ['y', 'z'] }]]);
});

describe('a role that owns nothing', () => {
  const role = database.schema;
  beforeAll(async () => {
    await database.rows(`drop role if exists "${role}"`);
    await database.rows(`create role "${role}"`);
    await database.rows(`grant usage on schema "${role}" to "${role}"`);
  });
  afterAll(async () => {
    await database.rows(`drop owned by "${role}"`);
    await database.rows(`drop role "${role}"`);
  });

  test('needs to read and lock children, and is told of row security that may hide some', async () => {
    await database.rows(`create table ward (id int primary key);
      create table bed (id int primary key, ward int references ward on delete cascade);
      insert into ward values (1); insert into bed values (1, 1)`);
    const options = `-c search_path=${database.schema} -c role=${role}`;
    const own = database.createSequelize({ pool: { max: 1 }, dialectOptions: { options } });
    const ownLog = createAuditLog(own);
    const defined = { timestamps: false, freezeTableName: true };
    const Ward = own.define('ward', { id: key() }, defined);
    const Bed = own.define('bed', { id: key(), ward: DataTypes.INTEGER }, defined);
    for (const model of [Ward, Bed]) ownLog.registerAudited(model);
    await database.rows(`grant select, insert on audit_log_entries to "${role}"`);
    await database.rows(`grant usage on all sequences in schema "${role}" to "${role}"`);
    await database.rows(`grant select, delete, update on ward to "${role}"`);
    await expect(Ward.destroy({ where: {} })).rejects.toMatchObject({
      code: 'ERR_AUDIT_PERMISSION',
      message: expect.stringContaining('select and update on "bed"'),
    });
    expect(await database.rows('select count(*)::int as n from bed')).toEqual([{ n: 1 }]);
    await database.rows(`grant select, update on bed to "${role}"`);
    expect(await ownLog.check()).toEqual({ ok: true, findings: [] });
    const told = new Set(['cascade_triggers', 'hidden_rows']);
    const notRecorded = async (): Promise<string[]> =>
      (await ownLog.coverage())[0]!.notRecorded.map(({ code }) => code).filter((code) => told.has(code));
    expect(await notRecorded()).toEqual([]);
    await database.rows(`alter table bed enable row level security;
      create trigger same before update on bed for each row execute function suppress_redundant_updates_trigger()`);
    expect(await notRecorded()).toEqual(['cascade_triggers', 'hidden_rows']);
    expect((await ownLog.check()).findings).toEqual([
      { code: 'cascade_row_security', model: 'bed', message: expect.stringContaining('bed_ward_fkey') },
    ]);
    expect((await auditLog.check()).findings.filter(({ code }) => code === 'cascade_row_security')).toEqual(
      [],
    );
    await database.rows('alter table bed disable row level security');
    await Ward.destroy({ where: {} });
    expect((await logged()).map((entry) => (entry as string[]).slice(0, 2))).toEqual([
      ['delete', 'ward 1'],
      ['delete', 'bed 1'],
    ]);
  });
});

test('a parent that a trigger keeps takes no children with it', async () => {
  const Shop = await table(
    'shop',
    { id: key(), closed: DataTypes.BOOLEAN },
    `create table shop (id int primary key, closed boolean);
     create function close_shop() returns trigger language plpgsql as $$ begin
       if old.id > 1 then return old; end if;
       update shop set closed = true where id = old.id; return null;
     end $$;
     create trigger close_shop before delete on shop for each row execute function close_shop()`,
  );
  const Till = await table(
    'till',
    { id: key(), shop: DataTypes.INTEGER, spare: DataTypes.INTEGER },
    `create table till (id int primary key, shop int references shop on delete cascade, spare int references shop on delete set null)`,
  );
  for (const model of [Shop, Till]) auditLog.registerAudited(model);
  await Shop.bulkCreate([{ id: 1 }, { id: 2 }]);
  await Till.bulkCreate([
    { id: 1, shop: 1, spare: 2 },
    { id: 2, shop: 2, spare: 1 },
    { id: 3, shop: 1, spare: 1 },
  ]);
  await logged();
  expect(await Shop.destroy({ where: {} })).toBe(1);
  expect(await logged()).toEqual([
    ['delete', 'shop 2', { id: [2, null] }],
    ['update', 'till 1', { spare: [2, null] }],
    ['delete', 'till 2', { id: [2, null], shop: [2, null], spare: [1, null] }],
  ]);
  expect(await database.rows('select * from till order by id')).toEqual([
    { id: 1, shop: 1, spare: null },
    { id: 3, shop: 1, spare: 1 },
  ]);
});

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

test('a default that another program changes meanwhile is the one that children get', async () => {
  const Crew = await table('crew', { id: key() }, 'create table crew (id int primary key)');
  const Sailor = await table(
    'sailor',
    { id: key(), crew: DataTypes.INTEGER },
    'create table sailor (id int primary key, crew int default 8 references crew on delete set default)',
  );
  for (const model of [Crew, Sailor]) auditLog.registerAudited(model);
  await auditLog.sync();
  await Crew.bulkCreate([1, 2, 8, 9].map((id) => ({ id })));
  await Sailor.bulkCreate([1, 2].map((id) => ({ id, crew: id })));
  await Crew.destroy({ where: { id: 1 } });
  await database.admin.query('alter table sailor alter crew set default 9');
  await logged();
  await Crew.destroy({ where: { id: 2 } });
  expect(await logged()).toEqual([
    ['delete', 'crew 2', { id: [2, null] }],
    ['update', 'sailor 2', { crew: [2, 9] }],
  ]);
});
