// npm run bench:history [-- --runs 200] [--scale 0.1] [--only "asOf late"]
// Times what is read of a long log and of the past, and fails when a reading scans or sorts all of it, or takes longer than its limit.
import { parseArgs } from 'node:util';
import { sizesAt } from './history-fixture.mjs';
import { explained, flatReadingsOf, readingsOf } from './history-readings.mjs';
import { createHistory } from './history-world.mjs';
import { HEADINGS, storePart } from './report.mjs';
import { describeMachine } from './machine.mjs';
import { quantile } from './statistics.mjs';

const DEFAULT_LIMIT = 3;
/** Node compiles what it runs often: by then it has. */
const WARM_UP = 100;
const { values: flags } = parseArgs({
  options: {
    runs: { type: 'string', default: '200' },
    scale: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
  },
});
const scale = Number(flags.scale);
const sizes = sizesAt(scale);
const tenth = sizesAt(scale / 10);
const spelt = (count) => count.toLocaleString('en');

const statements = [];
/** The values of parameters travel in an option of the library's own. */
const logged = (sql, { auditBoundRead } = {}) => void statements.push({ sql, bind: auditBoundRead?.values });
console.log(
  `Filling ${spelt(sizes.ENTRIES)} entries and ${spelt(sizes.VERSIONS)} versions, and a tenth of it …`,
);
const history = await createHistory('long', sizes, logged);
const short = await createHistory('short', tenth, logged);
await checkSameStory(history);
// Or the server would write out what was filled beside the first readings.
await history.sequelize.query('checkpoint');

const measured = [
  ...(await measureAll(history, readingsOf(history, sizes))),
  ...(await measureAll(short, flatReadingsOf(short, tenth))),
];
if (scale === 1 && flags.only === '') await report(measured);
await Promise.all([history.close(), short.close()]);

/** Versions and entries must tell the same, or the figures would be of nothing. */
async function checkSameStory({ orders, deltas }) {
  const when = '2024-03-20';
  const page = { order: ['id'], limit: 20, attributes: ['id', 'status', 'quantity'], raw: true };
  const [versions, entries] = [await orders.asOf(when).findAll(page), await deltas.asOf(when).findAll(page)];
  if (versions.length === 0 || JSON.stringify(versions) !== JSON.stringify(entries))
    throw new Error('the entries tell another story than the versions');
}

async function measureAll({ sequelize }, readings) {
  const rows = [];
  for (const [name, reading] of Object.entries(readings)) {
    if (!name.includes(flags.only)) continue;
    const base = rows.find((row) => row.name === reading.relativeTo);
    const row = await measure(sequelize, name, reading, base);
    rows.push(row);
    console.log(
      `${row.isGood ? 'good' : 'BAD '} ${name}: ${row.median.toFixed(2)} ms (95 %: ${row.high.toFixed(2)}), ${row.plan}`,
    );
    if (!row.isGood) process.exitCode = 1;
  }
  return rows;
}

async function measure(sequelize, name, reading, base) {
  const { prepare, run, relativeTo, readsAll = false } = reading;
  const times = [];
  const runs = reading.runs ?? Number(flags.runs);
  let read;
  for (let n = reading.runs ? -1 : -WARM_UP; n < runs; n += 1) {
    const given = await prepare();
    statements.length = 0;
    const start = performance.now();
    await run(given);
    if (n >= 0) times.push(performance.now() - start);
    read = statements.findLast(({ sql }) => /^\s*(?:select|with)\b/i.test(sql));
  }
  const explain = reading.explain ?? ((sql, bind) => explained(sequelize, sql, { bind }));
  const plan = planOf(await explain(read.sql, read.bind));
  const median = quantile(times, 0.5);
  const factor = relativeTo === undefined ? 1 : (base?.median ?? Number.NaN);
  const limit =
    relativeTo === undefined && readsAll && !reading.limit ? null : (reading.limit ?? DEFAULT_LIMIT) * factor;
  const isQuick = limit === null || !(median > limit);
  const isGood = isQuick && (readsAll || !/Seq Scan|Sort \(whole\)/.test(plan));
  return { name, median, high: quantile(times, 0.95), limit, plan, isGood };
}

/** The nodes of a plan, from the root down; a sort tells how many rows it was given. */
function planOf(root) {
  const names = [];
  const visit = (node) => {
    const sorted = node['Node Type'] === 'Sort' ? node.Plans[0]['Actual Rows'] : 0;
    const index = node['Index Name'] ? ` ${node['Index Name']}` : '';
    names.push(
      `${node['Node Type']}${sorted > 1000 ? ' (whole)' : sorted > 0 ? ` of ${sorted} rows` : index}`,
    );
    for (const child of node.Plans ?? []) visit(child);
  };
  visit(root);
  return names.join(' ← ');
}

async function report(rows) {
  const lines = rows.map(
    ({ name, median, high, limit, plan }) =>
      `| ${name} | ${median.toFixed(2)} | ${high.toFixed(2)} | ${limit?.toFixed(limit % 1 === 0 ? 0 : 1) ?? ''} | ${plan} |`,
  );
  const text = `${HEADINGS.history}

Milliseconds, median and 95th percentile of ${flags.runs} calls through Sequelize on a log of ${spelt(sizes.ENTRIES)} entries and a history of
${spelt(sizes.VERSIONS)} versions of ${spelt(sizes.OBJECTS)} orders, one of which has ${spelt(sizes.OF_ONE)} more and ${spelt(sizes.DELETED)} are deleted, with
${spelt(sizes.ITEMS)} items of ${sizes.VERSIONS_OF_ITEM} versions and ${spelt(sizes.CUSTOMERS)} customers; pages of 50, after VACUUM ANALYZE and CHECKPOINT. Early, middle and late are a
quarter, three fifths and nearly the end of the history; "a tenth" is a history of ${spelt(tenth.VERSIONS)} versions. What is read with
includes is timed in a transaction of \`auditLog.asOf\`, its limit is 2.5 times the same page of today.

${await describeMachine()}

| | median | 95 % | limit | plan |
| --- | ---: | ---: | ---: | --- |
${lines.join('\n')}
`;
  await storePart('history', text);
}
