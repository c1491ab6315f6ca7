import type { Registration } from '../capture/registry';
import type { Bound } from '../history/point-in-time';
import type { SnapshotModels } from '../history/snapshots';
import { columnOf, storedAttributes } from '../schema/attributes';
import { quoteIdentifier, quoteTable } from '../schema/quote';
import { versionsAsOf, type AsOfShape } from './versions-relation';
import { versionsOf } from './versions-source';

/**
 * The rows of a model as of a time as a relation that has every column of its table, in the model's order. What versions don't
 * show is null, in the type of the live column, which a sub-select that finds nothing gives without naming it.
 *
 * @throws {AuditError} ERR_AUDIT_NO_SNAPSHOTS
 */
export function travelRelation(
  snapshots: SnapshotModels,
  registration: Registration,
  bound: Bound,
  shape: AsOfShape,
): string {
  const source = versionsOf(snapshots, registration, bound, 'auditLog.asOf');
  const relation = versionsAsOf(source, shape);
  if (shape === 'count') return relation;
  const known = new Set(source.columns);
  const all = storedAttributes(registration.model).map(([name, { field }]) =>
    columnOf(registration.model, field ?? name),
  );
  if (all.every((column) => known.has(column))) return relation;
  const live = quoteTable(registration.table);
  const column = (name: string): string => {
    const quoted = quoteIdentifier(name);
    return known.has(name) ? `r.${quoted}` : `(select ${quoted} from ${live} limit 0) as ${quoted}`;
  };
  return `select ${all.map(column).join(', ')} from (${relation}) r`;
}
