import { createServer, type Server } from 'node:http';
import { gzipSync } from 'node:zlib';
import type { AddressInfo } from 'node:net';
import express, { type Express } from 'express';
import request from 'supertest';
import { auditRouter, type AuditRouterOptions } from 'sequelize-auditlog/web';
import { crawl, type Ask, type Seen } from '../support/crawl';
import { testDatabase } from '../support/database';
import { webWorld } from '../support/web';
import { AWKWARD, seedAwkward, seedLives } from '../support/web-seed';

const database = testDatabase();
const world = webWorld(database);

beforeAll(async () => {
  await world.open();
  await seedLives(world);
  await seedAwkward(world);
});
afterAll(() => database.close());

const router = (options: AuditRouterOptions<express.Request> = {}) =>
  auditRouter(world.auditLog, { authorize: () => true, pageSize: 10, ...options });

/** A server before the application that knows one public prefix and passes another on, as nginx does. */
function proxy(app: Express, prefix: string, passedOn: string): Server {
  return createServer((req, res): void => {
    const { url = '' } = req;
    const isInside = url === prefix || url.startsWith(`${prefix}/`) || url.startsWith(`${prefix}?`);
    if (!isInside) return void res.writeHead(404).end('not behind this proxy');
    req.url = passedOn + url.slice(prefix.length);
    return app(req, res);
  });
}

const at = (mount: string, options?: AuditRouterOptions<express.Request>): Express => {
  const app = express();
  // A host that turns routing strict must not turn ours.
  app.set('strict routing', true);
  return app.use(mount, router(options));
};

const MOUNTS: Record<string, { start: string; serve: () => Server | Express }> = {
  'at the root': { start: '/', serve: () => at('/') },
  'at /audit': { start: '/audit', serve: () => at('/audit') },
  nested: {
    start: '/admin/tools/audit',
    serve: () => express().use('/admin', express.Router().use('/tools/audit', router())),
  },
  'behind a proxy that strips a prefix': {
    start: '/shop/audit',
    serve: () => proxy(at('/audit'), '/shop', ''),
  },
  'behind a proxy that renames the mount': {
    start: '/internal/logs',
    serve: () => proxy(at('/audit', { basePath: '/internal/logs' }), '/internal/logs', '/audit'),
  },
};

function listen(handler: Server | Express): Server {
  return 'listen' in handler && 'address' in handler ? handler.listen(0) : createServer(handler).listen(0);
}

async function walk(serve: () => Server | Express, start: string): Promise<Seen[]> {
  const server = listen(serve());
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ask: Ask = async (method, path) => {
    const answer = await fetch(origin + path, { method, redirect: 'manual' });
    const location = answer.headers.get('location');
    return { status: answer.status, text: await answer.text(), ...(location === null ? {} : { location }) };
  };
  try {
    return await crawl(ask, start, { perShape: process.env['FULL'] === '1' ? 3 : 1 });
  } finally {
    server.close();
  }
}

describe.each(Object.entries(MOUNTS))('%s', (_, { start, serve }) => {
  test('every link and form of every page leads to something of ours', async () => {
    const seen = await walk(serve, start);
    const [posts, gets] = [
      seen.filter(({ url }) => url.startsWith('POST')),
      seen.filter(({ url }) => url.startsWith('GET')),
    ];
    const wrong = gets.filter(({ status }) => ![200, 302, 303, 308].includes(status));
    expect(wrong.map(({ url, from, status }) => `${status} ${url} on ${from}`)).toEqual([]);
    // Without saying whence they come they are refused, but by us: an address that isn't ours would be 404.
    expect(posts.filter(({ status }) => status !== 403).map(({ url, status }) => `${status} ${url}`)).toEqual(
      [],
    );
    const mount = start === '/' ? '' : start;
    for (const page of ['/', '/models', '/deleted', '/export.csv', '/export.ndjson'])
      expect(gets.map(({ url }) => url.split('?')[0])).toContain(`GET ${mount}${page}`);
    expect(posts.length).toBeGreaterThan(0);
  });
});

test('keys, actors and requests with awkward names are reached by their links', async () => {
  const app = world.app({ pageSize: 200 });
  const { text } = await request(app).get('/audit/?q=model%3AItem');
  const links = [...text.matchAll(/href="\.\/((?:o|a|r)\/[^"]+)"/g)].map(([, link = '']) =>
    link.replaceAll('&amp;', '&'),
  );
  const each = [...new Set(links)];
  expect(each.filter((link) => link.startsWith('o/Item/'))).toHaveLength(AWKWARD.length);
  expect(each.filter((link) => link.startsWith('a/'))).toHaveLength(AWKWARD.length);
  for (const link of each) {
    // As browsers do: segments of dots are resolved before anything is sent.
    const { pathname, search } = new URL(link, 'http://host/audit/');
    expect([link, (await request(app).get(pathname + search)).status]).toEqual([link, 200]);
  }
});

test('fault 74: without authorize every path answers 403 and says what to add', async () => {
  const app = world.app({ authorize: undefined as never });
  for (const path of [
    '',
    'e/1',
    'o/Order/1',
    'assets/audit.css',
    'api/v1/entries',
    'openapi.json',
    'export.csv',
    'export.ndjson?q=x',
    '%ff',
    'MODELS',
    'models/?x=1',
  ]) {
    const answer = await request(app).get(`/audit/${path}`);
    expect([path, answer.status]).toEqual([path, 403]);
    expect(answer.text).toContain('authorize');
  }
});

test('the bare mount leads to the one with a slash, relatively, and keeps its query', async () => {
  const app = world.app();
  const answer = await request(app).get('/audit?q=a&x=1?2');
  expect(answer.status).toBe(308);
  expect(answer.headers['location']).toBe('./audit/?q=a&x=1?2');
  const nested = express().use('/admin', app);
  expect((await request(nested).get('/admin/audit')).headers['location']).toBe('./audit/');
  const renamed = world.app({ basePath: '/internal/logs/' });
  expect((await request(renamed).get('/audit?q=a')).headers['location']).toBe('/internal/logs/?q=a');
});

test('a bare mount whose name looks like an address of another site does not lead there', async () => {
  const app = express().use(router());
  const answer = await request(app).get('//evil.example');
  expect(answer.status).toBe(404);
  expect(answer.headers['location']).toBeUndefined();
});

test('H353: the router can be mounted twice, each with its own options', async () => {
  const app = express()
    .use('/audit', router())
    .use('/support', router({ revert: false, title: 'Support' }));
  const [first, second] = [await request(app).get('/audit/'), await request(app).get('/support/')];
  expect(first.text).toContain('· Audit log</title>');
  expect(second.text).toContain('· Support</title>');
});

test('styles and script come under names that change with their content, and for ever', async () => {
  const app = world.app();
  const page = await request(app).get('/audit/nothing/here');
  expect(page.status).toBe(404);
  const files = [...page.text.matchAll(/(?:href|src)="([^"]*\/assets\/[^"]+)"/g)].map(
    ([, href = '']) => href,
  );
  expect(files.map((file) => file.replace(/[0-9a-f]{12}/, '#'))).toEqual([
    '../assets/icon.#.svg',
    '../assets/audit.#.css',
    '../assets/audit.#.js',
  ]);
  for (const file of files) {
    const answer = await request(app).get(new URL(file, 'http://host/audit/nothing/here').pathname);
    expect([file, answer.status]).toEqual([file, 200]);
    expect(answer.headers['cache-control']).toBe('public, max-age=31536000, immutable');
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
    const body = typeof answer.text === 'string' ? Buffer.from(answer.text) : (answer.body as Buffer);
    expect([file, gzipSync(body).length < 8192]).toEqual([file, true]);
  }
  expect((await request(app).get('/audit/assets/..%2Frouter.ts')).status).toBe(404);
});
