import { DataTypes, type ModelStatic, type Model } from 'sequelize';
import { createAuditLog, type PopulateProgress } from 'sequelize-auditlog';
import { entriesOf, openAudited, refusalOf } from '../../support/audited';
import { testDatabase } from '../../support/database';
import { loggedBy } from '../../support/statements';
import { storyOf } from '../../support/versions';

const database = testDatabase();
const { sequelize } = database;
const { TEXT, INTEGER, DECIMAL, JSON: JSON_TYPE, JSONB, DATE, ENUM, ARRAY, BLOB } = DataTypes;

const Thing = sequelize.define(
  'Thing',
  {
    id: { type: INTEGER, primaryKey: true },
    name: TEXT,
    worth: DECIMAL(10, 2),
    meta: JSONB,
    raw: JSON_TYPE,
    tags: ARRAY(TEXT),
    seen: DATE,
    bytes: BLOB,
    kind: ENUM('small', 'big'),
    password: TEXT,
    notes: { type: TEXT, field: 'internal_notes' },
  },
  { tableName: `things_${database.schema}`.slice(0, 50), timestamps: false },
);
/** A key of two columns, one of them an enum, which a history keeps as text. */
const Seat = sequelize.define(
  'Seat',
  {
    row: { type: ENUM('B', 'A'), primaryKey: true },
    number: { type: INTEGER, primaryKey: true, field: 'seat no' },
    guest: TEXT,
  },
  {
    tableName: `seats_${database.schema}`.slice(0, 50),
    paranoid: true,
    createdAt: false,
    defaultScope: { where: { guest: 'nobody' } },
  },
);
const Plain = sequelize.define('Plain', { name: TEXT });

const auditLog = createAuditLog(sequelize);
const things = auditLog.registerAudited(Thing, { snapshots: true, exclude: ['notes'] });
const seats = auditLog.registerAudited(Seat, { snapshots: true });
const plains = auditLog.registerAudited(Plain);

const quoted = ({ tableName }: ModelStatic<Model>): string => `"${tableName}"`;
const history = (model: ModelStatic<Model>): string => `"${model.tableName}_history"`;
const unaudited = { audit: false } as const;

beforeAll(() => openAudited(database, auditLog));
beforeEach(async () => {
  const tables = [Thing, Seat].flatMap((model) => [quoted(model), history(model)]);
  await database.admin.query(`truncate ${tables.join(', ')}`);
});
afterAll(() => database.close());

const rowsWithoutVersion = (ids: number[]) =>
  Thing.bulkCreate(
    ids.map((id) => ({ id, name: `n${id}` })),
    unaudited,
  );

/** Every version as key and type, oldest first. */
async function versionsOf(model: ModelStatic<Model>): Promise<string[]> {
  const keys = model.primaryKeyAttributes.map((name) => `"${model.getAttributes()[name]!.field}"`).join(', ');
  const found = await database.rows<{ version: string }>(
    `select concat_ws(' ', ${keys}, history_type) as version from ${history(model)} order by history_id`,
  );
  return found.map(({ version }) => version);
}

describe('populate', () => {
  test('H294 H315 H319 E19 writes a version of every column as a write would, without the excluded ones, actor or reason, no entry, and touches no row', async () => {
    const seen = new Date('2026-01-02T03:04:05.678Z');
    const values = {
      name: `it's "so"`,
      worth: '12.50',
      meta: { a: [1, null] },
      raw: { b: 2 },
      tags: ['x', 'y'],
      seen,
      bytes: Buffer.from('00ff', 'hex'),
      kind: 'big',
      password: 'hunter2',
      notes: 'not for history',
    };
    await Thing.create({ id: 1, ...values }, unaudited);
    await Thing.create({ id: 2 }, unaudited);
    const before = await database.rows(`select ctid::text, * from ${quoted(Thing)}`);
    const entries = await entriesOf(auditLog, async () => {
      expect(await things.populate()).toEqual({ written: 2 });
    });
    expect(entries).toEqual([]);
    expect(await database.rows(`select ctid::text, * from ${quoted(Thing)}`)).toEqual(before);
    const [version] = await things.versions(1);
    const { notes, ...kept } = values;
    expect(version!.get()).toMatchObject({ ...kept, password: '********', id: 1 });
    expect(version!.get()).toMatchObject({
      historyType: '+',
      historyUserId: null,
      historyChangeReason: null,
      logEntryId: null,
    });
    expect(Math.abs(Date.now() - Number(version!.get('historyDate')))).toBeLessThan(60_000);
    expect(JSON.stringify(await database.rows(`select * from ${history(Thing)}`))).not.toContain(notes);
    expect((await things.versions(2))[0]!.get()).toMatchObject({ name: null, password: null, raw: null });
  });

  test('H311 H314 fills in what is missing and nothing else, with any batch size, in one statement per batch (H301)', async () => {
    await rowsWithoutVersion([1, 2, 3, 5, 6, 7]);
    await Thing.create({ id: 4 });
    await Thing.update({ name: 'written' }, { where: { id: 2 } });
    const told: PopulateProgress[] = [];
    const statements = await loggedBy(sequelize, async () => {
      const onProgress = async (progress: PopulateProgress) => void told.push(progress);
      expect(await things.populate({ batchSize: 2, onProgress })).toEqual({ written: 5 });
    });
    expect(told).toEqual([2, 4, 5].map((done) => ({ done, total: 5 })));
    expect(statements.filter((sql) => sql.includes('insert into'))).toHaveLength(3);
    expect(await versionsOf(Thing)).toEqual(['4 +', '2 ~', '1 +', '3 +', '5 +', '6 +', '7 +']);
    expect(await things.populate({ batchSize: 1000 })).toEqual({ written: 0 });
  });

  test('reads composite keys, enums, odd names and past every scope; soft-deleted rows are there with paranoid: false', async () => {
    const keys = [
      ['A', 1],
      ['A', 2],
      ['B', 1],
      ['B', 10],
    ] as const;
    await Seat.bulkCreate(
      keys.map(([row, number]) => ({ row, number, guest: 'ann' })),
      unaudited,
    );
    await Seat.unscoped().destroy({ where: { row: 'A', number: 2 }, ...unaudited });
    const early = new Date();
    expect(await seats.populate({ batchSize: 1 })).toEqual({ written: 4 });
    // In the order of the enum.
    expect(await versionsOf(Seat)).toEqual(['B 1 +', 'B 10 +', 'A 1 +', 'A 2 +']);
    expect(await seats.populate({ batchSize: 1 })).toEqual({ written: 0 });
    const past = seats.asOf(new Date());
    expect(await past.count()).toBe(3);
    expect(await past.count({ paranoid: false })).toBe(4);
    expect((await past.findByPk(['A', 2], { paranoid: false }))!.get('deletedAt')).toBeInstanceOf(Date);
    await Seat.unscoped().restore({ where: { row: 'A', number: 2 } });
    expect(await seats.asOf(new Date()).count()).toBe(4);
    expect((await refusalOf(() => seats.asOf(early).findByPk(['B', 1]))).code).toBe('ERR_AUDIT_HISTORY_GAP');
  });

  test('goes on where it was ended', async () => {
    await rowsWithoutVersion([1, 2, 3, 4, 5]);
    const onProgress = ({ done }: PopulateProgress) => {
      if (done === 4) throw new Error('enough');
    };
    await expect(things.populate({ batchSize: 2, onProgress })).rejects.toThrow('enough');
    expect(await versionsOf(Thing)).toEqual(['1 +', '2 +', '3 +', '4 +']);
    expect(await things.populate({ batchSize: 2 })).toEqual({ written: 1 });
  });

  test('a row that is being written gets no version beside that of the write, and one that is let go gets its own', async () => {
    await rowsWithoutVersion([1, 2, 3, 4]);
    const [written, undone] = [await sequelize.transaction(), await sequelize.transaction()];
    await Thing.update({ name: 'new' }, { where: { id: 2 }, transaction: written });
    await Thing.destroy({ where: { id: 1 }, transaction: written });
    await Thing.update({ name: 'undone' }, { where: { id: 3 }, transaction: undone });
    let told = () => {};
    const firstBatch = new Promise<void>((resolve) => (told = resolve));
    const populated = things.populate({ onProgress: () => told() });
    // Rows that are free don't wait for those that aren't.
    await firstBatch;
    await waitingFor(1);
    await written.commit();
    await undone.rollback();
    expect(await populated).toEqual({ written: 2 });
    expect(await versionsOf(Thing)).toEqual(['2 ~', '1 -', '4 +', '3 +']);
    expect(await storyOf(things, 3, 'name')).toEqual([['+', 'n3']]);
  });

  /** Until that many sessions of this file wait for a lock. */
  async function waitingFor(count: number): Promise<void> {
    for (;;) {
      const [found] = await database.rows<{ n: number }>(
        `select count(*)::int as n from pg_stat_activity where application_name = $1 and wait_event_type = 'Lock'`,
        [database.schema],
      );
      if (found!.n >= count) return;
    }
  }

  test('two at once write each version once', async () => {
    await rowsWithoutVersion(Array.from({ length: 60 }, (_, id) => id));
    const results = await Promise.all([4, 4, 5].map((batchSize) => things.populate({ batchSize })));
    expect(results.reduce((sum, { written }) => sum + written, 0)).toBe(60);
    expect(new Set(await versionsOf(Thing)).size).toBe(60);
    expect(await versionsOf(Thing)).toHaveLength(60);
  });

  test('is refused without snapshots, with a column missing, or with options that make no sense', async () => {
    expect((await refusalOf(() => plains.populate())).code).toBe('ERR_AUDIT_NO_SNAPSHOTS');
    expect((await refusalOf(() => plains.cleanDuplicates())).code).toBe('ERR_AUDIT_NO_SNAPSHOTS');
    for (const batchSize of [0, 1.5, '9', 100_001])
      expect((await refusalOf(() => things.populate({ batchSize: batchSize as never }))).code).toBe(
        'ERR_AUDIT_INVALID_OPTION',
      );
    expect((await refusalOf(() => things.populate({ batchsize: 1 } as never))).message).toContain(
      'batchSize',
    );
    await rowsWithoutVersion([1]);
    await database.admin.query(`alter table ${history(Thing)} rename column worth to was_worth`);
    const missing = await refusalOf(() => things.populate());
    await database.admin.query(`alter table ${history(Thing)} rename column was_worth to worth`);
    expect([missing.code, missing.message]).toEqual([
      'ERR_AUDIT_MISSING_COLUMN',
      expect.stringContaining('"worth"'),
    ]);
    await database.admin.query(`alter table ${history(Thing)} rename to away`);
    const gone = await refusalOf(() => things.populate());
    const unclean = await refusalOf(() => things.cleanDuplicates());
    await database.admin.query(`alter table away rename to ${history(Thing)}`);
    await database.admin.query(
      `create view "Kinds" as select kind, count(*) as n from ${quoted(Thing)} group by kind`,
    );
    const Kind = sequelize.define('Kind', { kind: { type: TEXT, primaryKey: true } }, { timestamps: false });
    const kinds = auditLog.registerAudited<Model>(Kind, { snapshots: true });
    await auditLog.sync();
    expect((await refusalOf(() => kinds.populate())).code).toBe('ERR_AUDIT_UNSUPPORTED_WRITE');
    expect([gone.code, unclean.code]).toEqual(['ERR_AUDIT_MISSING_TABLE', 'ERR_AUDIT_MISSING_TABLE']);
    expect(await versionsOf(Thing)).toEqual([]);
  });
});

describe('cleanDuplicates', () => {
  const COLUMNS = 'id, name, worth, meta, raw, tags, seen, bytes, kind, password';
  let at = 0;

  /** A version as the newest one of its object, dated by a clock of its own. */
  async function version(type: string, values: Record<string, unknown> = {}): Promise<void> {
    const all = { id: 1, ...values, history_type: type, history_date: moment((at += 1)) };
    const names = Object.keys(all).map((name) => `"${name}"`);
    const places = names.map((_, place) => `$${place + 1}`);
    await database.admin.query(
      `insert into ${history(Thing)} (${names.join(', ')}) values (${places.join(', ')})`,
      Object.values(all),
    );
  }
  const moment = (n: number): string => new Date(Date.UTC(2026, 0, 1) + n * 1000).toISOString();
  const names = async (): Promise<string[]> =>
    (
      await database.rows<{ v: string }>(
        `select history_type || coalesce(name, '') as v from ${history(Thing)} order by id, history_id`,
      )
    ).map(({ v }) => v);

  test('H321 H322 H327 removes versions that repeat the one before, and only those; a dry run tells and removes nothing', async () => {
    for (const name of ['a', 'a', 'a', 'b', 'b', 'a']) await version(at === 0 ? '+' : '~', { name });
    await version('-', { name: 'a' });
    await version('+', { name: 'a' });
    await version('~', { name: 'a', id: 2 });
    await version('~', { name: 'a', id: 2 });
    const story = await names();
    expect(await things.cleanDuplicates({ dryRun: true })).toEqual({ examined: 10, removed: 4 });
    expect(await names()).toEqual(story);
    expect(await things.cleanDuplicates()).toEqual({ examined: 10, removed: 4 });
    expect(await names()).toEqual(['+a', '~b', '~a', '-a', '+a', '~a']);
    expect(await things.cleanDuplicates()).toEqual({ examined: 6, removed: 0 });
  });

  test('E51 of versions that repeat each other the oldest stays, with its date and its actor', async () => {
    await version('+', { name: 'a', history_user_id: 'ann' });
    await version('~', { name: 'a', history_user_id: 'bob' });
    await version('~', { name: 'b', history_user_id: 'cid' });
    await version('~', { name: 'b', history_user_id: 'dan' });
    expect(await things.cleanDuplicates()).toEqual({ examined: 4, removed: 2 });
    const left = (await things.versions(1)).map((each) => [
      each.historyUserId,
      each.historyDate.toISOString(),
    ]);
    expect(left).toEqual([
      ['cid', moment(at - 1)],
      ['ann', moment(at - 3)],
    ]);
  });

  test('every column counts (H329), whatever its type; what is no value of the row does not', async () => {
    const same = {
      name: 'x',
      worth: '1.50',
      meta: '{"a":1,"b":2}',
      raw: '{"a":1,"b":2}',
      tags: ['t', null],
      seen: '2026-01-01T00:00:00.000001Z',
      bytes: Buffer.from('ff', 'hex'),
      kind: 'big',
      password: '********',
    };
    await version('+', same);
    await version('~', { ...same, meta: '{"b":2,"a":1}', raw: '{"b": 2, "a": 1}', history_user_id: 'ann' });
    expect(await things.cleanDuplicates()).toEqual({ examined: 2, removed: 1 });
    const changes = {
      worth: '1.5',
      meta: '{"a":1,"b":3}',
      raw: '{}',
      tags: ['t', ''],
      seen: '2026-01-01T00:00:00.000002Z',
      bytes: Buffer.from('fe', 'hex'),
      kind: null,
      password: null,
      name: 'X',
    };
    let row: Record<string, unknown> = same;
    for (const [name, value] of Object.entries(changes))
      await version('~', (row = { ...row, [name]: value }));
    await version('~', { ...row, meta: null });
    expect(await things.cleanDuplicates()).toEqual({ examined: 11, removed: 0 });
  });

  test('a version that differs in nothing but a managed timestamp stays, one that a dropped column tells apart too', async () => {
    await database.admin
      .query(`insert into ${history(Seat)} ("row", "seat no", guest, "updatedAt", history_date, history_type)
      select 'A', 1, 'ann', timestamptz '2026-01-01' + n * interval '1 s', timestamptz '2026-01-01' + n * interval '1 s', case n when 1 then '+' else '~' end
      from generate_series(1, 3) n`);
    expect(await seats.cleanDuplicates()).toEqual({ examined: 3, removed: 0 });
    await database.admin.query(`update ${history(Seat)} set "updatedAt" = null`);
    await database.admin.query(`alter table ${history(Seat)} add former integer`);
    await database.admin.query(
      `update ${history(Seat)} set former = 1 where history_id = (select max(history_id) from ${history(Seat)})`,
    );
    expect(await seats.cleanDuplicates()).toEqual({ examined: 3, removed: 1 });
    await database.admin.query(`alter table ${history(Seat)} drop former`);
    expect(await versionsOf(Seat)).toEqual(['A 1 +', 'A 1 ~']);
  });

  test('H323 H325 with since, older versions stay, and the oldest one looked at is compared with the one before', async () => {
    await version('+', { id: 2 });
    await version('~', { id: 2 });
    await version('+', { name: 'a' });
    await version('~', { name: 'a' });
    await version('~', { name: 'a' });
    await version('~', { name: 'b' });
    const since = moment(at - 1);
    expect(await things.cleanDuplicates({ since, dryRun: true })).toEqual({ examined: 2, removed: 1 });
    expect(await things.cleanDuplicates({ since: new Date(since) })).toEqual({ examined: 2, removed: 1 });
    expect(await names()).toEqual(['+a', '~a', '~b', '+', '~']);
    const [, middle] = await things.versions(1);
    expect(await things.cleanDuplicates({ since: middle! })).toEqual({ examined: 2, removed: 1 });
    expect(await names()).toEqual(['+a', '~b', '+', '~']);
    expect((await refusalOf(() => things.cleanDuplicates({ since: 'soon' }))).code).toBe(
      'ERR_AUDIT_INVALID_ARGUMENT',
    );
  });

  test('the past reads as before, and the entries of removed versions stay (H326 H330)', async () => {
    await Thing.create({ id: 7, password: 'one', notes: 'n' });
    await Thing.update({ password: 'two', notes: 'm' }, { where: { id: 7 } });
    const [entry] = await things.entries(7);
    const [newer] = await things.versions(7);
    expect(await things.cleanDuplicates()).toEqual({ examined: 2, removed: 1 });
    expect(await things.entries(7)).toHaveLength(2);
    for (const when of [entry!, newer!, new Date()])
      expect((await things.asOf(when).findByPk(7))!.get('id')).toBe(7);
    expect((await things.mostRecent(7))!.historyType).toBe('+');
  });

  test('goes through any number of objects', async () => {
    await database.admin.query(
      `insert into ${history(Thing)} (${COLUMNS}, history_date, history_type)
       select id, 'n', 1, null, null, null, null, null, null, null, timestamptz '2026-01-01' + v * interval '1 s', case v when 1 then '+' else '~' end
       from generate_series(-1200, 1300) id, generate_series(1, 2) v`,
    );
    expect(await things.cleanDuplicates()).toEqual({ examined: 5002, removed: 2501 });
  });
});
