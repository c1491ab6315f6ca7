import { tableImage } from '../write-paths/expected';
import { wrongsOf } from './check';
import { Worker, type Tally } from './worker';
import { WORKERS } from './scene';
import { World } from './world';

/** Said on failure; `npm run test:replay -- --seed 7 --operations 50000` repeats it. */
const SEED = Number(process.env['REPLAY_SEED'] ?? 20_261_121);
const OPERATIONS = Number(process.env['REPLAY_OPERATIONS'] ?? 2_000);
const TIMEOUT_MS = 60_000 + OPERATIONS * 60;

const world = new World();
beforeAll(async () => {
  // Sequelize warns of every COMMIT that fails, which a serializable transaction must expect.
  jest.spyOn(console, 'warn').mockReturnValue();
  await world.open();
});
afterAll(() => world.close());

test(
  `a random history of ${WORKERS} writers at once reads back from its entries (seed ${SEED}, ${OPERATIONS} operations)`,
  async () => {
    const tally: Tally = { made: 0, failed: 0, undone: new Set() };
    const workers = Array.from({ length: WORKERS }, (_, at) => new Worker(world.scene, tally, at, SEED));
    await Promise.all(workers.map((worker) => worker.run(OPERATIONS / WORKERS)));
    const image = await world.read();
    expect(wrongsOf(world, image, tally).slice(0, 20)).toEqual([]);
    // The history was worth reading: much was written, some of it failed or was undone.
    expect(tableImage(image, world.log).rows.length).toBeGreaterThan(OPERATIONS / 2);
    expect(tally.failed).toBeGreaterThan(0);
    expect(tally.undone.size).toBeGreaterThan(0);
  },
  TIMEOUT_MS,
);
