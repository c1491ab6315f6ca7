import type { FindOptions } from 'sequelize';
import type { Registration } from '../capture/registry';
import { isPlainObject } from '../history/arguments';
import { versionNotAfter, type Bound } from '../history/point-in-time';
import { readSameTable } from '../history/settings';
import { knownColumns, type SnapshotModels } from '../history/snapshots';
import { storedAttributes } from '../schema/attributes';
import { enumKind } from '../schema/history-table';
import type { PastRead, PastSource } from './source';
import { gapsAsOf, versionsAsOf, type AsOfShape, type AsOfSource } from './versions-relation';

/** Attributes of the model that its versions don't show. */
export function hiddenAttributes(registration: Registration): Set<string> {
  const known = new Set(knownColumns(registration).map((column) => column.attribute));
  return new Set(
    storedAttributes(registration.model)
      .map(([name]) => name)
      .filter((name) => !known.has(name)),
  );
}

/**
 * What the SQL over the versions of a registration needs; without a bound, all versions count.
 *
 * @throws {AuditError} ERR_AUDIT_NO_SNAPSHOTS
 */
export function versionsOf(
  snapshots: SnapshotModels,
  registration: Registration,
  bound: Bound | null,
  where = `asOf of ${registration.name}`,
): AsOfSource {
  const snapshot = snapshots.of(registration, where);
  const { options, tracked, table } = registration;
  return {
    live: table,
    enumKeys: tracked.keys.filter((each) => enumKind(each.type) !== null).map((each) => each.column),
    history: options.snapshots!.table,
    keys: tracked.keys.map((each) => each.column),
    columns: knownColumns(registration).map((each) => each.column),
    deletedAt: tracked.deletedAt?.column ?? null,
    bound: bound ? versionNotAfter(bound, (model) => readSameTable(model, snapshot)) : 'true',
  };
}

/** By the order of the index on the object, or null. */
export function pageShape(registration: Registration, { order }: FindOptions): AsOfShape | null {
  const [first] = Array.isArray(order) ? (order as unknown[]) : [order];
  const [name, direction] = Array.isArray(first) ? (first as unknown[]) : [first];
  const isKey = name === undefined || name === registration.tracked.keys[0]?.attribute;
  if (!isKey || (Array.isArray(first) && first.length > 2)) return null;
  return String(direction).toUpperCase() === 'DESC' ? 'streamBackwards' : 'stream';
}

/** By what the index on the object or on a foreign key can serve. */
function shapeOf(registration: Registration, options: FindOptions): AsOfShape {
  const names = Object.keys(isPlainObject(options.where) ? options.where : {});
  const [key] = registration.tracked.keys;
  if (key !== undefined && names.includes(key.attribute)) return 'stream';
  const isReference = (name: string): boolean =>
    registration.tracked.columns.some((column) => column.attribute === name && column.isReference);
  if (names.some(isReference)) return 'probe';
  return (options.limit === undefined ? null : pageShape(registration, options)) ?? 'bulk';
}

function isEmptyWhere(where: unknown): boolean {
  return where === undefined || (isPlainObject(where) && Reflect.ownKeys(where).length === 0);
}

function shapeFor(registration: Registration, { kind, options }: PastRead): AsOfShape {
  const needsKeysOnly =
    kind === 'count' &&
    isEmptyWhere(options.where) &&
    registration.tracked.deletedAt === null &&
    options.col === undefined;
  return needsKeysOnly ? 'count' : shapeOf(registration, options);
}

/**
 * The past from versions.
 *
 * @throws {AuditError} ERR_AUDIT_NO_SNAPSHOTS
 */
export function versionsSource(
  snapshots: SnapshotModels,
  registration: Registration,
  bound: Bound,
): PastSource {
  const source = versionsOf(snapshots, registration, bound);
  return {
    hidden: hiddenAttributes(registration),
    table: source.history,
    columns: source.columns,
    rows: (read) => versionsAsOf(source, shapeFor(registration, read)),
    gaps: () => gapsAsOf(source),
  };
}
