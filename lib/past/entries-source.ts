import type { FindOptions, Transaction } from 'sequelize';
import type { Registration } from '../capture/registry';
import { isPlainObject } from '../history/arguments';
import { fitsKey, keyTexts, objectPkText } from '../history/object-key';
import type { Bound } from '../history/point-in-time';
import { logTable, type HistorySettings } from '../history/settings';
import { managedAttributes, storedAttributes } from '../schema/attributes';
import { quoteLiteral } from '../schema/quote';
import type { TrackedColumn } from '../schema/tracked';
import { boundRead } from './bound-read';
import { hasExactKeys } from './entries-objects';
import { entriesAsOf, entriesGaps, UNKNOWN_COLUMN } from './entries-relation';
import { entryPoint, type EntriesSource, type EntryPoint } from './entries-told';
import type { PastRead, PastSource } from './source';
import { typedColumns, type TypedColumn } from './table-columns';

/** Whether entries hold what the column was: a lock version is in none, and without updates nothing but keys is sure. */
function isTold(
  { options, tracked }: Registration,
  column: TrackedColumn,
  timestamps: ReadonlySet<string>,
): boolean {
  if (column.mask !== null) return false;
  if (column.isKey || column === tracked.deletedAt) return true;
  if (!options.actions.has('update')) return false;
  return column.inDelta || timestamps.has(column.attribute);
}

/** The columns that entries tell of. */
export function toldColumns(registration: Registration): TrackedColumn[] {
  const { timestamps } = managedAttributes(registration.model);
  return registration.tracked.columns.filter((column) => isTold(registration, column, timestamps));
}

/** What was shown of masked columns: entries hold texts of them. */
function maskedColumns({ options }: Registration, all: readonly TypedColumn[]): TypedColumn[] {
  if (!options.actions.has('update')) return [];
  const masked = all.filter(({ mask, inDelta }) => mask !== null && inDelta);
  return masked.map((column) => ({ ...column, plainType: 'text', valueType: 'text' }));
}

/** What the SQL over the entries of a registration needs. @param places SQL of the values of the point in time */
function entriesSourceOf(
  settings: HistorySettings,
  registration: Registration,
  all: readonly TypedColumn[],
  point: EntryPoint,
  places: readonly string[],
  withMasks = false,
): EntriesSource {
  const told = new Set(toldColumns(registration).map(({ attribute }) => attribute));
  const known = all.filter(({ attribute }) => told.has(attribute));
  const columns = withMasks ? [...known, ...maskedColumns(registration, all)] : known;
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
    isTested: true,
    ...point.conditions(places),
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

/** The objects that a condition names by their keys, as SQL of what entries hold: these alone are then looked at. */
function namedPks(registration: Registration, source: EntriesSource, where: unknown): string[] | null {
  if (!hasExactKeys(source)) return null;
  const given = namedKeys(registration, where)?.map((key) => keyTexts('asOf', registration.model, key));
  if (!given?.every((key) => fitsKey(registration.model, key))) return null;
  return [...new Set(given.map((key) => quoteLiteral(objectPkText(key))))];
}

/** Whether more is asked for than how many keys there are: only then what can't be known is looked for. */
function needsValues({ tracked }: Registration, { kind, options }: PastRead): boolean {
  if (kind === 'rows' || options.col !== undefined) return true;
  const { where = {} } = options;
  if (!isPlainObject(where)) return true;
  const sure = new Set<unknown>([...tracked.keys, tracked.deletedAt].map((each) => each?.attribute));
  return !Reflect.ownKeys(where).every((name) => sure.has(name));
}

/** SQL over the entries of one object, whose key is `pk`. */
type MakeText = (source: EntriesSource, pk: string) => string;

/** Texts that read one object at a point in time. */
export class ObjectTexts {
  readonly source: EntriesSource;
  readonly #pk: string;
  readonly #made = new Map<MakeText, string>();

  constructor(source: EntriesSource, pk: string) {
    this.source = source;
    this.#pk = pk;
  }

  /** Made once: they are long. */
  text(make: MakeText): string {
    const known = this.#made.get(make);
    if (known !== undefined) return known;
    const made = make(this.source, this.#pk);
    this.#made.set(make, made);
    return made;
  }
}

/** By the columns that they name, and by how they compare with the time. */
const texts = new WeakMap<readonly TypedColumn[], Map<string, ObjectTexts>>();

function remembered(all: readonly TypedColumn[], kind: string, make: () => ObjectTexts): ObjectTexts {
  const ofColumns = texts.get(all) ?? new Map<string, ObjectTexts>();
  texts.set(all, ofColumns);
  const known = ofColumns.get(kind);
  if (known) return known;
  const made = make();
  ofColumns.set(kind, made);
  return made;
}

interface ObjectOptions {
  readonly transaction: Transaction | null | undefined;
  /** Whether the rows have what was shown of masked columns. */
  readonly withMasks?: boolean;
}

/** What reads one object at a point in time: texts that are the same for all objects and times, and options that hold both. */
export async function objectTexts(
  settings: HistorySettings,
  registration: Registration,
  key: Readonly<Record<string, string>>,
  bound: Bound,
  { transaction, withMasks = false }: ObjectOptions,
): Promise<{ readonly texts: ObjectTexts; readonly sending: object }> {
  const all = await typedColumns(registration, transaction);
  const point = entryPoint(bound);
  const { places, sending, repeats } = boundRead(settings, [objectPkText(key), ...point.values]);
  const [pk, ...values] = places as [string, ...string[]];
  const make = (): ObjectTexts =>
    new ObjectTexts(entriesSourceOf(settings, registration, all, point, values, withMasks), pk);
  const { notAfter, isBefore } = point.conditions(values);
  return {
    texts: repeats ? remembered(all, `${withMasks};${notAfter};${isBefore('')}`, make) : make(),
    sending,
  };
}

const rowsOfObject: MakeText = (source, pk) => entriesAsOf(untested(source), [pk]);
const testedRowsOfObject: MakeText = (source, pk) => entriesAsOf(source, [pk]);
const gapsOfObject: MakeText = (source, pk) => entriesGaps(source, [pk]);

function untested(source: EntriesSource): EntriesSource {
  return { ...source, isTested: false };
}

/** Those of whose entries one holds what a column, which had another type, can't: there is no use in trying again. */
const strange = new WeakSet<Registration>();

/** The past folded back from entries: the row as it is now, without what was changed after the time. */
export function entriesSource(
  settings: HistorySettings,
  registration: Registration,
  bound: Bound,
): PastSource {
  const told = toldColumns(registration);
  const names = new Set(told.map(({ attribute }) => attribute));
  const hidden = storedAttributes(registration.model).map(([name]) => name);
  const point = entryPoint(bound);
  const places = point.values.map(quoteLiteral);
  const given = async ({ where, transaction }: FindOptions): Promise<[EntriesSource, string[] | null]> => {
    const all = await typedColumns(registration, transaction);
    const source = entriesSourceOf(settings, registration, all, point, places);
    return [source, namedPks(registration, source, where)];
  };
  const past = {
    hidden: new Set(hidden.filter((name) => !names.has(name))),
    table: logTable(settings),
    // Those of the log are complete; one that the model's own table lacks is PostgreSQL's to tell.
    columns: [],
    unknownColumn: UNKNOWN_COLUMN,
  };
  const rowsOf = async (read: PastRead, isTested: boolean): Promise<string> => {
    const [source, pks] = await given(read.options);
    const chosen = isTested || isStrange(source) ? source : untested(source);
    return entriesAsOf(chosen, pks, needsValues(registration, read));
  };
  // Where the server can't test, other forms count than those that it takes: whatever is read, they must be the same.
  const isStrange = ({ columns }: EntriesSource): boolean =>
    strange.has(registration) || !columns.every(({ isTestable }) => isTestable);
  const note = (): void => void strange.add(registration);
  return {
    ...past,
    rows: (read) => rowsOf(read, false),
    tested: { rows: (read) => rowsOf(read, true), note },
    gaps: async ({ options }) => entriesGaps(...(await given(options))),
    ofObject: async (key, { transaction }) => {
      const object = await objectTexts(settings, registration, key, bound, { transaction });
      if (!hasExactKeys(object.texts.source)) return null;
      return {
        ...past,
        sending: object.sending,
        rows: () => object.texts.text(isStrange(object.texts.source) ? testedRowsOfObject : rowsOfObject),
        tested: { rows: () => object.texts.text(testedRowsOfObject), note },
        gaps: () => object.texts.text(gapsOfObject),
      };
    },
  };
}
