import { literal, Op, type Model } from 'sequelize';
import { path, pathOver, type WritePath } from '../path';

const UUID = '0b8a2c1e-6f4d-4a7b-9d3e-112233445566';

/** A value of every column, and another. */
const VALUES: Readonly<Record<string, readonly [unknown, unknown]>> = {
  string: [`it's "so" \\ \n ü 😀`, 'plain'],
  char: ['ab', 'abc'],
  text: ['x'.repeat(5000), ''],
  small: [-5, 5],
  integer: [2_147_483_647, 0],
  big: ['9223372036854775807', '-1'],
  real: [0.1, 1e30],
  double: [0.1, 1e-300],
  exact: ['12345678901234.567800', '0'],
  bool: [true, false],
  date: [new Date('2024-05-06T07:08:09.123Z'), new Date('1066-10-14T00:00:00Z')],
  dateonly: ['2024-02-29', '0001-01-01'],
  time: ['07:08:09', '23:59:59.999999'],
  uuid: [UUID, UUID.replace('0b', 'ff')],
  mood: ['glad', `it's "so" so`],
  inet: ['10.0.0.1', '10.1.0.0/16'],
  cidr: ['10.0.0.0/8', '::1/128'],
  mac: ['08:00:2b:01:02:03', '08:00:2b:01:02:04'],
  span: [
    [1, 5],
    [{ value: 1, inclusive: false }, null],
  ],
  period: [
    [new Date('2024-01-01T00:00:00Z'), new Date('2024-01-02T00:00:00Z')],
    [null, new Date(0)],
  ],
  blob: [Buffer.from([0, 1, 255]), Buffer.alloc(0)],
  json: [{ b: 1, a: [1, null, 'x'] }, 'text'],
  jsonb: [{ deep: { deeper: [{}] }, n: 1.5 }, [false]],
  texts: [['a', `b"',{}\\`, '', null], []],
  integers: [[1, 2, null], [3]],
  bigs: [['9223372036854775807', '1'], ['2']],
  doubles: [[0.1, -2.5], [0]],
  exacts: [
    ['1.10', '2'],
    ['1.1', '2'],
  ],
  dates: [[new Date('2024-05-06T07:08:09.123Z')], [new Date(0), new Date(1)]],
  days: [['2024-02-29'], ['2024-03-01', '0001-01-01']],
  moods: [['glad', 'sad'], ['sad']],
  uuids: [[UUID], []],
  jsons: [
    [{ a: 1 }, [2]],
    ['x', null],
  ],
  blobs: [[Buffer.from('hi')], [Buffer.alloc(0)]],
  grid: [
    [
      [1, 2],
      [3, 4],
    ],
    [[5], [6]],
  ],
};

const FIRST = Object.fromEntries(Object.entries(VALUES).map(([name, [first]]) => [name, first]));
const SECOND = Object.fromEntries(Object.entries(VALUES).map(([name, [, second]]) => [name, second]));
const NULLS = Object.fromEntries(Object.keys(VALUES).map((name) => [name, null]));

/** Values that only SQL can write. */
const EXTREMES: Readonly<Record<string, string>> = {
  real: `'NaN'`,
  double: `'-Infinity'`,
  exact: `'NaN'`,
  date: `'infinity'`,
  dateonly: `'-infinity'`,
  dates: `array['infinity'::timestamptz, '2024-05-06 07:08:09.123456+00']`,
  days: `array['infinity'::date]`,
  doubles: `array['NaN'::float8, 'Infinity']`,
  json: String.raw`'{"k":   "spaces",  "k2": 1.0}'`,
  span: `'empty'`,
};

function literals(values: Readonly<Record<string, string>>) {
  return Object.fromEntries(Object.entries(values).map(([name, sql]) => [name, literal(sql)]));
}

const ANCIENT = {
  date: `'0044-03-15 12:00:00+00 BC'`,
  dateonly: `'0044-03-15 BC'`,
  days: `array['0044-03-15 BC'::date]`,
};
const MICROSECONDS = { date: `'2024-05-06 07:08:09.123456+00'` };

/** Sequelize's bulkCreate fails on arrays of an enum. */
function withoutMoods({ moods: _moods, ...values }: Readonly<Record<string, unknown>>) {
  return values;
}

const PER_COLUMN = Object.keys(VALUES).map((name) =>
  pathOver(
    `update of the column ${name}`,
    1,
    ({ models }) => models.Sample.create({ [name]: VALUES[name]?.[0] }),
    (_bench, options, sample) => sample.update({ [name]: VALUES[name]?.[1] }, options),
  ),
);

function filled(
  name: string,
  entries: number,
  act: (sample: Model, options: object) => Promise<unknown>,
): WritePath {
  return pathOver(
    name,
    entries,
    ({ models }) => models.Sample.create(FIRST),
    (_bench, options, sample) => act(sample, options),
  );
}

export const COLUMN_PATHS: readonly WritePath[] = [
  path('create with every type', 1, ({ models }, options) => models.Sample.create(FIRST, options)),
  path('bulkCreate with every type', 3, ({ models }, options) =>
    models.Sample.bulkCreate([FIRST, SECOND, NULLS].map(withoutMoods), options),
  ),
  filled('update with every type', 1, (sample, options) => sample.update(SECOND, options)),
  filled('update with every type to null', 1, (sample, options) => sample.update(NULLS, options)),
  filled('update with every type to the same', 0, (sample, options) => {
    // Sequelize writes an array of BLOB in two ways: the second time it holds something else.
    for (const name of Object.keys(FIRST)) if (name !== 'blobs') sample.changed(name as never, true);
    return sample.save({ ...options });
  }),
  filled('destroy with every type', 1, (sample, options) => sample.destroy(options)),
  filled('update to infinite and odd values', 1, (sample, options) =>
    sample.update(literals(EXTREMES), options),
  ),
  filled('update to dates before Christ', 1, (sample, options) => sample.update(literals(ANCIENT), options)),
  filled('update by microseconds', 1, (sample, options) => sample.update(literals(MICROSECONDS), options)),
  path('create with infinite and odd values', 1, ({ models }, options) =>
    models.Sample.create(literals(EXTREMES), options),
  ),
  pathOver(
    'upsert with every type',
    1,
    ({ models }) => models.Sample.create({ ...FIRST, id: 3_000_001 }),
    ({ models }, options) => models.Sample.upsert({ ...SECOND, id: 3_000_001 }, options),
  ),
  pathOver(
    'upsert with every type that changes nothing',
    0,
    ({ models }) => models.Sample.create({ ...FIRST, id: 3_000_001 }),
    ({ models }, options) => models.Sample.upsert({ ...FIRST, id: 3_000_001 }, options),
  ),
  pathOver(
    'update from a JSON null',
    1,
    async ({ models, database }) => {
      const sample = await models.Sample.create({});
      await database.rows(`update "Samples" set jsonb = 'null', json = 'null'`);
      return sample;
    },
    (_bench, options, sample) => sample.update({ jsonb: { a: null }, json: [null] }, options),
  ),
  pathOver(
    'update from a JSON null to null',
    0,
    async ({ models, database }) => {
      const sample = await models.Sample.create({ string: 's' });
      await database.rows(`update "Samples" set jsonb = 'null', json = 'null'`);
      return sample;
    },
    ({ models }, options) =>
      models.Sample.update({ jsonb: null, json: null }, { ...options, where: { string: 's' } }),
  ),
  pathOver(
    'update of a CITEXT by case only',
    2,
    ({ models }) =>
      models.Fresh.bulkCreate([
        { email: 'a@b.c', nickname: 'x' },
        { email: 'd@e.f', nickname: 'X' },
      ]),
    ({ models }, options) =>
      models.Fresh.update(
        { email: literal('upper(email::text)') },
        { ...options, where: { email: { [Op.ne]: 'none' } } },
      ),
  ),
  ...PER_COLUMN,
];
