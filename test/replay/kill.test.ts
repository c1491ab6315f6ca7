import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { wrongsOf } from './check';
import { Chance } from './random';
import { World } from './world';

const KILLS = process.env['FULL'] === '1' ? 50 : 4;
const SECONDS_PER_KILL = 20;
/** Entries after which a writer has its stride. */
const WRITTEN = 40;
const chance = new Chance(1);

const world = new World();
beforeAll(() => world.open());
afterAll(() => world.close());

function startWriter(seed: number): ChildProcess {
  const folder = join(__dirname, 'support');
  const program = ['--require', join(folder, 'typescript.cjs'), join(folder, 'writer.ts')];
  const given = [world.database.url, world.database.schema, String(seed)];
  return spawn(process.execPath, [...program, ...given], { stdio: 'inherit' });
}

/** Kills a writer in full swing, whatever it is doing. */
async function writeAndKill(seed: number): Promise<void> {
  const writer = startWriter(seed);
  const ended = once(writer, 'exit');
  await hasWritten((await countEntries()) + WRITTEN, writer);
  await sleep(chance.below(200));
  expect(writer.exitCode).toBeNull();
  writer.kill('SIGKILL');
  await ended;
  await serverIsDone();
}

async function hasWritten(entries: number, writer: ChildProcess): Promise<void> {
  while (writer.exitCode === null && (await countEntries()) < entries) await sleep(20);
}

async function countEntries(): Promise<number> {
  const [row] = await world.database.rows<{ n: number }>('select count(*)::int as n from audit_log_entries');
  return row!.n;
}

/** The server may finish what was on its way. */
async function serverIsDone(): Promise<void> {
  const open = 'select pid from pg_stat_activity where application_name = $1';
  while ((await world.database.rows(open, [`${world.database.schema}_writer`])).length > 0) await sleep(10);
}

test(
  `changes and entries agree after each of ${KILLS} kills of a process that writes`,
  async () => {
    const tally = { made: 0, failed: 0, undone: new Set<string>() };
    for (let kill = 1; kill <= KILLS; kill += 1) {
      await writeAndKill(kill);
      const image = await world.read();
      expect(wrongsOf(world, image, tally).slice(0, 20)).toEqual([]);
    }
  },
  KILLS * SECONDS_PER_KILL * 1_000,
);
