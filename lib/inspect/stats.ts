import { logTable, type HistorySettings } from '../history/settings';
import type { CatalogueQuery } from '../schema/catalogue';
import { readingError } from '../schema/detached-model';
import type { TableName } from '../schema/quote';
import { catalogueQuery } from '../schema/sync';
import { presentTables, statsSql } from '../statement/stats';

/** What the log holds of one model. */
export interface ModelStats {
  readonly entries: number;
  /** 0 without a history table. */
  readonly versions: number;
  /**
   * On disk, indexes and large values included: all of its history table, and of the log the share that its rows have in the
   * sizes of all rows.
   */
  readonly bytes: number;
  /** Of entries and versions; null when there is neither. */
  readonly oldest: Date | null;
  readonly newest: Date | null;
}

/** By registered name. */
export type LogStats = Readonly<Record<string, ModelStats>>;

const NOTHING: ModelStats = { entries: 0, versions: 0, bytes: 0, oldest: null, newest: null };

type Histories = ReadonlyMap<string, TableName>;

/** Of registered models, those that are there: `check()` tells of the others. */
async function historiesOf({ registry }: HistorySettings, query: CatalogueQuery): Promise<Histories> {
  const all = new Map<string, TableName>();
  for (const { name, options } of registry.registrations)
    if (options.snapshots) all.set(name, options.snapshots.table);
  if (all.size === 0) return all;
  const { rows } = await query(presentTables(all), []);
  const present = new Set((rows as { name: string }[]).map(({ name }) => name));
  return new Map([...all].filter(([name]) => present.has(name)));
}

type CountedModel = ModelStats & { readonly model: string };

async function count(
  query: CatalogueQuery,
  log: TableName,
  histories: Histories,
): Promise<readonly CountedModel[]> {
  try {
    const { rows } = await query(statsSql(log, histories), []);
    return rows as CountedModel[];
  } catch (error) {
    throw readingError(error, log);
  }
}

/**
 * Counts what the log and the histories hold, of every model that is registered or has entries. It reads all of them: about a
 * second for a million entries.
 *
 * @throws {AuditError} ERR_AUDIT_MISSING_TABLE when the log is not there; a history that is not there has no versions
 */
export async function readStats(settings: HistorySettings): Promise<LogStats> {
  const query = catalogueQuery(settings.sequelize);
  const counted = await count(query, logTable(settings), await historiesOf(settings, query));
  const stats = new Map<string, ModelStats>();
  for (const { name } of settings.registry.registrations) stats.set(name, NOTHING);
  for (const { model, ...each } of counted) stats.set(model, each);
  return Object.fromEntries([...stats].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
