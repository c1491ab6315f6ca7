import { DataTypes, type Sequelize } from 'sequelize';
import { createAuditLog, type AuditedModel, type AuditLog } from 'sequelize-auditlog';
import { createAuditTables } from 'sequelize-auditlog/migrations';
import { openAudited } from '../support/audited';
import { testDatabase } from '../support/database';

const database = testDatabase();
const columns = { status: DataTypes.TEXT };

/** One generation of an application: its own instance, log and model. */
function generation(
  modelName: string,
  tableName: string,
  options: Parameters<AuditLog['registerAudited']>[1],
): { auditLog: AuditLog; sequelize: Sequelize; orders: AuditedModel } {
  const sequelize = database.createSequelize();
  const auditLog = createAuditLog(sequelize);
  const model = sequelize.define(modelName, columns, { tableName, timestamps: false });
  return { auditLog, sequelize, orders: auditLog.registerAudited(model, options) };
}

const before = generation('Order', 'orders', { snapshots: true });

beforeAll(async () => {
  await openAudited(database, before.auditLog);
  await before.sequelize.sync();
});
afterAll(() => database.close());

async function ordersOf(
  where: { orders: AuditedModel; sequelize: Sequelize },
  name: string,
): Promise<unknown> {
  const { orders } = where;
  const created = await where.sequelize.model(name).create({ status: name });
  const key = created.get('id') as number;
  return [
    (await orders.entries(key)).map(({ action }) => action),
    (await orders.versions(1)).map((version) => version.get('status')),
  ];
}

test('118: a renamed class and table keep their history, under the name and table they had', async () => {
  await before.sequelize.model('Order').create({ status: 'kept' });
  await database.rows('alter table orders rename to purchases');
  const after = generation('Purchase', 'purchases', {
    modelName: 'Order',
    snapshots: { tableName: 'orders_history' },
  });
  expect(await after.auditLog.check()).toEqual({ ok: true, findings: [] });
  expect(await ordersOf(after, 'Purchase')).toEqual([['create'], ['kept']]);
  expect((await after.orders.entries(1)).map(({ model }) => model)).toEqual(['Order']);
});

test('118: a history table is renamed with its indexes, and nothing is missing then', async () => {
  await database.rows(`alter table orders_history rename to purchases_history;
    alter index orders_history_object rename to purchases_history_object;
    alter index orders_history_time rename to purchases_history_time`);
  const after = generation('Purchase', 'purchases', { modelName: 'Order', snapshots: true });
  expect(await after.auditLog.check()).toEqual({ ok: true, findings: [] });
  expect(await ordersOf(after, 'Purchase')).toEqual([['create'], ['kept']]);
});

test('122: entries that came with a dump share no transaction with those of the new server once they are marked', async () => {
  const after = generation('Purchase', 'purchases', { modelName: 'Order', snapshots: true });
  const { LogEntry } = after.auditLog;
  const old = await LogEntry.findAll();
  await database.rows(
    'update audit_log_entries set transaction_id = transaction_id - 4611686018427387904 where transaction_id > 0',
  );
  const Purchase = after.sequelize.model('Purchase');
  const created = await Purchase.create({ status: 'since' });
  const [entry] = await after.orders.entries(created);
  // The counter of the new server comes to a number that the old one gave: the same as if it had never moved.
  const same = await LogEntry.inTransaction(old[0]!.transactionId!);
  expect(same).toEqual([]);
  expect(await LogEntry.inTransaction(entry!.transactionId!)).toHaveLength(1);
  expect(await LogEntry.forModel(Purchase)).toHaveLength(old.length + 1);
  for await (const { entry: told } of after.auditLog.tail()) {
    expect(told.id).toBe(entry!.id);
    break;
  }
});

test('117: a log that was partitioned by hand is completed and written to; what fits no partition goes to the default one', async () => {
  const log = { tableName: 'parted_log' };
  await database.rows(`create sequence parted_log_id_seq;
    create table parted_log (
      id bigint not null default nextval('parted_log_id_seq'), timestamp timestamptz not null default clock_timestamp(),
      action text not null, model text not null, object_pk text, object_repr text, changes jsonb, actor_id text,
      actor_label text, actor_type text, remote_addr inet, remote_port integer, correlation_id text, request text,
      transaction_id bigint, reason text, additional_data jsonb, primary key (id, timestamp)
    ) partition by range (timestamp);
    alter sequence parted_log_id_seq owned by parted_log.id;
    create table parted_log_rest partition of parted_log default;
    create table parted_log_2020 partition of parted_log for values from ('2020-01-01') to ('2021-01-01')`);
  const sequelize = database.createSequelize();
  await createAuditTables(sequelize.getQueryInterface(), log);
  const auditLog = createAuditLog(sequelize, log);
  const Note = sequelize.define('Note', { text: DataTypes.TEXT }, { timestamps: false });
  auditLog.registerAudited(Note);
  await Note.sync();
  expect(await auditLog.check()).toEqual({ ok: true, findings: [] });
  const note = await Note.create({ text: 'a' });
  await note.update({ text: 'b' });
  expect((await auditLog.LogEntry.forObject(note)).map(({ action }) => action)).toEqual(['update', 'create']);
  expect(await database.rows('select action from parted_log_rest order by id')).toHaveLength(2);
});
