import type { Model, ModelStatic, QueryInterface } from 'sequelize';
import { AuditError } from '../../core/errors';
import { invalidOption } from '../../core/suggest';
import { readForeignKeys, readTable, type CatalogueQuery, type TableInfo } from '../catalogue';
import { historyTableOf, type HistoryTable } from '../history-table';
import { historyTableName } from '../index-name';
import { dropTable } from '../log-table';
import { quoteTable, type TableName } from '../quote';
import { registrationsOf } from '../registered';
import type { SnapshotIndex } from '../registration';
import { planHistory, runStatements, whileDefining } from '../sync';
import {
  checkTableOptions,
  modelOf,
  sequelizeOf,
  tableNamed,
  type MigrationTable,
  type TableOptions,
} from './arguments';
import { trackedOfModel, trackedOfTable, type Choice } from './tracked-columns';

/** Options of `dropHistoryTable`; those of `createHistoryTable` have the same names. */
export interface DropHistoryOptions extends TableOptions {
  /** @default '<table>_history', with the schema in front for a table named with one; of a registered model as registered */
  readonly tableName?: string | undefined;
}

/**
 * Options of `createHistoryTable`. Names are columns when a table is given, attributes when a model is; the defaults of a
 * registered model are its registration's.
 */
export interface HistoryTableOptions extends DropHistoryOptions {
  /** Columns that versions don't hold. The primary key is always held. @default none */
  readonly exclude?: readonly string[] | undefined;
  /**
   * Columns whose values are masked and so are texts, beside those whose name matches the pattern of `createAuditLog`; false
   * when none is masked. @default those that match
   */
  readonly mask?: readonly string[] | Readonly<Record<string, unknown>> | false | undefined;
  /** Columns that refer to other rows without a foreign key in the database; each gets an index too. @default none */
  readonly references?: readonly string[] | undefined;
  /** Indexes beside those on the key, the date and each reference. @default none */
  readonly indexes?: readonly SnapshotIndex[] | undefined;
}

const COLUMN_OPTIONS = ['exclude', 'mask', 'references', 'indexes'];

interface Naming {
  readonly where: string;
  readonly given: MigrationTable;
  readonly options: DropHistoryOptions;
}

/** Where the history of a table or model is, by the rule that `registerAudited` has. */
function historyName({ where, given, options }: Naming): TableName {
  const model = modelOf(where, given);
  const known = model && registrationsOf(model);
  const registered = (model && known?.find(model)?.options.snapshots?.table) ?? null;
  const schema = options.schema ?? registered?.schema ?? known?.schema ?? null;
  const table = options.tableName ?? registered?.table ?? historyTableName(tableNamed(where, given), schema);
  return { schema, table };
}

function missingBase(where: string, table: TableName): AuditError {
  const message = `${where}: the table ${quoteTable(table)} doesn't exist, and a history table copies its columns. Create it first, in this migration or an earlier one.`;
  return new AuditError('ERR_AUDIT_MISSING_TABLE', message);
}

/** Of a model those columns that the table has at this point of the migrations: the model may be ahead of them. */
function presentColumns(history: HistoryTable, base: TableInfo): HistoryTable {
  const present = new Set(base.columns.map(({ name }) => name));
  const isThere = (column: string): boolean => present.has(column);
  return {
    ...history,
    columns: history.columns.filter(({ column }) => isThere(column)),
    references: history.references.filter(isThere),
    indexes: history.indexes.filter(({ fields }) => fields.every(isThere)),
  };
}

function checkIndexes(where: string, indexes: unknown): void {
  if (indexes === undefined) return;
  const isIndex = (each: unknown): boolean => {
    const { fields } = (each ?? {}) as { fields?: unknown };
    return Array.isArray(fields) && fields.length > 0;
  };
  if (!Array.isArray(indexes) || !indexes.every(isIndex))
    invalidOption(where, 'indexes', 'a list of { fields: [name, …], name? }', indexes);
}

function indexesOf(
  model: ModelStatic<Model> | null,
  { indexes }: HistoryTableOptions,
): readonly SnapshotIndex[] {
  if (indexes !== undefined || !model) return indexes ?? [];
  return registrationsOf(model)?.find(model)?.options.snapshots?.indexes ?? [];
}

async function historyOf(
  query: CatalogueQuery,
  naming: Naming & { readonly options: HistoryTableOptions },
): Promise<HistoryTable> {
  const { where, given, options } = naming;
  const table = tableNamed(where, given);
  const base = await readTable(query, table);
  if (!base) throw missingBase(where, table);
  const model = modelOf(where, given);
  const { exclude, mask, references } = options;
  const choice: Choice = { where, exclude, mask, references };
  const tracked = model
    ? trackedOfModel(model, choice)
    : trackedOfTable(base, await readForeignKeys(query, 'all'), choice);
  const target = { table: historyName(naming), indexes: indexesOf(model, options) };
  return presentColumns(historyTableOf(base.table, tracked, target, base, where), base);
}

/**
 * Creates the history table of a table or model, with the columns and types that the table has in the database now, or adds
 * the columns and indexes that an older one lacks; never drops one, so it may run again after each migration of the table.
 *
 * @throws {AuditError} ERR_AUDIT_MISSING_TABLE when the table doesn't exist yet, ERR_AUDIT_NO_PRIMARY_KEY,
 * ERR_AUDIT_UNKNOWN_ATTRIBUTE, ERR_AUDIT_INVALID_OPTION, ERR_AUDIT_INVALID_ARGUMENT, ERR_AUDIT_DIALECT, ERR_AUDIT_SERVER_VERSION
 * @example
 * await createHistoryTable(queryInterface, 'orders', { exclude: ['internal_notes'] });
 */
export async function createHistoryTable(
  queryInterface: QueryInterface,
  tableOrModel: MigrationTable,
  options: HistoryTableOptions = {},
): Promise<void> {
  const where = 'createHistoryTable';
  const sequelize = sequelizeOf(where, queryInterface);
  const { transaction } = checkTableOptions(where, options, COLUMN_OPTIONS);
  checkIndexes(where, options.indexes);
  const { table } = tableNamed(where, tableOrModel);
  const naming = { where: `${where}(${table})`, given: tableOrModel, options };
  await whileDefining(sequelize, transaction, async (query) =>
    runStatements(query, await planHistory(query, await historyOf(query, naming))),
  );
}

/**
 * Drops the history table of a table or model with all its versions; entries stay.
 *
 * @throws {AuditError} ERR_AUDIT_INVALID_OPTION, ERR_AUDIT_INVALID_ARGUMENT, ERR_AUDIT_DIALECT, ERR_AUDIT_SERVER_VERSION
 * @example
 * await dropHistoryTable(queryInterface, 'orders');
 */
export async function dropHistoryTable(
  queryInterface: QueryInterface,
  tableOrModel: MigrationTable,
  options: DropHistoryOptions = {},
): Promise<void> {
  const where = 'dropHistoryTable';
  const sequelize = sequelizeOf(where, queryInterface);
  const { transaction } = checkTableOptions(where, options);
  const history = historyName({ where, given: tableOrModel, options });
  await whileDefining(sequelize, transaction, (query) => runStatements(query, [dropTable(history)]));
}
