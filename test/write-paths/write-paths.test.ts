import { Fixture } from './fixture';
import { printMatrix, prints, type Results } from './matrix';
import { MODES, wrongsOf, type ModeName } from './modes';
import { WRITE_PATHS } from './paths';

const fixture = new Fixture();
const results: Results = new Map();
beforeAll(() => fixture.open());
afterAll(async () => {
  await fixture.close();
  printMatrix(results, fixture.database.serverMajor);
});

const NAMES = Object.keys(MODES) as ModeName[];

/** All of them for `npm run test:write-paths`; else autocommit and one of the others, in turn. */
function modesAt(index: number): readonly ModeName[] {
  const others = NAMES.slice(1);
  return prints ? NAMES : ['autocommit', others[index % others.length] as ModeName];
}

describe.each(WRITE_PATHS.map((path, index) => [path.name, path, index] as const))(
  '%s',
  (name, path, index) => {
    test.each(modesAt(index).map((mode) => [MODES[mode].promise, mode] as const))(
      '%s',
      async (_promise, mode) => {
        const seen = new Map(results.get(name)).set(mode, false);
        results.set(name, seen);
        expect(await wrongsOf(fixture, path, mode)).toEqual([]);
        seen.set(mode, true);
      },
    );
  },
);
