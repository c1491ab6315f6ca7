import type { Model, ModelStatic } from 'sequelize';
import { AuditError } from '../../core/errors';
import { DEFAULT_MASK } from '../../core/options';
import { didYouMean, invalidOption } from '../../core/suggest';
import type { ForeignKey, TableInfo } from '../catalogue';
import { registrationsOf } from '../registered';
import type { MaskRule } from '../registration';
import { trackedModel, type TrackedColumn, type TrackedModel, type TrackedOptions } from '../tracked';
import { storedAttributes } from '../attributes';

/** Which columns a history table is asked to have, by the names that the caller has for them. */
export interface Choice {
  readonly where: string;
  readonly exclude: unknown;
  readonly mask: unknown;
  readonly references: unknown;
}

const MASKED: MaskRule = { keepLast: 0 };
const EVERYTHING: TrackedOptions = { include: null, exclude: new Set(), mask: new Map() };

/** The names of a list or the keys of an object, which is how `registerAudited` takes masks too. */
function namesOf({ where }: Choice, option: string, value: unknown, known: readonly string[]): string[] {
  const isObject = typeof value === 'object' && value !== null;
  const names: unknown[] = Array.isArray(value) ? value : isObject ? Object.keys(value) : [value];
  for (const name of names) {
    if (typeof name !== 'string') return invalidOption(where, option, 'an array of names', value);
    if (known.includes(name)) continue;
    const message = `${where}: ${option} names "${name}", which it doesn't have.${didYouMean(name, known)}`;
    throw new AuditError('ERR_AUDIT_UNKNOWN_ATTRIBUTE', message);
  }
  return names as string[];
}

/** What was given, in the form of a registration; what was not is left to `otherwise`. */
function optionsOf(
  choice: Choice,
  known: readonly string[],
  keys: readonly string[],
  otherwise: TrackedOptions,
): TrackedOptions {
  const { where, exclude, mask } = choice;
  const excluded = exclude === undefined ? null : namesOf(choice, 'exclude', exclude, known);
  if (mask === undefined || mask === false)
    return excluded ? { ...otherwise, include: null, exclude: new Set(excluded) } : otherwise;
  const masked = namesOf(choice, 'mask', mask, known);
  const key = masked.find((name) => keys.includes(name));
  if (key !== undefined)
    invalidOption(where, 'mask', `without the primary key "${key}", which identifies the object`, key);
  return {
    ...otherwise,
    ...(excluded && { include: null, exclude: new Set(excluded) }),
    mask: new Map(masked.map((name) => [name, MASKED])),
  };
}

/** With the columns that are named as references beside those that are known to be some. */
function withReferences(tracked: TrackedModel, choice: Choice, known: readonly string[]): TrackedModel {
  if (choice.references === undefined) return tracked;
  const named = new Set(namesOf(choice, 'references', choice.references, known));
  const marked = (column: TrackedColumn): TrackedColumn =>
    named.has(column.attribute) ? { ...column, isReference: true } : column;
  const columns = new Map(tracked.columns.map((column) => [column, marked(column)]));
  const keys = tracked.keys.map((key) => columns.get(key) ?? key);
  return { ...tracked, columns: [...columns.values()], keys };
}

/** The tracked columns of a model: as it is registered, where the choice says nothing else. */
export function trackedOfModel(model: ModelStatic<Model>, choice: Choice): TrackedModel {
  const known = registrationsOf(model);
  const registered = known?.find(model)?.options ?? EVERYTHING;
  const names = storedAttributes(model).map(([name]) => name);
  const keys = model.primaryKeyAttributes;
  if (keys.length === 0) throw withoutKey(choice.where);
  const pattern = choice.mask === false ? null : known ? known.mask : DEFAULT_MASK;
  const kept = choice.mask === false ? { ...registered, mask: EVERYTHING.mask } : registered;
  const tracked = trackedModel(model, optionsOf(choice, names, keys, kept), pattern);
  return withReferences(tracked, choice, names);
}

/** Columns that refer to another table. */
function referringColumns(info: TableInfo, keys: readonly ForeignKey[]): Set<string> {
  const own = keys.filter(({ child }) => child.schema === info.schema && child.table === info.table);
  return new Set(own.flatMap(({ childColumns }) => childColumns));
}

/** The columns of a table, of which no model is known. */
export function trackedOfTable(
  info: TableInfo,
  foreignKeys: readonly ForeignKey[],
  choice: Choice,
): TrackedModel {
  const names = info.columns.map(({ name }) => name);
  if (info.primaryKey.length === 0) throw withoutKey(choice.where);
  const { exclude, mask } = optionsOf(choice, names, info.primaryKey, EVERYTHING);
  const pattern = choice.mask === false ? null : DEFAULT_MASK;
  const references = referringColumns(info, foreignKeys);
  const columns = names.map((name): TrackedColumn => {
    const isKey = info.primaryKey.includes(name);
    const isMasked = !isKey && (mask.has(name) || pattern?.test(name) === true);
    const place = { attribute: name, column: name, type: 'text', isKey, inDelta: true };
    return { ...place, mask: isMasked ? MASKED : null, isReference: references.has(name) };
  });
  const tracked = {
    columns: columns.filter(({ column, isKey }) => isKey || !exclude.has(column)),
    keys: info.primaryKey.flatMap((key) => columns.filter(({ column }) => column === key)),
    deletedAt: null,
  };
  return withReferences(tracked, choice, names);
}

function withoutKey(where: string): AuditError {
  const message = `${where}: the table has no primary key, so the versions of its rows can't be told apart. Give it one.`;
  return new AuditError('ERR_AUDIT_NO_PRIMARY_KEY', message);
}
