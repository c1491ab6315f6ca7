import { tableImage } from '../write-paths/expected';
import { wrongsOf } from './check';
import { Worker, type Tally } from './worker';
import { World, WORKERS } from './world';

/** Said on failure; `npm run test:replay -- --seed 7 --operations 50000` repeats it. */
const SEED = Number(process.env['REPLAY_SEED'] ?? 20_261_121);
const OPERATIONS = Number(process.env['REPLAY_OPERATIONS'] ?? 3_000);
const TIMEOUT_MS = 60_000 + OPERATIONS * 60;

const world = new World();
beforeAll(() => world.open());
afterAll(() => world.close());

test(
  `a random history of ${WORKERS} writers at once reads back from its entries (seed ${SEED}, ${OPERATIONS} operations)`,
  async () => {
    const tally: Tally = { made: 0, failed: 0, undone: new Set() };
    const workers = Array.from({ length: WORKERS }, (_, at) => new Worker(world, tally, at, SEED));
    await Promise.all(workers.map((worker) => worker.run(OPERATIONS / WORKERS)));
    const image = await world.read();
    if (process.env['REPLAY_STATS'])
      process.stdout.write(
        JSON.stringify({
          made: tally.made,
          failed: tally.failed,
          undone: tally.undone.size,
          entries: tableImage(image, world.log).rows.length,
          links: tableImage(image, world.log).rows.filter((r) => String(r['changes']).includes('m2m')).length,
          deletes: tableImage(image, world.log).rows.filter((r) => r['action'] === 'delete').length,
        }) + '\n',
      );
    expect(wrongsOf(world, image, tally).slice(0, 20)).toEqual([]);
    // The history was worth reading: much was written, some of it failed or was undone.
    expect(tableImage(image, world.log).rows.length).toBeGreaterThan(OPERATIONS / 2);
    expect(tally.failed).toBeGreaterThan(0);
    expect(tally.undone.size).toBeGreaterThan(0);
  },
  TIMEOUT_MS,
);
