import type { QueryOptionsWithType, QueryTypes, Sequelize, Transaction } from 'sequelize';
import { AuditError } from '../core/errors';
import { checkServerVersion, readTable, schemaExists, type CatalogueQuery } from './catalogue';
import { createHistoryTable, historyTableOf, type HistoryTable } from './history-table';
import { createLogTable, dropTable } from './log-table';
import { quoteIdentifier, type TableName } from './quote';
import type { ResolvedRegistration } from './registration';
import { runtimeOf } from './sequelize-runtime';
import type { TrackedModel } from './tracked';

/** What `syncTables` needs to know of a registration. */
export interface SyncedRegistration {
  readonly name: string;
  readonly options: ResolvedRegistration;
  readonly tracked: TrackedModel;
  readonly table: TableName;
}

export interface SyncOptions {
  /** Drop the log and the history tables first. Refused when NODE_ENV is `production`. @default false */
  readonly force?: boolean;
}

/** Any number will do that other programs don't use for their own advisory locks. */
const LOCK_KEY = 4_857_120_261_121;

/** Runs statements of the catalogue through Sequelize, inside `transaction` when there is one. */
export function catalogueQuery(sequelize: Sequelize, transaction: Transaction | null = null): CatalogueQuery {
  return async (sql, values) => {
    const binds = values.length > 0 ? { bind: values } : {};
    // A search path before the statement would make two of one, which can't have binds.
    const options: QueryOptionsWithType<QueryTypes.SELECT> & { supportsSearchPath: boolean } = {
      ...binds,
      type: runtimeOf(sequelize).QueryTypes.SELECT,
      raw: true,
      transaction,
      supportsSearchPath: false,
    };
    return { rows: await sequelize.query<object>(sql, options) };
  };
}

/** Empty where the schema is there: "if not exists" asks for the privilege also then. */
async function planSchema(query: CatalogueQuery, schema: string | null): Promise<string[]> {
  if (schema === null || (await schemaExists(query, schema))) return [];
  return createSchema(schema);
}

function createSchema(schema: string | null): string[] {
  return schema === null ? [] : [`create schema if not exists ${quoteIdentifier(schema)}`];
}

/** The statements that create or complete the log; none when nothing is missing. */
export async function planLog(query: CatalogueQuery, log: TableName): Promise<string[]> {
  return [...(await planSchema(query, log.schema)), ...createLogTable(log, await readTable(query, log))];
}

/** The statements that create or complete one history table. */
export async function planHistory(query: CatalogueQuery, history: HistoryTable): Promise<string[]> {
  const { table } = history;
  const statements = createHistoryTable(history, await readTable(query, table));
  return [...(await planSchema(query, table.schema)), ...statements];
}

async function planHistoryOf(query: CatalogueQuery, registration: SyncedRegistration): Promise<string[]> {
  const { name, tracked, options, table } = registration;
  if (!options.snapshots) return [];
  const base = await readTable(query, table);
  return planHistory(query, historyTableOf(name, tracked, options.snapshots, base));
}

/** What `syncTables` would do, in its order; nothing is locked and nothing done. */
export async function planTables(
  query: CatalogueQuery,
  registrations: readonly SyncedRegistration[],
  log: TableName,
): Promise<string[]> {
  const statements = await planLog(query, log);
  for (const registration of registrations) statements.push(...(await planHistoryOf(query, registration)));
  return [...new Set(statements)];
}

/** What creates everything where nothing is known of the database: types come from the models. Each may run again. */
export function createStatements(registrations: readonly SyncedRegistration[], log: TableName): string[] {
  const histories = registrations.flatMap(({ name, tracked, options: { snapshots } }) =>
    snapshots ? createHistoryTable(historyTableOf(name, tracked, snapshots, null)) : [],
  );
  return [...createSchema(log.schema), ...createLogTable(log), ...histories];
}

/** What drops the histories and the log. */
export function dropStatements(registrations: readonly SyncedRegistration[], log: TableName): string[] {
  return ownTables(registrations, log).map(dropTable);
}

export async function runStatements(query: CatalogueQuery, statements: readonly string[]): Promise<void> {
  for (const sql of statements) await query(sql, []);
}

/** The histories, and the log behind them. */
function ownTables(registrations: readonly SyncedRegistration[], log: TableName): TableName[] {
  const histories = registrations.map((each) => each.options.snapshots?.table);
  return [...histories.filter((table) => table !== undefined), log];
}

function checkForce(force: boolean): void {
  if (!force || process.env['NODE_ENV'] !== 'production') return;
  const message =
    'auditLog.sync({ force: true }) drops the log and is refused when NODE_ENV is "production". Without force it only adds what is missing.';
  throw new AuditError('ERR_AUDIT_PRODUCTION', message);
}

/**
 * Runs what defines audit tables: all or nothing, and one process at a time until the end of the transaction, which is `given` or
 * one of its own.
 *
 * @throws {AuditError} ERR_AUDIT_SERVER_VERSION
 */
export async function whileDefining<T>(
  sequelize: Sequelize,
  given: Transaction | null,
  work: (query: CatalogueQuery) => Promise<T>,
): Promise<T> {
  const locked = async (transaction: Transaction): Promise<T> => {
    const query = catalogueQuery(sequelize, transaction);
    await checkServerVersion(query);
    await query(`select pg_advisory_xact_lock(${LOCK_KEY})::text`, []);
    return work(query);
  };
  if (given) return locked(given);
  // What another process created while this one waited for the lock must be visible.
  return sequelize.transaction({ isolationLevel: 'READ COMMITTED' as Transaction.ISOLATION_LEVELS }, locked);
}

/**
 * Creates what is missing of the log and the history tables. All or nothing, and one process at a time. Gives the statements
 * that it ran.
 *
 * @throws {AuditError} ERR_AUDIT_SERVER_VERSION, ERR_AUDIT_INVALID_OPTION
 */
export async function completeTables(
  sequelize: Sequelize,
  registrations: readonly SyncedRegistration[],
  log: TableName,
): Promise<readonly string[]> {
  return whileDefining(sequelize, null, async (query) => {
    const statements = await planTables(query, registrations, log);
    await runStatements(query, statements);
    return statements;
  });
}

/**
 * Creates the log and the history tables, or completes them; nothing is dropped without `force`. All or nothing, and one
 * process at a time.
 *
 * @throws {AuditError} ERR_AUDIT_PRODUCTION, ERR_AUDIT_SERVER_VERSION, ERR_AUDIT_INVALID_OPTION
 */
export async function syncTables(
  sequelize: Sequelize,
  registrations: readonly SyncedRegistration[],
  log: TableName,
  { force = false }: SyncOptions = {},
): Promise<void> {
  checkForce(force);
  await whileDefining(sequelize, null, async (query) => {
    if (force) await runStatements(query, dropStatements(registrations, log));
    await runStatements(query, await planTables(query, registrations, log));
  });
}
