import { AsyncLocalStorage } from 'node:async_hooks';
import { promises as files } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DataTypes, Sequelize } from 'sequelize';
import { createAuditLog, withAuditContext, type PruneOptions, type PruneProgress } from 'sequelize-auditlog';
import { foundationOf } from '../../lib/audit-log';
import { digestOf } from '../../lib/core/node';
import { manifestText, type ArchiveHeader, type ArchiveManifest } from '../../lib/retention/archive-manifest';
import { openArchive } from '../../lib/retention/archive-reader';
import { ArchiveWriter } from '../../lib/retention/archive-writer';
import { prune } from '../../lib/retention/prune';
import { entriesPage } from '../../lib/statement/prune-entries';
import { openAudited, refusalOf } from '../support/audited';
import { testDatabase } from '../support/database';

const FULL = process.env['FULL'] === '1';
const { INTEGER } = DataTypes;

const database = testDatabase({ pool: { max: 6 } });
const { sequelize } = database;
const Order = sequelize.define('Order', { total: INTEGER });
const auditLog = createAuditLog(sequelize);
const orders = auditLog.registerAudited(Order, { snapshots: true });
const { LogEntry } = auditLog;
const HISTORY = '"Orders_history"';

let root = '';
beforeAll(async () => {
  await openAudited(database, auditLog);
  root = await mkdtemp(join(tmpdir(), 'reviewed-'));
});
afterAll(async () => {
  await rm(root, { recursive: true });
  await database.close();
});
beforeEach(async () => {
  await database.rows(`truncate audit_log_entries, "Orders", ${HISTORY} restart identity`);
});

async function now(): Promise<string> {
  const [row] = await database.rows<{ at: string }>(`select clock_timestamp()::text as at`);
  return row!.at.replace(' ', 'T');
}

/** So many orders of two versions each; the time behind them. */
async function writeOrders(count: number): Promise<string> {
  await Order.bulkCreate(Array.from({ length: count }, () => ({ total: 1 })));
  await Order.increment('total', { where: {} });
  return now();
}

async function idsLeft(): Promise<{ entries: number[]; versions: number[] }> {
  const [row] = await database.rows<{ entries: number[]; versions: number[] }>(
    `select array(select id::int from audit_log_entries where action <> 'prune' order by id) as entries, array(select history_id::int from ${HISTORY} order by 1) as versions`,
  );
  return row!;
}

describe('a mark', () => {
  test('says what it has to, however much data the context has, and under whatever names', async () => {
    const olderThan = await writeOrders(1);
    const additionalData = { job: 'x'.repeat(65_500), olderThan: 'soon', lastTransactionId: 'none' };
    await withAuditContext({ actor: 'job', additionalData }, () => auditLog.prune({ olderThan }));
    const [mark] = await LogEntry.findAll({ where: { action: 'prune' } });
    expect(mark).toMatchObject({
      actorId: 'job',
      additionalData: { entries: 2, versions: 1, olderThan: expect.stringMatching(/^\d{4}-/) },
    });
    expect(mark!.additionalData).not.toHaveProperty('job');
    expect(mark!.additionalData!['lastTransactionId']).toMatch(/^\d+$/);
    const before = await refusalOf(() => orders.diff(1, '2020-01-01', 'current'));
    expect(before.code).toBe('ERR_AUDIT_HISTORY_GAP');
  });
});

describe('what is asked for', () => {
  test.each(['9999y', '999999999y', new Date(-8.64e15), new Date(8.64e15), new Date(Number.NaN)])(
    'a time that PostgreSQL has not is an invalid option: %p',
    async (olderThan) => {
      const refusal = await refusalOf(() => auditLog.prune({ olderThan }));
      expect(refusal.code).toBe('ERR_AUDIT_INVALID_OPTION');
    },
  );

  test('a long age is one', async () => {
    expect(await auditLog.prune({ olderThan: '1500y' })).toEqual({ Order: { entries: 0, versions: 0 } });
  });
});

describe('the lock', () => {
  test('is kept past the time-outs of the server, without holding back what others see', async () => {
    const olderThan = await writeOrders(2);
    const timeouts = ['idle_in_transaction_session_timeout=150ms'];
    if (database.serverMajor >= 17) timeouts.push('transaction_timeout=150ms');
    const settings = timeouts.map((each) => ` -c ${each}`).join('');
    const options = `-c search_path=${database.schema}${settings}`;
    const other = database.createSequelize({ dialectOptions: { options } });
    const log = createAuditLog(other);
    log.registerAudited(other.define('Order', { total: INTEGER }), { snapshots: true });
    const seen: unknown[] = [];
    const onProgress = async (): Promise<void> => {
      // Longer than the transaction may last, from its beginning on.
      await database.rows('select pg_sleep(0.2)');
      seen.push(
        ...(await database.rows(
          `select a.backend_xid, a.backend_xmin from pg_stat_activity a join pg_locks l using (pid) where l.locktype = 'advisory' and a.application_name = $1`,
          [database.schema],
        )),
      );
    };
    expect(await log.prune({ olderThan, onProgress })).toEqual({ Order: { entries: 4, versions: 2 } });
    expect(seen).toEqual([
      { backend_xid: null, backend_xmin: null },
      { backend_xid: null, backend_xmin: null },
    ]);
  });
});

describe('Sequelize’s CLS', () => {
  const storage = new AsyncLocalStorage<Map<string, unknown>>();
  /** What Sequelize asks of a namespace of cls-hooked. */
  const namespace = {
    get: (key: string): unknown => storage.getStore()?.get(key),
    set: (key: string, value: unknown): void => void storage.getStore()?.set(key, value),
    run: (work: (context: object) => unknown): unknown => {
      const inner = new Map(storage.getStore());
      return storage.run(inner, () => work(inner));
    },
    bind:
      (work: (...args: unknown[]) => unknown, context: Map<string, unknown>) =>
      (...args: unknown[]) =>
        storage.run(context, () => work(...args)),
  };
  const holder = Sequelize as unknown as { _cls?: unknown };
  const before = holder['_cls'];
  beforeAll(() => void Sequelize.useCLS(namespace));
  afterAll(() => void (holder['_cls'] = before));

  test('what onProgress writes is in no transaction of the prune, and stays when it fails', async () => {
    const olderThan = await writeOrders(1);
    const onProgress = async (): Promise<void> => {
      await Order.create({ total: 7 });
      throw new Error('enough');
    };
    await expect(auditLog.prune({ olderThan, onProgress })).rejects.toThrow('enough');
    expect(await Order.count({ where: { total: 7 } })).toBe(1);
  });

  test('in a transaction of the caller, it is the caller’s', async () => {
    const olderThan = await writeOrders(1);
    const work = sequelize.transaction(async () => {
      await auditLog.prune({ olderThan, onProgress: async () => void (await Order.create({ total: 7 })) });
      throw new Error('rolled back');
    });
    await expect(work).rejects.toThrow('rolled back');
    expect(await Order.count({ where: { total: 7 } })).toBe(0);
    expect((await idsLeft()).entries).toEqual([]);
    expect(await LogEntry.count({ where: { action: 'prune' } })).toBe(1);
  });
});

/** An archive of which nothing was removed yet but the first batch. */
async function archiveOf(options: PruneOptions): Promise<void> {
  const stop = new AbortController();
  const onProgress = ({ phase }: PruneProgress): void => {
    if (phase === 'remove') stop.abort();
  };
  await prune(foundationOf('test', auditLog).settings, { ...options, onProgress }, stop.signal);
}

describe('an archive', () => {
  test('of a copy of the log removes nothing that the copy wrote itself under the same ids', async () => {
    const olderThan = await writeOrders(3);
    const archiveTo = join(root, 'copied');
    await archiveOf({ olderThan, archiveTo, batchSize: 2 });
    expect(await idsLeft()).toMatchObject({ entries: [2, 3, 5, 6] });
    await database.rows(
      `update audit_log_entries set "timestamp" = "timestamp" - interval '1 microsecond' where id in (3, 5)`,
    );
    await database.rows(
      `update ${HISTORY} set history_date = history_date - interval '1 microsecond' where history_id = 2`,
    );
    expect(await auditLog.prune({ olderThan, archiveTo })).toEqual({ Order: { entries: 2, versions: 2 } });
    expect(await idsLeft()).toEqual({ entries: [3, 5], versions: [2, 4, 5, 6] });
  });

  test('of a copy is not mixed with that of its original, where both gave one id', async () => {
    const olderThan = await writeOrders(2);
    const folders = [join(root, 'original'), join(root, 'copy')];
    await archiveOf({ olderThan, archiveTo: folders[0]!, batchSize: 1 });
    await database.rows(
      `update audit_log_entries set "timestamp" = "timestamp" - interval '1 microsecond' where id = 2`,
    );
    await archiveOf({ olderThan, archiveTo: folders[1]!, batchSize: 1 });
    await auditLog.restoreArchive(folders[0]!, { tableName: 'both' });
    await auditLog.restoreArchive(folders[0]!, { tableName: 'both' });
    const refusal = await refusalOf(() => auditLog.restoreArchive(folders[1]!, { tableName: 'both' }));
    expect(refusal).toMatchObject({
      code: 'ERR_AUDIT_ARCHIVE',
      message: expect.stringContaining('its row 2 is another than row 2 of "both"'),
    });
    expect(await database.rows('select count(*)::int as count from "both"')).toEqual([{ count: 4 }]);
  });

  const HEADER: ArchiveHeader = {
    log: 'shop: "audit_log_entries"',
    olderThan: '2025-11-22T00:00:00.000000Z',
    request: { olderThan: '365d', models: 'all', keepLast: '0' },
  };
  const LINE = '{"id":"1","timestamp":"2024-01-01T00:00:00.000000Z"}';
  const ENTRIES = { kind: 'entries', model: 'Order', table: '"audit_log_entries"' } as const;

  /** As who can write the files may write them: all digests are right. */
  async function forged(folder: string, change: (manifest: ArchiveManifest) => object): Promise<string> {
    const file = join(folder, 'manifest.json');
    const { sha256: _, ...manifest } = JSON.parse(await readFile(file, 'utf8')) as ArchiveManifest & {
      sha256: string;
    };
    await writeFile(file, manifestText({ ...manifest, ...change(manifest) }));
    return folder;
  }

  async function archived(name: string): Promise<string> {
    const folder = join(root, name);
    const writer = await ArchiveWriter.begin(folder, HEADER);
    await writer.add(ENTRIES, [LINE]);
    await writer.finish();
    return folder;
  }

  test('lets nothing go that is younger than what was asked for', async () => {
    const olderThan = await writeOrders(2);
    const archiveTo = join(root, 'younger');
    await archiveOf({ olderThan, archiveTo, batchSize: 2 });
    await forged(archiveTo, () => ({ olderThan: '9000-01-01T00:00:00.000000Z' }));
    expect((await refusalOf(() => auditLog.prune({ olderThan, archiveTo }))).message).toContain(
      'it is of what is older than 9000-01-01',
    );
    await forged(archiveTo, () => ({ olderThan: 'infinity' }));
    expect((await refusalOf(() => auditLog.prune({ olderThan, archiveTo }))).code).toBe('ERR_AUDIT_ARCHIVE');
  });

  test.each(['../secret.ndjson.gz', '/etc/passwd', '0001\n.ndjson.gz', '..', 'a/../b.ndjson.gz', ''])(
    'leads to no file outside its folder: %p',
    async (name) => {
      const folder = await forged(
        await archived(`names-${digestOf('sha256', name, 8)}`),
        ({ files: [file] }) => ({
          files: [{ ...file, name }],
        }),
      );
      expect(await refusalOf(() => openArchive(folder))).toMatchObject({ code: 'ERR_AUDIT_ARCHIVE' });
    },
  );

  /** Replaces the file by another, of which the manifest says what can be said of it. */
  async function withContent(name: string, content: Buffer): Promise<string> {
    const folder = await archived(name);
    const sha256 = digestOf('sha256', content as never, 64);
    return forged(folder, ({ files: [file] }) => ({
      files: [{ ...file, bytes: content.length, sha256 }],
    })).then(async () => {
      await writeFile(join(folder, '0001-entries-Order.ndjson.gz'), content);
      return folder;
    });
  }

  test('is read no further than its manifest counts', async () => {
    const folder = await withContent('many', gzipSync(`${LINE}\n`.repeat(1_000_000)));
    const { message } = await refusalOf(() => openArchive(folder));
    const [, seen] = /its lines are (\d+), expected 1/.exec(message)!;
    expect(Number(seen)).toBeLessThan(50_000);
  });

  // With 300 MB in one line, but only by FULL=1: it takes seconds.
  test.each(FULL ? [2 ** 28 + 2 ** 26] : [1000])(
    'with a line that does not end is refused: %i',
    async (size) => {
      const part = gzipSync(Buffer.alloc(size / 8));
      const folder = await withContent(`bomb-${size}`, Buffer.concat(Array.from({ length: 8 }, () => part)));
      const { message } = await refusalOf(() => openArchive(folder));
      const seen = FULL ? 'a line has more than 268435456 characters' : 'its last line was cut off';
      expect(message).toContain(seen);
    },
  );

  test('is on the disk with all folders above it that were made for it', async () => {
    const open = jest.spyOn(files, 'open');
    try {
      await ArchiveWriter.begin(join(root, 'a', 'b', 'c'), HEADER);
      const opened = open.mock.calls.map(([name]) => name);
      expect(opened).toEqual(expect.arrayContaining([join(root, 'a', 'b'), join(root, 'a'), root]));
    } finally {
      open.mockRestore();
    }
  });
});

describe('an object with very many entries', () => {
  interface Node {
    readonly 'Actual Rows': number;
    readonly 'Actual Loops': number;
    readonly Plans?: readonly Node[];
  }
  const busiest = (node: Node): number =>
    Math.max(node['Actual Rows'] * node['Actual Loops'], ...(node.Plans ?? []).map(busiest));

  /** The plan of the first page of a model's entries, run. */
  async function planOf(hasLinks: boolean): Promise<Node> {
    const log = { schema: null, table: 'audit_log_entries' };
    const sql = entriesPage({ log, versions: null, hasLinks, keepLast: 0 });
    const binds = ['Order', await now(), '9999999', '', '0', 1000, null, []];
    const explain = `explain (analyze, timing off, format json) ${sql}`;
    const [row] = await database.rows<{ 'QUERY PLAN': [{ Plan: Node }] }>(explain, binds);
    return row!['QUERY PLAN'][0].Plan;
  }

  test.each(['links', 'attributes'])('of which many stay is looked through in one go: %s', async (kind) => {
    const changes =
      kind === 'attributes'
        ? `jsonb_build_object('a' || g, jsonb_build_array(null, g))`
        : `jsonb_build_object('tags', jsonb_build_object('type', 'm2m', 'added', jsonb_build_array(jsonb_build_object('pk', g::text)), 'removed', '[]'::jsonb))`;
    await database.rows(
      `insert into audit_log_entries (action, model, object_pk, changes) select 'update', 'Order', '1', ${changes} from generate_series(1, 2000) g`,
    );
    await database.rows('analyze audit_log_entries');
    // Each row by itself, and once more to be sorted; not each with each.
    expect(busiest(await planOf(kind === 'links'))).toBeLessThan(2000 * 10);
  });
});
