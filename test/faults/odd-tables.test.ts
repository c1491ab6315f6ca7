import { randomBytes } from 'node:crypto';
import { DataTypes, literal, type Model, type ModelAttributes, type ModelStatic } from 'sequelize';
import { createAuditLog, type LogEntry, type RegistrationOptions } from 'sequelize-auditlog';
import { actionsOf, entriesOf, entryOf, refusalOf } from '../support/audited';
import { testDatabase } from '../support/database';
import { statementsOf } from '../support/statements';

const database = testDatabase();
const { sequelize } = database;
const auditLog = createAuditLog(sequelize);
const { TEXT, INTEGER } = DataTypes;

type AnyModel = ModelStatic<Model>;

const definitions: string[] = [];

/** A registered model over a table that is made by SQL. */
function over(
  name: string,
  sql: string,
  attributes: ModelAttributes,
  options: RegistrationOptions = {},
): AnyModel {
  definitions.push(sql);
  const model = sequelize.define(name, attributes, { tableName: name, timestamps: false });
  auditLog.registerAudited(model, options as never);
  return model;
}

// Made anew for every model: Sequelize writes into what it is given.
const key = () => ({ type: INTEGER, primaryKey: true });
const serial = () => ({ ...key(), autoIncrement: true });

beforeAll(async () => {
  await database.open();
  for (const definition of definitions) await database.rows(definition);
  await auditLog.sync();
});
afterAll(() => database.close());

function seen(entries: readonly LogEntry[]): unknown[] {
  return entries.map(({ action, model, objectPk, changes }) => [`${action} ${model} ${objectPk}`, changes]);
}

const idOf = (model: Model): number => model.get('id') as number;

// --- partitions

const Zone = over(
  'zones',
  `create table zones (id int, zone text, n int, primary key (id, zone)) partition by list (zone);
   create table zones_north partition of zones for values in ('north');
   create table zones_south partition of zones for values in ('south')`,
  { id: key(), zone: { type: TEXT, primaryKey: true }, n: INTEGER },
  { snapshots: true },
);
const Sensor = over(
  'sensors',
  `create table sensors (id int, zone text, zone_id int, label text, primary key (id, zone),
     foreign key (zone_id, zone) references zones (id, zone) on delete cascade on update cascade) partition by list (zone);
   create table sensors_north partition of sensors for values in ('north');
   create table sensors_south partition of sensors for values in ('south')`,
  { id: key(), zone: { type: TEXT, primaryKey: true }, zone_id: INTEGER, label: TEXT },
);

async function zone(id: number): Promise<void> {
  await Zone.create({ id, zone: 'north', n: 1 });
  await Sensor.bulkCreate([
    { id, zone: 'north', zone_id: id, label: 'a' },
    { id: id + 1, zone: 'north', zone_id: id, label: 'b' },
  ]);
}

test('39 a row that moves to another partition by its key is one object gone and one come, as are its children', async () => {
  await zone(10);
  const entries = await entriesOf(auditLog, () => Zone.update({ zone: 'south' }, { where: { id: 10 } }));
  expect(entries.map(({ action, model, objectPk }) => `${action} ${model} ${objectPk}`).toSorted()).toEqual([
    'create sensors ["10","south"]',
    'create sensors ["11","south"]',
    'create zones ["10","south"]',
    'delete sensors ["10","north"]',
    'delete sensors ["11","north"]',
    'delete zones ["10","north"]',
  ]);
  expect(await Sensor.count({ where: { zone: 'south', zone_id: 10 } })).toBe(2);
});

test('29 a delete from one partition takes the children in theirs, and none at the same place of another', async () => {
  await zone(20);
  await Zone.create({ id: 20, zone: 'south', n: 2 });
  await Sensor.create({ id: 20, zone: 'south', zone_id: 20, label: 'stays' });
  const entries = await entriesOf(auditLog, () => Zone.destroy({ where: { id: 20, zone: 'north' } }));
  expect(
    seen(entries)
      .map((each) => (each as [string])[0])
      .toSorted(),
  ).toEqual([
    'delete sensors ["20","north"]',
    'delete sensors ["21","north"]',
    'delete zones ["20","north"]',
  ]);
  expect(await Sensor.count({ where: { label: 'stays' } })).toBe(1);
});

test('28 upserts and updates across partitions hold the right old values', async () => {
  await Zone.bulkCreate([
    { id: 30, zone: 'north', n: 1 },
    { id: 30, zone: 'south', n: 2 },
  ]);
  const entries = await entriesOf(auditLog, async () => {
    await Zone.bulkCreate(
      [
        { id: 30, zone: 'south', n: 5 },
        { id: 31, zone: 'south', n: 6 },
        { id: 30, zone: 'north', n: 4 },
      ] as never,
      { updateOnDuplicate: ['n'] },
    );
    await Zone.increment('n', { where: { id: 30 } });
  });
  expect(seen(entries)).toEqual([
    ['update zones ["30","south"]', { n: [2, 5] }],
    ['create zones ["31","south"]', { id: [null, 31], zone: [null, 'south'], n: [null, 6] }],
    ['update zones ["30","north"]', { n: [1, 4] }],
    expect.arrayContaining([{ n: expect.anything() }]),
    expect.arrayContaining([{ n: expect.anything() }]),
  ]);
});

// --- views

const Base = over(
  'bases',
  'create table bases (id serial primary key, name text, hidden boolean default false)',
  { id: serial(), name: TEXT },
);
const Shown = over(
  'shown_bases',
  'create view shown_bases as select id, name as title from bases where not hidden',
  { id: serial(), title: TEXT },
);
const Both = over(
  'both_bases',
  `create view both_bases as select id, name, count(*)::int as n from bases group by id;
   create function write_both() returns trigger language plpgsql as $$ begin
     if tg_op = 'INSERT' then insert into bases (name) values (new.name) returning id into new.id; return new; end if;
     if tg_op = 'UPDATE' then update bases set name = new.name where id = old.id; return new; end if;
     delete from bases where id = old.id; return old; end $$;
   create trigger write_both instead of insert or update or delete on both_bases for each row execute function write_both()`,
  { id: serial(), name: TEXT, n: INTEGER },
);

test('28 writes through a view that updates itself are recorded as the view shows them', async () => {
  const entries = await entriesOf(auditLog, async () => {
    await Shown.bulkCreate([{ title: 'a' }]);
    await Shown.update({ title: 'b' }, { where: {} });
    await Shown.bulkCreate([{ id: 1, title: 'c' }], { updateOnDuplicate: ['title'] });
    await Shown.destroy({ where: {} });
  });
  expect(seen(entries)).toEqual([
    ['create shown_bases 1', { id: [null, 1], title: [null, 'a'] }],
    ['update shown_bases 1', { title: ['a', 'b'] }],
    ['update shown_bases 1', { title: ['b', 'c'] }],
    ['delete shown_bases 1', { id: [1, null], title: ['c', null] }],
  ]);
});

test('28 writes through a view with INSTEAD OF triggers are recorded, though it groups', async () => {
  await Base.create({ id: 100, name: 'a' });
  const entries = await entriesOf(auditLog, async () => {
    await Both.update({ name: 'b' }, { where: { id: 100 } });
    await Both.destroy({ where: { id: 100 } });
    await Both.bulkCreate([{ name: 'c' }], { fields: ['name'] });
  });
  expect(seen(entries).map((each) => (each as [string])[0])).toEqual([
    'update both_bases 100',
    'delete both_bases 100',
    expect.stringMatching(/^create both_bases /),
  ]);
  expect(entries[0]!.changes).toEqual({ name: ['a', 'b'] });
});

// --- rules

const Ruled = over(
  'ruled',
  `create table ruled (id serial primary key, n int); create table ruled_copy (id int);
   create rule copying as on insert to ruled do also insert into ruled_copy values (new.id)`,
  { id: serial(), n: INTEGER },
);

test.each<[string, () => Promise<unknown>]>([
  ['create', () => Ruled.create({ n: 1 })],
  ['bulkCreate', () => Ruled.bulkCreate([{ n: 1 }])],
  ['upsert', () => Ruled.upsert({ id: 1, n: 1 })],
  ['update', () => Ruled.update({ n: 1 }, { where: {} })],
  ['destroy', () => Ruled.destroy({ where: {} })],
  ['truncate', () => Ruled.truncate()],
  ['findOrCreate', () => Ruled.findOrCreate({ where: { n: 5 } })],
])('a table with rewrite rules refuses a %s before it is sent', async (_name, write) => {
  let code: string | undefined;
  const sent = await statementsOf(sequelize, async () => {
    code = (await refusalOf(write)).code;
  });
  expect(code).toBe('ERR_AUDIT_UNSUPPORTED_WRITE');
  expect(sent.filter(({ text }) => /^\s*(with|insert|update|delete|truncate)\b/i.test(text))).toEqual([]);
  expect(await database.rows('select * from ruled')).toEqual([]);
});

test('a table with rewrite rules can be written with audit: false', async () => {
  expect(await entriesOf(auditLog, () => Ruled.create({ n: 7 }, { audit: false }))).toEqual([]);
  expect(await database.rows('select n from ruled')).toEqual([{ n: 7 }]);
});

// --- names

const LONG = 'ä'.repeat(31) + 'x';
const COLUMNS = [
  'old',
  'new',
  'ID',
  'Id',
  'select',
  'a b',
  'n',
  'at',
  'action',
  'pk',
  'repr',
  'delta',
  'extra',
  'changes',
  'tableoid2',
  "it's",
  'back\\slash',
  '%s',
  '!w',
  LONG,
];
const quoted = (name: string): string => `"${name}"`;

/** The same strange columns under that table name. */
function strange(table: string): AnyModel {
  const columns = COLUMNS.map((name) => `${quoted(name)} text`).join(', ');
  const attributes = Object.fromEntries(
    COLUMNS.map((name, at) => [`attribute '${at}' "\\`, { type: TEXT, field: name }]),
  );
  return over(
    table,
    `create table ${quoted(table)} (id serial primary key, ${columns})`,
    { id: serial(), ...attributes },
    { snapshots: true },
  );
}

const STRANGE = [
  'old',
  'new',
  'select',
  'User Data',
  "it's",
  'path',
  'text',
  'date',
  'user',
  'back\\slash',
  'é'.repeat(31),
].map((table) => [table, strange(table)] as const);

test.each(STRANGE)(
  '116 the table %s with columns of any name is recorded in every kind of write',
  async (_table, model) => {
    const filled = (value: string) =>
      Object.fromEntries(COLUMNS.map((_name, at) => [`attribute '${at}' "\\`, value]));
    const pairs = (from: string | null, to: string | null) =>
      Object.fromEntries(Object.keys(filled('')).map((name) => [name, [from, to]]));
    const entries = await entriesOf(auditLog, async () => {
      const row = await model.create(filled('a'));
      await row.update(filled('b'));
      await model.update(filled('c'), { where: { id: idOf(row) } });
      await model.upsert({ id: idOf(row), ...filled('d') });
      await model.bulkCreate([{ id: idOf(row), ...filled('e') }], {
        updateOnDuplicate: Object.keys(filled('')),
      });
      await row.destroy();
    });
    expect(entries.map(({ changes }) => changes)).toEqual([
      { id: [null, 1], ...pairs(null, 'a') },
      ...[
        ['a', 'b'],
        ['b', 'c'],
        ['c', 'd'],
        ['d', 'e'],
      ].map(([from, to]) => pairs(from!, to!)),
      { id: [1, null], ...pairs('e', null) },
    ]);
  },
);

const Status = over('status', 'create table status (id serial primary key, status text)', {
  id: serial(),
  status: TEXT,
});
const Twice = over('twice', 'create table twice (id serial primary key, value text)', {
  id: serial(),
  one: { type: TEXT, field: 'value' },
  two: { type: TEXT, field: 'value' },
});

test('116 a table that is named like its column is recorded', async () => {
  const entries = await entriesOf(auditLog, async () => {
    await Status.create({ status: 'a' });
    await Status.update({ status: 'b' }, { where: { status: 'a' }, returning: true });
    await Status.upsert({ id: 1, status: 'c' });
  });
  expect(entries.map(({ changes }) => changes!['status'])).toEqual([
    [null, 'a'],
    ['a', 'b'],
    ['b', 'c'],
  ]);
});

test('columns that are asked for twice are answered as without auditing', async () => {
  const row = await Twice.create({ one: 'a' });
  expect((await Twice.findAll({ raw: true }))[0]).toEqual({ id: 1, one: 'a', two: 'a' });
  const [, rows] = await Status.update(
    { status: 'z' },
    { where: {}, returning: ['id', 'status', 'id'] as never },
  );
  expect(rows.map((each) => each.get('status'))).toContain('z');
  expect((await entryOf(auditLog, () => row.destroy())).action).toBe('delete');
});

const WIDE = Array.from({ length: 150 }, (_, at) => `column_${at}`);
const Wide = over(
  'wide',
  `create table wide (id serial primary key, ${WIDE.map((name) => `${name} int`).join(', ')})`,
  { id: serial(), ...Object.fromEntries(WIDE.map((name) => [name, INTEGER])) },
  { snapshots: true },
);

test('a table of 150 columns is recorded whole in every kind of write', async () => {
  const all = (value: number) => Object.fromEntries(WIDE.map((name) => [name, value]));
  const entries = await entriesOf(auditLog, async () => {
    const row = await Wide.create(all(1));
    await row.update(all(2), { returning: true });
    await Wide.upsert({ id: idOf(row), ...all(3) });
    await Wide.update({ column_149: 4 }, { where: {} });
    await row.destroy();
  });
  expect(entries.map(({ changes }) => Object.keys(changes!).length)).toEqual([151, 150, 150, 1, 151]);
  expect(entries[3]!.changes).toEqual({ column_149: [3, 4] });
});

// --- other schemas

const Tenant = over('tenants', 'create table tenants (id serial primary key, name text)', {
  id: serial(),
  name: TEXT,
});

test('116 a search path that changes in mid-session leads the write elsewhere, its entry into the log', async () => {
  const other = await database.createSchema('other');
  await database.rows(`create table "${other}".tenants (id serial primary key, name text)`);
  for (const name of ['a', 'b', 'c']) await Tenant.upsert({ id: 1, name });
  const entries = await entriesOf(auditLog, () =>
    sequelize.transaction(async (transaction) => {
      await sequelize.query(`set local search_path = "${other}"`, { transaction });
      for (const name of ['x', 'y', 'z']) await Tenant.upsert({ id: 1, name }, { transaction });
      await Tenant.update({ name: 'last' }, { where: {}, transaction });
    }),
  );
  expect(entries.map(({ changes }) => changes!['name'])).toEqual([
    [null, 'x'],
    ['x', 'y'],
    ['y', 'z'],
    ['z', 'last'],
  ]);
  expect(await database.rows(`select name from "${other}".tenants`)).toEqual([{ name: 'last' }]);
  expect((await Tenant.findByPk(1))!.get('name')).toBe('c');
});

const Temporary = over('passing', 'select 1', { id: serial(), name: TEXT });

test('28 writes of a temporary table are recorded', async () => {
  const entries = await entriesOf(auditLog, () =>
    sequelize.transaction(async (transaction) => {
      await sequelize.query(
        'create temporary table passing (id serial primary key, name text) on commit drop',
        { transaction },
      );
      await Temporary.create({ name: 'a' }, { transaction });
      for (const name of ['b', 'c']) await Temporary.upsert({ id: 1, name }, { transaction });
      await Temporary.destroy({ where: {}, transaction });
    }),
  );
  expect(entries.map(({ action, changes }) => [action, changes!['name']])).toEqual([
    ['create', [null, 'a']],
    ['update', ['a', 'b']],
    ['update', ['b', 'c']],
    ['delete', ['c', null]],
  ]);
});

// --- keys and constraints

const Seat = over(
  'seats',
  'create table seats (hall text, number int, guest text, primary key (hall, number))',
  { hall: { type: TEXT, primaryKey: true }, number: key(), guest: TEXT },
);
const Ticket = over(
  'tickets',
  `create table tickets (id serial primary key, hall text, number int,
     foreign key (hall, number) references seats (hall, number) on delete set null on update cascade)`,
  { id: serial(), hall: TEXT, number: INTEGER },
);

test('39 a composite key is followed through composite foreign keys, by update and delete', async () => {
  await Seat.bulkCreate([
    { hall: 'a/"b"', number: 1 },
    { hall: 'a', number: 1 },
  ]);
  const ticket = await Ticket.create({ hall: 'a/"b"', number: 1 });
  const entries = await entriesOf(auditLog, async () => {
    await Seat.update({ number: 7 }, { where: { hall: 'a/"b"' } });
    await Seat.destroy({ where: { hall: 'a/"b"' } });
  });
  const pk = (number: number): string => JSON.stringify(['a/"b"', String(number)]);
  expect(seen(entries)).toEqual([
    [`delete seats ${pk(1)}`, { hall: ['a/"b"', null], number: [1, null] }],
    [`create seats ${pk(7)}`, { hall: [null, 'a/"b"'], number: [null, 7] }],
    [`update tickets ${idOf(ticket)}`, { number: [1, 7] }],
    [`delete seats ${pk(7)}`, { hall: ['a/"b"', null], number: [7, null] }],
    [`update tickets ${idOf(ticket)}`, { hall: ['a/"b"', null], number: [7, null] }],
  ]);
});

const Parent = over('parents', 'create table parents (id serial primary key, name text)', {
  id: serial(),
  name: TEXT,
});
const Child = over(
  'children',
  `create table children (id serial primary key, parent_id int references parents on delete cascade);
   create table witnesses (child_id int references children deferrable initially deferred)`,
  { id: serial(), parent_id: INTEGER },
);

test('2 a cascading delete that fails at its COMMIT leaves nothing, and the connection usable', async () => {
  const parent = await Parent.create({ name: 'a' });
  const child = await Child.create({ parent_id: idOf(parent) });
  await database.rows('insert into witnesses values ($1)', [idOf(child)]);
  const entries = await entriesOf(auditLog, async () => {
    await expect(parent.destroy()).rejects.toMatchObject({ name: 'SequelizeForeignKeyConstraintError' });
    await expect(parent.destroy({ audit: false })).rejects.toMatchObject({
      name: 'SequelizeForeignKeyConstraintError',
    });
  });
  expect(entries).toEqual([]);
  expect(await Parent.count()).toBe(1);
  await database.rows('delete from witnesses');
  expect(actionsOf(await entriesOf(auditLog, () => parent.destroy()))).toEqual([
    'delete parents',
    'delete children',
  ]);
});

const Mailbox = over(
  'mailboxes',
  `create table mailboxes (id serial primary key, address text, active boolean default true, n int);
   create unique index on mailboxes (address) where active`,
  { id: serial(), address: TEXT, active: DataTypes.BOOLEAN, n: INTEGER },
);

test('28 an upsert by a partial unique index updates the row inside it, and creates beside the one outside', async () => {
  await Mailbox.bulkCreate([
    { address: 'a', active: false, n: 1 },
    { address: 'b', active: true, n: 1 },
  ]);
  const upsert = (address: string) =>
    Mailbox.upsert({ address, active: true, n: 2 }, {
      conflictFields: ['address'],
      conflictWhere: { active: true },
    } as never);
  const entries = await entriesOf(auditLog, async () => {
    await upsert('a');
    await upsert('b');
  });
  expect(entries.map(({ action, changes }) => [action, changes!['n']])).toEqual([
    ['create', [null, 2]],
    ['update', [1, 2]],
  ]);
});

const Vetoed = over(
  'vetoed',
  `create table vetoed (id int primary key, name text);
   create function veto() returns trigger language plpgsql as $$ begin return case when old.name = 'sealed' then null else new end; end $$;
   create trigger veto before update on vetoed for each row execute function veto()`,
  { id: key(), name: TEXT },
);

test('29 a row whose update a trigger vetoes lends its old values to no other row of an upsert', async () => {
  await Vetoed.bulkCreate([
    { id: 1, name: 'sealed' },
    { id: 2, name: 'open' },
  ]);
  const rows = [
    { id: 1, name: 'x' },
    { id: 3, name: 'new' },
    { id: 2, name: 'y' },
  ];
  const entries = await entriesOf(auditLog, () => Vetoed.bulkCreate(rows, { updateOnDuplicate: ['name'] }));
  expect(seen(entries)).toEqual([
    ['create vetoed 3', { id: [null, 3], name: [null, 'new'] }],
    ['update vetoed 2', { name: ['open', 'y'] }],
  ]);
});

test('29 nor to a row of a later upsert of the same transaction', async () => {
  await Vetoed.bulkCreate([{ id: 11, name: 'sealed' }], { ignoreDuplicates: true });
  const entries = await entriesOf(auditLog, () =>
    sequelize.transaction(async (transaction) => {
      await Vetoed.upsert({ id: 11, name: 'x' }, { transaction }).catch(() => undefined);
      await Vetoed.upsert({ id: 12, name: 'new' }, { transaction });
    }),
  );
  expect(seen(entries)).toEqual([['create vetoed 12', { id: [null, 12], name: [null, 'new'] }]]);
});

test('29 nor to a row of another table in the same transaction', async () => {
  await Vetoed.bulkCreate([{ id: 21, name: 'sealed' }], { ignoreDuplicates: true });
  const entries = await entriesOf(auditLog, () =>
    sequelize.transaction(async (transaction) => {
      await Vetoed.bulkCreate([{ id: 21, name: 'x' }], { updateOnDuplicate: ['name'], transaction });
      await Status.upsert({ id: 1001, status: 'new' }, { transaction });
    }),
  );
  expect(seen(entries)).toEqual([['create status 1001', { id: [null, 1001], status: [null, 'new'] }]]);
});

const LongKey = over('long_keys', 'create table long_keys (k text primary key, n int)', {
  k: { type: TEXT, primaryKey: true },
  n: INTEGER,
});

test('39 a key of more than 1,600 random characters is recorded', async () => {
  const k = randomBytes(1300).toString('base64').slice(0, 1700);
  const entries = await entriesOf(auditLog, async () => {
    const row = await LongKey.create({ k, n: 1 });
    await row.update({ n: 2 });
  });
  expect(entries.map(({ objectPk }) => objectPk)).toEqual([k, k]);
  expect(await auditLog.LogEntry.forObject(LongKey, k)).toHaveLength(2);
});

const Ancestor = over(
  'ancestors',
  `create table ancestors (id serial primary key, name text); create table heirs (extra text, primary key (id)) inherits (ancestors)`,
  { id: serial(), name: TEXT },
);

test('28 rows of tables that inherit are recorded where the write reaches them', async () => {
  await Ancestor.create({ name: 'a' });
  await database.rows(`insert into heirs (id, name) values (77, 'h')`);
  const entries = await entriesOf(auditLog, async () => {
    await Ancestor.update({ name: 'b' }, { where: {} });
    await Ancestor.destroy({ where: {} });
  });
  expect(
    seen(entries)
      .map((each) => (each as [string])[0])
      .toSorted(),
  ).toEqual(['delete ancestors 1', 'delete ancestors 77', 'update ancestors 1', 'update ancestors 77']);
});

// --- row-level security

const Secured = over(
  'secured',
  `create table secured (id serial primary key, tenant text default current_setting('app.tenant'), name text);
   alter table secured enable row level security;
   create policy reading on secured for select using (tenant = current_setting('app.tenant'));
   create policy adding on secured for insert with check (tenant = current_setting('app.tenant'));
   create policy changing on secured for update using (tenant = current_setting('app.tenant'));
   create policy removing on secured for delete using (tenant = current_setting('app.tenant') and name <> 'kept')`,
  { id: serial(), tenant: TEXT, name: TEXT },
);
const ROLE = database.schema.slice(0, 50);

async function asTenant(tenant: string, work: (options: object) => Promise<unknown>): Promise<unknown> {
  return sequelize.transaction(async (transaction) => {
    await sequelize.query(`set local role "${ROLE}"`, { transaction });
    await sequelize.query(`set local app.tenant = '${tenant}'`, { transaction });
    return work({ transaction });
  });
}

describe('a table with row-level security', () => {
  beforeAll(async () => {
    await database.rows(`drop role if exists "${ROLE}"`);
    await database.rows(`create role "${ROLE}"`);
    await database.rows(`grant usage on schema "${database.schema}" to "${ROLE}"`);
    await database.rows(`grant select, insert, update, delete on secured to "${ROLE}"`);
    await database.rows(`grant insert on audit_log_entries to "${ROLE}"`);
    await database.rows(`grant usage on all sequences in schema "${database.schema}" to "${ROLE}"`);
  });
  afterAll(async () => {
    await database.rows(`drop owned by "${ROLE}"`);
    await database.rows(`drop role "${ROLE}"`);
  });

  test('28 leaves entries of exactly the rows that its policies let a write reach', async () => {
    await database.rows(`insert into secured (tenant, name) values ('b', 'of another'), ('a', 'kept')`);
    const entries = await entriesOf(auditLog, () =>
      asTenant('a', async (options) => {
        await Secured.create({ name: 'mine' }, { ...options, fields: ['name'] });
        await Secured.update(
          { name: literal(`name || '!'`) as never },
          { where: { name: 'mine' }, ...options },
        );
        await Secured.update({ name: 'stolen' }, { where: { tenant: 'b' }, ...options });
        await Secured.upsert({ id: 2, tenant: 'a', name: 'kept' }, options);
        await Secured.destroy({ where: {}, ...options });
      }),
    );
    expect(entries.map(({ action, changes }) => [action, changes!['name']])).toEqual([
      ['create', [null, 'mine']],
      ['update', ['mine', 'mine!']],
      ['delete', ['mine!', null]],
    ]);
  });

  test('2 refuses what its policies refuse as without auditing, and leaves no entry', async () => {
    const attempts: ((options: object) => Promise<unknown>)[] = [
      (options) => Secured.create({ tenant: 'b', name: 'x' }, options),
      (options) => Secured.update({ tenant: 'b' }, { where: {}, ...options }),
      (options) => Secured.upsert({ id: 1, tenant: 'a', name: 'x' }, options),
    ];
    const entries = await entriesOf(auditLog, async () => {
      for (const attempt of attempts) {
        const audited: unknown = await asTenant('a', attempt).catch((error: unknown) => error);
        const plain: unknown = await asTenant('a', (options) => attempt({ ...options, audit: false })).catch(
          (error: unknown) => error,
        );
        expect([(audited as Error).name, (audited as Error).message]).toEqual([
          'SequelizeDatabaseError',
          (plain as Error).message,
        ]);
      }
    });
    expect(entries).toEqual([]);
  });
});
