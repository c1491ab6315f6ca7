import type { Attributes, Model, ModelStatic } from 'sequelize';
import { AuditError } from '../core/errors';
import { checkKeys, describe, didYouMean, invalidOption } from '../core/suggest';
import type { CapturedAction } from '../core/types';
import { managedAttributes, tableOf, virtualAttributes } from './attributes';
import { fitName, historyTableName } from './index-name';
import type { TableName } from './quote';

type AttributeName<M extends Model> = keyof Attributes<M> & string;

/** How much of a masked value stays readable. */
export interface MaskRule {
  /** Characters kept at the end; 0 keeps none. A text not longer than twice that is masked whole. */
  readonly keepLast: number;
}

/** An index on the history table: column order as given. */
export interface SnapshotIndex<A extends string = string> {
  readonly fields: readonly A[];
  readonly name?: string;
}

export interface SnapshotOptions<A extends string = string> {
  /** @default '<table>_history', with the schema in front for a model in a schema of its own */
  readonly tableName?: string;
  /** Name of the Snapshot model. @default '<Model>Snapshot' */
  readonly snapshotName?: string;
  /** Indexes beside those on the key, the date and each foreign key. */
  readonly indexes?: readonly SnapshotIndex<A>[];
}

/** Options of `registerAudited`; attribute names are checked by the compiler and again at run time. */
export interface RegistrationOptions<M extends Model = Model> {
  /** Attributes tracked, in entries and versions. @default all */
  readonly include?: readonly AttributeName<M>[];
  /** Attributes left out; wins over `include`. The primary key is always tracked. @default none */
  readonly exclude?: readonly AttributeName<M>[];
  /** Attributes whose change is logged without the value. @default by the name pattern of `createAuditLog` */
  readonly mask?:
    | readonly AttributeName<M>[]
    | Readonly<Partial<Record<AttributeName<M>, true | { readonly keepLast: number }>>>;
  /** Display names. @default the attribute's name */
  readonly labels?: Readonly<Partial<Record<AttributeName<M>, string>>>;
  /** Template of `objectRepr`, e.g. `'Order {id} - {status}'`. @default '<Model> <pk>' */
  readonly repr?: string;
  /** Actions that leave an entry. @default all */
  readonly actions?: readonly CapturedAction[];
  /** belongsToMany associations whose links are updates of this object. @default none */
  readonly associations?: readonly string[];
  /** Also write full-row versions. @default false */
  readonly snapshots?: boolean | SnapshotOptions<AttributeName<M>>;
  /** Stable name under which entries are stored. @default Model.name */
  readonly modelName?: string;
}

export interface ResolvedSnapshots {
  readonly table: TableName;
  readonly snapshotName: string;
  readonly indexes: readonly SnapshotIndex[];
}

/** The options of one registration, checked and with every default filled in; frozen copies of what the caller gave. */
export interface ResolvedRegistration {
  readonly name: string;
  readonly include: ReadonlySet<string> | null;
  readonly exclude: ReadonlySet<string>;
  readonly mask: ReadonlyMap<string, MaskRule>;
  readonly labels: Readonly<Record<string, string>>;
  readonly repr: string | null;
  readonly actions: ReadonlySet<CapturedAction>;
  readonly associations: readonly string[];
  readonly snapshots: ResolvedSnapshots | null;
}

const KNOWN = [
  'include',
  'exclude',
  'mask',
  'labels',
  'repr',
  'actions',
  'associations',
  'snapshots',
  'modelName',
];
const ACTIONS: readonly CapturedAction[] = ['create', 'update', 'delete'];
const INDEXES = 'snapshots.indexes';
const INDEX_LIST = 'a list of { fields: [attribute, …], name? }';

/** Checks of one `registerAudited` call, so that every message names the model. */
class RegistrationCheck {
  readonly where: string;
  readonly #model: ModelStatic<Model>;

  constructor(model: ModelStatic<Model>) {
    this.#model = model;
    this.where = `registerAudited(${model.name})`;
  }

  names(option: string, value: unknown): readonly string[] {
    if (value === undefined) return [];
    if (!Array.isArray(value)) invalidOption(this.where, option, 'an array of attribute names', value);
    for (const name of value) this.attribute(option, name);
    return [...(value as string[])];
  }

  attribute(option: string, name: unknown): string {
    const attributes = this.#model.getAttributes();
    if (typeof name !== 'string') invalidOption(this.where, option, 'an attribute name', name);
    if (Object.hasOwn(attributes, name)) return name;
    const message = `${this.where}: ${option} names "${name}", which is no attribute of the model.`;
    throw new AuditError('ERR_AUDIT_UNKNOWN_ATTRIBUTE', message + didYouMean(name, Object.keys(attributes)));
  }

  /** PostgreSQL computes the entry, and it knows no VIRTUAL attribute. */
  column(option: string, given: unknown): void {
    const name = this.attribute(option, given);
    if (virtualAttributes(this.#model).has(name))
      invalidOption(this.where, option, `columns; "${name}" is VIRTUAL`, name);
  }

  /** `include` and `exclude` choose columns, so what is no column or steers the action can't be named. */
  tracked(option: string, value: unknown): ReadonlySet<string> {
    const names = this.names(option, value);
    const { deletedAt } = managedAttributes(this.#model);
    for (const name of names) {
      this.column(option, name);
      if (name === deletedAt)
        invalidOption(this.where, option, `without "${name}", which decides the action`, name);
    }
    return new Set(names);
  }

  mask(value: unknown): ReadonlyMap<string, MaskRule> {
    if (value === undefined) return new Map();
    const isList = Array.isArray(value);
    if (!isList && (typeof value !== 'object' || value === null)) {
      invalidOption(this.where, 'mask', 'a list of attribute names or an object', value);
    }
    const entries = isList ? value.map((name: unknown) => [name, true] as const) : Object.entries(value);
    return new Map(entries.map(([name, rule]) => [this.#maskable(name), this.#rule(String(name), rule)]));
  }

  #maskable(given: unknown): string {
    const name = this.attribute('mask', given);
    if (this.#model.primaryKeyAttributes.includes(name)) {
      invalidOption(
        this.where,
        'mask',
        `without the primary key "${name}", which identifies the object`,
        name,
      );
    }
    return name;
  }

  #rule(name: string, rule: unknown): MaskRule {
    if (rule === true) return { keepLast: 0 };
    if (typeof rule === 'object' && rule !== null)
      checkKeys(`${this.where}: mask.${name}`, rule, ['keepLast']);
    const keepLast = (rule as { keepLast?: unknown } | null)?.keepLast;
    if (Number.isInteger(keepLast) && (keepLast as number) >= 0 && (keepLast as number) <= 64) {
      return { keepLast: keepLast as number };
    }
    return invalidOption(this.where, `mask.${name}`, 'true or { keepLast: 0 to 64 }', rule);
  }

  labels(value: unknown): Readonly<Record<string, string>> {
    if (value === undefined) return {};
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      invalidOption(this.where, 'labels', 'an object of attribute: label', value);
    }
    for (const [name, label] of Object.entries(value)) {
      this.attribute('labels', name);
      if (typeof label !== 'string') invalidOption(this.where, `labels.${name}`, 'a text', label);
    }
    return Object.freeze({ ...value });
  }

  actions(value: unknown): ReadonlySet<CapturedAction> {
    if (value === undefined) return new Set(ACTIONS);
    const known = Array.isArray(value) && value.every((action) => ACTIONS.includes(action as CapturedAction));
    if (!known) invalidOption(this.where, 'actions', `a list of ${ACTIONS.join(', ')}`, value);
    return new Set(value as CapturedAction[]);
  }

  texts(option: string, value: unknown): readonly string[] {
    if (value === undefined) return [];
    if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return [...value];
    return invalidOption(this.where, option, 'an array of names', value);
  }

  text(option: string, value: unknown): string | null {
    if (value === undefined) return null;
    if (typeof value === 'string' && value.trim() !== '') return value;
    return invalidOption(this.where, option, 'a text that is not empty', value);
  }

  /** Sequelize takes a dot for a schema's end and drops quotes, so it would read another table than is written. */
  tableName(option: string, value: unknown): string | null {
    const name = this.text(option, value);
    if (name === null || (fitName(name) === name && !/[\0".]/.test(name))) return name;
    return invalidOption(
      this.where,
      option,
      'a name of at most 63 bytes without dots and double quotes',
      value,
    );
  }

  indexes(value: unknown): readonly SnapshotIndex[] {
    if (value === undefined) return [];
    if (!Array.isArray(value)) invalidOption(this.where, INDEXES, INDEX_LIST, value);
    return (value as unknown[]).map((index) => this.#index(index));
  }

  #index(index: unknown): SnapshotIndex {
    if (typeof index !== 'object' || index === null) invalidOption(this.where, INDEXES, INDEX_LIST, index);
    checkKeys(`${this.where}: ${INDEXES}`, index, ['fields', 'name']);
    const given = index as { fields?: unknown; name?: unknown };
    const fields = this.names(INDEXES, given.fields);
    if (fields.length === 0) invalidOption(this.where, INDEXES, INDEX_LIST, given.fields);
    const name = this.text(`${INDEXES}.name`, given.name);
    return name === null ? { fields } : { fields, name };
  }
}

function resolveSnapshots(
  check: RegistrationCheck,
  model: ModelStatic<Model>,
  name: string,
  value: unknown,
  logSchema: string | null,
): ResolvedSnapshots | null {
  if (value === undefined || value === false) return null;
  if (value !== true) checkKeys(`${check.where}: snapshots`, value, ['tableName', 'snapshotName', 'indexes']);
  const given: SnapshotOptions = value === true ? {} : (value as SnapshotOptions);
  const table =
    check.tableName('snapshots.tableName', given.tableName) ?? historyTableName(tableOf(model), logSchema);
  const snapshotName = check.text('snapshots.snapshotName', given.snapshotName) ?? `${name}Snapshot`;
  if (snapshotName === model.name)
    invalidOption(check.where, 'snapshots.snapshotName', 'another name than the model', snapshotName);
  return { table: { schema: logSchema, table }, snapshotName, indexes: check.indexes(given.indexes) };
}

/** @throws {AuditError} ERR_AUDIT_INVALID_OPTION when the template names a masked or excluded attribute. */
function checkRepr(
  check: RegistrationCheck,
  repr: string | null,
  hidden: (attribute: string) => boolean,
): void {
  for (const name of reprAttributes(repr ?? '')) {
    check.column('repr', name);
    if (hidden(name))
      invalidOption(check.where, 'repr', `without "${name}", which is masked or not tracked`, repr);
  }
}

/** Attribute names of a template such as `'Order {id} - {status}'`. */
export function reprAttributes(template: string): string[] {
  return [...template.matchAll(/\{([^{}]*)\}/g)].map((match) => match[1] ?? '');
}

/**
 * Checks the options of one registration and fills in the defaults.
 *
 * @throws {AuditError} ERR_AUDIT_INVALID_OPTION, ERR_AUDIT_UNKNOWN_ATTRIBUTE, ERR_AUDIT_NO_PRIMARY_KEY
 */
export function resolveRegistration(
  model: ModelStatic<Model>,
  options: RegistrationOptions,
  settings: { readonly schema: string | null; readonly mask: RegExp | null },
): ResolvedRegistration {
  const check = new RegistrationCheck(model);
  checkKeys(check.where, options, KNOWN);
  checkPrimaryKey(model);
  const name = check.text('modelName', options.modelName) ?? model.name;
  const include = options.include === undefined ? null : check.tracked('include', options.include);
  const exclude = check.tracked('exclude', options.exclude);
  const mask = check.mask(options.mask);
  const repr = check.text('repr', options.repr);
  const keys = new Set(model.primaryKeyAttributes);
  const isHidden = (attribute: string): boolean =>
    !keys.has(attribute) &&
    (mask.has(attribute) ||
      settings.mask?.test(attribute) === true ||
      exclude.has(attribute) ||
      include?.has(attribute) === false);
  checkRepr(check, repr, isHidden);
  return {
    name,
    include,
    exclude,
    mask,
    labels: check.labels(options.labels),
    repr,
    actions: check.actions(options.actions),
    associations: check.texts('associations', options.associations),
    snapshots: resolveSnapshots(check, model, name, options.snapshots, settings.schema),
  };
}

function checkPrimaryKey(model: ModelStatic<Model>): void {
  if (model.primaryKeyAttributes.length > 0) return;
  const message = `registerAudited(${model.name}): the model has no primary key, so its rows can't be told apart. Give it one, or name it in registerAll({ except }).`;
  throw new AuditError('ERR_AUDIT_NO_PRIMARY_KEY', message);
}

/** @throws {AuditError} ERR_AUDIT_INVALID_ARGUMENT when `value` is no initialised Sequelize model. */
export function checkModel(where: string, value: unknown): asserts value is ModelStatic<Model> {
  const isModel =
    typeof value === 'function' && typeof (value as ModelStatic<Model>).getAttributes === 'function';
  if (isModel && (value as ModelStatic<Model>).sequelize) return;
  const advice = isModel ? 'a model that is initialised (call init or define first)' : 'a Sequelize model';
  throw new AuditError('ERR_AUDIT_INVALID_ARGUMENT', `${where}: expected ${advice}, got ${describe(value)}.`);
}
