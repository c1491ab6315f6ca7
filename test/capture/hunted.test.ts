import { DataTypes, Op, type ModelAttributes, type ModelStatic, type Model, type Sequelize } from 'sequelize';
import { createAuditLog, type AuditLog } from 'sequelize-auditlog';
import { testDatabase } from '../support/database';
import { matrix } from '../support/matrix';

const database = testDatabase();
const { sequelize } = database;
const auditLog = createAuditLog(sequelize);
/** The application's tables with names that nobody quotes. */
const unquoted = database.createSequelize({ quoteIdentifiers: false });
const unquotedLog = createAuditLog(unquoted, { tableName: 'unquoted_log' });

const { INTEGER, TEXT } = DataTypes;
const key = (type: typeof INTEGER | typeof TEXT = INTEGER): { type: typeof type; primaryKey: true } => ({
  type,
  primaryKey: true,
});

beforeAll(async () => {
  await database.open();
  await auditLog.sync();
  await unquotedLog.sync();
});
afterAll(() => database.close());

function define(name: string, attributes: ModelAttributes, on: Sequelize = sequelize): ModelStatic<Model> {
  return on.define(name, attributes, { tableName: name, timestamps: false });
}

async function entriesOf(model: string, { LogEntry }: AuditLog = auditLog): Promise<unknown[]> {
  const entries = await LogEntry.forModel(model, { order: [['id', 'ASC']] });
  return entries.map(({ action, objectPk, changes, additionalData }) =>
    additionalData ? [action, objectPk, changes, additionalData] : [action, objectPk, changes],
  );
}

const moved = (from: string, to: string): unknown[] => [
  ['delete', from, { slug: [from, null], title: [from.toUpperCase(), null] }, { movedTo: to }],
  ['create', to, { slug: [null, to], title: [null, to.toUpperCase()] }, { movedFrom: from }],
];

const SLUG = `create function slug() returns trigger language plpgsql as $$
  begin new.slug := lower(new.title); return new; end $$`;

test.each([
  [
    'a trigger sets',
    `create table triggered (slug text primary key, title text); ${SLUG};
     create trigger slug before insert or update on triggered for each row execute function slug()`,
    'triggered',
  ],
  [
    'PostgreSQL computes',
    'create table computed (slug text generated always as (lower(title)) stored primary key, title text)',
    'computed',
  ],
])('a key that %s ends one object and begins another', async (_, ddl, table) => {
  await database.rows(ddl);
  const Page = define(table, { slug: key(TEXT), title: TEXT });
  auditLog.registerAudited(Page);
  await sequelize.query(`insert into ${table} (title) values ('A')`);
  expect(await Page.update({ title: 'B' }, { where: { slug: 'a' } })).toEqual([1]);
  await Page.update({ title: 'C' }, { where: { slug: 'b' }, returning: true });
  const created = ['create', 'a', { slug: [null, 'a'], title: [null, 'A'] }];
  expect(await entriesOf(table)).toEqual([created, ...moved('a', 'b'), ...moved('b', 'c')]);
});

test('a key that an INSTEAD OF trigger changes ends one object and begins another', async () => {
  await database.rows(`create table hidden (slug text primary key, title text); insert into hidden values ('a', 'A');
    create view shown as select slug, title from hidden;
    create function through() returns trigger language plpgsql as $$ begin
      update hidden set slug = lower(new.title), title = new.title where slug = old.slug;
      new.slug := lower(new.title); return new; end $$;
    create trigger through instead of update on shown for each row execute function through()`);
  const Shown = define('shown', { slug: key(TEXT), title: TEXT });
  auditLog.registerAudited(Shown);
  await Shown.update({ title: 'B' }, { where: { slug: 'a' } });
  expect(await entriesOf('shown')).toEqual(moved('a', 'b'));
});

test('a key that is equal to what it was but another text ends one object and begins another', async () => {
  await database.createExtension('citext');
  await database.rows('create table labels (id public.citext primary key, n int)');
  const Label = define('labels', { id: key(TEXT), n: INTEGER });
  auditLog.registerAudited(Label);
  await Label.create({ id: 'one', n: 1 });
  await Label.update({ id: 'One' }, { where: { id: 'one' } });
  await sequelize.query(
    `insert into labels values ('ONE', 2) on conflict (id) do update set id = excluded.id, n = excluded.n`,
  );
  expect((await entriesOf('labels')).slice(1)).toEqual([
    ['delete', 'one', { id: ['one', null], n: [1, null] }, { movedTo: 'One' }],
    ['create', 'One', { id: [null, 'One'], n: [null, 1] }, { movedFrom: 'one' }],
    ['delete', 'One', { id: ['One', null], n: [1, null] }, { movedTo: 'ONE' }],
    ['create', 'ONE', { id: [null, 'ONE'], n: [null, 2] }, { movedFrom: 'One' }],
  ]);
});

test('names that PostgreSQL cuts at 63 bytes, and quotes that Sequelize takes out', async () => {
  const long = `${'n'.repeat(61)}äöü`;
  const Odd = define('odd"names', { id: key(), [long]: TEXT, 'a"b': TEXT });
  const odd = auditLog.registerAudited(Odd, { snapshots: true });
  await Odd.sync();
  await auditLog.sync();
  await Odd.create({ id: 1, [long]: 'x', 'a"b': 'y' });
  await Odd.update({ [long]: 'z', 'a"b': 'w' }, { where: { id: 1 } });
  expect(await entriesOf('odd"names')).toEqual([
    ['create', '1', { id: [null, 1], [long]: [null, 'x'], 'a"b': [null, 'y'] }],
    ['update', '1', { [long]: ['x', 'z'], 'a"b': ['y', 'w'] }],
  ]);
  const stored = await database.rows(`select * from "${odd.Snapshot.tableName}" order by history_id`);
  expect(stored).toMatchObject([
    { [`${'n'.repeat(61)}ä`]: 'x', ab: 'y' },
    { [`${'n'.repeat(61)}ä`]: 'z', ab: 'w' },
  ]);
});

test('with quoteIdentifiers: false, capitals in names are small in the database', async () => {
  const Order = define('UserOrder', { orderId: key(), shipTo: TEXT, user: TEXT }, unquoted);
  const Item = define('OrderItem', { itemId: key() }, unquoted);
  Order.hasMany(Item, { foreignKey: { name: 'orderRef', field: 'OrderRef' }, onDelete: 'CASCADE' });
  const orders = unquotedLog.registerAudited(Order, { snapshots: true });
  unquotedLog.registerAudited(Item);
  await unquoted.sync();
  await unquotedLog.sync();
  await Order.create({ orderId: 1, shipTo: 'a', user: 'u' });
  await Order.update({ shipTo: 'b' }, { where: { orderId: 1 } });
  await Order.upsert({ orderId: 1, shipTo: 'c' });
  await Item.create({ itemId: 5, orderRef: 1 });
  await Order.destroy({ where: { shipTo: 'c' } });
  expect(await entriesOf('UserOrder', unquotedLog)).toEqual([
    ['create', '1', { orderId: [null, 1], shipTo: [null, 'a'], user: [null, 'u'] }],
    ['update', '1', { shipTo: ['a', 'b'] }],
    ['update', '1', { shipTo: ['b', 'c'] }],
    ['delete', '1', { orderId: [1, null], shipTo: ['c', null], user: ['u', null] }],
  ]);
  expect((await entriesOf('OrderItem', unquotedLog)).at(-1)).toEqual([
    'delete',
    '5',
    { itemId: [5, null], orderRef: [1, null] },
  ]);
  expect((await orders.versions([1])).map((version) => version.get('shipTo'))).toEqual(['c', 'c', 'b', 'a']);
});

test('a column that is asked for and missing is named as without auditing', async () => {
  const Asked = define('asked', { id: key(), n: INTEGER });
  auditLog.registerAudited(Asked);
  await Asked.sync();
  const update = (audit: object): Promise<string> =>
    Asked.update({ n: 1 }, { where: { id: 1 }, returning: ['nowhere'] as never, ...audit }).then(
      () => 'no error',
      (error: Error) => error.message,
    );
  expect(await update({})).toBe(await update({ audit: false }));
});

test('an update of one row that waits for another is dated after it', async () => {
  const Waiting = define('waiting', { id: key(), a: TEXT });
  auditLog.registerAudited(Waiting);
  await Waiting.sync();
  const row = await Waiting.create({ id: 1, a: 'a' });
  const holder = await sequelize.transaction();
  await Waiting.update({ a: 'b' }, { where: { id: 1 }, transaction: holder });
  const later = row.update({ a: 'c' });
  const isWaiting = `select count(*)::int as n from pg_stat_activity where wait_event_type = 'Lock' and query like '%"waiting"%'`;
  while ((await database.rows<{ n: number }>(isWaiting))[0]?.n === 0);
  const [{ at }] = (await database.rows<{ at: Date }>('select clock_timestamp() as at')) as [{ at: Date }];
  await holder.commit();
  await later;
  const [last] = await auditLog.LogEntry.forModel('waiting');
  expect(last).toMatchObject({ changes: { a: ['b', 'c'] } });
  expect(last!.timestamp.getTime()).toBeGreaterThanOrEqual(at.getTime());
});

test('a bulk update that joins its locked rows is planned each time: its table may have grown', async () => {
  const alone = database.createSequelize({ pool: { max: 1 } });
  const log = createAuditLog(alone);
  const Grown = define('grown', { id: key(), a: TEXT, b: TEXT }, alone);
  log.registerAudited(Grown);
  await Grown.sync();
  for (const id of [1, 2, 3]) await Grown.create({ id, a: 'a', b: 'b' });
  const some = alone.literal('(select "id" from "grown")');
  for (const b of ['c', 'd', 'e']) await Grown.update({ b }, { where: { id: { [Op.in]: some } } });
  for (const b of ['f', 'g', 'h']) await Grown.update({ b }, { where: { id: 1 } });
  const [named] = await alone.query(
    `select statement from pg_prepared_statements where statement ilike '%update "grown"%'`,
  );
  const isBulk = (text: string): boolean => !/"id" = \$/.test(text);
  const texts = (named as { statement: string }[]).map(({ statement }) => statement);
  expect(texts.filter((text) => !isBulk(text))).toHaveLength(1);
  expect(texts.filter(isBulk)).toHaveLength(matrix.postgresql >= 18 ? 1 : 0);
});

/** Its plan alone takes most of a second. */
const heavily = process.env['FULL'] === '1' ? describe : describe.skip;

heavily('many columns', () => {
  test('a table of as many columns as two images of a row may have', async () => {
    const names = Array.from({ length: 600 }, (_, at) => `c${at}`);
    const Wide = define('wide', { id: key(), ...Object.fromEntries(names.map((name) => [name, INTEGER])) });
    auditLog.registerAudited(Wide, { actions: ['update'] });
    await Wide.sync();
    await database.rows('insert into wide (id) values (1)');
    const [, [wide]] = await Wide.update({ c9: 1 }, { where: { id: 1 }, returning: true });
    expect(wide?.get('c9')).toBe(1);
    expect(await entriesOf('wide')).toEqual([['update', '1', { c9: [null, 1] }]]);
  });
});

describe('a trigger that another process creates meanwhile', () => {
  const shout = (table: string): string[] => [
    `create or replace function shout() returns trigger language plpgsql as $$ begin new.b := upper(new.a); return new; end $$`,
    `create trigger shout before update on ${table} for each row execute function shout()`,
  ];

  async function watched(name: string): Promise<Model> {
    const Watched = define(name, { id: key(), a: TEXT, b: TEXT });
    await Watched.sync();
    auditLog.registerAudited(Watched);
    const row = await Watched.create({ id: 1, a: 'a', b: 'b' });
    await row.update({ a: 'x' });
    return row;
  }

  test('is noticed by what it does, and the update is made with all columns compared', async () => {
    const row = await watched('watched');
    for (const sql of shout('watched')) await unquoted.query(sql);
    await row.update({ a: 'y' });
    expect((await entriesOf('watched')).at(-1)).toEqual(['update', '1', { a: ['x', 'y'], b: ['b', 'Y'] }]);
  });

  test('fails a transaction once, as a whole', async () => {
    const row = await watched('watched2');
    for (const sql of shout('watched2')) await unquoted.query(sql);
    const change = (): Promise<unknown> =>
      sequelize.transaction((transaction) => row.update({ a: 'y' }, { transaction }));
    await expect(change()).rejects.toMatchObject({ code: 'ERR_AUDIT_STALE_STATEMENT' });
    expect((await row.reload()).get()).toEqual({ id: 1, a: 'x', b: 'b' });
    await change();
    expect((await entriesOf('watched2')).slice(2)).toEqual([
      ['update', '1', { a: ['x', 'y'], b: ['b', 'Y'] }],
    ]);
  });

  test('on a partition, where the catalogue of the table does not show it, is known from its first row on', async () => {
    const Parted = define('parted', { id: key(), a: TEXT, b: TEXT });
    await unquoted.query('create table parted (id int primary key, a text, b text) partition by range (id)');
    await unquoted.query('create table parted_1 partition of parted for values from (1) to (9)');
    for (const sql of shout('parted_1')) await unquoted.query(sql);
    auditLog.registerAudited(Parted);
    await Parted.bulkCreate([1, 2].map((id) => ({ id, a: 'a', b: 'b' })));
    await Parted.update({ a: 'x' }, { where: {} });
    const pair = { a: ['a', 'x'], b: ['b', 'X'] };
    expect((await entriesOf('parted')).slice(2)).toEqual([
      ['update', '1', pair],
      ['update', '2', pair],
    ]);
  });
});
