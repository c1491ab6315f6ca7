import type { TestDatabase } from './database';

interface PlanNode {
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Actual Loops': number;
  readonly 'Actual Rows': number;
  readonly Plans?: readonly PlanNode[];
}

function passedOver({ Plans = [], ...node }: PlanNode): number {
  const own = (node['Rows Removed by Filter'] ?? 0) * node['Actual Loops'];
  return Plans.reduce((sum, each) => sum + passedOver(each), own);
}

/** How many rows a statement reads and throws away. */
export async function rowsPassedOver(database: TestDatabase, sql: string): Promise<number> {
  const [row] = await database.rows(`explain (analyze, format json) ${sql}`);
  const [{ Plan }] = (row as { 'QUERY PLAN': [{ Plan: PlanNode }] })['QUERY PLAN'];
  return passedOver(Plan);
}
