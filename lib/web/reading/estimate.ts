import { planned } from '../../past/past-model';
import { selectedWhere, type EntrySelection, type ReadableLog } from './selection';

interface Plan {
  readonly 'Plan Rows': number;
}

/** How many entries there are, as the planner guesses from statistics: nothing is counted. */
export async function estimateEntries(log: ReadableLog, selection: EntrySelection): Promise<number> {
  const where = await selectedWhere(log, selection);
  const { transaction } = selection;
  const { model, reading } = planned(log.LogEntry);
  const rows = await model.findAll({
    ...reading,
    attributes: ['id'],
    where: where as never,
    raw: true,
    ...(transaction && { transaction }),
  });
  const [row] = rows as unknown as { 'QUERY PLAN': readonly { readonly Plan: Plan }[] }[];
  return row?.['QUERY PLAN'][0]?.Plan['Plan Rows'] ?? 0;
}
