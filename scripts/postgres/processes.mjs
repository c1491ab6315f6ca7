import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const MARK = 'POSTGRES_LAUNCHER_RUN';
const GRACE_MS = 10_000;
const POLL_MS = 20;
const hasProc = existsSync('/proc/self/stat');
const run = promisify(execFile);

/** An environment by which every descendant of a run is found again, also after its parents have died. */
export function markOf(folder) {
  return { [MARK]: folder };
}

export function withoutMark(env) {
  const { [MARK]: _, ...rest } = env;
  return rest;
}

/** Tells two processes with one id apart. Null when there is no such process. */
export async function startTimeOf(pid) {
  if (!hasProc) return startTimeByPs(pid);
  const stat = await readProc(pid, 'stat');
  // The program's name stands in parentheses and may itself hold spaces and parentheses.
  return stat && isLive(stat) ? stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] : null;
}

export async function argumentsOf(pid) {
  if (hasProc) return ((await readProc(pid, 'cmdline')) ?? '').split('\0');
  return (await ps(['-ww', '-o', 'args=', '-p', String(pid)])).trim().split(' ');
}

export async function processesMarked(folder) {
  const mark = `${MARK}=${folder}`;
  const pids = hasProc ? await pidsByProc(mark) : await pidsByPs(mark);
  return pids.filter((pid) => pid !== process.pid);
}

/** Asks the processes to end and kills those that don't. */
export async function endProcesses(pids, { signal = 'SIGTERM', graceMs = GRACE_MS } = {}) {
  const running = await Promise.all(pids.map(async (pid) => ({ pid, startTime: await startTimeOf(pid) })));
  if (signal) running.forEach((one) => send(one.pid, signal));
  const left = await stillRunning(running, graceMs);
  left.forEach((one) => send(one.pid, 'SIGKILL'));
  await stillRunning(left, GRACE_MS);
}

async function stillRunning(processes, timeoutMs) {
  const deadline = Date.now() + timeoutMs;
  let left = await filterRunning(processes);
  while (left.length > 0 && Date.now() < deadline) {
    await sleep(POLL_MS);
    left = await filterRunning(left);
  }
  return left;
}

async function filterRunning(processes) {
  const now = await Promise.all(processes.map((one) => startTimeOf(one.pid)));
  return processes.filter((one, index) => one.startTime !== null && one.startTime === now[index]);
}

function send(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

// A zombie has ended; only its parent has not looked yet.
function isLive(stat) {
  return !'ZX'.includes(stat.charAt(stat.lastIndexOf(')') + 2));
}

async function pidsByProc(mark) {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const marked = pids.map(async (pid) => ((await readProc(pid, 'environ')) ?? '').split('\0').includes(mark));
  const results = await Promise.all(marked);
  return pids.filter((_, index) => results[index]);
}

async function pidsByPs(mark) {
  const lines = (await ps(['axeww', '-o', 'pid=,args='])).split('\n');
  return lines.filter((line) => line.split(' ').includes(mark)).map((line) => Number.parseInt(line, 10));
}

async function startTimeByPs(pid) {
  const time = (await ps(['-o', 'lstart=', '-p', String(pid)])).trim();
  return time ? String(Date.parse(time)) : null;
}

function readProc(pid, file) {
  return readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => null);
}

async function ps(args) {
  const options = { env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' }, maxBuffer: 64 * 1024 * 1024 };
  return run('ps', args, options).then(
    ({ stdout }) => stdout,
    () => '',
  );
}
