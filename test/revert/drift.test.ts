import { DataTypes, type Model, type ModelStatic } from 'sequelize';
import { createAuditLog, type AuditedModel, type LogEntry } from 'sequelize-auditlog';
import { refusalOf } from '../support/audited';
import { testDatabase } from '../support/database';

type Row = Model & Record<string, any>;

const { TEXT, INTEGER, BIGINT, DECIMAL, JSONB } = DataTypes;
const database = testDatabase();

// The application before a migration and after it: two instances over the same tables.
const [earlier, later] = [database.sequelize, database.createSequelize()];
const [earlierLog, laterLog] = [createAuditLog(earlier), createAuditLog(later)];
const base = { name: TEXT, n: INTEGER, code: TEXT, amount: INTEGER, data: JSONB };
const migrated = {
  ...base,
  n: BIGINT,
  code: INTEGER,
  amount: DECIMAL(10, 2),
  email: TEXT,
  country: { type: TEXT, allowNull: false, defaultValue: 'XX' },
  region: { type: TEXT, allowNull: false },
  zone: { type: TEXT, allowNull: false, defaultValue: 'UTC' },
};

const kinds = [true, false].map((snapshots) => {
  const name = snapshots ? 'versioned' : 'logged';
  const options = { tableName: name, timestamps: false };
  const Before = earlier.define<Row>(name, base, options);
  const After = later.define<Row>(name, migrated, options);
  earlierLog.registerAudited(Before, { snapshots });
  return {
    name,
    isVersioned: snapshots,
    Before,
    After,
    rows: laterLog.registerAudited(After, { snapshots }),
  };
});
type Kind = (typeof kinds)[number];

/** Rows that were written before the migration, each with the entry of its create. */
const written = new Map<string, { readonly id: number; readonly created: LogEntry }>();
const NAMES = [
  'unseen',
  'proven',
  'versioned',
  'emptied',
  'deleted',
  'gone',
  'retyped',
  'unfit',
  'required',
  'named',
];

async function writeBefore({ name, Before }: Kind): Promise<void> {
  for (const each of NAMES) {
    const row = await Before.create({
      name: each,
      n: 5,
      amount: 5,
      data: '5',
      ...(each === 'unfit' && { code: 'x' }),
    });
    const created = (await earlierLog.LogEntry.findOne({ order: [['id', 'DESC']] }))!;
    written.set(`${name}/${each}`, { id: row['id'] as number, created });
    await row.update({ name: 'later', ...(each === 'unfit' && { code: '7' }) });
    if (['gone', 'required'].includes(each)) await row.destroy();
  }
}

beforeAll(async () => {
  await database.open();
  await earlier.sync();
  await earlierLog.sync();
  for (const kind of kinds) {
    await writeBefore(kind);
    await database.rows(
      `alter table ${kind.name} add email text, add country text not null default 'XX', add region text not null default 'R', add zone text,
        alter n type bigint, alter amount type numeric(10,2), alter code type int using code::int`,
    );
  }
  await laterLog.sync();
});
afterAll(() => database.close());

const at = ({ name }: Kind, each: string) => written.get(`${name}/${each}`)!;
const stored = async ({ name }: Kind, id: number): Promise<Record<string, unknown>> =>
  (await database.rows(`select * from ${name} where id = $1`, [id]))[0]!;
const unseen = (kind: Kind, id: number, set: string) =>
  database.rows(`update ${kind.name} set ${set} where id = $1`, [id]);
const newest = async (rows: AuditedModel<Row>, id: number): Promise<LogEntry> =>
  (await rows.entries(id, { limit: 1 }))[0]!;
const namesOf = (all: readonly { readonly attribute?: string }[]) => all.map(({ attribute }) => attribute);
const saved = (After: ModelStatic<Row>, id: number, values: object) =>
  After.findByPk(id).then((row) => row!.update(values));
const skippedAs = (why: string, ...names: string[]) => names.map((attribute) => ({ attribute, why }));
/** What neither versions nor entries from before the migration hold of a row that is there. */
const added = ({ isVersioned }: Kind, ...names: string[]) =>
  skippedAs(isVersioned ? 'notRecorded' : 'gap', ...names);

describe.each(kinds.map((kind): [string, Kind] => [kind.name, kind]))('schema drift: %s', (_, kind) => {
  const { After, rows, isVersioned } = kind;

  test('what was not recorded then is left as it is, and told', async () => {
    const { id, created } = at(kind, 'unseen');
    await unseen(kind, id, `email = 'live@x'`);
    const before = await newest(rows, id);
    const plan = await rows.revert(id, { to: created, dryRun: true });
    expect(plan.skipped).toEqual(added(kind, 'email', 'country', 'region'));
    expect(plan.changes).toEqual([{ attribute: 'name', now: 'later', after: 'unseen' }]);
    const { entry, ...answer } = await rows.revert(id, { to: created });
    expect([answer, entry!.changedAttributes]).toEqual([
      { changes: plan.changes, skipped: plan.skipped, obstacles: [] },
      ['name'],
    ]);
    const kept = { email: 'live@x', country: 'XX', region: 'R' };
    expect(await stored(kind, id)).toMatchObject({ name: 'unseen', ...kept });
    await rows.revert(id, { to: before });
    expect(await stored(kind, id)).toMatchObject({ name: 'later', ...kept });
  });

  test('what an entry proves to have been null becomes null', async () => {
    const { id, created } = at(kind, 'proven');
    await saved(After, id, { email: 'set@x' });
    const { changes, skipped } = await rows.revert(id, { to: created });
    expect(changes).toContainEqual({ attribute: 'email', now: 'set@x', after: null });
    expect(skipped).toEqual(added(kind, 'country', 'region'));
    expect(await stored(kind, id)).toMatchObject({ email: null });
  });

  test('a later version with a value that no entry names proves nothing', async () => {
    const { id, created } = at(kind, 'versioned');
    await unseen(kind, id, `email = 'live@x'`);
    await saved(After, id, { name: 'other' });
    await saved(After, id, { email: 'next@x' });
    const { skipped } = await rows.revert(id, { to: created });
    expect(skipped).toEqual(added(kind, 'email', 'country', 'region'));
    expect(await stored(kind, id)).toMatchObject({ email: 'next@x' });
  });

  test('null that an entry wrote is put back over what came unseen', async () => {
    const { id } = at(kind, 'emptied');
    await saved(After, id, { email: 'set@x' });
    await saved(After, id, { email: null });
    const emptied = await newest(rows, id);
    await unseen(kind, id, `email = 'live@x'`);
    const { skipped } = await rows.revert(id, { to: emptied });
    // Entries alone can't tell when it came.
    expect(skipped).toEqual(isVersioned ? [] : skippedAs('gap', 'email', 'country', 'region'));
    expect(await stored(kind, id)).toMatchObject({ email: isVersioned ? null : 'live@x' });
  });

  test('a row that comes back from before an added column has its default', async () => {
    const { id, created } = at(kind, 'gone');
    const skipped = skippedAs('notRecorded', 'country', 'region', 'zone');
    const plan = await rows.revert(id, { to: created, dryRun: true });
    expect(plan).toMatchObject({ skipped, obstacles: [] });
    expect(namesOf(plan.changes)).toEqual(['id', 'name', 'n', 'amount', 'data']);
    const answer = await rows.revert(id, { to: created });
    expect(answer.skipped).toEqual(skipped);
    expect(await stored(kind, id)).toEqual({
      id,
      name: 'gone',
      n: '5',
      code: null,
      amount: '5.00',
      data: '5',
      email: null,
      country: 'XX',
      region: 'R',
      zone: 'UTC',
    });
  });

  test('of a row that was deleted with a value that came unseen, none is made up', async () => {
    const { id, created } = at(kind, 'deleted');
    await unseen(kind, id, `email = 'live@x', country = 'DE'`);
    await After.destroy({ where: { id } });
    const { skipped } = await rows.revert(id, { to: created });
    const lost = added(kind, 'email', 'country', 'region');
    expect(skipped).toEqual([...lost, ...skippedAs('notRecorded', 'zone')]);
    expect(await stored(kind, id)).toMatchObject({ email: null, country: 'XX' });
  });

  test('a value that another type reads differently is not in the plan', async () => {
    const { id, created } = at(kind, 'retyped');
    const { changes } = await rows.revert(id, { to: created, dryRun: true });
    expect(namesOf(changes)).toEqual(['name']);
    await saved(After, id, { n: '6', data: 5 });
    const other = await rows.revert(id, { to: created });
    expect(namesOf(other.changes)).toEqual(['name', 'n', 'data']);
    expect(await stored(kind, id)).toMatchObject({ n: '5', data: '5' });
  });

  test('a value that fits its column no more is told, and in the way of nothing else', async () => {
    const { id, created } = at(kind, 'unfit');
    const plan = await rows.revert(id, { to: created, dryRun: true });
    expect(namesOf(isVersioned ? plan.obstacles : plan.skipped)).toContain('code');
    const { changes } = await rows.revert(id, { to: created, only: ['name'] });
    expect(namesOf(changes)).toEqual(['name']);
    expect(await stored(kind, id)).toMatchObject({ name: 'unfit', code: 7 });
  });

  test('without any default it is an obstacle', async () => {
    const { id, created } = at(kind, 'required');
    await database.rows(`alter table ${kind.name} alter region drop default`);
    const { obstacles } = await rows.revert(id, { to: created, dryRun: true });
    expect(obstacles).toEqual([
      {
        attribute: 'region',
        why: expect.stringMatching(/cannot be null \(notRecorded: history does not hold it\)$/),
      },
    ]);
    expect((await refusalOf(() => rows.revert(id, { to: created }))).code).toBe('ERR_AUDIT_CONFLICT');
  });
});

test('what was not recorded then is refused by name', async () => {
  const [kind] = kinds as [Kind];
  const { id, created } = at(kind, 'named');
  await unseen(kind, id, `email = 'live@x'`);
  const refused = await refusalOf(() => kind.rows.revert(id, { to: created, only: ['name', 'email'] }));
  expect([refused.code, refused.message]).toEqual([
    'ERR_AUDIT_NOT_RESTORABLE',
    `revert of versioned: "email" in only can't be put back: notRecorded. Leave it out of only.`,
  ]);
});
