import { randomBytes } from 'node:crypto';
import { lstat, mkdir, readdir, rm, rmdir } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { endProcesses, processesMarked, startTimeOf } from './processes.mjs';
import { stopServer } from './server.mjs';

const { uid, username } = userInfo();
const common = join(tmpdir(), `sequelize-auditlog-postgres-${username}`);

/**
 * A folder for all that one run writes. Its name tells the process it belongs to, so that folder and owner come
 * into being in one step and a later run can tell whether the owner still lives.
 */
export async function createRunFolder() {
  const startTime = await startTimeOf(process.pid);
  const folder = join(common, `run-${process.pid}-${startTime}-${randomBytes(4).toString('hex')}`);
  // With its parent in one step, since a run that ends just now may remove the empty parent.
  await mkdir(folder, { recursive: true, mode: 0o711 });
  await refuseForeignFolder();
  return folder;
}

export async function removeRunFolder(folder) {
  for (const name of await readdir(folder)) await stopServer(join(folder, name));
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  // Fails while another run has its folder there, as it should.
  await rmdir(common).catch(() => undefined);
}

/** Ends and removes what runs left behind that were killed before they could do so. */
export async function sweepDeadRuns() {
  const names = await readdir(common).catch(() => []);
  await refuseForeignFolder();
  for (const name of names) {
    if (await isDead(name)) await removeDeadRun(join(common, name));
  }
}

async function isDead(name) {
  const [, pid, startTime] = /^run-(\d+)-(\d+)-/.exec(name) ?? [];
  return pid !== undefined && (await startTimeOf(pid)) !== startTime;
}

async function removeDeadRun(folder) {
  await endProcesses(await processesMarked(folder));
  // Another run may be sweeping it at the same time.
  await removeRunFolder(folder).catch((error) => {
    if (error.code !== 'ENOENT') throw error;
  });
}

// The temporary folder is everybody's: a folder that somebody else prepared could lead the removal elsewhere.
async function refuseForeignFolder() {
  const found = await lstat(common).catch(() => null);
  if (found && (!found.isDirectory() || (uid >= 0 && found.uid !== uid))) {
    throw new Error(`${common} does not belong to ${username}: remove it`);
  }
}
