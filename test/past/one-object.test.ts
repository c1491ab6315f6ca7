import { DataTypes, literal, type Model, type ModelStatic, type Options, type Sequelize } from 'sequelize';
import {
  createAuditLog,
  withoutAudit,
  type AuditedModel,
  type AuditLog,
  type RegistrationOptions,
} from 'sequelize-auditlog';
import type { PointInTime } from '../../lib/history/point-in-time';
import { entriesOf } from '../support/audited';
import { testDatabase } from '../support/database';
import { statementsOf } from '../support/statements';

// From entries, one object is found by a prepared statement that has no condition on the key. A find hook of the application, which
// would see that condition, makes the same call take the general road: both must say the same.
const database = testDatabase();

interface World {
  readonly sequelize: Sequelize;
  readonly auditLog: AuditLog;
}

function worldOf(options: Options = {}): World {
  const sequelize = database.createSequelize(options);
  return { sequelize, auditLog: createAuditLog(sequelize) };
}

interface Subject extends World {
  readonly model: ModelStatic<Model>;
  readonly handle: AuditedModel;
  readonly keys: readonly unknown[];
  readonly rows: readonly [object, object];
}

function subject(
  world: World,
  model: ModelStatic<Model>,
  rows: readonly [object, object],
  registration: RegistrationOptions = {},
): Subject {
  const handle = world.auditLog.registerAudited(model, registration);
  const keyOf = (row: object): unknown => {
    const parts = model.primaryKeyAttributes.map((name) => row[name as keyof typeof row] as unknown);
    return parts.length === 1 ? parts[0] : parts;
  };
  return { ...world, model, handle, rows, keys: rows.map(keyOf) };
}

const EVERYTHING = process.env['FULL'] === '1';

const plain = worldOf();
const unquoted = worldOf({ quoteIdentifiers: false });
const prepending = worldOf({ dialectOptions: { prependSearchPath: true } });
const { TEXT, INTEGER, BIGINT, DECIMAL, JSONB, DATE, DATEONLY, BLOB, ARRAY, UUID, CHAR, VIRTUAL } = DataTypes;

const number = { type: INTEGER, primaryKey: true };
const attributes = () => ({
  id: { ...number },
  title: TEXT,
  cost: { type: DECIMAL(12, 2), field: 'cost$1' },
  big: BIGINT,
  document: JSONB,
  raw: DataTypes.JSON,
  seen: { type: DATE(6), field: 'the "date"' },
  day: DATEONLY,
  bytes: BLOB,
  names: ARRAY(TEXT),
  secret: TEXT,
  notes: TEXT,
  loud: {
    type: VIRTUAL,
    get(this: Model) {
      return String(this.getDataValue('title')).toUpperCase();
    },
  },
});
const first = {
  id: 1,
  title: 'a $1 ? :x',
  cost: '10.50',
  big: '9007199254740993',
  document: { a: [1, null] },
  raw: [1, { b: 2 }],
  seen: new Date('2026-01-02T03:04:05.678Z'),
  day: '2026-01-02',
  bytes: Buffer.from('00ff', 'hex'),
  names: ['x,y', '"'],
  secret: 'hush',
  notes: 'none',
};
const second = { id: 2, title: 'b', cost: '0.00' };
const hiding = { mask: ['secret'], exclude: ['notes'] };

const subjects: Record<string, Subject> = {
  'every type': subject(
    plain,
    plain.sequelize.define('Thing', attributes()),
    [first, second],
    hiding as never,
  ),
  'a paranoid model with scopes': subject(
    plain,
    plain.sequelize.define(
      'Page',
      { id: { ...number, type: BIGINT }, title: TEXT },
      { paranoid: true, version: true, defaultScope: { where: { title: 'never' } } },
    ),
    [
      { id: '9007199254740993', title: 'a' },
      { id: '2', title: 'b' },
    ],
  ),
  'a key of two columns': subject(
    plain,
    plain.sequelize.define(
      'Part',
      {
        name: { type: TEXT, primaryKey: true },
        place: { type: INTEGER, primaryKey: true, field: 'the place' },
        title: TEXT,
      },
      { timestamps: false },
    ),
    [
      { name: "a'/b", place: 1, title: 'a' },
      { name: '', place: -1, title: 'b' },
    ],
  ),
  'a UUID': subject(
    plain,
    plain.sequelize.define('Token', { id: { type: UUID, primaryKey: true }, title: TEXT }),
    [
      { id: '6f4f9a5a-6c22-4bd4-8f0a-2d1f2b1f0e11', title: 'a' },
      { id: '00000000-0000-4000-8000-000000000001', title: 'b' },
    ],
  ),
  'a padded key, which only the general road finds': subject(
    plain,
    plain.sequelize.define('Code', { id: { type: CHAR(5), primaryKey: true }, title: TEXT }),
    [
      { id: 'ab', title: 'a' },
      { id: 'abcde', title: 'b' },
    ],
  ),
  'a schema of its own': subject(
    plain,
    plain.sequelize.define('Far', { id: { ...number }, title: TEXT }, { schema: `${database.schema}_far` }),
    [
      { id: 1, title: 'a' },
      { id: 2, title: 'b' },
    ],
  ),
  'names without quotes': subject(
    unquoted,
    unquoted.sequelize.define('Bare', {
      id: { ...number },
      Title: TEXT,
      title: { type: TEXT, field: 'other' },
    }),
    [
      { id: 1, title: 'a' },
      { id: 2, title: 'b' },
    ],
  ),
  'a statement before each, so that there can be no parameters': subject(
    prepending,
    prepending.sequelize.define('Late', { id: { ...number }, title: TEXT }),
    [
      { id: 1, title: 'a' },
      { id: 2, title: 'b' },
    ],
  ),
};

beforeAll(async () => {
  await database.open();
  await database.createSchema('far');
  for (const { sequelize, auditLog } of [plain, unquoted, prepending]) {
    await sequelize.query(`set search_path to ${database.schema}`);
    await sequelize.sync({ searchPath: database.schema });
    await auditLog.sync();
  }
});
afterAll(() => database.close());

/** All that tells one instance, null, or error from another. */
async function outcomeOf(
  { handle }: Subject,
  when: PointInTime,
  key: unknown,
  options: object = {},
): Promise<unknown> {
  try {
    const row = (await handle.asOf(when).findByPk(key as never, options)) as unknown;
    if (row === null || !('dataValues' in (row as object))) return row;
    const { constructor, dataValues, _previousDataValues, isNewRecord } = row as Model & {
      _previousDataValues: unknown;
    };
    const seen = (row as Model).get();
    return { name: constructor.name, dataValues, _previousDataValues, isNewRecord, seen };
  } catch (error) {
    const { name, code, message } = error as { name: string; code?: string; message: string };
    return { name, code, message };
  }
}

async function generally<T>({ model }: Subject, work: () => Promise<T>): Promise<T> {
  model.addHook('afterFind', 'sees conditions', () => undefined);
  try {
    return await work();
  } finally {
    model.removeHook('afterFind', 'sees conditions');
  }
}

async function clock(): Promise<string> {
  const [row] = await database.rows<{ now: string }>(
    `select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as now`,
  );
  return row!.now;
}

/** Rows that come, change, are written to past the log, go, and come again; gives every time between. */
async function story({ model, auditLog, rows: [one, two] }: Subject): Promise<PointInTime[]> {
  const times: PointInTime[] = [await clock()];
  const where = Object.fromEntries(
    model.primaryKeyAttributes.map((name) => [name, one[name as keyof typeof one]]),
  );
  const options = { where, silent: false };
  const steps: (() => unknown)[] = [
    () => model.create({ ...one }),
    () => withoutAudit(() => model.create({ ...two })),
    () => model.update({ title: 'second' }, options),
    () => withoutAudit(() => model.update({ title: 'sneaked' }, options)),
    () => model.update({ title: null }, options),
    () => model.unscoped().destroy({ where }),
    () => model.unscoped().destroy({ where, force: true }),
    () => model.unscoped().update({ title: 'known' }, { where: {} }),
    () => model.create({ ...one, title: 'again' }),
  ];
  const entries = await entriesOf(auditLog, async () => {
    for (const step of steps) {
      await step();
      times.push(await clock());
    }
  });
  return [...times, new Date(), ...(EVERYTHING ? entries : entries.slice(2, 4))];
}

describe.each(Object.entries(subjects))('%s', (_name, of) => {
  let times: PointInTime[];
  beforeAll(async () => {
    times = await story({ ...of, model: of.model.unscoped() });
  });

  test('one object by the short road is that of the general one, at every time', async () => {
    const nobody = of.keys.map(String)[0] === '1' ? '777' : 'ffffffff-0000-4000-8000-000000000000';
    const keys = [...of.keys, Array.isArray(of.keys[0]) ? ['nobody', 7] : nobody];
    const some = (_when: PointInTime, at: number): boolean => EVERYTHING || at % 4 === 1;
    const asked = keys.flatMap((key, at) =>
      (at === 0 ? times : times.filter(some)).map((when) => ({ key, when })),
    );
    const ask = async (): Promise<unknown[]> => {
      const found: unknown[] = [];
      for (const { key, when } of asked) found.push(await outcomeOf(of, when, key, { paranoid: false }));
      return found;
    };
    const short = await ask();
    expect(short).toEqual(await generally(of, ask));
    // Worth comparing: objects in several states, absent ones, and gaps.
    expect(new Set(short.map((each) => JSON.stringify(each))).size).toBeGreaterThan(5);
    expect(short).toContain(null);
    expect(short).toContainEqual(expect.objectContaining({ code: 'ERR_AUDIT_HISTORY_GAP' }));
  });

  test('with other options too', async () => {
    const all = [
      {},
      { raw: true },
      { attributes: [...of.model.primaryKeyAttributes, 'title'] },
      { where: { title: ['second', 'again'] }, rejectOnEmpty: true },
      { hooks: false, logging: false, strict: true },
      { where: { nothing: 1 } },
      { where: literal('"title" = $1'), bind: ['second'] },
    ];
    const asked = all.flatMap((options) => [times[3]!, times[9]!].map((when) => ({ when, options })));
    const ask = async (): Promise<unknown[]> => {
      const found: unknown[] = [];
      for (const { when, options } of asked) found.push(await outcomeOf(of, when, of.keys[0], options));
      return found;
    };
    expect(await ask()).toEqual(await generally(of, ask));
  });
});

const things = subjects['every type']!;
const read = (transaction?: unknown): Promise<unknown> =>
  outcomeOf(things, new Date(), 1, transaction === undefined ? {} : { transaction });

/** Names and values of what is sent over the log while `work` runs. */
async function sentBy(
  work: () => unknown,
): Promise<{ name: string | undefined; values: readonly unknown[] }[]> {
  const sent = await statementsOf(plain.sequelize, work);
  return sent
    .filter(({ text }) => text.includes('audit_log_entries'))
    .map(({ name, values }) => ({ name, values }));
}

describe('the statement', () => {
  const prepared = {
    name: expect.stringMatching(/^audit_\d+_/) as string,
    values: ['1', expect.any(String)],
  };

  test('is the same for all objects and times, and prepared from its second use on', async () => {
    await read();
    await read();
    const sent = await sentBy(async () => {
      await read();
      await outcomeOf(things, '2020-01-01T00:00:00.000Z', 2);
    });
    expect(sent[0]).toMatchObject(prepared);
    expect(sent[1]).toMatchObject({ name: sent[0]!.name, values: ['2', '2020-01-01T00:00:00.000000Z'] });
    const [general] = await sentBy(() => generally(things, () => read()));
    expect(general).toEqual({ name: undefined, values: [] });
  });

  test('is not prepared in the caller’s transaction, which a lost one would break', async () => {
    await plain.sequelize.transaction(async (transaction) => {
      const sent = await sentBy(() => read(transaction));
      expect(sent).toMatchObject([{ name: undefined, values: ['1', expect.any(String)] }]);
    });
  });

  test('that a pooler lost is sent once more, and no more prepared after the second loss', async () => {
    const sequelize = database.createSequelize({ pool: { max: 1 } });
    const auditLog = createAuditLog(sequelize);
    const handle = auditLog.registerAudited(sequelize.define('Thing', attributes()), hiding);
    const find = async (): Promise<unknown> => (await handle.asOf(new Date()).findByPk(1))?.get('title');
    const warned = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    for (let loss = 0; loss < 2; loss += 1) {
      expect([await find(), await find(), await find()]).toEqual(['again', 'again', 'again']);
      await sequelize.query('deallocate all');
      expect(await find()).toBe('again');
    }
    const sent = await statementsOf(sequelize, find);
    expect(sent.at(-1)).toMatchObject({ name: undefined, values: ['1', expect.any(String)] });
    warned.mockRestore();
  });

  test('goes on when a column got another type', async () => {
    await read();
    await database.admin.query('alter table "Things" alter column big type text');
    const found = await read();
    expect(found).toEqual(await generally(things, () => read()));
    expect(found).toMatchObject({ dataValues: { big: '9007199254740993' } });
  });
});
