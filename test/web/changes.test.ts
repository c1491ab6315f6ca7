import { h } from 'preact';
import { renderToString } from 'preact-render-to-string';
import { DataTypes } from 'sequelize';
import type { Changes as ChangesOf } from '../../lib/core/types';
import { foundationOf } from '../../lib/audit-log';
import { createAuditLog } from 'sequelize-auditlog';
import { resolveWebOptions } from '../../lib/web/options';
import { Changes } from '../../lib/web/parts/changes';
import type { Showing } from '../../lib/web/parts/fields';
import { Texts } from '../../lib/web/texts';
import { Clock } from '../../lib/web/zone';
import { tablesOf } from '../support/page-table';
import { testDatabase } from '../support/database';

const { sequelize } = testDatabase();
const auditLog = createAuditLog(sequelize);
const Order = sequelize.define('Order', {
  status: DataTypes.TEXT,
  placedAt: DataTypes.DATE,
  cardNumber: DataTypes.TEXT,
  colours: DataTypes.ARRAY(DataTypes.TEXT),
});
auditLog.registerAudited(Order, { labels: { status: 'State of affairs' } });

const options = resolveWebOptions({ timeZone: 'Europe/Zurich' });
const texts = new Texts({}, 'en');
const visit: Showing = {
  texts,
  clock: new Clock('Europe/Zurich', 'en'),
  web: { ...foundationOf('test', auditLog), auditLog, options, texts },
};

function render(changes: ChangesOf | null, model = 'Order', hiddenChanges = 0): string {
  return renderToString(h(Changes, { visit, entry: { model, changes, hiddenChanges } }) as never);
}

/** The cells of each row: what the table shows. */
function rows(changes: ChangesOf, model?: string): string[][] {
  return tablesOf(render(changes, model)).flatMap((table) => table.rows.slice(1));
}

/** How one value appears in the column To. */
const shown = (value: unknown, attribute = 'status'): string =>
  rows({ [attribute]: [null, value as never] })[0]![3]!;

const m2m = (added: string[], removed: string[] = []): ChangesOf[string] => ({
  type: 'm2m',
  added: added.map((repr, index) => ({ pk: String(index), repr })),
  removed: removed.map((repr, index) => ({ pk: `r${index}`, repr })),
});

test('P2, P10, H373: fields in a table with number, name, old and new value, in the order of their names', () => {
  const [table] = tablesOf(render({ placedAt: ['a', 'b'], colours: [1, 2], cardNumber: ['x', 'y'] }));
  expect(table!.caption).toBe('Changed values');
  expect(table!.rows).toEqual([
    ['#', 'Field', 'From', 'To'],
    ['1', 'Card number', 'x', 'y'],
    ['2', 'Colours', '1', '2'],
    ['3', 'Placed at', 'a', 'b'],
  ]);
});

test('P4, P6, H375: relationships have a table of their own, with every object', () => {
  const tables = tablesOf(render({ tags: m2m(['red', 'green'], ['blue']), status: ['a', 'b'] }));
  expect(tables.map(({ caption }) => caption)).toEqual(['Changed values', 'Changed relationships']);
  expect(tables[1]!.rows).toEqual([
    ['#', 'Relationship', 'Action', 'Objects'],
    ['1', 'Tags', 'added', 'red green'],
    ['2', 'Tags', 'removed', 'blue'],
  ]);
});

test('P7, O12: the label of the registration, else the words of the name; of an unknown model the raw name', () => {
  const names = (changes: ChangesOf, model?: string) => rows(changes, model).map(([, field]) => field);
  const changes: ChangesOf = { status: [1, 2], field_one: [1, 2], someURLPart: [1, 2] };
  expect(names(changes)).toEqual(['Field one', 'Some URL part', 'State of affairs']);
  expect(names(changes, 'Gone')).toEqual(['field_one', 'someURLPart', 'status']);
});

test('P8, P11, P12: null can’t be mistaken for the text, neither in a create nor in a delete', () => {
  expect(rows({ status: [null, 'null'] })).toEqual([['1', 'State of affairs', '∅ null', 'null']]);
  expect(rows({ status: ['x', null] })).toEqual([['1', 'State of affairs', 'x', '∅ null']]);
  expect(render({ status: [null, 'null'] })).toContain(
    '<span class="null">∅ null</span></td><td data-label="To"><span class="value">null</span>',
  );
});

test('M3, M6, M7, M8: lists are joined, a list of one is its element, an empty one and empty text are marked', () => {
  expect(shown(['Red', 'Yellow', 'Green'], 'colours')).toBe('Red, Yellow, Green');
  expect(shown(['Red'], 'colours')).toBe('Red');
  expect(shown([], 'colours')).toBe('empty list');
  expect(shown('')).toBe('empty text');
});

test('M2, M4: a value of an enumeration is shown itself, also where a list was before', () => {
  expect(rows({ colours: [['Red', 'Green'], 'Green'] })).toEqual([['1', 'Colours', 'Red, Green', 'Green']]);
});

test('H374: numbers and booleans as text; moments in the zone of the page, with the instant in UTC', () => {
  expect([shown(0), shown(-0.5), shown(false)]).toEqual(['0', '-0.5', 'false']);
  expect(shown('2026-07-01T12:00:00.123456Z', 'placedAt')).toBe('Jul 1, 2026, 14:00:00');
  expect(render({ placedAt: [null, '2026-07-01T12:00:00.123456Z'] })).toContain(
    '<time class="moment" datetime="2026-07-01T12:00:00.123456Z"',
  );
  // A text that only looks like a moment stays as it is.
  expect(shown('2026-07-01T12:00:00.123456Z')).toBe('2026-07-01T12:00:00.123456Z');
});

test('masked values say so; a text that looks like a mask does not', () => {
  expect(shown('********1111', 'cardNumber')).toBe('********1111 (masked)');
  expect(shown('********1111')).toBe('********1111');
});

test('bytes are shown by their number and digest', () => {
  expect(shown({ bytes: 12345, sha256: 'ab12' })).toBe('12,345 bytes, SHA-256 ab12');
});

test('long texts are compared word by word, with the old and the new word told to who doesn’t see colours', () => {
  const text = (word: string) => `${'so it goes on '.repeat(20)}${word}${' and on it goes'.repeat(20)}`;
  expect(rows({ status: [text('before'), text('after')] })).toEqual([
    [
      '1',
      'State of affairs',
      '… 72 words … so it goes on so it goes on [was before][now after] and on it goes and on it goes… 72 words …',
    ],
  ]);
});

test('H377, H378: one long value beside a short one, and long values created, are shortened', () => {
  const long = 'x'.repeat(500);
  expect(shown(long)).toMatch(/^x+\[\d+ chars\]x{8}$/);
  expect(render({ status: [null, long] }).length).toBeLessThan(1000);
});

test('documents are compared by path', () => {
  const changes: ChangesOf = {
    status: [
      { city: 'Bern', lines: [{ sku: 'a', n: 1 }], gone: null },
      { city: 'Biel', lines: [{ sku: 'a', n: 2 }], come: '' },
    ],
  };
  expect(rows(changes)[0]![2]).toBe(
    'city [was Bern] [now Biel] come [now empty text] gone [was ∅ null] lines[0].n [was 1] [now 2]',
  );
  expect(shown({ a: [{ b: 1 }] })).toBe('{ "a": [ { "b": 1 } ] }');
});

test('documents and relationships without end are cut in lists', () => {
  const many = Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`k${at}`, at]));
  expect(rows({ status: [{ z: 1 }, many] })[0]![2]).toMatch(/31 more$/);
  expect(rows({ tags: m2m(Array.from({ length: 30 }, (_, at) => `tag ${at}`)) })[0]![3]).toMatch(/10 more$/);
});

test('H383, H385, H386, H387, fault 73: whatever is logged is text', () => {
  const evil = '<script>alert(1)</script><img src=x onerror=alert(1)>"\'{{7*7}}${7}';
  const html = render({
    [evil]: [evil, `${evil}${evil.repeat(5)}`],
    status: [{ [evil]: evil }, { [evil]: [evil] }],
    colours: [[evil], [evil, evil]],
    tags: m2m([evil], [evil]),
  });
  expect(html).not.toMatch(/<(?:script|img)/i);
  expect([...new Set(html.match(/<\/?[a-z0-9]+/g))].toSorted().join(' ')).toBe(
    '</caption </code </del </div </ins </li </span </table </tbody </td </th </thead </tr </ul <caption <code <del <div <ins <li <span <table <tbody <td <th <thead <tr <ul',
  );
});

test('fault 76: what the visitor may not see is counted, not shown; nothing at all renders as nothing', () => {
  expect(render({ status: [1, 2] }, 'Order', 2)).toContain('2 changes you may not see');
  expect(render(null)).toBe('');
});
