import type { Model, ModelStatic } from 'sequelize';
import type { AuditLog, RegistrationOptions } from 'sequelize-auditlog';

export interface TableName {
  readonly schema: string;
  readonly table: string;
}

/** One tracked column, as the contract has it (API §3). */
export interface Column {
  readonly attribute: string;
  readonly column: string;
  readonly isMasked: boolean;
  /** Managed timestamps and the lock version stand in versions only. */
  readonly inChanges: boolean;
}

/** A belongsToMany association whose links are updates of the subject. */
export interface Link {
  readonly association: string;
  readonly through: TableName;
  readonly ownerColumn: string;
  readonly targetColumn: string;
  readonly target: Subject;
}

/** A registered model, as far as what it must leave depends on it. */
export interface Subject {
  readonly name: string;
  readonly table: TableName;
  readonly history: TableName | null;
  readonly columns: readonly Column[];
  /** Columns in primary-key order. */
  readonly keys: readonly string[];
  readonly deletedAt: string | null;
  readonly repr: string | null;
  readonly links: readonly Link[];
}

type AnyModel = ModelStatic<Model>;
/** Names that look like secrets are masked without being listed. */
const MASKED_BY_NAME = ['password', 'pinToken'];

export class Subjects {
  readonly #auditLog: AuditLog;
  readonly #schema: string;
  readonly #byModel = new Map<AnyModel, Subject>();

  constructor(auditLog: AuditLog, schema: string) {
    this.#auditLog = auditLog;
    this.#schema = schema;
  }

  get all(): readonly Subject[] {
    return [...this.#byModel.values()];
  }

  /** The targets of `associations` must be registered before. */
  register(model: AnyModel, options: RegistrationOptions = {}): void {
    this.#auditLog.registerAudited(model, options as never);
    const deletedAt = managed(model, 'deletedAt');
    const subject: Subject = {
      name: options.modelName ?? model.name,
      table: this.tableOf(model),
      history: options.snapshots ? this.#historyOf(model) : null,
      columns: columnsOf(model, options),
      keys: model.primaryKeyAttributes.map((key) => fieldOf(model, key)),
      deletedAt: model.options.paranoid && deletedAt ? fieldOf(model, deletedAt) : null,
      repr: options.repr ?? null,
      links: (options.associations ?? []).map((name) => this.#link(model, name)),
    };
    this.#byModel.set(model, subject);
  }

  tableOf(model: AnyModel): TableName {
    const name = model.getTableName() as string | { tableName: string; schema: string };
    if (typeof name === 'string') return { schema: this.#schema, table: name };
    return { schema: name.schema, table: name.tableName };
  }

  #historyOf(model: AnyModel): TableName {
    const { schema, table } = this.tableOf(model);
    const prefix = schema === this.#schema ? '' : `${schema}_`;
    return { schema: this.#schema, table: `${prefix}${table}_history` };
  }

  #link(model: AnyModel, name: string): Link {
    const association = model.associations[name] as unknown as {
      target: AnyModel;
      through: { model: AnyModel };
      identifierField: string;
      foreignIdentifierField: string;
    };
    const target = this.#byModel.get(association.target);
    if (!target) throw new Error(`${association.target.name} must be registered first`);
    return {
      association: name,
      through: this.tableOf(association.through.model),
      ownerColumn: association.identifierField,
      targetColumn: association.foreignIdentifierField,
      target,
    };
  }
}

function managed(model: AnyModel, stamp: 'createdAt' | 'updatedAt' | 'deletedAt'): string | null {
  const { timestamps, [stamp]: given } = model.options;
  if (timestamps === false || given === false) return null;
  return typeof given === 'string' ? given : stamp;
}

export function fieldOf(model: AnyModel, attribute: string): string {
  return model.getAttributes()[attribute as never]?.['field'] ?? attribute;
}

function columnsOf(model: AnyModel, { exclude = [], mask = [] }: RegistrationOptions): Column[] {
  const names = new Set<string>(exclude);
  const masked = new Set([...MASKED_BY_NAME, ...(mask as readonly string[])]);
  const version = model.options.version === true ? 'version' : null;
  const unlogged = new Set([managed(model, 'createdAt'), managed(model, 'updatedAt'), version]);
  return Object.entries(model.getAttributes())
    .filter(([name, { type }]) => !names.has(name) && String(type) !== 'VIRTUAL')
    .map(([attribute]) => ({
      attribute,
      column: fieldOf(model, attribute),
      isMasked: masked.has(attribute),
      inChanges: !unlogged.has(attribute),
    }));
}
