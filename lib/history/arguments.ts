import type { Model, ModelStatic } from 'sequelize';

/** By shape, not by class: the application may have loaded another copy of Sequelize. */
export function isModel(value: unknown): value is ModelStatic<Model> {
  return (
    typeof value === 'function' && typeof (value as Partial<ModelStatic<Model>>).getAttributes === 'function'
  );
}

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
