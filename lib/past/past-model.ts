import type { Model, ModelStatic, QueryInterface, Sequelize } from 'sequelize';
import { OWN_READ } from '../capture/own-read';
import { tableOf } from '../schema/attributes';
import { quoteIdentifier } from '../schema/quote';
import { refuseWrites } from '../schema/read-only';
import { refuseInclude } from './asked';
import type { PastSource } from './source';
import { unsetUnknown, withUnknown } from './unknown-values';

const READ_ONLY = 'It shows the past; revert() sets an object back.';

/** What Sequelize's find methods ask of a model class here; checked with 6.37. */
interface ReadableClass {
  new (...args: never[]): Model;
  getTableName(): unknown;
  readonly queryInterface: object;
}

interface SelectOptions {
  readonly attributes?: readonly unknown[];
  readonly include?: readonly unknown[];
}

/** A stand-in for `sequelize` that puts `prefix` before every statement. */
function prefixing(sequelize: Sequelize, prefix: string, sending: object): Sequelize {
  const query = (sql: string, options: object): Promise<unknown> =>
    sequelize.query(`${prefix} ${sql}`, { ...options, ...sending } as never);
  return Object.create(sequelize, { query: { value: query } }) as Sequelize;
}

/** An attribute as a SELECT names it: its name, or its expression and name. */
function nameOf(attribute: unknown): unknown {
  return Array.isArray(attribute) ? (attribute as unknown[])[1] : attribute;
}

/** Changes the options of a SELECT as hooks, and the fields that a virtual attribute depends on, have left them. */
type Prepare = (options: SelectOptions) => SelectOptions;

/** No other table is joined, which would be the present's, and no attribute asked for that the relation lacks. */
function withoutPresent(name: string, hidden: ReadonlySet<string>): Prepare {
  return (options) => {
    if ((options.include?.length ?? 0) > 0) refuseInclude(name);
    if (!options.attributes) return options;
    return {
      ...options,
      attributes: options.attributes.filter((each) => !hidden.has(nameOf(each) as string)),
    };
  };
}

interface Reading {
  /** What is found is of this class; by default of the class itself. */
  readonly found?: ModelStatic<Model>;
  readonly prepare?: Prepare;
  /** Column with the names of what can't be known of a row. */
  readonly unknown?: string | undefined;
  /** Options with which statements are sent. */
  readonly sending?: object | undefined;
}

const PLAINLY = { [OWN_READ]: true };

/** The model's query interface, whose statements begin with `prefix`. */
function readingInterface(
  model: ModelStatic<Model>,
  prefix: string,
  { found, prepare, unknown, sending = PLAINLY }: Reading,
): object {
  const given: QueryInterface = model.sequelize!.getQueryInterface();
  async function select(
    this: QueryInterface,
    past: ModelStatic<Model>,
    table: never,
    options: SelectOptions,
  ): Promise<unknown> {
    const prepared = prepare?.(options) ?? options;
    const asked = unknown === undefined ? prepared : withUnknown(prepared, unknown);
    const answer: unknown = await given.select.call(this, (found ?? past) as never, table, asked as never);
    if (unknown !== undefined) unsetUnknown(answer, unknown);
    return answer;
  }
  return Object.create(given, {
    sequelize: { value: prefixing(model.sequelize!, prefix, sending) },
    select: { value: select },
  }) as object;
}

/**
 * A class of the model whose statements read `relation`, as a common table expression with the table's own name. No default
 * scope: it belongs to the present.
 */
export function overRelation(
  model: ModelStatic<Model>,
  relation: string,
  options: Reading = {},
): ModelStatic<Model> {
  return overRelationOf(model, model.unscoped(), relation, options);
}

/** @param base the model without scopes */
function overRelationOf(
  model: ModelStatic<Model>,
  base: ModelStatic<Model>,
  relation: string,
  options: Reading,
): ModelStatic<Model> {
  const { table } = tableOf(model);
  const prefix = `with ${quoteIdentifier(table)} as not materialized (${relation})`;
  const queryInterface = readingInterface(model, prefix, options);
  const Base = base as unknown as ReadableClass;
  const past = class extends Base {
    static override getTableName(): unknown {
      return table;
    }

    static override get queryInterface(): object {
      return queryInterface;
    }
  };
  Object.defineProperty(past, 'name', { value: model.name });
  return past as unknown as ModelStatic<Model>;
}

interface ReadOnlyClass {
  readonly model: ModelStatic<Model>;
  /** As they were when it was made: each comes with methods that write. */
  readonly associations: readonly unknown[];
}

const readOnly = new WeakMap<ModelStatic<Model>, ReadOnlyClass>();

/** The model without scopes and writes, made once, since that costs more than building what is found. */
function readOnlyOf(model: ModelStatic<Model>): ModelStatic<Model> {
  const associations = Object.values(model.associations);
  const known = readOnly.get(model);
  const isSame = (each: unknown, at: number): boolean => each === known?.associations[at];
  if (known?.associations.length === associations.length && associations.every(isSame)) return known.model;
  const made = model.unscoped();
  refuseWrites(made, READ_ONLY);
  readOnly.set(model, { model: made, associations });
  return made;
}

/** The model as of a time, read-only, without the attributes that the past doesn't hold. */
export function pastModel(
  model: ModelStatic<Model>,
  relation: string,
  { hidden, unknownColumn: unknown, sending }: Pick<PastSource, 'hidden' | 'unknownColumn' | 'sending'>,
): ModelStatic<Model> {
  const prepare = withoutPresent(model.name, hidden);
  return overRelationOf(model, readOnlyOf(model), relation, { prepare, unknown, sending });
}

/** A class of the model whose statements are planned and not run: it finds their plans, with `raw`. */
export function planned(model: ModelStatic<Model>): ModelStatic<Model> {
  const queryInterface = readingInterface(model, 'explain (format json)', { found: model });
  const explained = class extends (model as unknown as ReadableClass) {
    static override get queryInterface(): object {
      return queryInterface;
    }
  };
  return explained as unknown as ModelStatic<Model>;
}
