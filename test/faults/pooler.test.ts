import { DataTypes, type Model, type ModelStatic, type Transaction } from 'sequelize';
import { createAuditLog, type AuditLog } from 'sequelize-auditlog';
import { testDatabase } from '../support/database';
import { statementsOf } from '../support/statements';

const database = testDatabase();
beforeAll(() => database.open());
afterAll(() => database.close());

interface Bench {
  readonly Thing: ModelStatic<Model>;
  readonly auditLog: AuditLog;
  /** What a pooler in transaction mode does: the next statement meets a connection that knows no prepared statement. */
  readonly lose: (transaction?: Transaction) => Promise<unknown>;
  readonly changes: () => Promise<unknown[]>;
}

/** What pg remembers of a connection. */
interface PgClient {
  readonly connection: { readonly parsedStatements: Record<string, string> };
}

let made = 0;

/** An audited parent with an audited child that goes with it, on an instance whose one connection everybody shares. */
async function bench(command = 'deallocate all'): Promise<Bench & { readonly Part: ModelStatic<Model> }> {
  const sequelize = database.createSequelize({ pool: { max: 1 } });
  const name = `thing_${(made += 1)}`;
  const options = { tableName: name, timestamps: false };
  const Thing = sequelize.define(
    name,
    { n: DataTypes.INTEGER, code: { type: DataTypes.TEXT, unique: true } },
    options,
  );
  const Part = sequelize.define(`${name}_part`, {}, { timestamps: false });
  Thing.hasMany(Part, { foreignKey: 'thingId', onDelete: 'CASCADE' });
  const auditLog = createAuditLog(sequelize, { tableName: `log_${name}` });
  auditLog.registerAudited(Thing, { modelName: 'Thing' });
  auditLog.registerAudited(Part, { modelName: 'Part' });
  await sequelize.sync();
  await auditLog.sync();
  const lose = (transaction?: Transaction) => sequelize.query(command, transaction ? { transaction } : {});
  const changes = async () =>
    (await auditLog.LogEntry.forModel('Thing', { order: [['id', 'ASC']] })).map(
      (entry) => entry.changes!['n'],
    );
  return { Thing, Part, auditLog, lose, changes };
}

/** A row whose updates are prepared by name. */
async function prepared(Thing: ModelStatic<Model>): Promise<Model> {
  const thing = await Thing.create({ n: 0 });
  for (const n of [1, 2, 3]) await thing.update({ n });
  return thing;
}

const BEFORE = [
  [null, 0],
  [0, 1],
  [1, 2],
  [2, 3],
];

test.each(['deallocate all', 'discard all'])(
  '23 after %s a write outside a transaction is sent again, unseen',
  async (command) => {
    const { Thing, changes, lose } = await bench(command);
    const thing = await prepared(Thing);
    await lose();
    const sent = await statementsOf(Thing.sequelize!, () => thing.update({ n: 4 }));
    const updates = sent.filter(({ text }) => /update "thing_/i.test(text));
    expect(updates).toHaveLength(2);
    expect(updates[0]!.name).toMatch(/^audit_/);
    expect(updates[1]!.name).not.toBe(updates[0]!.name);
    expect(await changes()).toEqual([...BEFORE, [3, 4]]);
  },
);

test('23 inside a transaction it is a coded error, nothing is written, and the next try succeeds', async () => {
  const { Thing, changes, lose } = await bench();
  const thing = await prepared(Thing);
  const attempt = (isLost: boolean) =>
    Thing.sequelize!.transaction(async (transaction) => {
      if (isLost) await lose(transaction);
      await thing.update({ n: 4 }, { transaction });
      await thing.update({ n: 5 }, { transaction });
    });
  await expect(attempt(true)).rejects.toMatchObject({
    code: 'ERR_AUDIT_STALE_STATEMENT',
    cause: { code: '26000' },
  });
  expect(await changes()).toEqual(BEFORE);
  await thing.reload();
  await attempt(false);
  expect(await changes()).toEqual([...BEFORE, [3, 4], [4, 5]]);
});

test('23 the second loss turns prepared statements off, with one warning', async () => {
  const emitWarning = jest.spyOn(process, 'emitWarning').mockImplementation();
  const { Thing, lose, changes } = await bench();
  const thing = await prepared(Thing);
  for (const n of [4, 5, 6, 7]) {
    await lose();
    for (const step of [0, 10]) await thing.update({ n: n + step });
  }
  const sent = await statementsOf(Thing.sequelize!, async () => {
    for (const n of [8, 9, 10]) await thing.update({ n });
  });
  const warnings = emitWarning.mock.calls.map(([message]) => message);
  emitWarning.mockRestore();
  expect(sent.map(({ name }) => name)).toEqual([undefined, undefined, undefined]);
  expect(warnings).toEqual([expect.stringContaining('preparedStatements: false')]);
  expect((await changes()).slice(-4)).toEqual([
    [7, 17],
    [17, 8],
    [8, 9],
    [9, 10],
  ]);
});

test('23 a name that another process has taken for the connection is prepared anew', async () => {
  const { Thing, lose, changes } = await bench();
  const thing = await Thing.create({ n: 0 });
  await thing.update({ n: 1 });
  const [first] = await statementsOf(Thing.sequelize!, () => thing.update({ n: 2 }));
  await lose();
  await Thing.sequelize!.query(`prepare "${first!.name}" as select 1`);
  const { connectionManager } = Thing.sequelize!;
  const client: unknown = await connectionManager.getConnection({ type: 'write' } as never);
  delete (client as PgClient).connection.parsedStatements[first!.name!];
  connectionManager.releaseConnection(client as never);
  await thing.update({ n: 3 });
  expect(await changes()).toEqual([
    [null, 0],
    [0, 1],
    [1, 2],
    [2, 3],
  ]);
});

/** Parents with two parts each. */
async function family(
  { Thing, Part }: { Thing: ModelStatic<Model>; Part: ModelStatic<Model> },
  count: number,
): Promise<Model[]> {
  const things = await Thing.bulkCreate(Array.from({ length: count }, (_, n) => ({ n })));
  for (const thing of things)
    await Part.bulkCreate([{ thingId: thing.get('id') }, { thingId: thing.get('id') }]);
  return things;
}

test('23 a delete with cascades survives the loss outside a transaction', async () => {
  const given = await bench();
  const things = await family(given, 8);
  for (const thing of things.slice(0, 4)) await thing.destroy();
  await given.lose();
  for (const thing of things.slice(4)) await thing.destroy();
  const deleted = await given.auditLog.LogEntry.findAll({ where: { action: 'delete' } });
  expect(deleted.map(({ model }) => model).toSorted()).toEqual([
    ...Array<string>(16).fill('Part'),
    ...Array<string>(8).fill('Thing'),
  ]);
});

test('23 a delete with cascades inside a transaction is the coded error, and succeeds when repeated', async () => {
  const given = await bench();
  const things = await family(given, 6);
  for (const thing of things.slice(0, 4)) await thing.destroy();
  const remove = (isLost: boolean) =>
    given.Thing.sequelize!.transaction(async (transaction) => {
      if (isLost) await given.lose(transaction);
      await things[4]!.destroy({ transaction });
    });
  await expect(remove(true)).rejects.toMatchObject({ code: 'ERR_AUDIT_STALE_STATEMENT' });
  await remove(false);
  expect(await given.Part.count()).toBe(2);
});

test('23 findOrCreate opens a transaction itself, but is never prepared by name, so it loses nothing', async () => {
  const { Thing, changes, lose } = await bench();
  const find = (code: string, n: number) => Thing.findOrCreate({ where: { code }, defaults: { code, n } });
  const sent = await statementsOf(Thing.sequelize!, async () => {
    for (const n of [1, 2, 3]) await find(`c${n}`, n);
    await lose();
    await find('c4', 4);
  });
  expect(sent.filter(({ name }) => name !== undefined)).toEqual([]);
  expect(await changes()).toEqual([
    [null, 1],
    [null, 2],
    [null, 3],
    [null, 4],
  ]);
});

test('23 side by side writes over several connections that all lose their statements are all recorded once', async () => {
  const sequelize = database.createSequelize({ pool: { max: 4 } });
  const Thing = sequelize.define('many', { n: DataTypes.INTEGER }, { timestamps: false });
  const auditLog = createAuditLog(sequelize, { tableName: 'log_many' });
  auditLog.registerAudited(Thing);
  await Thing.sync();
  await auditLog.sync();
  const things = await Promise.all(Array.from({ length: 8 }, () => Thing.create({ n: 0 })));
  const round = (n: number) => Promise.all(things.map((thing) => thing.update({ n })));
  for (const n of [1, 2, 3]) await round(n);
  await Promise.all([1, 2, 3, 4].map(() => sequelize.query('deallocate all')));
  for (const n of [4, 5]) await round(n);
  expect(await auditLog.LogEntry.count()).toBe(8 * 6);
  expect(await Thing.count({ where: { n: 5 } })).toBe(8);
});
