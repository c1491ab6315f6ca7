import { bindLiterals } from '../../lib/statement/bind-literals';
import { Scanner, type Token } from '../../lib/statement/scanner';
import { survey } from '../../lib/statement/survey';
import { Chance } from '../replay/random';
import { testDatabase } from '../support/database';

const database = testDatabase();

beforeAll(async () => {
  await database.open();
  await database.rows(`create table "T" (i int, b bigint, n numeric(8,2), f float8, s text, v varchar(20), d date,
    ts timestamptz, j jsonb, a int[], l bool)`);
  await database.rows(`insert into "T" values (1, 2147483648, 1.5, 0.1, 'it''s', 'a\\b', '2024-02-29',
      '2024-02-29 12:00+00', '{"a": [1, "x"], "k": 5}', '{1,2}', true),
    (-2147483648, 9223372036854775807, -7, 'NaN', 'E', '', '2000-01-01', '2000-01-01 00:00+00', '[]', '{}', false),
    (null, null, null, null, null, null, null, null, null, null, null)`);
});
afterAll(() => database.close());

/** Literals and what stands around them, as an application may write them in an update. */
const NUMBERS = ['0', '7', '2147483647', '2147483648', '9223372036854775807', '9223372036854775808'];
const FRACTIONS = ['1.50', '.5', '3.', '1e-5', '2E3', '1.5e+2', '12345678901234567890.125'];
const NEW_NUMBERS = ['0x1F', '0o17', '0b11', '1_000', '1_5.2_5', '0x7FFF_FFFF'];
const TEXTS = [
  `'a'`,
  `''`,
  `'it''s'`,
  `'a\\'`,
  `'1'`,
  `'2024-02-29'`,
  `'{"k": 1}'`,
  `'t'`,
  `'$1 ; -- /*'`,
  `'a'\n 'b''c'`,
  `'a' -- it's\n\n 'b'`,
  `E'a\\'b'`,
  `e'\\\\'\n'\\''`,
  `N'a\\'`,
  `B'101'`,
  `X'1F'`,
  `U&'d\\0061t'`,
  `U&'d!0061' uescape '!'`,
  `$tag$it's $1$tag$`,
  `$$'$$`,
];
const COLUMNS = ['i', 'b', 'n', 'f', 's', 'v', 'd', 'ts', 'j', 'a', 'l'];
const TYPES = ['int', 'numeric(4,1)', 'text', 'varchar(2)', 'date', 'jsonb', 'interval', 'float8', 'int[]'];
const OPERATORS = [
  '+',
  '-',
  '*',
  '/',
  '%',
  '||',
  '=',
  '<>',
  '<',
  '>=',
  '->',
  '->>',
  '#>>',
  '@>',
  '<<',
  '~',
  '^',
];

function literalOf(random: Chance): string {
  return random.pick([NUMBERS, FRACTIONS, NEW_NUMBERS, TEXTS, TEXTS].map((list) => random.pick(list)));
}

function expressionOf(random: Chance, depth: number): string {
  const inner = (): string => expressionOf(random, depth - 1);
  if (depth === 0)
    return random.pick([literalOf(random), literalOf(random), `-${literalOf(random)}`, random.pick(COLUMNS)]);
  return random.pick([
    () => `${inner()} ${random.pick(OPERATORS)} ${inner()}`,
    () => `${inner()}${random.pick([`/* it's */ `, ' -- $1\n', ''])}-${inner()}`,
    () => `(${inner()})`,
    () => `(${inner()})::${random.pick(TYPES)}`,
    () => `${inner()}::${random.pick(TYPES)}`,
    () => `cast(${inner()} as ${random.pick(TYPES)})`,
    () => `case when ${inner()} = ${inner()} then ${inner()} else ${inner()} end`,
    () => `coalesce(${inner()}, ${inner()})`,
    () => `concat((${inner()}), ${inner()})`,
    () => `(${inner()} in (${inner()}, ${inner()}))`,
    () => `(${inner()} between ${inner()} and ${inner()})`,
    () => `(${inner()} like ${inner()})`,
    () => `((${inner()}, ${inner()}) = (${inner()}, ${inner()}))`,
    () => `array[${inner()}, ${inner()}]`,
    () => `a[${inner()}]`,
    () => `(${inner()} = any ('{1,2}'))`,
    () => `(select max(x) from (values (${inner()}), (${inner()})) w(x) limit 1)`,
    () => `(select distinct on (1) x from (values (2), (1)) w(x) limit 1)`,
    () => `make_interval(days => ${inner()})`,
    () => `(d - interval '1 day' + ${inner()})`,
    () => `(${inner()} is distinct from ${inner()})`,
    () => `(ts at time zone ${inner()})`,
    () => `substring(s from ${inner()} for 2)`,
    () => `(s collate "C" = ${inner()})`,
    () => `round(${inner()}, 1)`,
  ])();
}

function updateOf(random: Chance): string {
  const [target, expression] = [random.pick(COLUMNS), expressionOf(random, random.below(3))];
  const where = random.pick([
    ``,
    ` where ${expressionOf(random, 1 + random.below(2))}`,
    ` where i = ${random.pick(NUMBERS)}`,
  ]);
  return `update "T" set ${target} = ${expression}${where} returning "T".*`;
}

/** What a statement answers. A text that is wrong in two ways may fail for either, as literals are read before binds. */
async function answerOf(sql: string, values: readonly unknown[]): Promise<string> {
  await database.rows('begin');
  try {
    return JSON.stringify((await database.admin.query(sql, [...values])).rows);
  } catch {
    return 'error';
  } finally {
    await database.rows('rollback');
  }
}

const isFull = process.env['FULL'] === '1';

test('an update with its literals bound is the same update, whatever its literals and whatever stands around them', async () => {
  const random = new Chance(7);
  const rounds = isFull ? 10_000 : 300;
  const counts = { bound: 0, answered: 0 };
  for (let at = 0; at < rounds; at += 1) {
    const sql = updateOf(random);
    const bound = bindLiterals(sql, []);
    if (bound.sql === sql) continue;
    const [plain, other] = [await answerOf(sql, []), await answerOf(bound.sql, bound.values)];
    expect({ sql, bound: bound.sql, answer: other }).toEqual({ sql, bound: bound.sql, answer: plain });
    counts.bound += 1;
    if (!plain.startsWith('error')) counts.answered += 1;
  }
  expect(counts.bound).toBeGreaterThan(rounds / 4);
  expect(counts.answered).toBeGreaterThan(rounds / 20);
}, 120_000);

const fuzzed = isFull ? 40_000 : 4_000;
/** The token after the group that opens first, and where that group ends, token by token. */
function afterGroup(sql: string): [end: number, next: Token | null] {
  const scanner = new Scanner(sql);
  let token = scanner.next();
  while (token && !(token.kind === 'close' && token.depth === 0)) token = scanner.next();
  return [token?.end ?? sql.length, scanner.next()];
}

test('a group that is skipped ends where it ends token by token', () => {
  const random = new Chance(9);
  for (let at = 0; at < fuzzed; at += 1) {
    const sql = `(${updateOf(random)}, ${expressionOf(random, 2)}) returning "(" ')'`;
    const scanner = new Scanner(sql);
    scanner.next();
    const [end, next] = [scanner.skipGroup(), scanner.next()];
    expect({ sql, end, next }).toEqual({ sql, end: afterGroup(sql)[0], next: afterGroup(sql)[1] });
  }
});

test.each([
  `(select q.x, 2 from (select $$1$$a$$, 77 as x) q) on`,
  `($$1$$E'\\'')`,
  `(a$1$x$, ')', b)`,
  `('x'$$)$$)`,
])('the group of %j ends where it ends token by token', (sql) => {
  const scanner = new Scanner(sql);
  scanner.next();
  expect([scanner.skipGroup(), scanner.next()]).toEqual(afterGroup(sql));
});

test.each([`(1, (2)`, `(E'\\')'`, `($a$)$a$, a$1(`, `('`, `("`, `(/* ) `, `(-- )`])(
  'a group without end, %j, goes to the end of the text',
  (sql) => {
    const scanner = new Scanner(sql);
    scanner.next();
    expect(scanner.skipGroup()).toBe(sql.length);
    expect(scanner.next()).toBeNull();
  },
);

test.each([
  [`copy orders from stdin`, ['orders']],
  [`copy "public"."Orders" (id, "a b") from '/tmp/x' with (format csv)`, ['Orders']],
  [`copy (select * from orders) to stdout; copy orders to stdout`, []],
  [`select 1 -- x\r; delete from orders`, ['orders']],
  [`select E'\\'; delete from a; --'; delete from b`, ['b']],
  [`select N'\\'; delete from a; --'`, ['a']],
  [`select 'a'\n'; delete from a'; select $x$; delete from b$x$`, []],
  [
    `insert into a values (1); merge into only s.b using c on true when not matched then do nothing`,
    ['a', 'b'],
  ],
  [`truncate table a, only b*, "c" restart identity`, ['a', 'b', 'c']],
])('%j writes to %j', (sql, tables) => {
  expect([...survey(sql).tables]).toEqual(tables);
});
