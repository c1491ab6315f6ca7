import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { DataTypes } from 'sequelize';
import { createAuditLog, type LogEntry, type PruneOptions, type PruneProgress } from 'sequelize-auditlog';
import { foundationOf } from '../../lib/audit-log';
import { prune } from '../../lib/retention/prune';
import { openAudited, refusalOf } from '../support/audited';
import { testDatabase, type TestDatabase } from '../support/database';
import { until } from '../support/until';

const database = testDatabase({ pool: { max: 6 } });
const { sequelize } = database;
const { INTEGER, TEXT } = DataTypes;

/** The same tables by another instance, as another process would have them. */
function shopOf(by: ReturnType<TestDatabase['createSequelize']>) {
  const Order = by.define('Order', { status: TEXT, total: INTEGER });
  const Invoice = by.define('Invoice', { total: INTEGER });
  const auditLog = createAuditLog(by);
  auditLog.registerAudited(Order);
  return { Order, Invoice, auditLog, invoices: auditLog.registerAudited(Invoice, { snapshots: true }) };
}

const { Order, Invoice, auditLog, invoices } = shopOf(sequelize);
const { LogEntry } = auditLog;
const HISTORY = '"Invoices_history"';

/** How many rows each transaction removed, as the server saw it. */
const WATCH = `
create table removed (transaction bigint, rows int);
create function watch() returns trigger language plpgsql as $$
  begin insert into removed select pg_current_xact_id()::text::bigint, count(*) from gone having count(*) > 0; return null; end $$;
create trigger watch after delete on audit_log_entries referencing old table as gone for each statement execute function watch();
create trigger watch after delete on ${HISTORY} referencing old table as gone for each statement execute function watch();`;

beforeAll(async () => {
  await openAudited(database, auditLog);
  await database.rows(WATCH);
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.rows(
    `truncate audit_log_entries, "Orders", "Invoices", ${HISTORY}, removed restart identity`,
  );
});

async function now(): Promise<string> {
  const [row] = await database.rows<{ at: string }>(`select clock_timestamp()::text as at`);
  return row!.at.replace(' ', 'T');
}

/** Invoices of which each has so many versions: of them, all but the newest may go, and all entries. */
async function writeInvoices(count: number, versions: number): Promise<string> {
  await Invoice.bulkCreate(Array.from({ length: count }, () => ({ total: 1 })));
  for (let more = 1; more < versions; more += 1) await Invoice.increment('total', { where: {} });
  return now();
}

async function marks(): Promise<LogEntry[]> {
  return LogEntry.findAll({ where: { action: 'prune' }, order: [['id', 'ASC']] });
}

async function leftOver(): Promise<{ entries: number; versions: number }> {
  const [row] = await database.rows<{ entries: number; versions: number }>(
    `select (select count(*)::int from audit_log_entries where action <> 'prune') as entries, (select count(*)::int from ${HISTORY}) as versions`,
  );
  return row!;
}

const sumOf = (entries: readonly LogEntry[], what: 'entries' | 'versions'): number =>
  entries.reduce(
    (sum, { additionalData }) => sum + ((additionalData as Record<string, number>)[what] ?? 0),
    0,
  );

describe('batches', () => {
  test('no transaction looks at more rows than a batch has, and each takes a moment', async () => {
    const olderThan = await writeInvoices(20, 4);
    const progress: PruneProgress[] = [];
    const onProgress = (at: PruneProgress): void => void progress.push(at);
    expect(await auditLog.prune({ olderThan, batchSize: 16, onProgress })).toMatchObject({
      Invoice: { entries: 80, versions: 60 },
    });
    expect(progress.map(({ entries, versions }) => entries + versions)).toEqual([
      16, 32, 48, 64, 80, 96, 112, 128, 140,
    ]);
    expect(progress.every(({ phase, model }) => phase === 'remove' && model === 'Invoice')).toBe(true);
    const removed = await database.rows<{ rows: number }>(
      'select sum(rows)::int as rows from removed group by transaction order by transaction',
    );
    // And the mark that each puts in the place of the one before.
    expect(Math.max(...removed.map(({ rows }) => rows))).toBe(17);
    expect((await marks()).map(({ additionalData }) => additionalData)).toMatchObject([
      { entries: 80, versions: 60 },
    ]);
  });

  test('an object with very many entries is read once, not once for each of its batches', async () => {
    await Order.create({ status: 'a', total: 0 });
    await database.rows(
      `insert into audit_log_entries (action, model, object_pk, changes) select 'update', 'Order', '1', jsonb_build_object('total', jsonb_build_array(g - 1, g)) from generate_series(1, 3000) g`,
    );
    const olderThan = await now();
    await database.rows('vacuum analyze audit_log_entries');
    await database.rows('select pg_stat_reset_single_table_counters($1::regclass)', ['audit_log_entries']);
    expect(await auditLog.prune({ olderThan, models: ['Order'], batchSize: 100 })).toMatchObject({
      Order: { entries: 2999 },
    });
    await database.rows('select pg_stat_clear_snapshot(), pg_stat_force_next_flush()');
    // Read for the page, once more for what must stay, and to be removed: far from 30 times all.
    const read = async (): Promise<number> => {
      const [row] = await database.rows<{ n: number }>(
        `select (idx_tup_fetch + seq_tup_read)::int as n from pg_stat_user_tables where relid = 'audit_log_entries'::regclass`,
      );
      return row!.n;
    };
    await until(async () => (await read()) > 2999);
    expect(await read()).toBeLessThan(6 * 3000);
  });
});

describe('an end before the end', () => {
  test('what a listener throws ends the work after whole batches, with a mark; the next prune goes on', async () => {
    const olderThan = await writeInvoices(10, 3);
    const onProgress = ({ entries }: PruneProgress): void => {
      if (entries === 20) throw new Error('enough');
    };
    await expect(auditLog.prune({ olderThan, batchSize: 10, onProgress })).rejects.toThrow('enough');
    expect(await leftOver()).toEqual({ entries: 10, versions: 30 });
    expect(await marks()).toMatchObject([{ additionalData: { entries: 20, versions: 0 } }]);
    expect(await auditLog.prune({ olderThan })).toMatchObject({ Invoice: { entries: 10, versions: 20 } });
    expect(await leftOver()).toEqual({ entries: 0, versions: 10 });
    expect(await marks()).toHaveLength(2);
  });

  test('a signal ends it after the batch at hand, and the answer says how far it came', async () => {
    const olderThan = await writeInvoices(10, 3);
    const stop = new AbortController();
    const onProgress = ({ entries }: PruneProgress): void => {
      if (entries >= 20) stop.abort();
    };
    const { settings } = foundationOf('test', auditLog);
    const result = await prune(settings, { olderThan, batchSize: 10, onProgress }, stop.signal);
    expect(result).toMatchObject({ Invoice: { entries: 20, versions: 0 } });
    expect(await marks()).toMatchObject([{ additionalData: { entries: 20 } }]);
  });

  test('fault 106: what the database refuses is an error, and what was removed until then is marked', async () => {
    const olderThan = await writeInvoices(10, 2);
    await database.rows(
      `create function refuse() returns trigger language plpgsql as $$ begin raise 'kept by law'; end $$;
       create trigger refuse before delete on ${HISTORY} for each row execute function refuse()`,
    );
    try {
      await expect(auditLog.prune({ olderThan })).rejects.toThrow('kept by law');
    } finally {
      await database.rows('drop function refuse() cascade');
    }
    expect(await leftOver()).toEqual({ entries: 0, versions: 20 });
    expect(await marks()).toMatchObject([{ additionalData: { entries: 20, versions: 0 } }]);
  });

  test('a process that is killed in the middle leaves whole batches with their mark, and no lock', async () => {
    const olderThan = await writeInvoices(20, 3);
    const holder = database.newClient();
    await holder.connect();
    await holder.query('begin');
    // The third batch has to wait for a row of it, and is killed in the middle.
    await holder.query(
      `select from audit_log_entries where id = (select id from audit_log_entries order by object_pk, id offset 25 limit 1) for update`,
    );
    const program = [
      '--require',
      join(__dirname, '../replay/support/typescript.cjs'),
      join(__dirname, 'prune-child.ts'),
    ];
    const child = spawn(process.execPath, [...program, database.url, database.schema, olderThan], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const ended = once(child, 'exit');
    const sessions = (state: string): Promise<unknown[]> =>
      database.rows(`select pid from pg_stat_activity where application_name = $1 and ${state}`, [
        `${database.schema}_prune`,
      ]);
    await until(async () => (await sessions(`wait_event_type = 'Lock'`)).length > 0);
    expect(await refusalOf(() => auditLog.prune({ olderThan }))).toMatchObject({ code: 'ERR_AUDIT_BUSY' });
    child.kill('SIGKILL');
    await ended;
    await holder.query('rollback');
    await until(async () => (await sessions('true')).length === 0);

    expect(await leftOver()).toEqual({ entries: 40, versions: 60 });
    expect(await marks()).toMatchObject([
      { additionalData: { entries: 20, versions: 0, olderThan: expect.any(String) } },
    ]);
    expect(await auditLog.prune({ olderThan })).toMatchObject({ Invoice: { entries: 40, versions: 40 } });
    expect(await leftOver()).toEqual({ entries: 0, versions: 20 });
    expect([sumOf(await marks(), 'entries'), sumOf(await marks(), 'versions')]).toEqual([60, 40]);
  }, 30_000);
});

describe('others at the same time', () => {
  test('a second prune is refused while one is at work, and no connection stays behind', async () => {
    const olderThan = await writeInvoices(4, 3);
    const other = shopOf(database.createSequelize());
    const refusals: unknown[] = [];
    const onProgress = async (): Promise<void> => {
      refusals.push((await refusalOf(() => other.auditLog.prune({ olderThan }))).code);
    };
    await auditLog.prune({ olderThan, batchSize: 10, onProgress });
    expect(refusals).toEqual(['ERR_AUDIT_BUSY', 'ERR_AUDIT_BUSY', 'ERR_AUDIT_BUSY']);
    expect(await leftOver()).toEqual({ entries: 0, versions: 4 });
    expect(await other.auditLog.prune({ olderThan })).toMatchObject({ Invoice: { entries: 0, versions: 0 } });
    const pool = (sequelize as unknown as { connectionManager: { pool: { using: number } } })
      .connectionManager.pool;
    expect(pool.using).toBe(0);
  });

  test('a dry run is in nobody’s way', async () => {
    const olderThan = await writeInvoices(2, 2);
    const dry: unknown[] = [];
    const onProgress = async (): Promise<void> => {
      dry.push((await auditLog.prune({ olderThan, dryRun: true }))['Invoice']);
    };
    await auditLog.prune({ olderThan, onProgress });
    expect(dry).toEqual([
      { entries: 0, versions: 2 },
      { entries: 0, versions: 0 },
    ]);
  });

  test('a pool of one connection is enough', async () => {
    const olderThan = await writeInvoices(3, 2);
    const small = shopOf(database.createSequelize({ pool: { max: 1 } }));
    expect(await small.auditLog.prune({ olderThan, batchSize: 2 })).toMatchObject({
      Invoice: { entries: 6, versions: 3 },
    });
  });

  test('writers go on, and what they write is all there', async () => {
    const olderThan = await writeInvoices(30, 3);
    let isOver = false;
    const write = async (id: number): Promise<number> => {
      for (let count = 0; ; count += 1) {
        if (isOver) return count;
        await Invoice.increment('total', { where: { id } });
      }
    };
    const writers = [1, 2, 3].map(write);
    await auditLog.prune({ olderThan, batchSize: 5 });
    isOver = true;
    const counts = await Promise.all(writers);
    for (const [at, count] of counts.entries()) {
      expect(count).toBeGreaterThan(0);
      const versions = await invoices.versions(at + 1);
      expect(versions.map((version) => version.get('total'))).toEqual(
        Array.from({ length: count + 1 }, (_, back) => 3 + count - back),
      );
    }
    expect(await leftOver()).toEqual({
      entries: counts.reduce((sum, count) => sum + count),
      versions: 30 + counts.reduce((sum, count) => sum + count),
    });
  });

  test('a clean-up of duplicates waits, so that the two never remove each other’s reason', async () => {
    await Invoice.create({ total: 1 });
    await database.rows(
      `insert into ${HISTORY} (id, total, "createdAt", "updatedAt", history_date, history_type) select id, total, "createdAt", "updatedAt", clock_timestamp(), '~' from ${HISTORY}`,
    );
    const olderThan = await now();
    const holder = database.newClient();
    await holder.connect();
    await holder.query('begin');
    await holder.query(`lock table ${HISTORY} in share update exclusive mode`);
    const both = Promise.all([auditLog.prune({ olderThan }), invoices.cleanDuplicates()]);
    await until(async () => {
      const waiting = await database.rows(
        `select from pg_locks where relation = '${HISTORY}'::regclass and not granted`,
      );
      return waiting.length === 2;
    });
    await holder.query('rollback');
    await both;
    expect(await invoices.versions(1)).toHaveLength(1);
  });
});

describe('a role that may not remove', () => {
  const role = `${database.schema}_app`.slice(0, 60);

  beforeAll(async () => {
    await database.rows(`drop role if exists "${role}"; create role "${role}"`);
    await database.rows(`grant usage on schema "${database.schema}" to "${role}"`);
    await database.rows(`grant select, insert on all tables in schema "${database.schema}" to "${role}"`);
    await database.rows(`grant usage on all sequences in schema "${database.schema}" to "${role}"`);
  });
  afterAll(async () => {
    await database.rows(`drop owned by "${role}"; drop role "${role}"`);
  });

  test('is told what to grant, and nothing is done', async () => {
    const olderThan = await writeInvoices(2, 2);
    const options = `-c search_path=${database.schema} -c role=${role}`;
    const app = shopOf(database.createSequelize({ dialectOptions: { options } }));
    expect(await app.auditLog.prune({ olderThan, dryRun: true })).toMatchObject({
      Invoice: { entries: 4, versions: 2 },
    });
    expect(await refusalOf(() => app.auditLog.prune({ olderThan }))).toMatchObject({
      code: 'ERR_AUDIT_PERMISSION',
      message: expect.stringMatching(/delete on "audit_log_entries"/),
    });
    expect(await leftOver()).toEqual({ entries: 4, versions: 4 });
    expect(await marks()).toEqual([]);
  });
});

describe('with an archive', () => {
  let folder = '';
  beforeEach(async () => {
    folder = join(await mkdtemp(join(tmpdir(), 'prune-')), 'archive');
  });
  afterEach(() => rm(join(folder, '..'), { recursive: true, force: true }));

  const archived = async (kind: string): Promise<string[]> => {
    const names = (await readdir(folder)).filter((name) => name.includes(kind));
    const texts = await Promise.all(
      names.map(async (name) => gunzipSync(await readFile(join(folder, name))).toString()),
    );
    return texts.join('').split('\n').slice(0, -1);
  };

  test('fault 101: what goes is in the archive before, and the mark names it', async () => {
    const olderThan = await writeInvoices(5, 3);
    const before = await LogEntry.findAll({
      order: [
        ['objectPk', 'ASC'],
        ['id', 'ASC'],
      ],
    });
    const phases: string[] = [];
    const onProgress = ({ phase, entries, versions }: PruneProgress): void =>
      void phases.push(`${phase} ${entries} ${versions}`);
    expect(await auditLog.prune({ olderThan, archiveTo: folder, batchSize: 10, onProgress })).toMatchObject({
      Invoice: { entries: 15, versions: 10 },
    });
    expect(phases).toEqual([
      'archive 10 0',
      'archive 15 0',
      'archive 15 10',
      'remove 10 0',
      'remove 15 0',
      'remove 15 10',
    ]);
    const lines = (await archived('entries')).map((line) => JSON.parse(line) as unknown);
    expect(lines).toEqual(before.map((entry) => entry.toJSON()));
    expect(await archived('versions')).toHaveLength(10);
    expect(await leftOver()).toEqual({ entries: 0, versions: 5 });
    expect((await marks())[0]!.additionalData).toMatchObject({
      entries: 15,
      versions: 10,
      archive: 'archive',
    });
  });

  test('a run that is stopped while it removes goes on with the same folder, and removes only what is archived', async () => {
    const olderThan = await writeInvoices(5, 3);
    const request: PruneOptions = { olderThan, archiveTo: folder, batchSize: 10 };
    const onProgress = ({ phase }: PruneProgress): void => {
      if (phase === 'remove') throw new Error('enough');
    };
    await expect(auditLog.prune({ ...request, onProgress })).rejects.toThrow('enough');
    expect(await leftOver()).toEqual({ entries: 5, versions: 15 });
    expect(await auditLog.prune(request)).toMatchObject({ Invoice: { entries: 5, versions: 10 } });
    expect(await leftOver()).toEqual({ entries: 0, versions: 5 });
    expect(await auditLog.prune(request)).toMatchObject({ Invoice: { entries: 0, versions: 0 } });
  });

  test('a run that is stopped while it archives removes nothing, and begins anew', async () => {
    const olderThan = await writeInvoices(5, 3);
    const request: PruneOptions = { olderThan, archiveTo: folder, batchSize: 10 };
    const onProgress = (): void => {
      throw new Error('enough');
    };
    await expect(auditLog.prune({ ...request, onProgress })).rejects.toThrow('enough');
    expect(await leftOver()).toEqual({ entries: 15, versions: 15 });
    expect(await marks()).toEqual([]);
    expect(await auditLog.prune(request)).toMatchObject({ Invoice: { entries: 15, versions: 10 } });
  });

  test('fault 106: a job that names the folder of a finished prune is told so', async () => {
    const olderThan = await writeInvoices(2, 2);
    await database.rows(`update audit_log_entries set "timestamp" = "timestamp" - interval '2 days'`);
    const request: PruneOptions = { olderThan: '1d', archiveTo: folder };
    await auditLog.prune(request);
    await Invoice.create({ total: 1 });
    await database.rows(
      `update audit_log_entries set "timestamp" = "timestamp" - interval '2 days' where action = 'create'`,
    );
    expect(olderThan).toBeTruthy();
    expect(await refusalOf(() => auditLog.prune(request))).toMatchObject({
      code: 'ERR_AUDIT_ARCHIVE',
      message: expect.stringContaining('another folder for each prune'),
    });
  });

  test('a dry run makes no folder', async () => {
    const olderThan = await writeInvoices(2, 2);
    expect(await auditLog.prune({ olderThan, archiveTo: folder, dryRun: true })).toMatchObject({
      Invoice: { entries: 4, versions: 2 },
    });
    await expect(readdir(folder)).rejects.toThrow('ENOENT');
  });
});
