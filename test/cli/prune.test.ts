import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { answerOf } from '../support/built';
import { say } from './support/host';
import { Shop } from './support/shop';

const shop = new Shop();
const { log } = shop.tables;

beforeAll(async () => {
  await shop.open();
  await shop.install();
});

afterAll(() => shop.close());

/** Of 100 old entries about one attribute of an object that is alive, the newest is kept: 99 may go. */
beforeEach(async () => {
  await shop.empty();
  await shop.addEntries(100, { daysAgo: 400 });
  await shop.addEntries(5, { daysAgo: 1 });
});

const OLD = ['prune', '--older-than', '365d'];
const DATE = String.raw`\(\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2} UTC\)`;

const left = (): Promise<number> => shop.count(`${log} where "action" <> 'prune'`);
const everything = (): Promise<unknown[]> => shop.database.rows(`select * from ${log} order by "id"`);

test('Z1 --yes deletes without asking and prints the count', async () => {
  const { code, stdout, stderr } = await shop.say([...OLD, '--yes'], { isTerminal: true });
  expect(code).toBe(0);
  expect(stdout).toMatch(
    new RegExp(`^Deleted 99 entries and 0 versions older than 365d ${DATE}. Item: 99 entries`),
  );
  expect(stderr).not.toContain('[y/N]');
  expect(await left()).toBe(6);
});

test('Z1 without an age nothing is deleted', async () => {
  const { code, stderr } = await shop.say(['prune', '--yes']);
  expect(code).toBe(2);
  expect(stderr).toContain("required option '--older-than <age>' not specified");
  expect(await left()).toBe(105);
});

test('Z3 the answer Y deletes', async () => {
  const { code, stdout } = await shop.say(OLD, { isTerminal: true, input: 'Y\n' });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Deleted 99 entries/);
  expect(await left()).toBe(6);
});

test('any other answer deletes nothing, with exit code 1', async () => {
  const before = await everything();
  const { code, stdout, stderr } = await shop.say(OLD, { isTerminal: true, input: 'n\n' });
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(/Nothing was deleted\.\n$/);
  expect(await everything()).toEqual(before);
});

test('Z4 the question names the date and what is at stake', async () => {
  const { stderr } = await shop.say(['prune', '--older-than', '2026-01-01'], {
    isTerminal: true,
    input: 'n\n',
  });
  expect(stderr).toContain('older than 2026-01-01T00:00:00.000000Z.');
  const byAge = await shop.say(OLD, { isTerminal: true, input: 'n\n' });
  expect(byAge.stderr).toMatch(
    new RegExp(
      `This deletes 99 entries and 0 versions older than 365d ${DATE}. Item: 99 entries and 0 versions. Go on\\? \\[y/N\\] `,
    ),
  );
});

test('Z5 what is as old as the date stays, what is older goes', async () => {
  const [row] = await shop.database.rows<{ at: string }>(
    `select to_char("timestamp" at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at from ${log} order by "id" offset 30 limit 1`,
  );
  await shop.say(['prune', '--older-than', row!.at, '--yes']);
  const [oldest] = await shop.database.rows<{ at: string; id: string }>(
    `select "id", to_char("timestamp" at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at from ${log} where "id" > 0 order by "id" offset 1 limit 1`,
  );
  expect(oldest?.at).toBe(row!.at);
});

test('Z7 Z8 all that is old goes in batches, since there is no mode that empties the table', async () => {
  const { code } = await shop.say([...OLD, '--yes', '--batch', '10']);
  expect([code, await left()]).toEqual([0, 6]);
  expect((await shop.say([...OLD, '--truncate', '--yes'])).code).toBe(2);
});

test('Z9 another database is refused and nothing is deleted', async () => {
  const { code, stderr } = await say([...OLD, '--yes', '--url', 'mysql://me:sesame@localhost/shop']);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^ERR_AUDIT_DIALECT: /);
  expect(await left()).toBe(105);
});

test('a dry run says what it would delete, and changes nothing', async () => {
  const before = await everything();
  const { code, stdout, stderr } = await shop.say([...OLD, '--dry-run']);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^Would delete 99 entries and 0 versions older than 365d/);
  const asJson = await shop.say([...OLD, '--dry-run', '--json', '--yes']);
  expect(JSON.parse(asJson.stdout)).toMatchObject({ Item: { entries: 99, versions: 0 } });
  expect(await everything()).toEqual(before);
});

test('without a terminal it refuses, unless --yes or --dry-run is given', async () => {
  const { code, stdout, stderr } = await shop.say(OLD);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain('there is no terminal to ask at. Add --yes to go on without asking, or --dry-run');
  expect(await left()).toBe(105);
});

test('--model and --keep-last narrow what goes', async () => {
  await shop.addEntries(50, { daysAgo: 400, model: 'Order' });
  const argv = [...OLD, '--yes', '--json', '--model', 'Item', '--keep-last', '20'];
  const { stdout } = await shop.say(argv);
  expect(JSON.parse(stdout)).toEqual({ Item: { entries: 85, versions: 0 } });
});

test('an age that is none is a mistake of use', async () => {
  const { code, stderr } = await shop.say(['prune', '--older-than', 'long', '--yes']);
  expect(code).toBe(2);
  expect(stderr).toMatch(/^ERR_AUDIT_INVALID_OPTION: .*"olderThan"/);
});

test('without the application’s models it says that only entries are looked at', async () => {
  const { code, stderr } = await say([...OLD, '--yes', '--url', shop.url]);
  expect(code).toBe(0);
  expect(stderr).toMatch(/^Only entries are looked at: --require names the module/);
});

test('what can not even begin is not said to go on when run again', async () => {
  const { code, stderr } = await shop.say([...OLD, '--yes', '--model', 'Nope']);
  expect(code).toBe(2);
  expect(stderr).toMatch(/^ERR_AUDIT_INVALID_OPTION: .*"Nope"/);
  expect(stderr).not.toContain('Run the same command again');
});

test('it records itself, with what ran', async () => {
  await shop.say([...OLD, '--yes']);
  const [entry] = await shop.application.auditLog.LogEntry.findAll({ where: { action: 'prune' } });
  expect(entry?.request).toMatch(/^sequelize-auditlog prune /);
  expect(entry?.additionalData).toMatchObject({ entries: 99, versions: 0 });
});

test('106 a prune that can not finish says how far it came, with exit code 1', async () => {
  await shop.database.rows(`create function not_this() returns trigger language plpgsql as $$
    begin if old."changes" @> '{"name": ["n49"]}' then raise exception 'entry 50 is held'; end if; return old; end $$`);
  await shop.database.rows(
    `create trigger held before delete on ${log} for each row execute function not_this()`,
  );
  try {
    const { code, stdout, stderr } = await shop.say([...OLD, '--yes', '--batch', '10']);
    expect([code, stdout]).toEqual([1, '']);
    const gone = 105 - (await left());
    expect(gone).toBeGreaterThan(0);
    expect(stderr).toContain(
      `Stopped after deleting ${gone} entries and 0 versions; the rest is still there.`,
    );
    expect(stderr).toContain('PostgreSQL refused: entry 50 is held');
  } finally {
    await shop.database.rows(`drop trigger held on ${log}; drop function not_this()`);
  }
});

test('Ctrl-C finishes the batch at work, and the same command goes on from there', async () => {
  const argv = [...OLD, '--yes', '--batch', '10'];
  const { code, stdout, stderr } = await shop.say(argv, { isTerminal: true, interruptAt: /Deleting Item/ });
  expect([code, stdout]).toEqual([130, '']);
  const gone = 105 - (await left());
  expect(gone).toBeGreaterThan(0);
  expect(gone).toBeLessThan(99);
  expect(stderr).toContain('Interrupted: what is at work is brought to its end first.');
  expect(stderr).toContain(`Stopped after deleting ${gone} entries and 0 versions; the rest is still there.`);
  const again = await shop.say([...argv, '--json']);
  expect(JSON.parse(again.stdout)).toMatchObject({ Item: { entries: 99 - gone } });
});

describe('as a process', () => {
  test('a signal finishes the batch at work with 130, and the next run does the rest', async () => {
    await shop.addEntries(1000, { daysAgo: 500 });
    const argv = [...OLD, '--yes', '--batch', '1', '--verbose', '--url', shop.url];
    const child = shop.project.start(argv);
    let said = '';
    child.stderr.on('data', (text: Buffer) => {
      said += text.toString();
      if (said.includes('Deleting Item') && !child.killed) child.kill('SIGTERM');
    });
    const { code } = await answerOf(child);
    expect(code).toBe(130);
    const gone = 1105 - (await left());
    expect(said).toContain(`Stopped after deleting ${gone.toLocaleString('en-US')} `);
    const rest = await shop.say([...OLD, '--yes', '--json']);
    expect(JSON.parse(rest.stdout)).toMatchObject({ Item: { entries: 1099 - gone } });
  });
});

const SCRIPT = '/usr/bin/script';
const hasScript = existsSync(SCRIPT) && process.platform === 'linux';
// Elsewhere `script` takes other flags, or is not there; test/cli/terminal.test.ts shows the same in process.
(hasScript ? describe : describe.skip)('on a real terminal, by the `script` of util-linux', () => {
  test('it asks, takes the answer and shows a bar', async () => {
    const bin = join(shop.folder, 'node_modules/sequelize-auditlog/dist/cli/bin.js');
    const argv = [process.execPath, bin, ...OLD, '--require', './audit'];
    const command = argv.map((part) => `'${part}'`).join(' ');
    const env = { ...process.env, NO_COLOR: '1', SHOP_URL: shop.url };
    const child = spawn(SCRIPT, ['-qec', command, '/dev/null'], { cwd: shop.folder, env });
    child.stdout.on('data', (text: Buffer) => text.includes('[y/N]') && child.stdin.write('y\n'));
    const { code, stdout } = await answerOf(child);
    expect(stdout).toMatch(/Go on\? \[y\/N\]/);
    expect(stdout).not.toContain('versionsThis deletes');
    expect(stdout).toMatch(/\[#+\.*\] +\d+% Deleting Item/);
    expect(stdout).toMatch(/Deleted 99 entries and 0 versions/);
    expect(code).toBe(0);
  });
});

describe('archive', () => {
  const archive = (...more: string[]) => shop.say(['archive', '--older-than', '365d', ...more]);

  test('without a folder it is a mistake of use', async () => {
    const { code, stderr } = await archive('--yes');
    expect([code, stderr]).toEqual([2, 'archive: --to names the folder of the archive.\n']);
  });

  test('moves entries into files, which restore reads back into a table', async () => {
    const folder = join(shop.folder, 'archive');
    const moved = await archive('--to', 'archive', '--yes', '--json');
    expect([moved.code, JSON.parse(moved.stdout)]).toEqual([
      0,
      { Item: { entries: 99, versions: 0 }, Order: { entries: 0, versions: 0 } },
    ]);
    expect(JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'))).toMatchObject({
      files: [{ count: 99 }],
    });
    const restored = await shop.say(['restore', 'archive', '--table', 'restored_entries']);
    expect([restored.code, restored.stdout]).toEqual([
      0,
      'Read 99 entries and 0 versions back into "restored_entries".\n',
    ]);
    expect(await shop.count('restored_entries')).toBe(99);
  });

  test('restore says what is wrong with a folder', async () => {
    const { code, stderr } = await shop.say(['restore', shop.folder, '--table', 'never']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^ERR_AUDIT_ARCHIVE: /);
  });
});
