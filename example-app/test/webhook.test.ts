import { CONNECTIONS } from './support/many-connections';
import { closeTestShop, database, openTables } from './support/shop';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { blocksOf, readPaper } from '../../test/docs/support/markdown';
import { until } from '../../test/support/until';
import { LogEntry } from '../src/audit';
import { sequelize } from '../src/database';
import { Product } from '../src/models';
import { batches } from '../src/webhook/batches';
import { storeCursor, WebhookCursor } from '../src/webhook/cursor';
import { followLog } from '../src/webhook/follow-log';
import { Receiver } from './support/receiver';

/** Some connections are left for the test itself. */
const WRITERS = CONNECTIONS - 10;
const ROOT = path.join(__dirname, '../..');
const PROGRAM = [
  '--require',
  path.join(ROOT, 'test/replay/support/typescript.cjs'),
  path.join(ROOT, 'example-app/src/webhook-command.ts'),
];

const receiver = new Receiver();
let url = '';
const workers: ChildProcess[] = [];

beforeAll(async () => {
  await openTables();
  await WebhookCursor.sync();
  url = await receiver.open();
});

afterAll(async () => {
  for (const worker of workers) worker.kill('SIGKILL');
  receiver.close();
  await closeTestShop();
});

beforeEach(async () => {
  receiver.taken.length = 0;
  receiver.keys.length = 0;
  receiver.answer = (_request, res) => void res.end();
  await database.rows('truncate audit_log_entries, webhook_cursors');
});

function startWorker(): ChildProcess {
  const env = { ...process.env, WEBHOOK_URL: url };
  const worker = spawn(process.execPath, PROGRAM, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  workers.push(worker);
  return worker;
}

const storedIds = async (): Promise<string[]> =>
  (await LogEntry.findAll({ attributes: ['id'], order: ['id'] })).map(({ id }) => id);

/** Writes twice and ends after a while of its own, so that transactions commit in another order than they began. */
async function sell(at: number): Promise<void> {
  const transaction = await sequelize.transaction();
  const sku = `W-${at}-${Math.random()}`;
  const product = await Product.create({ sku, name: 'Cup', price: '4.50' }, { transaction });
  await product.update({ stock: at + 1 }, { transaction });
  await sequelize.query(`select pg_sleep(${((at * 7) % 10) / 100})`, { transaction });
  await (at % 5 === 1 ? transaction.rollback() : transaction.commit());
}

const sellAll = (): Promise<unknown> => Promise.all(Array.from({ length: WRITERS }, (_, at) => sell(at)));

/** A process takes its time to start: the test's own limit is the only one. */
async function come(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await sleep(20);
}

async function kill(worker: ChildProcess): Promise<void> {
  worker.kill('SIGKILL');
  await once(worker, 'exit');
}

test('of entries of 50 transactions that commit out of order none is lost, though the receiver fails at times and the worker is killed twice', async () => {
  // Of three requests one is taken though its answer gets lost, one is refused.
  receiver.answer = (request, res) => {
    if (request % 3 === 1) res.socket?.destroy();
    else res.writeHead(request % 3 === 2 ? 503 : 200).end();
  };
  for (let round = 1; round <= 2; round += 1) {
    const worker = startWorker();
    await Promise.all([sellAll(), come(() => receiver.keys.length >= 2 * round)]);
    await kill(worker);
  }
  const last = startWorker();
  const stored = await storedIds();
  expect(stored).toHaveLength(2 * 2 * (WRITERS - WRITERS / 5));
  await come(async () => (await WebhookCursor.findByPk('webhook'))?.entryId === (await lastInStream()));
  expect(receiver.ids.toSorted()).toEqual(stored.toSorted());
  const exited = once(last, 'exit');
  last.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
}, 60_000);

async function lastInStream(): Promise<string> {
  const order: [string, string][] = [
    ['transactionId', 'desc'],
    ['id', 'desc'],
  ];
  return (await LogEntry.findOne({ order, rejectOnEmpty: true })).id;
}

test('a batch that was not taken is posted again, under the same key', async () => {
  await Product.bulkCreate([1, 2, 3].map((at) => ({ sku: `B-${at}`, name: 'Cup', price: '1.00' })));
  const warned = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
  receiver.answer = (request, res) => void res.writeHead(request < 3 ? 500 : 200).end();
  const stop = new AbortController();
  const following = followLog({ name: 'webhook', url, signal: stop.signal });
  await until(async () => (await WebhookCursor.count()) > 0);
  stop.abort();
  await following;
  warned.mockRestore();
  expect(receiver.keys).toHaveLength(3);
  expect(new Set(receiver.keys).size).toBe(1);
  expect(receiver.ids).toHaveLength(3);
});

test('what the receiver will never take ends the worker with an error, and moves no cursor', async () => {
  await Product.create({ sku: 'R-1', name: 'Cup', price: '1.00' });
  receiver.answer = (_request, res) => void res.writeHead(422).end();
  const never = new AbortController();
  await expect(followLog({ name: 'webhook', url, signal: never.signal })).rejects.toThrow('answered 422');
  expect(await WebhookCursor.count()).toBe(0);
});

test('a second worker that delivered meanwhile is noticed', async () => {
  const entry = await Product.create({ sku: 'S-1', name: 'Cup', price: '1.00' }).then((product) =>
    LogEntry.forObject(product),
  );
  const tailed = { entry: entry[0]!, cursor: 't1.1.1' };
  await storeCursor('webhook', null, tailed);
  await storeCursor('webhook', 't1.1.1', { ...tailed, cursor: 't1.2.2' });
  await expect(storeCursor('webhook', 't1.1.1', tailed)).rejects.toThrow('Another worker');
});

test('a batch goes when it is full, or when nothing more comes', async () => {
  async function* numbers(): AsyncGenerator<number> {
    yield* [1, 2, 3];
    await Promise.all([new Promise((resolve) => setTimeout(resolve, 50)), seen]);
    yield 4;
  }
  let show: (value: unknown) => void = () => undefined;
  const seen = new Promise((resolve) => (show = resolve));
  const got: (readonly number[])[] = [];
  for await (const batch of batches(numbers(), { size: 2, waitMs: 5 })) {
    got.push(batch);
    if (got.length === 2) show(null);
  }
  expect(got).toEqual([[1, 2], [3], [4]]);
});

test('docs/events.md shows these files as they are', () => {
  const shown = blocksOf(readPaper('docs/events.md')).filter(({ name }) => name?.startsWith('example-app/'));
  expect(shown.map(({ name }) => name)).toEqual([
    'example-app/src/webhook/follow-log.ts',
    'example-app/src/webhook/deliver.ts',
    'example-app/src/webhook/cursor.ts',
  ]);
  for (const { name, code } of shown) expect(code).toBe(`// ${name}\n${readPaper(name!)}`);
});
