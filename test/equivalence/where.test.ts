import {
  cast,
  col,
  fn,
  json,
  literal,
  Op,
  where as compared,
  type Model,
  type ModelStatic,
  type WhereOptions,
} from 'sequelize';
import { ada, people } from './person';
import { equivalence } from './support/equivalence';

const tested = equivalence(people);

type People = { Person: ModelStatic<Model> };

const texts = [
  `it's`,
  'back\\slash',
  '$1 dollar $$ $tag$',
  'ünï 💡',
  '"double"',
  `E'esc\\''`,
  'a ? :b -- c /* d */;',
  'new\nline',
];

const prepare = ({ Person }: People): Promise<unknown> =>
  Person.bulkCreate([
    ada,
    ...texts.map((bio, at) => ({
      name: `Text${at}`,
      bio,
      age: at,
      seenAt: new Date(2_000_000_000_000 + at),
    })),
    { name: 'Nul', bio: null, isActive: null, tags: ['x', 'y'], balance: '1.00' },
  ]);

const conditions: Record<string, WhereOptions> = {
  'a number': { age: 3 },
  'a number as a string': { age: '3' },
  'a negative number': { age: { [Op.gt]: -1 } },
  'a fraction': { height: { [Op.lt]: 1.75 } },
  'a decimal': { balance: '12.50' },
  'a large number': { visits: '9007199254740993' },
  'a number beyond its column': { age: { [Op.lt]: 99_999_999_999 } },
  'an exponent': { height: { [Op.lt]: 1e30 } },
  null: { bio: null },
  'not null': { bio: { [Op.ne]: null } },
  'a boolean': { isActive: false },
  'is true': { isActive: { [Op.is]: true } },
  'a date': { seenAt: new Date('2026-01-02T03:04:05.678Z') },
  'a range of dates': {
    seenAt: { [Op.between]: [new Date(2_000_000_000_001), new Date(2_000_000_000_004)] },
  },
  'a day': { born: '1815-12-10' },
  'a time': { wakesAt: { [Op.gte]: '06:00' } },
  'a uuid': { token: '11111111-1111-4111-8111-111111111111' },
  'an enum': { role: 'admin' },
  'an address': { address: '10.0.0.1' },
  'a buffer': { avatar: Buffer.from([0, 1, 254, 255]) },
  'a list': { id: [1, 3, 5] },
  'a list of one': { id: { [Op.in]: [2] } },
  'an empty list': { id: [] },
  'a list of texts': { bio: { [Op.in]: texts } },
  'a list that excludes': { id: { [Op.notIn]: [1, 2] } },
  'an empty list that excludes': { id: { [Op.notIn]: [] } },
  'a long list': { id: Array.from({ length: 40 }, (_, at) => at) },
  like: { name: { [Op.like]: 'Text%' } },
  'like with a backslash': { bio: { [Op.like]: '%\\\\%' } },
  'not ilike': { name: { [Op.notILike]: '%TEXT1%' } },
  'starts with': { bio: { [Op.startsWith]: `it'` } },
  substring: { bio: { [Op.substring]: '$tag' } },
  'a regular expression': { name: { [Op.regexp]: '^Te.t[0-3]$' } },
  'any of': { name: { [Op.like]: { [Op.any]: ['Text1%', 'A%'] } } },
  'between numbers': { age: { [Op.between]: [2, 4] } },
  'a path in jsonb': { settings: { theme: 'dark' } },
  'a deep path in jsonb': { 'settings.nested.list[2].three': null },
  'jsonb contains': { settings: { [Op.contains]: { theme: 'dark' } } },
  'a json function': json('settings.theme', 'dark'),
  'an array': { tags: ['x', 'y'] },
  'an array contains': { tags: { [Op.contains]: ['y'] } },
  'an array overlaps': { scores: { [Op.overlap]: [3, 4] } },
  or: { [Op.or]: [{ age: 1 }, { name: 'Ada' }, { bio: null }] },
  'and, or and not nested': {
    [Op.and]: [
      { [Op.or]: [{ age: { [Op.gt]: 2 } }, { name: { [Op.like]: 'A%' } }] },
      { [Op.not]: { id: 4 } },
    ],
  },
  'or in a column': { age: { [Op.or]: [1, { [Op.gt]: 5 }, null] } },
  'a literal': literal(`"age" % 2 = 0 AND "name" <> 'Ada'`),
  'a literal with a subquery': {
    id: { [Op.in]: literal('(SELECT max("id") FROM "people" WHERE "age" < 5)') },
  },
  'a literal with order and limit': {
    id: { [Op.in]: literal('(SELECT "id" FROM "people" ORDER BY 1 DESC LIMIT 2)') },
  },
  'a literal with an interval': literal(`"seenAt" > timestamptz '2026-01-01' + interval '1 day'`),
  'a literal with casts': literal(`"age" = '3'::int OR "name" = 'Ada'::text`),
  'a literal with a dollar quote': literal(`"bio" = $q$it's$q$`),
  'a literal with a comment': literal(`"age" = 3 -- a comment's "end"\n OR "age" = 4 /* 'x' */`),
  'a literal with a row comparison': literal(`("age", "name") = (3, 'Text3')`),
  'a literal with case': literal(`case when "age" > 3 then 'a' else 'b' end = 'a'`),
  'a literal with arithmetic': literal(`"age" * 2 + 1 - 1 = 6 / 1`),
  'a literal with concatenation': literal(`"name" || '!' = 'Ada!'`),
  'a literal with extract': literal(`extract(year from "seenAt") = 2026`),
  'a literal with coalesce': literal(`coalesce("bio", 'none') = 'none'`),
  'a literal with a scientific number': literal(`"height" > 1.5e0`),
  'a literal with exists': literal(
    `exists (select 1 from "people" "p" where "p"."age" = "people"."age" + 1 and "p"."name" like 'T%')`,
  ),
  'a literal with concat': literal(`concat("name", '-', 1) = 'Ada-1'`),
  'a literal with format': literal(`format('%s is %s', "name", 36) = 'Ada is 36'`),
  'a literal with built json': literal(`jsonb_build_object('k', "age", 'x', 'y') = '{"k": 3, "x": "y"}'`),
  'a literal with extract of a text': literal(`extract('year' from "seenAt") = 2026`),
  'a literal with a type of a length': literal(
    `cast("name" as varchar(3)) = 'Ada' or "height"::numeric(10, 2) = 1.65`,
  ),
  'a literal with a date function': literal(`date_trunc('day', "seenAt", 'UTC') = '2026-01-02 00:00:00+00'`),
  'a literal with position': literal(`position('d' in "name") = 2 and substring("name" from 1 for 2) = 'Ad'`),
  'a literal with trim': literal(`trim(both 'A' from "name") = 'da'`),
  'a literal with nullif and greatest': literal(
    `nullif("name", 'Bob') = 'Ada' and greatest("age", 5, 7) = 36`,
  ),
  'a literal with values': literal(`("id", "name") in (values (1, 'Ada'), (2, 'x'))`),
  'a literal with a selected list': literal(`exists (select 1, 'a', 2.5 where "age" = 36)`),
  'a literal with an array constructor': literal(
    `"age" = any (array[1, 2]) or "name" = any (array['Ada', 'Bob'])`,
  ),
  'a literal with a window': literal(
    `"id" in (select first_value("id") over (order by "age" desc) from "people")`,
  ),
  'a literal with an interval sum': literal(`"seenAt" < now() + '100 years'`),
  'a literal with json operators': literal(
    `"settings" ->> 'theme' = 'dark' and "settings" #> '{nested,list,0}' = '1'`,
  ),
  'a literal with a similar pattern': literal(
    `"name" similar to 'A(d|x)a' and "name" like 'A!da' escape '!'`,
  ),
  'a literal with is distinct from': literal(`"name" is distinct from 'Ada' and "age" is not null`),
  'a literal with any array': literal(`"id" = any ('{1,2}')`),
  'a function': compared(fn('lower', col('name')), 'ada'),
  'a cast': compared(cast(col('age'), 'text'), '3'),
  'a comparison of columns': { age: { [Op.lt]: col('id') } },
  'a quoted name in a literal': literal(`"people"."display_name" = 'Ada L.'`),
};
for (const text of texts) conditions[`the text ${JSON.stringify(text)}`] = { bio: text };

type Write = (world: People & { tx?: object }, condition: WhereOptions) => Promise<number>;

const update: Write = async ({ Person, tx }, where) =>
  (await Person.update({ code: 'found' }, { ...tx, where }))[0];
const destroy: Write = ({ Person, tx }, where) => Person.destroy({ ...tx, where });

describe.each<[string, Write]>([
  ['an update', update],
  ['a destroy', destroy],
])('%s', (_, write) => {
  test.each(Object.entries(conditions))('with %s in its condition', async (_name, condition) => {
    const scenario = {
      prepare,
      ...(await plainly(write, condition)),
      run: (world: People) => write(world, condition),
    };
    const { seen, expected } = await tested.compare(scenario, 'autocommit');
    expect(seen).toStrictEqual(expected);
  });
});

test('the conditions match rows', async () => {
  const missing: string[] = [];
  for (const [name, condition] of Object.entries(conditions)) {
    if ((await plainly(destroy, condition)).entries === 0) missing.push(name);
  }
  expect(missing).toEqual(['an empty list']);
});

/** How many rows the plain write finds; Sequelize takes some texts in an update's condition for binds and throws. */
async function plainly(write: Write, condition: WhereOptions): Promise<{ entries: number; throws?: string }> {
  await tested.tables.empty();
  await prepare(tested.plain.models);
  return write(tested.plain.models, condition).then(
    (entries) => ({ entries }),
    (error: Error) => ({ entries: 0, throws: error.name }),
  );
}
