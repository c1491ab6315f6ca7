import type { Registration } from '../capture/registry';
import { missingTable } from '../capture/write-errors';
import { AuditError } from '../core/errors';
import { INSUFFICIENT_PRIVILEGE } from '../core/postgres-codes';
import { checkKeys, invalidOption } from '../core/suggest';
import { readTable, type CatalogueQuery } from '../schema/catalogue';
import { HISTORY_COLUMNS } from '../schema/history-table';
import { quoteTable, type TableName } from '../schema/quote';
import { sqlState } from '../schema/sql-state';
import { cleanPage, lockAgainstCleaning, type DuplicatesSource } from '../statement/duplicates';
import { inOwnTransaction } from './own-transaction';
import { boundOf, timeSql, type PointInTime } from './point-in-time';
import type { HistorySettings } from './settings';
import { requireSnapshots } from './snapshots';

export interface CleanDuplicatesOptions {
  /** Only versions dated at or after this are looked at, the oldest of them also beside the one before. @default all */
  readonly since?: PointInTime;
  /** Counts and removes nothing. @default false */
  readonly dryRun?: boolean;
}

export interface CleanDuplicatesResult {
  /** How many versions were looked at. */
  readonly examined: number;
  /** How many of them equal the one before and were removed, or with `dryRun` would be. */
  readonly removed: number;
}

/** Objects per transaction. */
const PAGE_SIZE = 1000;

const OWN_COLUMNS = new Set(HISTORY_COLUMNS.map(({ column }) => column));

/** @throws {AuditError} ERR_AUDIT_INVALID_OPTION, ERR_AUDIT_INVALID_ARGUMENT */
function sinceSql(where: string, { since, dryRun }: CleanDuplicatesOptions): string | null {
  if (dryRun !== undefined && typeof dryRun !== 'boolean')
    invalidOption(where, 'dryRun', 'true or false', dryRun);
  if (since === undefined) return null;
  return `"history_date" >= ${timeSql(boundOf(`${where}: since`, since).time)}`;
}

/** All that the history table holds of a row, also columns that the model has no more. */
async function sourceOf(
  query: CatalogueQuery,
  { tracked }: Registration,
  history: TableName,
  since: string | null,
): Promise<DuplicatesSource> {
  const info = await readTable(query, history);
  if (!info) throw missingTable(history.table);
  const keyNames = tracked.keys.map(({ column }) => column);
  const types = new Map(info.columns.map(({ name, type }) => [name, type]));
  const columns = info.columns
    .filter(({ name }) => !OWN_COLUMNS.has(name) && !keyNames.includes(name))
    .map(({ name, valueType }) => ({ column: name, type: valueType, mask: null }));
  const keys = keyNames.map((column) => ({ column, type: types.get(column)! }));
  return { history, keys, columns, since };
}

interface Page extends CleanDuplicatesResult {
  readonly objects: number;
  readonly last: readonly string[] | null;
}

async function clean(
  settings: HistorySettings,
  source: DuplicatesSource,
  removes: boolean,
): Promise<CleanDuplicatesResult> {
  const sum = { examined: 0, removed: 0 };
  let after: readonly string[] = [];
  for (;;) {
    const page = await inOwnTransaction(settings.sequelize, async (query) => {
      if (removes) await query(lockAgainstCleaning(source.history), []);
      const { rows } = await query(cleanPage(source, after.length > 0, removes), [...after, PAGE_SIZE]);
      return rows[0] as Page;
    });
    sum.examined += page.examined;
    sum.removed += page.removed;
    if (page.objects < PAGE_SIZE) return sum;
    after = page.last ?? [];
  }
}

/** The role of an application needs no right to remove versions, so it may lack it. */
function codedError(where: string, error: unknown, history: TableName): unknown {
  if (sqlState(error) !== INSUFFICIENT_PRIVILEGE) return error;
  const message = `${where}: the database role may not remove versions from ${quoteTable(history)}. Grant it delete on the table, or use a role that owns it.`;
  return new AuditError('ERR_AUDIT_PERMISSION', message, { cause: error });
}

/** Removes versions that equal the one before. */
export async function cleanDuplicates(
  settings: HistorySettings,
  registration: Registration,
  options: CleanDuplicatesOptions = {},
): Promise<CleanDuplicatesResult> {
  const where = `cleanDuplicates of ${registration.name}`;
  requireSnapshots(where, registration);
  checkKeys(where, options, ['since', 'dryRun']);
  const since = sinceSql(where, options);
  const { table } = registration.options.snapshots!;
  try {
    const source = await inOwnTransaction(settings.sequelize, (query) =>
      sourceOf(query, registration, table, since),
    );
    return await clean(settings, source, options.dryRun !== true);
  } catch (error) {
    throw codedError(where, error, table);
  }
}
