import type { QueryInterface } from 'sequelize';
import { DEFAULT_LOG_TABLE } from '../../core/options';
import { dropTable } from '../log-table';
import type { TableName } from '../quote';
import { planLog, runStatements, whileDefining } from '../sync';
import { checkTableOptions, sequelizeOf, type TableOptions } from './arguments';

/** Options of `createAuditTables` and `dropAuditTables`; `schema` and `tableName` as given to `createAuditLog`. */
export interface AuditTablesOptions extends TableOptions {
  /** @default 'audit_log_entries' */
  readonly tableName?: string | undefined;
}

function logOf({ schema, tableName }: AuditTablesOptions): TableName {
  return { schema: schema ?? null, table: tableName ?? DEFAULT_LOG_TABLE };
}

/**
 * Creates the log with its indexes, or adds what an older one lacks; nothing is changed or dropped, so it may run again, also
 * as the migration of an upgrade.
 *
 * @throws {AuditError} ERR_AUDIT_INVALID_OPTION, ERR_AUDIT_INVALID_ARGUMENT, ERR_AUDIT_DIALECT, ERR_AUDIT_SERVER_VERSION
 * @example
 * module.exports = {
 *   up: (queryInterface) => createAuditTables(queryInterface),
 *   down: (queryInterface) => dropAuditTables(queryInterface),
 * };
 */
export async function createAuditTables(
  queryInterface: QueryInterface,
  options: AuditTablesOptions = {},
): Promise<void> {
  const sequelize = sequelizeOf('createAuditTables', queryInterface);
  const { transaction } = checkTableOptions('createAuditTables', options);
  await whileDefining(sequelize, transaction, async (query) =>
    runStatements(query, await planLog(query, logOf(options))),
  );
}

/**
 * Drops the log with all its entries. History tables are dropped by `dropHistoryTable`; a schema stays.
 *
 * @throws {AuditError} ERR_AUDIT_INVALID_OPTION, ERR_AUDIT_INVALID_ARGUMENT, ERR_AUDIT_DIALECT, ERR_AUDIT_SERVER_VERSION
 * @example
 * await dropAuditTables(queryInterface, { schema: 'audit' });
 */
export async function dropAuditTables(
  queryInterface: QueryInterface,
  options: AuditTablesOptions = {},
): Promise<void> {
  const sequelize = sequelizeOf('dropAuditTables', queryInterface);
  const { transaction } = checkTableOptions('dropAuditTables', options);
  await whileDefining(sequelize, transaction, (query) => runStatements(query, [dropTable(logOf(options))]));
}
