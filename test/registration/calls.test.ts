import { DataTypes, type BelongsToManySetAssociationsMixin, type Model } from 'sequelize';
import { createAuditLog, withAuditContext, withoutAudit, type AuditCallOption } from 'sequelize-auditlog';
import { actionsOf, entriesOf, openAudited, refusalOf } from '../support/audited';
import { testDatabase } from '../support/database';

interface OrderRow extends Model {
  setTags: BelongsToManySetAssociationsMixin<Model, number>;
}

const database = testDatabase();
const { sequelize } = database;
const Order = sequelize.define<OrderRow>(
  'Order',
  { status: DataTypes.TEXT, n: DataTypes.INTEGER },
  { paranoid: true },
);
const Item = sequelize.define('Item', { name: DataTypes.TEXT });
const Part = sequelize.define('Part', { name: DataTypes.TEXT });
const Customer = sequelize.define('Customer', { name: DataTypes.TEXT });
const Tag = sequelize.define('Tag', { name: DataTypes.TEXT });
Order.hasMany(Item, { as: 'items', foreignKey: 'orderId', onDelete: 'CASCADE' });
Item.hasMany(Part, { as: 'parts', foreignKey: 'itemId', onDelete: 'CASCADE' });
Order.belongsTo(Customer, { as: 'customer', foreignKey: 'customerId' });
Order.belongsToMany(Tag, { through: 'order_tags', as: { singular: 'tag', plural: 'tags' } });
const auditLog = createAuditLog(sequelize);
auditLog.registerAll({ except: ['order_tags', 'Order'] });
const orders = auditLog.registerAudited(Order, { associations: ['tags'], snapshots: true });

beforeAll(() => openAudited(database, auditLog));
afterAll(() => database.close());

/** Anew for every call: Sequelize writes into what `build` is given. */
function includes() {
  return [
    { association: 'items', include: [{ association: 'parts' }] },
    { association: 'customer' },
    { association: 'tags' },
  ];
}
const nested = {
  status: 'new',
  items: [{ name: 'a', parts: [{ name: 'b' }] }, { name: 'c' }],
  customer: { name: 'd' },
  tags: [{ name: 'e' }],
};
const ALL = [
  'create Customer',
  'create Item',
  'create Item',
  'create Order',
  'create Part',
  'create Tag',
  'update Order',
];

const said = { reason: 'ticket 9', actor: { id: 7, label: 'ann' }, additionalData: { n: 1 } };
const stored = { reason: 'ticket 9', actorId: '7', actorLabel: 'ann', additionalData: { n: 1 } };

async function create(): Promise<OrderRow> {
  return Order.create({ status: 'new', n: 0 }, { audit: false });
}

/** Every write that takes the option, with the number of entries that it leaves. */
const writes: readonly (readonly [
  string,
  number,
  (audit: AuditCallOption) => Promise<() => Promise<unknown>>,
])[] = [
  ['create', 1, async (audit) => () => Order.create({}, { audit })],
  ['save', 1, async (audit) => () => Order.build({}).save({ audit })],
  [
    'findOrCreate',
    1,
    async (audit) => () => Order.findOrCreate({ where: { status: `s${Math.random()}` }, audit }),
  ],
  ['bulkCreate', 3, async (audit) => () => Order.bulkCreate([{}, {}, {}], { audit })],
  [
    'bulkCreate with individual hooks',
    2,
    async (audit) => () => Order.bulkCreate([{}, {}], { audit, individualHooks: true }),
  ],
  ['upsert', 1, async (audit) => () => Order.upsert({ status: 'u' }, { audit })],
  [
    'instance.update',
    1,
    async (audit) => {
      const order = await create();
      return () => order.update({ status: 'x' }, { audit });
    },
  ],
  [
    'Model.update',
    2,
    async (audit) => {
      const id = [(await create()).get('id') as number, (await create()).get('id') as number];
      return () => Order.update({ status: 'x' }, { where: { id }, audit });
    },
  ],
  [
    'Model.update with individual hooks',
    2,
    async (audit) => {
      const id = [(await create()).get('id') as number, (await create()).get('id') as number];
      return () => Order.update({ status: 'x' }, { where: { id }, audit, individualHooks: true });
    },
  ],
  [
    'increment',
    1,
    async (audit) => {
      const order = await create();
      return () => order.increment('n', { audit });
    },
  ],
  [
    'Model.increment',
    1,
    async (audit) => {
      const id = (await create()).get('id') as number;
      return () => Order.increment('n', { where: { id }, audit });
    },
  ],
  [
    'decrement',
    1,
    async (audit) => {
      const order = await create();
      return () => order.decrement('n', { audit });
    },
  ],
  [
    'soft destroy',
    1,
    async (audit) => {
      const order = await create();
      return () => order.destroy({ audit });
    },
  ],
  [
    'restore',
    1,
    async (audit) => {
      const order = await create();
      await order.destroy({ audit: false });
      return () => order.restore({ audit });
    },
  ],
  [
    'Model.restore',
    1,
    async (audit) => {
      const order = await create();
      await order.destroy({ audit: false });
      return () => Order.restore({ where: { id: order.get('id') as number }, audit });
    },
  ],
  [
    'destroy with what it cascades to',
    3,
    async (audit) => {
      const order = await create();
      await Item.bulkCreate([{ orderId: order.get('id') }, { orderId: order.get('id') }], { audit: false });
      return () => order.destroy({ force: true, audit });
    },
  ],
  [
    'Model.destroy',
    1,
    async (audit) => {
      const id = (await create()).get('id') as number;
      return () => Order.destroy({ where: { id }, audit });
    },
  ],
  [
    'setTags',
    1,
    async (audit) => {
      const [order, tag] = [await create(), await Tag.create({}, { audit: false })];
      return () => order.setTags([tag], { audit });
    },
  ],
  [
    'raw SQL',
    1,
    async (audit) => () =>
      sequelize.query(`insert into "Parts" (name, "createdAt", "updatedAt") values ('r', now(), now())`, {
        audit,
      }),
  ],
];

describe.each(writes)('the option audit of %s', (_name, count, prepare) => {
  test('reaches every row that the call writes', async () => {
    const entries = await entriesOf(auditLog, await prepare(said));
    expect(entries).toHaveLength(count);
    for (const entry of entries) expect(entry).toMatchObject(stored);
  });

  test('false leaves none', async () => {
    expect(await entriesOf(auditLog, await prepare(false))).toEqual([]);
  });
});

describe('a nested create', () => {
  test('leaves an entry of every row', async () => {
    const entries = await entriesOf(auditLog, () => Order.create(nested, { include: includes() }));
    expect(actionsOf(entries).toSorted()).toEqual(ALL);
  });

  test('has reason, actor and data of the call on every one', async () => {
    const entries = await entriesOf(auditLog, () =>
      Order.create(nested, { include: includes(), audit: said }),
    );
    expect(actionsOf(entries).toSorted()).toEqual(ALL);
    for (const entry of entries) expect(entry).toMatchObject(stored);
  });

  test('in bulk has them too', async () => {
    const entries = await entriesOf(auditLog, () =>
      Order.bulkCreate([nested, nested], { include: includes(), audit: said }),
    );
    expect(entries).toHaveLength(2 * ALL.length);
    for (const entry of entries) expect(entry).toMatchObject(stored);
  });

  test('with audit: false leaves none, of children neither, single or in bulk', async () => {
    const work = async () => {
      await Order.create(nested, { include: includes(), audit: false });
      await Order.bulkCreate([nested], { include: includes(), audit: false });
      await Order.build(nested, { include: includes() }).save({ audit: false });
    };
    const before = await Part.count();
    expect(await entriesOf(auditLog, work)).toEqual([]);
    expect(await Part.count()).toBe(before + 3);
  });

  test('inside withoutAudit leaves none', async () => {
    expect(
      await entriesOf(auditLog, () => withoutAudit(() => Order.create(nested, { include: includes() }))),
    ).toEqual([]);
  });

  test('leaves the options of one call out of the next, and the caller’s own as they were', async () => {
    const own = includes();
    await Order.create(nested, { include: own, audit: said });
    await Order.build(nested, { include: own }).save({ audit: false });
    await Order.bulkCreate([nested], { include: own, audit: false });
    const entries = await entriesOf(auditLog, () => Order.build(nested, { include: own }).save());
    expect(entries.map(({ reason }) => reason)).toEqual(Array(ALL.length).fill(null));
  });

  test('with hooks off hands the call down to all that is written after the row', async () => {
    const options = { include: includes(), hooks: false };
    const entries = await entriesOf(auditLog, () => Order.create(nested, { ...options, audit: said }));
    const after = entries.filter(({ model }) => model !== 'Customer');
    expect(after).toHaveLength(ALL.length - 1);
    for (const entry of after) expect(entry).toMatchObject(stored);
    const silent = await entriesOf(auditLog, () => Order.create(nested, { ...options, audit: false }));
    expect(silent.filter(({ model }) => model !== 'Customer')).toEqual([]);
  });

  test('that failed and is tried again follows the second call', async () => {
    const order = Order.build({ ...nested, n: 'no number' }, { include: includes() });
    await expect(order.save({ audit: false })).rejects.toThrow('integer');
    order.set({ n: 1 });
    const entries = await entriesOf(auditLog, () => order.save());
    expect(actionsOf(entries).toSorted()).toEqual(ALL.filter((each) => each !== 'create Customer'));
  });
});

describe('precedence', () => {
  test('the call wins over the context, an explicit null too', async () => {
    const context = { actor: 'outer', reason: 'outer', additionalData: { outer: 1, n: 0 } };
    const entries = await entriesOf(auditLog, () =>
      withAuditContext(context, async () => {
        await Order.create({}, { audit: said });
        await Order.create({}, { audit: { actor: null, reason: null, additionalData: null } });
        await Order.create({}, { audit: {} });
      }),
    );
    expect(entries.map(({ actorId, reason, additionalData }) => [actorId, reason, additionalData])).toEqual([
      ['7', 'ticket 9', { outer: 1, n: 1 }],
      [null, null, null],
      ['outer', 'outer', { outer: 1, n: 0 }],
    ]);
  });

  test('reason and actor stand on the version too', async () => {
    const order = await Order.create({}, { audit: said });
    const [version] = await orders.versions(order);
    expect([version!.historyChangeReason, version!.historyUserId]).toEqual(['ticket 9', '7']);
  });
});

test.each([
  [{ raeson: 'x' }, 'unknown key "raeson". Did you mean "reason"?'],
  [{ reason: 7 }, 'reason: expected a text or null'],
  [{ additionalData: 'x' }, 'additionalData: expected an object'],
  [{ actor: Promise.resolve(1) }, 'await the promise first'],
])('a wrong option (%p) is refused and nothing is written', async (audit, part) => {
  const before = await Order.count();
  const error = await refusalOf(() => Order.create({}, { audit: audit as never }));
  expect(error.code).toBe('ERR_AUDIT_INVALID_ARGUMENT');
  expect(error.message).toContain(part);
  expect(await Order.count()).toBe(before);
});
