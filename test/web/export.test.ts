import { once } from 'node:events';
import { get, type ClientRequest, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createGzip } from 'node:zlib';
import { createHash } from 'node:crypto';
import { parse } from 'csv-parse/sync';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { literal } from 'sequelize';
import type { AuditRouterOptions } from 'sequelize-auditlog/web';
import request from 'supertest';
import { testDatabase } from '../support/database';
import { loggedBy } from '../support/statements';
import { asActor, webWorld } from '../support/web';

const FULL = process.env['FULL'] === '1';
const MANY = FULL ? 300_000 : 20_000;
const MB = 1024 * 1024;

const database = testDatabase();
const world = webWorld(database);
const { auditLog, Customer, Order, Tag } = world;
const servers: Server[] = [];

type Line = Record<string, unknown> & { id: string; model: string; changes: Record<string, unknown> | null };

beforeAll(async () => {
  await world.open();
  await asActor('alice', 'moved', async () => {
    const customer = await Customer.create({ name: 'Ann', about: '=cmd()' });
    await customer.update({ about: null });
    const order = await Order.create({ status: 'pending', total: '9.90', cardNumber: '4111111111111111' });
    await order.update({ status: 'paid' });
  });
  await asActor('bob', null, () => Tag.create({ name: 'new' }));
  await database.rows(
    `insert into audit_log_entries (action, model, object_pk, object_repr, changes, correlation_id)
     select 'update', 'Item', '["' || n || '","x"]', 'Item ' || n, jsonb_build_object('quantity', jsonb_build_array(n, n + 1), 'note', jsonb_build_array(null, repeat('x', 400))), 'many-' || n % 10
     from generate_series(1, $1::int) n`,
    [MANY],
  );
  await database.rows('analyze audit_log_entries');
}, 300_000);
afterAll(async () => {
  for (const server of servers) server.close();
  await database.close();
});

/** All but the many. */
const FEW = 'model=Customer,Order,Tag';

function linesOf(text: string): Line[] {
  expect(text.endsWith('\n')).toBe(true);
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}

async function lines(query: string, options?: AuditRouterOptions<Request>): Promise<Line[]> {
  const answer = await request(world.app(options)).get(`/audit/export.ndjson?${query}`).expect(200);
  return linesOf(answer.text);
}

function actions(found: readonly Line[]): string[] {
  return found.map(({ action, model }) => `${String(action)} ${model}`);
}

describe('what is in the file', () => {
  test('NDJSON holds the entries of the filter as the API shows them, oldest first', async () => {
    const found = await lines(FEW);
    const entries = await auditLog.LogEntry.findAll({
      where: { model: ['Customer', 'Order', 'Tag'] },
      order: [['id', 'ASC']],
    });
    expect(found).toEqual(entries.map((entry) => ({ ...entry.toJSON(), hiddenChanges: 0 })));
    expect(found).toHaveLength(5);
  });

  test('CSV holds the same, under a header, with formulas neutralised', async () => {
    const { text } = await request(world.app()).get(`/audit/export.csv?${FEW}`).expect(200);
    const found = parse(text, { columns: true }) as unknown as Record<string, string>[];
    const entries = await lines(FEW);
    expect(found.map(({ id, timestamp }) => [id, timestamp])).toEqual(
      entries.map(({ id, timestamp }) => [id, timestamp]),
    );
    expect(Object.keys(found[0]!)).toEqual(Object.keys(entries[0]!));
    expect(found.map(({ changes }) => JSON.parse(changes!) as unknown)).toEqual(
      entries.map(({ changes }) => changes),
    );
    expect(text).not.toMatch(/,=/);
  });

  test('the filter is that of the feed, in its parameters or its language', async () => {
    expect(actions(await lines('model=Order&action=update'))).toEqual(['update Order']);
    expect(actions(await lines(`q=${encodeURIComponent('actor:bob -model:Item')}`))).toEqual(['create Tag']);
    expect(actions(await lines(`${FEW}&field=about`))).toEqual(['create Customer', 'update Customer']);
    expect(actions(await lines(`${FEW}&since=1h&actor=alice`))).toHaveLength(4);
  });

  test('no entry gives a header, or nothing', async () => {
    const app = world.app();
    const csv = await request(app).get('/audit/export.csv?actor=nobody').expect(200);
    expect(csv.text).toMatch(/^id,timestamp,[^\n]*,hiddenChanges\n$/);
    const ndjson = await request(app).get('/audit/export.ndjson?actor=nobody').expect(200);
    expect(ndjson.text ?? '').toBe('');
  });

  test.each([
    'model=Order&limit=5',
    'modle=Order',
    'cursor=x',
    'since=yesterdayish',
    'tz=Mars/Base',
    'model[$ne]=x',
  ])('a parameter that would widen it is refused: %s', async (query) => {
    const answer = await request(world.app()).get(`/audit/export.csv?${query}`);
    expect(answer.status).toBe(400);
    expect(answer.headers['content-disposition']).toBeUndefined();
    expect(answer.headers['content-type']).toMatch(/^text\/html/);
  });

  test('headers say what it is: a file that is not kept, its filter and its time', async () => {
    const { headers } = await request(world.app()).get('/audit/export.csv?model=Order&q=paid').expect(200);
    expect(headers).toMatchObject({
      'content-type': 'text/csv; charset=utf-8; header=present',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-audit-filter': 'model=Order&q=paid',
      'x-audit-exported-at': expect.stringMatching(/^\d{4}-/),
    });
    expect(headers['content-disposition']).toMatch(
      /^attachment; filename="audit-log_model-Order-paid_\d{8}T\d{6}Z\.csv"$/,
    );
    const odd = await request(world.app()).get(
      `/audit/export.ndjson?actor=${encodeURIComponent('"é/../\r\n')}`,
    );
    expect(odd.headers['content-disposition']).toMatch(/^attachment; filename="audit-log_[\w.-]+\.ndjson"$/);
  });

  test('HEAD gives the headers and reads nothing', async () => {
    const answer = await request(world.app({ recordViews: true }))
      .head('/audit/export.csv')
      .expect(200);
    expect(answer.headers['content-disposition']).toContain('attachment');
    expect(await auditLog.LogEntry.count({ where: { action: 'access' } })).toBe(0);
  });
});

describe('who may have it', () => {
  test('only models that may be both exported and viewed', async () => {
    const authorize: AuditRouterOptions['authorize'] = (_, { action, model }) =>
      action === 'export' ? model !== 'Tag' : model !== 'Customer';
    expect(actions(await lines(FEW, { authorize }))).toEqual(['create Order', 'update Order']);
  });

  test.each(['view', 'export'])('who may only %s gets none', async (allowed) => {
    const app = world.app({ authorize: (_, { action }) => action === allowed });
    expect((await request(app).get('/audit/export.csv')).status).toBe(403);
    expect((await request(app).get('/audit/export.ndjson?modle=x')).status).toBe(403);
  });

  test('the scope is ANDed, whatever the filter says', async () => {
    const scope = (): { actorId: string } => ({ actorId: 'bob' });
    expect(actions(await lines('', { scope }))).toEqual(['create Tag']);
    expect((await request(world.app({ scope })).get('/audit/export.ndjson?actor=alice')).text ?? '').toBe('');
    const failing = express()
      .use(
        world.app({
          scope: () => {
            throw new Error('no tenant');
          },
        }),
      )
      .use(quiet);
    expect((await request(failing).get('/audit/export.ndjson')).status).toBe(500);
  });

  test('fault 76: attributes that may not be seen are not in it, and are counted', async () => {
    const canSee = (_: Request, model: string, attribute: string): boolean =>
      !(model === 'Customer' && attribute === 'name');
    const found = await lines('model=Customer', { canSee });
    expect(found.map(({ hiddenChanges }) => hiddenChanges)).toEqual([1, 0]);
    expect(found[0]!.changes).not.toHaveProperty('name');
    const { text } = await request(world.app({ canSee })).get('/audit/export.csv?model=Customer');
    expect(JSON.stringify(found) + text).not.toContain('Ann');
    // Nor does a search tell what is hidden.
    expect((await request(world.app({ canSee })).get('/audit/export.ndjson?q=Ann')).text ?? '').toBe('');
  });

  test('fault 49: a masked value is not in it', async () => {
    const text = JSON.stringify(await lines('model=Order'));
    expect(text).toContain('********1111');
    expect(text).not.toContain('411111');
  });

  test('fault 79: recordViews keeps who exported what, once, and exports do not show it', async () => {
    const options = { recordViews: true };
    await lines(`${FEW}&actor=alice`, options);
    const found = await lines(FEW, options);
    expect(found.every(({ action }) => action !== 'access')).toBe(true);
    const kept = await auditLog.LogEntry.findAll({ where: { action: 'access' }, order: [['id', 'ASC']] });
    expect(kept.map(({ additionalData }) => additionalData)).toEqual([
      { export: { format: 'ndjson', filter: 'model=Customer&model=Order&model=Tag&actor=alice' } },
      { export: { format: 'ndjson', filter: 'model=Customer&model=Order&model=Tag' } },
    ]);
    expect(kept[0]!.toJSON()).toMatchObject({
      model: 'LogEntry',
      objectPk: null,
      changes: null,
      request: 'GET /audit/export.ndjson',
    });
    await database.rows(`delete from audit_log_entries where action = 'access'`);
  });
});

/** The host's own handler of faults, which Express would print. */
function quiet(_error: unknown, _req: Request, res: Response, next: NextFunction): void {
  if (res.headersSent) return next();
  res.status(500).end();
}

interface Host {
  readonly port: number;
  readonly faults: unknown[];
  /** The most bytes that waited in the answer. */
  readonly waiting: () => number;
}

/** A server around the router that notes what reaches the host. */
async function host(
  options: AuditRouterOptions<Request> = {},
  before?: express.RequestHandler,
): Promise<Host> {
  const faults: unknown[] = [];
  let most = 0;
  const app: Express = express();
  app.use((_, res, next) => {
    const write = res.write.bind(res) as (...args: unknown[]) => boolean;
    res.write = ((...args: unknown[]) => {
      const goesOn = write(...args);
      most = Math.max(most, res.writableLength);
      return goesOn;
    }) as never;
    next();
  });
  if (before) app.use(before);
  app.use(world.app(options));
  app.use((error: unknown, _req: Request, res: Response, next: NextFunction) => {
    faults.push(error);
    quiet(error, _req, res, next);
  });
  const server = app.listen(0);
  servers.push(server);
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, faults, waiting: () => most };
}

async function open(
  port: number,
  path: string,
  headers = {},
): Promise<{ sent: ClientRequest; answer: IncomingMessage }> {
  const sent = get({ port, path, headers, agent: false });
  sent.on('error', () => undefined);
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  return { sent, answer };
}

async function bytesOf(answer: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  const end = Date.now() + 20_000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error('it never came true');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function isIdle(): Promise<boolean> {
  const busy = `select 1 from pg_stat_activity
    where application_name = $1 and datname = current_database() and pid <> pg_backend_pid() and state <> 'idle'`;
  return (await database.rows(busy, [database.schema])).length === 0;
}

describe('how it is sent', () => {
  test('who understands trailers learns the number of entries and the digest of the text', async () => {
    const { port } = await host();
    for (const query of [FEW, 'actor=nobody']) {
      const { answer } = await open(port, `/audit/export.ndjson?${query}`, { te: 'trailers' });
      const bytes = await bytesOf(answer);
      expect(answer.trailers).toEqual({
        'x-audit-entries': query === FEW ? '5' : '0',
        'x-audit-sha256': createHash('sha256').update(bytes).digest('hex'),
      });
    }
    const { answer } = await open(port, `/audit/export.ndjson?${FEW}`);
    await bytesOf(answer);
    expect(answer.headers['trailer']).toBeUndefined();
  });

  test('the host may compress it, with middleware that calls no write back', async () => {
    const compress: express.RequestHandler = (_, res, next) => {
      const gzip = createGzip();
      const [write, end, on] = [res.write.bind(res), res.end.bind(res), res.on.bind(res)] as [
        Response['write'],
        Response['end'],
        Response['on'],
      ];
      gzip.on('data', (chunk: Buffer) => {
        if (!write(chunk)) gzip.pause();
      });
      gzip.on('end', () => end());
      on('drain', () => gzip.resume());
      res.setHeader('content-encoding', 'gzip');
      res.write = ((chunk: Buffer) => gzip.write(chunk)) as never;
      res.end = (() => gzip.end()) as never;
      res.on = ((event: string, listener: never) =>
        event === 'drain' ? gzip.on(event, listener) && res : on(event, listener)) as never;
      next();
    };
    const app = express().use(compress).use(world.app());
    const { text } = await request(app).get('/audit/export.ndjson?correlationId=many-7').expect(200);
    expect(linesOf(text)).toHaveLength(MANY / 10);
  });

  test(
    'fault 84: of many entries only a page waits at a time',
    async () => {
      setFlagsFromString('--expose-gc');
      const collectGarbage = runInNewContext('gc') as () => void;
      const { port, waiting } = await host();
      const { answer } = await open(port, '/audit/export.ndjson');
      collectGarbage();
      const before = process.memoryUsage().heapUsed;
      let [bytes, entries, held, sampled] = [0, 0, 0, 0];
      for await (const chunk of answer) {
        bytes += (chunk as Buffer).length;
        entries += (chunk as Buffer).toString('latin1').split('\n').length - 1;
        if (bytes - sampled < (FULL ? 50 : 6) * MB) continue;
        sampled = bytes;
        collectGarbage();
        held = Math.max(held, process.memoryUsage().heapUsed - before);
      }
      expect(entries).toBe(MANY + 5);
      expect(bytes).toBeGreaterThan(MANY * 500);
      expect(sampled).toBeGreaterThan(0);
      expect(waiting()).toBeLessThan(2 * MB);
      expect(held).toBeLessThan(8 * MB);
    },
    FULL ? 300_000 : 30_000,
  );

  test('fault 84: a client that leaves ends the reading, and no connection or fault is left', async () => {
    const { port, faults } = await host();
    const statements = await loggedBy(database.sequelize, async () => {
      const { sent, answer } = await open(port, '/audit/export.csv');
      await once(answer, 'data');
      answer.pause();
      sent.destroy();
      // Between two pages it is idle too, but not for long.
      for (let calm = 0; calm < 10; calm += 1) {
        await until(isIdle);
        await database.sequelize.query('select 1', { logging: false });
      }
    });
    const pages = statements.filter((text) => text.includes('LIMIT'));
    expect(pages.length).toBeGreaterThan(0);
    // All of them would be forty.
    expect(pages.length).toBeLessThan(12);
    expect(faults).toEqual([]);
  });

  test('what fails on the way breaks the connection, and the host is told', async () => {
    const { port, faults } = await host();
    const { answer } = await open(port, '/audit/export.ndjson');
    await once(answer, 'data');
    answer.pause();
    await until(isIdle);
    await database.rows('alter table audit_log_entries rename to gone');
    try {
      await expect(bytesOf(answer)).rejects.toThrow('aborted');
      expect(answer.complete).toBe(false);
      await until(() => faults.length > 0);
      expect(faults).toMatchObject([{ code: 'ERR_AUDIT_MISSING_TABLE' }]);
    } finally {
      await database.rows('alter table gone rename to audit_log_entries');
    }
  });

  test('what fails before anything is sent is a problem like any other', async () => {
    const scope = (): never => literal('pg_sleep(1) is not null') as never;
    const slow = await request(world.app({ scope, statementTimeout: 20 })).get('/audit/export.csv');
    expect(slow.status).toBe(503);
    expect(slow.headers['content-disposition']).toBeUndefined();
    expect(slow.headers['content-type']).toMatch(/^text\/html/);
    expect(Object.keys(slow.headers).filter((name) => name.startsWith('x-audit'))).toEqual([]);
    expect(await isIdle()).toBe(true);
  });
});
