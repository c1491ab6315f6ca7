// What is seen of a piece of work while it is done: time, memory, locks, and how long others wait.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'pg';

const MB = 1024 * 1024;
const SAMPLE_MS = 20;
const LOCKS_MS = 5;

/** Milliseconds, and how much heap and resident memory grew at most. */
export async function measured(work) {
  globalThis.gc?.();
  const before = process.memoryUsage();
  const peak = { heap: 0, rss: 0 };
  const look = () => {
    const { heapUsed, rss } = process.memoryUsage();
    peak.heap = Math.max(peak.heap, (heapUsed - before.heapUsed) / MB);
    peak.rss = Math.max(peak.rss, (rss - before.rss) / MB);
  };
  const timer = setInterval(look, SAMPLE_MS);
  const [cpu, start] = [process.cpuUsage(), performance.now()];
  const result = await work();
  const [ms, { user, system }] = [performance.now() - start, process.cpuUsage(cpu)];
  clearInterval(timer);
  look();
  return { result, ms, cpuMs: (user + system) / 1000, ...peak };
}

/** Transactions of connections by that name that hold a lock with which a row or a table is written, and the mode of the strongest. */
const HELD = `select max(extract(epoch from clock_timestamp() - a.xact_start) * 1000)::float8 as ms, array_agg(distinct l.mode) as modes
  from pg_stat_activity a join pg_locks l on l.pid = a.pid
  where a.application_name = $1 and l.locktype = 'relation' and l.mode <> 'AccessShareLock' and l.granted`;
const OPEN = `select max(extract(epoch from clock_timestamp() - xact_start) * 1000)::float8 as ms from pg_stat_activity where application_name = $1 and (backend_xid is not null or backend_xmin is not null)`;

/** The longest that a transaction of `name` was seen to hold back vacuum, and seen with a lock, while `work` was done. */
export async function watchingLocks(name, work) {
  const client = new Client({ connectionString: process.env.DATABASE_URL });
  await client.connect();
  const seen = { locked: 0, open: 0, modes: new Set() };
  const over = new AbortController();
  const sampling = (async () => {
    while (!over.signal.aborted) {
      const { rows: held } = await client.query(HELD, [name]);
      const { rows: open } = await client.query(OPEN, [name]);
      seen.locked = Math.max(seen.locked, held[0].ms ?? 0);
      seen.open = Math.max(seen.open, open[0].ms ?? 0);
      for (const mode of held[0].modes ?? []) seen.modes.add(mode);
      await pause(LOCKS_MS);
    }
  })();
  try {
    return { ...(await work()), ...seen };
  } finally {
    over.abort();
    await sampling;
    await client.end();
  }
}

/** Writes of a process of its own while `work` is done: how many, their median and the slowest. */
export async function besideWriter(work) {
  const writer = fork(new URL('./retention-writer.mjs', import.meta.url), { stdio: 'inherit' });
  await once(writer, 'message');
  try {
    const done = await work();
    writer.send('stop');
    const [writes] = await once(writer, 'message');
    return { ...done, writes };
  } finally {
    writer.disconnect();
  }
}
