import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import { join } from 'node:path';
import type { Request } from 'express';
import { withAuditContext, type LogEntry } from 'sequelize-auditlog';
import request from 'supertest';
import { testDatabase } from '../support/database';
import { readPaper, typescriptBlocksOf } from './support/markdown';
import { Order } from './support/reader';
import { Recipes } from './support/recipes';

const blocks = typescriptBlocksOf(readPaper('docs/reports.md'));
const database = testDatabase();
const recipes = new Recipes(database, blocks);
let folder = '';

/** When entries of one order were made: in and out of the quarter, of the week and of the hours of an office in Berlin. */
const MOMENTS: readonly string[] = [
  '2026-06-30T21:59:59Z', // before the quarter
  '2026-07-01T08:00:00Z', // a Wednesday at ten
  '2026-07-02T04:59:59Z', // 6:59 in summer
  '2026-07-02T05:00:00Z', // 7:00
  '2026-09-30T16:59:59Z', // 18:59
  '2026-09-30T17:00:00Z', // 19:00
  '2026-08-01T10:00:00Z', // a Saturday
  '2026-10-01T00:00:00Z', // behind the quarter
];

let order: Order;

beforeAll(async () => {
  // A folder of its own: the same test runs with other servers at the same time.
  folder = await mkdtemp(join(os.tmpdir(), 'reports-'));
  jest.spyOn(os, 'tmpdir').mockReturnValue(folder);
  await recipes.open();
  order = recipes.objects.order;
  await database.rows('truncate audit_log_entries, "Orders_history"');
  for (const [at, moment] of MOMENTS.entries()) {
    const actor = at % 2 === 0 ? recipes.objects.user : null;
    const status = `step ${at}`;
    await withAuditContext({ actor, reason: 'ticket 9' }, () => order.update({ status }));
    await database.rows(
      'update audit_log_entries set timestamp = $1 where id = (select max(id) from audit_log_entries)',
      [moment],
    );
    await database.rows(
      'update "Orders_history" set history_date = $1 where history_id = (select max(history_id) from "Orders_history")',
      [moment],
    );
  }
});

afterAll(async () => {
  await recipes.close();
  await rm(folder, { recursive: true });
});

const QUARTER = MOMENTS.slice(1, -1);
const iso = (entries: readonly { timestamp: Date }[]): string[] =>
  entries.map(({ timestamp }) => timestamp.toISOString().replace('.000', '')).toSorted();

async function period(): Promise<void> {
  const { entries, sha256 } = await recipes.run('period');
  const text = await readFile(join(folder, '2026-q3.csv'), 'utf8');
  expect(entries).toBe(QUARTER.length);
  expect(text.trim().split('\n')).toHaveLength(QUARTER.length + 1);
  expect(sha256).toBe(createHash('sha256').update(text).digest('hex'));
}

async function rows(): Promise<void> {
  const { rows: found } = (await recipes.run('rows')) as { rows: Record<string, unknown>[] };
  expect(found).toHaveLength(QUARTER.length);
  expect(found[1]).toEqual({
    when: '2026-07-02T04:59:59.000Z',
    who: 'alice@shop.example',
    what: 'alice@shop.example updated status of Order 42: step 1 → step 2',
    where: null,
    why: 'ticket 9',
  });
}

async function model(): Promise<void> {
  const { lately } = (await recipes.run('model')) as { lately: LogEntry[] };
  expect(iso(lately)).toEqual([...MOMENTS].toSorted());
}

async function versionsReport(): Promise<void> {
  const { report } = (await recipes.run('versions-report')) as { report: { toJSON(): object }[] };
  expect(report).toHaveLength(QUARTER.length);
  expect(report[1]!.toJSON()).toMatchObject({
    id: 42,
    historyType: '~',
    status: 'step 2',
    total: '99.99',
    logEntry: { actorLabel: 'alice@shop.example', reason: 'ticket 9' },
  });
}

async function byUser(): Promise<void> {
  const { byObject } = (await recipes.run('by-user')) as { byObject: Map<string, { when: Date }[]> };
  expect([...byObject.keys()]).toEqual(['Order 42']);
  const changes = byObject.get('Order 42')!;
  expect(iso(changes.map(({ when }) => ({ timestamp: when })))).toEqual(
    MOMENTS.filter((_, at) => at % 2 === 0).toSorted(),
  );
  expect(changes[0]).toMatchObject({ action: 'update', changed: ['status'] });
}

async function views(): Promise<void> {
  const { world, objects } = recipes;
  world.app.use((req, _res, next) => {
    Object.assign(req as Request & { session: object }, { user: objects.user });
    next();
  });
  await recipes.run('views');
  await request(world.app).get('/orders/42/card').expect(200, { shown: '42' });
  const { viewers, seenByUser } = (await recipes.run('views')) as Record<
    'viewers' | 'seenByUser',
    LogEntry[]
  >;
  expect(viewers.map(({ actorLabel, request: line }) => [actorLabel, line])).toEqual([
    ['alice@shop.example', 'GET /orders/42/card'],
  ]);
  expect(viewers[0]!.actor?.get('id')).toBe(7);
  expect(seenByUser.map(({ id }) => id)).toEqual(viewers.map(({ id }) => id));
}

async function deletions(): Promise<void> {
  const gone = await Order.create({ status: 'pending', total: '12.00' });
  await gone.destroy({ audit: { actor: 'ann', reason: 'double' } });
  const found = (await recipes.run('deletions')) as { gone: object[] };
  expect(found.gone).toEqual([
    { objectRepr: `Order ${gone.id}`, actorLabel: 'ann', reason: 'double', total: '12.00' },
  ]);
}

async function outsideHours(): Promise<void> {
  const { outside } = (await recipes.run('outside-hours')) as { outside: LogEntry[] };
  expect(iso(outside)).toEqual(['2026-07-02T04:59:59Z', '2026-08-01T10:00:00Z', '2026-09-30T17:00:00Z']);
}

async function unsigned(): Promise<void> {
  const { unsigned: found } = (await recipes.run('unsigned')) as { unsigned: LogEntry[] };
  expect(iso(found)).toEqual(QUARTER.filter((_, at) => at % 2 === 0).toSorted());
}

async function pruned(): Promise<void> {
  await database.rows(
    `insert into audit_log_entries (action, model, object_repr) values ('prune', 'Order', 'Order')`,
  );
  const { removals } = (await recipes.run('pruned')) as { removals: LogEntry[] };
  expect(removals.map(({ action, model: name }) => [action, name])).toEqual([['prune', 'Order']]);
}

async function print(): Promise<void> {
  const { page } = (await recipes.run('print')) as { page: string };
  const { world, wired } = recipes;
  world.app.use('/audit', world.auditRouter(wired.auditLog, { authorize: () => true }));
  const { text } = await request(world.app).get(page).expect(200);
  const [, sheet] = /<link[^>]*rel="stylesheet"[^>]*href="([^"]+)"/.exec(text) ?? [];
  const css = await request(world.app).get(new URL(sheet!, 'http://shop/audit/').pathname).expect(200);
  expect(css.text).toContain('@media print');
  expect(text).toContain('price-import');
}

async function endpoint(): Promise<void> {
  await recipes.run('endpoint');
  const { body } = await request(recipes.world.app).get('/api/orders/42/history').expect(200);
  const entries = body as Record<string, unknown>[];
  expect(Object.keys(entries[0]!)).toEqual(['id', 'date', 'action', 'user', 'changes', 'reason']);
  expect(entries.find(({ changes }) => changes)).toMatchObject({
    action: 'update',
    changes: { status: ['step 6', 'step 7'] },
  });
  await request(recipes.world.app).get('/api/orders/nothing/history').expect(200, []);
}

async function stats(): Promise<void> {
  const { stats: found } = (await recipes.run('stats')) as { stats: Record<string, Record<string, number>> };
  expect(Object.keys(found['Order']!)).toEqual(['entries', 'versions', 'bytes', 'oldest', 'newest']);
  expect(found['Order']!['entries']).toBe(
    await recipes.wired.auditLog.LogEntry.count({ where: { model: 'Order' } }),
  );
}

/** One per block, in the paper's order. */
const CHECKS: Readonly<Record<string, () => Promise<void>>> = {
  period,
  rows,
  model,
  'versions-report': versionsReport,
  'by-user': byUser,
  views,
  deletions,
  'outside-hours': outsideHours,
  unsigned,
  pruned,
  print,
  endpoint,
  stats,
};

test('every block of docs/reports.md has a name and is run below', () => {
  expect(blocks.map(({ name }) => name)).toEqual(Object.keys(CHECKS));
});

test.each(Object.keys(CHECKS))('the report "%s" holds what docs/reports.md says', async (name) => {
  expect.hasAssertions();
  await CHECKS[name]!();
});
