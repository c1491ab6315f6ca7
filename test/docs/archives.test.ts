import { mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogEntry } from 'sequelize-auditlog';
import { testDatabase } from '../support/database';
import { blocksOf, readPaper, typescriptBlocksOf } from './support/markdown';
import { Order } from './support/reader';
import { Recipes } from './support/recipes';

const paper = readPaper('docs/retention.md').split('\n## Archives\n')[1] ?? '';
const blocks = typescriptBlocksOf(paper);
const database = testDatabase();
const recipes = new Recipes(database, blocks);
const { ARCHIVES, DATABASE_URL } = process.env;
let folder: string;

beforeAll(async () => {
  await recipes.open();
  folder = await mkdtemp(join(tmpdir(), 'archives-'));
  const path = encodeURIComponent(`-c search_path=${database.schema}`);
  Object.assign(process.env, { ARCHIVES: folder, DATABASE_URL: `${database.url}?options=${path}` });
});
afterAll(async () => {
  Object.assign(process.env, { ARCHIVES: ARCHIVES ?? '', DATABASE_URL });
  await recipes.close();
  await rm(folder, { recursive: true });
});

test('every block has a name and is run below', () => {
  expect(blocks.map(({ name }) => name)).toEqual(['archive', 'restored']);
});

test('what was archived is read back and found by a second log', async () => {
  const { order } = recipes.objects;
  await order.update({ status: 'returned' });
  await order.destroy();
  for (const [table, column] of [
    ['audit_log_entries', 'timestamp'],
    ['Orders_history', 'history_date'],
  ])
    await database.rows(`update "${table}" set "${column}" = "${column}" - interval '8 years'`);
  const { today } = await recipes.run('archive');
  expect(await database.rows(`select 1 from "Orders_history"`)).toEqual([]);
  const names = [...paper.matchAll(/`\d{4}-(\w+-Order\.ndjson\.gz)`/g)].map(([, name]) => name);
  const made = (await readdir(join(folder, String(today)))).map((name) => name.replace(/^\d{4}-/, ''));
  expect(made).toEqual(expect.arrayContaining([...names, 'manifest.json']));
  await rename(join(folder, String(today)), join(folder, '2026-11-22'));

  const log = jest.spyOn(console, 'log').mockImplementation(() => undefined);
  const { restored, entries, past } = await recipes.run('restored');
  log.mockRestore();
  expect(restored).toEqual({ entries: expect.any(Number), versions: 4 });
  expect((entries as LogEntry[]).map(({ action }) => action)).toEqual([
    'delete',
    'update',
    'update',
    'create',
  ]);
  const [sql] = blocksOf(paper).filter(({ language }) => language === 'sql');
  const versions = await database.rows<{ status: string }>(
    sql!.code.replace('audit_2025_orders_history', '"audit_2025_Orders_history"'),
  );
  expect(versions.map(({ status }) => status)).toEqual(['pending', 'shipped', 'returned', 'returned']);
  expect(await Order.findByPk(42)).toBeNull();
  await (past as { LogEntry: { sequelize: { close(): Promise<void> } } }).LogEntry.sequelize.close();
});
