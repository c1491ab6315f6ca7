import type { Model, ModelStatic, QueryInterface, Sequelize, Transaction } from 'sequelize';
import { AuditError } from '../../core/errors';
import { checkKeys, invalidArgument, invalidOption } from '../../core/suggest';
import { tableOf } from '../attributes';
import type { TableName } from '../quote';
import { checkModel } from '../registration';

/** A table as Sequelize's own migrations name it, or a model. */
export type MigrationTable =
  string | { readonly tableName: string; readonly schema?: string } | ModelStatic<Model>;

/** Options that all functions for migrations take. */
export interface TableOptions {
  /** Schema of the log or the history table, as in `createAuditLog`. @default the connection's default schema */
  readonly schema?: string | undefined;
  readonly tableName?: string | undefined;
  /** The migration's own transaction. @default one of its own */
  readonly transaction?: Transaction | null | undefined;
}

const MAX_NAME_BYTES = 63;
/** Sequelize takes a dot for a schema's end and drops quotes, so it would read another table than is made. */
const UNFIT_FOR_NAME = /[\0".]/;

function checkName(where: string, option: string, value: unknown): void {
  const isText = typeof value === 'string' && value !== '' && Buffer.byteLength(value) <= MAX_NAME_BYTES;
  if (isText && !UNFIT_FOR_NAME.test(value)) return;
  const expected = `a name of 1 to ${MAX_NAME_BYTES} bytes without dots and double quotes`;
  invalidOption(where, option, expected, value);
}

/** @throws {AuditError} ERR_AUDIT_INVALID_OPTION for an unknown option or a name that no table can have. */
export function checkTableOptions(
  where: string,
  options: TableOptions,
  more: readonly string[] = [],
): { readonly transaction: Transaction | null } {
  checkKeys(where, options, ['schema', 'tableName', ...more, 'transaction']);
  if (options.schema !== undefined) checkName(where, 'schema', options.schema);
  if (options.tableName !== undefined) checkName(where, 'tableName', options.tableName);
  const { transaction } = options;
  if (transaction === undefined || transaction === null) return { transaction: null };
  if (typeof transaction.commit !== 'function')
    invalidOption(where, 'transaction', 'a transaction of the queryInterface’s Sequelize', transaction);
  return { transaction };
}

/**
 * The Sequelize instance that a migration works with: sequelize-cli makes one of its own.
 *
 * @throws {AuditError} ERR_AUDIT_INVALID_ARGUMENT, ERR_AUDIT_DIALECT
 */
export function sequelizeOf(where: string, queryInterface: QueryInterface): Sequelize {
  const { sequelize } = (queryInterface ?? {}) as Partial<QueryInterface>;
  if (typeof sequelize?.getDialect !== 'function')
    invalidArgument(where, 'a queryInterface (umzug hands it on as "context")', queryInterface);
  const dialect = sequelize.getDialect();
  if (dialect === 'postgres') return sequelize;
  const message = `${where}: the dialect is ${dialect}, but entries are computed by PostgreSQL. Use the dialect "postgres".`;
  throw new AuditError('ERR_AUDIT_DIALECT', message);
}

/** Null when a table is named. @throws {AuditError} ERR_AUDIT_INVALID_ARGUMENT */
export function modelOf(where: string, given: MigrationTable): ModelStatic<Model> | null {
  if (typeof given !== 'function') return null;
  checkModel(where, given);
  return given;
}

/** @throws {AuditError} ERR_AUDIT_INVALID_ARGUMENT when `given` names no table. */
export function tableNamed(where: string, given: MigrationTable): TableName {
  const model = modelOf(where, given);
  if (model) return tableOf(model);
  if (typeof given === 'string' && given !== '') {
    if (!given.includes('.')) return { schema: null, table: given };
    invalidArgument(where, '{ tableName, schema } for a table in a schema', given);
  }
  const { tableName, schema } = (given ?? {}) as { tableName?: unknown; schema?: unknown };
  const hasSchema = typeof schema === 'string' && schema !== '';
  if (typeof tableName === 'string' && tableName !== '' && (hasSchema || !schema))
    return { schema: hasSchema ? schema : null, table: tableName };
  return invalidArgument(where, 'a table name, { tableName, schema } or a model', given);
}
