import { Fixture } from './fixture';
import { printMatrix, type Results } from './matrix';
import { MODES, wrongsOf, type ModeName } from './modes';
import { WRITE_PATHS } from './paths';

const fixture = new Fixture();
const results: Results = new Map();
beforeAll(() => fixture.open());
afterAll(async () => {
  await fixture.close();
  printMatrix(results, fixture.database.serverMajor);
});

const modes = Object.entries(MODES).map(([mode, { promise }]) => [promise, mode as ModeName] as const);

describe.each(WRITE_PATHS.map((path) => [path.name, path] as const))('%s', (name, path) => {
  test.each(modes)('%s', async (_promise, mode) => {
    const seen = new Map(results.get(name)).set(mode, false);
    results.set(name, seen);
    expect(await wrongsOf(fixture, path, mode)).toEqual([]);
    seen.set(mode, true);
  });
});
