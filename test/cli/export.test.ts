import { createHash } from 'node:crypto';
import { openSync, closeSync, existsSync } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { answerOf } from '../support/built';
import { say, type Said } from './support/host';
import { Shop } from './support/shop';

const MANY = 20_000;
const shop = new Shop();
let folder = '';

beforeAll(async () => {
  await shop.open();
  await shop.install();
  folder = join(shop.folder, 'exported');
  await mkdir(folder);
  await shop.addEntries(3, { daysAgo: 40, model: 'Order' });
  await shop.addEntries(MANY, { daysAgo: 2, model: 'Item' });
  await shop.database.rows(
    `update ${shop.tables.log} set "actor_id" = 'bob', "actor_label" = 'Bob', "action" = 'delete' where "id" <= 2`,
  );
});

afterAll(() => shop.close());

const exporting = (...more: string[]): Promise<Said> => say(['export', '--url', shop.url, ...more]);
const idsOf = ({ stdout }: Said): string[] =>
  stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => (JSON.parse(line) as { id: string }).id);

test('entries go to stdout, the summary to stderr', async () => {
  const said = await exporting('--model', 'Order');
  expect(said.code).toBe(0);
  expect(idsOf(said)).toEqual(['1', '2', '3']);
  const sha256 = createHash('sha256').update(said.stdout).digest('hex');
  const bytes = Buffer.byteLength(said.stdout).toLocaleString('en-US');
  expect(said.stderr).toBe(`Exported 3 entries, ${bytes} bytes, SHA-256 ${sha256}.\n`);
});

test('the summary is JSON with --json, and absent with --quiet', async () => {
  const json = await exporting('--model', 'Order', '--json');
  expect(JSON.parse(json.stderr)).toMatchObject({ entries: 3, bytes: Buffer.byteLength(json.stdout) });
  expect((await exporting('--model', 'Order', '--quiet')).stderr).toBe('');
});

test.each([
  [
    ['--actor', 'bob'],
    ['1', '2'],
  ],
  [
    ['--actor', 'Bo'],
    ['1', '2'],
  ],
  [
    ['--action', 'delete', '--action', 'create'],
    ['1', '2'],
  ],
  [
    ['--until', '30d'],
    ['1', '2', '3'],
  ],
  [['--since', '30d', '--model', 'Order'], []],
  [['--since', '2020-01-01', '--until', '2100-01-01T00:00Z', '--model', 'Order', '--actor', 'ada'], ['3']],
])('%j narrows', async (flags, ids) => {
  expect(idsOf(await exporting(...flags))).toEqual(ids);
});

test('CSV goes to a file, which has its name when it is complete', async () => {
  const file = join(folder, 'orders.csv');
  const { code, stdout, stderr } = await exporting('--format', 'csv', '--out', file, '--model', 'Order');
  expect([code, stdout]).toEqual([0, '']);
  const text = await readFile(file, 'utf8');
  expect(stderr).toContain(createHash('sha256').update(text).digest('hex'));
  const records = parse(text, { columns: true }) as Record<string, string>[];
  expect(records.map(({ id, action }) => [id, action])).toEqual([
    ['1', 'delete'],
    ['2', 'delete'],
    ['3', 'update'],
  ]);
  expect(await readdir(folder)).toEqual(['orders.csv']);
});

test('a file that can not be written, or not to its end, leaves nothing', async () => {
  const lost = await exporting('--out', join(folder, 'no/such/folder.ndjson'));
  expect(lost.code).toBe(1);
  expect(lost.stderr).toMatch(/^ERR_AUDIT_EXPORT_FAILED: /);
  const missing = await exporting('--out', join(folder, 'never.ndjson'), '--schema', 'not_here');
  expect(missing.code).toBe(1);
  expect(missing.stderr).toMatch(/^ERR_AUDIT_MISSING_TABLE: /);
  expect(await readdir(folder)).toEqual(['orders.csv']);
});

test('a file is named as seen from the folder of the call', async () => {
  const { code } = await say(['export', '--url', shop.url, '--out', 'here.ndjson'], { cwd: shop.folder });
  expect([code, existsSync(join(shop.folder, 'here.ndjson'))]).toEqual([0, true]);
});

test('a file that can not be written is an error that says why', async () => {
  const file = join(shop.folder, 'nowhere', 'orders.ndjson');
  const { code, stderr } = await say(['export', '--url', shop.url, '--out', file]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^ERR_AUDIT_EXPORT_FAILED: .*ENOENT: no such file or directory/);
});

describe('as a process', () => {
  test('`export | head -1` is silent and done', async () => {
    const child = shop.project.start(['export', '--url', shop.url]);
    child.stdout.once('data', () => child.stdout.destroy());
    const { code, signal, stderr } = await answerOf(child);
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
  });

  test('Ctrl-C while nobody reads on ends it with 130, and says how to go on', async () => {
    const child = shop.project.start(['export', '--url', shop.url]);
    // The pipe is full as soon as a little is there; it is read on when the program was told to end.
    await once(child.stdout, 'readable');
    child.kill('SIGINT');
    const { code, stderr } = await answerOf(child);
    expect(code).toBe(130);
    expect(stderr).toContain('What was written is not whole. Run the same command again');
  });
});

const FULL_DISK = '/dev/full';
// Only Linux has a device that is always full.
(existsSync(FULL_DISK) ? describe : describe.skip)('on a full disk, of which Linux has one', () => {
  test('it is an error', async () => {
    const bin = join(shop.folder, 'node_modules/sequelize-auditlog/dist/cli/bin.js');
    const full = openSync(FULL_DISK, 'w');
    const args = [bin, 'export', '--url', shop.url];
    const child = spawn(process.execPath, args, { stdio: ['ignore', full, 'pipe'] });
    closeSync(full);
    let stderr = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const [code] = (await once(child, 'close')) as [number];
    expect(code).toBe(1);
    expect(stderr).toContain('ENOSPC');
  });
});
