import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const main = join(__dirname, '../../scripts/postgres/main.mjs');
const announceAndWait = `console.log(JSON.stringify({ pid: process.pid, url: process.env.DATABASE_URL }));
  setInterval(() => {}, 1000)`;
const printMajor = `const { Client } = require('pg');
  const client = new Client(process.env.DATABASE_URL);
  client.connect().then(() => client.query('show server_version'))
    .then(({ rows }) => console.log(parseInt(rows[0].server_version)))
    .finally(() => client.end())`;

let temporary = '';
const launchers: ChildProcess[] = [];

beforeEach(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'launcher-test-'));
  // The server runs under another account when the tests run as root.
  await chmod(temporary, 0o711);
});

afterEach(async () => {
  launchers.splice(0).forEach((one) => one.kill('SIGTERM'));
  await rm(temporary, { recursive: true, force: true });
});

test('the command gets the URL of a running server, and nothing is left behind', async () => {
  const { code, lines } = await run(printMajor);
  expect({ code, lines }).toEqual({ code: 0, lines: ['18'] });
  expect(await readdir(temporary)).toEqual([]);
});

test('the exit code of a failing command is handed on', async () => {
  expect((await run('process.exit(7)')).code).toBe(7);
  expect(await readdir(temporary)).toEqual([]);
});

test('a command that does not exist is a failure', async () => {
  const launcher = launch(['no-such-program']);
  expect(await endOf(launcher)).toBe(127);
  expect(await readdir(temporary)).toEqual([]);
});

test('a DATABASE_URL that is set is used, without a server of our own', async () => {
  const given = { DATABASE_URL: 'postgres://elsewhere/shop' };
  const { lines } = await run('console.log(process.env.DATABASE_URL)', given);
  expect(lines).toEqual(['postgres://elsewhere/shop']);
});

test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('%s ends the command and the server', async (signal) => {
  const { launcher, command, serverPid } = await started();
  launcher.kill(signal);
  expect(await endOf(launcher)).toBe({ SIGHUP: 129, SIGINT: 130, SIGTERM: 143 }[signal]);
  expect([command.pid, serverPid].filter(isAlive)).toEqual([]);
  expect(await readdir(temporary)).toEqual([]);
});

test('Ctrl-C, which reaches every process of the terminal, leaves nothing behind', async () => {
  const { launcher, command, serverPid } = await started();
  process.kill(-pidOf(launcher), 'SIGINT');
  expect(await endOf(launcher)).toBe(130);
  expect([command.pid, serverPid].filter(isAlive)).toEqual([]);
  expect(await readdir(temporary)).toEqual([]);
});

test('Ctrl-C while the server is being made leaves nothing behind', async () => {
  const launcher = launchNode(announceAndWait);
  await waitFor(async () => (await runFolders()).length > 0);
  process.kill(-pidOf(launcher), 'SIGINT');
  expect(await endOf(launcher)).toBe(130);
  expect(await readdir(temporary)).toEqual([]);
});

test('a process that the command leaves behind is ended', async () => {
  const { code, lines } = await run(`const { spawn } = require('node:child_process');
    const child = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
    child.unref();
    console.log(child.pid)`);
  expect(code).toBe(0);
  expect(isAlive(Number(lines[0]))).toBe(false);
});

test('the next start removes what a killed one left', async () => {
  const { launcher, command, serverPid } = await started();
  launcher.kill('SIGKILL');
  await endOf(launcher);
  expect([command.pid, serverPid].map(isAlive)).toEqual([true, true]);
  expect((await run('0')).code).toBe(0);
  expect([command.pid, serverPid].filter(isAlive)).toEqual([]);
  expect(await readdir(temporary)).toEqual([]);
});

test('a process that took over the id of a dead server is spared', async () => {
  const bystander = spawn('sleep', ['600']);
  launchers.push(bystander);
  const data = join(common(), 'run-999999999-1-00000000', 'embedded-postgres', 'data');
  await mkdir(data, { recursive: true });
  await writeFile(join(data, 'postmaster.pid'), `${bystander.pid}\n${data}\n`);
  expect((await run('0')).code).toBe(0);
  expect(isAlive(pidOf(bystander))).toBe(true);
  expect(await readdir(temporary)).toEqual([]);
});

test('two run at once, each with a server of its own', async () => {
  const [first, second] = await Promise.all([started({ alone: false }), started({ alone: false })]);
  expect(first.command.url).not.toBe(second.command.url);
  first.launcher.kill('SIGTERM');
  await endOf(first.launcher);
  expect([first.command.pid, second.command.pid].map(isAlive)).toEqual([false, true]);
  second.launcher.kill('SIGTERM');
  await endOf(second.launcher);
  expect(await readdir(temporary)).toEqual([]);
});

interface Announcement {
  readonly pid: number;
  readonly url: string;
}

async function started({ alone = true } = {}) {
  const launcher = launchNode(announceAndWait);
  const command = JSON.parse(await firstLine(launcher)) as Announcement;
  return { launcher, command, serverPid: alone ? await findServer() : 0 };
}

async function run(script: string, env: NodeJS.ProcessEnv = {}) {
  const launcher = launchNode(script, env);
  const lines: string[] = [];
  createInterface(launcher.stdout).on('line', (line) => lines.push(line));
  const [code] = (await once(launcher, 'close')) as [number | null];
  return { code, lines };
}

function launchNode(script: string, env: NodeJS.ProcessEnv = {}) {
  return launch([process.execPath, '-e', script], env);
}

function launch(command: string[], env: NodeJS.ProcessEnv = {}) {
  const { DATABASE_URL: _, ...inherited } = process.env;
  const launcher = spawn(process.execPath, [main, '--', ...command], {
    env: { ...inherited, TMPDIR: temporary, ...env },
    // A process group of its own, as in a terminal.
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  launchers.push(launcher);
  return launcher;
}

async function endOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  return new Promise((resolve) => void child.once('exit', resolve));
}

async function firstLine(child: ReturnType<typeof launch>): Promise<string> {
  return new Promise((resolve, reject) => {
    createInterface(child.stdout).once('line', resolve);
    child.once('close', (code) => reject(new Error(`The launcher ended with ${code}`)));
  });
}

async function findServer(): Promise<number> {
  const [folder] = await runFolders();
  const path = join(common(), String(folder), 'embedded-postgres', 'data', 'postmaster.pid');
  return Number.parseInt(await readFile(path, 'utf8'), 10);
}

async function runFolders(): Promise<string[]> {
  return readdir(common()).catch(() => []);
}

function common(): string {
  return join(temporary, `sequelize-auditlog-postgres-${userInfo().username}`);
}

function pidOf(child: ChildProcess): number {
  if (!child.pid) throw new Error('not started');
  return child.pid;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0) && !isZombie(pid);
  } catch {
    return false;
  }
}

// In a container the first process may be slow to take note of those that ended.
function isZombie(pid: number): boolean {
  const stat = existsSync('/proc/self/stat') ? readFileSync(`/proc/${pid}/stat`, 'utf8') : '';
  return stat.slice(stat.lastIndexOf(')')).startsWith(') Z ');
}

async function waitFor(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => void setTimeout(resolve, 10));
}
