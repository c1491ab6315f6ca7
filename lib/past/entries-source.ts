import type { FindOptions, Transaction } from 'sequelize';
import type { Registration } from '../capture/registry';
import { isPlainObject } from '../history/arguments';
import { fitsKey, keyTexts, objectPkText } from '../history/object-key';
import type { Bound } from '../history/point-in-time';
import { logTable, type HistorySettings } from '../history/settings';
import { managedAttributes, storedAttributes } from '../schema/attributes';
import type { TrackedColumn } from '../schema/tracked';
import {
  entriesAsOf,
  entriesGaps,
  hasExactKeys,
  UNKNOWN_COLUMN,
  type EntriesSource,
  type KeyOrder,
} from './entries-relation';
import type { PastSource } from './source';
import { typedColumns } from './table-columns';

/** Whether entries hold what the column was: a lock version is in none, and without updates nothing but keys is sure. */
function isTold(registration: Registration, column: TrackedColumn): boolean {
  const { options, tracked, model } = registration;
  if (column.mask !== null) return false;
  if (column.isKey || column === tracked.deletedAt) return true;
  if (!options.actions.has('update')) return false;
  return column.inDelta || managedAttributes(model).timestamps.has(column.attribute);
}

/** The columns that entries tell of. */
export function toldColumns(registration: Registration): TrackedColumn[] {
  return registration.tracked.columns.filter((column) => isTold(registration, column));
}

/** What the SQL over the entries of a registration needs. */
export async function entriesSourceOf(
  settings: HistorySettings,
  registration: Registration,
  bound: Bound,
  transaction?: Transaction | null,
): Promise<EntriesSource> {
  const told = new Set(toldColumns(registration).map(({ attribute }) => attribute));
  const all = await typedColumns(registration, transaction);
  const columns = all.filter(({ attribute }) => told.has(attribute));
  const { createdAt, updatedAt } = managedAttributes(registration.model);
  const { keys, deletedAt } = registration.tracked;
  const stamp = (name: string | null) =>
    columns.find(({ attribute, inDelta }) => attribute === name && !inDelta) ?? null;
  return {
    live: registration.table,
    log: logTable(settings),
    name: registration.name,
    keys: keys.map((key) => columns.find((each) => each.attribute === key.attribute)!),
    columns,
    createdAt: stamp(createdAt),
    updatedAt: stamp(updatedAt),
    deletedAt: deletedAt?.attribute ?? null,
    hasLinks: registration.options.associations.length > 0,
    bound,
  };
}

const MAX_NAMED = 1000;

function isScalar(value: unknown): boolean {
  return ['string', 'bigint'].includes(typeof value) || Number.isFinite(value);
}

/** The keys that a condition names, each as its parts; null when it may hold for others. */
function namedKeys({ model }: Registration, where: unknown): unknown[] | null {
  if (!isPlainObject(where)) return null;
  const names = model.primaryKeyAttributes;
  const given = names.map((name) => where[name]);
  if (given.every(isScalar)) return [given];
  const [list] = given;
  if (names.length > 1 || !Array.isArray(list) || !list.every(isScalar)) return null;
  return list.length > 0 && list.length <= MAX_NAMED ? (list as unknown[]) : null;
}

/** The objects that a condition names by their keys, as entries hold them: these alone are then looked at. */
function namedPks(registration: Registration, source: EntriesSource, where: unknown): string[] | null {
  if (!hasExactKeys(source)) return null;
  const given = namedKeys(registration, where)?.map((key) => keyTexts('asOf', registration.model, key));
  if (!given?.every((key) => fitsKey(registration.model, key))) return null;
  return [...new Set(given.map(objectPkText))];
}

/** A page in the order of the key need not rebuild what comes after it. */
function keyOrder({ tracked }: Registration, { limit, order }: FindOptions): KeyOrder {
  if (limit === undefined) return null;
  const [first] = Array.isArray(order) ? (order as unknown[]) : [order];
  const [name, direction, ...more] = Array.isArray(first) ? (first as unknown[]) : [first];
  if (more.length > 0 || (name !== undefined && name !== tracked.keys[0]?.attribute)) return null;
  return String(direction).toUpperCase() === 'DESC' ? 'desc' : 'asc';
}

/** The past folded back from entries: the row as it is now, without what was changed after the time. */
export function entriesSource(
  settings: HistorySettings,
  registration: Registration,
  bound: Bound,
): PastSource {
  const told = toldColumns(registration);
  const names = new Set(told.map(({ attribute }) => attribute));
  const hidden = storedAttributes(registration.model).map(([name]) => name);
  const given = async ({ where, transaction }: FindOptions): Promise<[EntriesSource, string[] | null]> => {
    const source = await entriesSourceOf(settings, registration, bound, transaction);
    return [source, namedPks(registration, source, where)];
  };
  return {
    hidden: new Set(hidden.filter((name) => !names.has(name))),
    table: logTable(settings),
    // Those of the log are complete; one that the model's own table lacks is PostgreSQL's to tell.
    columns: [],
    unknownColumn: UNKNOWN_COLUMN,
    rows: async ({ options }) => entriesAsOf(...(await given(options)), keyOrder(registration, options)),
    gaps: async ({ options }) => entriesGaps(...(await given(options))),
  };
}
