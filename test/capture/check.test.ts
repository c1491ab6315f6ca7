import { isDeepStrictEqual } from 'node:util';
import { DataTypes } from 'sequelize';
import { createAuditLog } from 'sequelize-auditlog';
import { testDatabase } from '../support/database';

const database = testDatabase();
const { sequelize } = database;
const auditLog = createAuditLog(sequelize);
const Order = sequelize.define('Order', {
  status: DataTypes.TEXT,
  apiKey: DataTypes.TEXT,
  pin: DataTypes.TEXT,
  notes: DataTypes.TEXT,
  loud: DataTypes.VIRTUAL,
});
const Item = sequelize.define('Item', { name: DataTypes.TEXT });
const Label = sequelize.define('Label', { name: DataTypes.TEXT });
Order.hasMany(Item, { onDelete: 'CASCADE' });
Order.hasMany(Label, { onDelete: 'SET NULL' });
Order.belongsToMany(Label, { through: 'OrderLabels' });

beforeAll(async () => {
  await database.open();
  await sequelize.sync();
  auditLog.registerAudited(Order, {
    snapshots: true,
    exclude: ['notes'],
    mask: ['pin'],
    actions: ['update', 'delete'],
  });
  auditLog.registerAudited(Item);
});
afterAll(() => database.close());

const codes = async (): Promise<string[]> =>
  (await auditLog.check()).findings.map(({ code, model }) => [code, model].filter(Boolean).join(' '));

test('check finds missing tables, and nothing after sync', async () => {
  expect(await codes()).toEqual(['missing_table', 'missing_table Order']);
  await expect(auditLog.check({ throw: true })).rejects.toMatchObject({
    code: 'ERR_AUDIT_CHECK_FAILED',
    message: expect.stringContaining('audit_log_entries'),
  });
  await auditLog.sync();
  expect(await auditLog.check()).toEqual({ ok: true, findings: [] });
});

/** Forms of raw SQL that `coverage()` names. */
const RAW_SQL = [
  `update "Items" i set name = 'a'`,
  `update "Items" set name = u.name from (select 'b' as name) u`,
  `update only "Items" set name = 'c'`,
  `update "Items" set name = 'd' returning upper(name)`,
  `update "Items" set name = 'e'; update "Items" set name = 'f'`,
  `insert into "Items" (id, "createdAt", "updatedAt") select id, now(), now() from "Items" on conflict (id) do update set name = 'g' where true`,
  `with w as (update "Items" set name = 'h' returning id) select id from w`,
  `merge into "Items" using (select 1) s on true when matched then update set name = 'i'`,
  `do $$ begin update "Items" set name = 'j'; end $$`,
  `explain analyze update "Items" set name = 'k'`,
  `prepare renaming as update "Items" set name = 'l'; execute renaming`,
  `delete from "Items" using (select 1) u`,
  `truncate "Items", "OrderLabels"`,
];
const UNSEEN = ['select rename_items()', `update items_view set name = 'n'`];
const DEFINITIONS = [`alter table "Items" alter column name type text using 'o'`];

interface RawWrite {
  readonly sql: string;
  readonly hasChanged: boolean;
  readonly isRecorded: boolean;
  readonly isWarnedOf: boolean;
}

/** What raw SQL does over one item. */
async function runRaw(sql: string): Promise<RawWrite> {
  const image = (): Promise<object[]> => database.rows('select * from "Items"');
  const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  await Item.create({ name: 'old' }, { audit: false });
  const [entries, before] = [await auditLog.LogEntry.count(), await image()];
  await sequelize.query(sql);
  const isRecorded = (await auditLog.LogEntry.count()) > entries;
  const isWarnedOf = warn.mock.calls.length > 0;
  warn.mockRestore();
  return { sql, hasChanged: !isDeepStrictEqual(before, await image()), isRecorded, isWarnedOf };
}

test('what coverage says of raw SQL is so', async () => {
  await database.rows('create view items_view as select * from "Items"');
  await database.rows(`create function rename_items() returns void language sql begin atomic;
    update "Items" set name = 'm'; end`);
  const seen: RawWrite[] = [];
  for (const sql of [...RAW_SQL, ...UNSEEN]) seen.push(await runRaw(sql));
  await database.rows('drop view items_view; drop function rename_items');
  for (const sql of DEFINITIONS) seen.push(await runRaw(sql));
  const expected = (isWarnedOf: boolean, statements: readonly string[]): RawWrite[] =>
    statements.map((sql) => ({ sql, hasChanged: true, isRecorded: false, isWarnedOf }));
  expect(seen).toEqual([...expected(true, RAW_SQL), ...expected(false, [...UNSEEN, ...DEFINITIONS])]);
});

test('check names what has drifted', async () => {
  await database.rows('drop index audit_log_entries_actor');
  await database.rows('alter table "Orders_history" drop column status, alter column "createdAt" type text');
  await database.rows('alter table "Items" drop column name');
  await database.rows('alter table "Orders" enable row level security');
  expect((await codes()).toSorted()).toEqual(
    [
      'missing_index',
      'row_security Order',
      'missing_column Order',
      'column_type Order',
      'missing_column Item',
    ].toSorted(),
  );
});

test('coverage says what is recorded of each model and what is not', async () => {
  await database.rows('create rule silent as on delete to "Items" do instead nothing');
  const coverage = await auditLog.coverage();
  expect(coverage.map(({ model, registered }) => [model, registered])).toEqual([
    ['Item', true],
    ['Label', false],
    ['Order', true],
    ['OrderLabels', false],
  ]);
  expect(coverage[2]).toEqual({
    model: 'Order',
    table: 'Orders',
    registered: true,
    modelName: 'Order',
    snapshots: true,
    actions: ['update', 'delete'],
    tracked: ['id', 'status', 'apiKey', 'pin', 'createdAt', 'updatedAt'],
    untracked: ['notes'],
    masked: ['apiKey', 'pin'],
    maskedByPattern: ['apiKey'],
    cascades: [
      { constraint: 'Items_OrderId_fkey', table: 'Items', onDelete: 'cascade', recorded: true },
      { constraint: 'Labels_OrderId_fkey', table: 'Labels', onDelete: 'set null', recorded: false },
      { constraint: 'OrderLabels_OrderId_fkey', table: 'OrderLabels', onDelete: 'cascade', recorded: false },
    ],
    notRecorded: expect.any(Array) as object,
  });
  const codesOf = (at: number): string[] => coverage[at]!.notRecorded.map(({ code }) => code);
  const always = ['raw_sql', 'unseen_raw_sql', 'other_programs', 'triggers', 'definitions'];
  const own = ['untracked_attributes', 'virtual_attributes', 'untracked_actions', 'untracked_links'];
  expect(codesOf(2)).toEqual([...always, ...own, 'switched_off', 'reads']);
  expect(codesOf(1)).toEqual(['unregistered_models']);
  expect(codesOf(0)).toEqual([...always, 'switched_off', 'rewrite_rules', 'reads']);
  expect(coverage[1]!.notRecorded[0]).toEqual({
    code: 'unregistered_models',
    message: 'Writes of a model that is not registered.',
    advice: expect.stringContaining('registerAll()') as string,
  });
});
