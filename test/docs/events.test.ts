import type { EventEmitter } from 'node:events';
import { DataTypes } from 'sequelize';
import { withAuditContext } from 'sequelize-auditlog';
import { testDatabase } from '../support/database';
import { until } from '../support/until';
import { blocksOf, readPaper, typescriptBlocksOf, type Block } from './support/markdown';
import { Invoice, Order } from './support/reader';
import { Recipes } from './support/recipes';

const paper = readPaper('docs/events.md');
const blocks = typescriptBlocksOf(paper).filter(({ name }) => !name?.startsWith('example-app/'));
const [bus, subscribe] = blocks as [Block, Block];
const database = testDatabase();
// The reader goes on in the module of the bus.
const recipes = new Recipes(database, [{ ...subscribe, code: bus.code + subscribe.code }]);
const lagSql = blocksOf(paper).find(({ language }) => language === 'sql')!.code;

beforeAll(async () => {
  await recipes.open();
  // The reader's order took number 42 out of turn.
  await database.rows(`select setval(pg_get_serial_sequence('"Orders"', 'id'), 100)`);
});
afterAll(() => recipes.close());

test('every block is run here, or is a file that example-app/test/webhook.test.ts compares', () => {
  expect(blocks.map(({ name }) => name)).toEqual(['bus', 'subscribe']);
});

test('H305 H306: the bus tells each subscriber of a change once it is committed, never of one that was rolled back', async () => {
  const warned = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
  const { auditLog } = recipes.wired;
  auditLog.registerAudited(Invoice);
  const scope = (await recipes.run('subscribe')) as { bus: EventEmitter };
  const heard: { instanceId: string; modelName: string }[] = [];
  scope.bus.on('modelAudited', (event) => void heard.push(event));
  await withAuditContext({ actor: 'ann' }, async () => {
    const undone = database.sequelize.transaction(async (transaction) => {
      await Invoice.create({}, { transaction });
      throw new Error('rolled back');
    });
    await expect(undone).rejects.toThrow('rolled back');
    await Order.create({ status: 'pending' });
    await Invoice.create({});
  });
  await until(() => warned.mock.calls.length > 0);
  expect(heard.map(({ modelName }) => modelName)).toEqual(['Order', 'Invoice']);
  expect(warned.mock.calls.map(([line]) => JSON.parse(line as string))).toEqual([
    {
      event: 'sensitive_model_changed',
      modelName: 'Invoice',
      instanceId: heard[1]!.instanceId,
      action: 'create',
      changedFields: expect.arrayContaining(['id']) as string[],
      changedById: 'ann',
    },
  ]);
  warned.mockRestore();
});

async function cursorOf(
  after: string | null = null,
): Promise<{ cursor: string; id: string; transactionId: string }> {
  for await (const { cursor, entry } of recipes.wired.auditLog.tail({ after, pollMs: 20 }))
    return { cursor, id: entry.id, transactionId: entry.transactionId! };
  throw new Error('nothing came');
}

test('fault 111: a consumer that is down for a day: writes go on, SQL tells how far behind it is, and it catches up', async () => {
  const { auditLog } = recipes.wired;
  const Cursor = database.sequelize.define(
    'WebhookCursor',
    {
      name: { type: DataTypes.TEXT, primaryKey: true },
      transactionId: DataTypes.BIGINT,
      entryId: DataTypes.BIGINT,
    },
    { tableName: 'webhook_cursors', underscored: true, timestamps: false },
  );
  await Cursor.sync();
  const at = await cursorOf();
  await Cursor.create({ name: 'webhook', transactionId: at.transactionId, entryId: at.id });
  await Order.bulkCreate(Array.from({ length: 200 }, () => ({ status: 'pending' })));
  const waiting = (await auditLog.LogEntry.count()) - 1;
  await database.rows(`update audit_log_entries set timestamp = timestamp - interval '1 day'`);
  const [behind] = await database.rows<{ waiting: string; lag: object }>(lagSql);
  expect(Number(behind!.waiting)).toBe(waiting);
  expect(behind!.lag).toMatchObject({ days: 1 });
  let last = at;
  let read = 0;
  for await (const { cursor, entry } of auditLog.tail({ after: at.cursor, pollMs: 20 })) {
    last = { cursor, id: entry.id, transactionId: entry.transactionId! };
    read += 1;
    if (read === waiting) break;
  }
  await Cursor.update(
    { transactionId: last.transactionId, entryId: last.id },
    { where: { name: 'webhook' } },
  );
  const [caughtUp] = await database.rows<{ waiting: string; lag: object }>(lagSql);
  expect({ ...caughtUp, lag: { ...caughtUp!.lag } }).toEqual({ name: 'webhook', waiting: '0', lag: {} });
});
