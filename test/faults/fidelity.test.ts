import { DataTypes, literal, type DataType, type Model, type ModelStatic, type Transaction } from 'sequelize';
import { createAuditLog, type Changes } from 'sequelize-auditlog';
import { entriesOf, entryOf } from '../support/audited';
import { testDatabase } from '../support/database';

const database = testDatabase();
const auditLog = createAuditLog(database.sequelize);

beforeAll(async () => {
  await database.open();
  for (const name of ['citext', 'hstore']) await database.createExtension(name);
  await database.rows(`
    create type mood as enum ('glad', 'sad', 'it''s "so" so');
    create type place as (x int, label text);
    create domain price as numeric(12,2) check (value >= 0);
    create domain amount as price;
    create domain age as int check (value >= 0);
    create domain years as age;
    create domain document as jsonb;
    create domain paper as document;
    create domain binary_data as bytea;
    create domain attachment as binary_data;
    create domain names as text[];
    create domain feeling as mood`);
  for (const definition of definitions) await database.rows(definition);
  await auditLog.sync();
});
afterAll(() => database.close());

const HELLO = { bytes: 2, sha256: '8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4' };
const NOTHING = { bytes: 0, sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' };

/** A column type, two values of it as SQL, and what entries hold of them. */
type Sample = readonly [type: string, first: string, stored: unknown, second: string, storedSecond: unknown];

const SAMPLES: readonly Sample[] = [
  ['timestamp', `'2024-05-06 07:08:09.123456'`, '2024-05-06T07:08:09.123456Z', `'infinity'`, 'infinity'],
  [
    'timestamptz',
    `'10000-01-02 03:04:05.000006+00'`,
    '10000-01-02 03:04:05.000006',
    `'0044-03-15 12:00:00+00 BC'`,
    '0044-03-15 12:00:00 BC',
  ],
  [
    'timestamptz(0)',
    `'9999-12-31 23:59:59+00'`,
    '9999-12-31T23:59:59.000000Z',
    `'0001-01-01 00:00:00+00'`,
    '0001-01-01T00:00:00.000000Z',
  ],
  ['date', `'12024-02-29'`, '12024-02-29', `'-infinity'`, '-infinity'],
  ['time(6)', `'24:00:00'`, '24:00:00', `'00:00:00.000001'`, '00:00:00.000001'],
  ['timetz', `'07:08:09+05:30'`, '07:08:09+05:30', `'07:08:09-00'`, '07:08:09+00'],
  ['interval', `'1 mon -2 days 03:00:00.5'`, '1 mon -2 days +03:00:00.5', `'0'`, '00:00:00'],
  ['real', `'NaN'`, 'NaN', `'1e30'`, 1e30],
  ['double precision', `'-Infinity'`, '-Infinity', `0.1::float8 + 0.2::float8`, 0.1 + 0.2],
  ['numeric', `'NaN'`, 'NaN', `'Infinity'`, 'Infinity'],
  [
    'numeric(40,20)',
    `'12345678901234567890.12345678901234567890'`,
    '12345678901234567890.12345678901234567890',
    `1`,
    '1.00000000000000000000',
  ],
  ['bigint', `'-9223372036854775808'`, '-9223372036854775808', `0`, '0'],
  ['oid', `4294967295`, '4294967295', `0`, '0'],
  ['bit(3)', `B'101'`, '101', `B'000'`, '000'],
  ['varbit', `B'1'`, '1', `B''`, ''],
  ['char(5)', `'ab'`, 'ab   ', `'abcde'`, 'abcde'],
  ['"char"', `'x'`, 'x', `'y'`, 'y'],
  ['name', `'some name'`, 'some name', `''`, ''],
  ['public.citext', `'ABC'`, 'ABC', `'abc'`, 'abc'],
  ['mood', `'it''s "so" so'`, `it's "so" so`, `'sad'`, 'sad'],
  ['inet', `'10.0.0.1'`, '10.0.0.1', `'2001:db8::1/64'`, '2001:db8::1/64'],
  ['cidr', `'10.0.0.1/32'`, '10.0.0.1/32', `'::/0'`, '::/0'],
  ['macaddr', `'08:00:2B:01:02:03'`, '08:00:2b:01:02:03', `'00:00:00:00:00:00'`, '00:00:00:00:00:00'],
  [
    'macaddr8',
    `'08:00:2b:01:02:03:04:05'`,
    '08:00:2b:01:02:03:04:05',
    `'00:00:00:00:00:00:00:00'`,
    '00:00:00:00:00:00:00:00',
  ],
  ['int4range', `'empty'`, 'empty', `'[1,5]'`, '[1,6)'],
  ['nummultirange', `'{[1,2),[3,4)}'`, '{[1,2),[3,4)}', `'{}'`, '{}'],
  ['point', `'(1,2.5)'`, '(1,2.5)', `'(NaN,0)'`, '(NaN,0)'],
  ['line', `'{1,2,3}'`, '{1,2,3}', `'{0,1,0}'`, '{0,1,0}'],
  ['lseg', `'[(0,0),(1,1)]'`, '[(0,0),(1,1)]', `'[(0,0),(2,2)]'`, '[(0,0),(2,2)]'],
  ['box', `'(1,1),(0,0)'`, '(1,1),(0,0)', `'(2,2),(0,0)'`, '(2,2),(0,0)'],
  ['path', `'[(0,0),(1,1)]'`, '[(0,0),(1,1)]', `'((0,0),(1,1))'`, '((0,0),(1,1))'],
  ['polygon', `'((0,0),(1,1),(1,0))'`, '((0,0),(1,1),(1,0))', `'((0,0))'`, '((0,0))'],
  ['circle', `'<(0,0),1>'`, '<(0,0),1>', `'<(0,0),2>'`, '<(0,0),2>'],
  ['tsvector', `'fat cat'::tsvector`, `'cat' 'fat'`, `''`, ''],
  ['tsquery', `'fat & cat'`, `'fat' & 'cat'`, `'fat'`, `'fat'`],
  ['pg_lsn', `'16/B374D848'`, '16/B374D848', `'0/0'`, '0/0'],
  ['regclass', `'pg_catalog.pg_class'`, 'pg_class', `'pg_type'`, 'pg_type'],
  ['bytea', `'hi'::bytea`, HELLO, `''`, NOTHING],
  ['json', `'{"b": [1.50, null],  "a": 1e2}'`, { b: [1.5, null], a: 100 }, `'"text"'`, 'text'],
  ['jsonb', `'{"a":{"__proto__":1}}'`, JSON.parse('{"a":{"__proto__":1}}'), `'false'`, false],
  ['place', `row(1, 'a "b", c')`, '(1,"a ""b"", c")', `row(null, null)`, '(,)'],
  ['price', `1.5`, '1.50', `0`, '0.00'],
  ['amount', `1.5`, '1.50', `2`, '2.00'],
  ['age', `7`, 7, `0`, 0],
  ['years', `7`, 7, `0`, 0],
  ['document', `'{"a": 1}'`, { a: 1 }, `'[]'`, []],
  ['paper', `'{"a": 1}'`, { a: 1 }, `'[]'`, []],
  ['attachment', `'hi'::bytea`, HELLO, `''`, NOTHING],
  ['names', `'{a,NULL,"b,c"}'`, ['a', null, 'b,c'], `'{}'`, []],
  ['feeling', `'glad'`, 'glad', `'sad'`, 'sad'],
  [
    'timestamptz[]',
    `'{infinity,"2024-05-06 07:08:09.123456+02",NULL}'`,
    ['infinity', '2024-05-06T05:08:09.123456Z', null],
    `'{}'`,
    [],
  ],
  [
    'date[]',
    `'{-infinity,2024-02-29,NULL}'`,
    ['-infinity', '2024-02-29', null],
    `'{0044-03-15 BC}'`,
    ['0044-03-15 BC'],
  ],
  [
    'date[]',
    `'{{2024-02-28,2024-02-29},{NULL,infinity}}'`,
    [
      ['2024-02-28', '2024-02-29'],
      [null, 'infinity'],
    ],
    `'{{2024-02-28}}'`,
    [['2024-02-28']],
  ],
  [
    'timestamp[]',
    `'{{{2024-01-01},{2024-01-02}}}'`,
    [[['2024-01-01T00:00:00.000000Z'], ['2024-01-02T00:00:00.000000Z']]],
    `'{2024-01-01}'`,
    ['2024-01-01T00:00:00.000000Z'],
  ],
  ['bytea[]', `array['hi'::bytea, null]`, [HELLO, null], `array[[''::bytea]]`, [[NOTHING]]],
  [
    'json[]',
    `array['{"a":1}'::json, 'null', null]`,
    [{ a: 1 }, null, null],
    `array[['1'::json, '2']]`,
    [[1, 2]],
  ],
  ['jsonb[]', `array['{"a":1}'::jsonb, 'null']`, [{ a: 1 }, null], `array[['1'::jsonb, '2']]`, [[1, 2]]],
  [
    'numeric[]',
    `'{{1.10,NaN},{NULL,-0}}'`,
    [
      ['1.10', 'NaN'],
      [null, '0'],
    ],
    `'{}'`,
    [],
  ],
  ['bigint[]', `'{{9223372036854775807},{1}}'`, [['9223372036854775807'], ['1']], `'{}'`, []],
  ['int[]', `'{{{1,2}},{{3,NULL}}}'`, [[[1, 2]], [[3, null]]], `'{}'`, []],
  ['double precision[]', `'{NaN,-Infinity,0.1}'`, ['NaN', '-Infinity', 0.1], `'{}'`, []],
  ['bool[]', `'{t,NULL,f}'`, [true, null, false], `'{}'`, []],
  [
    'text[]',
    `array[E'"\\\\,{}\\n', 'NULL', '', null]`,
    ['"\\,{}\n', 'NULL', '', null],
    `array[['a'],['b']]`,
    [['a'], ['b']],
  ],
  ['char(3)[]', `'{a,abc}'`, ['a  ', 'abc'], `'{}'`, []],
  [
    'uuid[]',
    `'{6f4f9a5a-6c22-4bd4-8f0a-2d1f2b1f0e11}'`,
    ['6f4f9a5a-6c22-4bd4-8f0a-2d1f2b1f0e11'],
    `'{}'`,
    [],
  ],
  [
    'mood[]',
    `'{{glad,sad},{sad,NULL}}'`,
    [
      ['glad', 'sad'],
      ['sad', null],
    ],
    `'{}'`,
    [],
  ],
  ['inet[]', `'{10.0.0.1,10.0.0.0/8}'`, ['10.0.0.1', '10.0.0.0/8'], `'{}'`, []],
  ['time[]', `'{07:08:09}'`, ['07:08:09'], `'{}'`, []],
  ['interval[]', `'{1 day,NULL}'`, ['1 day', null], `'{}'`, []],
  ['int4range[]', `'{"[1,2]",empty}'`, ['[1,3)', 'empty'], `'{}'`, []],
  ['point[]', `'{"(1,2)"}'`, ['(1,2)'], `'{}'`, []],
  ['box[]', `'{(1,1),(0,0);(2,2),(0,0)}'`, ['(1,1),(0,0)', '(2,2),(0,0)'], `'{}'`, []],
  ['public.citext[]', `'{A,a}'`, ['A', 'a'], `'{}'`, []],
  ['place[]', `array[row(1,'a')::place]`, ['(1,a)'], `'{}'`, []],
  ['price[]', `array[1.5::price]`, ['1.50'], `'{}'`, []],
  ['age[]', `array[7::age]`, [7], `'{}'`, []],
];

let made = 0;
const definitions: string[] = [];

/** A registered model with versions, over a table of these columns, declared as `types`. */
function bench(columns: string, types: Readonly<Record<string, DataType>>): ModelStatic<Model> {
  const name = `odd_${(made += 1)}`;
  definitions.push(`create table "${name}" (id int primary key, ${columns})`);
  const attributes = { id: { type: DataTypes.INTEGER, primaryKey: true }, ...types };
  const model = database.sequelize.define(name, attributes, { tableName: name, timestamps: false });
  auditLog.registerAudited(model, { snapshots: true });
  return model;
}

/** Every entry's pair of an attribute, with its action, oldest first. */
async function storedOf({ name }: ModelStatic<Model>, attribute: string): Promise<unknown[]> {
  const entries = await auditLog.LogEntry.forModel(name, { order: [['id', 'ASC']] });
  return entries.map(({ action, changes }) => [action, (changes as Changes)[attribute] ?? null]);
}

/** One attribute per element, named by its place. */
function byPlace<T, R>(list: readonly T[], make: (element: T) => R): Record<string, R> {
  return Object.fromEntries(list.map((element, at) => [`v${at}`, make(element)]));
}

function columnsOf(types: readonly string[]): string {
  return types.map((type, at) => `v${at} ${type}`).join(', ');
}

const Samples = bench(
  columnsOf(SAMPLES.map(([type]) => type)),
  byPlace(SAMPLES, () => DataTypes.TEXT),
);

beforeAll(async () => {
  const first = byPlace(SAMPLES, ([type, sql]) => literal(`(${sql})::${type}`));
  const second = byPlace(SAMPLES, ([type, , , sql]) => literal(`(${sql})::${type}`));
  await Samples.create({ id: 1, ...first });
  await Samples.update(first, { where: {} });
  await Samples.update(second, { where: {} });
  await Samples.upsert({ id: 1, ...second });
  await Samples.upsert({ id: 1, ...first });
  await Samples.update(
    byPlace(SAMPLES, () => null),
    { where: {} },
  );
  await Samples.bulkCreate([{ id: 2, ...second }]);
  await Samples.destroy({ where: {} });
});

const PLACED_SAMPLES = SAMPLES.map((sample, at) => [...sample, `v${at}`] as const);

test.each(PLACED_SAMPLES)(
  '41 44 a column of type %s holds %s as %j and %s as %j, in every kind of write',
  async (type, first, stored, second, storedSecond, name) => {
    expect(await storedOf(Samples, name)).toEqual([
      ['create', [null, stored]],
      ['update', [stored, storedSecond]],
      ['update', [storedSecond, stored]],
      ['update', [stored, null]],
      ['create', [null, storedSecond]],
      ['delete', null],
      ['delete', [storedSecond, null]],
    ]);
    const versions = `select ${name}::text as "text" from "${Samples.name}_history" order by history_id`;
    const texts = (await database.rows<{ text: string }>(versions)).map(({ text }) => text);
    const [row] = await database.rows<{ a: string; b: string }>(
      `select (${first})::${type}::text as a, (${second})::${type}::text as b`,
    );
    expect(texts).toEqual([row!.a, row!.b, row!.a, null, row!.b, null, row!.b]);
  },
);

/** A model type over a column of another type, with two values an application would write. */
const MISMATCHES: readonly (readonly [string, DataType, string, unknown, unknown, unknown, unknown])[] = [
  ['JSON', DataTypes.JSON, 'jsonb', { b: 1, a: [null] }, { b: 1, a: [null] }, [1], [1]],
  ['JSONB', DataTypes.JSONB, 'json', { b: 1, a: '\0' }, '{"b":1,"a":"\\u0000"}', [1], [1]],
  [
    'STRING',
    DataTypes.STRING,
    'uuid',
    '6F4F9A5A-6C22-4BD4-8F0A-2D1F2B1F0E11',
    '6f4f9a5a-6c22-4bd4-8f0a-2d1f2b1f0e11',
    null,
    null,
  ],
  ['INTEGER', DataTypes.INTEGER, 'bigint', 7, '7', 8, '8'],
  ['BIGINT', DataTypes.BIGINT, 'int', '7', 7, 8, 8],
  [
    'DATE',
    DataTypes.DATE,
    'timestamp',
    new Date('2024-05-06T07:08:09.123Z'),
    '2024-05-06T07:08:09.123000Z',
    null,
    null,
  ],
  ['DATE', DataTypes.DATE, 'date', new Date('2024-05-06T23:08:09Z'), '2024-05-06', null, null],
  [
    'DATE',
    DataTypes.DATE,
    'text',
    new Date('2024-05-06T23:08:09Z'),
    '2024-05-06 23:08:09.000 +00:00',
    null,
    null,
  ],
  ['DATEONLY', DataTypes.DATEONLY, 'timestamptz', '2024-05-06', '2024-05-06T00:00:00.000000Z', null, null],
  ['FLOAT', DataTypes.FLOAT, 'numeric', 1.5, '1.5', 2, '2'],
  ['DECIMAL', DataTypes.DECIMAL, 'double precision', '1.50', 1.5, 2, 2],
  ['TEXT', DataTypes.TEXT, 'int', '7', 7, '8', 8],
  ['TEXT', DataTypes.TEXT, 'mood', 'glad', 'glad', 'sad', 'sad'],
  ['ENUM', DataTypes.ENUM('glad', 'sad'), 'text', 'glad', 'glad', 'sad', 'sad'],
  ['TEXT', DataTypes.TEXT, 'jsonb', '{"a": 1}', { a: 1 }, '2', 2],
  ['TEXT', DataTypes.TEXT, 'inet', '10.0.0.1/32', '10.0.0.1', null, null],
  ['TEXT', DataTypes.TEXT, 'int[]', '{1,2}', [1, 2], '{}', []],
  ['TEXT', DataTypes.TEXT, 'bool', 'yes', true, 'off', false],
  ['TEXT', DataTypes.TEXT, 'bytea', '\\x6869', HELLO, '', NOTHING],
  ['INTEGER', DataTypes.INTEGER, 'text', 7, '7', 8, '8'],
  ['CHAR(2)', DataTypes.CHAR(2), 'char(5)', 'ab', 'ab   ', 'c', 'c    '],
  ['a type as text', 'numeric(10,2)', 'numeric(10,2)', '1.5', '1.50', 2, '2.00'],
];

const Mismatched = bench(`n int default 0, ${columnsOf(MISMATCHES.map(([, , column]) => column))}`, {
  n: DataTypes.INTEGER,
  ...byPlace(MISMATCHES, ([, type]) => type),
});

beforeAll(async () => {
  const first = byPlace(MISMATCHES, (each) => each[3]);
  const second = byPlace(MISMATCHES, (each) => each[5]);
  const row = await Mismatched.create({ id: 1, ...first });
  await row.update(second);
  await Mismatched.update(first, { where: { id: 1 } });
  await Mismatched.bulkCreate(
    [
      { id: 2, ...first },
      { id: 1, ...second },
    ],
    { updateOnDuplicate: Object.keys(first) },
  );
  await Mismatched.upsert({ id: 1, ...first });
  await row.increment('n');
  await Mismatched.destroy({ where: {} });
});

const PLACED_MISMATCHES = MISMATCHES.map((each, at) => [...each, `v${at}`] as const);

test.each(PLACED_MISMATCHES)(
  '41 a %s over a column that is %p %s breaks no write and is recorded by the column',
  async (...sample) => {
    const [, , , , stored, , storedSecond, name] = sample;
    const update = (from: unknown, to: unknown): unknown[] => ['update', [from, to]];
    expect(await storedOf(Mismatched, name)).toEqual([
      ['create', [null, stored]],
      update(stored, storedSecond),
      update(storedSecond, stored),
      ['create', [null, stored]],
      update(stored, storedSecond),
      update(storedSecond, stored),
      ['update', null],
      ['delete', [stored, null]],
      ['delete', [stored, null]],
    ]);
  },
);

test.each([
  [
    'uuid',
    DataTypes.STRING,
    '6f4f9a5a-6c22-4bd4-8f0a-2d1f2b1f0e11',
    '7'.repeat(8) + '-7777-4777-8777-777777777777',
  ],
  ['bigint', DataTypes.INTEGER, 7, 8],
  ['int', DataTypes.BIGINT, '7', '8'],
  ['inet', DataTypes.STRING, '10.0.0.1', '10.0.0.0/8'],
  ['inet', DataTypes.INET, '10.0.0.1', '10.0.0.0/8'],
  ['char(6)', DataTypes.CHAR(6), 'ab', 'abcdef'],
  ['numeric(10,2)', DataTypes.DECIMAL(10, 2), '1.50', '2.00'],
  ['date', DataTypes.DATEONLY, '2024-02-29', '2024-03-01'],
  ['timestamptz', DataTypes.DATE, new Date('2024-02-29T01:02:03.456Z'), new Date(0)],
  ['boolean', DataTypes.BOOLEAN, true, false],
  ['double precision', DataTypes.DOUBLE, 0.1, -2.5],
  ['mood', DataTypes.STRING, 'glad', 'sad'],
  ['text', DataTypes.TEXT, `a/b "c" \\ ' ü😀`, '["1","2"]'],
])(
  '39 a key of type %s declared as %p is found again by its instance and by its value',
  async (column, type, first, second) => {
    const name = `keyed_${(made += 1)}`;
    await database.rows(`create table "${name}" (k ${column} primary key, n int default 0)`);
    const model = database.sequelize.define(
      name,
      { k: { type, primaryKey: true }, n: DataTypes.INTEGER },
      { tableName: name, timestamps: false },
    );
    auditLog.registerAudited(model);
    await model.bulkCreate([
      { k: first, n: 0 },
      { k: second, n: 0 },
    ]);
    const row = (await model.findOne({ where: { k: first } }))!;
    await row.increment('n');
    await model.upsert({ k: first, n: 5 });
    await row.destroy();
    const actions = ['delete', 'update', 'update', 'create'];
    expect((await auditLog.LogEntry.forObject(row)).map(({ action }) => action)).toEqual(actions);
    expect((await auditLog.LogEntry.forObject(model, first)).map(({ action }) => action)).toEqual(actions);
    expect((await auditLog.LogEntry.forObject(model, second)).map(({ action }) => action)).toEqual([
      'create',
    ]);
  },
);

const Pairs = bench('v public.hstore, w public.hstore[]', { v: DataTypes.TEXT, w: DataTypes.TEXT });

test('41 hstore, which Sequelize reads only by another package, is recorded as its text', async () => {
  const table = Pairs.getTableName() as string;
  const work = async () => {
    await database.sequelize.query(
      `insert into "${table}" values (1, 'a=>1, "b c"=>NULL', array['x=>y'::public.hstore])`,
    );
    await database.sequelize.query(`update "${table}" set v = 'a=>1', w = '{}'`);
  };
  const [created, updated] = await entriesOf(auditLog, work);
  expect(created!.changes).toMatchObject({ v: [null, '"a"=>"1", "b c"=>NULL'], w: [null, ['"x"=>"y"']] });
  expect(updated!.changes).toEqual({ v: ['"a"=>"1", "b c"=>NULL', '"a"=>"1"'], w: [['"x"=>"y"'], []] });
});

test('33 41 generated and identity columns are what the database made of them', async () => {
  const virtual = database.serverMajor >= 18 ? `, twice int generated always as (base * 2) virtual` : '';
  const name = `made_${(made += 1)}`;
  await database.rows(`create table "${name}" (id int generated always as identity primary key, base int, text text,
    doubled int generated always as (base * 2) stored, lower_text text generated always as (lower(text)) stored${virtual},
    serial_number bigint generated by default as identity (start 9007199254740993))`);
  const { INTEGER, TEXT, BIGINT } = DataTypes;
  const extra = virtual === '' ? {} : { twice: INTEGER };
  const attributes = {
    id: { type: INTEGER, primaryKey: true, autoIncrement: true },
    base: INTEGER,
    text: TEXT,
    doubled: INTEGER,
    lower_text: TEXT,
    serial_number: BIGINT,
    ...extra,
  };
  const model = database.sequelize.define(name, attributes, { tableName: name, timestamps: false });
  const handle = auditLog.registerAudited(model, { snapshots: true });
  await auditLog.sync();
  const created = await entryOf(auditLog, () =>
    model.create({ base: 2, text: 'ABC' }, { fields: ['base', 'text'] }),
  );
  const updated = await entryOf(auditLog, () => model.update({ base: 5 }, { where: {} }));
  const twice = virtual === '' ? {} : { twice: [null, 4] };
  expect(created.changes).toEqual({
    id: [null, 1],
    base: [null, 2],
    text: [null, 'ABC'],
    doubled: [null, 4],
    lower_text: [null, 'abc'],
    serial_number: [null, '9007199254740993'],
    ...twice,
  });
  expect(updated.changes).toEqual({
    base: [2, 5],
    doubled: [4, 10],
    ...(virtual === '' ? {} : { twice: [4, 10] }),
  });
  const [version] = await handle.versions(1);
  expect(version!.get()).toMatchObject({
    base: 5,
    doubled: 10,
    lower_text: 'abc',
    serial_number: '9007199254740993',
  });
});

const Nulls = bench('v jsonb, w json', { v: DataTypes.JSONB, w: DataTypes.JSON });

test('41 a JSON null is null, as it is in JavaScript, whichever way it comes and goes', async () => {
  const row = await Nulls.create({ id: 1, v: literal(`'null'`), w: literal(`'null'`) });
  const work = async () => {
    await Nulls.update({ v: null, w: null }, { where: {} });
    await Nulls.update({ v: literal(`'null'`), w: literal(`'null'`) }, { where: {} });
  };
  expect(await entriesOf(auditLog, work)).toEqual([]);
  const entry = await entryOf(auditLog, () => row.update({ v: { a: null }, w: [null] }));
  expect(entry.changes).toEqual({ v: [null, { a: null }], w: [null, [null]] });
});

const Instants = bench('v timestamptz, w timestamp, d date', {
  v: DataTypes.DATE,
  w: DataTypes.DATE,
  d: DataTypes.DATEONLY,
});

test.each(['America/New_York', 'Indian/Chagos', 'Pacific/Apia'])(
  '47 a process in %s records the same instants',
  async (zone) => {
    const before = process.env['TZ'];
    process.env['TZ'] = zone;
    try {
      // In New York the clock goes back in this hour.
      const at = new Date('2024-11-03T05:30:00.001Z');
      const entry = await entryOf(auditLog, () =>
        Instants.create({ id: zone.codePointAt(0), v: at, w: at, d: '2024-11-03' }),
      );
      const iso = '2024-11-03T05:30:00.001000Z';
      expect(entry.changes).toEqual({
        id: [null, zone.codePointAt(0)],
        v: [null, iso],
        w: [null, iso],
        d: [null, '2024-11-03'],
      });
    } finally {
      if (before === undefined) delete process.env['TZ'];
      else process.env['TZ'] = before;
    }
  },
);

test('47 another date style, interval style and session time zone change no entry', async () => {
  const settings = `-c datestyle=SQL,DMY -c intervalstyle=iso_8601 -c bytea_output=escape -c search_path=${database.schema}`;
  const other = database.createSequelize({
    timezone: '+05:30',
    dialectOptions: { options: settings },
  });
  const log = createAuditLog(other);
  await database.rows(
    'create table styled (id int primary key, v timestamptz, d date, b bytea, a timestamptz[])',
  );
  const { DATE, DATEONLY, BLOB, ARRAY, INTEGER } = DataTypes;
  const model = other.define(
    'styled',
    { id: { type: INTEGER, primaryKey: true }, v: DATE, d: DATEONLY, b: BLOB, a: ARRAY(DATE) },
    { tableName: 'styled', timestamps: false },
  );
  log.registerAudited(model);
  const [one, two] = [new Date('2024-05-06T07:08:09.123Z'), new Date('2024-05-07T07:08:09.123Z')];
  const [isoOne, isoTwo] = ['2024-05-06T07:08:09.123000Z', '2024-05-07T07:08:09.123000Z'];
  const created = await entryOf(log, () =>
    model.upsert({ id: 1, v: one, d: '2024-05-06', b: Buffer.from('hi'), a: [one] }),
  );
  const updated = await entryOf(log, () =>
    model.upsert({ id: 1, v: two, d: '2024-06-05', b: Buffer.alloc(0), a: [two] }),
  );
  expect(created.changes).toEqual({
    id: [null, 1],
    v: [null, isoOne],
    d: [null, '2024-05-06'],
    b: [null, HELLO],
    a: [null, [isoOne]],
  });
  expect(updated.changes).toEqual({
    v: [isoOne, isoTwo],
    d: ['2024-05-06', '2024-06-05'],
    b: [HELLO, NOTHING],
    a: [[isoOne], [isoTwo]],
  });
});

const Equals = bench('n numeric, t public.citext, j jsonb, f double precision, p point, z text collate "C"', {
  n: DataTypes.DECIMAL,
  t: DataTypes.TEXT,
  j: DataTypes.JSONB,
  f: DataTypes.DOUBLE,
  p: DataTypes.TEXT,
  z: DataTypes.TEXT,
});

test('42 what is equal in value is no change, what differs in text is', async () => {
  await Equals.create({ id: 1, n: '1.0', t: 'a', j: { a: 1, b: 2 }, f: 0, p: '(1,2)', z: 'é' });
  const same = () =>
    Equals.update(
      { n: literal('1.0'), t: 'a', j: { b: 2, a: 1 }, f: literal(`'-0'`), p: '( 1 , 2 )', z: 'é' },
      { where: {} },
    );
  expect(await entriesOf(auditLog, same)).toEqual([]);
  const other = await entryOf(auditLog, () =>
    Equals.update({ n: literal('1.00'), t: 'A', z: 'e\u0301' }, { where: {} }),
  );
  expect(other.changes).toEqual({ n: ['1.0', '1.00'], t: ['a', 'A'], z: ['é', 'e\u0301'] });
});

const Bounds = bench('a int[], d date[], j jsonb[]', {
  a: DataTypes.ARRAY(DataTypes.INTEGER),
  d: DataTypes.ARRAY(DataTypes.DATEONLY),
  j: DataTypes.ARRAY(DataTypes.JSONB),
});

test('42 an array that begins at another place is no change: neither JSON nor Sequelize knows of places', async () => {
  const values = (place: string) => ({
    a: literal(`'${place}{1,2}'`),
    d: literal(`'${place}{2024-02-29,2024-03-01}'`),
    j: literal(`'${place}{1,NULL}'`),
  });
  await Bounds.create({ id: 1, ...values('') });
  expect(await entriesOf(auditLog, () => Bounds.update(values('[0:1]='), { where: {} }))).toEqual([]);
  const entry = await entryOf(auditLog, () => Bounds.update({ a: literal(`'[0:1]={1,3}'`) }, { where: {} }));
  expect(entry.changes).toEqual({
    a: [
      [1, 2],
      [1, 3],
    ],
  });
});

test('41 a column that is widened needs no change of its history, which holds what the table holds', async () => {
  // By itself, so that check() looks at nothing else.
  const other = database.createSequelize();
  const log = createAuditLog(other);
  await database.rows(
    'create table widened (id int primary key, v varchar(3), n numeric(5,2), c char(3), b bit(3), o varchar(3))',
  );
  const { INTEGER, STRING, DECIMAL, CHAR, TEXT } = DataTypes;
  const model = other.define(
    'Widened',
    {
      id: { type: INTEGER, primaryKey: true },
      v: STRING(3),
      n: DECIMAL(5, 2),
      c: CHAR(3),
      b: TEXT,
      o: STRING(3),
    },
    { tableName: 'widened', timestamps: false },
  );
  log.registerAudited(model, { snapshots: true });
  await log.sync();
  await model.create({ id: 1, v: 'abc', n: '1.5', c: 'a', b: literal(`b'101'`) });
  await database.rows(`alter table widened alter v type varchar(9), alter n type numeric(9,4), alter c type char(9),
    alter b type bit(9) using b::bit(9), alter o type varchar(9)`);
  await model.update({ v: 'abcdefghi', n: '12345.6789', c: 'abcdefgh' }, { where: {} });
  const texts = `v, n::text, to_json(c)::text as c, b::text`;
  const [now] = await database.rows(`select ${texts} from widened`);
  const versions = await database.rows(`select ${texts} from widened_history order by history_id`);
  expect(versions).toEqual([{ v: 'abc', n: '1.50', c: '"a  "', b: '101' }, now]);
  expect((await log.check()).findings).toEqual([]);
  await database.rows(
    `alter table widened_history alter o type varchar(9), alter v type varchar(3) using left(v, 3)`,
  );
  expect((await log.check()).findings).toEqual([
    expect.objectContaining({ code: 'column_type', message: expect.stringContaining('"v"') as string }),
  ]);
});

test('a history column of a type that can’t hold the value fails the write by a code', async () => {
  const table = `${Equals.name}_history`;
  await database.rows(`alter table "${table}" alter z type int using null`);
  const work = (transaction: Transaction | null = null) =>
    Equals.create({ id: 2, z: 'text' }, { transaction });
  for (const attempt of [() => work(), () => database.sequelize.transaction(work)])
    await expect(attempt()).rejects.toMatchObject({
      code: 'ERR_AUDIT_MISSING_COLUMN',
      message: expect.stringContaining(`"${table}" has another type`) as string,
    });
  const own = database.sequelize.query(`insert into "${Equals.name}" (id, n) select 3, 'x'::text`);
  await expect(own).rejects.toMatchObject({ name: 'SequelizeDatabaseError', parent: { code: '42804' } });
});
