import type { Model, ModelStatic } from 'sequelize';
import { getAuditLog, foundationOf } from '../audit-log';
import { isInstance } from '../context/instances';
import { invalidArgument } from '../core/suggest';
import { isModel } from '../history/arguments';
import { objectPkOf, type ObjectKey } from '../history/object-key';
import { entryName } from '../history/settings';
import { objectPath } from './urls';

/** The name under which entries of a model are stored. */
function nameOf(model: ModelStatic<Model>): string {
  const auditLog = model.sequelize && getAuditLog(model.sequelize);
  return auditLog ? entryName(foundationOf('auditPath', auditLog).settings, model) : model.name;
}

/**
 * Path of an object's timeline, relative to where the router is mounted: `o/Order/42`.
 *
 * @throws {AuditError} ERR_AUDIT_INVALID_ARGUMENT
 * @example
 * res.redirect(`/audit/${auditPath(order)}`);
 */
export function auditPath(instance: Model): string;
export function auditPath(model: ModelStatic<Model>, pk: ObjectKey): string;
export function auditPath(subject: Model | ModelStatic<Model>, pk?: ObjectKey): string {
  if (isModel(subject)) return objectPath(nameOf(subject), objectPkOf('auditPath', subject, pk));
  if (typeof subject !== 'object' || subject === null || !isInstance(subject))
    return invalidArgument('auditPath', 'an instance of a model, or a model and a key', subject);
  const model = subject.constructor as ModelStatic<Model>;
  return objectPath(nameOf(model), objectPkOf('auditPath', model, subject));
}
