import { DataTypes } from 'sequelize';
import { createAuditLog, type PruneResult } from 'sequelize-auditlog';
import { testDatabase } from '../support/database';
import { blocksOf, readPaper, typescriptBlocksOf } from './support/markdown';
import { Order } from './support/reader';
import { Recipes } from './support/recipes';

const paper = readPaper('docs/retention.md').split('\n## Archives\n')[0]!;
const blocks = typescriptBlocksOf(paper);
const database = testDatabase();
const recipes = new Recipes(database, blocks);
const ROLE = 'audit_janitor';

beforeAll(() => recipes.open());
afterAll(() => recipes.close());

/** Everything that is in the log now was written eight years ago. */
async function age(): Promise<void> {
  await database.rows(`update audit_log_entries set "timestamp" = "timestamp" - interval '8 years'`);
  await database.rows(`update "Orders_history" set history_date = history_date - interval '8 years'`);
}

test('every block has a name and is run below', () => {
  expect(blocks.map(({ name }) => name)).toEqual(['prune', 'plan', 'ages']);
});

test('a dry run counts, a prune removes, and leaves the mark that is shown', async () => {
  const { order } = recipes.objects;
  for (let views = 1; views <= 12; views += 1) await order.update({ views });
  await age();
  const { plan, rows } = await recipes.run('plan');
  expect((plan as PruneResult)['Order']).toEqual({ entries: 4, versions: 4 });
  expect(rows).toBeGreaterThanOrEqual(8);

  const log = jest.spyOn(console, 'log').mockImplementation(() => undefined);
  await recipes.run('prune');
  expect(log.mock.calls).toEqual([[{ entries: 14, versions: 13 }]]);
  log.mockRestore();
  const mark = await recipes.wired.auditLog.LogEntry.findOne({ where: { action: 'prune', model: 'Order' } });
  expect(mark).toMatchObject({ actorLabel: 'nightly job', reason: 'policy: a year' });
  const shown = blocksOf(paper).find(({ language }) => language === 'json')!;
  const names = (data: object): string[] => Object.keys(data).toSorted();
  expect(names(mark!.additionalData!)).toEqual(names(JSON.parse(shown.code) as object));
});

test('models have ages of their own', async () => {
  const { LogEntry } = recipes.wired.auditLog;
  const order = await Order.create({ status: 'new' });
  await order.destroy();
  await age();
  await recipes.run('ages');
  expect(await LogEntry.count({ where: { model: 'Order', objectPk: String(order.id) } })).toBe(0);
});

test('the grants are enough for a role that does nothing else', async () => {
  const name = `${ROLE}_${database.schema}`.slice(0, 60);
  const grants = blocksOf(paper).find(({ language, code }) => language === 'sql' && code.includes(ROLE))!;
  const sql = grants.code.replaceAll(ROLE, `"${name}"`).replaceAll('orders_history', '"Orders_history"');
  const order = await Order.create({ status: 'new' });
  await order.destroy();
  await database.rows(`drop role if exists "${name}"`);
  await database.rows(`${sql}; grant usage on schema "${database.schema}" to "${name}"`);
  try {
    const options = `-c search_path=${database.schema} -c role=${name}`;
    const janitor = database.createSequelize({ dialectOptions: { options } });
    const log = createAuditLog(janitor);
    const model = janitor.define('Order', { status: DataTypes.TEXT }, { tableName: 'Orders' });
    log.registerAudited(model, { snapshots: true });
    expect(await log.prune({ olderThan: '0s', models: [model] })).toEqual({
      Order: { entries: 2, versions: 2 },
    });
    await janitor.close();
  } finally {
    await database.rows(`drop owned by "${name}"; drop role "${name}"`);
  }
});
