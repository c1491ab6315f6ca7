import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express, { type Request } from 'express';
import session from 'express-session';
import {
  getAuditLog,
  withAuditContext,
  type AuditedModel,
  type AuditLog,
  type LogEntry,
  type UndoResult,
} from 'sequelize-auditlog';
import request from 'supertest';
import { actionsOf, entriesOf, entryOf, openAudited, refusalOf } from '../support/audited';
import { testDatabase } from '../support/database';
import { loggedBy } from '../support/statements';
import { until } from '../support/until';
import { installLibrary, runProgram } from './support/first-program';
import { blocksOf, readPaper, typescriptBlocksOf, type Block } from './support/markdown';
import {
  createObjects,
  createWorld,
  Invoice,
  Order,
  OrderItem,
  Product,
  User,
  type Objects,
} from './support/reader';
import { functionName, moduleOf } from './support/snippets';

interface Snapshots {
  readonly orders: AuditedModel<Order>;
}

const readme = readPaper('README.md');
const [firstProgram, wiring, ...recipes] = typescriptBlocksOf(readme) as [Block, Block, ...Block[]];
const database = testDatabase();
const world = createWorld({ sequelize: database.sequelize, express, session });

let folder = '';
let snippets: Record<string, (scope: object) => Promise<object>> = {};
let wired: Snapshots & { readonly auditLog: AuditLog };
let objects: Objects;

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'readme-test-')));
  await writeFile(join(folder, 'snippets.ts'), moduleOf(wiring, recipes));
  snippets = require(join(folder, 'snippets.ts')) as typeof snippets;
  wired = (await snippets['wiring']!(world)) as typeof wired;
  wired.auditLog.registerAudited(Invoice);
  wired.auditLog.registerAudited(Product);
  world.app.post('/login', (req, res) => {
    Object.assign((req as Request & { session: object }).session, { userId: objects.user.id });
    res.end();
  });
  await openAudited(database, wired.auditLog);
});

afterAll(async () => {
  await database.close();
  await rm(folder, { recursive: true, force: true });
});

/** Empty tables, and one object of each model. */
async function startAfresh(): Promise<void> {
  const tables = await database.rows<{ tablename: string }>(
    'select tablename from pg_tables where schemaname = current_schema()',
  );
  const names = tables.map(({ tablename }) => `"${tablename}"`).join(', ');
  await database.rows(`truncate ${names} restart identity`);
  objects = await createObjects(wired.auditLog);
}

/** Runs a block of the README with what its reader has in scope; gives what the block declares. */
function run(name: string, scope: object = {}): Promise<Record<string, unknown>> {
  const everything = { ...world, ...wired, ...objects, ...scope };
  return snippets[functionName(name)]!(everything) as Promise<Record<string, unknown>>;
}

/** The comment behind a line of the README that begins with `code`. */
function commentBehind(code: string): string {
  const line = readme.split('\n').find((each) => each.trimStart().startsWith(code)) ?? '';
  return line.split(' // ')[1] ?? `README.md has no comment behind ${code}`;
}

/** The attribute names of a comment such as `[{ attribute, old, new }]`. */
function namesIn(comment: string): string[] {
  return comment.match(/\w+/g) ?? [];
}

function entries(work: () => unknown): Promise<LogEntry[]> {
  return entriesOf(wired.auditLog, work);
}

function entry(work: () => unknown): Promise<LogEntry> {
  return entryOf(wired.auditLog, work);
}

async function wiringWorks(): Promise<void> {
  await objects.order.update({ status: 'pending' }, { audit: false });
  const agent = request.agent(world.app);
  await agent.post('/login').expect(200);
  await agent.patch('/orders/42').send({ status: 'shipped', internalNotes: 'none' }).expect(200);
  const [latest] = (await agent.get('/orders/42/log').expect(200)).body as LogEntry[];
  expect(Object.keys(latest!)).toEqual(Object.keys(sampleEntry()));
  const same = ['action', 'model', 'objectPk', 'objectRepr', 'actorId', 'actorLabel', 'actorType', 'request'];
  expect(only(latest!, same)).toEqual(only(sampleEntry(), same));
  expect(latest).toMatchObject({
    changes: { status: ['pending', 'shipped'] },
    remoteAddr: expect.any(String) as string,
  });
}

function sampleEntry(): object {
  return JSON.parse(blocksOf(readme).find(({ language }) => language === 'json')!.code) as object;
}

function only(from: object, names: readonly string[]): object {
  return Object.fromEntries(Object.entries(from).filter(([name]) => names.includes(name)));
}

async function job(): Promise<void> {
  const { actorId, actorType, reason, changes } = await entry(() => run('job'));
  expect({ actorId, actorType, reason }).toEqual({
    actorId: 'nightly-import',
    actorType: 'Job',
    reason: 'price list of May',
  });
  expect(changes).toEqual({ price: ['12.50', '9.99'] });
}

async function why(): Promise<void> {
  const left = await entries(() =>
    withAuditContext({}, async () => {
      await run('why');
      await objects.order.update({ status: 'refunded' });
    }),
  );
  expect(left.map(({ changes }) => changes)).toEqual([
    { status: ['shipped', 'cancelled'] },
    { status: ['cancelled', 'refunded'] },
  ]);
  expect(left.map(({ reason, additionalData }) => ({ reason, additionalData }))).toEqual([
    { reason: 'customer called', additionalData: null },
    { reason: 'customer called', additionalData: { ticket: 4711 } },
  ]);
}

async function queries(): Promise<void> {
  await run('queries');
  expect(objects.entry.describe()).toBe(commentBehind('entry.describe()'));
  const [shown] = objects.entry.displayChanges();
  expect(Object.keys(shown!)).toEqual(namesIn(commentBehind('entry.displayChanges()')));
  await objects.order.destroy();
  const left = await wired.auditLog.LogEntry.forObject(Order, 42);
  expect(actionsOf(left)).toEqual(['delete Order', 'update Order', 'create Order']);
}

async function versions(): Promise<void> {
  const { latest, before } = (await run('versions')) as Record<
    'latest' | 'before',
    Awaited<ReturnType<Snapshots['orders']['versions']>>[number]
  >;
  expect([latest.historyType, before.historyType]).toEqual(['~', '+']);
  const [change] = latest.diffAgainst(before).changes;
  expect(Object.keys(change!)).toEqual(namesIn(commentBehind('latest?.diffAgainst(before!).changes')));
  expect(change).toEqual({ attribute: 'status', old: 'pending', new: 'shipped' });
  expect(await wired.orders.asOf(before).count({ where: { status: 'pending' } })).toBe(1);
}

async function past(): Promise<void> {
  const sent = await loggedBy(database.sequelize, () => run('past'));
  expect(sent.filter((sql) => sql.includes('_history'))).not.toEqual([]);
  expect((await wired.orders.latestOfEach({ limit: 50 })).length).toBeGreaterThan(0);
  expect(await wired.orders.deleted()).toEqual([]);
}

async function travel(): Promise<void> {
  wired.auditLog.registerAudited(OrderItem, { snapshots: true });
  await wired.auditLog.sync();
  const { id } = await OrderItem.create({ quantity: 2, OrderId: 42 } as never);
  for (const table of ['Orders_history', 'OrderItems_history'])
    await database.rows(`update "${table}" set history_date = '2026-11-17T12:00:00Z'`);
  await OrderItem.update({ quantity: 3 }, { where: { id } });
  const { then } = (await run('travel')) as { then: Order & { OrderItems: OrderItem[]; tags: unknown[] } };
  expect([then.id, then.OrderItems.map(({ quantity }) => quantity), then.tags]).toEqual([42, [2], []]);
  wired.auditLog.registerAudited(OrderItem);
}

async function revert(): Promise<void> {
  const { plan, entry: left } = (await run('revert')) as { plan: Record<string, unknown>; entry: LogEntry };
  const comment = commentBehind('const plan = await orders.revert').split('nothing is written: ')[1]!;
  expect(Object.keys(plan)).toEqual([...namesIn(comment), 'entry']);
  expect(left.changes).toEqual({ status: ['shipped', 'pending'] });
  expect(left).toMatchObject({
    reason: 'shipped too early',
    additionalData: { revertedTo: expect.stringMatching(/Z$/) as string },
  });
  expect((await wired.orders.diff(42, left, 'current')).changes).toEqual([]);
}

async function undo(): Promise<void> {
  const { plan, undone } = (await run('undo')) as Record<'plan' | 'undone', UndoResult>;
  const names = namesIn(commentBehind('const plan = await auditLog.revertRequest'));
  expect(Object.keys(plan)).toEqual([...names, 'entries', 'transactionId']);
  expect(undone.entries.map(({ changes }) => changes)).toEqual([{ status: ['shipped', 'pending'] }]);
  expect((await objects.order.reload()).status).toBe('shipped');
}

async function baseline(): Promise<void> {
  const { id } = await Order.create({ status: 'pending' }, { audit: false });
  await run('baseline');
  expect((await wired.orders.versions(id)).map((each) => [each.historyType, each.logEntryId])).toEqual([
    ['+', null],
  ]);
  const cleaned = await wired.orders.cleanDuplicates();
  expect(Object.keys(cleaned)).toEqual(namesIn(commentBehind('await orders.cleanDuplicates')).slice(0, 2));
}

async function excludeMask(): Promise<void> {
  const { order } = objects;
  await run('exclude-mask');
  expect(await entries(() => order.update({ internalNotes: 'call back' }))).toEqual([]);
  const left = await entry(() => order.update({ cardNumber: '5555666677773456' }));
  const [, masked] = /'(\*+\d+)'/.exec(commentBehind('mask: { cardNumber')) ?? [];
  expect(left.changes).toEqual({ cardNumber: [masked, masked] });
  expect(left.displayChanges()[0]?.label).toBe('card');
  expect(left.objectRepr).toBe('Order 42 - shipped');
}

async function associations(): Promise<void> {
  const { changes, action, model } = await entry(() => run('associations'));
  const [, expected = ''] = commentBehind('await order.addTags').split('update of the order: ');
  expect(changes).toEqual(literal(expected));
  expect([action, model]).toEqual(['update', 'Order']);
}

/** The value of an object literal such as `{ type: 'm2m' }`. */
function literal(text: string): unknown {
  return JSON.parse(text.replaceAll("'", '"').replaceAll(/(\w+):/g, '"$1":'));
}

async function ownSoftDelete(): Promise<void> {
  const { entry: left } = (await run('own-soft-delete')) as { entry: LogEntry };
  const comment = commentBehind('const [entry] = await LogEntry.forObject(invoice)');
  expect(comment).toBe(`action '${left.action}', changes { deletedAt: [null, '…'] }`);
  expect(left.changes).toEqual({ deletedAt: [null, expect.stringMatching(/^\d{4}-.*Z$/)] });
  expect(left.reason).toBe('duplicate');
}

async function ownEntries(): Promise<void> {
  const left = await entries(() => run('own-entries'));
  expect(actionsOf(left)).toEqual(['approve Order', 'access Order']);
  const [seen] = await entries(() => request(world.app).get('/orders/42').expect(200));
  expect(seen).toMatchObject({ action: 'access', objectPk: '42', request: 'GET /orders/42' });
  expect(left.map(({ reason, changes }) => [reason, changes])).toEqual([
    ['four eyes', null],
    [null, null],
  ]);
}

async function inTheBrowser(): Promise<void> {
  const { path } = (await run('web')) as { path: string };
  expect(commentBehind('const path = auditPath(order)')).toContain(`'${path}'`);
  await request(world.app).get('/audit/').expect(403);
  const agent = request.agent(world.app);
  await agent.post('/login').expect(200);
  const page = await agent.get(`/audit/${path}`).expect(200);
  expect(page.text).toContain('href="/orders/42"');
  await agent.get(`/audit/${path}/revert?to=${objects.entry.id}`).expect(403);
  await agent.get('/audit/openapi.json').expect(200);
}

async function react(): Promise<void> {
  const { auditLog } = wired;
  auditLog.registerAudited(User);
  await run('react');
  await objects.user.update({ email: 'new@shop.example' }, { audit: { actor: 'ada' } });
  await until(() => world.alerts.length > 0);
  expect(world.alerts).toEqual(['e-mail of 7 changed by ada']);
  auditLog.unregister(User);
}

async function stream(): Promise<void> {
  const stored = await wired.auditLog.LogEntry.count();
  const stop = new AbortController();
  const storeCursor = async (cursor: string): Promise<void> => {
    await world.storeCursor(cursor);
    if (world.cursors.length === stored) stop.abort();
  };
  await run('stream', { storeCursor, signal: stop.signal });
  expect(world.delivered.map(({ action }) => action)).toEqual(['create', 'update']);
}

async function report(): Promise<void> {
  await objects.order.update({ views: 1 });
  await run('report');
  const { text } = await request(world.app)
    .get('/reports/orders.csv')
    .expect('content-type', /csv/)
    .expect(200);
  const [head, ...rows] = text.trimEnd().split('\n');
  expect(head).toBe(Object.keys(sampleEntry()).join(','));
  expect(rows.map((row) => row.includes('request-1'))).toEqual([true]);
}

async function retention(): Promise<void> {
  wired.auditLog.registerAudited(Order, { exclude: ['internalNotes'], snapshots: true });
  const order = await Order.create({ status: 'pending' });
  await order.update({ status: 'shipped' });
  await database.rows(`update audit_log_entries set timestamp = timestamp - interval '1000 days'`);
  await database.rows(`update "Orders_history" set history_date = history_date - interval '1000 days'`);
  await run('retention');
  // Three of each object stay, and there are two.
  expect(actionsOf(await wired.orders.entries(order))).toEqual(['update Order', 'create Order']);
  const { Order: gone } = await wired.auditLog.prune({ olderThan: '730d', models: [Order] });
  const comment = commentBehind("await auditLog.prune({ olderThan: '730d', dryRun");
  expect(['Order', ...Object.keys(gone!)]).toEqual(namesIn(comment));
  expect(gone).toEqual({ entries: 2, versions: 1 });
}

async function operations(): Promise<void> {
  const { kept } = (await run('operations')) as { kept: object };
  expect(Object.keys(kept)).toEqual(namesIn(commentBehind('const { Order: kept } = await auditLog.stats()')));
}

async function registerEverything(): Promise<void> {
  const { auditLog } = wired;
  auditLog.registerAudited(Order, { exclude: ['internalNotes'], snapshots: true });
  for (const model of [Invoice, Product, OrderItem]) auditLog.unregister(model);
  await run('register-all');
  expect(auditLog.isRegistered(Product)).toBe(true);
  expect(auditLog.isRegistered(Invoice)).toBe(false);
  expect(await wired.orders.versions(42)).toHaveLength(2);
}

async function off(): Promise<void> {
  expect(await entries(() => run('off'))).toEqual([]);
  const left = await entries(async () => {
    await Order.create({ status: 'pending' });
    await objects.order.update({ views: 5 });
  });
  expect(left.map(({ changes }) => changes)).toEqual([{ views: [0, 5] }]);
}

async function requireActor(): Promise<void> {
  const other = database.createSequelize();
  await run('require-actor', { sequelize: other });
  const Parcel = other.define('Parcel', {});
  getAuditLog(other)!.registerAudited(Parcel);
  const refusal = await refusalOf(() => Parcel.create());
  expect(commentBehind('createAuditLog(sequelize, { requireActor: true })')).toContain(refusal.code);
  expect(refusal.message).toContain('create of Parcel');
}

async function testing(): Promise<void> {
  await objects.order.update({ status: 'pending' }, { audit: false });
  await run('testing');
  // One by the caller, two in the block.
  expect.assertions(3);
}

/** One per block, in the README's order. */
const CHECKS: Readonly<Record<string, () => Promise<void>>> = {
  wiring: wiringWorks,
  job,
  why,
  queries,
  versions,
  past,
  travel,
  revert,
  undo,
  baseline,
  'exclude-mask': excludeMask,
  associations,
  'own-soft-delete': ownSoftDelete,
  'own-entries': ownEntries,
  web: inTheBrowser,
  react,
  stream,
  report,
  retention,
  operations,
  'register-all': registerEverything,
  off,
  'require-actor': requireActor,
  testing,
};

test('the first program prints what stands below it', async () => {
  const home = join(folder, 'project');
  await installLibrary(home);
  const schema = await database.createSchema('first');
  const env = { DATABASE_URL: database.url, PGOPTIONS: `-c search_path=${schema}` };
  const { stdout, stderr } = await runProgram(home, firstProgram.code, env);
  const below = blocksOf(readme)[blocksOf(readme).findIndex(({ name }) => name === firstProgram.name) + 1];
  expect(below?.language).toBe('text');
  expect(stdout).toBe(below?.code);
  expect(stderr).toBe('');
});

test('every block of the README has a name and is run below', () => {
  const names = typescriptBlocksOf(readme).map(({ name }) => name);
  expect(names).toEqual(['first-program', ...Object.keys(CHECKS)]);
});

test.each(Object.keys(CHECKS))('the block "%s" does what the README says', async (name) => {
  expect(typeof snippets[functionName(name)]).toBe('function');
  await startAfresh();
  await CHECKS[name]!();
});
