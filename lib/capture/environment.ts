import { AuditError } from '../core/errors';
import type { ResolvedOptions } from '../core/options';
import { tableOf } from '../schema/attributes';
import {
  checkServerVersion,
  readForeignKeys,
  readTable,
  visibleSchema,
  type CatalogueColumn,
  type CatalogueQuery,
  type ForeignKey,
} from '../schema/catalogue';
import { quoteIdentifier, quoteTable, tableKey, type TableName } from '../schema/quote';
import { keyKindOf } from '../statement/context-binds';
import type { ActorRow, ModelPlan, StatementSettings } from '../statement/plan';
import { fieldOf, readPlan, readTablePlan, withColumns } from './plan-reader';
import type { AuditedTable } from './registry';
import { send, type DriverClient } from './sequelize-adapter';
import { missingTable } from './write-errors';

/** PostgreSQL 18 brought RETURNING old and new. */
const RETURNING_OLD_NEW = 180_000;

export interface EnvironmentOptions {
  readonly options: ResolvedOptions;
  /** The attribute of `actor.model` that serves as a label, null when there is none to be shown. */
  readonly labelAttribute: () => string | null;
}

interface KnownPlan {
  readonly plan: ModelPlan;
  /** What it was made from: when that changes, so does the plan. */
  readonly tracked: object | null;
  readonly associations: string;
  readonly readAt: number;
}

/** How long a plan is kept that lacks a column: a migration by another process tells nobody. */
const INCOMPLETE_PLAN_MS = 10_000;

function isOutdated({ plan: { isComplete, lacking }, readAt }: KnownPlan, text: string): boolean {
  if (isComplete) return false;
  return (
    Date.now() - readAt > INCOMPLETE_PLAN_MS ||
    lacking.some((column) => text.includes(quoteIdentifier(column)))
  );
}

/** What was read at one time; what is read later goes into the next one, so that no old answer comes too late. */
interface Memory {
  settings: StatementSettings | null;
  readonly plans: Map<string, KnownPlan>;
  foreignKeys: readonly ForeignKey[] | null;
  /** Plans with further columns, by the plan and the names of the columns. */
  readonly wider: WeakMap<ModelPlan, Map<string, ModelPlan>>;
  /** Plans of tables that are not audited. */
  readonly bare: Map<string, ModelPlan>;
  /** Pairs of names that mean the same table. */
  readonly same: Set<string>;
}

function emptyMemory(): Memory {
  return {
    settings: null,
    plans: new Map(),
    foreignKeys: null,
    wider: new WeakMap(),
    bare: new Map(),
    same: new Set(),
  };
}

function namesOf({ associations }: AuditedTable): string {
  if (associations.length === 0) return '';
  return associations.map(({ owner, name }) => `${owner.name}.${name}`).join(' ');
}

/** What statements depend on and only the database knows: read on a write's own connection at first use, then kept. */
export class Environment {
  readonly #options: ResolvedOptions;
  readonly #labelAttribute: () => string | null;
  #memory = emptyMemory();
  /** Tables whose rows were seen to change by themselves: the catalogue does not tell, as with a trigger of a partition. */
  readonly #rewriting = new Set<string>();
  /** While a transaction is open that defines tables: what is read inside it may never have been, outside it soon be past. */
  keepsNothing = false;

  constructor({ options, labelAttribute }: EnvironmentOptions) {
    this.#options = options;
    this.#labelAttribute = labelAttribute;
  }

  get log(): TableName {
    return { schema: this.#options.schema, table: this.#options.tableName };
  }

  get knownSettings(): StatementSettings | null {
    return this.#memory.settings;
  }

  get knownForeignKeys(): readonly ForeignKey[] | null {
    return this.#memory.foreignKeys;
  }

  /**
   * The plan of a table if it is known and nothing it was made from has changed since.
   *
   * @param text a write that may name a column which the table did not have when the plan was read
   */
  knownPlan(audited: AuditedTable, text = ''): ModelPlan | null {
    const known = this.#memory.plans.get(tableKey(audited.table));
    const isCurrent =
      known?.tracked === (audited.registration?.tracked ?? null) && known.associations === namesOf(audited);
    return isCurrent && !isOutdated(known, text) ? known.plan : null;
  }

  /**
   * Whether two names, one of them with its schema, mean the same table on this connection. A table of which that was seen
   * once is the audited one wherever it is named in full; what a bare name means changes with the search path.
   */
  async isSame(client: DriverClient, named: TableName, audited: TableName): Promise<boolean> {
    const pair = `${quoteTable(named)} ${quoteTable(audited)}`;
    if (this.#memory.same.has(pair)) return true;
    const { same } = this.#keeper();
    const schema = await visibleSchema(catalogueOf(client), named.table);
    const isSame = schema !== null && schema === (named.schema ?? audited.schema);
    if (isSame && named.schema !== null) same.add(pair);
    return isSame;
  }

  /** Forgets what was read: a table was defined, altered or dropped. */
  forget(): void {
    this.#memory = emptyMemory();
  }

  /** A row of this table changed in columns that an update did not assign to, and no trigger was known. */
  noteRewriting(audited: AuditedTable): void {
    this.#rewriting.add(tableKey(audited.table));
  }

  /** Where to keep what is about to be read. */
  #keeper(): Memory {
    return this.keepsNothing ? emptyMemory() : this.#memory;
  }

  /** @throws {AuditError} ERR_AUDIT_SERVER_VERSION, ERR_AUDIT_MISSING_TABLE */
  async settings(client: DriverClient): Promise<StatementSettings> {
    const memory = this.#keeper();
    return (memory.settings ??= await this.#readSettings(catalogueOf(client)));
  }

  async foreignKeys(client: DriverClient): Promise<readonly ForeignKey[]> {
    const memory = this.#keeper();
    return (memory.foreignKeys ??= await readForeignKeys(catalogueOf(client)));
  }

  /**
   * The plan of a table; null while the table does not exist, when a write fails by itself.
   *
   * @throws {AuditError} ERR_AUDIT_MISSING_TABLE, ERR_AUDIT_UNSUPPORTED_WRITE, ERR_AUDIT_INVALID_OPTION
   */
  async plan(client: DriverClient, audited: AuditedTable, text = ''): Promise<ModelPlan | null> {
    const known = this.knownPlan(audited, text);
    if (known) return known;
    const { plans } = this.#keeper();
    const tracked = audited.registration?.tracked ?? null;
    const read = await readPlan(catalogueOf(client), audited);
    const plan =
      read && this.#rewriting.has(tableKey(audited.table)) ? { ...read, rewritesRows: true } : read;
    if (plan)
      plans.set(tableKey(audited.table), {
        plan,
        tracked,
        associations: namesOf(audited),
        readAt: Date.now(),
      });
    return plan;
  }

  /**
   * A plan whose images hold `columns` too; of a table that is not audited, one that logs nothing but may lead to others.
   *
   * @throws {AuditError} ERR_AUDIT_MISSING_TABLE
   */
  async planWith(
    client: DriverClient,
    table: TableName,
    audited: AuditedTable | null,
    columns: readonly string[],
  ): Promise<ModelPlan> {
    const plan = audited ? await this.plan(client, audited) : await this.#barePlan(client, table);
    if (!plan) throw missingTable(table.table);
    return columns.length === 0 ? plan : this.#widened(client, plan, columns);
  }

  async #barePlan(client: DriverClient, table: TableName): Promise<ModelPlan | null> {
    const { bare } = this.#keeper();
    return remembered(bare, tableKey(table), () => readTablePlan(catalogueOf(client), table));
  }

  async #widened(client: DriverClient, plan: ModelPlan, columns: readonly string[]): Promise<ModelPlan> {
    const { wider } = this.#keeper();
    const known = wider.get(plan) ?? new Map<string, ModelPlan>();
    wider.set(plan, known);
    return remembered(known, columns.join('\0'), async () =>
      withColumns(plan, columns, await readTable(catalogueOf(client), plan.table)),
    );
  }

  /** The default of a column as SQL, never remembered: changed by another program, it would give wrong entries and no error. */
  async defaultOf(client: DriverClient, table: TableName, column: string): Promise<string | null> {
    const info = await readTable(catalogueOf(client), table);
    return info?.columns.find((each) => each.name === column)?.defaultSql ?? null;
  }

  async #readSettings(query: CatalogueQuery): Promise<StatementSettings> {
    const version = await checkServerVersion(query);
    const found = await readTable(query, this.log);
    if (!found) throw missingTable(this.log.table);
    // With its schema, so that a write under another search path still finds the log.
    const log = { schema: found.schema, table: found.table };
    const sequence = await query(`select pg_get_serial_sequence($1, 'id') as "name"`, [quoteTable(log)]);
    const logSequence = (sequence.rows[0] as { name: string | null }).name;
    if (logSequence === null) throw notALog(log);
    return {
      returningOldNew: version >= RETURNING_OLD_NEW,
      log,
      logSequence,
      actorRow: await this.#readActorRow(query),
    };
  }

  async #readActorRow(query: CatalogueQuery): Promise<ActorRow | null> {
    const { model } = this.#options.actor;
    const label = this.#labelAttribute();
    if (!model || label === null) return null;
    const table = tableOf(model);
    const info = await readTable(query, table);
    const columnOf = (attribute: string | undefined): CatalogueColumn | undefined =>
      info?.columns.find((column) => attribute !== undefined && column.name === fieldOf(model, attribute));
    const key = columnOf(model.primaryKeyAttributes[0]);
    const labelColumn = columnOf(label);
    if (!info || !key || !labelColumn || model.primaryKeyAttributes.length !== 1) return null;
    const where = { keyColumn: key.name, keyKind: keyKindOf(key.plainType) };
    return { table: { schema: info.schema, table: info.table }, ...where, labelColumn: labelColumn.name };
  }
}

/** What is not there is looked for again the next time. */
async function remembered<T>(
  known: Map<string, NonNullable<T>>,
  key: string,
  read: () => Promise<T>,
): Promise<T> {
  const value = known.get(key);
  if (value !== undefined) return value;
  const found = await read();
  if (found != null) known.set(key, found);
  return found;
}

function catalogueOf(client: DriverClient): CatalogueQuery {
  return (text, values) => send(client, { text, values });
}

function notALog({ table }: TableName): AuditError {
  const message = `The table "${table}" has no identity column "id", so it is not a log of this library. Name another with the option tableName, or create the log with "await auditLog.sync()".`;
  return new AuditError('ERR_AUDIT_MISSING_COLUMN', message);
}
