// npm run bench [-- --rounds 30 --variants "plain,deltas" --tasks "create,destroy" --only 18|15 --commit on|off]
// Compares plain Sequelize with each way of auditing and writes RESULTS.md. A part of it prints and writes nothing.
import { parseArgs } from 'node:util';
import { describeMachine } from './machine.mjs';
import { printTable, report, storePart } from './report.mjs';
import { runRounds } from './runner.mjs';
import { TASKS } from './tasks.mjs';
import { VARIANTS } from './variants.mjs';

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '30' },
    variants: { type: 'string' },
    tasks: { type: 'string' },
    only: { type: 'string' },
    commit: { type: 'string' },
  },
});
const OURS = ['plain', 'deltas', 'deltas + versions'];
const named = (list, all) => list?.split(',').map((name) => name.trim()) ?? all;
const variants = named(flags.variants, Object.keys(VARIANTS));
const tasks = named(flags.tasks, Object.keys(TASKS));
const rounds = Number(flags.rounds);
const SIZES = [
  'vacuum analyze audit_log_entries',
  `select pg_total_relation_size('audit_log_entries') / count(*)::float as bytes, pg_relation_size('audit_log_entries') / count(*)::float as heap from audit_log_entries`,
];

const SETUPS = [
  { server: '18', synchronousCommit: 'on', variants },
  { server: '18', synchronousCommit: 'off', variants },
  { server: '15', synchronousCommit: 'on', variants: variants.filter((name) => OURS.includes(name)) },
].filter(({ server, synchronousCommit }) => {
  return server === (flags.only ?? server) && synchronousCommit === (flags.commit ?? synchronousCommit);
});

const results = [];
for (const setup of SETUPS) results.push(await run(setup));
const isWhole = results.length === 3 && !flags.variants && !flags.tasks;
if (isWhole) await storePart('writes', report(results, await describeMachine()));

async function run(setup) {
  const url = setup.server === '18' ? process.env.DATABASE_URL : process.env.DATABASE_URL_15;
  const title = `PostgreSQL ${setup.server}, synchronous_commit ${setup.synchronousCommit}`;
  const after = { deltas: SIZES, 'deltas + versions': SIZES, 'row trigger': SIZES };
  const { times, answers } = await runRounds({
    ...setup,
    url,
    tasks,
    rounds,
    after,
    onRound: progress(title),
  });
  const result = { ...setup, title, times, rounds, sizes: sizesOf(answers) };
  printTable(result);
  return result;
}

function sizesOf(answers) {
  const sizes = Object.entries(answers).filter(([, asked]) => asked.length > 0);
  return Object.fromEntries(sizes.map(([name, [, [size]]]) => [name, size]));
}

function progress(title) {
  if (!process.stderr.isTTY) return undefined;
  return (round, of) =>
    process.stderr.write(`\r${title}: round ${round} of ${of}${round === of ? '\n' : ''}`);
}
