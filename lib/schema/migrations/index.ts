/**
 * Tables of the audit log for migrations: usable from sequelize-cli and umzug.
 *
 * @packageDocumentation
 */
export type { MigrationTable, TableOptions } from './arguments';
export { createAuditTables, dropAuditTables } from './audit-tables';
export type { AuditTablesOptions } from './audit-tables';
export { createHistoryTable, dropHistoryTable } from './history-tables';
export type { DropHistoryOptions, HistoryTableOptions } from './history-tables';
