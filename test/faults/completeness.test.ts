import { DataTypes, type Model } from 'sequelize';
import { createAuditLog, withoutAudit, type LogEntry } from 'sequelize-auditlog';
import { actionsOf, entriesOf, entryOf, openAudited, rowOf } from '../support/audited';
import { testDatabase } from '../support/database';

const database = testDatabase();
const { sequelize } = database;
const Order = sequelize.define('Order', {
  number: { type: DataTypes.TEXT, unique: true },
  n: DataTypes.INTEGER,
  // With `silent` Sequelize leaves them empty.
  createdAt: DataTypes.DATE,
  updatedAt: DataTypes.DATE,
});
const Item = sequelize.define('Item', { name: DataTypes.TEXT, size: DataTypes.INTEGER });
const auditLog = createAuditLog(sequelize);
const orders = auditLog.registerAudited(Order, { snapshots: true });
auditLog.registerAudited(Item);

/** As an application may have had it before: its own journal, and a column that the database fills. */
const OWN_TRIGGERS = `
  create table journal (id serial, op text, item int);
  create function measure() returns trigger language plpgsql as $$ begin new.size := length(new.name); return new; end $$;
  create function note() returns trigger language plpgsql as $$
    begin insert into journal (op, item) values (tg_op, coalesce(new.id, old.id)); return null; end $$;
  create trigger measure before insert or update on "Items" for each row execute function measure();
  create trigger note after insert or update or delete on "Items" for each row execute function note()`;

beforeAll(async () => {
  await openAudited(database, auditLog);
  await database.rows(OWN_TRIGGERS);
});
afterAll(() => database.close());

const changesOf = (entries: readonly LogEntry[], attribute: string): unknown[] =>
  entries.map(({ changes }) => changes?.[attribute]);

const OPTIONS = [{ hooks: false }, { individualHooks: false }, { individualHooks: true }, { silent: true }];

test.each([...OPTIONS, { hooks: false, individualHooks: false, silent: true }])(
  '31 %j bypasses nothing, alone and in a transaction of the caller',
  async (given) => {
    const writes = async (more: object): Promise<void> => {
      const options = { ...given, ...more } as object;
      const order = await Order.create({ n: 1 }, options);
      const where = { id: order.get('id') as number };
      await order.update({ n: 2 }, options);
      await order.increment('n', options);
      await Order.update({ n: 4 }, { ...options, where });
      await Order.upsert({ ...where, n: 5 }, options);
      await Order.bulkCreate([{ n: 0 }], options);
      await Order.destroy({ ...options, where });
    };
    const expected = [
      [null, 1],
      [1, 2],
      [2, 3],
      [3, 4],
      [4, 5],
      [null, 0],
      [5, null],
    ];
    expect(changesOf(await entriesOf(auditLog, () => writes({})), 'n')).toEqual(expected);
    const together = await entriesOf(auditLog, () =>
      sequelize.transaction((transaction) => writes({ transaction })),
    );
    expect(changesOf(together, 'n')).toEqual(expected);
    expect(new Set(together.map(({ transactionId }) => transactionId)).size).toBe(1);
  },
);

test('32 a save that changes nothing leaves no entry and no version', async () => {
  const order = await Order.create({ n: 1 });
  const where = { id: order.get('id') as number };
  const entries = await entriesOf(auditLog, async () => {
    await order.save();
    await order.update({ n: 1 });
    order.set({ n: 2 }).set({ n: 1 });
    order.changed('n' as never, true);
    await order.save();
    await Order.update({ n: 1 }, { where });
    await Order.increment({ n: 0 }, { where });
  });
  expect(entries).toEqual([]);
  expect(await orders.versions(order)).toHaveLength(1);
});

test('32 a change and its change back are two entries, in one transaction too', async () => {
  const order = await Order.create({ n: 1 });
  const entries = await entriesOf(auditLog, () =>
    sequelize.transaction(async (transaction) => {
      await order.update({ n: 2 }, { transaction });
      await order.update({ n: 1 }, { transaction });
    }),
  );
  expect(changesOf(entries, 'n')).toEqual([
    [1, 2],
    [2, 1],
  ]);
});

test('33 34 where triggers watch the table too, one change has one entry, of what they made of it', async () => {
  const entries = await entriesOf(auditLog, async () => {
    const item: Model = await Item.create({ name: 'four', size: 99 });
    await item.update({ name: 'fives' });
    await Item.bulkCreate([{ name: 'a' }, { name: 'bb' }]);
    await Item.destroy({ where: { id: item.get('id') as number } });
  });
  expect(entries.map(({ action, changes }) => [action, changes!['size']])).toEqual([
    ['create', [null, 4]],
    ['update', [4, 5]],
    ['create', [null, 1]],
    ['create', [null, 2]],
    ['delete', [5, null]],
  ]);
  const journal = await database.rows<{ op: string }>('select op from journal order by id');
  expect(journal.map(({ op }) => op)).toEqual(['INSERT', 'UPDATE', 'INSERT', 'INSERT', 'DELETE']);
});

test.each([
  ['Model.truncate', () => Item.truncate()],
  ['destroy with truncate', () => Item.destroy({ truncate: true })],
  ['raw SQL', () => sequelize.query('truncate "Items"')],
  [
    'the query interface',
    () => sequelize.getQueryInterface().bulkDelete('Items', {}, { truncate: true } as never),
  ],
])('36 a TRUNCATE by %s leaves an entry of every row', async (_name, truncate) => {
  await Item.destroy({ where: {}, audit: false });
  await Item.bulkCreate([{ name: 'a' }, { name: 'b' }]);
  const entries = await entriesOf(auditLog, truncate);
  expect(actionsOf(entries)).toEqual(['delete Item', 'delete Item']);
  expect(changesOf(entries, 'name')).toEqual(
    expect.arrayContaining([
      ['a', null],
      ['b', null],
    ]),
  );
  expect(await Item.count()).toBe(0);
});

test('37 auditing that is switched off for a scope is on again when the scope throws', async () => {
  const failing = [
    () => withoutAudit(() => Promise.reject(new Error('no'))),
    async () => withoutAudit(() => JSON.parse('{') as never),
    () => Order.create({ id: 'no number' }, { audit: false }),
  ];
  for (const work of failing) {
    expect(await entriesOf(auditLog, () => work().catch(() => undefined))).toEqual([]);
    expect((await entryOf(auditLog, () => Order.create({}))).action).toBe('create');
  }
});

test('38 a denied attempt can be recorded outside of the transaction that is taken back', async () => {
  const order = await Order.create({ n: 1 });
  const entries = await entriesOf(auditLog, async () => {
    const work = sequelize.transaction(async (transaction) => {
      await order.update({ n: 2 }, { transaction });
      await auditLog.log(order, { action: 'order.paid', transaction });
      await auditLog.log(order, { action: 'order.denied', reason: 'limit exceeded' });
      throw new Error('denied');
    });
    await expect(work).rejects.toThrow('denied');
  });
  expect(entries.map(({ action, reason, changes }) => [action, reason, changes])).toEqual([
    ['order.denied', 'limit exceeded', null],
  ]);
  expect(await rowOf(Order, order.get('id'))).toMatchObject({ n: 1 });
});

/** The clock was an hour ahead while `n` was 2, and was then set right. */
async function steppedBack(): Promise<Model> {
  const order = await Order.create({ n: 1 });
  await order.update({ n: 2 });
  for (const [table, column] of [
    ['audit_log_entries', 'timestamp'],
    ['"Orders_history"', 'history_date'],
  ]) {
    const last = table === 'audit_log_entries' ? 'id' : 'history_id';
    await database.rows(
      `update ${table} set ${column} = ${column} + interval '1 hour' where ${last} = (select max(${last}) from ${table})`,
    );
  }
  await order.update({ n: 3 });
  return order;
}

test('48 after the clock was set back entries stay in the order of the changes', async () => {
  const order = await steppedBack();
  const entries = await auditLog.LogEntry.forObject(order);
  expect(changesOf(entries, 'n')).toEqual([
    [2, 3],
    [1, 2],
    [null, 1],
  ]);
  expect(changesOf(await orders.entries(order), 'n')).toEqual(changesOf(entries, 'n'));
});

test('48 after the clock was set back as-of returns no state from the future', async () => {
  const order = await steppedBack();
  const [last, ahead, first] = await auditLog.LogEntry.forObject(order);
  const id = order.get('id') as number;
  const then = async (when: Date): Promise<unknown> => (await orders.asOf(when).findByPk(id))?.get('n');
  expect(ahead!.timestamp.getTime()).toBeGreaterThan(last!.timestamp.getTime());
  expect(await then(first!.timestamp)).toBe(1);
  expect(await then(last!.timestamp)).toBe(3);
  expect(await then(new Date())).toBe(3);
});
