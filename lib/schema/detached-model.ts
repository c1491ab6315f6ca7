import type { FindOptions, Model, ModelAttributes, ModelStatic, Sequelize } from 'sequelize';
import { AuditError } from '../core/errors';
import { COMPLETE_TABLES } from '../core/how-to';
import { UNDEFINED_COLUMN, UNDEFINED_TABLE } from '../core/postgres-codes';
import { exactTimeSql, rememberExact, timeText } from './exact-time';
import { quoteTable, type TableName } from './quote';
import { defineHidden, refuseWrites } from './read-only';
import { runtimeOf } from './sequelize-runtime';
import { sqlState } from './sql-state';

/** A read-only model over a table of this library. */
export interface DetachedModel {
  readonly name: string;
  readonly table: TableName;
  readonly attributes: ModelAttributes;
  /** The attribute whose microseconds are kept, and its column. */
  readonly exactTime: { readonly attribute: string; readonly column: string };
  /** Told of every instance that was found, once its microseconds are known. */
  readonly onFound?: (instance: Model) => void;
  /** What to do instead of writing, for the error's message. */
  readonly writeAdvice: string;
}

/** What Sequelize's Model is used for here, without the overloads of its public type. Checked with 6.37. */
interface QueryableClass {
  new (...args: never[]): Model;
  readonly prototype: Model;
  options: { hooks?: Record<string, unknown>; sequelize?: Sequelize };
  sequelize: Sequelize;
  init(attributes: ModelAttributes, options: object): unknown;
  findAll(options?: FindOptions): Promise<unknown>;
  aggregate(attribute: string, aggregate: string, options?: object): Promise<unknown>;
  runHooks(hooks: string | unknown[], ...args: unknown[]): Promise<void>;
}

/** The name under which the text with microseconds travels from the SELECT to the instance. */
const EXACT_TEXT = 'exact_time_text';

/**
 * A stand-in for `sequelize` while a model is initialised: nothing of `sequelize.options.define` and no define hook reaches the
 * model, and it enters no model manager, so `sequelize.sync({ force: true })`, `drop()` and `truncate()` can't touch its table
 * and a model of the application with the same name stays where it is.
 */
function isolated(sequelize: Sequelize): Sequelize {
  const { options: given } = sequelize as unknown as { options: object };
  const options = { ...given, define: {}, schema: undefined, omitNull: false };
  return Object.create(sequelize, {
    options: { value: options },
    modelManager: { value: { addModel: () => undefined } },
    isDefined: { value: () => false },
    runHooks: { value: () => undefined },
  }) as Sequelize;
}

/** Every option of a model that a default could change. */
function modelOptions(model: DetachedModel): object {
  return {
    modelName: model.name,
    tableName: model.table.table,
    ...(model.table.schema === null ? {} : { schema: model.table.schema }),
    freezeTableName: true,
    timestamps: false,
    paranoid: false,
    underscored: false,
    version: false,
    rejectOnEmpty: false,
    defaultScope: {},
    scopes: {},
    indexes: [],
    hooks: {},
    validate: {},
    getterMethods: {},
    setterMethods: {},
  };
}

/** Whether the caller's attributes leave `attribute` in the answer. */
function selects(options: FindOptions, attribute: string): boolean {
  const { attributes } = options;
  if (options.raw === true || options.group !== undefined) return false;
  if (attributes === undefined) return true;
  if (Array.isArray(attributes)) return attributes.includes(attribute);
  return !(attributes as { exclude?: string[] }).exclude?.includes(attribute);
}

/** The caller's attributes and the text with microseconds beside them. */
function withExactText(options: FindOptions, expression: ReturnType<typeof runtimeLiteral>): FindOptions {
  const extra: [typeof expression, string] = [expression, EXACT_TEXT];
  const { attributes } = options;
  if (Array.isArray(attributes)) return { ...options, attributes: [...attributes, extra] };
  const given = (attributes ?? {}) as { include?: [typeof expression, string][]; exclude?: string[] };
  return { ...options, attributes: { ...given, include: [...(given.include ?? []), extra] } };
}

function runtimeLiteral(sequelize: Sequelize, sql: string) {
  return runtimeOf(sequelize).literal(sql);
}

/** Moves the text with microseconds from the instance's values to its Date. */
function keepExactText(instance: Model, attribute: string): void {
  const values = instance.dataValues as Record<string, unknown>;
  const text = values[EXACT_TEXT];
  delete values[EXACT_TEXT];
  if (typeof text !== 'string') return;
  // An application may have set a parser of its own for timestamps; here they are Dates all the same.
  if (!(values[attribute] instanceof Date)) values[attribute] = new Date(text);
  rememberExact(values[attribute] as Date, text);
}

function instancesOf(found: unknown): Model[] {
  const list: unknown[] = Array.isArray(found) ? found : [found];
  return list.filter(
    (each): each is Model => typeof each === 'object' && each !== null && 'dataValues' in each,
  );
}

const HOW_TO_CREATE = `Create it: ${COMPLETE_TABLES}.`;

/** The coded error for a table or column that isn't there yet; any other error as it is. */
export function readingError(error: unknown, table: TableName, columns: readonly string[] = []): unknown {
  const state = sqlState(error);
  const text = error instanceof Error ? error.message : '';
  const options = { cause: error };
  if (state === UNDEFINED_TABLE && text.includes(`${table.table}"`)) {
    return new AuditError(
      'ERR_AUDIT_MISSING_TABLE',
      `The table ${quoteTable(table)} doesn't exist. ${HOW_TO_CREATE}`,
      options,
    );
  }
  const missing =
    state === UNDEFINED_COLUMN
      ? columns.find((each) => text.includes(`.${each} `) || text.includes(`"${each}"`))
      : undefined;
  if (missing === undefined) return error;
  const message = `The table ${quoteTable(table)} has no column "${missing}" yet. ${HOW_TO_CREATE}`;
  return new AuditError('ERR_AUDIT_MISSING_COLUMN', message, options);
}

function createClass(sequelize: Sequelize, definition: DetachedModel): QueryableClass {
  const { attribute, column } = definition.exactTime;
  const Base = runtimeOf(sequelize).Model as unknown as QueryableClass;
  // As Sequelize writes the names of its own statement, which an option may leave unquoted.
  const quoted = (name: string): string => sequelize.getQueryInterface().quoteIdentifier(name, false);
  const expression = exactTimeSql(`${quoted(definition.name)}.${quoted(column)}`);
  const columns = Object.entries(definition.attributes).map(
    ([name, each]) => (each as { field?: string }).field ?? name,
  );
  const reading = async <T>(answer: Promise<T>): Promise<T> => {
    try {
      return await answer;
    } catch (error) {
      throw readingError(error, definition.table, columns);
    }
  };
  return class extends Base {
    static override async findAll(options: FindOptions = {}): Promise<unknown> {
      const given = { raw: false, ...options };
      if (!selects(given, attribute)) return reading(super.findAll(given));
      const found = await reading(super.findAll(withExactText(given, runtimeLiteral(sequelize, expression))));
      for (const instance of instancesOf(found)) {
        keepExactText(instance, attribute);
        definition.onFound?.(instance);
      }
      return found;
    }

    static override async aggregate(name: string, aggregate: string, options?: object): Promise<unknown> {
      return reading(super.aggregate(name, aggregate, options));
    }

    /** The application's hooks on all models are about its own. */
    static override async runHooks(hooks: string | unknown[], ...args: unknown[]): Promise<void> {
      const own = typeof hooks === 'string' ? (this.options.hooks?.[hooks] ?? []) : hooks;
      return super.runHooks(own as unknown[], ...args);
    }
  };
}

/** Instances read from the table show microseconds in JSON. */
function exactJson(attribute: string): (this: Model) => object {
  return function toJSON(this: Model): object {
    const values = structuredValues(this);
    const date = this.getDataValue(attribute as never) as unknown;
    return date instanceof Date ? { ...values, [attribute]: timeText(date) } : values;
  };
}

function structuredValues(instance: Model): Record<string, unknown> {
  return { ...(instance.get({ plain: true }) as Record<string, unknown>) };
}

/** Defines a read-only model that Sequelize's own life cycle never sees. */
export function defineDetached(sequelize: Sequelize, definition: DetachedModel): ModelStatic<Model> {
  const model = createClass(sequelize, definition);
  model.init(definition.attributes, { ...modelOptions(definition), sequelize: isolated(sequelize) });
  model.sequelize = sequelize;
  model.options.sequelize = sequelize;
  const defined = model as unknown as ModelStatic<Model>;
  refuseWrites(defined, definition.writeAdvice);
  defineHidden(defined.prototype, { toJSON: exactJson(definition.exactTime.attribute) });
  return defined;
}
