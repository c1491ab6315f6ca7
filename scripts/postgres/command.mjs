import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { endProcesses, markOf, processesMarked } from './processes.mjs';

const SIGINT_GRACE_MS = 1000;

/** Runs the command to its end, hands signals on, and ends what the command left running. Gives its exit code. */
export async function runCommand([program, ...args], { env, folder, stop }) {
  const child = spawn(program, args, {
    stdio: 'inherit',
    shell: process.platform === 'win32',
    env: { ...process.env, ...env, ...markOf(folder) },
  });
  const ended = endOf(child);
  stop.signal.addEventListener('abort', () => void handOn(child, stop.signal.reason, folder));
  try {
    return await ended;
  } finally {
    await endProcesses(await processesMarked(folder));
  }
}

function endOf(child) {
  return new Promise((resolve) => {
    child.on('error', (error) => {
      console.error(error.message);
      resolve(127);
    });
    child.on('exit', (code, signal) => resolve(code ?? 128 + signalNumber(signal)));
  });
}

async function handOn(child, signal, folder) {
  if (signal !== 'SIGINT') {
    child.kill(signal);
    return endProcesses(await processesMarked(folder), { signal: null });
  }
  // Ctrl-C reaches the whole command from the terminal too, and many programs give up at once at the second one.
  await sleep(SIGINT_GRACE_MS);
  // Whoever is left got none, and npm hands none on.
  return endProcesses(await processesMarked(folder), { signal });
}

function signalNumber(signal) {
  return constants.signals[signal] ?? 0;
}
