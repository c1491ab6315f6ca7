import { CHOICE_KEYS, type ChoiceKey } from '../../lib/web/search/entry-filter';
import {
  filterOfParams,
  filterToParams,
  withTextWindow,
  type EntryFilter,
} from '../../lib/web/search/filter';
import { formatSearch, parameterItems, parseSearch } from '../../lib/web/search/language';
import { pagingOf } from '../../lib/web/search/paging';
import { WebProblem } from '../../lib/web/problem';

const BERLIN = 'Europe/Berlin';
const parse = (text: string, zone = BERLIN): EntryFilter => {
  const { filter, problems } = parseSearch(text, zone);
  expect(problems).toEqual([]);
  return filter;
};
const problemsOf = (text: string): readonly string[] => parseSearch(text, BERLIN).problems;
const params = (query: string): EntryFilter => filterOfParams(new URLSearchParams(query), BERLIN);
const any = (...values: string[]) => ({ any: values, none: [] });

function refused(query: string): { status: number; parameter: string | null; detail: string | null } {
  try {
    params(query);
  } catch (error) {
    if (error instanceof WebProblem) return error;
    throw error;
  }
  throw new Error(`accepted: ${query}`);
}

/** The same numbers every time, so that what fails once fails again. */
function randoms(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const PIECES = [
  'actor:',
  'model:',
  '-',
  '"',
  '\\',
  ',',
  ' ',
  ':',
  '[',
  ']',
  '..',
  '>=',
  '<',
  'at:',
  'q:',
  'pk:',
  '["a/b","2"]',
  '7d',
  '2026-11-21',
  'T10:00',
  'Z',
  'a',
  'é',
  '😀',
  '\u00A0',
  '\n',
  '%',
  '_',
  "'",
  '$or',
  '?',
  'ip:',
  'tx:',
  '\0',
  '\uD800',
];

function anyText(random: (below: number) => number): string {
  return Array.from({ length: random(9) }, () => PIECES[random(PIECES.length)]).join('');
}

describe('the language of the search box', () => {
  it('reads keys, exclusions, lists, quotes and free text', () => {
    expect(
      parse('actor:ann,bob -model:Item field:price "to be" -draft reason:"ticket 9" req:r-1 tx:42'),
    ).toEqual({
      actor: any('ann', 'bob'),
      model: { any: [], none: ['Item'] },
      field: any('price'),
      reason: any('ticket 9'),
      correlationId: any('r-1'),
      transactionId: any('42'),
      text: { all: ['to be'], none: ['draft'] },
    });
  });

  it('takes the same key twice as one of both', () => {
    expect(parse('model:Order MODEL:Item action:delete -action:access,prune')).toEqual({
      model: any('Order', 'Item'),
      action: { any: ['delete'], none: ['access', 'prune'] },
    });
  });

  it('keeps a composite key whole, quoted or not, in the form that entries have', () => {
    const pk = any('["a/b","2"]');
    expect(parse('pk:["a/b","2"]').pk).toEqual(pk);
    expect(parse(String.raw`pk:"[\"a/b\",\"2\"]"`).pk).toEqual(pk);
    expect(parse('pk:["a/b",2],7').pk).toEqual(any('["a/b","2"]', '7'));
    expect(parse('pk:["a b, c","2"] x').pk).toEqual(any('["a b, c","2"]'));
    expect(params('pk=["a/b","2"]').pk).toEqual(pk);
    expect(params(`pk=${encodeURIComponent('["a, b",2]')},7`).pk).toEqual(any('["a, b","2"]', '7'));
  });

  it('takes as free text what has no key of ours', () => {
    expect(parse('http://x/?a=1 12:30 foo,bar - --x').text).toEqual({
      all: ['http://x/?a=1', '12:30', 'foo,bar', '-'],
      none: ['-x'],
    });
  });

  it('says what it can not read and keeps the rest', () => {
    const { filter, problems } = parseSearch(
      'actor: model:Order ip:nonsense tx:1x at:soon -at:7d at:2026-02-30',
      BERLIN,
    );
    expect(filter).toEqual({ model: any('Order') });
    expect(problems).toHaveLength(6);
    expect(problems[1]).toContain('ip must be an address such as 10.0.0.7');
    expect(problemsOf(`model:${'x'.repeat(5000)}`)[0]).toContain('longer than 4000');
    expect(problemsOf('a\0b')[0]).toContain('NUL');
    expect(problemsOf(`tx:${'9'.repeat(19)}`)).toHaveLength(1);
    expect(problemsOf('at:7d at:3d')[0]).toContain('given twice');
    expect(problemsOf(Array.from({ length: 51 }, (_, at) => `model:M${at}`).join(' '))[0]).toContain(
      'More than 50',
    );
  });

  it('reads addresses and networks as PostgreSQL holds them', () => {
    expect(parse('ip:10.0.0.0/8,::ffff:10.0.0.7,2001:db8::/32').ip).toEqual(
      any('10.0.0.0/8', '10.0.0.7', '2001:db8::/32'),
    );
    for (const wrong of ['10.0.0.0/33', '10.0.0.0/8/8', '10.0.0', '::1/129', '10.0.0.7/'])
      expect(problemsOf(`ip:${wrong}`)).toHaveLength(1);
  });

  const day = (at: string) => ({ at, zone: BERLIN });
  const instant = (at: string) => ({ at, zone: null });
  it.each<[string, EntryFilter]>([
    ['at:2026-11-21', { since: day('2026-11-21'), until: day('2026-11-22') }],
    ['at:2026-11-01..2026-11-30', { since: day('2026-11-01'), until: day('2026-12-01') }],
    ['at:>=2026-11-01', { since: day('2026-11-01') }],
    ['at:>2026-11-01', { since: day('2026-11-02') }],
    ['at:<2026-11-01', { until: day('2026-11-01') }],
    ['at:<=2026-12-31', { until: day('2027-01-01') }],
    ['at:>=2026-11-01 at:<2026-11-05', { since: day('2026-11-01'), until: day('2026-11-05') }],
    ['at:2026-11-21T20:17', { since: day('2026-11-21T20:17'), until: day('2026-11-21T20:18') }],
    ['at:"2026-11-21 23:59"', { since: day('2026-11-21T23:59'), until: day('2026-11-22') }],
    ['at:>2026-11-21T20:17:26Z', { since: instant('2026-11-21T20:17:27Z') }],
    ['at:<=2026-11-21T20:17:26.123Z', { until: instant('2026-11-21T20:17:26.124000Z') }],
    ['at:>2026-11-21T20:17:26.999999Z', { since: instant('2026-11-21T20:17:27Z') }],
    ['at:>=2026-11-21T20:17:26.123456+02:00', { since: instant('2026-11-21T18:17:26.123456Z') }],
    ['at:7d', { since: instant('7d') }],
    ['at:>=07D', { since: instant('7d') }],
    ['at:<2w', { until: instant('2w') }],
    ['at:30d..7d', { since: instant('30d'), until: instant('7d') }],
  ])('reads %s', (text, expected) => {
    expect(parse(text)).toEqual(expected);
    expect(parse(formatSearch(expected))).toEqual(expected);
  });

  it('writes the shortest form', () => {
    for (const text of [
      'at:2026-11-21',
      'at:2026-11-01..2026-11-30',
      'at:7d',
      'at:>=2026-11-21T20:17 at:<2026-11-21T21:00:00.500000Z',
      'actor:ann,"bob b" -model:Item pk:["a/b","2"] x -"y z" "-w" "model:x"',
    ])
      expect(formatSearch(parse(text)).split(' ').toSorted()).toEqual(text.split(' ').toSorted());
  });
});

const ROUNDS = process.env.FULL === '1' ? 20_000 : 300;

/** Texts for which `isRight` fails, of as many as there are rounds. */
function failures(seed: number, isRight: (random: (below: number) => number) => string | null): string[] {
  const random = randoms(seed);
  return Array.from({ length: ROUNDS }, () => isRight(random)).filter((each) => each !== null);
}

describe('any text at all', () => {
  it('is read without an error, and what was read is written so that it reads the same', () => {
    const wrong = failures(20_261_122, (random) => {
      const text = anyText(random);
      const written = formatSearch(parseSearch(text, BERLIN).filter);
      const read = parseSearch(written, BERLIN);
      const isSame = JSON.stringify(read.filter) === JSON.stringify(parseSearch(text, BERLIN).filter);
      return isSame && read.problems.length === 0 && formatSearch(read.filter) === written ? null : text;
    });
    expect(wrong).toEqual([]);
  });

  it('as values of a filter survives the search, the parameters, and both', () => {
    const keys = CHOICE_KEYS.filter((key) => !['ip', 'transactionId', 'pk'].includes(key));
    const wrong = failures(7, (random) => {
      // An URL can't carry half a character, and an entry can't hold NUL.
      const value = (): string =>
        anyText(random)
          .replaceAll(/[\0\uD800]/gu, '')
          .trim() || 'x';
      const key = keys[random(keys.length)] as ChoiceKey;
      const filter = {
        [key]: { any: [value()], none: [value()] },
        text: { all: [value()], none: [value()] },
      };
      const searched = parseSearch(formatSearch(filter), BERLIN);
      const asked = params(filterToParams(filter).toString());
      const expected = JSON.stringify(filter);
      return JSON.stringify(searched.filter) === expected && JSON.stringify(asked) === expected
        ? null
        : expected;
    });
    expect(wrong).toEqual([]);
  });

  it('is read in time that grows with its length', () => {
    const started = process.hrtime.bigint();
    for (const piece of ['["', '"\\', 'pk:[', 'a,', '-', 'at:"', '[x"y', ' "'])
      parseSearch(piece.repeat(4000 / piece.length), BERLIN);
    // A parameter of its own is as long as the host's server lets an address be.
    for (const piece of ['[,', '["a",', ' ,', '"\\']) parameterItems(piece.repeat(30_000));
    expect(Number(process.hrtime.bigint() - started) / 1e6).toBeLessThan(1000);
  });
});

describe('parameters of a list', () => {
  it('are a choice of values each, repeated or apart at commas', () => {
    expect(params('model=Order&model=Item,User&action=update&actor=ann smith&q=-field:price')).toEqual({
      model: any('Order', 'Item', 'User'),
      action: any('update'),
      actor: any('ann smith'),
      field: { any: [], none: ['price'] },
    });
  });

  it('that a form leaves empty ask for nothing', () => {
    expect(params('model=&q=&since=&until=%20&actor=,')).toEqual({});
  });

  it('include a day given as until, and exclude a time', () => {
    expect(params('since=2026-11-01&until=2026-11-30')).toEqual(parse('at:2026-11-01..2026-11-30'));
    expect(params('until=2026-11-30T10:00Z')).toEqual({ until: { at: '2026-11-30T10:00Z', zone: null } });
    expect(params('until=2026-11-30T00:00')).toEqual({ until: { at: '2026-11-30', zone: BERLIN } });
    expect(params('since=7d')).toEqual({ since: { at: '7d', zone: null } });
  });

  it('round-trip in one form', () => {
    for (const query of [
      'model=Order&actor=%22a%2Cb%22&since=2026-11-01&until=2026-11-30&q=-field%3Aprice+urgent',
      'pk=%5B%22a%2Fb%22%2C%222%22%5D&until=0001-01-01T00%3A00',
      'ip=10.0.0.0%2F8&since=2026-11-01T10%3A00Z&until=2026-11-01T10%3A00',
    ]) {
      expect(filterToParams(params(query)).toString()).toBe(query);
      expect(params(filterToParams(params(query)).toString())).toEqual(params(query));
    }
  });

  it.each([
    ['since=yesterday', 'since'],
    ['since=2026-02-30', 'since'],
    ['until=2026-11-21T25:00', 'until'],
    ['until=9999-12-31', 'until'],
    ['since=2026-11-21&since=2026-11-22', 'since'],
    ['since=2026-11-21&q=at:2026-11-22', 'q'],
    ['ip=localhost', 'ip'],
    ['transactionId=-1', 'transactionId'],
    ['actor=a%00b', 'actor'],
    ['q=at:now', 'q'],
  ])('refuses %s by name', (query, parameter) => {
    expect(refused(query)).toMatchObject({ status: 400, parameter });
  });

  it('refuse values that are longer than any', () => {
    expect(refused(`field=${'x'.repeat(2049)}`)).toMatchObject({ status: 400, parameter: 'field' });
  });

  // What looks like an operator of Sequelize is a value, or another parameter's name.
  it('fault 81: never become operators', () => {
    expect(params('model[$or]=x&$or=y&where[id]=1&order[]=z')).toEqual({});
    expect(params('model=$or&actor={"$ne":null}')).toEqual({ model: any('$or'), actor: any('{"$ne":null}') });
  });

  it('need a zone that PostgreSQL knows too', () => {
    for (const zone of ['Mars/Base', '+02:00', 'FOO5', "UTC'; select 1", ''])
      expect(() => filterOfParams(new URLSearchParams(), zone)).toThrow(WebProblem);
  });
});

describe('paging parameters', () => {
  const paging = (query: string) => pagingOf(new URLSearchParams(query), { limit: 50 });
  it('have defaults and bounds', () => {
    expect(paging('')).toEqual({ limit: 50, cursor: null, order: 'desc' });
    expect(paging('limit=200&order=asc&cursor=x')).toEqual({ limit: 200, cursor: 'x', order: 'asc' });
    for (const wrong of [
      'limit=0',
      'limit=201',
      'limit=1e2',
      'limit=-5',
      'limit=x',
      'order=id',
      'order=DESC',
    ])
      expect(() => paging(wrong)).toThrow(WebProblem);
  });
});

describe('the window of searches in texts', () => {
  it('is put where texts are searched and nothing is said of time', () => {
    const since = { at: '30d', zone: null };
    expect(withTextWindow(parse('urgent'))).toMatchObject({ since });
    expect(withTextWindow(parse('-reason:x'))).toMatchObject({ since });
    expect(withTextWindow(parse('urgent at:<7d')).since).toBeUndefined();
    expect(withTextWindow(parse('model:Order'))).toEqual({ model: any('Order') });
  });
});
