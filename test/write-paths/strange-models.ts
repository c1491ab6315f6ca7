import { DataTypes, type Sequelize } from 'sequelize';

/** Columns by type, with two values as SQL. */
export const EXOTIC_COLUMNS: Readonly<
  Record<string, readonly [type: string, first: string, second: string]>
> = {
  span: ['interval', `'1 day 02:03:04.5'`, `'-3 mons'`],
  bits: ['bit(3)', `'101'`, `'111'`],
  cash: ['money', `12.5`, `-1`],
  point: ['point', `'(1,2)'`, `'(1,2.5)'`],
  search: ['tsvector', `'a fat cat'`, `'cat'`],
  ranges: ['int4range[]', `array['[1,3)'::int4range]`, `array['empty'::int4range]`],
  zoned: ['timetz', `'10:11:12+02'`, `'10:11:12.5+02'`],
  local: ['timestamp', `'2024-05-06 07:08:09.123456'`, `'infinity'`],
  locals: ['timestamp[]', `array['2024-05-06 07:08:09'::timestamp]`, `array[null::timestamp]`],
  oid: ['oid', '4294967295', '1'],
  letter: ['"char"', `'a'`, `'b'`],
  positive: ['positive', '5', '6'],
  mood: ['mood', `'{"a": 1}'`, `'[1]'`],
  pair: ['pair', `row(1, 'it''s "so"')`, `row(null, '')`],
  pairs: ['pair[]', `array[row(1, 'a,b')::pair, null]`, `array[]::pair[]`],
  lsn: ['pg_lsn', `'16/B374D848'`, `'0/0'`],
  jsons: ['json[]', `array['{"a":  1}'::json, 'null']`, `array['{"a":  2}'::json]`],
  bytes: ['bytea[]', `array['\\x00ff'::bytea, null]`, `array[]::bytea[]`],
  spans: ['interval[]', `array['1 day'::interval]`, `array['2 days'::interval, null]`],
  odds: ['numeric[]', `array[1.10, 'NaN']`, `array[1.1, 'NaN']`],
  cube: ['int[]', `'{{{1,2},{3,null}}}'`, `'{{{1,2},{3,4}}}'`],
  shifted: ['text[]', `'[2:3]={a,b}'`, `'{a,c}'`],
};

/** Attribute and column names that would break a careless statement. */
export const ODD = {
  quote: `it's`,
  space: 'Two Words',
  bind: '$1',
  path: 'back\\slash%',
  long: 'x'.repeat(63),
} as const;

/** Types that Sequelize does not know, names that need care, more columns than a function takes arguments, a view. */
export function strangeModels(sequelize: Sequelize) {
  const { STRING, INTEGER } = DataTypes;
  const options = { timestamps: false };
  const columns = Object.fromEntries(Object.keys(EXOTIC_COLUMNS).map((name) => [name, STRING]));
  const Exotic = sequelize.define('Exotic', columns, { ...options, tableName: 'exotics' });
  const Odd = sequelize.define(
    `Odd's "model"`,
    {
      [ODD.quote]: STRING,
      [ODD.space]: INTEGER,
      [ODD.bind]: STRING,
      [ODD.long]: STRING,
      [ODD.path]: STRING,
      old: STRING,
      new: STRING,
    },
    { ...options, tableName: 'Odd table' },
  );
  const wide = Object.fromEntries(Array.from({ length: 180 }, (_, at) => [`column${at}`, INTEGER]));
  const Wide = sequelize.define('Wide', wide, options);
  const Glimpse = sequelize.define(
    'Glimpse',
    { name: STRING, size: INTEGER },
    { ...options, tableName: 'glimpses' },
  );
  // A view can't be truncated, nor be created by sync().
  sequelize.modelManager.removeModel(Glimpse);
  return { Exotic, Odd, Wide, Glimpse };
}

function exoticColumns(): string {
  return Object.entries(EXOTIC_COLUMNS)
    .map(([name, [type]]) => `"${name}" ${type}`)
    .join(', ');
}

export const STRANGE_TABLES = `
  create domain positive as int check (value > 0);
  create domain mood as jsonb;
  create type pair as (a int, b text);
  create table exotics (id int generated always as identity primary key, ${exoticColumns()});
  create table things (id serial primary key, name text, size int, hidden text default 'x');
  create view glimpses as select id, name, size from things;
`;
