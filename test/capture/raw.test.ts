import { DataTypes, QueryTypes } from 'sequelize';
import { createAuditLog } from 'sequelize-auditlog';
import { testDatabase } from '../support/database';

const database = testDatabase();
const { sequelize } = database;
const auditLog = createAuditLog(sequelize);
const Order = sequelize.define(
  'Order',
  { status: DataTypes.TEXT },
  { tableName: 'orders', timestamps: false },
);

beforeAll(async () => {
  await database.open();
  auditLog.registerAudited(Order);
  await sequelize.sync();
  await auditLog.sync();
});
afterAll(() => database.close());

const actions = async (): Promise<string[]> =>
  (await auditLog.LogEntry.findAll({ order: [['id', 'ASC']] })).map(
    (entry) => `${entry.action} ${entry.objectPk}`,
  );

test('simple raw statements of a registered table are recorded, and answer as they would', async () => {
  await sequelize.query(`insert into orders (status) values ('a'), (:status)`, {
    replacements: { status: "b'" },
  });
  const [rows, result] = await sequelize.query(
    'update orders set status = $1 where id = $2 returning id, status',
    { bind: ['c', 1] },
  );
  expect(rows).toEqual([{ id: 1, status: 'c' }]);
  expect(result).toMatchObject({ command: 'UPDATE', rowCount: 1 });
  const mapped = await sequelize.query(`update "orders" set status = 'd' where id = 1 returning *`, {
    type: QueryTypes.SELECT,
    model: Order,
    mapToModel: true,
  });
  expect(mapped.map((order) => order.get())).toEqual([{ id: 1, status: 'd' }]);
  await sequelize.query('delete from orders where id = 2', { type: QueryTypes.DELETE });
  expect(await actions()).toEqual(['create 1', 'create 2', 'update 1', 'update 1', 'delete 2']);
});

test('the query interface is recorded by its table', async () => {
  const before = (await actions()).length;
  const queryInterface = sequelize.getQueryInterface();
  await queryInterface.bulkInsert('orders', [{ status: 'x' }, { status: 'y' }]);
  await queryInterface.bulkUpdate('orders', { status: 'z' }, { status: 'x' });
  await queryInterface.bulkDelete('orders', { status: ['y', 'z'] });
  const logged = (await actions()).slice(before);
  expect(logged.slice(0, 3)).toEqual(['create 3', 'create 4', 'update 3']);
  expect(logged.slice(3).toSorted()).toEqual(['delete 3', 'delete 4']);
});

test('raw SQL that cannot be taken apart is noticed once per text, and only for registered tables', async () => {
  const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  await sequelize.query('create table orders_archive (id int)');
  const before = await actions();
  const merged = `with moved as (update orders o set status = 'm' from (select 1) x returning o.id) select * from moved`;
  await sequelize.query(merged);
  await sequelize.query(merged);
  await sequelize.query('insert into orders_archive as a (id) values (1)');
  await sequelize.query('select * from orders for update');
  expect(warn.mock.calls).toEqual([
    [expect.stringContaining('table of Order'), { type: 'AuditWarning', code: 'AUDIT_RAW_WRITE' }],
  ]);
  warn.mockRestore();
  expect(await actions()).toEqual(before);
});
