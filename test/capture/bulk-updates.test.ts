import { DataTypes, Op, type Model, type ModelAttributes, type ModelStatic } from 'sequelize';
import { createAuditLog, type LogEntry } from 'sequelize-auditlog';
import { entriesOf } from '../support/audited';
import { testDatabase } from '../support/database';
import { statementsOf } from '../support/statements';

/** Updates of many rows: before PostgreSQL 18 the statement itself has to hold on to the old rows. */
const database = testDatabase();
const { sequelize } = database;
const auditLog = createAuditLog(sequelize);
const { INTEGER, TEXT } = DataTypes;
const key = { type: INTEGER, primaryKey: true };

beforeAll(async () => {
  await database.open();
  await auditLog.sync();
});
afterAll(() => database.close());

async function audited(
  name: string,
  attributes: ModelAttributes,
  ddl: string | null = null,
): Promise<ModelStatic<Model>> {
  const model = sequelize.define(name, attributes, { tableName: name, timestamps: false });
  auditLog.registerAudited(model);
  await (ddl === null ? model.sync() : database.rows(ddl));
  return model;
}

function seen(entries: readonly LogEntry[]): unknown[] {
  return entries
    .map(({ action, objectPk, changes }) => [action, objectPk, changes])
    .toSorted((a, b) => Number(a[1]) - Number(b[1]));
}

/** What an entry says of an attribute. */
function pairOf({ changes }: LogEntry, attribute: string): unknown[] {
  return (changes as Record<string, unknown[]>)[attribute]!;
}

const ids = (count: number): number[] => Array.from({ length: count }, (_, at) => at + 1);

describe('a table that was analyzed while it was empty', () => {
  interface PlanNode {
    readonly 'Node Type': string;
    readonly 'Relation Name'?: string;
    readonly 'Actual Loops': number;
    readonly 'Actual Rows': number;
    readonly Plans?: readonly PlanNode[];
  }

  const nodesOf = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)];

  /** The nodes of a statement's plan that scan a table, as they went; the statement itself is taken back. */
  async function scansOf(table: string, text: string, values: readonly unknown[]): Promise<PlanNode[]> {
    await database.rows('begin');
    const [row] = await database.rows<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(
      `explain (analyze, format json) ${text}`,
      [...values],
    );
    await database.rows('rollback');
    const nodes = nodesOf(row!['QUERY PLAN'][0]!.Plan);
    return nodes.filter((node) => node['Node Type'].endsWith('Scan') && node['Relation Name'] === table);
  }

  test.each([
    ['all of its rows', {}],
    ['rows by a condition', { n: 0 }],
  ])('is read once when %s are updated', async (_, where) => {
    const name = `grown_${Object.keys(where).length}`;
    const Grown = await audited(name, { id: key, n: INTEGER, s: TEXT });
    const rows = ids(300).map((id) => ({ id, n: 0, s: 'a' }));
    await Grown.bulkCreate(rows, { audit: false });
    await Grown.destroy({ where: {}, audit: false });
    await database.rows(`analyze ${name}`);
    await Grown.bulkCreate(rows, { audit: false });
    const sent = await statementsOf(sequelize, () => Grown.update({ s: 'b' }, { where }));
    const { text, values } = sent.find((each) => each.text.startsWith('with'))!;
    const scans = await scansOf(name, text, values);
    expect(scans.reduce((sum, scan) => sum + scan['Actual Rows'] * scan['Actual Loops'], 0)).toBe(300);
    expect(await auditLog.LogEntry.forModel(name)).toHaveLength(300);
  });
});

describe('contention', () => {
  async function waiting(): Promise<void> {
    const sql = `select from pg_stat_activity where wait_event_type = 'Lock' and application_name = $1`;
    while ((await database.rows(sql, [database.schema])).length === 0);
  }

  test('old values are those that another transaction committed meanwhile', async () => {
    const Shared = await audited('shared', { id: key, n: INTEGER, s: TEXT });
    await Shared.bulkCreate(ids(6).map((id) => ({ id, n: 1, s: 'a' })));
    const holder = database.newClient();
    await holder.connect();
    await holder.query('begin');
    await holder.query(`update shared set s = 'other' where id = 2`);
    await holder.query(`update shared set n = 9 where id = 3`);
    await holder.query(`delete from shared where id = 4`);
    await holder.query(`update shared set id = 50 where id = 5`);
    await holder.query(`insert into shared values (7, 1, 'late')`);
    const entries = await entriesOf(auditLog, async () => {
      const update = Shared.update({ s: 'b' }, { where: { n: 1 } });
      await waiting();
      await holder.query('commit');
      expect(await update).toEqual([4]);
    });
    expect(seen(entries)).toEqual([
      ['update', '1', { s: ['a', 'b'] }],
      ['update', '2', { s: ['other', 'b'] }],
      ['update', '6', { s: ['a', 'b'] }],
      ['update', '50', { s: ['a', 'b'] }],
    ]);
    expect(await database.rows(`select id from shared where s = 'b' order by id`)).toEqual(
      [1, 2, 6, 50].map((id) => ({ id })),
    );
  });

  test('of concurrent updates of a row, each goes on from what another left', async () => {
    const Chained = await audited('chained', { id: key, n: INTEGER, s: TEXT });
    await Chained.create({ id: 1, n: 0, s: 'start' });
    const next = { n: sequelize.literal('"n" + 1') };
    const entries = await entriesOf(auditLog, () =>
      Promise.all(
        ids(20).map((at) => Chained.update({ ...next, s: `w${at}` }, { where: { n: { [Op.gte]: 0 } } })),
      ),
    );
    let state: unknown = 'start';
    for (const n of ids(20)) {
      const step = entries.find((entry) => pairOf(entry, 'n')[0] === n - 1)!;
      expect([pairOf(step, 'n')[1], pairOf(step, 's')[0]]).toEqual([n, state]);
      state = pairOf(step, 's')[1];
    }
    expect((await Chained.findByPk(1))!.get()).toEqual({ id: 1, n: 20, s: state });
  });

  test('rows that a sub-select takes from a queue are recorded with their old values', async () => {
    const Job = await audited('jobs', { id: key, state: TEXT, worker: INTEGER });
    await Job.bulkCreate(ids(20).map((id) => ({ id, state: `new ${id}` })));
    const taken = `select "id" from "jobs" where "worker" is null order by "id" limit 4 for update skip locked`;
    const entries = await entriesOf(auditLog, () =>
      Promise.all(
        ids(5).map((worker) =>
          Job.update(
            { state: 'taken', worker },
            { where: { id: { [Op.in]: sequelize.literal(`(${taken})`) } } },
          ),
        ),
      ),
    );
    const [left] = await database.rows<{ n: number }>('select count(worker)::int as n from jobs');
    expect(entries).toHaveLength(left!.n);
    expect(entries.map((entry) => pairOf(entry, 'state'))).toEqual(
      entries.map(({ objectPk }) => [`new ${objectPk}`, 'taken']),
    );
  });

  test('rows that PostgreSQL gathers before it looks them up in a sub-select hold their own old values', async () => {
    const Few = await audited('few', { id: key, s: TEXT });
    await Few.bulkCreate(ids(5).map((id) => ({ id, s: `a${id}` })));
    await database.rows(
      'create table many as select 1 + i % 100 as ref from generate_series(1, 5000) i; analyze few; analyze many',
    );
    const where = { id: { [Op.in]: sequelize.literal('(select "ref" from "many")') } };
    const entries = await entriesOf(auditLog, () => Few.update({ s: 'b' }, { where }));
    expect(seen(entries)).toEqual(ids(5).map((id) => ['update', String(id), { s: [`a${id}`, 'b'] }]));
  });
});

describe('values', () => {
  type Kind = readonly [type: string, before: string, after: string];

  const PLAIN: readonly Kind[] = [
    ['smallint', '1', '2'],
    ['bigint', '9007199254740993', '-1'],
    ['numeric', '1.0', '1.00'],
    ['boolean', 'true', 'false'],
    ['text', String.raw`{"a", \NULL 'b'}`, ''],
    ['varchar(5)', 'NULL', String.raw`a"b\c`],
    ['citext', 'A', 'a'],
    ['name', 'a', 'b'],
    ['uuid', '0f8fad5b-d9cb-469f-a165-70867728950e', '0f8fad5b-d9cb-469f-a165-70867728950f'],
    ['mood', 'sad "one"', 'ok'],
    ['mood[]', String.raw`{"sad \"one\"",ok}`, '{NULL}'],
    ['inet', '10.0.0.1', '10.0.0.0/8'],
    ['cidr', '10.0.0.0/8', '::/0'],
    ['macaddr', '08:00:2b:01:02:03', '08:00:2b:01:02:04'],
    ['time(3)', '10:00:00.123', '24:00:00'],
    ['timetz', '10:00:00+02', '10:00:00+00'],
    ['timestamptz', '2026-01-02 03:04:05.678901+02', 'infinity'],
    ['timestamp', '0044-03-15 12:00:00 BC', '-infinity'],
    ['date', '2026-01-02', 'infinity'],
    ['json', String.raw`{"a": "\u0000", "b" : [1, 2e5000]}`, '[]'],
    ['jsonb', String.raw`{"a": {"b": "\"x\""}}`, 'null'],
    ['bytea', String.raw`\x00ff5c`, String.raw`\x`],
    ['text[]', String.raw`{NULL,"NULL","a,\"b\\"}`, '{}'],
    ['timestamptz[]', '{2026-01-02 03:04:05+00,NULL}', '{}'],
    ['numeric[]', '[0:1][1:2]={{1.0,2},{3,4}}', '{1.00}'],
    ['json[]', String.raw`{"{\"a\":1}"}`, '{}'],
    ['positive', '1', '2'],
    ['documents', '{"a":1}', '{"a":2}'],
  ];
  /** Their text may be less than the value, or another in another session. */
  const OTHERS: readonly Kind[] = [
    ['real', '0.1', '0.2'],
    ['double precision', '0.30000000000000004', 'NaN'],
    ['char(5)', 'a', 'a b'],
    ['char(2)[]', '{a}', '{b}'],
    ['interval', '1 day -00:00:01', '2 mons'],
    ['point', '(1,2)', '(3,4)'],
    ['int4range', '[1,5)', 'empty'],
  ];
  const quoted = (value: string): string => `'${value.replaceAll("'", "''")}'`;
  const namesOf = (kinds: readonly Kind[]): string[] => kinds.map((_, at) => `c${at}`);

  beforeAll(async () => {
    await database.createExtension('citext');
    await database.rows(`set search_path to ${database.schema}, public`);
    await database.rows(`create type mood as enum ('sad "one"', 'ok');
      create domain positive as int check (value > 0); create domain documents as json`);
  });

  async function tableOf(name: string, kinds: readonly Kind[]): Promise<void> {
    const names = namesOf(kinds);
    const columns = names.map((column, at) => `${column} ${kinds[at]![0]}`);
    await audited(
      name,
      { id: key, n: INTEGER, ...Object.fromEntries(names.map((column) => [column, TEXT])) },
      `create table ${name} (id int primary key, n int not null, ${columns.join(', ')})`,
    );
    const values = kinds.map(([, before]) => quoted(before)).join(', ');
    await database.rows(`insert into ${name} select i, 0, ${values} from generate_series(1, 3) i`);
  }

  /** As raw SQL, so that every value is PostgreSQL's own. */
  const update = async (table: string, set: string, where: string): Promise<LogEntry[]> =>
    entriesOf(auditLog, () => sequelize.query(`update ${table} set ${set} where ${where}`));

  test.each([
    ['whose text is the value', 'plain_values', PLAIN],
    ['of other types', 'other_values', OTHERS],
  ])('%s: many rows leave the entries that one leaves', async (_, table, kinds) => {
    await tableOf(table, kinds);
    const names = namesOf(kinds);
    const set = names.map((column, at) => `${column} = ${quoted(kinds[at]![2])}`).join(', ');
    const [alone] = await update(table, set, 'id = 1');
    const others = await update(table, set, 'n = 0 and id > 1');
    expect(Object.keys(alone!.changes!)).toEqual(names);
    expect(seen(others)).toEqual([
      ['update', '2', alone!.changes],
      ['update', '3', alone!.changes],
    ]);
    expect(await update(table, set, 'n = 0')).toEqual([]);
    const emptied = await update(table, names.map((column) => `${column} = null`).join(', '), 'n = 0');
    // A JSON null counts as null.
    const isNull = (column: string): boolean => pairOf(alone!, column)[1] === null;
    expect(emptied.map(({ changes }) => changes)).toEqual(
      ids(3).map(() =>
        Object.fromEntries(
          names.filter((each) => !isNull(each)).map((each) => [each, [pairOf(alone!, each)[1], null]]),
        ),
      ),
    );
    expect(seen(await update(table, 'n = 1', 'n = 0'))).toEqual(
      ids(3).map((id) => ['update', String(id), { n: [0, 1] }]),
    );
  });

  test('keys that change take all values along', async () => {
    await tableOf('moving_values', PLAIN);
    const entries = await update('moving_values', 'id = id + 10', 'n = 0');
    expect(entries.map(({ action, objectPk }) => `${action} ${objectPk}`).toSorted()).toEqual(
      [...ids(3).map((id) => `create 1${id}`), ...ids(3).map((id) => `delete ${id}`)].toSorted(),
    );
    const gone = entries.find(({ objectPk }) => objectPk === '2')!;
    const come = entries.find(({ objectPk }) => objectPk === '12')!;
    expect(gone.additionalData).toEqual({ movedTo: '12' });
    expect(Object.keys(gone.changes!)).toHaveLength(PLAIN.length + 2);
    for (const name of namesOf(PLAIN)) expect(pairOf(gone, name)[0]).toEqual(pairOf(come, name)[1]);
  });

  test('a float is compared with all its digits, also where the session shows fewer', async () => {
    await database.rows(
      'create table floats (id int primary key, f float8); insert into floats values (1, 0.1::float8 + 0.2::float8), (2, 1)',
    );
    const Float = await audited('floats', { id: key, f: DataTypes.DOUBLE }, 'select 1');
    const entries = await entriesOf(auditLog, () =>
      sequelize.transaction(async (transaction) => {
        await sequelize.query('set local extra_float_digits = 0', { transaction });
        await Float.update({ f: 0.1 + 0.2 }, { where: {}, transaction });
      }),
    );
    expect(entries.map(({ objectPk }) => objectPk)).toEqual(['2']);
  });
});

describe('triggers', () => {
  test('what another process lets a trigger do is noticed in any of the rows', async () => {
    const Late = await audited('late', { id: key, s: TEXT, note: TEXT, doc: DataTypes.JSON });
    await Late.bulkCreate(ids(3).map((id) => ({ id, s: 'a', note: 'n', doc: { id } })));
    await Late.update({ s: 'b' }, { where: {} });
    await database.rows(`create function touch() returns trigger language plpgsql as $$
      begin if new.id = 2 then new.doc := '{"id": 0}'; end if; return new; end $$`);
    await database.rows('create trigger touch before update on late for each row execute function touch()');
    const entries = await entriesOf(auditLog, () => Late.update({ s: 'c' }, { where: {} }));
    expect(seen(entries)).toEqual([
      ['update', '1', { s: ['b', 'c'] }],
      ['update', '2', { s: ['b', 'c'], doc: [{ id: 2 }, { id: 0 }] }],
      ['update', '3', { s: ['b', 'c'] }],
    ]);
  });

  test('a row whose update is vetoed leaves no entry, and nothing to what follows', async () => {
    const Sealed = await audited('sealed', { id: key, s: TEXT });
    await Sealed.bulkCreate(ids(3).map((id) => ({ id, s: `a${id}` })));
    await database.rows(`create function seal() returns trigger language plpgsql as $$
      begin if old.id > 1 then return null; end if; return new; end $$`);
    await database.rows('create trigger seal before update on sealed for each row execute function seal()');
    const entries = await entriesOf(auditLog, () =>
      sequelize.transaction(async (transaction) => {
        expect(await Sealed.update({ s: 'b' }, { where: {}, transaction })).toEqual([1]);
        await Sealed.upsert({ id: 4, s: 'new' }, { transaction });
        await Sealed.update({ s: 'c' }, { where: { s: ['b', 'a2'] }, transaction });
      }),
    );
    expect(seen(entries)).toEqual([
      ['update', '1', { s: ['a1', 'b'] }],
      ['update', '1', { s: ['b', 'c'] }],
      ['create', '4', { id: [null, 4], s: [null, 'new'] }],
    ]);
  });
});

test('rows of one key in a table and in one that inherits from it keep their old values, and are counted', async () => {
  const ddl = `create table forebears (id int primary key, a int); create table offspring () inherits (forebears);
    insert into forebears values (1, 3); insert into offspring values (1, 0)`;
  const Forebear = await audited('forebears', { id: key, a: INTEGER }, ddl);
  const entries = await entriesOf(auditLog, async () => {
    expect(await Forebear.update({ a: 9 }, { where: { id: 1 } })).toEqual([2]);
    expect(await Forebear.destroy({ where: { id: 1 } })).toBe(2);
  });
  const olds = entries.map((entry) => `${entry.action} ${JSON.stringify(pairOf(entry, 'a'))}`);
  expect(olds.toSorted((a, b) => a.localeCompare(b))).toEqual([
    'delete [9,null]',
    'delete [9,null]',
    'update [0,9]',
    'update [3,9]',
  ]);
});
