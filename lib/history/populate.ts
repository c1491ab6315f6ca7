import { readPlan } from '../capture/plan-reader';
import type { Registration } from '../capture/registry';
import { missingTable, translateWriteError } from '../capture/write-errors';
import { AuditError } from '../core/errors';
import { checkKeys, invalidOption } from '../core/suggest';
import { readTable, type CatalogueQuery, type TableInfo } from '../schema/catalogue';
import { quoteTable } from '../schema/quote';
import {
  countUnversioned,
  insertBaselines,
  lockUnversioned,
  type BaselineSource,
} from '../statement/baseline';
import { pageKey, type KeyColumn } from '../statement/key-pages';
import type { ModelPlan } from '../statement/plan';
import { inOwnTransaction } from './own-transaction';
import { logTable, type HistorySettings } from './settings';
import { requireSnapshots } from './snapshots';

export interface PopulateProgress {
  /** Versions written so far. */
  readonly done: number;
  /** Rows without a version when the work began. */
  readonly total: number;
}

export interface PopulateOptions {
  /** Rows per transaction, from 1 to 100,000. @default 1000 */
  readonly batchSize?: number;
  /** Called after every batch and awaited; what it throws ends the work, of which whole batches stay. */
  readonly onProgress?: (progress: PopulateProgress) => void | Promise<void>;
}

export interface PopulateResult {
  /** How many rows got a first version. */
  readonly written: number;
}

const DEFAULT_BATCH_SIZE = 1000;
const MAX_BATCH_SIZE = 100_000;

interface ResolvedOptions {
  readonly batchSize: number;
  readonly onProgress: PopulateOptions['onProgress'] | undefined;
}

/** @throws {AuditError} ERR_AUDIT_INVALID_OPTION */
function resolveOptions(where: string, options: PopulateOptions): ResolvedOptions {
  checkKeys(where, options, ['batchSize', 'onProgress']);
  const { batchSize = DEFAULT_BATCH_SIZE, onProgress } = options;
  if (!Number.isInteger(batchSize) || batchSize < 1 || batchSize > MAX_BATCH_SIZE)
    invalidOption(where, 'batchSize', 'a whole number from 1 to 100,000', batchSize);
  if (onProgress !== undefined && typeof onProgress !== 'function')
    invalidOption(where, 'onProgress', 'a function', onProgress);
  return { batchSize, onProgress };
}

function keysOf(plan: ModelPlan, info: TableInfo): KeyColumn[] {
  const types = new Map(info.columns.map(({ name, type }) => [name, type]));
  return plan.keys.map(({ column }) => ({ column, type: types.get(column)! }));
}

function unlockable(name: string): AuditError {
  const message = `populate of ${name}: it reads a view whose rows PostgreSQL can't lock, so a row that is written meanwhile could get two first versions. Write the versions by a migration while nobody writes.`;
  return new AuditError('ERR_AUDIT_UNSUPPORTED_WRITE', message);
}

/** @throws {AuditError} ERR_AUDIT_MISSING_TABLE, ERR_AUDIT_MISSING_COLUMN, ERR_AUDIT_UNSUPPORTED_WRITE */
async function sourceOf(query: CatalogueQuery, registration: Registration): Promise<BaselineSource> {
  const { table, name } = registration;
  const plan = await readPlan(query, { table, registration, associations: [] });
  const info = await readTable(query, table);
  if (!plan?.history || !info) throw missingTable(table.table);
  if (!plan.isLockable) throw unlockable(name);
  const lacking = plan.columns.find(({ inVersion }) => !inVersion);
  if (lacking === undefined) return { plan, history: plan.history, keys: keysOf(plan, info) };
  const message = `populate of ${name}: the history table ${quoteTable(plan.history)} has no column "${lacking.column}", so the first versions would lack ${lacking.attribute}. Complete it: run "await auditLog.sync()".`;
  throw new AuditError('ERR_AUDIT_MISSING_COLUMN', message);
}

async function countRows(query: CatalogueQuery, source: BaselineSource): Promise<number> {
  const { rows } = await query(countUnversioned(source), []);
  return (rows[0] as { total: number }).total;
}

/** What was locked: how many rows were looked at, the last of their keys, and the keys that are locked. */
type Locked = { readonly seen: number; readonly last: string[] | null } & Readonly<Record<string, unknown>>;

interface Batch {
  readonly seen: number;
  readonly last: readonly string[];
  readonly written: number;
  /** How many rows were left out because others had them locked. */
  readonly skipped: number;
}

/** Where a pass over the table stands, and how it goes on. */
interface Pass {
  readonly size: number;
  readonly waits: boolean;
}

async function writeBatch(
  query: CatalogueQuery,
  source: BaselineSource,
  after: readonly string[],
  { size, waits }: Pass,
): Promise<Batch> {
  const lock = lockUnversioned(source, after.length > 0, waits);
  const locked = (await query(lock, [...after, size])).rows[0] as Locked;
  const keys = source.keys.map((_, at) => locked[pageKey(at).slice(1, -1)] as string[]);
  const count = keys[0]?.length ?? 0;
  const inserted = count > 0 ? (await query(insertBaselines(source), keys)).rows[0] : null;
  const { written } = (inserted ?? { written: 0 }) as { written: number };
  return { seen: locked.seen, last: locked.last ?? [], written, skipped: locked.seen - count };
}

class Populating {
  readonly #settings: HistorySettings;
  readonly #registration: Registration;
  readonly #options: ResolvedOptions;
  #done = 0;
  #total = 0;

  constructor(settings: HistorySettings, registration: Registration, options: ResolvedOptions) {
    this.#settings = settings;
    this.#registration = registration;
    this.#options = options;
  }

  /**
   * A row that is being written is left out at first: waiting for one while holding others could end in a deadlock, of
   * which the application's transaction may be the victim. What is still without a version then is waited for one by one.
   */
  async run(): Promise<PopulateResult> {
    const source = await this.#transaction((query) => this.#begin(query));
    const skipped = await this.#pass(source, { size: this.#options.batchSize, waits: false });
    if (skipped > 0) await this.#pass(source, { size: 1, waits: true });
    return { written: this.#done };
  }

  /** How many rows have no version. */
  async count(): Promise<number> {
    return this.#transaction(async (query) => countRows(query, await sourceOf(query, this.#registration)));
  }

  async #begin(query: CatalogueQuery): Promise<BaselineSource> {
    const source = await sourceOf(query, this.#registration);
    if (!this.#options.onProgress) return source;
    this.#total = await countRows(query, source);
    return source;
  }

  async #pass(source: BaselineSource, pass: Pass): Promise<number> {
    let after: readonly string[] = [];
    let skipped = 0;
    for (;;) {
      const batch = await this.#transaction((query) => writeBatch(query, source, after, pass));
      skipped += batch.skipped;
      await this.#tell(batch.written);
      if (batch.seen < pass.size) return skipped;
      after = batch.last;
    }
  }

  async #tell(written: number): Promise<void> {
    this.#done += written;
    if (written > 0) await this.#options.onProgress?.({ done: this.#done, total: this.#total });
  }

  async #transaction<T>(work: (query: CatalogueQuery) => Promise<T>): Promise<T> {
    try {
      return await inOwnTransaction(this.#settings.sequelize, work);
    } catch (error) {
      throw this.#coded(error);
    }
  }

  /** An error of the history table is coded, as of the version of a write; any other stays as it is. */
  #coded(error: unknown): unknown {
    const { original } = error as { readonly original?: unknown };
    if (!(original instanceof Error)) return error;
    const history = this.#registration.options.snapshots?.table ?? null;
    const translated = translateWriteError(original, { log: logTable(this.#settings), history });
    return translated === original ? error : translated;
  }
}

/** Writes a first version of every row that has none. */
export async function populate(
  settings: HistorySettings,
  registration: Registration,
  options: PopulateOptions = {},
): Promise<PopulateResult> {
  const where = `populate of ${registration.name}`;
  requireSnapshots(where, registration);
  return new Populating(settings, registration, resolveOptions(where, options)).run();
}

/** How many rows `populate` would write a first version of. */
export async function countUnpopulated(
  settings: HistorySettings,
  registration: Registration,
): Promise<number> {
  requireSnapshots(`populate of ${registration.name}`, registration);
  return new Populating(settings, registration, resolveOptions('populate', {})).count();
}
