import type { Model, ModelStatic, Sequelize } from 'sequelize';
import { AuditError } from '../core/errors';
import type { ResolvedOptions } from '../core/options';
import { manyToMany, type ManyToMany } from '../schema/associations';
import { columnsIdentity, storedAttributes, tableOf } from '../schema/attributes';
import { checkHistoryNames } from '../schema/history-table';
import { tableKey, type TableName } from '../schema/quote';
import {
  checkModel,
  resolveRegistration,
  type RegistrationOptions,
  type ResolvedRegistration,
} from '../schema/registration';
import { trackedModel, type TrackedModel } from '../schema/tracked';

/** One registered model: its options, and its tracked columns as they are now. */
export class Registration {
  #model: ModelStatic<Model>;
  #options: ResolvedRegistration;
  #tracked: { readonly identity: object; readonly model: TrackedModel } | null = null;
  readonly #maskPattern: RegExp | null;

  constructor(model: ModelStatic<Model>, options: ResolvedRegistration, maskPattern: RegExp | null) {
    this.#model = model;
    this.#options = options;
    this.#maskPattern = maskPattern;
  }

  get model(): ModelStatic<Model> {
    return this.#model;
  }

  get options(): ResolvedRegistration {
    return this.#options;
  }

  get name(): string {
    return this.#options.name;
  }

  get table(): TableName {
    return tableOf(this.#model);
  }

  /** Computed anew when Sequelize has changed the model's attributes; the same object otherwise. */
  get tracked(): TrackedModel {
    const identity = columnsIdentity(this.#model);
    if (this.#tracked?.identity !== identity) {
      this.#tracked = { identity, model: trackedModel(this.#model, this.#options, this.#maskPattern) };
    }
    return this.#tracked.model;
  }

  /** All attributes whose values are hidden, tracked or not: an untracked one may still be asked for as a label. */
  get masked(): readonly string[] {
    const keys = this.#model.primaryKeyAttributes;
    const isMasked = (name: string): boolean =>
      this.#options.mask.has(name) || this.#maskPattern?.test(name) === true;
    return storedAttributes(this.#model)
      .map(([name]) => name)
      .filter((name) => isMasked(name) && !keys.includes(name));
  }

  replace(model: ModelStatic<Model>, options: ResolvedRegistration): void {
    this.#model = model;
    this.#options = options;
    this.#tracked = null;
  }
}

/** `model` and the classes it derives from, nearest first: scopes, `unscoped()` and `schema()` are derived classes. */
function ancestors(model: ModelStatic<Model>): ModelStatic<Model>[] {
  const chain: ModelStatic<Model>[] = [];
  let current: unknown = model;
  while (typeof current === 'function' && current !== Function.prototype) {
    chain.push(current as ModelStatic<Model>);
    current = Object.getPrototypeOf(current);
  }
  return chain;
}

/** A tracked association and the registration whose objects it belongs to. */
export interface TrackedAssociation extends ManyToMany {
  readonly owner: Registration;
  /** Null when the target's model is not registered: its rows are then named by their key. */
  readonly targetRegistration: Registration | null;
}

/** A table whose rows leave entries: of its own model, of the owners that it links, or both. */
export interface AuditedTable {
  readonly table: TableName;
  readonly registration: Registration | null;
  readonly associations: readonly TrackedAssociation[];
}

const NO_ASSOCIATIONS: readonly TrackedAssociation[] = [];
const NO_NAMES: readonly TableName[] = [];

/** One table has one history: under a second name it would be torn apart, and the masks of the first would be lost. */
function checkSameHistory(model: ModelStatic<Model>, name: string, existing: Registration | undefined): void {
  if (!existing || existing.name === name || existing.model.name === model.name) return;
  const message = `registerAudited(${model.name}): its table "${existing.table.table}" is registered as "${existing.name}" already, which records writes through ${model.name} too. To let ${model.name} take over, give it { modelName: '${existing.name}' }.`;
  throw new AuditError('ERR_AUDIT_NAME_TAKEN', message);
}

type RegistrySettings = Pick<ResolvedOptions, 'schema' | 'mask'> &
  Partial<Pick<ResolvedOptions, 'tableName'>>;

/** Which models of one Sequelize instance are registered, found by their table. */
export class Registry {
  readonly #sequelize: Sequelize;
  readonly #settings: RegistrySettings;
  readonly #byName = new Map<string, Registration>();
  readonly #byTable = new Map<string, Registration>();
  readonly #byModel = new Map<ModelStatic<Model>, Registration>();
  #generation = 0;
  #tracksAssociations = false;
  #links: { readonly generation: number; readonly byTable: Map<string, TrackedAssociation[]> } | null = null;
  #names: { readonly generation: number; readonly byTable: Map<string, TableName[]> } | null = null;

  constructor(sequelize: Sequelize, settings: RegistrySettings) {
    this.#sequelize = sequelize;
    this.#settings = settings;
  }

  /** Grows with every change of the registry, so that what was compiled from it can be dropped. */
  get generation(): number {
    return this.#generation;
  }

  get registrations(): readonly Registration[] {
    return [...this.#byName.values()];
  }

  /**
   * @throws {AuditError} the codes of `resolveRegistration`, and ERR_AUDIT_OTHER_INSTANCE, ERR_AUDIT_NAME_TAKEN, and
   * ERR_AUDIT_INVALID_ARGUMENT for the log itself
   */
  register(given: ModelStatic<Model>, options: RegistrationOptions): Registration {
    checkModel('registerAudited', given);
    this.#checkInstance(given);
    const model = this.baseOf(given);
    this.#checkOwnTable(model);
    const resolved = resolveRegistration(model, options, this.#settings);
    const existing = this.#byTable.get(tableKey(tableOf(model)));
    this.#checkName(resolved.name, existing);
    checkSameHistory(model, resolved.name, existing);
    this.#checkHistory(model, resolved, existing);
    if (resolved.snapshots)
      checkHistoryNames(resolved.name, trackedModel(model, resolved, this.#settings.mask));
    const registration = existing ?? new Registration(model, resolved, this.#settings.mask);
    if (existing) this.#forget(existing);
    registration.replace(model, resolved);
    this.#remember(registration);
    return registration;
  }

  unregister(model: ModelStatic<Model>): boolean {
    const registration = this.find(model);
    if (!registration) return false;
    this.#forget(registration);
    return true;
  }

  /** The registration of a model, a scope of it, a subclass or a second model over the same table. */
  find(model: ModelStatic<Model>): Registration | null {
    return this.findByTable(tableOf(model));
  }

  /** The registered model that `model` is a `schema()` clone of: another table under the same class. */
  findCloned(model: ModelStatic<Model>): Registration | null {
    if (Object.hasOwn(model, 'rawAttributes') || this.find(model)) return null;
    for (const each of ancestors(model)) {
      const registration = this.#byModel.get(each);
      if (registration) return registration;
    }
    return null;
  }

  findByTable(table: TableName): Registration | null {
    return this.#byTable.get(tableKey(table)) ?? null;
  }

  /** What is audited of a table: its model, links of tracked associations, or nothing. */
  audited(table: TableName): AuditedTable | null {
    const registration = this.findByTable(table);
    const associations = this.#tracksAssociations ? this.#associationsThrough(table) : NO_ASSOCIATIONS;
    return registration || associations.length > 0 ? { table, registration, associations } : null;
  }

  /**
   * Audited tables that may be this one under another name: one of the two names leaves the schema to the search path, so
   * only a connection can tell.
   */
  namesakes(table: TableName): readonly AuditedTable[] {
    if (this.#names?.generation !== this.#generation) this.#names = this.#readNames();
    const named = this.#names.byTable.get(table.table) ?? NO_NAMES;
    return named
      .filter((each) => (each.schema === null) !== (table.schema === null))
      .map((each) => this.audited(each))
      .filter((each) => each !== null);
  }

  #readNames(): { generation: number; byTable: Map<string, TableName[]> } {
    const through = this.#tracksAssociations ? this.#readLinks() : null;
    const linked = [...(through?.byTable.values() ?? [])].map(([link]) => link && tableOf(link.through));
    const all = [
      ...this.registrations.map(({ table }) => table),
      ...linked.filter((each) => each !== undefined),
    ];
    const byTable = new Map<string, TableName[]>();
    for (const each of new Map(all.map((name) => [tableKey(name), name])).values()) {
      byTable.set(each.table, [...(byTable.get(each.table) ?? []), each]);
    }
    return { generation: through?.generation ?? this.#generation, byTable };
  }

  #associationsThrough(table: TableName): readonly TrackedAssociation[] {
    if (this.#links?.generation !== this.#generation) this.#links = this.#readLinks();
    return this.#links?.byTable.get(tableKey(table)) ?? NO_ASSOCIATIONS;
  }

  /** Never current while an association that a registration names is not defined: then it is looked for again. */
  #readLinks(): { generation: number; byTable: Map<string, TrackedAssociation[]> } {
    const byTable = new Map<string, TrackedAssociation[]>();
    let isComplete = true;
    for (const owner of this.registrations) {
      for (const name of owner.options.associations) {
        const association = manyToMany(owner.model, name);
        if (association) this.#addLink(byTable, owner, association);
        else isComplete = false;
      }
    }
    return { generation: isComplete ? this.#generation : -1, byTable };
  }

  #addLink(byTable: Map<string, TrackedAssociation[]>, owner: Registration, association: ManyToMany): void {
    const key = tableKey(tableOf(association.through));
    const link = { ...association, owner, targetRegistration: this.find(association.target) };
    byTable.set(key, [...(byTable.get(key) ?? []), link]);
  }

  findByName(name: string): Registration | null {
    return this.#byName.get(name) ?? null;
  }

  /** @throws {AuditError} ERR_AUDIT_NOT_REGISTERED */
  get(model: ModelStatic<Model>): Registration {
    checkModel('audited', model);
    const registration = this.find(model);
    if (registration) return registration;
    throw new AuditError(
      'ERR_AUDIT_NOT_REGISTERED',
      `${model.name} is not registered: call registerAudited(${model.name}) first.`,
    );
  }

  /** A scope registers its base model: the nearest ancestor with attributes of its own that reads the same table. */
  baseOf(model: ModelStatic<Model>): ModelStatic<Model> {
    const key = tableKey(tableOf(model));
    const isBase = (each: ModelStatic<Model>): boolean =>
      Object.hasOwn(each, 'rawAttributes') && tableKey(tableOf(each)) === key;
    return ancestors(model).find(isBase) ?? model;
  }

  #checkInstance(model: ModelStatic<Model>): void {
    if (model.sequelize === this.#sequelize) return;
    const message = `registerAudited(${model.name}): the model belongs to another Sequelize instance than this audit log. Create an audit log for that instance.`;
    throw new AuditError('ERR_AUDIT_OTHER_INSTANCE', message);
  }

  /** A redefined model of the same name and table takes over; another table under the name would mix two histories. */
  #checkName(name: string, sameTable: Registration | undefined): void {
    const owner = this.#byName.get(name);
    if (!owner || owner === sameTable) return;
    const message = `The name "${name}" is taken by the model of table "${owner.table.table}". Give one of them its own name with { modelName }.`;
    throw new AuditError('ERR_AUDIT_NAME_TAKEN', message);
  }

  /** The log or a history: a table that only this library writes. */
  isOwnTable(table: TableName): boolean {
    const log = { schema: this.#settings.schema, table: this.#settings.tableName ?? '' };
    const histories = this.registrations.flatMap(({ options }) => options.snapshots?.table ?? []);
    return [log, ...histories].some((each) => tableKey(each) === tableKey(table));
  }

  #checkOwnTable(model: ModelStatic<Model>): void {
    if (!this.isOwnTable(tableOf(model))) return;
    const message = `registerAudited(${model.name}): the table "${tableOf(model).table}" is the log or a history, which can't be audited itself. Register the models of the application.`;
    throw new AuditError('ERR_AUDIT_INVALID_ARGUMENT', message);
  }

  /** Rows of another table's would be read as versions of this model. */
  #checkHistory(
    model: ModelStatic<Model>,
    { name, snapshots }: ResolvedRegistration,
    same: Registration | undefined,
  ): void {
    if (!snapshots) return;
    const others = this.registrations.filter((each) => each !== same);
    const models = Object.values(this.#sequelize.models).map((each) => tableOf(each));
    const taken = [
      { schema: this.#settings.schema, table: this.#settings.tableName ?? '' },
      tableOf(model),
      ...models,
      ...others.flatMap(({ table, options }) =>
        options.snapshots ? [table, options.snapshots.table] : [table],
      ),
    ];
    if (!taken.some((table) => tableKey(table) === tableKey(snapshots.table))) return;
    const message = `registerAudited(${name}): the history table "${snapshots.table.table}" is a model's table, the history of another or the log. Give it a name of its own with { snapshots: { tableName } }.`;
    throw new AuditError('ERR_AUDIT_NAME_TAKEN', message);
  }

  #remember(registration: Registration): void {
    this.#generation += 1;
    this.#tracksAssociations ||= registration.options.associations.length > 0;
    this.#byName.set(registration.name, registration);
    this.#byTable.set(tableKey(registration.table), registration);
    this.#byModel.set(registration.model, registration);
  }

  #forget(registration: Registration): void {
    this.#generation += 1;
    this.#byName.delete(registration.name);
    this.#byTable.delete(tableKey(registration.table));
    this.#byModel.delete(registration.model);
  }
}
