import type { Model, ModelStatic, QueryInterface, Sequelize, Transaction } from 'sequelize';
import { tableOf } from '../schema/attributes';
import { quoteIdentifier } from '../schema/quote';
import { refuseWrites } from '../schema/read-only';
import { refuseInclude } from './asked';
import { Reading, readingOption, requireReading, type PastRelation } from './reading';
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

/** By instances that were found: they are reloaded from where they came. */
const readings = new WeakMap<object, Reading>();

/** A stand-in for `sequelize` that puts the reading's prefix before every statement. */
function prefixing(sequelize: Sequelize): Sequelize {
  const query = async (sql: string, options: { transaction?: Transaction | null }): Promise<unknown> => {
    const reading = requireReading(options);
    const given = { ...options, ...reading.sending } as never;
    // Sequelize has put the transaction of its CLS there, where there is one.
    return reading.answer(options.transaction, (prefix) => sequelize.query(`${prefix} ${sql}`, given));
  };
  return Object.create(sequelize, { query: { value: query } }) as Sequelize;
}

/** An attribute as a SELECT names it: its name, or its expression and name. */
function nameOf(attribute: unknown): unknown {
  return Array.isArray(attribute) ? (attribute as unknown[])[1] : attribute;
}

/**
 * As hooks, and the fields that a virtual attribute depends on, have left the options: no other table is joined, which would be
 * the present's, and no attribute asked for that the relation lacks.
 */
function withoutPresent(name: string, { hidden }: Reading, options: SelectOptions): SelectOptions {
  if ((options.include?.length ?? 0) > 0) refuseInclude(name);
  if (!options.attributes || hidden.size === 0) return options;
  const attributes = options.attributes.filter((each) => !hidden.has(nameOf(each) as string));
  return { ...options, attributes };
}

function remember(found: unknown, reading: Reading): void {
  for (const each of Array.isArray(found) ? (found as unknown[]) : [found])
    if (typeof each === 'object' && each !== null && 'dataValues' in each) readings.set(each, reading);
}

/** The model's query interface, whose statements read what the option says. @param found the class of what is found */
function readingInterface(model: ModelStatic<Model>, found?: ModelStatic<Model>): object {
  const given: QueryInterface = model.sequelize!.getQueryInterface();
  async function select(
    this: QueryInterface,
    past: ModelStatic<Model>,
    table: never,
    options: SelectOptions,
  ): Promise<unknown> {
    const reading = requireReading(options);
    const { unknownColumn: unknown } = reading;
    const prepared = found ? options : withoutPresent(model.name, reading, options);
    const asked = unknown === undefined ? prepared : withUnknown(prepared, unknown);
    const answer: unknown = await given.select.call(this, (found ?? past) as never, table, asked as never);
    if (unknown !== undefined) unsetUnknown(answer, unknown);
    if (!found) remember(answer, reading);
    return answer;
  }
  return Object.create(given, {
    sequelize: { value: prefixing(model.sequelize!) },
    select: { value: select },
  }) as object;
}

interface KnownClass {
  readonly model: ModelStatic<Model>;
  /** As they were when it was made: each comes with methods that write. */
  readonly associations: readonly unknown[];
}

/** Classes that were made of models, once: that costs more than building what is found, and V8 knows no new class. */
class Classes {
  readonly #known = new WeakMap<ModelStatic<Model>, KnownClass>();
  readonly #make: (model: ModelStatic<Model>) => ModelStatic<Model>;

  constructor(make: (model: ModelStatic<Model>) => ModelStatic<Model>) {
    this.#make = make;
  }

  of(model: ModelStatic<Model>): ModelStatic<Model> {
    const associations = Object.values(model.associations);
    const known = this.#known.get(model);
    const isSame = (each: unknown, at: number): boolean => each === known?.associations[at];
    if (known?.associations.length === associations.length && associations.every(isSame)) return known.model;
    const made = this.#make(model);
    this.#known.set(model, { model: made, associations });
    return made;
  }
}

/** The model without scopes, of which the default one belongs to the present, over what the option says. */
function overPast(
  model: ModelStatic<Model>,
  base: ModelStatic<Model>,
  found?: ModelStatic<Model>,
): ModelStatic<Model> {
  const { table } = tableOf(model);
  const queryInterface = readingInterface(model, found);
  const Base = base as unknown as ReadableClass;
  const past = class extends Base {
    static override getTableName(): unknown {
      return table;
    }

    static override get queryInterface(): object {
      return queryInterface;
    }

    override async reload(options?: object): Promise<this> {
      return super.reload({ ...readingOption(readings.get(this)), ...options });
    }
  };
  Object.defineProperty(past, 'name', { value: model.name });
  return past as unknown as ModelStatic<Model>;
}

function readOnly(model: ModelStatic<Model>): ModelStatic<Model> {
  const base = model.unscoped();
  refuseWrites(base, READ_ONLY);
  return overPast(model, base);
}

const instances = new Classes(readOnly);
const versions = new Classes((model) => overPast(model, model.unscoped(), model));

/** A model, and options of its find methods with which they read the past. */
export interface PastModel {
  readonly model: ModelStatic<Model>;
  readonly reading: object;
}

/**
 * The model over `relation`, which stands before each statement as a common table expression with the table's own name; read-only,
 * and without what the relation lacks.
 */
export function pastModel(model: ModelStatic<Model>, relation: PastRelation): PastModel {
  return { model: instances.of(model), reading: readingOf(model, relation) };
}

/** The model of versions over `relation`; what is found are ordinary versions. */
export function pastVersions(model: ModelStatic<Model>, relation: PastRelation): PastModel {
  return { model: versions.of(model), reading: readingOf(model, relation) };
}

function readingOf(model: ModelStatic<Model>, relation: PastRelation): object {
  const name = quoteIdentifier(tableOf(model).table);
  return readingOption(new Reading((text) => `with ${name} as not materialized (${text})`, relation));
}

const EXPLAIN = { relation: 'explain (format json)' };
const plans = new Classes((model) => overPast(model, model, model));

/** A class of the model whose statements are planned and not run: it finds their plans, with `raw`. */
export function planned(model: ModelStatic<Model>): PastModel {
  return { model: plans.of(model), reading: readingOption(new Reading((text) => text, EXPLAIN)) };
}
