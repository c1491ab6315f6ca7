import { quoteIdentifier, quoteLiteral, quoteTable, type TableName } from '../schema/quote';
import { isReadable } from '../statement/past-values';
import { notAfter, type Bound } from '../history/point-in-time';
import type { TypedColumn } from './table-columns';

/** Whose rows are to be rebuilt from entries, as of when. */
export interface EntriesSource {
  readonly live: TableName;
  readonly log: TableName;
  /** The name under which entries are stored. */
  readonly name: string;
  readonly keys: readonly TypedColumn[];
  /** The columns that are rebuilt, keys included. */
  readonly columns: readonly TypedColumn[];
  /** Managed timestamps that no entry holds: those of the first and of the last entry. */
  readonly createdAt: TypedColumn | null;
  readonly updatedAt: TypedColumn | null;
  /** Attribute name of a paranoid model's `deletedAt`. */
  readonly deletedAt: string | null;
  /** Whether entries may tell of links alone, which change nothing of the row. */
  readonly hasLinks: boolean;
  /**
   * Whether values are looked at before a column reads them, which may have had another type: what it can't hold is then not known.
   * Without, PostgreSQL refuses to read it.
   */
  readonly isTested: boolean;
  /** SQL: the entry `e` is not after the point in time. */
  readonly notAfter: string;
  /** SQL: the point in time lies before a moment, given as SQL; null where that is. */
  readonly isBefore: (moment: string) => string;
}

/** A point in time among entries: what they are compared with, and how. Ids are those of all models, so that one means one state of them all. */
export interface EntryPoint {
  readonly values: readonly string[];
  /** @param places SQL of the values */
  readonly conditions: (places: readonly string[]) => Pick<EntriesSource, 'notAfter' | 'isBefore'>;
}

export function entryPoint({ time, logEntryId, version }: Bound): EntryPoint {
  const id = logEntryId ?? version?.logEntryId ?? null;
  return {
    values: id === null ? [time.text] : [String(BigInt(id)), time.text],
    conditions(places) {
      const at = `${places.at(-1)!}::timestamptz`;
      return {
        notAfter: id === null ? notAfter('e."timestamp"', time, at) : `e."id" <= ${places[0]!}::bigint`,
        isBefore: (moment) => `not (${notAfter(moment, time, at)})`,
      };
    },
  };
}

/** Entries of the model that tell what happened to a row: those of `auditLog.log` and `logAccess` don't. */
export function entriesOfModel({ log, name }: EntriesSource): string {
  return `${quoteTable(log)} e where e."model" = ${quoteLiteral(name)} and e."action" in ('create', 'update', 'delete')`;
}

export function entriesOf(source: EntriesSource): string {
  return `${entriesOfModel(source)} and e."object_pk" = k."!pk"`;
}

/** `[old, new]` of an attribute; what a tracked association tells is no array. */
export const IS_PAIR = `jsonb_typeof(j."value") = 'array'`;

/** SQL: the entry took the row away; the soft delete of a paranoid model sets `deletedAt` instead. */
export function tookRow({ deletedAt }: EntriesSource, e: string): string {
  const isDelete = `${e}."action" = 'delete'`;
  if (deletedAt === null) return isDelete;
  return `(${isDelete} and (${e}."changes" -> ${quoteLiteral(deletedAt)} ->> 1) is null)`;
}

/** The last entry by the time. */
export function last(source: EntriesSource): string {
  const entries = `${entriesOf(source)} and ${source.notAfter}`;
  return `(select e."id", e."timestamp", e."action", e."changes", e."additional_data" as "data" from ${entries} order by e."id" desc limit 1) b`;
}

/** The first entry after `b` that took the row away, or created it anew without one that did: then it vanished unrecorded. */
export function end(source: EntriesSource): string {
  const entries = `${entriesOf(source)} and e."id" > b."id" and e."action" <> 'update'`;
  const isEnd = `(e."action" = 'create' or ${tookRow(source, 'e')})`;
  return `(select e."id", e."timestamp", e."action" from ${entries} and ${isEnd} order by e."id" limit 1) d on true`;
}

/** The columns whose values stand in entries. */
export function heldColumns({ columns, createdAt, updatedAt }: EntriesSource): TypedColumn[] {
  return columns.filter((column) => !column.isKey && column !== createdAt && column !== updatedAt);
}

export const aliased = (columns: readonly TypedColumn[], values: readonly string[]): string[] =>
  columns.map(({ column }, at) => `${values[at]!} as ${quoteIdentifier(column)}`);
export const attributeText = ({ attribute }: TypedColumn): string => quoteLiteral(attribute);
/** SQL: those of which the condition holds; it is null where it never does. */
export function names(
  columns: readonly TypedColumn[],
  condition: (column: TypedColumn) => string | null,
): string {
  const each = columns.map((column) => ({ column, holds: condition(column) }));
  const cases = each
    .filter(({ holds }) => holds !== null)
    .map(({ column, holds }) => `case when ${holds!} then ${attributeText(column)} end`);
  return cases.length === 0 ? `array[]::text[]` : `array_remove(array[${cases.join(', ')}]::text[], null)`;
}

/** How far back the newest `new` of an attribute is looked for, which tells of writes that left no entry. */
const LOOK_BACK = 100;

/** By attribute one side of the entries' pairs; of several the last in the order of their ids stays. @param beside further columns */
function pairs(entries: string, side: 0 | 1, order: string, beside = ''): string {
  const from = `(${entries}) e left join lateral jsonb_each(e."changes") j on ${IS_PAIR}`;
  const values = `jsonb_object_agg(j."key", j."value" -> ${side} order by e."id" ${order}) filter (where j."key" is not null)`;
  return `select ${values} as "values"${beside} from ${from}`;
}

/** The pairs without the values that the columns can't hold today; `strange` are their names. */
function readable(source: EntriesSource, told: string, alias: string): string {
  if (!source.isTested) return `(select p."values" as "told", p.* from (${told}) p) ${alias}`;
  const strange = `select p.*, ${strangeNames(source)} as "strange" from (${told}) p offset 0`;
  // Each time computed once, and not for each column that is asked for.
  const values = `select p."values" - p."strange" as "told", p.* from (${strange}) p offset 0`;
  return `(${values}) ${alias}`;
}

/** SQL: the attributes whose values in the pairs `p` the columns can't hold. */
function strangeNames(source: EntriesSource): string {
  const isStrange = (column: TypedColumn): string | null => {
    const condition = isReadable(`(p."values" -> ${attributeText(column)})`, column);
    return condition === null ? null : `not ${condition}`;
  };
  return names(heldColumns(source), isStrange);
}

/** By attribute the old value of the first entry after the time that names it, up to `d`. */
export function older(source: EntriesSource): string {
  const entries = `select e."id", e."changes" from ${entriesOf(source)} and e."id" > b."id" and (d."id" is null or e."id" <= d."id")`;
  return `${readable(source, pairs(entries, 0, 'desc'), 'f')}${record(source, 'f."told"', 'x')}`;
}

/** By attribute the new value of the last entry by the time that names it, since the row was created. */
export function newer(source: EntriesSource): string {
  const recent = `select e."id", e."action", e."changes" from ${entriesOf(source)} and e."id" <= b."id" order by e."id" desc limit ${LOOK_BACK}`;
  const entries = `select e.*, max(e."id") filter (where e."action" = 'create') over () as "since" from (${recent}) e`;
  const since = `select * from (${entries}) e where e."id" >= coalesce(e."since", 0)`;
  const told = pairs(since, 1, 'asc', ', max(e."since") as "since"');
  return `${readable(source, told, 'g')}${record(source, 'g."told"', 'y')}`;
}

/** Types that `jsonb_to_record` reads from an entry's value as a cast would, and that PostgreSQL compares. */
const RECORD_TYPES = new Set(
  'bool bpchar cidr date float4 float8 inet int2 int4 int8 jsonb numeric text time timestamptz timetz uuid varchar'.split(
    ' ',
  ),
);
const MAX_NAME_BYTES = 63;

/** Whether the column is read from a record, together with others: an expression for each costs planning them all each time. */
export function isInRecord({ attribute, valueType }: TypedColumn): boolean {
  return RECORD_TYPES.has(valueType) && Buffer.byteLength(attribute) <= MAX_NAME_BYTES;
}

/** Values of entries by attribute, as one typed row. */
function record(source: EntriesSource, values: string, alias: string): string {
  const columns = heldColumns(source).filter(isInRecord);
  const types = columns.map(({ attribute, plainType }) => `${quoteIdentifier(attribute)} ${plainType}`);
  if (types.length === 0) return '';
  return ` cross join lateral jsonb_to_record(coalesce(${values}, '{}')) ${alias}(${types.join(', ')})`;
}

export function createdTime(source: EntriesSource): string {
  const entries = `${entriesOf(source)} and e."action" = 'create' and e."id" <= b."id"`;
  return `(select e."timestamp" from ${entries} order by e."id" desc limit 1)`;
}

export function updatedTime(source: EntriesSource): string {
  if (!source.hasLinks) return 'b."timestamp"';
  const ofRow = `exists (select from jsonb_each(e."changes") j where ${IS_PAIR})`;
  const entries = `${entriesOf(source)} and e."id" <= b."id" and ${ofRow}`;
  return `(select e."timestamp" from ${entries} order by e."id" desc limit 1)`;
}
