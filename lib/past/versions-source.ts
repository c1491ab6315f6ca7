import type { FindOptions } from 'sequelize';
import type { Registration } from '../capture/registry';
import { typeKeyOf } from '../context/key-types';
import { isPlainObject } from '../history/arguments';
import { versionCondition, type Bound, type VersionCondition } from '../history/point-in-time';
import { readSameTable, type HistorySettings } from '../history/settings';
import { knownColumns, type SnapshotModels } from '../history/snapshots';
import { storedAttributes } from '../schema/attributes';
import { enumKind } from '../schema/history-table';
import { quoteLiteral } from '../schema/quote';
import { boundRead } from './bound-read';
import type { PastRead, PastSource } from './source';
import {
  gapOfObject,
  gapsAsOf,
  versionOfObject,
  versionsAsOf,
  type AsOfShape,
  type AsOfSource,
} from './versions-relation';

/** Attributes of the model that its versions don't show. */
export function hiddenAttributes(registration: Registration): Set<string> {
  const known = new Set(knownColumns(registration).map((column) => column.attribute));
  return new Set(
    storedAttributes(registration.model)
      .map(([name]) => name)
      .filter((name) => !known.has(name)),
  );
}

function sourceOf(registration: Registration, bound: string): AsOfSource {
  const { options, tracked, table } = registration;
  return {
    live: table,
    enumKeys: tracked.keys.filter((each) => enumKind(each.type) !== null).map((each) => each.column),
    history: options.snapshots!.table,
    keys: tracked.keys.map((each) => each.column),
    columns: knownColumns(registration).map((each) => each.column),
    deletedAt: tracked.deletedAt?.column ?? null,
    bound,
  };
}

/** @throws {AuditError} ERR_AUDIT_NO_SNAPSHOTS */
function conditionOf(
  snapshots: SnapshotModels,
  registration: Registration,
  bound: Bound,
  where?: string,
): VersionCondition {
  const snapshot = snapshots.of(registration, where ?? `asOf of ${registration.name}`);
  return versionCondition(bound, (model) => readSameTable(model, snapshot));
}

/**
 * What the SQL over the versions of a registration needs.
 *
 * @throws {AuditError} ERR_AUDIT_NO_SNAPSHOTS
 */
export function versionsOf(
  snapshots: SnapshotModels,
  registration: Registration,
  bound: Bound,
  where?: string,
): AsOfSource {
  const { values, notAfter } = conditionOf(snapshots, registration, bound, where);
  return sourceOf(registration, notAfter(values.map(quoteLiteral)));
}

/** The same with all versions. */
export function allVersionsOf(registration: Registration): AsOfSource {
  return sourceOf(registration, 'true');
}

type Texts = Readonly<Record<'rows' | 'gaps', string>>;

/** By the columns that they name, and by how they compare with the time: the same for all objects and times. */
const texts = new WeakMap<object, Map<string, Texts>>();

function textsOfObject(registration: Registration, key: readonly string[], notAfter: string): Texts {
  const { tracked } = registration;
  const ofColumns = texts.get(tracked) ?? new Map<string, Texts>();
  texts.set(tracked, ofColumns);
  const known = ofColumns.get(notAfter);
  if (known) return known;
  const source = sourceOf(registration, notAfter);
  const made = { rows: versionOfObject(source, key), gaps: gapOfObject(source, key) };
  ofColumns.set(notAfter, made);
  return made;
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

/** The versions of one object, by texts that are the same for all; null where its key is bytes, which are no text. */
function objectSource(
  settings: HistorySettings,
  registration: Registration,
  key: Readonly<Record<string, string>>,
  { values, notAfter }: VersionCondition,
): Pick<PastSource, 'rows' | 'gaps' | 'sending'> | null {
  if (Object.keys(key).some((name) => typeKeyOf(registration.model, name) === 'BLOB')) return null;
  const parts = Object.values(key);
  const { places, sending, repeats } = boundRead(settings, [...parts, ...values]);
  if (!repeats) return null;
  const made = textsOfObject(
    registration,
    places.slice(0, parts.length),
    notAfter(places.slice(parts.length)),
  );
  return { rows: () => made.rows, gaps: () => made.gaps, sending };
}

/**
 * The past from versions.
 *
 * @throws {AuditError} ERR_AUDIT_NO_SNAPSHOTS
 */
export function versionsSource(
  settings: HistorySettings,
  snapshots: SnapshotModels,
  registration: Registration,
  bound: Bound,
): PastSource {
  const condition = conditionOf(snapshots, registration, bound);
  const source = sourceOf(registration, condition.notAfter(condition.values.map(quoteLiteral)));
  const past = {
    hidden: hiddenAttributes(registration),
    table: source.history,
    columns: source.columns,
  };
  return {
    ...past,
    rows: (read) => versionsAsOf(source, shapeFor(registration, read)),
    gaps: () => gapsAsOf(source),
    ofObject: async (key) => {
      const object = objectSource(settings, registration, key, condition);
      return object && { ...past, ...object };
    },
  };
}
