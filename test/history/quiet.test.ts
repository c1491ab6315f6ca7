import { DataTypes, Model, Op } from 'sequelize';
import type { EntryFindOptions } from '../../lib/history/finders';
import { createAuditLog } from 'sequelize-auditlog';
import { testDatabase } from '../support/database';
import { rowsPassedOver } from '../support/plan-rows';
import { loggedBy } from '../support/statements';
import { auditFixture } from './fixture';

const database = testDatabase();

class Order extends Model {}
Order.init({ name: DataTypes.TEXT }, { sequelize: database.sequelize, timestamps: false });

const audit = auditFixture(database);
const { LogEntry } = audit;
const orders = audit.register(Order);

const ENTRIES = 40_000;
const QUIET = 8_000;

// A fifth of the log is old: of one model, about one object, by somebody who has left.
beforeAll(async () => {
  await database.open();
  await database.sequelize.sync();
  await audit.sync();
  await database.rows(
    `insert into audit_log_entries ("timestamp", action, model, object_pk, changes, actor_id)
     select now(), 'update', case when n <= $2 then 'Order' else 'Other' end, case when n <= $2 then '7' else n::text end,
       '{}', case when n <= $2 then 'gone' else (n % 3)::text end
     from generate_series(1, $1::int) s(n) order by s.n`,
    [ENTRIES, QUIET],
  );
  await database.rows('vacuum analyze audit_log_entries');
});
afterAll(() => database.close());

const page = { limit: 20 };
const after = (id: number): object => ({ ...page, where: { id: { [Op.lt]: String(id) } } });
const newest = Array.from({ length: 20 }, (_, at) => String(QUIET - at));
const next = Array.from({ length: 20 }, (_, at) => String(4_000 - 1 - at));

test.each([
  ['forModel', () => LogEntry.forModel(Order, page), newest],
  ['forObject', () => LogEntry.forObject(Order, 7, page), newest],
  ['entries', () => orders.entries(7, page), newest],
  ['byActor', () => LogEntry.byActor('gone', page), newest],
  ['forModel, a later page', () => LogEntry.forModel(Order, after(4_000)), next],
  ['forObject, a later page', () => LogEntry.forObject(Order, 7, after(4_000)), next],
  ['byActor, a later page', () => LogEntry.byActor('gone', after(4_000)), next],
])(
  '%s finds the newest entries of what has been quiet since without reading all that came after',
  async (_, find, ids) => {
    let found: { id: string }[] = [];
    const [sent = ''] = await loggedBy(database.sequelize, async () => {
      found = await find();
    });
    expect(found.map(({ id }) => id)).toEqual(ids);
    expect(await rowsPassedOver(database, sent)).toBe(0);
  },
);

test.each<[string, NonNullable<EntryFindOptions['where']>, string[]]>([
  ['before an id', { id: { [Op.lte]: 3 } }, ['3', '2', '1']],
  ['after an id', { id: { [Op.gt]: QUIET - 2 } }, ['8000', '7999']],
  ['from an id on', { id: { [Op.gte]: String(QUIET) } }, ['8000']],
  ['an id', { id: 5 }, ['5']],
  ['ids', { id: ['6', '5'] }, ['6', '5']],
  ['between ids', { id: { [Op.gt]: 2, [Op.lt]: 5 } }, ['4', '3']],
  ['an id and an action', { id: { [Op.lt]: 3 }, action: 'update' }, ['2', '1']],
  ['an id and another action', { id: { [Op.lt]: 3 }, action: 'delete' }, []],
  ['a condition on the same attribute', { id: { [Op.lt]: 3 }, model: 'Other' }, []],
  ['an alternative', { [Op.or]: [{ id: 3 }, { id: 4 }] }, ['4', '3']],
])('a condition of the caller, %s, is kept', async (_, where, ids) => {
  const found = await LogEntry.forModel('Order', { where, limit: 20 });
  expect(found.map(({ id }) => id)).toEqual(ids);
});

test('what is no id fails as it would in a statement of its own', async () => {
  const where = { id: { [Op.lt]: 'abc' } };
  await expect(LogEntry.forModel('Order', { where })).rejects.toThrow(/abc/);
});

test('what a find asks for may leave no room for another order', async () => {
  const { fn, col } = database.sequelize;
  const distinct = await LogEntry.forModel('Order', {
    attributes: [[fn('distinct', col('id')), 'id']],
    limit: 3,
  });
  expect(distinct).toHaveLength(3);
  expect(await LogEntry.forModel('Order', { attributes: ['id'], limit: 3 })).toHaveLength(3);
});

test('without quoted identifiers, a later page is found as well', async () => {
  const other = createAuditLog(database.createSequelize({ quoteIdentifiers: false }));
  const where = { id: { [Op.lt]: '3' } };
  expect((await other.LogEntry.forModel('Order', { where })).map(({ id }) => id)).toEqual(['2', '1']);
});

test('an order of the caller is kept', async () => {
  const found = await LogEntry.forModel('Order', { order: [['id', 'ASC']], limit: 2 });
  expect(found.map(({ id }) => id)).toEqual(['1', '2']);
});

test('a value with quotation marks is found by page', async () => {
  await database.rows(
    `insert into audit_log_entries ("timestamp", action, model, changes) select now(), 'update', $1, '{}' from generate_series(1, 2)`,
    [String.raw`it's \a "model"`],
  );
  const [first] = await LogEntry.forModel(String.raw`it's \a "model"`, { limit: 1 });
  const where = { id: { [Op.lt]: first!.id } };
  const second = await LogEntry.forModel(String.raw`it's \a "model"`, { where });
  expect(second.map(({ id }) => BigInt(id))).toEqual([BigInt(first!.id) - 1n]);
});
