import type { Model, ModelStatic } from 'sequelize';
import { AuditError } from '../core/errors';
import { describe } from '../core/suggest';

/** @throws {AuditError} ERR_AUDIT_INVALID_ARGUMENT saying what was expected and what was given. */
export function invalidArgument(where: string, expected: string, got: unknown): never {
  throw new AuditError('ERR_AUDIT_INVALID_ARGUMENT', `${where}: expected ${expected}, got ${describe(got)}.`);
}

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
