import { normaliseAddress, normalisePort } from '../../lib/context/addresses';
import { correlationIdOf, isCorrelationId } from '../../lib/context/correlation-id';
import { requestLine } from '../../lib/context/request-line';
import { boundedText, storableText } from '../../lib/context/text';
import type { AuditRequest, CorrelationIdOptions } from '../../lib/core/options';
import { testSettings } from './helpers';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

test.each<[unknown, string | null]>([
  ['10.0.0.1', '10.0.0.1'],
  ['::ffff:1.2.3.4', '1.2.3.4'],
  ['::FFFF:1.2.3.4', '1.2.3.4'],
  ['::ffff:102:304', '1.2.3.4'],
  ['0:0:0:0:0:ffff:0102:0304', '1.2.3.4'],
  ['::ffff:1.2.3.4%eth0', '1.2.3.4'],
  ['::ffff:0:1.2.3.4', '::ffff:0:1.2.3.4'],
  ['2001:db8:0:0:0:ffff:1:2', '2001:db8:0:0:0:ffff:1:2'],
  ['2001:db8::1', '2001:db8::1'],
  ['fe80::1%eth0', 'fe80::1'],
  ['::1', '::1'],
  ['[2001:db8::1]:443', null],
  ['[::1]', null],
  ['1.2.3.4:80', null],
  ['1.2.3.4%eth0', null],
  ['1.2.3.4, 5.6.7.8', null],
  ['1.2.3.4/24', null],
  ['01.2.3.4', null],
  ['256.1.1.1', null],
  ['unknown', null],
  ["1.2.3.4'; drop table x", null],
  ['', null],
  [undefined, null],
  [42, null],
  [['1.2.3.4'], null],
])('C16 the address %p is kept as %p', (given, kept) => {
  expect(normaliseAddress(given)).toBe(kept);
});

test.each<[unknown, number | null]>([
  [0, 0],
  [65_535, 65_535],
  [65_536, null],
  [-1, null],
  [80.5, null],
  ['80', null],
  [undefined, null],
])('C19 the port %p is kept as %p', (given, kept) => {
  expect(normalisePort(given)).toBe(kept);
});

test.each<[unknown, boolean]>([
  ['a', true],
  ['a'.repeat(128), true],
  ['AZaz09._:/+=-', true],
  ['a'.repeat(129), false],
  ['', false],
  ['a b', false],
  ['a\n', false],
  ['a\r\nSet-Cookie: x', false],
  ["'; drop table x;--", false],
  ['<script>', false],
  ['é', false],
  [7, false],
])('17 %p can be a correlation id: %p', (value, valid) => {
  expect(isCorrelationId(value)).toBe(valid);
});

function idFor(
  options: CorrelationIdOptions,
  headers: Record<string, string>,
): { id: string; reports: unknown[] } {
  const settings = testSettings({ correlationId: options });
  return { id: correlationIdOf(settings, { headers } as unknown as AuditRequest), reports: settings.reports };
}

describe('the correlation id of a request', () => {
  test('D2 the name of the header may be written in any case', () => {
    expect(idFor({ header: 'X-Correlation-ID' }, { 'x-correlation-id': 'abc' }).id).toBe('abc');
  });

  test('D4 generate is a function; the path of one is refused', () => {
    expect(idFor({ generate: () => 'made' }, {}).id).toBe('made');
    expect(() => idFor({ generate: './ids' as never }, {})).toThrow(/correlationId\.generate/);
  });

  test('D3 D6 without a header the given one is unused and generate makes it', () => {
    expect(idFor({ header: false }, { 'x-request-id': 'abc' }).id).toMatch(UUID);
    expect(idFor({ header: false, generate: () => 'made' }, { 'x-request-id': 'abc' }).id).toBe('made');
  });

  test('an untrusted header is replaced', () => {
    expect(idFor({ trust: () => false }, { 'x-request-id': 'abc' }).id).toMatch(UUID);
  });

  test.each<[string, CorrelationIdOptions, string]>([
    [
      'trust throws',
      {
        trust: () => {
          throw new Error('no');
        },
      },
      'correlationId.trust',
    ],
    [
      'trust is asynchronous',
      { trust: (() => Promise.reject(new Error('no'))) as never },
      'correlationId.trust',
    ],
    [
      'generate throws',
      {
        header: false,
        generate: () => {
          throw new Error('no');
        },
      },
      'correlationId.generate',
    ],
    ['generate gives junk', { header: false, generate: () => 'a b' }, 'correlationId.generate'],
    [
      'generate is asynchronous',
      { header: false, generate: (() => Promise.reject(new Error('no'))) as never },
      'correlationId.generate',
    ],
  ])('12 when %s it is reported and the id is a UUID', (_name, options, what) => {
    const { id, reports } = idFor(options, { 'x-request-id': 'abc' });
    expect(id).toMatch(UUID);
    expect(reports).toEqual([expect.objectContaining({ what })]);
  });
});

test.each<[Partial<AuditRequest>, string]>([
  [{ method: 'PATCH', originalUrl: '/orders/42', url: '/42' }, 'PATCH /orders/42'],
  [{ method: 'GET', url: '/a?token=secret' }, 'GET /a'],
  [{ method: 'GET', url: '/a#f?x' }, 'GET /a'],
  [{ method: 'GET', url: '?x=1' }, 'GET /'],
  [{ method: 'GET', url: 'http://user:pass@host/a?b' }, 'GET /a'],
  [{ method: 'OPTIONS', url: '*' }, 'OPTIONS *'],
  [{ method: 'GET', url: '/a\0\u0007\u0085\u2028b\u00e9\ud800' }, 'GET /ab\u00e9\ufffd'],
  [{ method: 'GET', url: '/%00%ff' }, 'GET /%00%ff'],
  [{}, '/'],
])('53 the request line of %p is %p', (req, line) => {
  expect(requestLine(req as AuditRequest)).toBe(line);
});

test('a request line has at most 2,048 characters', () => {
  const line = requestLine({ method: 'GET', url: `/${'x'.repeat(10_000)}` } as AuditRequest);
  expect(line).toBe(`GET /${'x'.repeat(2043)}`);
});

test('43 a text loses NUL and lone surrogates, pairs stay', () => {
  expect(storableText('a\0😀\ud800b\udc00')).toBe('a😀\ufffdb\ufffd');
  expect(storableText('plain')).toBe('plain');
});

test('a bounded text never ends in half a character', () => {
  expect(boundedText('ab😀', 3)).toBe('ab');
  expect(boundedText('ab😀', 4)).toBe('ab😀');
});
