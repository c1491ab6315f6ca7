// npm run bench:retention [-- --entries 5000000]
// Creates a long log by audited writes, then times export, dry run, prune with and without an archive, and restoreArchive.
import { createWriteStream } from 'node:fs';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describeMachine } from './machine.mjs';
import { HEADINGS, storePart } from './report.mjs';
import { besideWriter, measured, watchingLocks } from './retention-watch.mjs';
import { connect, fill } from './retention-world.mjs';

/** Results of fewer entries are printed only. */
const RECORDED = 1_000_000;
const PRUNER = 'pruner';
const ALONE_MS = 3000;
const HEAD = ['', 'rows', 's', 'a second', 'heap + MB', 'resident + MB', ''];
const { values: flags } = parseArgs({ options: { entries: { type: 'string', default: '1000000' } } });
setFlagsFromString('--expose-gc');
globalThis.gc = runInNewContext('gc');

const spelt = (count) => Math.round(count).toLocaleString('en');
const folder = await mkdtemp(join(tmpdir(), 'retention-'));
const world = connect(PRUNER);
const { auditLog } = world;
const rows = [];
try {
  const filling = await measured(() => fill(world, Number(flags.entries), showPart));
  const { entries, behind } = filling.result;
  note('write entries and versions', { ...filling, count: entries });
  for (const format of ['ndjson', 'csv']) await exportTo(format, entries);
  const alone = await besideWriter(() => measured(() => pause(ALONE_MS)));
  note('a writer alone', { ...alone, count: alone.writes.count });
  await pruneHalves(behind);
  await restore();
  print();
  if (entries >= RECORDED) await store(entries);
} finally {
  await world.sequelize.close();
  await rm(folder, { recursive: true });
}

function showPart(part) {
  if (process.stderr.isTTY)
    process.stderr.write(`\rwriting ${Math.round(part * 100)} %${part === 1 ? '\n' : ''}`);
}

function note(what, { count, ms, heap, rss, cpuMs, locked, open, modes, writes }) {
  const notes = [
    `${((cpuMs / count) * 1000).toFixed(1)} µs of Node each`,
    ...(locked === undefined
      ? []
      : [
          `longest transaction that vacuum waits for ${open.toFixed(0)} ms, with a lock ${locked.toFixed(0)} ms (${[...modes].join(', ')})`,
        ]),
    ...(writes === undefined
      ? []
      : [
          `${spelt(writes.count)} writes: median ${writes.median.toFixed(1)} ms, slowest ${writes.slowest.toFixed(0)} ms`,
        ]),
  ];
  rows.push([
    what,
    spelt(count),
    (ms / 1000).toFixed(1),
    spelt(count / (ms / 1000)),
    heap.toFixed(0),
    rss.toFixed(0),
    notes.join('; '),
  ]);
  console.log(
    `${what}: ${spelt(count)} in ${(ms / 1000).toFixed(1)} s, ${spelt(count / (ms / 1000))} a second; ${notes.join('; ')}`,
  );
}

async function exportTo(format, entries) {
  const file = join(folder, `entries.${format}`);
  const places = {
    nowhere: () => new Writable({ write: (_chunk, _encoding, done) => done() }),
    'a file': () => createWriteStream(file),
  };
  for (const [name, open] of Object.entries(places)) {
    const run = await measured(() => auditLog.export({ format, to: open() }));
    if (run.result.entries !== entries)
      throw new Error(`exported ${run.result.entries} of ${entries} entries`);
    note(`export ${format} to ${name}`, { ...run, count: entries });
  }
  await rm(file);
}

function total(result) {
  const sum = { entries: 0, versions: 0 };
  for (const { entries, versions } of Object.values(result)) {
    sum.entries += entries;
    sum.versions += versions;
  }
  return sum;
}

/** @param around watches while it prunes */
async function prune(what, options, around = (work) => work()) {
  const run = await around(() => watchingLocks(PRUNER, () => measured(() => auditLog.prune(options))));
  const { entries, versions } = total(run.result);
  note(`${what} (${spelt(versions)} of them versions)`, { ...run, count: entries + versions });
  return { entries, versions };
}

/** Nine tenths go: a half of them into an archive, the other one while an application writes. */
async function pruneHalves(behind) {
  const [first, second] = [behind(0.46), behind(0.9)];
  const asked = await prune('dry run', { olderThan: first, dryRun: true });
  const gone = await prune('archive and prune', { olderThan: first, archiveTo: join(folder, 'archive') });
  if (JSON.stringify(asked) !== JSON.stringify(gone)) throw new Error('the dry run counted something else');
  await prune('prune beside a writer', { olderThan: second }, besideWriter);
  const third = { olderThan: behind(0.96), archiveTo: join(folder, 'second') };
  await prune('archive and prune beside a writer', third, besideWriter);
}

async function restore() {
  const archive = join(folder, 'archive');
  const run = await measured(() => auditLog.restoreArchive(archive, { tableName: 'archived' }));
  const { entries, versions } = run.result;
  const names = await readdir(archive);
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(archive, name))).size));
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  note(`restoreArchive (${names.length} files, ${spelt(bytes / 2 ** 20)} MB)`, {
    ...run,
    count: entries + versions,
  });
}

function print() {
  const all = [HEAD, ...rows];
  const widths = HEAD.map((_, at) => Math.max(...all.map((row) => row[at].length)));
  for (const row of all)
    console.log(
      row
        .map((text, at) => text.padEnd(widths[at] + 2))
        .join('')
        .trimEnd(),
    );
}

async function store(entries) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const text = `${HEADINGS.retention}

A log of ${spelt(entries)} entries and as many versions, written by audited statements over whole tables of three models, 50 writes of
each object. Rows are entries, or entries and versions; memory is what the process that works took at most beyond what it had.
Locks are those beyond reading, as a second connection saw them every few milliseconds; the writer is a process of its own.

${await describeMachine()}

${[line(HEAD), line(['---', ...Array(5).fill('---:'), '---']), ...rows.map(line)].join('\n')}
`;
  await storePart('retention', text);
}
