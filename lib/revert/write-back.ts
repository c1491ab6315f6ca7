import type { BelongsToMany, Model, ModelStatic, Sequelize, Transaction } from 'sequelize';
import type { Registration } from '../capture/registry';
import type { AuditCallOption } from '../core/call-option';
import type { LinkedObject } from '../core/types';
import { keyTexts } from '../history/object-key';
import type { LinkDiff } from '../past/links-at';
import { managedAttributes, storedAttributes } from '../schema/attributes';
import type { TableInfo } from '../schema/catalogue';
import { exactTextOf } from '../schema/exact-time';
import { quoteLiteral } from '../schema/quote';
import { runtimeOf } from '../schema/sequelize-runtime';
import type { AttributeRevert, SkippedAttribute } from './plan';

/** The options of every Sequelize call of one revert. */
export interface WriteOptions {
  readonly transaction: Transaction;
  readonly audit: AuditCallOption;
  /** False in a rehearsal: what hooks do outside the database can't be rolled back. */
  readonly hooks: boolean;
}

/** A value as Sequelize writes it; a Date would lose its microseconds, so such a one is written as text. */
function writable(sequelize: Sequelize, value: unknown): unknown {
  const text = value instanceof Date ? exactTextOf(value) : null;
  if (text === null || text.endsWith('000Z')) return value;
  return runtimeOf(sequelize).literal(`${quoteLiteral(text)}::timestamptz`);
}

/** Past setters, which would transform a stored value a second time. */
function setStored(instance: Model, attribute: string, value: unknown): void {
  instance.setDataValue(attribute as never, writable(instance.sequelize, value));
  instance.changed(attribute as never, true);
}

type HookRunner = (name: string, ...args: unknown[]) => Promise<void>;

function hooksOf(instance: Model): HookRunner {
  const model = instance.constructor as unknown as { runHooks: HookRunner };
  return model.runHooks.bind(model);
}

/** What happens to `deletedAt`, by the name that Sequelize's hooks have for it. */
function deletion(instance: Model, changes: readonly AttributeRevert[]): 'Destroy' | 'Restore' | null {
  const { deletedAt } = managedAttributes(instance.constructor as ModelStatic<Model>);
  const change = changes.find(({ attribute }) => attribute === deletedAt);
  if (!change || (change.now !== null && change.after !== null)) return null;
  return change.after === null ? 'Restore' : 'Destroy';
}

/**
 * Saves the changes as one update. Where they delete or restore softly the hooks of that run too; and those of an update only
 * where it is more than that, as `instance.destroy()` and `restore()` do.
 */
export async function updateRow(
  instance: Model,
  changes: readonly AttributeRevert[],
  options: WriteOptions,
): Promise<void> {
  for (const { attribute, after } of changes) setStored(instance, attribute, after);
  const kind = deletion(instance, changes);
  const runHooks = async (when: string): Promise<void> => {
    if (kind !== null && options.hooks) await hooksOf(instance)(`${when}${kind}`, instance, options);
  };
  await runHooks('before');
  const hooks = options.hooks && (kind === null || changes.length > 1);
  await instance.save({ ...options, hooks, omitNull: false } as never);
  await runHooks('after');
}

const VALUES = /\) VALUES \(/;

/** A class of the model whose INSERT may give a key that the database would assign itself. */
function withOwnKey(model: ModelStatic<Model>): ModelStatic<Model> {
  const sequelize = model.sequelize!;
  const query = (sql: { query: string }, options: object): Promise<unknown> => {
    const text = sql.query.replace(VALUES, ') OVERRIDING SYSTEM VALUE VALUES (');
    return sequelize.query({ ...sql, query: text } as never, options as never);
  };
  const queryInterface = Object.create(sequelize.getQueryInterface(), {
    sequelize: { value: Object.create(sequelize, { query: { value: query } }) as unknown },
  }) as object;
  const Base = model as unknown as { new (...args: never[]): Model; readonly queryInterface: object };
  const own = class extends Base {
    static override get queryInterface(): object {
      return queryInterface;
    }
  };
  Object.defineProperty(own, 'name', { value: model.name });
  return own as unknown as ModelStatic<Model>;
}

/** Whether the database insists on assigning the key (GENERATED ALWAYS). */
function isKeyAssigned(table: TableInfo | null): boolean {
  return table?.columns.some(({ identity }) => identity === 'always') ?? false;
}

/** Attributes that the database has a default for: left out, they need not pass for null. */
function defaulted(model: ModelStatic<Model>, table: TableInfo | null): string[] {
  const hasDefault = (column: string): boolean =>
    table?.columns.some(({ name, defaultSql }) => name === column && defaultSql !== null) ?? false;
  return storedAttributes(model)
    .filter(([name, { field = name }]) => hasDefault(field))
    .map(([name]) => name);
}

/** Creates the row anew under its key; what it doesn't say has the default of the model or the table. */
export async function createRow(
  { model }: Registration,
  row: Readonly<Record<string, unknown>>,
  table: TableInfo | null,
  options: WriteOptions,
): Promise<Model> {
  const instance = (isKeyAssigned(table) ? withOwnKey(model) : model).build({}, { isNewRecord: true });
  for (const [attribute, value] of Object.entries(row)) setStored(instance, attribute, value);
  const isUnset = (name: string): boolean => instance.getDataValue(name as never) === undefined;
  const skip = defaulted(model, table).filter(isUnset);
  return instance.save({ ...options, omitNull: false, skip } as never);
}

/** The targets that still exist, soft-deleted ones too, by the key that entries name them with. */
async function targetsOf(
  target: ModelStatic<Model>,
  links: readonly LinkedObject[],
  transaction: Transaction,
): Promise<Map<string, Model>> {
  const { Op } = runtimeOf(target.sequelize!);
  if (links.length === 0) return new Map();
  const keys = new Map(links.map(({ pk }) => [pk, keyTexts(`links to ${target.name}`, target, pk)]));
  const where = { [Op.or]: [...keys.values()] };
  const found = await target
    .unscoped()
    .findAll({ where, paranoid: false, hooks: false, transaction } as never);
  const pkOf = (row: Model): string | undefined => {
    const texts = JSON.stringify(keyTexts(`links to ${target.name}`, target, row));
    return [...keys].find(([, key]) => JSON.stringify(key) === texts)?.[0];
  };
  return new Map(found.map((row) => [pkOf(row) ?? '', row]));
}

/** What is read of Sequelize 6's belongsToMany beyond its public type. */
interface LinkingAssociation {
  readonly through: { readonly model: ModelStatic<Model>; readonly scope?: object | null };
  readonly foreignKey: string;
  readonly otherKey: string;
  readonly sourceKey: string;
  readonly targetKey: string;
  add(source: Model, targets: Model[], options: object): Promise<unknown>;
  remove(source: Model, targets: Model[], options: object): Promise<unknown>;
}

/** A link that was deleted softly is still in the way of a new one, so it is restored; `add` then finds it there. */
async function restoreLinks(
  source: Model,
  { through, foreignKey, otherKey, sourceKey, targetKey }: LinkingAssociation,
  targets: readonly Model[],
  options: WriteOptions,
): Promise<void> {
  if (managedAttributes(through.model).deletedAt === null) return;
  const where = {
    ...through.scope,
    [foreignKey]: source.getDataValue(sourceKey as never) as unknown,
    [otherKey]: targets.map((target) => target.getDataValue(targetKey as never) as unknown),
  };
  await through.model.restore({ ...options, where } as never);
}

/** Links and unlinks as the association's own methods would. @returns the links whose other end is gone */
async function putLinks(
  instance: Model,
  association: BelongsToMany,
  { attribute, added, removed }: LinkDiff,
  options: WriteOptions,
): Promise<SkippedAttribute[]> {
  const targets = await targetsOf(association.target, [...added, ...removed], options.transaction);
  const rowsOf = (links: readonly LinkedObject[]): Model[] =>
    links.map(({ pk }) => targets.get(pk)).filter((row) => row !== undefined);
  const linking = association as unknown as LinkingAssociation;
  const [linked, unlinked] = [rowsOf(added), rowsOf(removed)];
  if (unlinked.length > 0) await linking.remove(instance, unlinked, { ...options });
  if (linked.length > 0) {
    await restoreLinks(instance, linking, linked, options);
    await linking.add(instance, linked, { ...options });
  }
  return added
    .filter(({ pk }) => !targets.has(pk))
    .map(({ repr }) => ({ attribute, why: `${repr} does not exist any more` }));
}

/** Puts the links of all associations back. @returns what had to be left */
export async function putAllLinks(
  { model }: Registration,
  instance: Model,
  links: readonly LinkDiff[],
  options: WriteOptions,
): Promise<SkippedAttribute[]> {
  const skipped: SkippedAttribute[] = [];
  for (const link of links) {
    const association = model.associations[link.attribute] as unknown as BelongsToMany;
    skipped.push(...(await putLinks(instance, association, link, options)));
  }
  return skipped;
}
