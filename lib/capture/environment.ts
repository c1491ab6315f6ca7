import type { Model, ModelStatic } from 'sequelize';
import { AuditError } from '../core/errors';
import type { ResolvedOptions } from '../core/options';
import { storedAttributes, tableOf } from '../schema/attributes';
import {
  checkServerVersion,
  readForeignKeys,
  readTable,
  type CatalogueColumn,
  type CatalogueQuery,
  type ForeignKey,
  type TableInfo,
} from '../schema/catalogue';
import { checkHistoryNames } from '../schema/history-table';
import { quoteTable, type TableName } from '../schema/quote';
import type { TrackedColumn } from '../schema/tracked';
import type { ActorRow, ModelPlan, PlannedColumn, StatementSettings } from '../statement/plan';
import type { Registration } from './registry';
import { send, type DriverClient } from './sequelize-adapter';

/** PostgreSQL 18 brought RETURNING old and new. */
const RETURNING_OLD_NEW = 180_000;

export interface EnvironmentOptions {
  readonly options: ResolvedOptions;
  /** The attribute of `actor.model` that serves as a label, null when there is none to be shown. */
  readonly labelAttribute: () => string | null;
}

interface KnownPlan {
  readonly plan: ModelPlan;
  readonly tracked: object;
}

/** What statements depend on and only the database knows: read on a write's own connection at first use, then kept. */
export class Environment {
  readonly #options: ResolvedOptions;
  readonly #labelAttribute: () => string | null;
  #settings: StatementSettings | null = null;
  #plans = new WeakMap<Registration, KnownPlan>();
  #foreignKeys: readonly ForeignKey[] | null = null;

  constructor({ options, labelAttribute }: EnvironmentOptions) {
    this.#options = options;
    this.#labelAttribute = labelAttribute;
  }

  get log(): TableName {
    return { schema: this.#options.schema, table: this.#options.tableName };
  }

  get knownSettings(): StatementSettings | null {
    return this.#settings;
  }

  get knownForeignKeys(): readonly ForeignKey[] | null {
    return this.#foreignKeys;
  }

  /** The plan of a model if it is known and the model has not changed since. */
  knownPlan(registration: Registration): ModelPlan | null {
    const known = this.#plans.get(registration);
    return known?.tracked === registration.tracked ? known.plan : null;
  }

  /** Forgets what was read: a table was defined, altered or dropped. */
  forget(): void {
    this.#settings = null;
    this.#plans = new WeakMap();
    this.#foreignKeys = null;
  }

  /** @throws {AuditError} ERR_AUDIT_SERVER_VERSION, ERR_AUDIT_MISSING_TABLE */
  async settings(client: DriverClient): Promise<StatementSettings> {
    this.#settings ??= await this.#readSettings(catalogueOf(client));
    return this.#settings;
  }

  async foreignKeys(client: DriverClient): Promise<readonly ForeignKey[]> {
    this.#foreignKeys ??= await readForeignKeys(catalogueOf(client));
    return this.#foreignKeys;
  }

  /**
   * The plan of a model; null while its table does not exist, when a write fails by itself.
   *
   * @throws {AuditError} ERR_AUDIT_MISSING_TABLE, ERR_AUDIT_UNSUPPORTED_WRITE, ERR_AUDIT_INVALID_OPTION
   */
  async plan(client: DriverClient, registration: Registration): Promise<ModelPlan | null> {
    const known = this.knownPlan(registration);
    if (known) return known;
    const { tracked } = registration;
    const plan = await this.#readPlan(catalogueOf(client), registration);
    if (plan) this.#plans.set(registration, { plan, tracked });
    return plan;
  }

  async #readSettings(query: CatalogueQuery): Promise<StatementSettings> {
    const version = await checkServerVersion(query);
    const { rows } = await query(`select to_regclass($1) is not null as "found"`, [quoteTable(this.log)]);
    if (!(rows[0] as { found: boolean }).found) throw missingTable(this.log);
    const sequence = await query(`select pg_get_serial_sequence($1, 'id') as "name"`, [quoteTable(this.log)]);
    const logSequence = (sequence.rows[0] as { name: string | null }).name;
    if (logSequence === null) throw notALog(this.log);
    return { returningOldNew: version >= RETURNING_OLD_NEW, log: this.log, logSequence, actorRow: await this.#readActorRow(query) };
  }

  async #readActorRow(query: CatalogueQuery): Promise<ActorRow | null> {
    const { model } = this.#options.actor;
    const label = this.#labelAttribute();
    if (!model || label === null) return null;
    const table = tableOf(model);
    const info = await readTable(query, table);
    const columnOf = (attribute: string | undefined): CatalogueColumn | undefined =>
      info?.columns.find((column) => column.name === fieldOf(model, attribute));
    const key = columnOf(model.primaryKeyAttributes[0]);
    const labelColumn = columnOf(label);
    if (!key || !labelColumn || model.primaryKeyAttributes.length !== 1) return null;
    return { table, keyColumn: key.name, keyType: key.type, labelColumn: labelColumn.name };
  }

  async #readPlan(query: CatalogueQuery, registration: Registration): Promise<ModelPlan | null> {
    const { tracked, options, table } = registration;
    const info = await readTable(query, table);
    if (!info) return null;
    const history = options.snapshots ? await this.#readHistory(query, registration) : null;
    const columns = plannedColumns(tracked.columns, info, history);
    const planned = (column: TrackedColumn | null): PlannedColumn | null =>
      columns.find((each) => each.attribute === column?.attribute) ?? null;
    checkRules(registration, info);
    return {
      name: registration.name,
      table,
      columns,
      keys: tracked.keys.map(planned).filter((each) => each !== null),
      deletedAt: planned(tracked.deletedAt),
      repr: options.repr,
      actions: options.actions,
      history: options.snapshots?.table ?? null,
      tableColumns: info.columns.map((column) => column.name),
    };
  }

  async #readHistory(query: CatalogueQuery, { options, name, tracked }: Registration): Promise<TableInfo | null> {
    if (!options.snapshots) return null;
    checkHistoryNames(name, tracked);
    const info = await readTable(query, options.snapshots.table);
    if (!info) throw missingTable(options.snapshots.table);
    return info;
  }
}

function catalogueOf(client: DriverClient): CatalogueQuery {
  return (text, values) => send(client, { text, values });
}

function fieldOf(model: ModelStatic<Model>, attribute: string | undefined): string | undefined {
  return storedAttributes(model).find(([name]) => name === attribute)?.[1].field ?? attribute;
}

/** Only columns that the table has: during a rolling deploy a model may know more than its table. */
function plannedColumns(
  tracked: readonly TrackedColumn[],
  info: TableInfo,
  history: TableInfo | null,
): PlannedColumn[] {
  const inTable = new Map(info.columns.map((column) => [column.name, column]));
  const inHistory = new Set(history?.columns.map((column) => column.name));
  return tracked
    .filter(({ column }) => inTable.has(column))
    .map(({ attribute, column, isKey, inDelta, mask }, index) => ({
      index,
      attribute,
      column,
      isKey,
      inDelta,
      mask,
      type: inTable.get(column)?.valueType ?? 'text',
      inVersion: inHistory.has(column),
    }));
}

function missingTable({ table }: TableName): AuditError {
  const message = `The table "${table}" does not exist, so the write was not made. Create it with "await auditLog.sync()" (development, tests) or "npx sequelize-auditlog migrate".`;
  return new AuditError('ERR_AUDIT_MISSING_TABLE', message);
}

function notALog({ table }: TableName): AuditError {
  const message = `The table "${table}" has no identity column "id", so it is not a log of this library. Name another with the option tableName, or create the log with "await auditLog.sync()".`;
  return new AuditError('ERR_AUDIT_MISSING_COLUMN', message);
}

/** PostgreSQL forbids a table with rewrite rules inside the statement that stores the entry. */
function checkRules({ name }: Registration, info: TableInfo): void {
  if (!info.hasRules) return;
  const message = `The table of ${name} has rewrite rules (CREATE RULE), which PostgreSQL does not allow in an audited statement, so the write was not made. Replace the rules by triggers, or unregister ${name}.`;
  throw new AuditError('ERR_AUDIT_UNSUPPORTED_WRITE', message);
}
