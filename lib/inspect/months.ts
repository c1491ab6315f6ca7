import { logTable, type HistorySettings } from '../history/settings';
import { readingError } from '../schema/detached-model';
import { catalogueQuery } from '../schema/sync';
import { entriesPerMonth } from '../statement/months';

/** How many entries of a model a month brought. */
export interface MonthStats {
  /** `2026-11`, in UTC. */
  readonly month: string;
  readonly model: string;
  readonly entries: number;
}

/**
 * Counts the entries of each month and model, the oldest month first.
 *
 * @param fromSql an instant as SQL: entries before it are not counted
 * @throws {AuditError} ERR_AUDIT_MISSING_TABLE when the log is not there
 */
export async function readMonths(settings: HistorySettings, fromSql: string): Promise<readonly MonthStats[]> {
  const log = logTable(settings);
  try {
    const { rows } = await catalogueQuery(settings.sequelize)(entriesPerMonth(log, fromSql), []);
    return rows as unknown as MonthStats[];
  } catch (error) {
    throw readingError(error, log);
  }
}
