import type { Model, ModelStatic } from 'sequelize';
import type { Registration } from '../capture/registry';
import { missingTable } from '../capture/write-errors';
import { AuditError } from '../core/errors';
import { describe, didYouMean, invalidOption } from '../core/suggest';
import { entryName, logTable, type HistorySettings } from '../history/settings';
import { readTable, type CatalogueQuery, type TableInfo } from '../schema/catalogue';
import { HISTORY_COLUMNS } from '../schema/history-table';
import type { EntriesToPrune, PrunedVersions } from '../statement/prune-entries';
import { CUT_OFF, highestEntry, highestVersion, modelsOfLog } from '../statement/prune-removal';
import type { VersionsToPrune } from '../statement/prune-versions';
import type { ArchivedColumn } from './archive-manifest';
import type { OlderThan, ResolvedPrune } from './prune-options';

const WHERE = 'auditLog.prune';

/** The versions of one model: which may go, and up to which id they are old. */
export interface PlannedVersions extends VersionsToPrune {
  readonly highestId: string | null;
  /** Of the history table, beside the columns that every one has. */
  readonly columns: readonly ArchivedColumn[];
}

/** What is to be done for one model. */
export interface PlannedModel {
  /** Under which its entries are stored. */
  readonly name: string;
  readonly entries: EntriesToPrune;
  readonly versions: PlannedVersions | null;
}

/** What is to be done. */
export interface PrunePlan {
  /** ISO-8601 in UTC, with microseconds. */
  readonly olderThan: string;
  /** The highest id of an older entry of any model; null when there is none. */
  readonly highestId: string | null;
  readonly models: readonly PlannedModel[];
}

/** @throws {AuditError} ERR_AUDIT_INVALID_OPTION for a time to come */
async function cutOff(query: CatalogueQuery, olderThan: OlderThan): Promise<string> {
  const [time, ageMs] = 'time' in olderThan ? [olderThan.time, null] : [null, olderThan.ageMs];
  const found = (await query(CUT_OFF, [time, ageMs])).rows[0] as { olderThan: string; isAhead: boolean };
  if (found.isAhead) invalidOption(WHERE, 'olderThan', 'a time that has passed', time);
  return found.olderThan;
}

async function knownNames(query: CatalogueQuery, settings: HistorySettings): Promise<string[]> {
  const registered = settings.registry.registrations.map(({ name }) => name);
  const { rows } = await query(modelsOfLog(logTable(settings)), []);
  const logged = rows.map((row) => (row as { model: string }).model);
  return [...new Set([...registered, ...logged])];
}

function nameOf(settings: HistorySettings, given: string | ModelStatic<Model>): string {
  return typeof given === 'string' ? given : entryName(settings, given);
}

/** @throws {AuditError} ERR_AUDIT_INVALID_OPTION, ERR_AUDIT_NOT_REGISTERED */
function chosenNames(
  settings: HistorySettings,
  known: readonly string[],
  given: ResolvedPrune['models'],
): string[] {
  if (given === null && known.length === 0) {
    const message = `${WHERE}: no model is registered, and the log holds no entry. Load the module that registers your models first.`;
    throw new AuditError('ERR_AUDIT_NOT_REGISTERED', message);
  }
  const names = given?.map((each) => nameOf(settings, each)) ?? known;
  const stranger = names.find((name) => !known.includes(name));
  if (stranger === undefined) return [...new Set(names)];
  const message = `${WHERE}: option "models" names ${describe(stranger)}, which is no registered model and has no entry, so nothing was done.${didYouMean(stranger, known)}`;
  throw new AuditError('ERR_AUDIT_INVALID_OPTION', message);
}

function versionKeys({ tracked }: Registration, { columns }: TableInfo): PrunedVersions['keys'] {
  const types = new Map(columns.map((each) => [each.name, each]));
  return tracked.keys.map(({ column }) => {
    const { plainType, valueType, type } = types.get(column)!;
    return { column, plainType, valueType, sqlType: type };
  });
}

const OWN_COLUMNS = new Set(HISTORY_COLUMNS.map(({ column }) => column));

async function highest(query: CatalogueQuery, sql: string, olderThan: string): Promise<string | null> {
  return ((await query(sql, [olderThan])).rows[0] as { id: string | null }).id;
}

/** Reads what a plan needs of the database. */
class Planner {
  readonly #settings: HistorySettings;
  readonly #query: CatalogueQuery;
  readonly #olderThan: string;
  readonly #keepLast: number;

  constructor(settings: HistorySettings, query: CatalogueQuery, olderThan: string, keepLast: number) {
    this.#settings = settings;
    this.#query = query;
    this.#olderThan = olderThan;
    this.#keepLast = keepLast;
  }

  async model(name: string): Promise<PlannedModel> {
    const registration = this.#settings.registry.registrations.find((each) => each.name === name);
    const info = registration ? await this.#historyOf(registration) : null;
    const versions =
      registration && info
        ? { table: registration.options.snapshots!.table, keys: versionKeys(registration, info) }
        : null;
    const entries = {
      log: logTable(this.#settings),
      versions,
      // Of a model that is not registered any more nobody knows.
      hasLinks: registration === undefined || registration.options.associations.length > 0,
      keepLast: this.#keepLast,
    };
    return {
      name,
      entries,
      versions: registration && info ? await this.#versions(registration, info) : null,
    };
  }

  async #historyOf({ options }: Registration): Promise<TableInfo | null> {
    if (options.snapshots === null) return null;
    const { table } = options.snapshots;
    const info = await readTable(this.#query, table);
    if (!info) throw missingTable(table.table);
    return info;
  }

  async #versions({ options, tracked }: Registration, { columns }: TableInfo): Promise<PlannedVersions> {
    const history = options.snapshots!.table;
    const deletedAt = tracked.deletedAt?.column;
    const isThere = columns.some(({ name }) => name === deletedAt);
    return {
      history,
      keys: tracked.keys.map(({ column }) => column),
      isParanoid: deletedAt !== undefined,
      deletedAt: isThere ? deletedAt! : null,
      keepLast: this.#keepLast,
      highestId: await highest(this.#query, highestVersion(history), this.#olderThan),
      columns: columns.filter(({ name }) => !OWN_COLUMNS.has(name)).map(({ name, type }) => ({ name, type })),
    };
  }
}

/**
 * What a prune with these options has to do.
 *
 * @throws {AuditError} ERR_AUDIT_INVALID_OPTION, ERR_AUDIT_NOT_REGISTERED, ERR_AUDIT_MISSING_TABLE
 */
export async function planPrune(
  settings: HistorySettings,
  query: CatalogueQuery,
  options: ResolvedPrune,
): Promise<PrunePlan> {
  const olderThan = await cutOff(query, options.olderThan);
  const names = chosenNames(settings, await knownNames(query, settings), options.models);
  const planner = new Planner(settings, query, olderThan, options.keepLast);
  const models: PlannedModel[] = [];
  for (const name of names) models.push(await planner.model(name));
  const highestId = await highest(query, highestEntry(logTable(settings)), olderThan);
  return { olderThan, highestId, models };
}
