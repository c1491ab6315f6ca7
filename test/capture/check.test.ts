import { DataTypes } from 'sequelize';
import { createAuditLog } from 'sequelize-auditlog';
import { testDatabase } from '../support/database';

const database = testDatabase();
const { sequelize } = database;
const auditLog = createAuditLog(sequelize);
const Order = sequelize.define('Order', {
  status: DataTypes.TEXT,
  apiKey: DataTypes.TEXT,
  pin: DataTypes.TEXT,
  notes: DataTypes.TEXT,
  loud: DataTypes.VIRTUAL,
});
const Item = sequelize.define('Item', { name: DataTypes.TEXT });
const Label = sequelize.define('Label', { name: DataTypes.TEXT });
Order.hasMany(Item, { onDelete: 'CASCADE' });
Order.hasMany(Label, { onDelete: 'SET NULL' });

beforeAll(async () => {
  await database.open();
  await sequelize.sync();
  auditLog.registerAudited(Order, {
    snapshots: true,
    exclude: ['notes'],
    mask: ['pin'],
    actions: ['update', 'delete'],
  });
  auditLog.registerAudited(Item);
});
afterAll(() => database.close());

const codes = async (): Promise<string[]> =>
  (await auditLog.check()).findings.map(({ code, model }) => [code, model].filter(Boolean).join(' '));

test('check finds missing tables, and nothing after sync', async () => {
  expect(await codes()).toEqual(['missing_table', 'missing_table Order']);
  await expect(auditLog.check({ throw: true })).rejects.toMatchObject({
    code: 'ERR_AUDIT_CHECK_FAILED',
    message: expect.stringContaining('audit_log_entries'),
  });
  await auditLog.sync();
  expect(await auditLog.check()).toEqual({ ok: true, findings: [] });
});

test('check names what has drifted', async () => {
  await database.rows('drop index audit_log_entries_actor');
  await database.rows('alter table "Orders_history" drop column status, alter column "createdAt" type text');
  await database.rows('alter table "Items" drop column name');
  await database.rows('alter table "Orders" enable row level security');
  expect((await codes()).toSorted()).toEqual(
    [
      'missing_index',
      'row_security Order',
      'missing_column Order',
      'column_type Order',
      'missing_column Item',
    ].toSorted(),
  );
});

test('coverage says what is recorded of each model and what is not', async () => {
  const coverage = await auditLog.coverage();
  expect(coverage.map(({ model, registered }) => [model, registered])).toEqual([
    ['Item', true],
    ['Label', false],
    ['Order', true],
  ]);
  expect(coverage[2]).toEqual({
    model: 'Order',
    table: 'Orders',
    registered: true,
    modelName: 'Order',
    snapshots: true,
    tracked: ['id', 'status', 'apiKey', 'pin', 'createdAt', 'updatedAt'],
    untracked: ['notes'],
    masked: ['apiKey', 'pin'],
    maskedByPattern: ['apiKey'],
    cascades: [
      { constraint: 'Items_OrderId_fkey', table: 'Items', onDelete: 'cascade', recorded: true },
      { constraint: 'Labels_OrderId_fkey', table: 'Labels', onDelete: 'set null', recorded: false },
    ],
    notRecorded: [
      'Raw SQL beyond simple statements, and other programs that write to the table.',
      'VIRTUAL attributes, which the database does not hold.',
      'The actions create, which its registration leaves out.',
    ],
  });
});
