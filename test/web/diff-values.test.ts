import type { JsonValue } from '../../lib/core/types';
import { diffJson, pathText, type JsonPath } from '../../lib/web/diff/json';
import { LIMIT, shorten, shortenPair, type Part } from '../../lib/web/diff/shorten';
import { diffWords, foldSame } from '../../lib/web/diff/words';

/** A small generator of numbers, so that a failure comes again. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
}

const WORDS = [
  'a',
  'b',
  'the',
  'über',
  '😀',
  '\n',
  '  ',
  '.',
  '<b>',
  'long-word',
  '漢字',
  '\u{1F468}‍👩',
  '"',
];

function randomText(next: (below: number) => number, length: number): string {
  return Array.from({ length: next(length) }, () => WORDS[next(WORDS.length)]).join(next(2) === 0 ? ' ' : '');
}

/** Pairs that share much, little, or nothing. */
function* textPairs(count: number): Generator<[string, string]> {
  const next = numbers(7);
  for (let index = 0; index < count; index += 1) {
    const shared = randomText(next, 120);
    const [a, b] = [randomText(next, 40), randomText(next, 40)];
    yield next(3) === 0 ? [a, b] : [shared + a + shared, shared + b + (next(2) === 0 ? shared : '')];
  }
}

const joined = (pieces: readonly { kind: string; text: string }[], without: string): string =>
  pieces
    .filter(({ kind }) => kind !== without)
    .map(({ text }) => text)
    .join('');

describe('words', () => {
  test('a phrase is replaced by a phrase, not word by word', () => {
    expect(diffWords('out with carbon dioxide, here', 'out with nothing but water, here')).toEqual([
      { kind: 'same', text: 'out with ' },
      { kind: 'removed', text: 'carbon dioxide' },
      { kind: 'added', text: 'nothing but water' },
      { kind: 'same', text: ', here' },
    ]);
  });

  test('the segments give back both texts, whole or folded', () => {
    for (const [old, now] of textPairs(80)) {
      const segments = diffWords(old, now);
      for (const pieces of [segments, foldSame(segments)]) {
        expect(joined(pieces, 'added')).toBe(old);
        expect(joined(pieces, 'removed')).toBe(now);
      }
    }
  });

  test('swapping old and new swaps the segments', () => {
    const swap = { same: 'same', removed: 'added', added: 'removed' } as const;
    for (const [old, now] of textPairs(60)) {
      const swapped = diffWords(now, old).map(({ kind, text }) => [swap[kind], text]);
      const bySide = (side: string) => (each: readonly string[]) => each[0] !== side;
      const segments = diffWords(old, now).map(({ kind, text }) => [kind, text]);
      for (const side of ['added', 'removed'])
        expect(swapped.filter(bySide(side))).toEqual(segments.filter(bySide(side)));
    }
  });

  test('a changed word stands alone, and what is far from it is folded', () => {
    const words = Array.from({ length: 60 }, (_, index) => `word${index}`);
    const old = words.join(' ');
    const now = words.with(30, 'changed').join(' ');
    const pieces = foldSame(diffWords(old, now));
    expect(pieces.map(({ kind, words: folded }) => [kind, folded])).toEqual([
      ['folded', 22],
      ['same', 0],
      ['removed', 0],
      ['added', 0],
      ['same', 0],
      ['folded', 21],
    ]);
    expect(pieces[2]!.text).toBe('word30');
  });

  test('texts too long or too different to compare are told apart by what they share at both ends', () => {
    const long = 'x '.repeat(150_000);
    expect(diffWords(`${long}old${long}`, `${long}new${long}`).map(({ text }) => text.slice(0, 3))).toEqual([
      'x x',
      'old',
      'new',
      'x x',
    ]);
    const different = (word: string) =>
      Array.from({ length: 3000 }, (_, at) => `${word}${at}${word}`).join(' ');
    expect(diffWords(different('a'), different('b')).map(({ kind }) => kind)).toEqual(['removed', 'added']);
  });
});

const partText = (parts: readonly Part[]): string =>
  parts.map((part) => (typeof part === 'string' ? part : `[${part.cut} chars]`)).join('');

/** Whether the parts, with what is cut, are the text. */
function isMadeOf(text: string, parts: readonly Part[]): boolean {
  let at = 0;
  for (const part of parts) {
    if (typeof part === 'string' && !text.startsWith(part, at)) return false;
    at += typeof part === 'string' ? part.length : part.cut;
  }
  return at === text.length;
}

describe('shortening', () => {
  test('H341, N2: values of exactly the limit are whole; N1, N3: one over it is cut, keeping its end', () => {
    const exact = 'x'.repeat(LIMIT);
    expect(shortenPair(exact, 'y')).toEqual([[exact], ['y']]);
    expect(shorten('x'.repeat(139))).toEqual(['x'.repeat(139)]);
    const [parts] = shortenPair(`${'x'.repeat(250)}12345`, 'y');
    expect(partText(parts)).toMatch(/^x+\[\d+ chars\]xxx12345$/);
    expect(partText(shorten('z'.repeat(255)))).toMatch(/^z+\[\d+ chars\]z{8}$/);
  });

  test('H377, H378: both are shortened together, and the first difference lines up', () => {
    const shared = 'abcdefghij'.repeat(30);
    const [old, now] = shortenPair(`${shared}OLD`, `${shared}NEWER`);
    expect(partText(old)).toBe('abcdefgh[272 chars]abcdefghijabcdefghijOLD');
    expect(partText(old).indexOf('OLD')).toBe(partText(now).indexOf('NEWER'));
  });

  test('H379: a long tail is cut, keeping a few characters of its end', () => {
    const [old, now] = shortenPair(`a${'o'.repeat(300)}the end`, `a${'n'.repeat(300)}the end`);
    expect(partText(old)).toMatch(/^ao+\[\d+ chars\]othe end$/);
    expect(partText(now)).toMatch(/^an+\[\d+ chars\]nthe end$/);
  });

  test('H381: a value too short to be shortened stays whole beside a shortened one', () => {
    const [old, now] = shortenPair('short', 'x'.repeat(500));
    expect(old).toEqual(['short']);
    expect(now).toHaveLength(3);
  });

  test('H382: swapping old and new swaps the output exactly; the parts are always those of the text, and short', () => {
    for (const [old, now] of textPairs(80)) {
      const [a, b] = shortenPair(old, now);
      expect(shortenPair(now, old)).toEqual([b, a]);
      expect(isMadeOf(old, a) && isMadeOf(now, b)).toBe(true);
      expect(Math.max(partText(a).length, partText(b).length)).toBeLessThanOrEqual(LIMIT + 30);
      expect(() =>
        encodeURIComponent([...a, ...b].filter((part) => typeof part === 'string').join(' ')),
      ).not.toThrow();
    }
  });
});

function valueAt(document: JsonValue, path: JsonPath): JsonValue | undefined {
  return path.reduce<JsonValue | undefined>(
    (value, step) => (value as Record<string | number, JsonValue> | undefined)?.[step],
    document,
  );
}

function randomJson(next: (below: number) => number, depth: number): JsonValue {
  const kind = next(depth > 0 ? 7 : 4);
  if (kind < 4) return [null, true, next(3), ['x', '', 'null'][next(3)]!][kind]!;
  if (kind < 5) return Array.from({ length: next(5) }, () => randomJson(next, depth - 1));
  const keys = ['a', 'b', 'c d', '__proto__'].filter(() => next(2) === 0);
  return Object.fromEntries(keys.map((key) => [key, randomJson(next, depth - 1)]));
}

describe('documents', () => {
  test('each difference is where its path says, and equal documents have none', () => {
    const next = numbers(11);
    for (let index = 0; index < 150; index += 1) {
      const [old, now] = [randomJson(next, 4), randomJson(next, 4)];
      const copy = JSON.parse(JSON.stringify(old)) as JsonValue;
      expect(diffJson(old, copy)).toEqual([]);
      const found = diffJson(old, now);
      expect(found.length === 0).toBe(JSON.stringify(old) === JSON.stringify(now));
      const kept = found.filter((change) => change.new !== undefined);
      expect(kept.map(({ path }) => valueAt(now, path))).toEqual(kept.map((change) => change.new));
    }
  });

  test('keys come in alphabetical order, whatever their order in the documents; what is missing is not null', () => {
    const found = diffJson({ b: 1, a: { x: 1, y: null }, same: [1] }, { same: [1], a: { x: 2 }, c: null });
    expect(found.map(({ path, ...change }) => [pathText(path), change])).toEqual([
      ['a.x', { old: 1, new: 2 }],
      ['a.y', { old: null, new: undefined }],
      ['b', { old: 1, new: undefined }],
      ['c', { old: undefined, new: null }],
    ]);
  });

  test('an element put in front of a list changes no other', () => {
    const list = [{ sku: 'a' }, { sku: 'b' }];
    expect(diffJson(list, [{ sku: 'new' }, ...list])).toEqual([
      { path: [0], old: undefined, new: { sku: 'new' } },
    ]);
    expect(diffJson(list, [{ sku: 'a' }, { sku: 'B' }])).toEqual([{ path: [1, 'sku'], old: 'b', new: 'B' }]);
    expect(diffJson([{}], [[]])).toHaveLength(1);
  });

  test('paths name every key', () => {
    expect(pathText(['address', 'lines', 0, 'a b', '__proto__', '"'])).toBe(
      'address.lines[0]["a b"].__proto__["\\""]',
    );
  });

  test('documents of any depth and length are compared in time', () => {
    const deep = (leaf: string): JsonValue =>
      Array.from({ length: 2000 }).reduce<JsonValue>((inner) => [inner], leaf);
    expect(diffJson(deep('a'), deep('b'))).toHaveLength(1);
    const list = (from: number): JsonValue => Array.from({ length: 5000 }, (_, at) => from + at);
    expect(diffJson(list(0), list(100_000))).toHaveLength(5000);
  });
});
