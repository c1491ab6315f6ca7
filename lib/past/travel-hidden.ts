import type { Model, ModelStatic } from 'sequelize';
import type { Registration } from '../capture/registry';
import { AuditError } from '../core/errors';
import { isModel, isPlainObject } from '../history/arguments';
import { columnOf } from '../schema/attributes';
import { nameOf, Scanner } from '../statement/scanner';
import { hiddenAttributes } from './versions-source';

/** An association as includes and orders carry it; the fields have no public type. */
interface Association {
  readonly source: ModelStatic<Model>;
  readonly target: ModelStatic<Model>;
  readonly associationType: string;
  readonly foreignKey: string;
  readonly otherKey?: string;
  readonly sourceKey?: string;
  readonly targetKey?: string;
  readonly through?: { readonly model: ModelStatic<Model> };
}

/** The options of a query, or one include of it. */
export interface Conditions {
  readonly model?: ModelStatic<Model>;
  readonly as?: string;
  readonly association?: Association;
  readonly where?: unknown;
  readonly on?: unknown;
  readonly having?: unknown;
  readonly order?: unknown;
  readonly group?: unknown;
  readonly include?: readonly Conditions[];
  readonly through?: Conditions;
}

/** A name and the model it belongs to, null where a path doesn't say. */
type Mention = readonly [model: ModelStatic<Model> | null, name: string];

const DIRECTION = /^\s*(?:(?:asc|desc)(?:\s|$)|nulls?\s)/i;

/** `DESC`, or the SQL that Sequelize has put in its place. */
function isDirection(part: unknown): boolean {
  const text = typeof part === 'string' ? part : (part as { val?: unknown } | null)?.val;
  return typeof text === 'string' && DIRECTION.test(text);
}

/** The names that the options of one query use for choosing, joining or ordering rows, as far as they can be seen. */
class Mentions {
  readonly #root: ModelStatic<Model>;
  readonly #options: Conditions;

  constructor(root: ModelStatic<Model>, options: Conditions) {
    this.#root = root;
    this.#options = options;
  }

  *all(): Generator<Mention> {
    const { where, having, order, group, include } = this.#options;
    yield* this.#condition(this.#root, where);
    yield* this.#condition(this.#root, having);
    yield* this.#list(order);
    yield* this.#condition(this.#root, group);
    yield* this.#includes(include);
  }

  *#includes(includes: readonly Conditions[] = []): Generator<Mention> {
    for (const { model, association, where, on, include, through } of includes) {
      if (model) yield* this.#condition(model, where);
      if (model) yield* this.#condition(model, on);
      if (through?.model) yield* this.#condition(through.model, through.where);
      if (association && on === undefined) yield* joinKeys(association);
      yield* this.#includes(include);
    }
  }

  /** Below a name and below `Op.eq` stand values; below `Op.and` stand conditions. */
  *#condition(model: ModelStatic<Model>, condition: unknown): Generator<Mention> {
    if (typeof condition === 'string') yield* this.#sql(condition);
    else if (Array.isArray(condition)) for (const each of condition) yield* this.#condition(model, each);
    else if (isPlainObject(condition)) {
      for (const [key, value] of Object.entries(condition)) {
        yield this.#path(model, key);
        yield* this.#operators(model, value);
      }
      yield* this.#operators(model, condition);
    } else yield* this.#expression(model, condition);
  }

  /** What stands below operators: further conditions, or SQL. */
  *#operators(model: ModelStatic<Model>, value: unknown): Generator<Mention> {
    if (!isPlainObject(value)) return yield* this.#expression(model, value);
    for (const key of Object.getOwnPropertySymbols(value)) {
      const below: unknown = value[key as never];
      for (const each of Array.isArray(below) ? (below as unknown[]) : [below])
        yield* isPlainObject(each) ? this.#condition(model, each) : this.#expression(model, each);
    }
  }

  /** `col`, `fn`, `cast`, `where`, `json` and `literal`, known by their fields, as there may be several copies of Sequelize. */
  *#expression(model: ModelStatic<Model>, value: unknown): Generator<Mention> {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || isPlainObject(value)) return;
    const { col, args, attribute, logic, val, path } = value as Record<string, unknown>;
    if (typeof col === 'string') yield this.#path(model, col);
    if (typeof path === 'string') yield this.#path(model, path);
    if (Array.isArray(args)) for (const each of args) yield* this.#expression(model, each);
    if (attribute !== undefined) yield* this.#side(model, attribute);
    if (logic !== undefined) yield* this.#condition(model, logic);
    if (typeof val === 'object') yield* this.#expression(model, val);
    if (typeof val === 'string' && value.constructor.name === 'Literal') yield* this.#sql(val);
  }

  /** The left side of `where(…)`: an expression, a name or an attribute's definition. */
  *#side(model: ModelStatic<Model>, attribute: unknown): Generator<Mention> {
    const { field } = (attribute ?? {}) as { field?: unknown };
    const name = typeof attribute === 'string' ? attribute : field;
    if (typeof name === 'string') yield this.#path(model, name);
    else yield* this.#expression(model, attribute);
  }

  *#list(list: unknown): Generator<Mention> {
    const items = Array.isArray(list) ? (list as unknown[]) : list === undefined ? [] : [list];
    for (const item of items) yield* this.#item(Array.isArray(item) ? (item as unknown[]) : [item]);
  }

  /** `[Model, 'association', 'name', 'DESC']`. */
  *#item(parts: readonly unknown[]): Generator<Mention> {
    let model = this.#root;
    for (const [place, part] of parts.entries()) {
      if (place > 0 && isDirection(part)) continue;
      const { model: given, target } = (part ?? {}) as { model?: unknown; target?: unknown };
      if (typeof part === 'string') {
        const association = model.associations[part];
        if (association) model = association.target;
        else yield this.#path(model, part);
      } else if ([part, given, target].some(isModel))
        model = [part, given, target].find(isModel) as ModelStatic<Model>;
      else yield* this.#expression(model, part);
    }
  }

  /** The names in SQL; whose they are it says only where they have a prefix that is known. */
  *#sql(sql: string): Generator<Mention> {
    let path: string[] = [];
    const scanner = new Scanner(sql);
    for (let token = scanner.next(); token; token = scanner.next()) {
      const isType = sql[token.start - 1] === ':' || /\bas\s+$/i.test(sql.slice(0, token.start).slice(-8));
      if ((token.kind !== 'name' && token.kind !== 'word') || isType) continue;
      path.push(nameOf(sql, token));
      if (sql[token.end] === '.') continue;
      yield path.length > 1 ? this.#columnOf(path) : [null, path[0]!];
      path = [];
    }
  }

  /** `"Order"."id"`, `"items->product"."id"`. */
  #columnOf(path: readonly string[]): Mention {
    const alias = path.at(-2)!;
    const found = alias === this.#root.name ? this.#root : this.#included(alias.split('->'));
    return [found, path.at(-1)!];
  }

  #included(names: readonly string[]): ModelStatic<Model> | null {
    let at: readonly Conditions[] = this.#options.include ?? [];
    let found: ModelStatic<Model> | null = null;
    for (const name of names) {
      const include = at.find(({ as }) => as === name);
      [found, at] = [include?.model ?? null, include?.include ?? []];
    }
    return found;
  }

  /** `name`, `Model.name`, `$association.name$`; the path is followed through the includes. */
  #path(model: ModelStatic<Model>, text: string): Mention {
    const parts = text.replaceAll('$', '').split('.');
    if (parts.length === 1) return [model, parts[0]!];
    const name = parts.at(-1)!;
    const prefix = parts.slice(0, -1).flatMap((each) => each.split('->'));
    const found = prefix.join() === this.#root.name ? this.#root : this.#included(prefix);
    return found === null ? [model, parts[0]!] : [found, name];
  }
}

/** The attributes by which an association finds its rows. */
function* joinKeys(association: Association): Generator<Mention> {
  const { source, target, associationType, foreignKey, otherKey, sourceKey, targetKey, through } =
    association;
  const isForward = associationType === 'BelongsTo';
  const keeper = through?.model ?? (isForward ? source : target);
  yield [keeper, foreignKey];
  if (otherKey !== undefined) yield [keeper, otherKey];
  if (sourceKey !== undefined) yield [source, sourceKey];
  if (targetKey !== undefined) yield [target, targetKey];
}

/** What of a model can't be searched by. */
interface Hidden {
  readonly registration: Registration;
  readonly names: ReadonlySet<string>;
}

function hiddenOf(registration: Registration): Hidden {
  const { model } = registration;
  const attributes = [...hiddenAttributes(registration)];
  const columns = attributes.map((name) => columnOf(model, model.getAttributes()[name]?.field ?? name));
  return { registration, names: new Set([...attributes, ...columns]) };
}

/**
 * Refuses a query that chooses, joins or orders rows by what the past doesn't hold: those attributes are null there, so the answer
 * would be wrong.
 *
 * @throws {AuditError} ERR_AUDIT_INVALID_ARGUMENT
 */
export function checkHidden(
  registrations: readonly Registration[],
  root: ModelStatic<Model>,
  options: Conditions,
): void {
  const hidden = registrations.map(hiddenOf).filter(({ names }) => names.size > 0);
  if (hidden.length === 0) return;
  for (const [model, name] of new Mentions(root, options).all()) {
    const found = hidden.find(
      ({ registration, names }) => names.has(name) && (model === null || isOf(registration, model)),
    );
    if (found) refuseHidden(found.registration, name);
  }
}

function isOf({ model }: Registration, given: ModelStatic<Model>): boolean {
  return given === model || given.prototype instanceof model || model.prototype instanceof given;
}

function refuseHidden({ name }: Registration, attribute: string): never {
  const message = `auditLog.asOf: "${attribute}" of ${name} is masked or not tracked, so the past can't be searched, joined, ordered or grouped by it.`;
  throw new AuditError('ERR_AUDIT_INVALID_ARGUMENT', message);
}
