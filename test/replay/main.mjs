// Random histories of any seed and length: npm run test:replay -- [--seed 7] [--operations 50000] [jest options]
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values, tokens } = parseArgs({
  options: { seed: { type: 'string' }, operations: { type: 'string' } },
  strict: false,
  tokens: true,
});
const own = new Set(
  tokens.filter(({ name }) => name === 'seed' || name === 'operations').map(({ index }) => index),
);
const rest = process.argv
  .slice(2)
  .filter((arg, at) => !own.has(at) && !(own.has(at - 1) && !arg.startsWith('-')));
const env = { ...process.env };
if (values.seed) env.REPLAY_SEED = values.seed;
if (values.operations) env.REPLAY_OPERATIONS = values.operations;
const { status } = spawnSync('npx', ['jest', 'test/replay', ...rest], {
  env,
  stdio: 'inherit',
  shell: process.platform === 'win32',
});
process.exitCode = status ?? 1;
