import type { TestDatabase } from './database';

interface PlanNode {
  readonly 'Relation Name'?: string;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Actual Loops': number;
  readonly 'Actual Rows': number;
  readonly Plans?: readonly PlanNode[];
}

function sumOf({ Plans = [], ...node }: PlanNode, count: (node: PlanNode) => number): number {
  return Plans.reduce((sum, each) => sum + sumOf(each, count), count(node) * node['Actual Loops']);
}

async function planOf(
  database: TestDatabase,
  sql: string,
  values: readonly unknown[] = [],
): Promise<PlanNode> {
  const [row] = await database.rows(`explain (analyze, format json) ${sql}`, [...values]);
  return (row as { 'QUERY PLAN': [{ Plan: PlanNode }] })['QUERY PLAN'][0].Plan;
}

/** How many rows a statement reads and throws away. */
export async function rowsPassedOver(database: TestDatabase, sql: string): Promise<number> {
  return sumOf(await planOf(database, sql), (node) => node['Rows Removed by Filter'] ?? 0);
}

/** How many rows a statement gets out of tables and indexes. */
export async function rowsScanned(
  database: TestDatabase,
  sql: string,
  values: readonly unknown[],
): Promise<number> {
  const isScan = (node: PlanNode): boolean => node['Relation Name'] !== undefined;
  return sumOf(await planOf(database, sql, values), (node) => (isScan(node) ? node['Actual Rows'] : 0));
}
