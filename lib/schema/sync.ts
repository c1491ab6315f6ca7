import type { QueryOptionsWithType, QueryTypes, Sequelize, Transaction } from 'sequelize';
import { AuditError } from '../core/errors';
import { checkServerVersion, readTable, schemaExists, type CatalogueQuery } from './catalogue';
import { createHistoryTable, historyTableOf } from './history-table';
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

async function createSchema(query: CatalogueQuery, schema: string | null): Promise<void> {
  // "if not exists" asks for the privilege also where the schema exists.
  if (schema === null || (await schemaExists(query, schema))) return;
  await query(`create schema if not exists ${quoteIdentifier(schema)}`, []);
}

async function run(query: CatalogueQuery, statements: readonly string[]): Promise<void> {
  for (const sql of statements) await query(sql, []);
}

async function syncHistory(query: CatalogueQuery, registration: SyncedRegistration): Promise<void> {
  const { snapshots } = registration.options;
  if (snapshots === null) return;
  const base = await readTable(query, registration.table);
  const history = historyTableOf(registration.name, registration.tracked, snapshots, base);
  await run(query, createHistoryTable(history, await readTable(query, history.table)));
}

function tablesOf(registrations: readonly SyncedRegistration[], log: TableName): TableName[] {
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
  // What another process created while this one waited for the lock must be visible.
  const isolationLevel = 'READ COMMITTED' as Transaction.ISOLATION_LEVELS;
  await sequelize.transaction({ isolationLevel }, async (transaction) => {
    const query = catalogueQuery(sequelize, transaction);
    await checkServerVersion(query);
    await query(`select pg_advisory_xact_lock(${LOCK_KEY})::text`, []);
    await createSchema(query, log.schema);
    if (force) await run(query, tablesOf(registrations, log).map(dropTable));
    await run(query, createLogTable(log, await readTable(query, log)));
    for (const registration of registrations) await syncHistory(query, registration);
  });
}
