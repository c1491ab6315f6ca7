import { isDeepStrictEqual } from 'node:util';
import { DataTypes, Model } from 'sequelize';
import { createAuditLog, type CheckFinding } from 'sequelize-auditlog';
import { createHistoryTable } from 'sequelize-auditlog/migrations';
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

/** The one finding after `sql`, which `undo` takes back. */
async function findingAfter(sql: string, undo: string): Promise<CheckFinding> {
  await database.rows(sql);
  const { findings } = await auditLog.check();
  await database.rows(undo);
  expect(findings.map(({ code }) => code)).toHaveLength(1);
  return findings[0]!;
}

const LOG = 'audit_log_entries';
const invalidate = (isValid: boolean): string =>
  `update pg_index set indisvalid = ${isValid} where indexrelid = '${LOG}_actor'::regclass`;

test.each([
  [
    'missing_index',
    /"audit_log_entries_time".*sequelize-auditlog migrate/,
    `drop index ${LOG}_time`,
    `create index ${LOG}_time on ${LOG} ("timestamp", "id")`,
  ],
  ['invalid_index', /drop index .*"audit_log_entries_actor"; then run/, invalidate(false), invalidate(true)],
  ['unlogged_table', /set logged/, `alter table ${LOG} set unlogged`, `alter table ${LOG} set logged`],
  [
    'column_type',
    /"changes" as json,.*jsonb/,
    `alter table ${LOG} alter column changes type json`,
    `alter table ${LOG} alter column changes type jsonb`,
  ],
  [
    'required_column',
    /"tenant"/,
    `alter table ${LOG} add column tenant text not null`,
    `alter table ${LOG} drop column tenant`,
  ],
  [
    'foreign_key',
    /refers to "Items".*drop constraint "to_items"/,
    `alter table ${LOG} add constraint to_items foreign key (remote_port) references "Items" (id)`,
    `alter table ${LOG} drop constraint to_items`,
  ],
  [
    'foreign_key',
    /is referred to by "notes"/,
    `create table notes (entry bigint references ${LOG} (id))`,
    'drop table notes',
  ],
  [
    'missing_column',
    /lacks the column "history_user_id"/,
    `alter table "Orders_history" drop column history_user_id`,
    `alter table "Orders_history" add column history_user_id text`,
  ],
])('check finds %s and says what to do: %s', async (code, advice, sql, undo) => {
  const finding = await findingAfter(sql, undo);
  expect([finding.code, finding.message]).toEqual([code, expect.stringMatching(advice)]);
});

test('119: what a newer version may have added is no finding, and writes go on', async () => {
  await database.rows(
    `alter table ${LOG} add column newer text, add column filled integer not null default 1`,
  );
  await database.rows('alter table "Orders_history" add column newer text');
  expect((await auditLog.check()).findings).toEqual([]);
  const [order, before] = [await Order.create({ status: 'new' }), await auditLog.LogEntry.count()];
  await order.update({ status: 'newer' });
  expect((await auditLog.audited(Order).versions(order)).map(({ status }) => status as string)).toEqual([
    'newer',
  ]);
  expect(await auditLog.LogEntry.count()).toBe(before + 1);
  await database.rows(`alter table ${LOG} drop column newer, drop column filled`);
  await database.rows('alter table "Orders_history" drop column newer');
});

test('119: what an older version has not created yet is a finding, and writes go on', async () => {
  await database.rows(`drop index ${LOG}_pruned, "Orders_history_time"`);
  await database.rows('alter table "Orders_history" drop column pin');
  expect((await codes()).toSorted()).toEqual([
    'missing_column Order',
    'missing_index',
    'missing_index Order',
  ]);
  const order = await Order.create({ status: 'old', pin: '1234' });
  await order.update({ status: 'older' });
  expect((await auditLog.audited(Order).entries(order)).map(({ action }) => action)).toEqual(['update']);
  await auditLog.sync();
  expect(await codes()).toEqual([]);
});

test('121: check tells which privileges the role of the connection lacks', async () => {
  const role = `${database.schema}_app`;
  const as = database.createSequelize({
    dialectOptions: { options: `-c search_path=${database.schema} -c role=${role}` },
  });
  const theirs = createAuditLog(as);
  const Note = as.define('Note', { text: DataTypes.TEXT }, { timestamps: false });
  theirs.registerAudited(Note, { snapshots: true });
  await database.rows('create table "Notes" (id integer primary key, text text)');
  await createHistoryTable(sequelize.getQueryInterface(), 'Notes');
  await database.rows(`create role "${role}"`);
  const seen = async (): Promise<string[]> => (await theirs.check()).findings.map(({ message }) => message);
  await database.rows(`grant usage on schema "${database.schema}" to "${role}"`);
  await database.rows(`grant select on ${LOG} to "${role}"`);
  await database.rows(`grant select, insert on "Notes" to "${role}"`);
  const closed = await seen();
  await database.rows(`grant select, insert on ${LOG} to "${role}"`);
  await database.rows(`grant usage on sequence ${LOG}_id_seq to "${role}"`);
  await database.rows(`grant select, insert on "Notes_history" to "${role}"`);
  const open = await seen();
  await Note.create({ id: 1, text: 'enough for a write' });
  const elsewhere = createAuditLog(
    database.createSequelize({ dialectOptions: { options: `-c role=${role}` } }),
    { schema: await database.createSchema('closed') },
  );
  const [hidden] = (await elsewhere.check()).findings;
  await database.rows(`drop owned by "${role}"; drop role "${role}"`);
  await database.rows('drop table "Notes", "Notes_history"');
  expect(closed).toEqual([
    expect.stringMatching(/grant select, insert on .*grant usage on sequence .*audit_log_entries_id_seq/),
    expect.stringMatching(/of Note may not.*grant select, insert on .*"Notes_history" to <role>\.$/),
  ]);
  expect(open).toEqual([]);
  expect(hidden).toMatchObject({
    code: 'missing_privilege',
    message: expect.stringMatching(/usage on the schema/),
  });
});

test('121, 122: the library makes no function and no trigger, so none can be off or run as another role', async () => {
  const sql = `select proname from pg_proc where pronamespace = $1::regnamespace
    union all select tgname from pg_trigger where not tgisinternal and tgrelid::regclass::text ~ 'audit_log|_history'`;
  expect(await database.rows(sql, [`"${database.schema}"`])).toEqual([]);
});

test('check finds class fields that hide attributes, and secrets by their column', async () => {
  const other = database.createSequelize();
  const log = createAuditLog(other);
  class Shadowed extends Model {
    status!: string;
  }
  Shadowed.init({ status: DataTypes.TEXT }, { sequelize: other, tableName: 'Items', timestamps: false });
  class Keyed extends Model {
    constructor(...given: ConstructorParameters<typeof Model>) {
      if (Object.keys(given[0] ?? {}).length === 0) throw new Error('needs a value');
      super(...given);
    }
  }
  const pass = { type: DataTypes.TEXT, field: 'password_hash' };
  Keyed.init(
    { pass, word: { ...pass, field: 'pwd' } },
    { sequelize: other, tableName: 'Labels', timestamps: false },
  );
  log.registerAudited(Shadowed);
  log.registerAudited(Keyed, { mask: ['word'] });
  // Sequelize warns of the fields itself, a little later.
  jest.spyOn(console, 'warn').mockImplementation(() => undefined);
  const { findings } = await log.check();
  expect(findings.filter(({ code }) => code !== 'missing_column')).toEqual([
    { code: 'shadowed_attribute', model: 'Shadowed', message: expect.stringContaining('declare status') },
    { code: 'unmasked_column', model: 'Keyed', message: expect.stringContaining('"password_hash"') },
  ]);
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
