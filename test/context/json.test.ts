import { MAX_BYTES, MAX_DEPTH, toJson, toJsonText } from '../../lib/context/json';
import { defineUser, offlineSequelize } from './helpers';

function nested(levels: number): unknown {
  let value: unknown = 'core';
  for (let level = 0; level < levels; level += 1) value = { inner: value };
  return value;
}

test.each<[string, unknown, string]>([
  ['dates', { at: new Date(0) }, '{"at":"1970-01-01T00:00:00.000Z"}'],
  ['invalid dates', { at: new Date(Number.NaN) }, '{"at":null}'],
  ['BigInt', { n: 2n ** 64n }, '{"n":"18446744073709551616"}'],
  ['NaN and infinities', [Number.NaN, Number.NEGATIVE_INFINITY, 1.5], '["NaN","-Infinity",1.5]'],
  [
    'binary data',
    { b: Buffer.from('abc'), u: new Uint16Array(2), a: new ArrayBuffer(5) },
    '{"b":{"bytes":3},"u":{"bytes":4},"a":{"bytes":5}}',
  ],
  [
    'functions and undefined',
    { f: () => 1, u: undefined, s: Symbol('s'), list: [undefined, () => 1] },
    '{"list":[null,null]}',
  ],
  ['NUL and lone surrogates in values', { t: 'a\0b\ud800c😀' }, '{"t":"ab\ufffdc😀"}'],
  ['NUL and lone surrogates in keys', { 'k\0\udfff': 1 }, '{"k\ufffd":1}'],
  ['a toJSON', { p: { toJSON: () => ({ x: 1n }) } }, '{"p":{"x":"1"}}'],
  [
    'a toJSON that gives itself',
    {
      p: {
        x: 1,
        toJSON(): unknown {
          return this;
        },
      },
    },
    '{"p":{"x":1}}',
  ],
  ['quotes, comments and 4-byte characters', { q: `'"\\*/ 😀` }, `{"q":"'\\"\\\\*/ 😀"}`],
  ['nothing', undefined, 'null'],
])('24 %s become JSON that jsonb takes', (_name, value, text) => {
  expect(toJsonText(value)).toBe(text);
});

test('a toJSON or a getter that throws leaves a mark, its neighbours stay', () => {
  const broken = {
    toJSON(): never {
      throw new Error('no');
    },
  };
  const value = {
    broken,
    get getter(): never {
      throw new Error('no');
    },
    fine: 1,
  };
  expect(toJson(value)).toEqual({ broken: '[Unserializable]', getter: '[Unserializable]', fine: 1 });
});

test('a circle is marked where it closes; the same object twice is no circle', () => {
  const shared = { s: 1 };
  const value: Record<string, unknown> = { a: shared, b: [shared] };
  value['self'] = value;
  expect(toJson(value)).toEqual({ a: { s: 1 }, b: [{ s: 1 }], self: '[Circular]' });
});

test('32 levels are kept, deeper ones are marked', () => {
  expect(toJsonText(nested(MAX_DEPTH))).toContain('"core"');
  const deeper = toJsonText(nested(MAX_DEPTH + 1));
  expect(deeper).toContain('[Too deep]');
  expect(deeper).not.toContain('core');
});

test('46 __proto__ is a key like any other', () => {
  const value: unknown = JSON.parse('{"__proto__":{"polluted":true},"constructor":1}');
  const converted = toJson(value) as object;
  expect(JSON.stringify(converted)).toBe('{"__proto__":{"polluted":true},"constructor":1}');
  expect(Object.getPrototypeOf(converted)).toBe(Object.prototype);
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});

test('64 kB are kept, more is replaced by its size', () => {
  const room = MAX_BYTES - '{"t":""}'.length;
  expect(toJsonText({ t: 'x'.repeat(room) })).toHaveLength(MAX_BYTES);
  expect(toJsonText({ t: 'x'.repeat(room + 1) })).toBe(`{"truncated":true,"bytes":${MAX_BYTES + 1}}`);
  expect(toJsonText({ t: 'é'.repeat(40_000) })).toBe('{"truncated":true,"bytes":80008}');
});

test('an object that unfolds without end costs a bounded amount of work', () => {
  let value: unknown = 1;
  for (let level = 0; level < 30; level += 1) value = [value, value];
  expect(JSON.parse(toJsonText(value))).toMatchObject({ truncated: true });
  expect(JSON.parse(toJsonText(Object.assign([], { length: 1e9 })))).toMatchObject({ truncated: true });
});

test('49 a Sequelize instance is kept as a reference, so that no masked attribute comes along', () => {
  const User = defineUser(offlineSequelize());
  const user = User.build({ id: 7, password: 'hunter2' });
  expect(toJson({ user, wrapped: { toJSON: () => user } })).toEqual({
    user: { model: 'User', pk: '7' },
    wrapped: { model: 'User', pk: '7' },
  });
});
