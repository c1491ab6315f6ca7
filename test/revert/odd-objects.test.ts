import { DataTypes, type Model, type ModelStatic } from 'sequelize';
import { createAuditLog, type AuditedModel, type LogEntry } from 'sequelize-auditlog';
import { refusalOf } from '../support/audited';
import { Chance } from '../replay/random';
import { testDatabase } from '../support/database';

type Row = Model & Record<string, any>;

const database = testDatabase();
const { sequelize } = database;
const auditLog = createAuditLog(sequelize);
const { TEXT, INTEGER } = DataTypes;

/** Two models over tables of the same definition, one with versions and one without. */
function both(name: string, columns: string, attributes: () => object, options: object = {}) {
  return [true, false].map((snapshots): [boolean, ModelStatic<Row>, AuditedModel<Row>] => {
    const table = `${name}_${snapshots ? 'versioned' : 'logged'}`;
    definitions.push(`create table ${table} (${columns})`);
    const model = sequelize.define<Row>(table, attributes() as never, {
      tableName: table,
      timestamps: false,
      ...options,
    });
    return [snapshots, model, auditLog.registerAudited(model, { snapshots })];
  });
}
const isFull = process.env['FULL'] === '1';

const definitions: string[] = ["create type mode as enum ('a', 'b', 'c')"];

const key = () => ({ type: INTEGER, primaryKey: true, autoIncrement: true });

const assigned = both('assigned', 'id int generated always as identity primary key, n int', () => ({
  id: key(),
  n: INTEGER,
}));
const values = both(
  'valued',
  `a text, b int, at timestamptz default clock_timestamp(), price numeric, ratio float8, image bytea, mode mode,
   modes mode[], span tstzrange, ip inet, doubled int generated always as (b * 2) stored, j json, days date[], primary key (b, a)`,
  () => ({
    a: { type: TEXT, primaryKey: true },
    b: { type: INTEGER, primaryKey: true },
    at: DataTypes.DATE(6),
    price: DataTypes.DECIMAL,
    ratio: DataTypes.DOUBLE,
    image: DataTypes.BLOB,
    mode: DataTypes.ENUM('a', 'b'),
    modes: DataTypes.ARRAY(TEXT),
    span: DataTypes.RANGE(DataTypes.DATE),
    ip: DataTypes.INET,
    doubled: INTEGER,
    j: DataTypes.JSON,
    days: DataTypes.ARRAY(DataTypes.DATEONLY),
  }),
);
const required = both(
  'required',
  'id serial primary key, name text not null, kept text not null, gone text',
  () => ({ id: key(), name: TEXT, kept: { type: TEXT, allowNull: false }, gone: TEXT }),
);
const deferred = both(
  'deferred',
  'id serial primary key, up int references deferred_parents deferrable initially deferred',
  () => ({ id: key(), up: INTEGER }),
);
definitions.splice(1, 0, 'create table deferred_parents (id int primary key)');

beforeAll(async () => {
  await database.open();
  for (const definition of definitions) await database.rows(definition);
  await auditLog.sync();
});
afterAll(() => database.close());

const imageOf = async (model: ModelStatic<Row>): Promise<unknown[]> =>
  database.rows(`select t::text from ${model.getTableName() as string} t order by 1`);
const newest = async (handle: AuditedModel<Row>, pk: unknown): Promise<LogEntry> =>
  (await handle.entries(pk as never, { limit: 1 }))[0]!;

test.each(assigned)(
  'a deleted object with a key that the database assigns comes back with it (versions: %s)',
  async (_, model, handle) => {
    const row = await model.create({ n: 1 });
    const created = await newest(handle, row);
    await row.destroy();
    const before = await imageOf(model);
    expect((await handle.revert(row['id'], { to: created, dryRun: true })).obstacles).toEqual([]);
    const { entry } = await handle.revert(row['id'], { to: created });
    expect([before, await imageOf(model)]).toEqual([[], [{ t: '(1,1)' }]]);
    expect(entry).toMatchObject({
      action: 'create',
      objectPk: '1',
      changes: { id: [null, 1], n: [null, 1] },
    });
    await handle.revert(row['id'], { to: new Date(), only: ['n'] });
  },
);

const INSERTED = {
  a: 'k/1',
  b: 3,
  price: '12.3400',
  ratio: 1.5,
  image: Buffer.from([0, 255, 1]),
  mode: 'a',
  modes: ['a', 'b'],
  ip: '10.0.0.1',
  j: { a: [null], b: 1 },
  days: ['2026-11-21'],
};

test.each(values)(
  'fault 41 every type, microseconds included, comes back unchanged (versions: %s)',
  async (isVersioned, model, handle) => {
    const span = [new Date('2026-01-01T00:00:00Z'), new Date('2026-02-01T00:00:00Z')];
    const row = await model.create({ ...INSERTED, span });
    const created = await newest(handle, row);
    // Entries hold the digest of a BLOB only: without versions one that has changed can't come back.
    if (!isVersioned) await model.update({ image: Buffer.from('other') }, { where: { b: 3 } });
    const first = await imageOf(model);
    await model.update(
      {
        at: new Date(),
        price: 1,
        ratio: NaN,
        mode: 'b',
        modes: [],
        span: null,
        ip: '::1',
        j: [1],
        days: null,
      },
      { where: { b: 3 } },
    );
    const second = await newest(handle, row);
    const secondImage = await imageOf(model);
    const names = ['at', 'price', 'ratio', 'mode', 'modes', 'span', 'ip', 'j', 'days'];
    const back = await handle.revert(row, { to: created });
    expect(back.changes.map(({ attribute }) => attribute)).toEqual(names);
    expect(await imageOf(model)).toEqual(first);
    await handle.revert(row, { to: second });
    expect(await imageOf(model)).toEqual(secondImage);
    await row.destroy();
    const { a, b } = INSERTED;
    const again = await handle.revert({ a, b }, { to: created });
    expect(again.skipped).toEqual(isVersioned ? [] : [{ attribute: 'image', why: 'digest' }]);
    const image = await imageOf(model);
    expect(isVersioned ? image : image.length).toEqual(isVersioned ? first : 1);
    expect(back.skipped).toEqual(isVersioned ? [] : [{ attribute: 'image', why: 'digest' }]);
  },
);

test.each(values)(
  'an ENUM value that the model has no more is an obstacle by name (versions: %s)',
  async (_, model, handle) => {
    const row = await model.create({ a: 'e', b: 1, mode: 'c' });
    const created = await newest(handle, row);
    await row.update({ mode: 'a' });
    const { obstacles } = await handle.revert(row, { to: created, dryRun: true });
    expect(obstacles).toEqual([{ attribute: 'mode', why: '"c" is none of the values it may have now' }]);
    expect((await refusalOf(() => handle.revert(row, { to: created }))).code).toBe('ERR_AUDIT_CONFLICT');
    await row.destroy();
  },
);

test.each(required)(
  'faults 89, 97 what was dropped, excluded or retyped since is told, and nothing nonsensical is written (versions: %s)',
  async (isVersioned, model, handle) => {
    const table = model.getTableName() as string;
    const row = await model.create({ name: 'n', kept: 'k', gone: 'g' });
    const created = await newest(handle, row);
    await row.update({ name: 'm', gone: 'h' });
    model.removeAttribute('gone');
    auditLog.registerAudited(model, { snapshots: isVersioned, exclude: ['kept'] });
    const answer = await handle.revert(row['id'], { to: created });
    expect(answer.changes).toEqual([{ attribute: 'name', now: 'm', after: 'n' }]);
    expect(answer.skipped).toEqual([
      { attribute: 'kept', why: 'excluded' },
      { attribute: 'gone', why: 'dropped' },
    ]);
    const { code } = await refusalOf(() => handle.revert(row['id'], { to: created, only: ['gone'] }));
    expect(code).toBe('ERR_AUDIT_NOT_RESTORABLE');
    await model.destroy({ where: { id: row['id'] } });
    const plan = await handle.revert(row['id'], { to: created, dryRun: true });
    expect(plan.obstacles).toEqual([
      {
        attribute: 'kept',
        why: expect.stringMatching(/cannot be null \(excluded: history does not hold it\)$/),
      },
    ]);
    const refused = await refusalOf(() => handle.revert(row['id'], { to: created }));
    expect([refused.code, (refused.cause as Error).name]).toEqual([
      'ERR_AUDIT_CONFLICT',
      'SequelizeValidationError',
    ]);
    // The column is an integer now, and "n" is none.
    const other = await model.create({ name: 'n', kept: 'k' });
    const first = await newest(handle, other);
    await database.rows(`delete from ${table} where id <> ${other['id']}`);
    await model.update({ name: '7' }, { where: {} });
    await database.rows(`alter table ${table} alter name type int using name::int`);
    const retyped = await handle.revert(other['id'], { to: first, dryRun: true });
    expect(retyped.obstacles).toEqual([
      { attribute: 'name', why: expect.stringContaining('invalid input'), sqlState: '22P02' },
    ]);
    expect((await refusalOf(() => handle.revert(other['id'], { to: first }))).code).toBe(
      'ERR_AUDIT_CONFLICT',
    );
  },
);

test.each(deferred)(
  'a constraint that speaks at the commit refuses it too (versions: %s)',
  async (_, model, handle) => {
    await database.rows('insert into deferred_parents values (1) on conflict do nothing');
    const row = await model.create({ up: 1 });
    const created = await newest(handle, row);
    await row.update({ up: null });
    await database.rows(
      'delete from deferred_parents where not exists (select from deferred_logged where up = 1)',
    );
    const plan = await handle.revert(row, { to: created, dryRun: true });
    expect(plan.obstacles).toEqual([
      { attribute: 'up', why: expect.stringContaining('foreign key'), sqlState: '23503' },
    ]);
    expect((await refusalOf(() => handle.revert(row, { to: created }))).code).toBe('ERR_AUDIT_CONFLICT');
    expect(await handle.entries(row)).toHaveLength(2);
  },
);

const RANDOM = both(
  'random',
  `b text, a int, status text, n int, data jsonb, "deletedAt" timestamptz, primary key (b, a)`,
  () => ({
    b: { type: TEXT, primaryKey: true },
    a: { type: INTEGER, primaryKey: true },
    status: TEXT,
    n: INTEGER,
    data: DataTypes.JSONB,
    deletedAt: DataTypes.DATE,
  }),
  { paranoid: true, timestamps: true, createdAt: false, updatedAt: false },
);

/** One step of a random history of one object. */
async function step(chance: Chance, model: ModelStatic<Row>, where: { a: number; b: string }): Promise<void> {
  const row = await model.findOne({ where, paranoid: false });
  const [isDeleted, isHidden] = [chance.happens(0.2), chance.happens(0.2)];
  const given = {
    status: chance.pick(['new', 'paid', null]),
    n: chance.below(4),
    data: chance.pick([null, { x: [chance.below(3)] }]),
  };
  if (!row) await model.create({ ...where, ...given });
  else if (isDeleted) await row.destroy({ force: true });
  else if (row['deletedAt'] !== null) await row.restore();
  else if (isHidden) await row.destroy();
  else await row.update(given);
}

test.each(RANDOM)(
  'putting any state back gives that state, and putting that back gives the one before (versions: %s)',
  async (isVersioned, model, handle) => {
    const rounds = isFull ? 60 : 4;
    const chance = new Chance(isVersioned ? 1 : 2);
    for (let round = 0; round < rounds; round += 1) {
      const where = { b: `r"${round}`, a: round };
      const images: [LogEntry, unknown][] = [];
      const look = async (): Promise<void> => {
        images.push([await newest(handle, where), await imageOf(model)]);
      };
      for (let n = 0; n < 7; n += 1) {
        await step(chance, model, where);
        await look();
      }
      for (let n = 0; n < 3; n += 1) {
        const [entry, image] = chance.pick(images.filter(([, rows]) => (rows as unknown[]).length > 0));
        await handle.revert(where, { to: entry, force: true });
        expect(await imageOf(model)).toEqual(image);
        await look();
      }
      await model.destroy({ where, force: true });
    }
  },
  isFull ? 300_000 : undefined,
);

const unquoted = database.createSequelize({ quoteIdentifiers: false });
const unquotedLog = createAuditLog(unquoted);

test.each([true, false])('names that are not quoted make no difference (versions: %s)', async (snapshots) => {
  const attributes = { someText: { type: TEXT, field: 'Some_Text' }, goneAt: DataTypes.DATE };
  const options = { paranoid: true, deletedAt: 'goneAt', createdAt: false, updatedAt: false } as const;
  const model = unquoted.define<Row>(`Bare${snapshots ? 'Versioned' : 'Logged'}`, attributes, options);
  const handle = unquotedLog.registerAudited(model, { snapshots });
  await model.sync();
  await unquotedLog.sync();
  const row = await model.create({ someText: 'a' });
  const created = await newest(handle, row);
  await row.update({ someText: 'b' });
  const { changes, entry } = await handle.revert(row, { to: created });
  expect(changes).toEqual([{ attribute: 'someText', now: 'b', after: 'a' }]);
  expect(entry!.additionalData).toMatchObject({ revertedToEntry: created.id });
  await row.destroy({ force: true });
  await handle.revert(row['id'], { to: created });
  expect((await handle.diff(row['id'], created, 'current')).changes).toEqual([]);
});

test('a link that was deleted softly comes back, and so does one to the same kind and one in a scope', async () => {
  const Link = sequelize.define<Row>('SoftLink', { kind: TEXT }, { paranoid: true });
  const Node = sequelize.define<Row>('Node', {}, { timestamps: false });
  const through = { model: Link, scope: { kind: 'near' } };
  Node.belongsToMany(Node, { through, as: 'others', foreignKey: 'a', otherKey: 'b' });
  const nodes = auditLog.registerAudited(Node, { associations: ['others'] });
  await Node.sync();
  await Link.sync();
  const [one, two] = (await Node.bulkCreate([{}, {}])) as [Row, Row];
  await one['setOthers']([one, two]);
  const linked = await newest(nodes, one);
  await one['setOthers']([]);
  await nodes.revert(one, { to: linked });
  expect(await one['countOthers']()).toBe(2);
  expect((await nodes.diff(one, linked, 'current')).changes).toEqual([]);
});
