import { DataTypes, literal, type FindOptions, type Model, type ModelStatic } from 'sequelize';
import { createAuditLog, type AuditedModel } from 'sequelize-auditlog';
import { entriesOf, openAudited } from '../support/audited';
import { testDatabase } from '../support/database';

// What an application may do to the finders of its models, which a reading of one object goes through.
type Row = Model & Record<string, any>;

const database = testDatabase();
const { sequelize } = database;
const auditLog = createAuditLog(sequelize);
const { TEXT, INTEGER, DATE } = DataTypes;

function define(name: string, snapshots: boolean, attributes: object): [ModelStatic<Row>, AuditedModel<Row>] {
  const model = sequelize.define<Row>(name, attributes as never, { timestamps: false });
  return [model, auditLog.registerAudited(model, { snapshots })];
}

const ways = [true, false].map((snapshots) => {
  const kind = snapshots ? 'Versions' : 'Entries';
  return {
    kind,
    orders: define(`${kind}Order`, snapshots, { status: TEXT, total: INTEGER }),
    events: define(`${kind}Event`, snapshots, { at: { type: DATE, primaryKey: true }, note: TEXT }),
  };
});

beforeAll(() => openAudited(database, auditLog));
afterAll(() => database.close());

describe.each(ways)('one object, by $kind', ({ orders: [Order, orders], events: [Event, events] }) => {
  const pair = async (): Promise<[number, number, Date]> => {
    const rows = await Order.bulkCreate([
      { status: 'a', total: 1 },
      { status: 'b', total: 2 },
    ]);
    const when = new Date();
    return [rows[0]!['id'] as number, rows[1]!['id'] as number, when];
  };
  const statusOf = (row: Row | null): unknown => row!['status'];

  test('finders that the application overrides are told which', async () => {
    const [first, second, when] = await pair();
    const seen = new Map<string, unknown>();
    const finder = Order.findAll;
    Order.findAll = async function cached(this: ModelStatic<Row>, options?: FindOptions) {
      const key = JSON.stringify([options?.where, options?.limit]);
      if (!seen.has(key)) seen.set(key, await finder.call(this, options as never));
      return seen.get(key) as never;
    } as never;
    try {
      const past = orders.asOf(when);
      expect(statusOf(await past.findByPk(first))).toBe('a');
      expect(statusOf(await past.findByPk(second))).toBe('b');
    } finally {
      delete (Order as { findAll?: unknown }).findAll;
    }
  });

  test('hooks that copy the options deeply still read the past; those that drop them read nothing', async () => {
    const [first, , when] = await pair();
    await Order.update({ status: 'later' }, { where: { id: first } });
    const past = orders.asOf(when);
    const copy = (value: unknown): unknown => {
      if (typeof value !== 'object' || value === null) return value;
      const made = (
        Array.isArray(value) ? [] : Object.create(Object.getPrototypeOf(value) as object)
      ) as object;
      for (const key of Reflect.ownKeys(value)) Reflect.set(made, key, copy(Reflect.get(value, key)));
      return made;
    };
    Order.addHook('beforeFindAfterOptions', 'copies', (options) => {
      Object.assign(options, copy({ ...options, model: undefined, transaction: undefined }));
    });
    expect(statusOf(await past.findByPk(first))).toBe('a');
    expect(await past.count({ where: { id: first, status: 'a' } })).toBe(1);
    Order.removeHook('beforeFindAfterOptions', 'copies');
    Order.addHook('beforeFind', 'drops', (options) => {
      delete (options as { auditReading?: unknown }).auditReading;
    });
    await expect(past.findByPk(first)).rejects.toMatchObject({
      code: 'ERR_AUDIT_READ_ONLY',
      message: expect.stringContaining('auditReading') as string,
    });
    Order.removeHook('beforeFind', 'drops');
  });

  test('parameters in SQL of the caller stay his', async () => {
    const [first, , when] = await pair();
    const where = literal('status >= $1') as never;
    await expect(orders.asOf(when).findByPk(first, { where })).rejects.toThrow('no parameter $1');
    const bound = await orders.asOf(when).findByPk(first, { where, bind: ['a'] } as never);
    expect(statusOf(bound)).toBe('a');
  });

  test('keys with microseconds are told apart, with hooks and without', async () => {
    const [exact, rounded] = ['2026-01-31T10:00:00.123456Z', '2026-01-31T10:00:00.123Z'];
    const table = `"${Event.getTableName() as string}"`;
    const entries = await entriesOf(auditLog, async () => {
      for (const [at, note] of [
        [exact, 'exact'],
        [rounded, 'rounded'],
      ])
        await sequelize.query(`insert into ${table} (at, note) values ('${at}', '${note}')`);
    });
    const past = events.asOf(entries.at(-1)!);
    const notes = async (): Promise<unknown[]> =>
      Promise.all([exact, rounded].map(async (at) => (await past.findByPk(at))?.['note'] as unknown));
    expect(await notes()).toEqual(['exact', 'rounded']);
    Event.addHook('afterFind', 'watches', () => undefined);
    expect(await notes()).toEqual(['exact', 'rounded']);
    Event.removeHook('afterFind', 'watches');
  });

  test('what was found in a transaction is reloaded in a later one, when the catalogue must be asked anew', async () => {
    const [first, , when] = await pair();
    const found = await sequelize.transaction((transaction) =>
      orders.asOf(when).findOne({ where: { id: first }, transaction }),
    );
    await Order.update({ status: 'later' }, { where: { id: first } });
    const now = Date.now();
    const clock = jest.spyOn(Date, 'now').mockImplementation(() => now + 60_000);
    try {
      const again = await sequelize.transaction((transaction) => found!.reload({ transaction }));
      expect(statusOf(again)).toBe('a');
      expect(statusOf(await found!.reload())).toBe('a');
    } finally {
      clock.mockRestore();
    }
  });
});
