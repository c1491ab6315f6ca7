import { DataTypes, type Model, type ModelStatic, type Transaction } from 'sequelize';
import { createAuditLog, withoutAudit, type AuditedModel, type LogEntry } from 'sequelize-auditlog';
import { entriesOf, openAudited, refusalOf, rowOf } from '../support/audited';
import { testDatabase } from '../support/database';

type Row = Model & Record<string, any>;

const database = testDatabase();
const { sequelize } = database;
const heard: string[] = [];

const Customer = sequelize.define<Row>('Customer', { name: DataTypes.TEXT }, { timestamps: false });
const Tag = sequelize.define<Row>('Tag', { name: DataTypes.TEXT }, { timestamps: false });

function defineOrder(name: string): ModelStatic<Row> {
  const Order = sequelize.define<Row>(
    name,
    {
      status: {
        type: DataTypes.TEXT,
        allowNull: false,
        defaultValue: 'new',
        set(value: string) {
          this.setDataValue('status', value.toLowerCase());
        },
        validate: { notIn: [['forbidden']] },
      },
      total: DataTypes.DECIMAL(10, 2),
      code: { type: DataTypes.TEXT, unique: true, field: 'order_code' },
      data: DataTypes.JSONB,
      big: DataTypes.BIGINT,
      tags: DataTypes.ARRAY(DataTypes.TEXT),
      span: DataTypes.RANGE(DataTypes.INTEGER),
      paidAt: { type: DataTypes.DATE, field: 'paid_at' },
      due: DataTypes.DATEONLY,
      secret: DataTypes.TEXT,
      notes: DataTypes.TEXT,
      customerId: { type: DataTypes.INTEGER, field: 'customer_id' },
    },
    {
      paranoid: true,
      version: true,
      defaultScope: { where: { status: 'new' } },
      hooks: Object.fromEntries(
        ['beforeCreate', 'beforeUpdate', 'beforeDestroy', 'beforeRestore'].map((hook) => [
          hook,
          () => void heard.push(hook),
        ]),
      ),
    },
  );
  Order.belongsTo(Customer, { foreignKey: 'customerId', as: 'customer', onDelete: 'NO ACTION' });
  Order.belongsToMany(Tag, { through: `${name}Label`, as: { singular: 'label', plural: 'labels' } });
  return Order;
}

const auditLog = createAuditLog(sequelize);
const { LogEntry: Log } = auditLog;
const kinds = ['Versioned', 'Logged'].map((name): [string, ModelStatic<Row>, AuditedModel<Row>] => {
  const model = defineOrder(name);
  const options = { exclude: ['notes'], associations: ['labels'], snapshots: name === 'Versioned' };
  return [name, model, auditLog.registerAudited(model, options)];
});

beforeAll(() => openAudited(database, auditLog));
beforeEach(() => void heard.splice(0));
afterAll(() => database.close());

const full = {
  total: '10.50',
  data: { a: [1, { b: null }] },
  big: '9007199254740993',
  tags: ['x', 'y'],
  paidAt: new Date('2026-11-21T10:00:00.123Z'),
  due: '2026-11-21',
  secret: 'hush',
  notes: 'note',
};

describe.each(kinds)('revert of a model: %s', (_, Order, orders) => {
  const stored = (row: Row) => rowOf(Order, row['id']) as Promise<Record<string, any>>;
  const newest = async (row: Row): Promise<LogEntry> => (await orders.entries(row, { limit: 1 }))[0]!;
  const removed = async (row: Row): Promise<void> => row.destroy({ force: true });

  test('H230 an old state is put back as one audited write, with hooks, which says so', async () => {
    const row = await Order.create(full);
    const created = await newest(row);
    const before = await stored(row);
    await row.update({
      status: 'paid',
      total: '11',
      data: { a: 2 },
      big: '1',
      tags: [],
      paidAt: null,
      due: null,
    });
    heard.length = 0;
    const changed = await stored(row);
    const answer = await orders.revert(row['id'], { to: created, reason: 'ticket 9' });
    expect(answer.changes.map((each) => each.attribute)).toEqual([
      'status',
      'total',
      'data',
      'big',
      'tags',
      'paidAt',
      'due',
    ]);
    expect(answer.changes[0]).toEqual({ attribute: 'status', now: 'paid', after: 'new' });
    const [entry, ...more] = await orders.entries(row, { limit: 1 });
    expect(more).toEqual([]);
    expect(answer.entry!.id).toBe(entry!.id);
    expect(entry).toMatchObject({ action: 'update', reason: 'ticket 9' });
    expect(entry!.additionalData).toMatchObject({ revertedToEntry: created.id });
    const after = await stored(row);
    expect(after).toEqual({
      ...before,
      version: changed['version'] + 1,
      updatedAt: after['updatedAt'],
    });
    expect(after['updatedAt'] > changed['updatedAt']).toBe(true);
    expect(heard).toEqual(['beforeUpdate']);
    expect(answer.skipped).toEqual([
      { attribute: 'secret', why: 'masked' },
      { attribute: 'notes', why: 'excluded' },
    ]);
  });

  test('H034 a value that another object has by now comes back all the same', async () => {
    const [row, other] = await Promise.all([Order.create(full), Order.create(full)]);
    const created = await newest(row);
    await row.update({ status: 'second' });
    await other.update({ status: 'new' });
    await orders.revert(row, { to: created });
    expect([(await stored(row))['status'], (await stored(other))['status']]).toEqual(['new', 'new']);
  });

  test('reverting to the state that is writes nothing', async () => {
    const row = await Order.create(full);
    const answer = await orders.revert(row, { to: new Date() });
    expect(answer).toMatchObject({ changes: [], obstacles: [], entry: null });
    expect(await orders.entries(row)).toHaveLength(1);
    expect(heard).toEqual(['beforeCreate']);
  });

  test('H161, H231, fault 88 a deleted object comes back with its key and its whole history', async () => {
    const row = await Order.create(full);
    const created = await newest(row);
    const before = await stored(row);
    await removed(row);
    heard.length = 0;
    const answer = await orders.revert(row['id'], { to: created });
    const after = await stored(row);
    expect(after).toEqual({
      ...before,
      secret: null,
      notes: null,
      version: 0,
      createdAt: expect.anything(),
      updatedAt: expect.anything(),
    });
    expect(Math.abs(after['createdAt'] - before['createdAt'])).toBeLessThan(1000);
    expect(heard).toEqual(['beforeCreate']);
    expect(answer.changes[0]).toEqual({ attribute: 'id', now: null, after: row['id'] });
    expect((await orders.entries(row)).map(({ action }) => action)).toEqual(['create', 'delete', 'create']);
    expect(answer.entry!.id).toBe((await newest(row)).id);
    // Reverting again, and reverting the revert.
    expect(await orders.revert(row['id'], { to: created })).toMatchObject({ entry: null });
    await orders.revert(row['id'], { to: answer.entry! });
  });

  test('a soft-deleted object is restored, and one that was soft-deleted then is so again', async () => {
    const row = await Order.create(full);
    const created = await newest(row);
    await row.destroy();
    const deleted = await newest(row);
    const { deletedAt } = await stored(row);
    heard.length = 0;
    const restored = await orders.revert(row['id'], { to: created });
    expect((await stored(row))['deletedAt']).toBeNull();
    expect([heard, restored.entry!.action]).toEqual([['beforeRestore'], 'update']);
    await Order.update({ status: 'paid' }, { where: { id: row['id'] } });
    heard.length = 0;
    const again = await orders.revert(row['id'], { to: deleted });
    expect(await stored(row)).toMatchObject({ deletedAt, status: 'new' });
    expect([heard, again.entry!.action]).toEqual([['beforeDestroy', 'beforeUpdate'], 'delete']);
    expect(await orders.entries(row)).toHaveLength(5);
  });

  test('only puts back what it names (fault 93)', async () => {
    const row = await Order.create(full);
    const created = await newest(row);
    await row.update({ status: 'paid', total: '99' });
    const answer = await orders.revert(row, { to: created, only: ['total'] });
    expect(await stored(row)).toMatchObject({ status: 'paid', total: '10.50' });
    expect(answer).toMatchObject({
      skipped: [],
      changes: [{ attribute: 'total', now: '99.00', after: '10.50' }],
    });
    const codeOf = async (only: string[]) => {
      const { code, message } = await refusalOf(() => orders.revert(row, { to: created, only }));
      return [code, message.replace(/^.*? in only /, '')];
    };
    expect(await codeOf(['secret'])).toEqual([
      'ERR_AUDIT_NOT_RESTORABLE',
      `can't be put back: masked. Leave it out of only.`,
    ]);
    expect((await codeOf(['notes']))[0]).toBe('ERR_AUDIT_NOT_RESTORABLE');
    expect((await codeOf(['updatedAt']))[0]).toBe('ERR_AUDIT_NOT_RESTORABLE');
    expect(await codeOf(['totl'])).toEqual([
      'ERR_AUDIT_UNKNOWN_ATTRIBUTE',
      expect.stringContaining('Did you mean "total"?'),
    ]);
  });

  test('a dry run tells what would be done and does nothing, and no hook is run', async () => {
    const row = await Order.create(full);
    const created = await newest(row);
    await row.update({ status: 'paid' });
    heard.length = 0;
    const entries = await entriesOf(auditLog, async () => {
      const answer = await orders.revert(row, { to: created, dryRun: true });
      expect(answer).toMatchObject({
        changes: [{ attribute: 'status', now: 'paid', after: 'new' }],
        obstacles: [],
        entry: null,
      });
    });
    expect([entries, heard, (await stored(row))['status']]).toEqual([[], [], 'paid']);
  });

  test('E41, fault 87 a unique value that another has now, and a reference that is gone, refuse it by name', async () => {
    const customer = await Customer.create({ name: 'c' });
    const row = await Order.create({ code: `c${customer['id']}`, customerId: customer['id'] });
    const created = await newest(row);
    await row.update({ code: null, customerId: null });
    const other = await Order.create({ code: `c${customer['id']}` });
    const plan = await orders.revert(row, { to: created, dryRun: true });
    expect(plan.obstacles).toEqual([
      { attribute: 'code', why: expect.stringContaining('duplicate key'), sqlState: '23505' },
    ]);
    const error = await refusalOf(() => orders.revert(row, { to: created }));
    expect([error.code, (error.cause as Error).name]).toEqual([
      'ERR_AUDIT_CONFLICT',
      'SequelizeUniqueConstraintError',
    ]);
    expect(error.message).toContain('code: ');
    await removed(other);
    await customer.destroy();
    const gone = await orders.revert(row, { to: created, dryRun: true });
    expect(gone.obstacles).toEqual([
      { attribute: 'customerId', why: expect.stringContaining('foreign key'), sqlState: '23503' },
    ]);
    expect((await refusalOf(() => orders.revert(row, { to: created }))).cause).toMatchObject({
      name: 'SequelizeForeignKeyConstraintError',
    });
    expect(await stored(row)).toMatchObject({ code: null, customerId: null });
    await orders.revert(row, { to: created, only: ['code'] });
    expect(await stored(row)).toMatchObject({ code: `c${customer['id']}`, customerId: null });
    // A deleted object that referred to it neither.
    await removed(await row.reload());
    const back = await orders.revert(row['id'], { to: created, dryRun: true });
    expect(back.obstacles).toEqual(gone.obstacles);
    expect((await refusalOf(() => orders.revert(row['id'], { to: created }))).message).toContain(
      'customerId: ',
    );
    expect(await stored(row)).toBeNull();
  });

  test('fault 87 a validator that would not let the value pass any more refuses it', async () => {
    const row = await Order.create({ status: 'forbidden' }, { validate: false });
    const created = await newest(row);
    await row.update({ status: 'fine' });
    const plan = await orders.revert(row, { to: created, dryRun: true });
    expect(plan.obstacles).toEqual([{ attribute: 'status', why: 'Validation notIn on status failed' }]);
    const error = await refusalOf(() => orders.revert(row, { to: created }));
    expect([error.code, (error.cause as Error).name]).toEqual([
      'ERR_AUDIT_CONFLICT',
      'SequelizeValidationError',
    ]);
    expect((await stored(row))['status']).toBe('fine');
  });

  test('fault 86 a stale expectedVersion refuses it, the newest one lets it pass', async () => {
    const row = await Order.create({});
    const created = await newest(row);
    const version = async () =>
      orders.model.name === 'Versioned' ? (await orders.mostRecent(row['id']))! : await newest(row);
    const idOf = (each: Row) => (each['historyId'] ?? each['id']) as string;
    const seen = (await version()) as unknown as Row;
    await row.update({ status: 'paid' });
    for (const expectedVersion of [seen, idOf(seen), Number(idOf(seen)), created]) {
      const error = await refusalOf(() =>
        orders.revert(row, { to: created, expectedVersion: expectedVersion as never }),
      );
      expect(error.code).toBe('ERR_AUDIT_CONFLICT');
    }
    expect((await stored(row))['status']).toBe('paid');
    const plan = await orders.revert(row, { to: created, dryRun: true, expectedVersion: idOf(seen) });
    expect(plan.obstacles).toHaveLength(1);
    await orders.revert(row, { to: created, expectedVersion: idOf((await version()) as never) });
    expect((await stored(row))['status']).toBe('new');
  });

  test('fault 92 of two at the same moment with one expectedVersion, one is refused', async () => {
    const row = await Order.create({});
    const created = await newest(row);
    await row.update({ status: 'paid' });
    const seen = await newest(row);
    const both = await Promise.allSettled(
      [1, 2].map(() => orders.revert(row['id'], { to: created, expectedVersion: seen })),
    );
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(await orders.entries(row)).toHaveLength(3);
    await row.reload();
    await row.destroy({ force: true });
    const twice = await Promise.allSettled([1, 2].map(() => orders.revert(row['id'], { to: created })));
    expect(twice.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(0);
    expect(await orders.entries(row)).toHaveLength(5);
  });

  test('fault 88 a key that another object has now is refused, unless forced', async () => {
    const row = await Order.create({ total: '1' });
    const created = await newest(row);
    await removed(row);
    await Order.create({ id: row['id'], total: '2' });
    const error = await refusalOf(() => orders.revert(row['id'], { to: created }));
    expect([error.code, (await stored(row))['total']]).toEqual(['ERR_AUDIT_CONFLICT', '2.00']);
    await orders.revert(row['id'], { to: created, force: true });
    expect((await stored(row))['total']).toBe('1.00');
  });

  test('times without the object, and what is no time, are refused', async () => {
    const before = new Date(Date.now() - 60_000);
    const row = await Order.create({});
    const codeOf = async (options: unknown) =>
      (await refusalOf(() => orders.revert(row['id'], options as never))).code;
    expect(await codeOf({ to: before })).toBe('ERR_AUDIT_NOT_THERE');
    for (const to of ['current', undefined, 'yesterday'])
      expect(await codeOf({ to })).toBe('ERR_AUDIT_INVALID_ARGUMENT');
    expect(await codeOf({ to: before, forse: true })).toBe('ERR_AUDIT_INVALID_OPTION');
    for (const wrong of [{ only: 'status' }, { expectedVersion: null }, { dryRun: 1 }])
      expect(await codeOf({ to: before, ...wrong })).toBe('ERR_AUDIT_INVALID_OPTION');
    await removed(row);
    expect(await codeOf({ to: new Date() })).toBe('ERR_AUDIT_NOT_THERE');
    expect((await refusalOf(() => orders.revert('x', { to: before }))).code).toBe('ERR_AUDIT_NOT_THERE');
    const unseen = await withoutAudit(() => Order.create({}));
    await unseen.update({ status: 'paid' });
    expect((await refusalOf(() => orders.revert(unseen, { to: before }))).code).toBe('ERR_AUDIT_HISTORY_GAP');
  });

  test('inside a transaction of the caller it stands and falls with it, and its failure leaves that whole', async () => {
    const row = await Order.create({ code: 'mine' });
    const created = await newest(row);
    await row.update({ status: 'paid', code: null });
    const work = async (transaction: Transaction): Promise<never> => {
      await orders.revert(row, { to: created, only: ['status'], transaction });
      await Order.create({ code: 'mine' }, { transaction });
      const error = await refusalOf(() => orders.revert(row, { to: created, transaction }));
      expect(error.code).toBe('ERR_AUDIT_CONFLICT');
      expect(await Order.unscoped().count({ where: { code: 'mine' }, transaction })).toBe(1);
      throw new Error('rolled back');
    };
    await expect(sequelize.transaction(work)).rejects.toThrow('rolled back');
    expect((await stored(row))['status']).toBe('paid');
    expect(await orders.entries(row)).toHaveLength(2);
  });

  test('links come back and go where both ends are there, and what is gone is told', async () => {
    const [one, two, three] = await Tag.bulkCreate([{ name: 'a' }, { name: 'b' }, { name: 'c' }]);
    const row = await Order.create({});
    await row['addLabels']([one, two]);
    const linked = await newest(row);
    await row['setLabels']([three]);
    const labels = async () => (await row['getLabels']()).map((each: Row) => each['name']).toSorted();
    const answer = await orders.revert(row, { to: linked });
    const name = 'labels';
    const link = (tag: Row) => ({ pk: String(tag['id']), repr: `Tag ${tag['id']}` });
    expect(answer.changes).toEqual([
      { attribute: name, added: [link(one!), link(two!)], removed: [link(three!)] },
    ]);
    expect(await labels()).toEqual(['a', 'b']);
    expect(answer.entry).toMatchObject({ action: 'update', changes: { labels: { type: 'm2m' } } });
    await one!.destroy();
    await row.update({ status: 'paid' });
    const second = await orders.revert(row, { to: linked });
    expect(second.skipped).toContainEqual({
      attribute: name,
      why: `Tag ${one!['id']} does not exist any more`,
    });
    expect(await labels()).toEqual(['b']);
    // A deleted object comes back with its links.
    await row['addLabel'](three);
    const both = await newest(row);
    await row.reload();
    await removed(row);
    await orders.revert(row['id'], { to: both });
    expect(await labels()).toEqual(['b', 'c']);
  });

  test('the entry in the answer is the one of the revert, also when hooks write about the same object', async () => {
    const row = await Order.create({});
    const created = await newest(row);
    await row.update({ status: 'paid' });
    const hook = async (instance: Model, options: { transaction?: Transaction | null }): Promise<void> => {
      Order.removeHook('afterUpdate', 'more');
      await instance.update({ total: '7' }, { transaction: options.transaction ?? null });
    };
    Order.addHook('afterUpdate', 'more', hook as never);
    const { entry } = await orders.revert(row, { to: created });
    expect(entry!.changes).toEqual({ status: ['paid', 'new'] });
    expect((await newest(row)).changes).toEqual({ total: [null, '7.00'] });
  });

  test('revertedTo is the time that was given, or that of the version or entry', async () => {
    const row = await Order.create({});
    const created = await newest(row);
    const at = (created.toJSON() as { timestamp: string }).timestamp;
    await row.update({ status: 'paid' });
    const { entry } = await orders.revert(row, { to: at });
    expect(entry!.additionalData).toEqual({ revertedTo: at });
    const back = await orders.revert(row, { to: (await orders.entries(row))[1]! });
    expect(back.entry!.additionalData).toMatchObject({ revertedToEntry: expect.any(String) });
    expect(await Log.count({ where: { objectPk: String(row['id']), model: Order.name } })).toBe(4);
  });
});
