import express, { type ErrorRequestHandler } from 'express';
import helmet from 'helmet';
import request, { type Response } from 'supertest';
import { auditRouter } from 'sequelize-auditlog/web';
import { testDatabase } from '../support/database';
import { webWorld } from '../support/web';
import { AWKWARD, seedLives } from '../support/web-seed';

const database = testDatabase();
const world = webWorld(database);
let orderId = 0;

beforeAll(async () => {
  await world.open();
  orderId = (await seedLives(world)).alive.get('id') as number;
});
afterAll(() => database.close());

const PAGES = (): string[] => [
  '',
  'e/1',
  `o/Order/${orderId}`,
  `o/Order/${orderId}/at`,
  `o/Order/${orderId}/diff`,
  `o/Order/${orderId}/revert`,
  'r/req-1',
  'a/ada',
  'deleted',
  'models',
];

describe('fault 83: headers', () => {
  test('pages and exports are never kept; all answers have our policy', async () => {
    const app = world.app();
    for (const path of [
      ...PAGES(),
      'export.csv',
      'export.ndjson',
      'nothing/here',
      'api/v1/entries',
      'openapi.json',
    ]) {
      const { headers } = await request(app).get(`/audit/${path}`);
      expect([path, headers['cache-control']]).toEqual([
        path,
        expect.stringMatching(/^(api|openapi)/.test(path) ? /^private, no-cache$|^no-store$/ : /^no-store$/),
      ]);
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'x-robots-tag': 'noindex',
        'x-frame-options': 'SAMEORIGIN',
        'referrer-policy': 'same-origin',
        'content-security-policy': expect.stringMatching(/default-src 'none'.*frame-ancestors 'self'/),
      });
      expect(headers['content-security-policy']).not.toMatch(/unsafe|upgrade-insecure/);
      expect(headers['vary']).toContain('Cookie');
    }
  });

  test('a policy of the host stays, its Vary is added to', async () => {
    const policy = "default-src 'self'; frame-ancestors https://intranet.example";
    const app = express()
      .use((_, res, next) => {
        res.set({
          'Content-Security-Policy': policy,
          'X-Frame-Options': 'DENY',
          Vary: 'Accept-Encoding, cookie',
        });
        next();
      })
      .use('/audit', auditRouter(world.auditLog, { authorize: () => true }));
    const { headers } = await request(app).get('/audit/');
    expect(headers['content-security-policy']).toBe(policy);
    expect(headers['x-frame-options']).toBe('DENY');
    expect(headers['vary']).toBe('Accept-Encoding, cookie, Accept-Language');
  });

  test('what the policy forbids a page to load is not asked for', async () => {
    const strict = "default-src 'none'; style-src 'self'; script-src 'self'";
    const pageUnder = async (policy: string): Promise<string> => {
      const app = express()
        .use((_, res, next) => {
          res.set('Content-Security-Policy', policy);
          next();
        })
        .use('/audit', auditRouter(world.auditLog, { authorize: () => true }));
      return (await request(app).get('/audit/')).text;
    };
    expect(await pageUnder(strict)).not.toMatch(/rel="icon"| data-fetch/);
    expect(await pageUnder(`${strict}; IMG-SRC 'self'`)).toMatch(/rel="icon"/);
    const relaxed = await pageUnder(`${strict}; img-src 'self' data:; connect-src 'self'`);
    expect(relaxed).toMatch(/ data-fetch[ >]/);
    expect(await pageUnder("script-src 'self'")).toMatch(/ data-fetch[ >]/);
  });

  test('no page has a script, a style or a handler of its own, under helmet or without', async () => {
    const app = express().use(helmet()).use(world.app());
    for (const path of PAGES()) {
      const { text } = await request(app).get(`/audit/${path}`);
      expect([path, /<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)|javascript:/i.exec(text)]).toEqual([
        path,
        null,
      ]);
    }
  });
});

const HOSTILE = [
  ...AWKWARD,
  '\u0000',
  '%00',
  '-1',
  '0',
  '99999999999999999999999999',
  '1e9',
  "1' or '1'='1",
  '$1',
  ':replacement',
  '{"a":1}',
  '[1]',
  '__proto__',
  'constructor',
  'x'.repeat(3000),
];
const PARAMETERS = [
  'q',
  'cursor',
  'before',
  'after',
  't',
  'from',
  'to',
  'tz',
  'model',
  'pk',
  'only',
  'since',
  'until',
  'limit',
  'order',
  'field',
  'id',
  'at',
];

const encode = (text: string): string => encodeURIComponent(text);
const oursOr = ({ status, text }: Response): string =>
  [200, 302, 303, 308, 400, 403, 404, 409, 410, 422].includes(status) ? 'ours' : `${status} ${text}`;

/** Every fifth, another fifth for each form; FULL=1 tries all. */
const some = <T>(list: readonly T[], shift: number): readonly T[] =>
  process.env['FULL'] === '1' ? list : list.filter((_, index) => (index + shift) % 5 === 0);

describe('fault 81: whatever stands in an address, it is no fault of the server and no condition', () => {
  const faults: unknown[] = [];
  const listening = (): express.Express =>
    world.app().use(((error, _req, res, _next) => {
      faults.push(error);
      res.status(500).end();
    }) as ErrorRequestHandler);

  beforeEach(() => void faults.splice(0));

  test('in the path', async () => {
    const app = listening();
    const forms = [
      'e/*',
      'o/*/1',
      'o/Order/*',
      'o/Order/*/at',
      'o/Order/*/diff',
      'o/Order/*/revert',
      'o/Item/*',
      'r/*',
      't/*',
      'a/*',
      'assets/*',
    ];
    for (const [index, form] of forms.entries())
      for (const text of some(HOSTILE, index)) {
        const answer = await request(app).get(`/audit/${form.replace('*', () => encode(text))}`);
        expect([form, text, oursOr(answer), faults]).toEqual([form, text, 'ours', []]);
      }
  });

  test('in the query, once, twice, nested', async () => {
    const app = listening();
    const pages = [
      '',
      `o/Order/${orderId}`,
      `o/Order/${orderId}/at`,
      `o/Order/${orderId}/diff`,
      `o/Order/${orderId}/revert`,
      'deleted',
      'a/ada',
      'r/req-1',
      'api/v1/entries',
      'export.ndjson',
    ];
    for (const [index, page] of pages.entries())
      for (const [nth, parameter] of some([...PARAMETERS.entries()], index)) {
        const text = HOSTILE[(index * 7 + nth * 5) % HOSTILE.length] ?? '';
        const pairs = [
          `${parameter}=${encode(text)}`,
          `${parameter}=a&${parameter}=b`,
          `${parameter}[$or][id]=1`,
        ];
        const answer = await request(app).get(`/audit/${page}?${pairs[(index + nth) % 3]}`);
        expect([page, parameter, text, oursOr(answer), faults]).toEqual([page, parameter, text, 'ours', []]);
      }
  });
});

describe('faults of the server', () => {
  const broken = (): express.Express =>
    world.app({
      scope: () => {
        throw new Error('select secret from tenants');
      },
    });

  test('are the host’s to handle, and nothing of them is told by us', async () => {
    const errors: Error[] = [];
    const app = broken().use(((error, _req, res, _next) => {
      errors.push(error as Error);
      res.status(500).send('sorry');
    }) as ErrorRequestHandler);
    for (const path of ['', 'e/1', 'api/v1/entries', 'export.csv', 'deleted']) {
      const { status, text } = await request(app).get(`/audit/${path}`);
      expect([path, status, text]).toEqual([path, 500, 'sorry']);
    }
    expect(errors.map(({ message }) => message)).toEqual(Array(5).fill('select secret from tenants'));
  });

  test('a query that takes too long answers 503 with a hint, and without a word of SQL', async () => {
    const blocker = database.newClient();
    await blocker.connect();
    await blocker.query('begin; lock table audit_log_entries in access exclusive mode');
    const app = world.app({ statementTimeout: 50 });
    const [page, api] = [await request(app).get('/audit/'), await request(app).get('/audit/api/v1/entries')];
    await blocker.query('rollback');
    for (const { status, text, headers } of [page, api]) {
      expect(status).toBe(503);
      expect(headers['retry-after']).toBe('5');
      expect(text).toMatch(/narrow your filters/i);
      expect(text).not.toMatch(/select|audit_log_entries|statement timeout|node_modules|\.ts:/i);
    }
    expect(api.headers['content-type']).toContain('application/problem+json');
  });

  test('a damaged address or body is the visitor’s', async () => {
    const app = world.app();
    expect((await request(app).get('/audit/e/%E0%A4%A')).status).toBe(400);
    const post = request(app).post('/audit/o/Order/1/revert').set('Sec-Fetch-Site', 'same-origin');
    expect((await post.set('Content-Type', 'application/json').send('{"a":')).status).toBe(400);
    const large = request(app)
      .post('/audit/o/Order/1/revert')
      .set('Sec-Fetch-Site', 'same-origin')
      .type('form');
    expect((await large.send(`reason=${'x'.repeat(20_000)}`)).status).toBe(413);
  });
});

test('HEAD answers as GET does, without a body; other methods find nothing', async () => {
  const app = world.app();
  for (const path of ['', 'models', 'export.csv', 'export.ndjson', 'api/v1/entries', 'nothing/here']) {
    const [head, get] = [await request(app).head(`/audit/${path}`), await request(app).get(`/audit/${path}`)];
    expect([path, head.status, head.text ?? '']).toEqual([path, get.status, '']);
    expect(head.headers['content-type']).toBe(get.headers['content-type']);
  }
  for (const method of ['put', 'patch', 'delete', 'options'] as const)
    expect([
      method,
      (await request(app)[method]('/audit/').set('Sec-Fetch-Site', 'same-origin')).status,
    ]).toEqual([method, 404]);
  expect((await request(app).post('/audit/models').set('Sec-Fetch-Site', 'same-origin')).status).toBe(404);
});

describe('the zone that the browser tells by a cookie', () => {
  const zoneUnder = async (cookie: string, path = ''): Promise<string | undefined> => {
    const { text } = await request(world.app({ timeZone: 'Europe/Zurich' }))
      .get(`/audit/${path}`)
      .set('Cookie', cookie);
    return / data-zone="([^"]*)"/.exec(text)?.[1];
  };

  test('is that of pages, unless the address asks for another', async () => {
    expect(await zoneUnder('a=b; audit-zone=Asia%2FTokyo')).toBe('Asia/Tokyo');
    expect(await zoneUnder('audit-zone=Asia%2FTokyo', '?tz=UTC')).toBe('UTC');
    expect(await zoneUnder('')).toBe('Europe/Zurich');
  });

  test('is ignored when it is none', async () => {
    for (const damaged of [
      'audit-zone=',
      'audit-zone=Mars',
      'audit-zone=%E0%A4',
      "audit-zone=';drop",
      'xaudit-zone=Asia%2FTokyo',
    ])
      expect([damaged, await zoneUnder(damaged)]).toEqual([damaged, 'Europe/Zurich']);
  });

  test('doesn’t reach the JSON API: programs get what they ask for', async () => {
    const app = world.app();
    const ask = async (cookie: string): Promise<string> =>
      (await request(app).get('/audit/api/v1/stats/activity').set('Cookie', cookie)).text;
    expect(await ask('audit-zone=Pacific%2FApia')).toBe(await ask(''));
  });
});
