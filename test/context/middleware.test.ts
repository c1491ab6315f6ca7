import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import express, { type Express, type Request } from 'express';
import session from 'express-session';
import request from 'supertest';
import { auditMiddleware, createAuditMiddleware } from '../../lib/context/middleware';
import { resolveWriteContext } from '../../lib/context/resolve';
import { currentAuditContext, setActor, withAuditContext, withoutAudit } from '../../lib/context/scopes';
import type { AuditLogOptions, AuditRequest } from '../../lib/core/options';
import type { WriteContext } from '../../lib/core/types';
import { defineUser, offlineSequelize, testSettings, type TestSettings } from './helpers';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

interface UserRequest extends Request {
  user?: unknown;
}

interface Auditing {
  readonly app: Express;
  readonly settings: TestSettings;
  readonly write: () => WriteContext | null;
}

/** An application behind the middleware that answers every path with what a write there would store. */
function auditing(options: AuditLogOptions = {}, prepare: (app: Express) => void = () => {}): Auditing {
  const settings = testSettings(options);
  const write = (): WriteContext | null => resolveWriteContext(settings, undefined);
  const app = express();
  prepare(app);
  app.use(createAuditMiddleware(settings));
  return { app, settings, write };
}

function answering(options: AuditLogOptions = {}, prepare?: (app: Express) => void): Auditing {
  const answered = auditing(options, prepare);
  answered.app.use((_req, res) => void res.json(answered.write()));
  return answered;
}

function logIn(user: unknown) {
  return (req: UserRequest, _res: unknown, next: () => void): void => {
    req.user = user;
    next();
  };
}

function trust(value: unknown) {
  return (app: Express): void => void app.set('trust proxy', value);
}

function throwing(message: string) {
  return (): never => {
    throw new Error(message);
  };
}

/** A promise with its resolve function. */
function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((fulfil) => (resolve = fulfil));
  return { promise, resolve };
}

async function served<T>(server: Server, use: (port: number) => Promise<T>): Promise<T> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await use((server.address() as AddressInfo).port);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** Sends bytes that no HTTP client would; gives the whole answer. */
async function sendRaw(port: number, bytes: Buffer): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.end(bytes);
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  return answer;
}

describe('a request', () => {
  test('C1 C8 C12 C21 has a context with address, port, line and id, and nobody as actor', async () => {
    const { body, headers } = await request(answering().app).patch('/orders/42?token=secret');
    expect(body).toMatchObject({
      actorId: null,
      actorLabel: null,
      remoteAddr: '127.0.0.1',
      request: 'PATCH /orders/42',
    });
    expect(body.remotePort).toBeGreaterThan(0);
    expect(body.correlationId).toMatch(UUID);
    expect(headers['x-request-id']).toBe(body.correlationId);
  });

  test('C3 C4 passes on once, with the same request and response', async () => {
    const seen: unknown[] = [];
    const app = express();
    app.use((req, res, next) => {
      seen.push(req, res);
      next();
    });
    app.use(auditMiddleware);
    app.use((req, res) => {
      seen.push(req, res);
      res.status(418).send('teapot');
    });
    const answer = await request(app).get('/');
    expect([answer.status, answer.text]).toEqual([418, 'teapot']);
    expect(seen).toHaveLength(4);
    expect(seen[2]).toBe(seen[0]);
    expect(seen[3]).toBe(seen[1]);
  });

  test('C5 C7 H071 H073 H074 leaves no context behind, also when the handler throws', async () => {
    const { app, write } = auditing();
    let outside: WriteContext | null = null;
    app.use((_req, _res, next) => next(new Error('boom')));
    app.use((_error: unknown, _req: Request, res: express.Response, _next: express.NextFunction) => {
      outside = write();
      res.sendStatus(500);
    });
    await request(app).get('/').expect(500);
    expect(outside).toMatchObject({ request: 'GET /' });
    expect(currentAuditContext()).toBeNull();
    expect(write()).toMatchObject({ actorId: null, correlationId: null, request: null });
  });

  test('a middleware that throws synchronously leaves no context behind', () => {
    const req = {
      headers: {},
      method: 'GET',
      url: '/',
      socket: {},
      emit: () => true,
    } as unknown as AuditRequest;
    const res = { setHeader: () => {}, emit: () => true, end: () => res } as unknown as ServerResponse;
    expect(() => auditMiddleware(req, res, throwing('boom'))).toThrow('boom');
    expect(currentAuditContext()).toBeNull();
  });

  test('the line is that of the arrival, whole also inside a mounted router', async () => {
    const { app, write } = auditing();
    const router = express.Router();
    router.get('/deep', (_req, res) => void res.json(write()));
    app.use('/shop', router);
    const { body } = await request(app).get('/shop/deep?a=1');
    expect(body.request).toBe('GET /shop/deep');
  });

  test('work that goes on after the response keeps its context', async () => {
    const { app, write } = auditing({ actor: { resolve: (req) => (req as UserRequest).user as string } });
    const work = deferred<WriteContext | null>();
    app.use((req: UserRequest, res) => {
      req.user = 'ann';
      res.sendStatus(202);
      res.once('close', () => setTimeout(() => work.resolve(write()), 1));
    });
    await request(app).post('/work').expect(202);
    expect(await work.promise).toMatchObject({ actorId: 'ann', request: 'POST /work' });
  });

  test('contexts nested in a request inherit from it', async () => {
    const { app, write } = auditing();
    app.use((req: UserRequest, res) => {
      req.user = { id: 7, email: 'ann@example.com' };
      res.json({
        inner: withAuditContext({ reason: 'nested' }, write),
        other: withAuditContext({ actor: 'job' }, write),
        nobody: withAuditContext({ actor: null }, write),
        off: withoutAudit(write),
        after: write(),
      });
    });
    const { body } = await request(app).get('/x');
    expect(body.inner).toMatchObject({
      actorId: '7',
      actorLabel: 'ann@example.com',
      reason: 'nested',
      request: 'GET /x',
    });
    expect(body.other).toMatchObject({ actorId: 'job', request: 'GET /x' });
    expect(body.nobody).toMatchObject({ actorId: null, request: 'GET /x' });
    expect(body.off).toBeNull();
    expect(body.after).toMatchObject({ actorId: '7', reason: null });
  });

  test('outside Express it is the request of node:http', async () => {
    const settings = testSettings();
    const middleware = createAuditMiddleware(settings);
    const server = createServer((req: IncomingMessage, res) =>
      middleware(req, res, () => res.end(JSON.stringify(resolveWriteContext(settings, undefined)))),
    );
    const { body } = await request(server).get('/plain?q').buffer().parse(jsonParser);
    expect(body).toMatchObject({ remoteAddr: '127.0.0.1', request: 'GET /plain' });
  });

  test('the middleware carries a name', () => {
    expect(auditMiddleware.name).toBe('auditMiddleware');
  });
});

function jsonParser(res: request.Response, done: (error: Error | null, body: unknown) => void): void {
  let text = '';
  res.on('data', (chunk: Buffer) => (text += String(chunk)));
  res.on('end', () => done(null, JSON.parse(text)));
}

describe('the actor of a request', () => {
  test('C9 18 is the user whom a later middleware found', async () => {
    const { app, write } = auditing();
    app.use(logIn({ id: 7, username: 'ann' }));
    app.use((_req, res) => void res.json(write()));
    const { body } = await request(app).get('/');
    expect(body).toMatchObject({ actorId: '7', actorLabel: 'ann', actorType: null });
  });

  test('a login or logout in mid-request counts for later writes', async () => {
    const { app, write } = auditing();
    app.use((req: UserRequest, res) => {
      const before = write()?.actorId;
      req.user = { id: 1 };
      const loggedIn = write()?.actorId;
      req.user = { id: 2 };
      const switched = write()?.actorId;
      req.user = undefined;
      res.json([before, loggedIn, switched, write()?.actorId]);
    });
    const { body } = await request(app).get('/');
    expect(body).toEqual([null, '1', '2', null]);
  });

  test('setActor wins over what the request says', async () => {
    const { app, write } = auditing();
    app.use(logIn({ id: 7 }));
    app.use((_req, res) => {
      setActor('token:9');
      res.json(write());
    });
    expect((await request(app).get('/')).body.actorId).toBe('token:9');
  });

  test('C11 a user of the wrong type is nobody', async () => {
    const { app, write } = auditing();
    app.use(logIn(true));
    app.use((_req, res) => void res.json(write()));
    expect((await request(app).get('/')).body.actorId).toBeNull();
  });

  test('H070 actor.resolve maps the request to another entity', async () => {
    const { app } = answering({
      actor: { resolve: (req) => ({ id: req.headers['x-member'], type: 'membership' }) },
    });
    const { body } = await request(app).get('/').set('x-member', 'm-1');
    expect(body).toMatchObject({ actorId: 'm-1', actorType: 'membership', actorLabel: 'm-1' });
  });

  test('12 a resolver that throws is reported, the actor is nobody and the request goes on', async () => {
    const { app, settings } = answering({ actor: { resolve: throwing('session store is down') } });
    const { body } = await request(app).get('/').expect(200);
    expect(body).toMatchObject({ actorId: null, request: 'GET /' });
    expect(settings.reports).toEqual([{ what: 'actor.resolve', message: 'session store is down' }]);
  });

  test('12 an asynchronous resolver is warned of once, its rejection ends nothing', async () => {
    const emitWarning = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const rejections: unknown[] = [];
    const listener = (error: unknown): void => void rejections.push(error);
    process.on('unhandledRejection', listener);
    const resolve = (async () => Promise.reject(new Error('async'))) as never;
    const { app } = answering({ actor: { resolve } });
    for (const path of ['/1', '/2']) expect((await request(app).get(path)).body.actorId).toBeNull();
    process.off('unhandledRejection', listener);
    const warnings = emitWarning.mock.calls.filter(
      ([, options]) => (options as { code?: string }).code === 'AUDIT_ASYNC_RESOLVER',
    );
    emitWarning.mockRestore();
    expect(warnings).toHaveLength(1);
    expect(warnings[0]?.[0]).toContain('synchronous');
    expect(rejections).toEqual([]);
  });

  test('the default middleware serves a log with a resolver and a model of its own', async () => {
    const sequelize = offlineSequelize();
    const User = defineUser(sequelize);
    const settings = testSettings({
      actor: { model: User, resolve: (req) => req.headers['x-user'] },
    });
    const app = express().use(auditMiddleware);
    app.use((_req, res) => void res.json(resolveWriteContext(settings, undefined)));
    const { body } = await request(app).get('/').set('x-user', '7');
    expect(body).toMatchObject({ actorId: '7', actorType: 'User', labelFromRow: true });
  });

  test('a log without a resolver uses that of the middleware', async () => {
    const app = express().use(createAuditMiddleware(testSettings({ actor: { resolve: () => 'one' } })));
    app.use((_req, res) => void res.json(resolveWriteContext(testSettings(), undefined)));
    expect((await request(app).get('/')).body.actorId).toBe('one');
  });

  test('currentAuditContext resolves it at the time of the call and carries it to a worker', async () => {
    const { app, write } = auditing();
    app.use(logIn({ id: 7, email: 'ann@example.com' }));
    app.post('/jobs', (_req, res) => void res.json({ job: currentAuditContext(), stored: write() }));
    const { body } = await request(app).post('/jobs?x=1').set('x-request-id', 'req-1');
    expect(body.job).toMatchObject({
      actor: { id: '7', label: 'ann@example.com', type: null },
      correlationId: 'req-1',
      request: 'POST /jobs',
    });
    expect(withAuditContext(body.job, write)).toEqual(body.stored);
  });

  test('49 the default middleware, which knows no masks, takes no label into a snapshot', async () => {
    const app = express().use(auditMiddleware);
    app.use(logIn({ id: 7, email: 'ann@example.com' }));
    app.use((_req, res) => void res.json(currentAuditContext()));
    expect((await request(app).get('/')).body.actor).toEqual({ id: '7', label: null, type: null });
  });
});

describe('the remote address', () => {
  test('16 C12 a forwarding header is not believed by default', async () => {
    const { body } = await request(answering().app).get('/').set('X-Forwarded-For', '6.6.6.6');
    expect(body.remoteAddr).toBe('127.0.0.1');
  });

  test('16 C13 with trust proxy 1 the right-most entry of two is it', async () => {
    const { app } = answering({}, trust(1));
    const { body } = await request(app).get('/').set('X-Forwarded-For', '6.6.6.6, 203.0.113.9');
    expect(body.remoteAddr).toBe('203.0.113.9');
  });

  test.each([
    ['2001:db8::1', '2001:db8::1'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
    ['[2001:db8::1]:443', null],
    ['203.0.113.9:80', null],
    ['unknown', null],
    ["1.1.1.1'; drop table users; --", null],
    ['x'.repeat(10_000), null],
  ])('C15 C16 a trusted header %p is kept as %p', async (header, kept) => {
    const { app, settings } = answering({}, trust(true));
    const { body } = await request(app).get('/').set('X-Forwarded-For', header).expect(200);
    expect(body.remoteAddr).toBe(kept);
    expect(settings.reports).toEqual([]);
  });

  test('C17 switched off, address and port are null', async () => {
    const { app } = answering({ remoteAddr: false }, trust(true));
    const { body } = await request(app).get('/').set('X-Forwarded-For', '203.0.113.9');
    expect(body).toMatchObject({ remoteAddr: null, remotePort: null });
  });

  test('C19 the port is that of the socket, whatever a header says', async () => {
    const { app, write } = auditing({}, trust(true));
    app.use((req, res) => void res.json([write()?.remotePort, req.socket.remotePort]));
    const { body } = await request(app).get('/').set('X-Forwarded-Port', '-1');
    expect(body[0]).toBe(body[1]);
  });

  test.each<[string, NonNullable<AuditLogOptions['remoteAddr']>, string | null, number]>([
    ['gives an address', () => '::ffff:9.9.9.9', '9.9.9.9', 0],
    ['gives none', () => 'nonsense', null, 0],
    ['gives a promise', (async () => '9.9.9.9') as never, null, 1],
    ['throws', throwing('no'), null, 1],
  ])('C20 12 a function that %s', async (_name, remoteAddr, kept, reports) => {
    const { app, settings } = answering({ remoteAddr });
    const { body } = await request(app).get('/').expect(200);
    expect(body.remoteAddr).toBe(kept);
    expect(settings.reports.map(({ what }) => what)).toEqual(Array(reports).fill('remoteAddr'));
  });
});

describe('the request line', () => {
  test('switched off it is null', async () => {
    expect((await request(answering({ request: false }).app).get('/')).body.request).toBeNull();
  });

  test('a function gives it, cleaned; what throws is reported', async () => {
    const custom = answering({ request: (req) => `${req.method}\n${'x'.repeat(5000)}` });
    expect((await request(custom.app).get('/')).body.request).toBe(`GET${'x'.repeat(2045)}`);
    const broken = answering({
      request: throwing('no line'),
    });
    expect((await request(broken.app).get('/').expect(200)).body.request).toBeNull();
    expect(broken.settings.reports).toEqual([{ what: 'request', message: 'no line' }]);
  });
});

describe('the correlation id', () => {
  test('D7 is the header of the client, echoed and visible', async () => {
    const { app, write } = auditing();
    app.use((_req, res) => void res.json([write()?.correlationId, currentAuditContext()?.correlationId]));
    const { body, headers } = await request(app).get('/').set('X-Request-Id', 'req-1');
    expect(body).toEqual(['req-1', 'req-1']);
    expect(headers['x-request-id']).toBe('req-1');
  });

  test('D8 of one request never survives into the next on the same connection', async () => {
    await served(createServer(answering().app), async (port) => {
      const lines = 'GET / HTTP/1.1\r\nHost: x\r\n';
      const both = `${lines}X-Request-Id: first\r\n\r\n${lines}Connection: close\r\n\r\n`;
      const answers = (await sendRaw(port, Buffer.from(both))).match(/"correlationId":"[^"]+"/g) ?? [];
      expect(answers).toHaveLength(2);
      expect(answers[0]).toBe('"correlationId":"first"');
      expect(answers[1]).not.toContain('first');
    });
  });

  test.each([
    ['10 kB', 'x'.repeat(10_000)],
    ['SQL', "1'; drop table users; --"],
    ['HTML', '<script>alert(1)</script>'],
    ['blanks', 'a b'],
    ['nothing', ''],
  ])('17 a header of %s is replaced by a generated id', async (_name, header) => {
    const { body, headers } = await request(answering().app).get('/').set('X-Request-Id', header).expect(200);
    expect(body.correlationId).toMatch(UUID);
    expect(headers['x-request-id']).toBe(body.correlationId);
  });

  test.each([
    ['CR and LF', 'a\r\nX-Injected: 1', (id: string) => id === 'a'],
    ['two headers', 'a\r\nX-Request-Id: b', (id: string) => UUID.test(id)],
    ['Latin-1 bytes', 'caf\u00e9', (id: string) => UUID.test(id)],
    ['a bare CR', 'a\rb', () => true],
    ['NUL', 'a\0b', () => true],
  ])('17 a raw header with %s injects nothing into the response', async (_name, header, isFine) => {
    await served(createServer(answering().app), async (port) => {
      const bytes = Buffer.from(
        `GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Request-Id: ${header}\r\n\r\n`,
        'latin1',
      );
      const answer = await sendRaw(port, bytes);
      expect(answer).toMatch(/^HTTP\/1\.1 (200 OK|400 Bad Request)\r\n/);
      expect(answer).not.toMatch(/^X-Injected/im);
      const id = /"correlationId":"([^"]*)"/.exec(answer)?.[1];
      expect(id === undefined ? answer.startsWith('HTTP/1.1 400') : isFine(id)).toBe(true);
    });
  });

  test('43 a path of invalid UTF-8 and control bytes is one storable line', async () => {
    const { app, write } = auditing();
    const lines: unknown[] = [];
    app.use((_req, res) => {
      lines.push(write()?.request);
      res.end();
    });
    await served(createServer(app), async (port) => {
      const path = Buffer.concat([
        Buffer.from('/a'),
        Buffer.from([0xc3, 0x28, 0xff, 0x85]),
        Buffer.from('%00%zz?q=\u0001'),
      ]);
      const tail = Buffer.from(' HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
      const answer = await sendRaw(port, Buffer.concat([Buffer.from('GET '), path, tail]));
      expect(answer).toMatch(/^HTTP\/1\.1 (200|400)/);
      expect(lines).toEqual(answer.startsWith('HTTP/1.1 200') ? ['GET /aÃ(ÿ%00%zz'] : []);
    });
  });

  test('D3 header: false neither reads nor echoes, and generates', async () => {
    const { app } = answering({ correlationId: { header: false } });
    const { body, headers } = await request(app).get('/').set('X-Request-Id', 'req-1');
    expect(body.correlationId).toMatch(UUID);
    expect(headers).not.toHaveProperty('x-request-id');
  });

  test('a header name that HTTP forbids is reported and breaks no request', async () => {
    const { app, settings } = answering({ correlationId: { header: 'bad name' } });
    await request(app).get('/').expect(200);
    expect(settings.reports.map(({ what }) => what)).toEqual(['correlationId.header']);
  });

  test('17 it is never used as identity', async () => {
    const { body } = await request(answering().app).get('/').set('X-Request-Id', 'admin');
    expect(body).toMatchObject({ correlationId: 'admin', actorId: null });
  });
});

describe('mounted twice', () => {
  test('the second mount keeps the id and the context of the first', async () => {
    const generate = jest.fn(() => 'made-once');
    const { app, settings, write } = auditing({ correlationId: { generate } });
    app.use((_req, _res, next) => {
      setActor('early');
      next();
    });
    app.use(createAuditMiddleware(settings), auditMiddleware);
    app.use((_req, res) => void res.json(write()));
    const { body } = await request(app).get('/');
    expect(body).toMatchObject({ correlationId: 'made-once', actorId: 'early' });
    expect(generate).toHaveBeenCalledTimes(1);
  });

  test.each(['/by-express', '/by-hand'])(
    'a context that a callback has lost to another request is entered again: %s',
    async (path) => {
      const { app, settings, write } = auditing();
      const middleware = createAuditMiddleware(settings);
      const waiting: (() => void)[] = [];
      const lose = (go: () => void): void => {
        // As node-postgres callbacks do: both go on in the context of whoever came last.
        waiting.push(go);
        if (waiting.length === 2) for (const each of waiting) each();
      };
      app.use('/by-express', (_req, _res, next) => lose(next));
      app.use('/by-express', (_req, res) => void res.json(write()));
      app.use('/by-hand', (req, res) => lose(() => middleware(req, res, () => void res.json(write()))));
      await served(createServer(app), async (port) => {
        const ids = ['one', 'two'];
        const ask = (id: string) => request(`http://127.0.0.1:${port}`).get(path).set('x-request-id', id);
        const answers = await Promise.all(ids.map(ask));
        expect(answers.map(({ body }) => body.correlationId)).toEqual(ids);
      });
    },
  );
});

describe('events of the request and the response', () => {
  test('a hand-written body reader keeps the context', async () => {
    const { app, write } = auditing();
    app.use((req, res) => {
      let size = 0;
      req.on('data', (chunk: Buffer) => (size += chunk.length));
      req.on('end', () => void res.json([size, write()]));
    });
    const { body } = await request(app).post('/upload').set('x-request-id', 'up-1').send('x'.repeat(200_000));
    expect(body).toEqual([200_000, expect.objectContaining({ correlationId: 'up-1' })]);
  });

  test('a context opened inside the request stays for what is emitted inside it', async () => {
    const { app, write } = auditing();
    app.use((req, res) => {
      let reason: string | null | undefined;
      req.on('custom', () => (reason = write()?.reason));
      withAuditContext({ reason: 'inner' }, () => req.emit('custom'));
      res.json(reason);
    });
    expect((await request(app).get('/')).body).toBe('inner');
  });

  test("the response's finish and close have the context, and the actor of that time", async () => {
    const { app, write } = auditing();
    const seen: string[] = [];
    const closed = deferred<void>();
    app.use((req: UserRequest, res) => {
      res.on('finish', () => seen.push(`finish ${write()?.actorId} ${write()?.correlationId}`));
      res.on('close', () => {
        seen.push(`close ${write()?.actorId}`);
        closed.resolve();
      });
      req.user = 'ann';
      res.end('ok');
    });
    await request(app).get('/').set('x-request-id', 'fin-1');
    await closed.promise;
    expect(seen).toEqual(['finish ann fin-1', 'close ann']);
  });
});

test('B5 14 500 concurrent requests through body parser, session and timers each see their own context', async () => {
  const { app, write } = auditing({}, (prepared) => {
    prepared.use(express.json());
    prepared.use(session({ secret: 's', resave: false, saveUninitialized: true }));
  });
  app.post('/login/:id', async (req, res) => {
    (req.session as unknown as { userId: string }).userId = req.params['id'];
    await delay(Math.random() * 20);
    res.json([write(), req.body.id]);
  });
  app.get('/me', async (_req, res) => {
    const before = write();
    await Promise.all([delay(Math.random() * 20), new Promise(setImmediate)]);
    res.json([before, write()]);
  });
  await served(createServer(app), async (port) => {
    const url = `http://127.0.0.1:${port}`;
    const visit = async (index: number): Promise<unknown[]> => {
      const id = `u${index}`;
      const login = await request(url).post(`/login/${id}`).set('x-request-id', `in-${id}`).send({ id });
      const cookie = (login.headers['set-cookie'] as unknown as string[])[0] as string;
      const me = await request(url).get('/me').set('cookie', cookie).set('x-request-id', `me-${id}`);
      const [context, bodyId] = login.body as [WriteContext, string];
      const [before, after] = me.body as [WriteContext, WriteContext];
      return [bodyId, ...[context, before, after].flatMap((c) => [c.actorId, c.correlationId])];
    };
    const seen = await Promise.all(Array.from({ length: 250 }, (_, index) => visit(index)));
    const expected = Array.from({ length: 250 }, (_, index) => {
      const id = `u${index}`;
      return [id, id, `in-${id}`, id, `me-${id}`, id, `me-${id}`];
    });
    expect(seen).toEqual(expected);
  });
});
