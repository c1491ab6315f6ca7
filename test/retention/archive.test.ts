import { cp, mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataTypes } from 'sequelize';
import { createAuditLog } from 'sequelize-auditlog';
import { refusalOf } from '../support/audited';
import { testDatabase } from '../support/database';

const database = testDatabase({ pool: { max: 2 } });
const { sequelize } = database;

/** Values of many types as PostgreSQL reads them. */
const VALUES: Record<string, readonly [type: string, values: readonly (string | null)[]]> = {
  big: ['bigint', ['9223372036854775807', '-1']],
  exact: ['numeric', ['12345678901234567890.123456789010', 'NaN']],
  money_value: ['money', ['$1,234.50', null]],
  real_value: ['real', ['0.1', '-Infinity']],
  double_value: ['double precision', ['0.30000000000000004', 'NaN']],
  flag: ['boolean', ['true', 'false']],
  words: ['text', ['Zoë "quoted" \\ back \u2028 🚀\ttab\nline\r\n', '']],
  padded: ['char(8)', ['ab  ', 'x']],
  short: ['varchar(20)', [' spaces ', '{}']],
  mood: ['mood', ['happy', 'not so']],
  moods: ['mood[]', ['{happy,"not so"}', '{}']],
  bytes: ['bytea', ['\\x00ff10', '\\x']],
  more_bytes: ['bytea[]', ['{"\\\\x00ff","\\\\x"}', null]],
  document: ['jsonb', ['{"a": [1.10, 12345678901234567890, null, "\\u00e9"]}', '[]']],
  raw_document: ['json', ['{"b":1,  "a":1, "a":2}', 'null']],
  documents: ['jsonb[]', ['{"{\\"a\\": 1}",NULL}', '{}']],
  at: ['timestamptz', ['2026-11-21 21:17:26.123456+01', 'infinity']],
  plain_at: ['timestamp', ['2026-03-29 02:30:00.000001', '0044-03-15 12:00:00 BC']],
  ats: ['timestamptz[]', ['{"2026-11-21 21:17:26.123456+01",NULL}', '{}']],
  day: ['date', ['2026-11-21', '-infinity']],
  hour: ['time', ['23:59:59.999999', '24:00:00']],
  zoned_hour: ['timetz', ['12:00:00+05:30', null]],
  span: ['interval', ['1 year -2 days 03:04:05.000006', '-00:00:01']],
  address: ['inet', ['10.0.0.1', '10.0.0.0/8']],
  network: ['cidr', ['10.0.0.0/8', '::/0']],
  mac: ['macaddr', ['08:00:2b:01:02:03', null]],
  uid: ['uuid', ['00000000-0000-4000-8000-000000000000', null]],
  numbers: ['int[]', ['{{1,2},{3,NULL}}', '[0:1]={5,6}']],
  decimals: ['numeric[]', ['{1.10,NULL,1e30}', '{}']],
  texts: ['text[]', ['{"a,b","NULL",NULL,"\\"q\\"",""}', '{}']],
  range_value: ['tstzrange', ['["2026-01-01 00:00:00+01",)', 'empty']],
  place: ['point', ['(1.5,-2)', null]],
  pair: ['pair', ['(1,"a b")', '(,)']],
  bits: ['bit(4)', ['1010', '0000']],
  vector: ['tsvector', ["'a':1 'b c':2", '']],
};

const attributes = Object.fromEntries(Object.keys(VALUES).map((name) => [name, DataTypes.TEXT]));
const Thing = sequelize.define(
  'Thing',
  { id: { type: DataTypes.INTEGER, primaryKey: true }, ...attributes },
  { timestamps: false, tableName: 'things' },
);
const Card = sequelize.define(
  'Card',
  { owner: DataTypes.TEXT, password: DataTypes.TEXT },
  { timestamps: false, tableName: 'cards' },
);
const auditLog = createAuditLog(sequelize);
auditLog.registerAudited(Thing, { snapshots: true });
auditLog.registerAudited(Card, { snapshots: true });

let root: string;
let archive: string;

async function fillThings(): Promise<void> {
  await database.rows(`create type mood as enum ('happy', 'not so')`);
  await database.rows(`create type pair as (a int, b text)`);
  const columns = Object.entries(VALUES).map(([name, [type]]) => `"${name}" ${type}`);
  await database.rows(`create table things (id int primary key, ${columns.join(', ')})`);
}

/** Things that come and go, so that all that is known of them is spare. */
async function live(): Promise<void> {
  const at = (n: number): object =>
    Object.fromEntries(Object.entries(VALUES).map(([name, [, values]]) => [name, values[n]]));
  for (const n of [0, 1]) await Thing.create({ id: n, ...at(n) } as never);
  await Thing.create({ id: 2 } as never);
  await Card.create({ owner: 'ann', password: 'hunter2' });
  await Card.update({ owner: 'bob' }, { where: {}, audit: { reason: 'moved', additionalData: { n: 1.5 } } });
  for (const model of [Thing, Card]) await model.destroy({ where: {} });
}

const TABLES = ['audit_log_entries', 'things_history', 'cards_history'];
const SIDES = ['old', 'old_things_history', 'old_cards_history'];
let before: string[][];

/** What was written is older, be it by a microsecond. */
async function now(): Promise<string> {
  const [row] = await database.rows<{ now: string }>(
    `select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as now`,
  );
  return row!.now;
}

/** Every row as one text. */
async function texts(table: string): Promise<string[]> {
  const rows = await database.rows<{ row: string }>(`select t::text as row from "${table}" t order by 1`);
  return rows.map(({ row }) => row);
}

async function textsOf(tables: readonly string[]): Promise<string[][]> {
  const all: string[][] = [];
  for (const table of tables) all.push(await texts(table));
  return all;
}

async function indexesOf(table: string): Promise<string[]> {
  const sql = 'select indexname as name from pg_indexes where schemaname = $1 and tablename = $2 order by 1';
  const rows = await database.rows<{ name: string }>(sql, [database.schema, table]);
  return rows.map(({ name }) => name);
}

beforeAll(async () => {
  await database.open();
  await fillThings();
  await Card.sync();
  await auditLog.sync();
  await live();
  root = await mkdtemp(join(tmpdir(), 'archive-'));
  archive = join(root, '2026');
  before = await textsOf(TABLES);
  await auditLog.prune({ olderThan: await now(), archiveTo: archive });
});
afterAll(async () => {
  await database.close();
  await rm(root, { recursive: true });
});

describe('restoreArchive', () => {
  test('fault 101: what prune removed comes back into side tables, to the bit, of every type', async () => {
    expect(before.map((rows) => rows.length)).toEqual([9, 6, 3]);
    expect(await auditLog.restoreArchive(archive, { tableName: 'old' })).toEqual({ entries: 9, versions: 9 });
    expect(await textsOf(SIDES)).toEqual(before);
    expect(await textsOf(TABLES.slice(1))).toEqual([[], []]);
  });

  test('twice doubles nothing, and it goes on where it was killed', async () => {
    await database.rows('delete from old where id % 2 = 0');
    await database.rows('delete from old_cards_history');
    await database.rows('drop index old_object');
    await auditLog.restoreArchive(archive, { tableName: 'old' });
    await auditLog.restoreArchive(archive, { tableName: 'old' });
    expect(await textsOf(SIDES)).toEqual(before);
    expect(await indexesOf('old')).toContain('old_object');
  });

  test('side tables have the indexes of the log, and of versions by object', async () => {
    const suffixes = (await indexesOf('old')).map((name) => name.replace(/^old_/, ''));
    expect(suffixes).toEqual(
      expect.arrayContaining(['pkey', 'object', 'model', 'actor', 'correlation', 'time']),
    );
    expect(await indexesOf('old_cards_history')).toEqual([
      'old_cards_history_object',
      'old_cards_history_pkey',
    ]);
  });

  test('the entries of an object are found in the side table by a second log', async () => {
    const reader = createAuditLog(database.createSequelize({ pool: { max: 1 } }), { tableName: 'old' });
    const found = await reader.LogEntry.findAll({
      where: { model: 'Card', objectPk: '1' },
      order: [['id', 'ASC']],
    });
    expect(found.map((entry) => entry.describe())).toEqual([
      expect.stringContaining('created Card 1'),
      expect.stringContaining('bob'),
      expect.stringContaining('deleted Card 1'),
    ]);
    expect(await reader.LogEntry.forObject(Card, 1, { where: { action: 'update' } })).toMatchObject([
      { reason: 'moved', additionalData: { n: 1.5 }, changes: { owner: ['ann', 'bob'] } },
    ]);
  });

  test('a second archive of the same log comes into the same table, with columns that were added since', async () => {
    await database.rows('alter table cards add nickname varchar(10)');
    await database.rows('alter table cards_history add nickname varchar');
    const wide = sequelize.define(
      'Card',
      { owner: DataTypes.TEXT, password: DataTypes.TEXT, nickname: DataTypes.STRING(10) },
      { timestamps: false, tableName: 'cards' },
    );
    auditLog.unregister(Card);
    auditLog.registerAudited(wide, { snapshots: true });
    const card = await wide.create({ owner: 'cleo', nickname: 'c' } as never);
    await card.destroy();
    const second = join(root, '2027');
    await auditLog.prune({ olderThan: await now(), models: ['Card'], archiveTo: second });
    expect(await auditLog.restoreArchive(second, { tableName: 'old' })).toMatchObject({ versions: 2 });
    const owners = await database.rows('select owner, nickname from old_cards_history order by history_id');
    expect(owners).toEqual([
      { owner: 'ann', nickname: null },
      { owner: 'bob', nickname: null },
      { owner: 'bob', nickname: null },
      { owner: 'cleo', nickname: 'c' },
      { owner: 'cleo', nickname: 'c' },
    ]);
  });

  test.each([
    ['audit_log_entries', 'a table of the log'],
    ['things_history', 'a table of the log'],
    ['things', 'a registered model'],
    ['strange', 'exists and was not made from archives'],
    ['a_view', 'exists and was not made from archives'],
    ['', 'a name of at most 63 bytes'],
    ['x'.repeat(64), 'a name of at most 63 bytes'],
    [undefined, 'a name of at most 63 bytes'],
  ])('the table %j is refused, and nothing is read back', async (tableName, text) => {
    await database.rows('create table if not exists strange (id int)');
    await database.rows('create or replace view a_view as select 1 as id');
    const error = await refusalOf(() => auditLog.restoreArchive(archive, { tableName: tableName! }));
    expect(error.code).toBe('ERR_AUDIT_INVALID_OPTION');
    expect(error.message).toContain(text);
    expect(await database.rows('select * from strange')).toEqual([]);
  });

  test('a table beside it that is something else is refused before any is made', async () => {
    await database.rows('create table fresh_cards_history (id int)');
    const error = await refusalOf(() => auditLog.restoreArchive(archive, { tableName: 'fresh' }));
    expect(error.message).toContain('"fresh_cards_history" exists');
    expect(await database.rows(`select to_regclass('fresh') as found`)).toEqual([{ found: null }]);
  });

  test('an archive of another log is not mixed in', async () => {
    await database.rows(
      `comment on table old is 'Read back by auditLog.restoreArchive from archives of another'`,
    );
    const error = await refusalOf(() => auditLog.restoreArchive(archive, { tableName: 'old' }));
    expect(error.message).toContain('archives of another');
  });

  test('names of side tables fit into 63 bytes and stay apart', async () => {
    const tableName = 'n'.repeat(60);
    await auditLog.restoreArchive(archive, { tableName });
    const tables = await database.rows<{ name: string }>(
      `select table_name as name from information_schema.tables where table_schema = $1 and table_name like 'nnnn%' order by 1`,
      [database.schema],
    );
    expect(tables).toHaveLength(3);
    expect(await texts(tableName)).toEqual(before[0]);
  });

  test('identifiers may be hostile, in the model as in the name of the side table', async () => {
    const Odd = sequelize.define(
      'Odd',
      {
        id: { type: DataTypes.INTEGER, primaryKey: true },
        v: { type: DataTypes.TEXT, field: `v"'; \\ drop` },
      },
      { timestamps: false, tableName: `odd"; drop table things; --` },
    );
    auditLog.registerAudited(Odd, { snapshots: true });
    await Odd.sync();
    await auditLog.sync();
    await Odd.create({ id: 1, v: `it's` } as never);
    await Odd.destroy({ where: {} });
    const folder = join(root, 'odd');
    await auditLog.prune({ olderThan: await now(), models: ['Odd'], archiveTo: folder });
    const tableName = `o"d'; --`;
    expect(await auditLog.restoreArchive(folder, { tableName })).toEqual({ entries: 2, versions: 2 });
    expect(
      await database.rows(`select count(*)::int as n from "o""d'; --_odd; drop table things; --_history"`),
    ).toEqual([{ n: 2 }]);
  });

  test.each(['0001-entries-Thing.ndjson.gz', 'manifest.json'])(
    'fault 101: nothing is read back of an archive whose %s was cut off',
    async (name) => {
      const folder = await mkdtemp(join(root, 'cut-'));
      await cp(archive, folder, { recursive: true });
      await truncate(join(folder, name), 100);
      const error = await refusalOf(() => auditLog.restoreArchive(folder, { tableName: 'never' }));
      expect(error.code).toBe('ERR_AUDIT_ARCHIVE');
      expect(error.message).toContain(name);
      expect(await database.rows(`select to_regclass('never') as found`)).toEqual([{ found: null }]);
    },
  );

  test('arguments are checked', async () => {
    const misspelt = { tableName: 'x', table: 'y' } as never;
    expect((await refusalOf(() => auditLog.restoreArchive(archive, misspelt))).code).toBe(
      'ERR_AUDIT_INVALID_OPTION',
    );
    const nowhere = await refusalOf(() => auditLog.restoreArchive('', { tableName: 'x' }));
    expect(nowhere.code).toBe('ERR_AUDIT_INVALID_ARGUMENT');
  });
});

describe('fault 101: prune with archiveTo removes nothing that is not safely in the archive', () => {
  async function spareCard(): Promise<void> {
    const card = await sequelize.models['Card']!.create({ owner: 'dan' } as never);
    await card.destroy();
  }

  async function cardsLeft(): Promise<unknown> {
    const sql = `select (select count(*)::int from audit_log_entries where model = 'Card' and action <> 'prune') as entries,
      (select count(*)::int from cards_history) as versions`;
    return (await database.rows(sql))[0];
  }

  const prune = async (archiveTo: string) =>
    auditLog.prune({ olderThan: await now(), models: ['Card'], archiveTo });

  beforeAll(spareCard);

  test('where the folder holds something else, is a file, or lies in one', async () => {
    const taken = await mkdtemp(join(root, 'taken-'));
    const file = join(taken, 'thesis.txt');
    await writeFile(file, 'x');
    for (const folder of [taken, file, join(file, 'below')])
      expect((await refusalOf(() => prune(folder))).code).toBe('ERR_AUDIT_ARCHIVE');
    expect(await readdir(taken)).toEqual(['thesis.txt']);
    expect(await cardsLeft()).toEqual({ entries: 2, versions: 2 });
  });

  test('where the folder vanishes while it is written', async () => {
    const folder = join(root, 'vanishing');
    const vanish = (): Promise<void> => rm(folder, { recursive: true, force: true });
    const run = auditLog.prune({
      olderThan: await now(),
      models: ['Card'],
      archiveTo: folder,
      onProgress: vanish,
    });
    const error = await refusalOf(() => run);
    expect(error.code).toBe('ERR_AUDIT_ARCHIVE');
    expect(await cardsLeft()).toEqual({ entries: 2, versions: 2 });
  });

  test.each(['missing', 'cut off'])('where a file of a finished archive is %s', async (what) => {
    const folder = join(root, `damaged ${what}`);
    const olderThan = await now();
    const stop = async ({ phase }: { phase: string }): Promise<void> => {
      if (phase === 'remove') throw new Error('stopped');
    };
    const options = { olderThan, models: ['Card'], archiveTo: folder, batchSize: 1 };
    await expect(auditLog.prune({ ...options, onProgress: stop })).rejects.toThrow('stopped');
    const left = await cardsLeft();
    const [name] = (await readdir(folder)).toSorted();
    if (what === 'missing') await rm(join(folder, name!));
    else await truncate(join(folder, name!), 30);
    const error = await refusalOf(() => auditLog.prune(options));
    expect(error.message).toContain(name);
    expect(await cardsLeft()).toEqual(left);
    await spareCard();
  });

  test('what a run left that was stopped between the phases goes by the next, and comes back whole', async () => {
    const folder = join(root, 'stopped');
    const olderThan = await now();
    const options = { olderThan, models: ['Card'], archiveTo: folder };
    const [entries, versions] = [await texts('audit_log_entries'), await texts('cards_history')];
    const stop = async ({ phase }: { phase: string }): Promise<void> => {
      if (phase === 'remove') throw new Error('stopped');
    };
    await expect(auditLog.prune({ ...options, batchSize: 1, onProgress: stop })).rejects.toThrow('stopped');
    await auditLog.prune(options);
    expect(await cardsLeft()).toEqual({ entries: 0, versions: 0 });
    await auditLog.restoreArchive(folder, { tableName: 'stopped' });
    expect(entries).toEqual(expect.arrayContaining(await texts('stopped')));
    expect(await texts('stopped_cards_history')).toEqual(versions);
  });
});
