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

/** How often `work` warns of a raw write to the table of Order. */
async function warningsOf(work: () => Promise<unknown>): Promise<number> {
  const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  try {
    await work();
    const calls = [...warn.mock.calls] as unknown[][];
    for (const call of calls)
      expect(call).toEqual([
        expect.stringContaining('table of Order'),
        { type: 'AuditWarning', code: 'AUDIT_RAW_WRITE' },
      ]);
    expect(JSON.stringify(calls)).not.toContain('s3cret');
    return calls.length;
  } finally {
    warn.mockRestore();
  }
}

describe('raw SQL that writes to a registered table in a form that is not recorded is noticed', () => {
  beforeAll(async () => {
    await sequelize.query('create table orders_archive (id int); create table carts (id int, status text)');
    await sequelize.query('create table "orders;x" (id int)');
  });

  test.each([
    `with moved as (update orders o set status = 's3cret' from (select 1) x returning o.id) select * from moved`,
    `with simple as (update orders set status = 's3cret' where id = 0 returning id) select * from simple`,
    `with gone as (select 0 as id) delete from orders using gone where orders.id = gone.id`,
    `merge into orders o using (select 0 as id) x on o.id = x.id when matched then update set status = 's3cret'`,
    `select 1; update orders set status = 's3cret' where id = 0`,
    `begin; insert into orders (status) values ('s3cret'); rollback`,
    `insert into carts (id) values (1); delete from "orders" where id = 0`,
    `update carts set status = 'a;b' where id = 0; update orders set status = 's3cret' where id = 0`,
    `do $$ begin update orders set status = 's3cret' where id = 0; end $$`,
    `do $a$ begin execute 'insert into orders (status) select ''s3cret'' where false'; end $a$`,
    `explain analyze update orders set status = 's3cret' where id = 0`,
    `explain (analyze, costs off) delete from only orders where id = 0`,
    `prepare noted as update orders set status = $1 where id = 0; deallocate noted`,
    `/* a /* nested */ comment */ update orders o set status = 's3cret' where id = 0`,
    `begin; truncate only orders; rollback`,
    `begin; truncate carts, orders; rollback`,
  ])('%s', async (sql) => {
    const before = await actions();
    expect(await warningsOf(() => sequelize.query(sql))).toBe(1);
    expect(await warningsOf(() => sequelize.query(sql))).toBe(0);
    expect(await warningsOf(() => sequelize.query(`${sql.replace('s3cret', 'another')} -- again`))).toBe(0);
    expect(await warningsOf(() => sequelize.query(`${sql};`, { audit: false }))).toBe(0);
    expect(await actions()).toEqual(before);
  });

  test.each([
    'insert into orders_archive as a (id) values (1)',
    'select * from orders for update',
    'with o as (select * from orders for no key update) select * from o',
    `select 'update orders set x = 1; delete from orders' -- update orders set x`,
    'explain update orders set status = null',
    'create or replace function plain() returns void language sql as $$ update orders set status = null $$',
    'create table "Refs" (id int references orders on update cascade on delete cascade); drop table "Refs"',
    'grant update, delete on orders to current_user',
    'insert into "orders;x" (id) select id from orders',
    'insert into carts (id) select id from orders on conflict do nothing; update carts set status = null',
    `do $$ declare n int; begin select count(*) into n from orders for update; exception when others then null; end $$`,
  ])('but not: %s', async (sql) => {
    expect(await warningsOf(() => sequelize.query(sql))).toBe(0);
  });

  test('where the row of a cursor is written, without failing it', async () => {
    await sequelize.transaction(async (transaction) => {
      const run = (sql: string) => sequelize.query(sql, { transaction });
      await run(`insert into orders (status) values ('cursor')`);
      await run(`declare c cursor for select * from orders where status = 'cursor' for update`);
      await run('fetch c');
      expect(await warningsOf(() => run(`update orders set status = 'moved' where current of c`))).toBe(1);
      expect((await run(`select * from orders where status = 'moved'`))[0]).toHaveLength(1);
    });
  });

  test('also where it says that it selects rows of a model', async () => {
    const sql = `with x as (update orders o set status = 'x' where id = 0 returning *) select * from x`;
    const work = () => sequelize.query(sql, { type: QueryTypes.SELECT, model: Order });
    expect(await warningsOf(work)).toBe(1);
    const mapped = () => sequelize.query(`${sql} limit 1`, { model: Order, mapToModel: true });
    expect(await warningsOf(mapped)).toBe(1);
  });

  test('and a flood of ever new texts is told of no more than a hundred times', async () => {
    const work = async () => {
      for (let at = 0; at < 120; at += 1)
        await sequelize.query(`with x${at} as (update orders o set status = null where id = 0) select 1`);
    };
    expect(await warningsOf(work)).toBeLessThanOrEqual(100);
  });
});

test('several definitions in one text are seen, and writes after them are recorded by what the tables are now', async () => {
  const work = async () => {
    await Order.create({ status: '7' });
    await sequelize.query(`select 1; alter table orders alter column status type int using 7`);
    await Order.update({ status: 8 }, { where: {} });
    await sequelize.query(`do $$ begin alter table orders alter column status type text; end $$`);
    await Order.update({ status: '9' }, { where: {} });
  };
  const before = await auditLog.LogEntry.count();
  await Order.truncate({ audit: false });
  await work();
  const entries = await auditLog.LogEntry.findAll({ order: [['id', 'ASC']], offset: before });
  expect(entries.map(({ changes }) => changes!['status'])).toEqual([
    [null, '7'],
    [7, 8],
    ['8', '9'],
  ]);
});
