import { DataTypes, Model, Op, QueryTypes, Transaction, type CreationAttributes } from 'sequelize';
import { createAuditLog } from 'sequelize-auditlog';
import { openAudited, refusalOf } from '../support/audited';
import { testDatabase } from '../support/database';
import { loggedBy, statementsOf } from '../support/statements';

const database = testDatabase({ pool: { max: 6 } });
const { sequelize } = database;
const auditLog = createAuditLog(sequelize);

class Row extends Model {
  declare id: number;
  [key: string]: any;
}

function define(name: string, table: string, columns: object, options: object = {}): typeof Row {
  const id = { type: DataTypes.INTEGER, primaryKey: true };
  const attributes = name === 'OrderTag' ? {} : { id, ...columns };
  class Defined extends Row {}
  Defined.init(attributes, { sequelize, modelName: name, tableName: table, timestamps: false, ...options });
  return Defined;
}

const Country = define('Country', 'countries', { name: DataTypes.TEXT });
const Customer = define('Customer', 'customers', {
  name: DataTypes.TEXT,
  countryId: { type: DataTypes.INTEGER, field: 'country_id' },
});
const Profile = define('Profile', 'profiles', {
  bio: DataTypes.TEXT,
  customerId: { type: DataTypes.INTEGER, references: { model: 'customers', key: 'id' } },
});
const Order = define(
  'Order',
  'orders',
  {
    status: DataTypes.TEXT,
    total: DataTypes.DECIMAL(10, 2),
    notes: DataTypes.TEXT,
    password: { type: DataTypes.TEXT, field: 'pass' },
    customerId: {
      type: DataTypes.INTEGER,
      field: 'customer_id',
      references: { model: 'customers', key: 'id' },
    },
    parentId: { type: DataTypes.INTEGER, field: 'parent_id' },
  },
  { scopes: { paid: { where: { status: 'paid' } } } },
);
const Item = define(
  'Item',
  'items',
  {
    sku: DataTypes.TEXT,
    quantity: DataTypes.INTEGER,
    orderId: { type: DataTypes.INTEGER, field: 'order_id', references: { model: 'orders', key: 'id' } },
  },
  { paranoid: true, timestamps: true, createdAt: false, updatedAt: false },
);
const Tag = define('Tag', 'tags', { name: DataTypes.TEXT });
const OrderTag = define('OrderTag', 'order_tags', {});
const Payment = define('Payment', 'payments', { amount: DataTypes.INTEGER, orderId: DataTypes.INTEGER });

Customer.belongsTo(Country, { foreignKey: 'countryId', as: 'country', constraints: false });
Country.hasMany(Customer, { foreignKey: 'countryId', as: 'customers', constraints: false });
Customer.hasOne(Profile, { foreignKey: 'customerId', as: 'profile', constraints: false });
Profile.belongsTo(Customer, { foreignKey: 'customerId', as: 'customer', constraints: false });
Customer.hasMany(Order, { foreignKey: 'customerId', as: 'orders', constraints: false });
Order.belongsTo(Customer, { foreignKey: 'customerId', as: 'customer', constraints: false });
Order.belongsTo(Order, { foreignKey: 'parentId', as: 'parent', constraints: false });
Order.hasMany(Item, { foreignKey: 'orderId', as: 'items', constraints: false });
Item.belongsTo(Order, { foreignKey: 'orderId', as: 'order', constraints: false });
Order.hasMany(Payment, { foreignKey: 'orderId', as: 'payments', constraints: false });
Order.belongsToMany(Tag, {
  through: OrderTag,
  foreignKey: 'orderId',
  otherKey: 'tagId',
  as: 'tags',
  constraints: false,
});
Tag.belongsToMany(Order, {
  through: OrderTag,
  foreignKey: 'tagId',
  otherKey: 'orderId',
  as: 'orders',
  constraints: false,
});

for (const model of [Customer, Profile, Item, Tag, OrderTag])
  auditLog.registerAudited(model, { snapshots: true });
const handle = auditLog.registerAudited(Order, { snapshots: true, exclude: ['notes'] as never });
auditLog.registerAudited(Payment);

const TIME = `to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
const times: string[] = [];

async function create(model: typeof Row, ...rows: object[]): Promise<void> {
  for (const row of rows) await model.create(row as CreationAttributes<Row>);
}

const change = (model: typeof Row, id: number, values: object): Promise<unknown> =>
  model.update(values, { where: { id } });

type Query = (transaction: Transaction | null) => Promise<unknown>;

const shown = { exclude: ['password', 'notes'] };
const plain = (rows: unknown): any => JSON.parse(JSON.stringify(rows));
const select = (sql: string, options: object = {}): Query => {
  const query: Query = (transaction) =>
    sequelize.query(sql, { type: QueryTypes.SELECT, transaction, ...options });
  return query;
};
const itemsOf = { association: 'items', attributes: ['id', 'sku', 'quantity'] };
const byId: any = ['id'];

/** Queries of all kinds, of which the answers in the present are noted at each of the times, to be met again later. */
const QUERIES: Record<string, Query> = {
  'three levels': (transaction) =>
    Customer.findAll({
      include: [
        {
          association: 'orders',
          attributes: shown,
          include: [itemsOf, 'tags', { association: 'parent', attributes: shown }],
        },
        'profile',
      ],
      order: [
        'id',
        ['orders', 'id', 'ASC'],
        ['orders', 'items', 'id', 'ASC'],
        ['orders', 'tags', 'id', 'ASC'],
      ],
      transaction,
    }),
  'a page with a hasMany, its limit in a sub-query': (transaction) =>
    Order.findAll({
      attributes: shown,
      include: [itemsOf, 'customer'],
      order: [
        ['id', 'DESC'],
        ['items', 'id', 'ASC'],
      ],
      limit: 2,
      transaction,
    }),
  'the same without a sub-query': (transaction) =>
    Order.findAll({
      attributes: shown,
      include: [itemsOf],
      order: [
        ['id', 'ASC'],
        ['items', 'id', 'ASC'],
      ],
      limit: 2,
      subQuery: false,
      transaction,
    }),
  'separate includes': (transaction) =>
    Order.findAll({
      attributes: shown,
      include: [{ ...itemsOf, attributes: ['id', 'orderId', 'sku'], separate: true, order: byId }],
      order: byId,
      transaction,
    }),
  'separate includes with a limit': (transaction) =>
    Order.findAll({
      attributes: shown,
      include: [{ ...itemsOf, attributes: ['id', 'orderId'], separate: true, limit: 1, order: byId }],
      order: byId,
      transaction,
    }),
  'a required include with a condition and a limit': (transaction) =>
    Order.findAll({
      attributes: shown,
      include: [{ ...itemsOf, required: true, where: { quantity: { [Op.gt]: 1 } } }],
      order: [...byId, ['items', 'id', 'ASC']],
      limit: 3,
      transaction,
    }),
  'a condition on an include': (transaction) =>
    Order.findAll({
      attributes: shown,
      include: ['customer'],
      where: { '$customer.name$': 'Ann' },
      order: byId,
      transaction,
    }),
  'belongsToMany both ways': async (transaction) => [
    await Order.findAll({
      attributes: ['id'],
      include: [{ association: 'tags', through: { attributes: ['tagId'] } }],
      order: [...byId, ['tags', 'id', 'ASC']],
      transaction,
    }),
    await Tag.findAll({
      include: [
        { association: 'orders', attributes: ['id'], through: { where: { tagId: 1 }, attributes: [] } },
      ],
      order: [...byId, ['orders', 'id', 'ASC']],
      transaction,
    }),
  ],
  'by foreign key': (transaction) =>
    Order.findAll({ attributes: shown, where: { customerId: [1, 2] }, order: byId, transaction }),
  'by key, backwards': (transaction) =>
    Order.findAll({ attributes: shown, where: { id: { [Op.lt]: 9 } }, order: [['id', 'DESC']], transaction }),
  'a page from the end': (transaction) =>
    Order.findAll({ attributes: shown, order: [['id', 'DESC']], limit: 1, transaction }),
  'a page by another column': (transaction) =>
    Order.findAll({ attributes: shown, order: [['total', 'DESC']], limit: 1, transaction }),
  'an object': (transaction) => Order.findByPk(1, { attributes: shown, transaction }),
  'a scope': (transaction) => Order.scope('paid').findAll({ attributes: shown, order: byId, transaction }),
  'a scope of an include': (transaction) =>
    Customer.findAll({
      include: [{ model: Order.scope('paid') as typeof Order, as: 'orders', attributes: ['id'] }],
      order: byId,
      transaction,
    }),
  'soft-deleted rows': (transaction) => Item.findAll({ paranoid: false, order: byId, transaction }),
  counts: async (transaction) => [
    await Order.count({ transaction }),
    await Order.count({ where: { status: 'paid' }, transaction }),
    await Item.count({ transaction }),
    await Order.count({ include: [{ association: 'items', required: true }], distinct: true, transaction }),
    (await Order.count({ group: ['status'], transaction }))
      .map(({ status, count }) => `${String(status)} ${count}`)
      .toSorted(),
  ],
  aggregates: async (transaction) => [
    await Order.sum('total', { transaction }),
    await Order.max('customerId', { transaction }),
    await Item.min('quantity', { where: { orderId: 1 }, transaction }),
  ],
  'a page and its count': (transaction) =>
    Order.findAndCountAll({
      attributes: shown,
      include: [itemsOf],
      distinct: true,
      order: [...byId, ['items', 'id', 'ASC']],
      limit: 1,
      transaction,
    }),
  'group and having': (transaction) =>
    Item.findAll({
      attributes: ['orderId', [sequelize.fn('sum', sequelize.col('quantity')), 'sum']],
      group: ['orderId'],
      having: sequelize.literal('sum(quantity) > 1'),
      raw: true,
      transaction,
    }),
  'literals with sub-queries': (transaction) =>
    Order.findAll({
      attributes: [
        'id',
        [sequelize.literal('(select count(*) from items where items.order_id = "Order".id)'), 'n'],
      ],
      where: sequelize.literal(
        'exists (select from customers c where c.id = "Order"."customer_id")',
      ) as never,
      order: byId,
      transaction,
    }),
  'a self join': select(
    'select o.id, p.status from orders o left join orders p on p.id = o.parent_id order by o.id',
  ),
  'names without quotes': select('SELECT Id, STATUS FROM ORDERS where Orders.Status is not null order by 1'),
  'rows of a table without an alias': select(
    'select "orders"."id", "items"."sku" from "orders", "items" where "items"."order_id" = "orders"."id" order by 2',
  ),
  TABLE: select('table customers order by id'),
  'a union in parentheses': select('(select id from orders) union all (select id from items) order by 1'),
  'a common table expression': select(
    'with x as (select * from orders), y as (select * from x) select y.id, c.name from y join customers c on c.id = y.customer_id order by 1',
  ),
  'one of the same name, over the table': select(
    'with orders as (select * from orders where id < 2), z as (table items) select o.id, i.sku from orders o join z i on i.order_id = o.id order by 2',
  ),
  'one of the same name, without the table': select(`with orders as (select 7 as id) select * from orders`),
  'a recursive one': select(
    'with recursive tree as (select id, 0 as depth from orders where parent_id is null union all select o.id, t.depth + 1 from orders o join tree t on o.parent_id = t.id) select * from tree order by id',
  ),
  'one inside a sub-query': select(
    'select * from (with orders as (select id from items) select id from orders) q order by 1',
  ),
  'one in parentheses': select('(with x as (select id from orders) select * from x order by id)'),
  'words in texts and comments': select(
    `/* from orders */ select 'from orders' as a, $x$ from orders; $x$ as b, count(*)::int as n -- orders; delete
 from orders where 'it''s' <> E'\\'orders'`,
  ),
  'from inside an expression': select(
    'select extract(day from "deletedAt") is not null as gone, substring(sku from 1 for 1) as s, id is distinct from order_id as d from items order by id',
  ),
  'joins of every sort': select(
    'select c.id, i.sku from only customers c cross join lateral (select * from orders where customer_id = c.id) o left join (items i join tags t on true) on i.order_id = o.id, lateral (select 1) l order by 1, 2',
  ),
  replacements: select('select id from orders where status in (:status) order by id', {
    replacements: { status: ['paid', 'sent'] },
  }),
  binds: select('select id from orders where status = $status order by id', { bind: { status: 'paid' } }),
  'rows as instances': (transaction) =>
    sequelize.query('select id, status, customer_id as "customerId" from orders order by id', {
      model: Order,
      mapToModel: true,
      transaction,
    }),
  'the schema named': (transaction) =>
    select(`select orders.id, ${database.schema}.orders.status from ${database.schema}.orders order by 1`)(
      transaction,
    ),
  'the schema named, with an alias': (transaction) =>
    select(
      `select o.id from "${database.schema}"."orders" o, "${database.schema}".items where items.order_id = o.id order by 1`,
    )(transaction),
  'several in a row with the same options': async (transaction) => {
    const options = Object.freeze({ transaction, attributes: shown as never, order: byId });
    return [await Order.findAll(options), await Order.findAll(options)];
  },
  'the getters of an instance': async (transaction) => {
    const found = await Order.findByPk(1, { attributes: shown, transaction });
    if (!found) return null;
    const given = { transaction, order: byId };
    return [
      await found.getItems(given),
      await found.countItems({ transaction }),
      await found.getTags(given),
      await found.getCustomer({ transaction }),
    ];
  },
};

async function answerOf(name: string, query: Query, transaction: Transaction | null): Promise<unknown> {
  try {
    return plain(await query(transaction));
  } catch (error) {
    // Sequelize's errors don't say which statement it was.
    throw new Error(`${name}: ${(error as Error).message}`, { cause: error });
  }
}

async function answersNow(transaction: Transaction | null): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const [name, query] of Object.entries(QUERIES)) found[name] = await answerOf(name, query, transaction);
  return found;
}

/** The answers to every query in the present, by the place of the time: at the fullest one, with FULL=1 at all. */
const noted = new Map<number, Record<string, unknown>>();
const FULLEST = 2;

/** Remembers the moment, by the database's clock, and what is seen in it. */
async function note(): Promise<void> {
  if (times.length === FULLEST || process.env['FULL'] === '1')
    noted.set(times.length, await answersNow(null));
  const [row] = await database.rows<{ now: string }>(`select ${TIME} as now`);
  times.push(row!.now);
}

/**
 * 0 nothing · 1 order 1 of Ann with two items · 2 order 1 paid, its second item soft-deleted, a third one, tagged; order 2 of Bob
 * below order 1 · 3 order 2 deleted, order 1 goes to Bob, the tag is renamed and taken away, Ann is Anna
 */
async function story(): Promise<void> {
  await note();
  await create(Country, { id: 1, name: 'Old' });
  await create(Customer, { id: 1, name: 'Ann', countryId: 1 }, { id: 2, name: 'Bob', countryId: 1 });
  await create(Profile, { id: 1, bio: 'first', customerId: 1 });
  await create(Order, { id: 1, status: 'new', total: 10, notes: 'n', password: 'p', customerId: 1 });
  await create(
    Item,
    { id: 1, sku: 'a', quantity: 1, orderId: 1 },
    { id: 2, sku: 'b', quantity: 2, orderId: 1 },
  );
  await create(Tag, { id: 1, name: 'red' });
  await note();
  await change(Order, 1, { status: 'paid', total: 20 });
  await Item.destroy({ where: { id: 2 } });
  await create(Item, { id: 3, sku: 'c', quantity: 3, orderId: 1 });
  await create(Order, { id: 2, status: 'paid', total: 5, customerId: 2, parentId: 1 });
  await OrderTag.create({ orderId: 1, tagId: 1 });
  await note();
  await Order.destroy({ where: { id: 2 } });
  await change(Order, 1, { customerId: 2, status: 'sent' });
  await OrderTag.destroy({ where: { orderId: 1 } });
  await change(Tag, 1, { name: 'blue' });
  await change(Customer, 1, { name: 'Anna' });
  await change(Country, 1, { name: 'New' });
  await change(Profile, 1, { bio: 'second', customerId: 2 });
  await change(Item, 1, { quantity: 100 });
  await create(Payment, { id: 1, amount: 1, orderId: 1 });
  await note();
}

beforeAll(async () => {
  await openAudited(database, auditLog);
  await story();
});
afterAll(() => database.close());

/** Reads at each of the times. */
async function atEach<T>(read: (transaction: Transaction) => Promise<T>): Promise<T[]> {
  const answers: T[] = [];
  for (const time of times) answers.push(await auditLog.asOf(time, read));
  return answers;
}

const at = <T>(place: number, read: (transaction: Transaction) => Promise<T>): Promise<T> =>
  auditLog.asOf(times[place]!, read);

describe('models', () => {
  test('H195 rows as of each time', async () => {
    const found = await atEach((transaction) => Order.findAll({ transaction, order: ['id'] }));
    expect(found.map((rows) => rows.map(({ id, status, customerId }) => [id, status, customerId]))).toEqual([
      [],
      [[1, 'new', 1]],
      [
        [1, 'paid', 1],
        [2, 'paid', 2],
      ],
      [[1, 'sent', 2]],
    ]);
  });

  test('H209 H210 a belongsTo follows the key of that time to the row of that time', async () => {
    const found = await atEach((transaction) =>
      Order.findByPk(1, { include: ['customer', 'parent'], transaction }),
    );
    expect(found.map((row) => row && [row.customer.id, row.customer.name, row.parent])).toEqual([
      null,
      [1, 'Ann', null],
      [1, 'Ann', null],
      [2, 'Bob', null],
    ]);
    const child = await at(2, (transaction) => Order.findByPk(2, { include: 'parent', transaction }));
    expect([child!.parent.id, child!.parent.status]).toEqual([1, 'paid']);
  });

  test('H211 a hasMany has the members of that time, and only those', async () => {
    const found = await atEach((transaction) =>
      Order.findByPk(1, { include: ['items'], order: [['items', 'id', 'ASC']], transaction }),
    );
    expect(found.map((row) => row?.items.map(({ id, quantity }: Row) => [id, quantity]))).toEqual([
      undefined,
      [
        [1, 1],
        [2, 2],
      ],
      [
        [1, 1],
        [3, 3],
      ],
      [
        [1, 100],
        [3, 3],
      ],
    ]);
  });
});

describe('the same queries, later', () => {
  test('every query has the answer that it had then', async () => {
    for (const [place, then] of noted.entries())
      expect([place, await at(place, answersNow)]).toEqual([place, then]);
  });
});

describe('what is refused', () => {
  const WRITES: Record<string, (transaction: Transaction | null | undefined) => Promise<unknown>> = {
    create: (transaction) => Order.create({ id: 9 }, { transaction: transaction! }),
    bulkCreate: (transaction) => Order.bulkCreate([{ id: 9 }], { transaction: transaction! }),
    update: (transaction) => Order.update({ status: 'x' }, { where: { id: 1 }, transaction: transaction! }),
    destroy: (transaction) => Order.destroy({ where: { id: 1 }, transaction: transaction! }),
    increment: (transaction) => Order.increment('total', { where: { id: 1 }, transaction: transaction! }),
    upsert: (transaction) => Order.upsert({ id: 1 }, { transaction: transaction! }),
    truncate: (transaction) => Order.truncate({ transaction: transaction! }),
    'of a model that is not registered': (transaction) =>
      Country.create({ id: 9 }, { transaction: transaction! }),
    ...Object.fromEntries(
      [
        'insert into orders (id) values (9)',
        '/* a */ delete from orders',
        'with gone as (delete from orders returning *) select * from gone',
        '(with gone as (delete from orders returning *) select * from gone)',
        'with a as (select 1) insert into orders select 9',
        'select * into orders2 from orders',
        'explain analyze delete from orders',
        'explain (analyze, costs off) update orders set total = 1',
        'select 1; delete from orders',
        'do $$ begin delete from orders; end $$',
        'call nothing()',
        'copy orders from stdin',
        'set transaction read write',
        'SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE',
        'create table t (id int)',
        'declare c cursor for select * from orders',
        'lock table orders',
        'prepare p as select * from orders',
      ].map((sql) => [sql, (transaction) => sequelize.query(sql, { transaction: transaction ?? null })]),
    ),
  };

  test('every write, in the transaction and on purpose outside of it', async () => {
    await at(1, async (transaction) => {
      for (const [name, write] of Object.entries(WRITES)) {
        for (const given of [transaction, null]) {
          const { code } = await refusalOf(() => write(given));
          expect([name, code]).toEqual([name, 'ERR_AUDIT_READ_ONLY']);
        }
      }
      // The refusals came before PostgreSQL, so the transaction goes on.
      expect(await Order.count({ transaction })).toBe(1);
    });
    expect((await Order.findByPk(1))!.status).toBe('sent');
  });

  const ENDS = [
    'COMMIT',
    'end',
    'Abort work',
    'ROLLBACK',
    'rollback work and no chain',
    'commit and chain',
    "commit prepared 'x'",
    'begin',
    'begin isolation level read committed',
    'START TRANSACTION READ WRITE',
    "prepare transaction 'x'",
    '-- now\n/* /* for */ good */ commit; ;',
    'select 1; commit',
    "select 'a; b', $$;$$; rollback; begin",
    'select * from orders; end',
    'savepoint a; rollback to a; rollback',
    'explain commit',
    'reset transaction_read_only',
    'RESET "transaction_isolation"',
    'set local transaction_read_only to default',
    'select 1; set session transaction_isolation = default',
  ];

  test('what would end its transaction or begin another, or lift what makes it one of the past', async () => {
    await at(1, async (transaction) => {
      const settings = async (): Promise<unknown> => [
        await sequelize.query(
          `select current_setting('transaction_read_only') as r, current_setting('transaction_isolation') as i,
            now()::text as began`,
          { transaction, plain: true, type: QueryTypes.SELECT },
        ),
        (await Order.findAll({ transaction })).map(({ status }) => status),
      ];
      const before = await settings();
      expect(before).toMatchObject([{ r: 'on', i: 'repeatable read' }, ['new']]);
      const ends: Record<string, () => Promise<unknown>> = {
        'transaction.commit': () => transaction.commit(),
        'transaction.rollback': () => transaction.rollback(),
      };
      for (const sql of ENDS) ends[sql] = () => sequelize.query(sql, { transaction });
      for (const [name, end] of Object.entries(ends)) {
        const { code } = await refusalOf(end);
        expect([name, code, await settings()]).toEqual([name, 'ERR_AUDIT_READ_ONLY', before]);
      }
      const inner = await sequelize.transaction({ transaction });
      const error = await refusalOf(() => sequelize.query('commit', { transaction: inner }));
      expect(error.message).toMatch(/COMMIT would end .* by itself/);
      await inner.rollback();
      expect(await refusalOf(() => Order.create({ id: 9 }, { transaction }))).toMatchObject({
        code: 'ERR_AUDIT_READ_ONLY',
      });
      expect(await settings()).toEqual(before);
    });
    expect((await Order.findAll()).map(({ id, status }) => [id, status])).toEqual([[1, 'sent']]);
  });

  test('a write without any transaction', async () => {
    const error = await at(1, () => refusalOf(() => Order.create({ id: 9 })));
    expect(error).toMatchObject({ code: 'ERR_AUDIT_READ_ONLY' });
    expect(await Order.findByPk(9)).toBeNull();
  });

  test('a write that only PostgreSQL sees; its error names no statement', async () => {
    await database.rows('create sequence if not exists counter');
    const error = await refusalOf(() =>
      at(1, (transaction) => sequelize.query("select nextval('counter') from orders", { transaction })),
    );
    expect(error).toMatchObject({ code: 'ERR_AUDIT_READ_ONLY', cause: { code: '25006' } });
    expect((error as { sql?: string }).sql).toBeUndefined();
  });

  const PRESENT: Record<string, (transaction: Transaction) => Promise<unknown>> = {
    'a finder without the transaction': () => Order.findAll(),
    'a count without it': () => Order.count(),
    'an include without it': () => Country.findAll({ include: 'customers' }),
    'raw SQL without it': () => sequelize.query('select * from orders'),
    'the schema named, without it': () => sequelize.query(`select * from ${database.schema}.orders`),
    'another transaction': () => sequelize.transaction((transaction) => Order.findAll({ transaction })),
    lock: (transaction) => Order.findAll({ lock: true, transaction }),
    'lock of a table': (transaction) =>
      Order.findAll({ lock: { level: Transaction.LOCK.SHARE, of: Order }, transaction }),
    'for update': (transaction) => sequelize.query('select * from orders for no key update', { transaction }),
    'several statements': (transaction) => sequelize.query('select 1; select * from orders', { transaction }),
    'names with escapes': (transaction) => sequelize.query('select * from U&"\\006frders"', { transaction }),
    'a condition on a masked attribute': (transaction) =>
      Order.findAll({ where: { password: 'p' }, transaction }),
    'on its column': (transaction) =>
      Order.count({ where: { [Op.and]: [{ id: 1 }, { [Op.not]: { pass: 'p' } }] } as never, transaction }),
    'on an excluded one': (transaction) =>
      Order.findOne({ where: { [Op.or]: [{ id: 1 }, { notes: { [Op.ne]: null } }] } as never, transaction }),
    'by where()': (transaction) =>
      Order.findAll({
        where: sequelize.where(sequelize.fn('lower', sequelize.col('Order.notes')), 'n') as never,
        transaction,
      }),
    'in a literal': (transaction) =>
      Order.findAll({ where: sequelize.literal('"Order".notes is null') as never, transaction }),
    'in an order': (transaction) => Order.findAll({ order: [['notes', 'DESC']], transaction }),
    'in an order by an include': (transaction) =>
      Item.findAll({ include: 'order', order: [['order', 'notes', 'ASC']], transaction }),
    'in a group': (transaction) => Order.findAll({ attributes: ['notes'], group: ['notes'], transaction }),
    'in an include': (transaction) =>
      Customer.findAll({ include: { association: 'orders', where: { password: 'p' } }, transaction }),
    'by the path of an include': (transaction) =>
      Item.findAll({ include: 'order', where: { '$order.notes$': 'n' }, transaction }),
    'in a scope': (transaction) =>
      Item.findAll({
        include: 'order',
        where: sequelize.where(sequelize.col('order.pass'), Op.eq, 'p') as never,
        transaction,
      }),
  };

  test('what would read the present, or by what nobody knows', async () => {
    await at(1, async (transaction) => {
      for (const [name, read] of Object.entries(PRESENT)) {
        const { code } = await refusalOf(() => read(transaction));
        expect([name, code]).toEqual([name, 'ERR_AUDIT_INVALID_ARGUMENT']);
      }
      expect(await Order.count({ transaction })).toBe(1);
    });
  });

  test('an association by a hidden key', async () => {
    auditLog.registerAudited(Profile, { snapshots: true, exclude: ['customerId'] as never });
    const refused = [
      (transaction: Transaction) => Profile.findAll({ include: 'customer', transaction }),
      (transaction: Transaction) => Customer.findAll({ include: 'profile', transaction }),
    ];
    for (const read of refused)
      expect(await refusalOf(() => at(1, read))).toMatchObject({ code: 'ERR_AUDIT_INVALID_ARGUMENT' });
    auditLog.registerAudited(Profile, { snapshots: true });
  });

  test('a history table that is not there', async () => {
    await database.rows('alter table tags_history rename to elsewhere');
    const error = await refusalOf(() => at(2, (transaction) => Tag.findAll({ transaction })));
    await database.rows('alter table elsewhere rename to tags_history');
    expect(error).toMatchObject({ code: 'ERR_AUDIT_MISSING_TABLE' });
  });

  test('a condition by a value or a name that only looks like a hidden attribute is none', async () => {
    await at(2, async (transaction) => {
      const where = { status: { [Op.in]: ['notes', 'paid'] } };
      expect(await Order.count({ where, transaction })).toBe(2);
      const found = await Order.findByPk(1, { transaction });
      expect([found!.notes, found!.password, found!.status]).toEqual([null, null, 'paid']);
      expect(await Order.findAll({ attributes: ['notes', 'password'], raw: true, transaction })).toEqual(
        Array.from({ length: 2 }, () => ({ notes: null, password: null })),
      );
    });
  });

  test.each<[string, (transaction: Transaction) => Promise<unknown>]>([
    ['a finder', (transaction) => Payment.findAll({ transaction })],
    ['an include', (transaction) => Order.findAll({ include: 'payments', transaction })],
    ['raw SQL', (transaction) => sequelize.query('select * from orders o, Payments', { transaction })],
    [
      'its schema named',
      (transaction) => sequelize.query(`select 1 from ${database.schema}.payments`, { transaction }),
    ],
    [
      'a WITH',
      (transaction) =>
        sequelize.query('with payments as (select * from payments) select 1 from payments', { transaction }),
    ],
  ])('a registered model without snapshots: %s', async (_, read) => {
    await at(1, async (transaction) => {
      const error = await refusalOf(() => read(transaction));
      expect([error.code, error.message]).toEqual([
        'ERR_AUDIT_NO_SNAPSHOTS',
        expect.stringContaining('Payment'),
      ]);
      expect(
        await sequelize.query('select 1 as payments', { transaction, type: QueryTypes.SELECT }),
      ).toHaveLength(1);
    });
  });

  test('transaction: null reads the present on purpose, unregistered models need none', async () => {
    await at(1, async () => {
      expect((await Order.findByPk(1, { transaction: null as never }))!.status).toBe('sent');
      expect((await Country.findByPk(1))!.name).toBe('New');
    });
  });

  test('arguments', async () => {
    for (const [when, fn] of [
      [times[1], undefined],
      [times[1], {}],
      ['yesterday', async () => 1],
      [undefined, async () => 1],
      [new Date(Number.NaN), async () => 1],
    ])
      expect(await refusalOf(() => auditLog.asOf(when as never, fn as never))).toMatchObject({
        code: 'ERR_AUDIT_INVALID_ARGUMENT',
      });
  });
});

describe('the transaction', () => {
  test('it is read-only, sees one snapshot and is finished; the answer and the error are handed on', async () => {
    const seen: Transaction[] = [];
    const answer = await at(1, async (transaction) => {
      seen.push(transaction);
      const show = (name: string): Promise<unknown> =>
        sequelize.query(`show ${name}`, { transaction, plain: true, type: QueryTypes.SELECT });
      return [await show('transaction_read_only'), await show('transaction_isolation')];
    });
    expect(answer).toEqual([{ transaction_read_only: 'on' }, { transaction_isolation: 'repeatable read' }]);
    const thrown = new RangeError('mine');
    for (let time = 0; time < 7; time += 1) {
      const failing = auditLog.asOf(times[1]!, (transaction) => {
        seen.push(transaction);
        throw thrown;
      });
      await expect(failing).rejects.toBe(thrown);
    }
    expect(seen.map((each) => (each as unknown as { finished: string }).finished)).toEqual([
      'commit',
      ...Array.from({ length: 7 }, () => 'rollback'),
    ]);
    await expect(Order.findAll({ transaction: seen[0]! })).rejects.toThrow(/commit has been called/);
  });

  test("an error of the database is Sequelize's own, with the statement of the caller", async () => {
    const sql = 'select nothing from orders';
    const failing = at(1, (transaction) => sequelize.query(sql, { transaction }));
    await expect(failing).rejects.toMatchObject({
      name: 'SequelizeDatabaseError',
      sql,
      original: { code: '42703' },
    });
    const slow = at(1, async (transaction) => {
      await sequelize.query('set local statement_timeout = 20', { transaction });
      await sequelize.query('select pg_sleep(5) from orders', { transaction });
    });
    await expect(slow).rejects.toMatchObject({ original: { code: '57014' } });
  });

  test('savepoints are in the same past', async () => {
    const found = await at(2, (transaction) =>
      sequelize.transaction({ transaction }, async (inner) => {
        await sequelize
          .transaction({ transaction: inner }, () => Promise.reject(new Error('back')))
          .catch(() => undefined);
        return Order.findAll({ transaction: inner, order: ['id'] });
      }),
    );
    expect(found.map(({ status }) => status)).toEqual(['paid', 'paid']);
  });

  test('savepoints by hand, and nested transactions that end', async () => {
    const status = await at(1, async (transaction) => {
      for (const sql of [
        'savepoint "to"',
        'rollback to "to"',
        'ROLLBACK WORK TO SAVEPOINT "to"',
        'release "to"',
      ])
        await sequelize.query(sql, { transaction });
      for (const end of ['commit', 'rollback'] as const) {
        const inner = await sequelize.transaction({ transaction });
        expect(await Order.count({ transaction: inner })).toBe(1);
        await inner[end]();
      }
      return (await Order.findByPk(1, { transaction }))!.status;
    });
    expect(status).toBe('new');
  });

  test('afterCommit is told of its end, and Sequelize ends also one that has failed', async () => {
    const told: string[] = [];
    await at(1, async (transaction) => transaction.afterCommit(() => void told.push('committed')));
    const sent = await statementsOf(sequelize, () =>
      expect(
        at(1, async (transaction) => {
          await sequelize.query('select 1 / 0', { transaction }).catch(() => undefined);
          throw new RangeError('mine');
        }),
      ).rejects.toThrow(RangeError),
    );
    expect([told, sent.at(-1)!.text]).toEqual([['committed'], 'ROLLBACK;']);
  });

  test('40 at the same time, at four times, in a pool of 6', async () => {
    const counts = await Promise.all(
      Array.from({ length: 40 }, (_, place) =>
        at(place % 4, async (transaction) => {
          const rows = await Promise.all([
            Order.findAll({ include: 'items', transaction }),
            Item.count({ transaction }),
          ]);
          return [rows[0].length, rows[1]];
        }),
      ),
    );
    const each = [
      [0, 0],
      [1, 2],
      [2, 2],
      [1, 2],
    ];
    expect(counts).toEqual(Array.from({ length: 40 }, (_, place) => each[place % 4]));
    expect((await Order.findByPk(1))!.status).toBe('sent');
  });

  test('a time inside another, and the library itself inside of one', async () => {
    await at(1, async (transaction) => {
      const inner = await at(3, (other) => Order.findByPk(1, { transaction: other }));
      const outer = await Order.findByPk(1, { transaction });
      const [entry] = await auditLog.LogEntry.forObject(Order, 1, { limit: 1 });
      const versions = await handle.versions(1, { transaction });
      const past = [
        await handle.asOf(times[2]!).findByPk(1),
        await handle.asOf(times[2]!).findByPk(1, { transaction }),
      ];
      expect(await handle.asOf(times[2]!).findByPk(9)).toBeNull();
      const diff = await handle.diff(1, times[1]!, 'current');
      expect(diff.changedAttributes).toContain('status');
      expect([inner!.status, outer!.status, entry!.action, versions.length]).toEqual([
        'sent',
        'new',
        'update',
        3,
      ]);
      expect(past.map((row) => row!.status)).toEqual(['paid', 'paid']);
    });
  });

  test('what goes on after it is at large again', async () => {
    let later = Promise.resolve<unknown>(null);
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    await at(1, async () => {
      later = gate.then(() => Order.findByPk(1));
    });
    release();
    expect(((await later) as Row).status).toBe('sent');
  });
});

describe('what goes on after its function has ended', () => {
  const single = database.createSequelize({ pool: { max: 1, acquire: 5000 } });
  const log = createAuditLog(single);

  test.each<[string, (transaction: Transaction) => Promise<unknown>]>([
    ['transaction.commit', (transaction) => transaction.commit()],
    ['transaction.rollback', (transaction) => transaction.rollback()],
    ['COMMIT', (transaction) => single.query('commit', { transaction })],
  ])('%s ends nothing, at whatever moment, in a pool of one', async (_, end) => {
    for (let ticks = 0; ticks < 10; ticks += 1) {
      let late = Promise.resolve<unknown>(null);
      const answer = await log.asOf(times[1]!, (transaction) => {
        late = (async () => {
          for (let tick = 0; tick < ticks; tick += 1) await Promise.resolve();
          return end(transaction);
        })().catch((error: unknown) => error);
        return ticks;
      });
      expect([answer, await late]).toEqual([ticks, expect.any(Error)]);
    }
    expect(await single.query('select 1 as one', { type: QueryTypes.SELECT })).toEqual([{ one: 1 }]);
  });

  test('a query whose names must be asked first, or of a savepoint, is not sent on a connection given back', async () => {
    const shop = await database.createSchema('late');
    class Parcel extends Row {}
    const id = { type: DataTypes.INTEGER, primaryKey: true };
    Parcel.init({ id }, { sequelize: single, tableName: 'parcels', schema: shop, timestamps: false });
    log.registerAudited(Parcel, { snapshots: true });
    await Parcel.sync();
    await log.sync();
    let late: Promise<unknown>[] = [];
    const outcome = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error);
    const sent = await statementsOf(single, async () => {
      const inner = await log.asOf(new Date(), async (transaction) => {
        const nested = await single.transaction({ transaction });
        await single.query(`set local search_path to ${shop}`, { transaction });
        late = [outcome(single.query('select * from parcels', { transaction }))];
        return nested;
      });
      late.push(outcome(single.query('select 1', { transaction: inner })));
      await Promise.all(late);
    });
    expect(sent.at(-1)!.text).toBe('COMMIT;');
    for (const each of late) expect(await each).toMatchObject({ code: 'ERR_AUDIT_INVALID_ARGUMENT' });
  });
});

describe('instances', () => {
  test('those of registered models are read-only, included ones too, also afterwards', async () => {
    const found = await at(2, async (transaction) => {
      const one = await Order.findByPk(1, {
        include: ['items', { association: 'customer', include: ['country'] }, 'tags'],
        transaction,
      });
      const [raw] = await sequelize.query('select * from orders', {
        model: Order,
        mapToModel: true,
        transaction,
      });
      const [unhooked] = await Customer.findAll({ hooks: false, transaction } as never);
      return { one: one!, raw: raw!, unhooked: unhooked! };
    });
    const { one } = found;
    const all = [
      one,
      one.items[0],
      one.customer,
      one.tags[0],
      one.tags[0].OrderTag,
      found.raw,
      found.unhooked,
    ];
    for (const row of all)
      for (const write of ['save', 'update', 'destroy', 'increment', 'decrement', 'restore'])
        expect(await refusalOf(() => row[write]({}))).toMatchObject({ code: 'ERR_AUDIT_READ_ONLY' });
    expect(Object.keys(one.toJSON())).not.toContain('save');
    await one.customer.country.update({ name: 'New' });
    expect((await Order.findByPk(1))!.status).toBe('sent');
  });
});

describe('models that are not registered', () => {
  test('H206 H207 H221 H222 they are as they are now, from both sides', async () => {
    const [there, back] = await at(1, (transaction) =>
      Promise.all([
        Customer.findByPk(1, { include: 'country', transaction }),
        Country.findByPk(1, {
          include: [{ association: 'customers' }],
          order: [['customers', 'id', 'ASC']],
          transaction,
        }),
      ]),
    );
    expect([there!.name, there!.country.name]).toEqual(['Ann', 'New']);
    expect([back!.name, ...back!.customers.map(({ name }: Row) => name)]).toEqual(['New', 'Ann', 'Bob']);
  });

  test('H223 fault 98 one to one, both tracked: both sides follow the time', async () => {
    const found = await atEach(async (transaction) => [
      await Customer.findByPk(1, { include: 'profile', transaction }),
      await Profile.findByPk(1, { include: 'customer', transaction }),
    ]);
    expect(found.map(([one, other]) => [one?.profile?.bio, other?.customer.name])).toEqual([
      [undefined, undefined],
      ['first', 'Ann'],
      ['first', 'Ann'],
      [undefined, 'Bob'],
    ]);
  });
});

describe('cost', () => {
  test('H217 H218 H219 fault 96 as many statements as in the present, and four of its own', async () => {
    const include = [
      { association: 'customers', include: [{ association: 'orders', include: ['items', 'tags'] }] },
    ];
    const read = (transaction: Transaction | null) => Country.findAll({ include, transaction });
    expect(await loggedBy(sequelize, () => read(null))).toHaveLength(1);
    const sent = await statementsOf(sequelize, () => at(2, read));
    expect(sent.map(({ text }) => text.slice(0, 20))).toEqual(
      [
        'START TRANSACTION;',
        'SET TRANSACTION ISOL',
        'SET TRANSACTION READ',
        'with "customers" as ',
        'COMMIT;',
      ].map((text) => text.slice(0, 20)),
    );
  });

  test("the log line is Sequelize's own, and a plain count reads only keys", async () => {
    const logged = await loggedBy(sequelize, () =>
      at(2, (transaction) => Order.findByPk(1, { transaction })),
    );
    expect(logged.find((line) => line.includes('orders'))).toMatch(/^SELECT /);
    const sent = await statementsOf(sequelize, () => at(2, (transaction) => Order.count({ transaction })));
    expect(sent.find(({ text }) => text.includes('count('))!.text).not.toContain(' join ');
    const page = { include: ['items'], order: [['id', 'DESC']] as never, limit: 1 };
    const backwards = await statementsOf(sequelize, () =>
      at(2, (transaction) => Order.findAll({ ...page, transaction })),
    );
    expect(backwards.find(({ text }) => text.includes('items'))!.text).toContain('order by "id" desc) k');
    const plan = await at(2, (transaction) =>
      sequelize.query('explain select * from orders where id = 1', { transaction }),
    );
    expect(JSON.stringify(plan)).toContain('orders_history');
  });
});

describe('what else instances do', () => {
  test('they are read again, found instead of created, and their setters refused', async () => {
    const seen = await at(2, async (transaction) => {
      const order = (await Order.findByPk(1, { include: 'items', transaction }))!;
      await order.reload({ transaction });
      const [found, isNew] = await Order.findOrCreate({ where: { id: 2 }, transaction });
      const { code } = await refusalOf(() => order.setTags([], { transaction }));
      return [order.status, order.items.length, found.status, isNew, code];
    });
    expect(seen).toEqual(['paid', 2, 'paid', false, 'ERR_AUDIT_READ_ONLY']);
  });

  test('a query that nobody waited for reads that time or fails', async () => {
    let late = Promise.resolve<unknown>(null);
    await at(1, async (transaction) => {
      late = Order.findByPk(1, { transaction }).then(
        (row) => row!.status,
        () => 'new',
      );
    });
    expect(await late).toBe('new');
  });
});

describe('points in time', () => {
  test('H215 a version, an entry, a Date', async () => {
    const [newest, middle] = await handle.versions(1);
    const entries = await handle.entries(1);
    const status = (when: Parameters<typeof auditLog.asOf>[0]): Promise<string> =>
      auditLog.asOf(when, async (transaction) => (await Order.findByPk(1, { transaction }))!.status);
    expect(await status(middle!)).toBe('paid');
    expect(await status(newest!)).toBe('sent');
    expect(await status(entries[1]!)).toBe('paid');
    expect(await status(new Date())).toBe('sent');
    const items = await auditLog.asOf(middle!, (transaction) => Item.count({ paranoid: false, transaction }));
    expect(items).toBe(2);
  });
});

describe('other tables', () => {
  const other = database.createSequelize();
  const log = createAuditLog(other);
  const long = `long_${'x'.repeat(70)}`;
  let shop = '';
  let moment = '';
  const models: Record<string, typeof Row> = {};

  function defineIn(name: string, tableName: string, options: object = {}): typeof Row {
    class Defined extends Row {}
    const attributes = {
      id: { type: DataTypes.INTEGER, primaryKey: true },
      orders: DataTypes.TEXT,
      shopId: DataTypes.INTEGER,
    };
    Defined.init(attributes, { sequelize: other, modelName: name, tableName, timestamps: false, ...options });
    models[name] = Defined;
    return Defined;
  }

  beforeAll(async () => {
    shop = await database.createSchema('shop');
    const ShopOrder = defineIn('ShopOrder', 'orders', { schema: shop });
    const Shop = defineIn('shop', 'shops', { schema: shop });
    defineIn('Here', 'Wörk$ "of" art.s');
    defineIn('Long', long);
    defineIn('Upper', 'UPPER');
    ShopOrder.belongsTo(Shop, { foreignKey: 'shopId', as: 'shop', constraints: false });
    Shop.hasMany(ShopOrder, { foreignKey: 'shopId', as: 'members', constraints: false });
    for (const model of Object.values(models)) log.registerAudited(model, { snapshots: true });
    await other.sync();
    await log.sync();
    for (const model of Object.values(models)) await model.create({ id: 1, orders: 'then', shopId: 1 });
    const [row] = await database.rows<{ now: string }>(`select ${TIME} as now`);
    moment = row!.now;
    for (const model of Object.values(models)) await model.update({ orders: 'now' }, { where: { id: 1 } });
  });

  test('finders of tables in a schema and with odd names', async () => {
    for (const [name, model] of Object.entries(models)) {
      const found = await log.asOf(moment, (transaction) => model.findAll({ where: { id: 1 }, transaction }));
      expect([name, found.map(({ orders }) => orders)]).toEqual([name, ['then']]);
      expect((await model.findByPk(1))!.orders).toBe('now');
    }
    const found = await log.asOf(moment, async (transaction) => [
      // The alias "shop" with its attribute "orders" reads like the table.
      await models['ShopOrder']!.findAll({
        include: 'shop',
        order: [['shop', 'orders', 'ASC']],
        transaction,
      }),
      await models['shop']!.findAll({
        include: { association: 'members', separate: true },
        limit: 1,
        transaction,
      }),
    ]);
    const [[order], [one]] = found as [Row[], Row[]];
    expect([order!.orders, order!.shop.orders, one!.orders, one!.members[0].orders]).toEqual(
      Array(4).fill('then'),
    );
  });

  test.each([
    ['the schema named', () => `select orders from ${shop}.orders`],
    ['with an alias', () => `select o.orders from "${shop}".orders as o`],
    [
      'columns with schema and table',
      () => `select "${shop}"."orders"."orders" from "${shop}"."orders", "${shop}".shops`,
    ],
    ['all columns', () => `select ${shop}.orders.* from ${shop}.orders where ${shop}.orders.id = 1`],
    ['TABLE', () => `table ${shop}.orders`],
    ['in a WITH of its own', () => `with x as (select * from ${shop}.orders) select * from x`],
    ['a recursive one', () => `with recursive orders as (select * from ${shop}.orders) select * from orders`],
    [
      'by the search path',
      () => `set local search_path to ${shop}, ${database.schema}; select orders from orders`,
    ],
    ['by an earlier search path', () => 'select o.orders from orders o'],
    ['without quotes', () => 'select orders from "Wörk$ of art.s"'],
    ['a long name, cut', () => `select orders from ${long.slice(0, 63)}`],
    ['capitals', () => 'select orders from "UPPER"'],
  ])('raw SQL: %s', async (_, sql) => {
    const rows = await log.asOf(moment, async (transaction) => {
      if (_ === 'by an earlier search path')
        await other.query(`set local search_path to ${shop}, ${database.schema}`, { transaction });
      return other.query(sql(), { transaction, type: QueryTypes.SELECT });
    });
    expect(rows).toMatchObject([{ orders: 'then' }]);
  });

  test('a table of the same name elsewhere is not the registered one', async () => {
    const rows = await log.asOf(moment, (transaction) =>
      other.query(`select count(*)::int as n from ${database.schema}.orders`, {
        transaction,
        plain: true,
        type: QueryTypes.SELECT,
      }),
    );
    expect(rows).toEqual({ n: 1 });
  });
});

describe('a column of another type than in the history', () => {
  const single = database.createSequelize({ pool: { max: 1, acquire: 5000 } });
  const log = createAuditLog(single);
  class Box extends Row {}
  const id = { type: DataTypes.INTEGER, primaryKey: true };
  const attributes = { id, size: DataTypes.INTEGER, name: DataTypes.TEXT };
  Box.init(attributes, { sequelize: single, tableName: 'boxes', timestamps: false });
  class Lid extends Row {}
  Lid.init({ id, boxId: DataTypes.INTEGER }, { sequelize: single, tableName: 'lids', timestamps: false });
  Lid.belongsTo(Box, { foreignKey: 'boxId', as: 'box', constraints: false });
  for (const model of [Lid, Box]) log.registerAudited(model, { snapshots: true });

  beforeAll(async () => {
    await single.sync();
    await log.sync();
    await Box.create({ id: 1, size: 8, name: 'a' });
    await Lid.create({ id: 1, boxId: 1 });
    await database.rows('alter table boxes_history alter size type text');
  });

  const then = <T>(read: (transaction: Transaction) => Promise<T>): Promise<T> => log.asOf(new Date(), read);
  const compare = (transaction: Transaction): Promise<unknown> =>
    Box.findAll({ where: { size: 8 }, transaction });

  test.each<[string, string, (transaction: Transaction) => Promise<unknown>]>([
    ['a condition', '42883', compare],
    ['a sum', '42883', (transaction) => Box.sum('size', { transaction })],
    [
      'a condition on an include',
      '42883',
      (transaction) => Lid.findAll({ include: { association: 'box', where: { size: [8, 9] } }, transaction }),
    ],
    ['raw SQL', '42883', (transaction) => single.query('select size + 1 from boxes', { transaction })],
    [
      'several at once',
      '42883',
      (transaction) => Promise.all([compare(transaction), Lid.findAll({ transaction })]),
    ],
    [
      'in a savepoint',
      '42883',
      (transaction) => single.transaction({ transaction }, (inner) => compare(inner)),
    ],
  ])('%s says what to do, also in a pool of one connection', async (_, code, read) => {
    const error = await refusalOf(() => then(read));
    expect(error).toMatchObject({ code: 'ERR_AUDIT_MISSING_COLUMN', cause: { original: { code } } });
    expect(error.message).toMatch(/boxes_history.*"size" as text.*integer.*check\(\)/);
    expect(await then((transaction) => Box.count({ transaction }))).toBe(1);
  });

  test('what was caught is no error, and every other error stays as it is', async () => {
    const caught = await then(async (transaction) => {
      const inner = single.transaction({ transaction }, (nested) => compare(nested));
      await expect(inner).rejects.toMatchObject({ original: { code: '42883' } });
      return (await Box.findByPk(1, { transaction }))!.size;
    });
    expect(caught).toBe('8');
    const mine = Object.assign(new Error('mine'), { code: '42883' });
    const others: ((transaction: Transaction) => Promise<unknown>)[] = [
      async () => Promise.reject(mine),
      async (transaction) => compare(transaction).catch(() => Promise.reject(mine)),
    ];
    for (const read of others) await expect(then(read)).rejects.toBe(mine);
    const missing = then((transaction) => single.query('select nothing from boxes', { transaction }));
    await expect(missing).rejects.toMatchObject({ original: { code: '42703' } });
    const elsewhere = then((transaction) => Lid.findAll({ where: { boxId: 'x' } as never, transaction }));
    await expect(elsewhere).rejects.toMatchObject({ original: { code: '22P02' } });
  });
});

describe('options of the Sequelize instance', () => {
  const other = database.createSequelize({
    quoteIdentifiers: false,
    minifyAliases: true,
    dialectOptions: { prependSearchPath: true },
  });
  const log = createAuditLog(other);
  const options = { sequelize: other, timestamps: false };
  const id = { type: DataTypes.INTEGER, primaryKey: true };
  class Person extends Row {}
  Person.init({ id, name: DataTypes.TEXT }, { ...options, modelName: 'Customer', tableName: 'customers' });
  class Buy extends Row {}
  Buy.init(
    { id, status: DataTypes.TEXT, customerId: { type: DataTypes.INTEGER, field: 'customer_id' } },
    { ...options, modelName: 'Order', tableName: 'Orders' },
  );
  Buy.belongsTo(Person, { foreignKey: 'customerId', as: 'customer', constraints: false });
  Person.hasMany(Buy, {
    foreignKey: 'customerId',
    as: 'aVeryLongNameOfAnAssociationThatSequelizeWouldHaveToCut',
    constraints: false,
  });
  for (const model of [Person, Buy]) log.registerAudited(model, { snapshots: true });

  test('names without quotes, shortened aliases, a search path before every statement', async () => {
    const found = await log.asOf(times[2]!, async (transaction) => [
      (await Buy.findAll({ include: 'customer', order: ['id'], transaction })).map((row) => [
        row.status,
        row.customer.name,
      ]),
      (
        await Person.findAll({
          include: 'aVeryLongNameOfAnAssociationThatSequelizeWouldHaveToCut',
          order: ['id'],
          limit: 2,
          transaction,
        })
      ).map((row) => row['aVeryLongNameOfAnAssociationThatSequelizeWouldHaveToCut'].length),
      await Buy.count({ transaction }),
      await other.query('select status from orders where id = 2', {
        transaction,
        type: QueryTypes.SELECT,
        searchPath: database.schema,
      } as never),
    ]);
    expect(found).toEqual([
      [
        ['paid', 'Ann'],
        ['paid', 'Bob'],
      ],
      [1, 1],
      2,
      [{ status: 'paid' }],
    ]);
  });
});

describe('random histories', () => {
  const [STEPS, SEEDS] = process.env['FULL'] === '1' ? [80, [11, 4711]] : [4, [11]];
  const ASKED = [
    'three levels',
    'belongsToMany both ways',
    'counts',
    'soft-deleted rows',
    'a page from the end',
  ];

  /** The same numbers each time. */
  function numbers(seed: number): (below: number) => number {
    let state = seed;
    return (below) => {
      state = (state * 48271) % 2147483647;
      return state % below;
    };
  }

  async function step(next: (below: number) => number): Promise<void> {
    const id = 1 + next(4);
    const other = 1 + next(4);
    const writes = [
      () => Order.upsert({ id, status: ['new', 'paid'][next(2)], total: next(50), customerId: other }),
      () => Order.update({ parentId: other, total: next(50) }, { where: { id } }),
      () => Order.destroy({ where: { id } }),
      () => Item.upsert({ id, sku: `s${next(9)}`, quantity: next(5), orderId: other }),
      () => Item.destroy({ where: { orderId: id } }),
      () => Item.restore({ where: { id } }),
      () => Item.destroy({ where: { id }, force: true }),
      () => Item.update({ id: id + 10 }, { where: { id } }),
      () => OrderTag.findOrCreate({ where: { orderId: id, tagId: other } }),
      () => OrderTag.destroy({ where: { tagId: other } }),
      () => Tag.upsert({ id, name: `t${next(9)}` }),
      () => Customer.upsert({ id, name: `c${next(9)}`, countryId: 1 }),
      () =>
        sequelize.transaction(async (transaction) => {
          await Order.increment('total', { where: { customerId: other }, transaction });
          await Item.update({ orderId: id }, { where: { orderId: other }, transaction });
        }),
    ];
    try {
      await writes[next(writes.length)]!();
    } catch (error) {
      // What a constraint forbids has not happened.
      if (!(error as Error).name.endsWith('ConstraintError')) throw error;
    }
  }

  test.each(SEEDS)('what was read then is read later (seed %d)', async (seed) => {
    const next = numbers(seed);
    const asked: Query = async (transaction) => {
      const found: unknown[] = [];
      for (const name of ASKED) found.push(await answerOf(name, QUERIES[name]!, transaction));
      return found;
    };
    const then: [string, unknown][] = [];
    for (let place = 0; place < STEPS; place += 1) {
      for (let more = 0; more < 3; more += 1) await step(next);
      const answer = await asked(null);
      const [row] = await database.rows<{ now: string }>(`select ${TIME} as now`);
      then.push([row!.now, answer]);
    }
    for (const [time, answer] of then)
      expect([time, await auditLog.asOf(time, asked)]).toEqual([time, answer]);
  });
});
