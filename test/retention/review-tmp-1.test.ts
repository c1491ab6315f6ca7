import { mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createNamespace } from 'cls-hooked';
import { DataTypes, Sequelize } from 'sequelize';
import { createAuditLog, withAuditContext } from 'sequelize-auditlog';
import { foundationOf } from '../../lib/audit-log';
import { prune } from '../../lib/retention/prune';
import { openAudited, refusalOf } from '../support/audited';
import { testDatabase } from '../support/database';

const database = testDatabase({ pool: { max: 6 } });
const { sequelize } = database;
const { INTEGER, TEXT } = DataTypes;
const Order = sequelize.define('Order', { status: TEXT, total: INTEGER });
const auditLog = createAuditLog(sequelize);
const orders = auditLog.registerAudited(Order, { snapshots: true });
const { LogEntry } = auditLog;
beforeAll(() => openAudited(database, auditLog));
afterAll(() => database.close());
beforeEach(async () => {
  await database.rows('truncate audit_log_entries, "Orders", "Orders_history" restart identity');
});
const now = async () => {
  const [row] = await database.rows<{ at: string }>(`select clock_timestamp()::text as at`);
  return row!.at.replace(' ', 'T');
};
async function write(n: number) {
  await Order.bulkCreate(Array.from({ length: n }, () => ({ total: 1 })));
  await Order.increment('total', { where: {} });
  return now();
}
const marks = () => LogEntry.findAll({ where: { action: 'prune' }, order: [['id', 'ASC']] });

test('P1 big context data', async () => {
  const olderThan = await write(2);
  await withAuditContext({ actor: 'x', additionalData: { big: 'x'.repeat(65_500), lastTransactionId: 'job' } }, () => auditLog.prune({ olderThan }));
  console.log(JSON.stringify((await marks()).map((m) => m.additionalData)).slice(0, 300));
});

test('P4 lock transaction', async () => {
  const olderThan = await write(4);
  const seen: unknown[] = [];
  await auditLog.prune({ olderThan, batchSize: 2, onProgress: async () => {
    seen.push(await database.rows(`select state, backend_xid, backend_xmin, (select string_agg(locktype || ':' || mode, ',') from pg_locks l where l.pid = a.pid) from pg_stat_activity a where application_name = $1 and pid <> pg_backend_pid() and state like 'idle in%'`, [database.schema]));
  } });
  console.log(JSON.stringify(seen));
});

test('P3 transaction_timeout', async () => {
  const olderThan = await write(4);
  if (database.serverMajor < 17) { const v = await database.rows('show server_version'); console.log(v); }
  const other = database.createSequelize({ dialectOptions: { options: `-c search_path=${database.schema} -c transaction_timeout=600ms` } });
  const O = other.define('Order', { status: TEXT, total: INTEGER });
  const a = createAuditLog(other);
  a.registerAudited(O, { snapshots: true });
  await a.prune({ olderThan, batchSize: 2, onProgress: () => new Promise((r) => setTimeout(r, 500)) }).then((r) => console.log('ok', r), (e) => console.log('ERR', e.code, e.message));
});

test('P6 ages', async () => {
  for (const age of ['999999999y', '999999y', '99999w', '9999y', '0s'])
    await auditLog.prune({ olderThan: age }).then((r) => console.log(age, r), (e) => console.log(age, e.code, e.message));
  await auditLog.prune({ olderThan: new Date(-8.64e15) }).then((r) => console.log(r), (e) => console.log(e.code, e.message));
});

test('P5 diverged copy', async () => {
  const olderThan = await write(4);
  const folder = join(await mkdtemp(join(tmpdir(), 'prune-')), 'archive');
  const stop = new AbortController();
  const { settings } = foundationOf('test', auditLog);
  await prune(settings, { olderThan, batchSize: 3, archiveTo: folder, onProgress: ({ phase }) => { if (phase === 'remove') stop.abort(); } }, stop.signal);
  console.log(await readdir(folder));
  // the copy diverged: entries of another content under the same ids, as old
  await database.rows(`update audit_log_entries set changes = '{"total":[5,6]}', timestamp = timestamp - interval '1 second' where id > 4`);
  await database.rows(`update "Orders_history" set total = 99, history_date = history_date - interval '1 second' where history_id <= 4`);
  console.log(await auditLog.prune({ olderThan, archiveTo: folder }));
});
