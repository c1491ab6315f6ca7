import { DataTypes, QueryTypes, type Model, type ModelStatic } from 'sequelize';
import { createAuditLog, withoutAudit, type LogEntry, type RegistrationOptions } from 'sequelize-auditlog';
import { keyTexts } from '../../lib/history/object-key';
import type { PointInTime } from '../../lib/history/point-in-time';
import { stateOf, type ObjectState } from '../../lib/past/state';
import { auditFixture, type Fixture } from '../history/fixture';
import { entriesOf, openAudited, refusalOf } from '../support/audited';
import { testDatabase } from '../support/database';

// Every write below leaves an entry and a version. The same past is then read twice: as a model with snapshots and as one
// without, by two registries over the same tables.
const database = testDatabase();
const { sequelize } = database;
const auditLog = createAuditLog(sequelize);
const fromVersions = auditFixture(database);
const fromEntries = auditFixture(database);

function audited<M extends Model>(
  model: ModelStatic<M>,
  options: RegistrationOptions<M> = {},
): ModelStatic<M> {
  auditLog.registerAudited(model, { ...options, snapshots: true });
  fromVersions.register(model, { ...options, snapshots: true });
  fromEntries.register(model, options);
  return model;
}

/** The model as of a time, from entries alone. */
function asOf(model: ModelStatic<Model>, when: PointInTime) {
  return fromEntries.handle(model).asOf(when);
}

const Typed = audited(
  sequelize.define('Typed', {
    json: DataTypes.JSONB,
    plainJson: DataTypes.JSON,
    text: DataTypes.TEXT,
    string: DataTypes.STRING(20),
    char: DataTypes.CHAR(5),
    small: DataTypes.SMALLINT,
    integer: DataTypes.INTEGER,
    big: DataTypes.BIGINT,
    real: DataTypes.REAL,
    double: DataTypes.DOUBLE,
    decimal: DataTypes.DECIMAL(30, 10),
    flag: DataTypes.BOOLEAN,
    at: DataTypes.DATE(6),
    day: DataTypes.DATEONLY,
    time: DataTypes.TIME,
    uuid: DataTypes.UUID,
    kind: DataTypes.ENUM('a', 'b'),
    inet: DataTypes.INET,
    cidr: DataTypes.CIDR,
    mac: DataTypes.MACADDR,
    span: DataTypes.RANGE(DataTypes.INTEGER),
    dates: DataTypes.RANGE(DataTypes.DATE),
    list: DataTypes.ARRAY(DataTypes.INTEGER),
    bigs: DataTypes.ARRAY(DataTypes.BIGINT),
    texts: DataTypes.ARRAY(DataTypes.TEXT),
    grid: DataTypes.ARRAY(DataTypes.ARRAY(DataTypes.INTEGER)),
    times: DataTypes.ARRAY(DataTypes.DATE),
    documents: DataTypes.ARRAY(DataTypes.JSONB),
    kinds: DataTypes.ARRAY(DataTypes.ENUM('x', 'y')),
    local: 'timestamp',
    locals: 'timestamp[]',
    pause: 'interval',
    price: 'money',
    bits: 'bit(4)',
  }),
);
const Post = audited(
  sequelize.define(
    'Post',
    { title: DataTypes.TEXT, secret: DataTypes.TEXT, notes: DataTypes.TEXT, image: DataTypes.BLOB },
    { paranoid: true, version: true },
  ),
  { exclude: ['notes'] },
);
const Part = audited(
  sequelize.define(
    'Part',
    {
      name: { type: DataTypes.TEXT, primaryKey: true },
      place: { type: DataTypes.INTEGER, primaryKey: true, field: 'the "place"' },
      count: { type: DataTypes.INTEGER, field: 'how many' },
    },
    { timestamps: false },
  ),
);

beforeAll(() => openAudited(database, auditLog));
afterAll(() => database.close());

function read(fixture: Fixture) {
  const { settings, snapshots } = fixture;
  return (model: ModelStatic<Model>, pk: unknown, when: PointInTime): Promise<ObjectState> =>
    stateOf(settings, snapshots, fixture.registration(model), keyTexts('test', model, pk), when);
}

const stateByVersions = read(fromVersions);
const stateByEntries = read(fromEntries);

/** Where the two differ by what they can know: entries hold no managed timestamps, versions the lock version too. */
function comparable({ presence, since, values }: ObjectState): object {
  const { createdAt: _c, updatedAt: _u, version: _v, image: _i, ...rest } = values;
  return { presence, since, values: rest };
}

async function expectSamePast(model: ModelStatic<Model>, pk: unknown, times: PointInTime[]): Promise<void> {
  for (const when of times) {
    const expected = await stateByVersions(model, pk, when);
    expect(comparable(await stateByEntries(model, pk, when))).toEqual(comparable(expected));
  }
}

const one = {
  json: { a: ['1', null], b: 1.5 },
  plainJson: [1, { a: true }],
  text: 'a "quoted" \\ text',
  string: '  spaces ',
  char: 'ab',
  small: -7,
  integer: 7,
  big: '9007199254740993',
  real: 0.1,
  double: 1e300,
  decimal: '99.9000000000',
  flag: false,
  at: new Date('2026-11-21T20:17:26.123Z'),
  day: '2026-11-21',
  time: '20:17:26.5',
  uuid: '6f4f9a5a-6c22-4bd4-8f0a-2d1f2b1f0e11',
  kind: 'a',
  inet: '10.0.0.1',
  cidr: '10.0.0.0/8',
  mac: '08:00:2b:01:02:03',
  span: [1, 5],
  dates: [new Date('2026-01-01T00:00:00Z'), new Date('2026-02-01T00:00:00Z')],
  list: [1, 2],
  bigs: ['9007199254740993'],
  texts: ['a,b', '"', 'NULL'],
  grid: [
    [1, 2],
    [3, 4],
  ],
  times: [new Date('2026-11-21T20:17:26.123Z')],
  documents: [{ a: 1 }, [1, 2], 'x'],
  kinds: ['x', 'y'],
  local: '2026-11-21 20:17:26.123456',
  locals: '{"2026-11-21 20:17:26","2026-06-21 20:17:26"}',
  pause: '1 day 02:00:00',
  price: '$1,000.50',
  bits: '1010',
};
const two = {
  ...one,
  json: 'a text',
  plainJson: { b: '\u0001' },
  text: '',
  double: Number.NaN,
  real: Number.POSITIVE_INFINITY,
  decimal: 'NaN',
  flag: true,
  at: 'infinity',
  day: '0044-03-15 BC',
  kind: 'b',
  list: [],
  texts: [],
  grid: [[9]],
  documents: [],
  local: 'infinity',
  span: [null, 7],
  price: '-$0.01',
};

/** Past Sequelize's own checks of what a text may hold. */
async function write(id: number, values: Record<string, unknown>): Promise<void> {
  const raw = Object.entries(values).filter(([name]) => name in { at: 1, day: 1, decimal: 1, local: 1 });
  const rest = Object.fromEntries(
    Object.entries(values).filter(([name]) => !raw.some(([each]) => each === name)),
  );
  await Typed.update(
    {
      ...rest,
      ...Object.fromEntries(
        raw.map(([name, value]) => [
          name,
          value === null
            ? null
            : sequelize.literal(`'${value instanceof Date ? value.toISOString() : (value as string)}'`),
        ]),
      ),
    },
    { where: { id }, validate: false },
  );
}

test('H189 every type comes back from entries as versions have it', async () => {
  const nulls = Object.fromEntries(Object.keys(one).map((name) => [name, null]));
  let id = 0;
  const entries = await entriesOf(auditLog, async () => {
    id = (await Typed.create({ integer: 1 })).get('id') as number;
    await write(id, one);
    await write(id, two);
    await write(id, nulls);
    await write(id, one);
    await Typed.destroy({ where: { id } });
    await Typed.create({ id, ...one, kind: 'b' });
    await write(id, two);
  });
  expect(entries).toHaveLength(8);
  await expectSamePast(Typed, id, entries);
  const { values } = await stateByEntries(Typed, id, entries[1]!);
  expect(values).toMatchObject({
    big: one.big,
    decimal: one.decimal,
    at: one.at,
    grid: one.grid,
    documents: one.documents,
  });
  expect((await stateByEntries(Typed, id, entries.at(-1)!)).values).toEqual({
    ...(await stateByEntries(Typed, id, 'current')).values,
    createdAt: entries[6]!.timestamp,
    updatedAt: entries[7]!.timestamp,
  });
});

/** What both read of all rows, soft-deleted ones too, with what entries can't tell left out. */
async function expectSameRows(model: ModelStatic<Model>, times: PointInTime[]): Promise<void> {
  const order = [...model.primaryKeyAttributes];
  const values = (rows: Model[]): object[] =>
    rows.map((row) =>
      comparable({
        presence: 'there',
        since: null,
        values: row.get({ plain: true }),
        masks: {},
        unknown: new Map(),
      }),
    );
  for (const when of times) {
    const expected = values(await fromVersions.handle(model).asOf(when).findAll({ order, paranoid: false }));
    const reader = asOf(model, when);
    expect(values(await reader.findAll({ order, paranoid: false }))).toEqual(expected);
    expect(await reader.count({ paranoid: false } as object)).toBe(expected.length);
  }
}

/** The same, page by page from either end. */
async function expectSamePages(model: ModelStatic<Model>, when: PointInTime): Promise<void> {
  const keys = model.primaryKeyAttributes;
  const order = (direction: string): [string, string][] => keys.map((name) => [name, direction]);
  const all = await asOf(model, when).findAll({ order: order('ASC'), paranoid: false });
  const page = (direction: string, limit: number, offset: number): Promise<Model[]> =>
    asOf(model, when).findAll({ order: order(direction), paranoid: false, limit, offset });
  const values = (rows: Model[]): unknown[] => rows.map((row) => row.get());
  expect(values(await page('ASC', 2, 1))).toEqual(values(all.slice(1, 3)));
  expect(values(await page('DESC', 50, 0))).toEqual(values(all.toReversed()));
}

const idOf = (row: Model): number => row.get('id') as number;

describe('a paranoid model', () => {
  let post: Model;
  let entries: LogEntry[];
  beforeAll(async () => {
    entries = await entriesOf(auditLog, async () => {
      post = await Post.create({ title: 'a', secret: 's1', notes: 'n', image: Buffer.from('1') });
      await post.update({ title: 'b', secret: 's2' });
      await post.destroy();
      await post.restore();
      await post.update({ title: null, image: Buffer.from('2') });
      await post.destroy();
      await post.destroy({ force: true });
      await Post.create({ id: idOf(post), title: 'again' });
    });
  });

  test('H182 H187 soft deletes keep the object with its deletedAt, hard ones take it away', async () => {
    expect(entries.map(({ action }) => action)).toEqual([
      'create',
      'update',
      'delete',
      'update',
      'update',
      'delete',
      'delete',
      'create',
    ]);
    await expectSamePast(Post, idOf(post), entries);
    await expectSameRows(Post, entries.slice(1, 7));
    await expectSamePages(Post, entries[2]!);
    const deletedAt = await Promise.all(
      entries.map(async (at) => (await stateByEntries(Post, idOf(post), at)).values['deletedAt']),
    );
    const date: unknown = expect.any(Date);
    expect(deletedAt).toEqual([null, null, date, null, null, date, undefined, null]);
    expect(await asOf(Post, entries[2]!).findByPk(idOf(post))).toBeNull();
    expect(await asOf(Post, entries[2]!).findByPk(idOf(post), { paranoid: false })).not.toBeNull();
    expect(await asOf(Post, entries[2]!).count({ where: { id: idOf(post) } })).toBe(0);
  });

  test('what entries can not tell is unknown, and says why', async () => {
    const { values, unknown } = await stateByEntries(Post, idOf(post), entries[0]!);
    expect(Object.fromEntries(unknown)).toEqual({
      secret: 'masked',
      notes: 'excluded',
      version: 'notRecorded',
      image: 'digest',
    });
    expect(values).toMatchObject({
      title: 'a',
      createdAt: entries[0]!.timestamp,
      updatedAt: entries[0]!.timestamp,
    });
    const now = await stateByEntries(Post, idOf(post), entries[7]!);
    expect(now.values).toMatchObject({ title: 'again', image: null, createdAt: entries[7]!.timestamp });
    expect((await stateByEntries(Post, idOf(post), entries[4]!)).values).toMatchObject({
      createdAt: entries[0]!.timestamp,
      updatedAt: entries[4]!.timestamp,
    });
  });

  test('a BLOB that was not changed since is known', async () => {
    const image = Buffer.from('kept');
    const [created] = await entriesOf(auditLog, async () => {
      const row = await Post.create({ title: 'a', image });
      await row.update({ title: 'b' });
    });
    expect((await stateByEntries(Post, created!.objectPk, created!)).values).toMatchObject({
      title: 'a',
      image,
    });
  });

  test('rows of the past lack what is never told, and refuse to be searched by it', async () => {
    const row = await asOf(Post, entries[0]!).findByPk(idOf(post));
    expect(row!.get('title')).toBe('a');
    expect(Object.keys(row!.get())).not.toEqual(expect.arrayContaining(['secret']));
    for (const name of ['secret', 'notes', 'version']) {
      expect(row!.get()).not.toHaveProperty(name);
      const where = { [name]: 'x' };
      expect(await refusalOf(() => asOf(Post, entries[0]!).findAll({ where }))).toMatchObject({
        code: 'ERR_AUDIT_INVALID_ARGUMENT',
      });
    }
  });
});

test('a key that is changed or used again is another object', async () => {
  const entries = await entriesOf(auditLog, async () => {
    await Part.create({ name: 'a/b', place: 1, count: 1 });
    await Part.create({ name: 'z', place: 9, count: 9 });
    await Part.update({ count: 2 }, { where: { name: 'a/b' } });
    await sequelize.getQueryInterface().bulkUpdate('Parts', { name: 'c' }, { name: 'a/b' });
    await Part.create({ name: 'a/b', place: 1 });
    await Part.update({ count: 5 }, { where: { name: 'a/b' } });
    await Part.destroy({ where: { name: 'c' } });
    await Part.destroy({ where: { name: 'a/b' } });
  });
  expect(entries.map(({ action, objectPk }) => `${action} ${objectPk}`)).toContain('delete ["a/b","1"]');
  expect(entries).toHaveLength(9);
  await expectSamePast(Part, ['a/b', 1], entries);
  await expectSamePast(Part, ['c', 1], entries);
  await expectSameRows(Part, entries);
  await expectSamePages(Part, entries[5]!);
  for (const when of entries) {
    const [byKey] = await asOf(Part, when).findAll({ where: { name: 'a/b', place: 1 } });
    const [expected] = await fromVersions
      .handle(Part)
      .asOf(when)
      .findAll({ where: { name: 'a/b', place: 1 } });
    expect(byKey?.get()).toEqual(expected?.get());
  }
});

describe('what was not recorded', () => {
  const past = (pk: number, when: PointInTime) => stateByEntries(Post, pk, when);
  const now = async (): Promise<string> =>
    (await sequelize.query<{ now: string }>(
      `select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as now`,
      {
        type: QueryTypes.SELECT,
        plain: true,
      },
    ))!.now;

  test('before a create the object is absent, before any other record its past is unknown', async () => {
    const start = await now();
    const row = await withoutAudit(() => Post.create({ title: 'a' }));
    const between = await now();
    expect(await past(idOf(row), between)).toMatchObject({ presence: 'unknown', since: null });
    const [entry] = await entriesOf(auditLog, () => row.update({ title: 'b' }));
    expect(await past(idOf(row), start)).toMatchObject({
      presence: 'unknown',
      since: entry!.toJSON().timestamp,
    });
    expect((await past(idOf(row), entry!)).values).toMatchObject({ title: 'b', updatedAt: entry!.timestamp });
    expect((await past(idOf(row), entry!)).unknown.get('createdAt')).toBe('notRecorded');
    const code = { code: 'ERR_AUDIT_HISTORY_GAP' };
    expect(await refusalOf(() => asOf(Post, between).findByPk(idOf(row)))).toMatchObject(code);
    expect(await asOf(Post, between).findAll({ where: { id: idOf(row) } })).toEqual([]);
    expect(await refusalOf(() => asOf(Post, between).findAll({ strict: true }))).toMatchObject(code);
    const [created] = await entriesOf(auditLog, () => Post.create({ title: 'c' }));
    expect((await past(Number(created!.objectPk), between)).presence).toBe('absent');
    expect(await asOf(Post, between).findByPk(created!.objectPk!)).toBeNull();
    expect((await past(999_999, between)).presence).toBe('absent');
  });

  test('an attribute that something else wrote is unknown', async () => {
    const [created, updated] = await entriesOf(auditLog, async () => {
      const row = await Post.create({ title: 'a' });
      await withoutAudit(() => row.update({ title: 'sneaked' }));
      await row.update({ title: 'b' });
      await withoutAudit(() => row.update({ title: 'sneaked again' }));
    });
    const pk = Number(created!.objectPk);
    expect((await past(pk, created!)).unknown.get('title')).toBe('gap');
    expect((await past(pk, updated!)).unknown.get('title')).toBe('gap');
    expect((await past(pk, updated!)).values).not.toHaveProperty('title');
    const reader = asOf(Post, updated!);
    const all = [(await reader.findByPk(pk))!, ...(await reader.findAll({ where: { id: [pk] } }))];
    for (const row of all) {
      expect(row.get()).toMatchObject({ id: pk, image: null });
      expect(row.get()).not.toHaveProperty('title');
      expect(Object.keys(row.get())).not.toContain('audit_unknown_attributes');
    }
    const [raw] = await reader.findAll({ where: { id: pk }, raw: true, attributes: ['id', 'title'] });
    expect(raw).toEqual({ id: pk });
    const titles = await reader.findAll({
      attributes: [[sequelize.fn('max', sequelize.col('id')), 'last']],
      raw: true,
    });
    expect(titles).toEqual([{ last: pk }]);
  });

  test('a row that vanished has an unknown past, and one that came back begins anew', async () => {
    const [created, updated] = await entriesOf(auditLog, async () => {
      const row = await Post.create({ title: 'a' });
      await row.update({ title: 'b' });
    });
    const pk = Number(created!.objectPk);
    await withoutAudit(() => Post.destroy({ where: { id: pk }, force: true }));
    expect(await past(pk, created!)).toMatchObject({ presence: 'unknown', since: null });
    const [again] = await entriesOf(auditLog, () => Post.create({ id: pk, secret: 's' }));
    expect(await past(pk, updated!)).toMatchObject({ presence: 'unknown', since: again!.toJSON().timestamp });
    expect((await past(pk, again!)).values).toMatchObject({ title: null });
  });

  test('entries of other actions change nothing', async () => {
    const entries = await entriesOf(auditLog, async () => {
      const row = await Post.create({ title: 'a' });
      await auditLog.log(row, { action: 'approve', changes: { title: ['x', 'y'] } });
      await auditLog.logAccess(row);
      await row.update({ title: 'b' });
    });
    await expectSamePast(Post, entries[0]!.objectPk, entries.slice(0, 1));
    expect((await past(Number(entries[0]!.objectPk), entries[2]!)).values).toMatchObject({
      title: 'a',
      updatedAt: entries[0]!.timestamp,
    });
  });

  test('without updates nothing but keys is sure, and that an object was there', async () => {
    const scarce = auditFixture(database);
    scarce.register(Post, { actions: ['create', 'delete'] });
    const [created] = await entriesOf(auditLog, async () => {
      const row = await Post.create({ title: 'a' });
      await withoutAudit(() => row.update({ title: 'b' }));
      await row.destroy({ force: true });
    });
    const id = Number(created!.objectPk);
    const state = await read(scarce)(Post, id, created!);
    expect(state).toMatchObject({ presence: 'there', values: { id, deletedAt: null } });
    expect(state.unknown.get('title')).toBe('notRecorded');
    const row = await scarce.handle(Post).asOf(created!).findByPk(id);
    expect(row!.get()).toEqual({ id, deletedAt: null });
  });
});
