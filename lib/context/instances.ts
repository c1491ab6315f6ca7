import type { Model, ModelStatic } from 'sequelize';

/** A Sequelize instance, typed by what this room reads of it. */
export interface Instance extends Model {
  readonly constructor: ModelStatic<Model> & Function;
}

/** By shape, not by class: the application may have loaded another copy of Sequelize. */
export function isInstance(value: object): value is Instance {
  if (typeof (value as Partial<Model>).getDataValue !== 'function') return false;
  return Array.isArray((value.constructor as Partial<ModelStatic<Model>> | undefined)?.primaryKeyAttributes);
}

/** Texts, numbers and BigInts that can be a key or a label; anything else is null. */
export function scalarText(value: unknown): string | null {
  if (typeof value === 'string') return value === '' ? null : value;
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : null;
  return typeof value === 'bigint' ? String(value) : null;
}

/** The primary key as text, a composite one as a JSON array of texts; null while a part is missing. */
export function keyOfInstance(instance: Instance): string | null {
  const parts = instance.constructor.primaryKeyAttributes.map((name) =>
    scalarText(instance.getDataValue(name)),
  );
  if (parts.length === 0 || parts.includes(null)) return null;
  return parts.length === 1 ? (parts[0] ?? null) : JSON.stringify(parts);
}
