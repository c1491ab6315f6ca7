// npm run bench:history [-- --runs 200]
// Times what is read of a long log, and fails when a reading scans or sorts the log, or takes longer than its limit.
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { Sequelize } from 'sequelize';
import { createAuditLog } from 'sequelize-auditlog';
import { fillHistory, picker, sizes } from './history-fixture.mjs';
import { describeMachine } from './machine.mjs';
import { quantile } from './statistics.mjs';
import { defineModels } from './table.mjs';

const RESULTS = new URL('./RESULTS.md', import.meta.url);
const HEADING = '# Results of `npm run bench:history`';
const { values: flags } = parseArgs({ options: { runs: { type: 'string', default: '200' } } });

const statements = [];
const sequelize = new Sequelize(process.env.DATABASE_URL, { logging: (sql) => statements.push(sql) });
const { Order } = defineModels(sequelize);
const auditLog = createAuditLog(sequelize);
const orders = auditLog.registerAudited(Order, { snapshots: true });
const { LogEntry } = auditLog;
const page = { limit: 50 };
const some = picker(sizes.OBJECTS);
const entry = picker(sizes.ENTRIES);
const hash = (text) => sequelize.query(`select md5('${text}') as id`, { plain: true }).then(({ id }) => id);
const time = (n) => new Date(Date.UTC(2024, 0, 1) + n * 80_000);

/** By name: what is prepared outside the clock, what is timed, and its limit in milliseconds. */
const READINGS = {
  forObject: { prepare: some, run: (id) => LogEntry.forObject(Order, id, page), limit: 3 },
  'forObject, 5,000 entries': {
    prepare: () => 1,
    run: (id) => LogEntry.forObject(Order, id, page),
    limit: 3,
  },
  forModel: { prepare: () => 'Model7', run: (name) => LogEntry.forModel(name, page), limit: 3 },
  'forModel, a rare one': { prepare: () => 'Rare', run: (name) => LogEntry.forModel(name, page), limit: 3 },
  byActor: { prepare: () => some() % 500, run: (id) => LogEntry.byActor(id, page), limit: 3 },
  inRequest: { prepare: () => hash(entry() >> 2), run: (id) => LogEntry.inRequest(id), limit: 3 },
  inTransaction: {
    prepare: () => 1000 + Math.floor(entry() / 3),
    run: (id) => LogEntry.inTransaction(id),
    limit: 3,
  },
  'between, a day': {
    prepare: () => entry() % 900_000,
    run: (n) => LogEntry.between(time(n), time(n + 1080), page),
    limit: 3,
  },
  'between, a year': {
    prepare: () => 0,
    run: () => LogEntry.between('2025-01-01', '2026-01-01', page),
    limit: 3,
  },
  versions: { prepare: some, run: (id) => orders.versions(id, page), limit: 3 },
  'versions, 5,000 of them': { prepare: () => 1, run: (id) => orders.versions(id, page), limit: 3 },
};

await sequelize.sync();
await auditLog.sync();
console.log(
  `Filling ${sizes.ENTRIES.toLocaleString('en')} entries and ${sizes.VERSIONS.toLocaleString('en')} versions …`,
);
await fillHistory(sequelize);
const rows = [];
for (const [name, reading] of Object.entries(READINGS)) rows.push(await measure(name, reading));
await report(rows);
await sequelize.close();

async function measure(name, { prepare, run, limit }) {
  const times = [];
  for (let n = -20; n < Number(flags.runs); n += 1) {
    const given = await prepare();
    statements.length = 0;
    const start = performance.now();
    await run(given);
    if (n >= 0) times.push(performance.now() - start);
  }
  const plan = await planOf(statements.at(-1));
  const row = { name, median: quantile(times, 0.5), high: quantile(times, 0.95), limit, plan };
  row.isGood = row.median <= limit && !/Seq Scan|Sort \(whole\)/.test(plan);
  console.log(
    `${row.isGood ? 'good' : 'BAD '} ${name}: ${row.median.toFixed(2)} ms (95 %: ${row.high.toFixed(2)}), ${plan}`,
  );
  if (!row.isGood) process.exitCode = 1;
  return row;
}

/** The nodes of a statement's plan, from the root down; a sort tells how many rows it was given. */
async function planOf(logged) {
  const sql = logged.replace(/^Executing \([^)]*\): /, '');
  const [{ 'QUERY PLAN': plans }] = await sequelize.query(`explain (analyze, format json) ${sql}`, {
    type: 'SELECT',
  });
  const names = [];
  const visit = (node) => {
    const sorted = node['Node Type'] === 'Sort' ? node.Plans[0]['Actual Rows'] : 0;
    const index = node['Index Name'] ? ` ${node['Index Name']}` : '';
    names.push(
      `${node['Node Type']}${sorted > 1000 ? ' (whole)' : sorted > 0 ? ` of ${sorted} rows` : index}`,
    );
    for (const child of node.Plans ?? []) visit(child);
  };
  visit(plans[0].Plan);
  return names.join(' ← ');
}

async function report(measured) {
  const known = await readFile(RESULTS, 'utf8').catch(() => '');
  const before = known.split(HEADING)[0].trimEnd();
  const lines = measured.map(
    ({ name, median, high, limit, plan }) =>
      `| ${name} | ${median.toFixed(2)} | ${high.toFixed(2)} | ${limit} | ${plan} |`,
  );
  const text = `${before}

${HEADING}

Milliseconds, median and 95th percentile of ${flags.runs} calls through Sequelize on a log of ${sizes.ENTRIES.toLocaleString('en')} entries and a history of
${sizes.VERSIONS.toLocaleString('en')} versions of ${sizes.OBJECTS.toLocaleString('en')} objects, one of which has ${sizes.OF_ONE.toLocaleString('en')}; pages of 50, after VACUUM ANALYZE.

${await describeMachine()}

| | median | 95 % | limit | plan |
| --- | ---: | ---: | ---: | --- |
${lines.join('\n')}
`;
  await writeFile(RESULTS, text.trimStart());
}
