import { exactTimeSql } from '../schema/exact-time';
import { quoteIdentifier, quoteLiteral, quoteTable, type TableName } from '../schema/quote';
import { jsonOf, textOf } from '../statement/encode';
import { isDigest, isReadable, keyOfText, valueOf } from '../statement/past-values';
import { prunedTo } from '../statement/prune-marks';
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
  /** SQL: the entry `e` is not after the point in time. */
  readonly notAfter: string;
  /** SQL: the point in time lies before a moment, given as SQL; null where that is. */
  readonly isBefore: (moment: string) => string;
}

/** Objects to look at. Everything else is asked of the index on the object, once per object. */
interface Objects {
  /**
   * As FROM: `k` has of each object the columns of its key and, as `!pk`, the key as entries hold it; `!live` tells whether there
   * is a row today, whose other columns it has too, all null where there is none.
   */
  readonly from: string;
  /** SQL: the object doesn't stand in `k` a second time; null where none does. */
  readonly isOnce: string | null;
}

/** In the rows: the attributes that can't be known of this one. A name that needs no quotes, which an option may leave out. */
export const UNKNOWN_COLUMN = 'audit_unknown_attributes';

/** How far back the newest `new` of an attribute is looked for, which tells of writes that left no entry. */
const LOOK_BACK = 100;

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
function entriesOfModel({ log, name }: EntriesSource): string {
  return `${quoteTable(log)} e where e."model" = ${quoteLiteral(name)} and e."action" in ('create', 'update', 'delete')`;
}

function entriesOf(source: EntriesSource): string {
  return `${entriesOfModel(source)} and e."object_pk" = k."!pk"`;
}

/** `[old, new]` of an attribute; what a tracked association tells is no array. */
const IS_PAIR = `jsonb_typeof(j."value") = 'array'`;

/**
 * SQL: the time lies before the one to which the model was pruned, and between `b` and that one there may have been entries that are
 * gone. A prune leaves the newest entry by then of every object that was there, so that there were none where none is left: unless
 * the object had versions, of which entries about links and about moves to another key are left alone.
 *
 * @param moment SQL of the time to which it was pruned, or null
 */
function isTruncated(source: EntriesSource, moment: string): string {
  const isNext = `e."id" > b."id" and e."timestamp" < ${moment}`;
  const between = `exists (select from ${entriesOf(source)} and ${isNext})`;
  const isOfRow = `exists (select from jsonb_each(b."changes") j where ${IS_PAIR})`;
  const isMove = `(b."data" -> 'movedFrom' is not null or b."data" -> 'movedTo' is not null)`;
  return `(coalesce(${source.isBefore(moment)}, false) and (${isMove} or not ${isOfRow} or ${between}))`;
}

/** SQL: the entry took the row away; the soft delete of a paranoid model sets `deletedAt` instead. */
function tookRow({ deletedAt }: EntriesSource, e: string): string {
  const isDelete = `${e}."action" = 'delete'`;
  if (deletedAt === null) return isDelete;
  return `(${isDelete} and (${e}."changes" -> ${quoteLiteral(deletedAt)} ->> 1) is null)`;
}

/** The last entry by the time. */
function last(source: EntriesSource): string {
  const entries = `${entriesOf(source)} and ${source.notAfter}`;
  return `(select e."id", e."timestamp", e."action", e."changes", e."additional_data" as "data" from ${entries} order by e."id" desc limit 1) b`;
}

/** The first entry after `b` that took the row away, or created it anew without one that did: then it vanished unrecorded. */
function end(source: EntriesSource): string {
  const entries = `${entriesOf(source)} and e."id" > b."id" and e."action" <> 'update'`;
  const isEnd = `(e."action" = 'create' or ${tookRow(source, 'e')})`;
  return `(select e."id", e."timestamp", e."action" from ${entries} and ${isEnd} order by e."id" limit 1) d on true`;
}

/** By attribute one side of the entries' pairs; of several the last in the order of their ids stays. @param beside further columns */
function pairs(entries: string, side: 0 | 1, order: string, beside = ''): string {
  const from = `(${entries}) e left join lateral jsonb_each(e."changes") j on ${IS_PAIR}`;
  const values = `jsonb_object_agg(j."key", j."value" -> ${side} order by e."id" ${order}) filter (where j."key" is not null)`;
  return `select ${values} as "values"${beside} from ${from}`;
}

/** The pairs without the values that the columns, which may have had another type, can't hold today; `strange` are their names. */
function readable(source: EntriesSource, told: string, alias: string): string {
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
function older(source: EntriesSource): string {
  const entries = `select e."id", e."changes" from ${entriesOf(source)} and e."id" > b."id" and (d."id" is null or e."id" <= d."id")`;
  return `${readable(source, pairs(entries, 0, 'desc'), 'f')}${record(source, 'f."told"', 'x')}`;
}

/** By attribute the new value of the last entry by the time that names it, since the row was created. */
function newer(source: EntriesSource): string {
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
function isInRecord({ attribute, valueType }: TypedColumn): boolean {
  return RECORD_TYPES.has(valueType) && Buffer.byteLength(attribute) <= MAX_NAME_BYTES;
}

/** Values of entries by attribute, as one typed row. */
function record(source: EntriesSource, values: string, alias: string): string {
  const columns = heldColumns(source).filter(isInRecord);
  const types = columns.map(({ attribute, plainType }) => `${quoteIdentifier(attribute)} ${plainType}`);
  if (types.length === 0) return '';
  return ` cross join lateral jsonb_to_record(coalesce(${values}, '{}')) ${alias}(${types.join(', ')})`;
}

const aliased = (columns: readonly TypedColumn[], values: readonly string[]): string[] =>
  columns.map(({ column }, at) => `${values[at]!} as ${quoteIdentifier(column)}`);
const attributeText = ({ attribute }: TypedColumn): string => quoteLiteral(attribute);
const columnIn = ({ column }: TypedColumn): string => `k.${quoteIdentifier(column)}`;
const live = (column: TypedColumn): string => `r.${quoteIdentifier(column.column)}::${column.plainType}`;

/** SQL: there is a row of the object today. */
const IS_LIVE = 'k."!live"';

/** Whether an entry after the time names the attribute, which may be none at all. A JSON null is no SQL null. */
function isNamed(column: TypedColumn): string {
  return `${oldJson(column)} is not null`;
}

function oldJson(column: TypedColumn): string {
  return `(f."told" -> ${attributeText(column)})`;
}

/** The value at the time: what the first entry after it changed, else the row's. Where the row was taken away, the rest is null. */
function rebuilt(column: TypedColumn): string {
  const old = isInRecord(column)
    ? `x.${quoteIdentifier(column.attribute)}`
    : valueOf(oldJson(column), column);
  return `case when ${isNamed(column)} then ${old} when d."id" is null then ${columnIn(column)} end`;
}

/** The rebuilt values as a row of its own, computed once for all that names them. */
function rebuiltRow(source: EntriesSource): string {
  const columns = heldColumns(source);
  if (columns.length === 0) return '';
  return ` cross join lateral (select ${aliased(columns, columns.map(rebuilt)).join(', ')} offset 0) o`;
}

const rebuiltIn = ({ column }: TypedColumn): string => `o.${quoteIdentifier(column)}`;

function createdTime(source: EntriesSource): string {
  const entries = `${entriesOf(source)} and e."action" = 'create' and e."id" <= b."id"`;
  return `(select e."timestamp" from ${entries} order by e."id" desc limit 1)`;
}

function updatedTime(source: EntriesSource): string {
  if (!source.hasLinks) return 'b."timestamp"';
  const ofRow = `exists (select from jsonb_each(e."changes") j where ${IS_PAIR})`;
  const entries = `${entriesOf(source)} and e."id" <= b."id" and ${ofRow}`;
  return `(select e."timestamp" from ${entries} order by e."id" desc limit 1)`;
}

function valueIn(source: EntriesSource, column: TypedColumn): string {
  if (column.isKey) return columnIn(column);
  if (column === source.createdAt) return `${createdTime(source)}::${column.plainType}`;
  if (column === source.updatedAt) return `${updatedTime(source)}::${column.plainType}`;
  return rebuiltIn(column);
}

/** Every column of the row by its name. */
function rowOf(
  source: EntriesSource,
  valueOfColumn = (column: TypedColumn): string => valueIn(source, column),
): string {
  return aliased(source.columns, source.columns.map(valueOfColumn)).join(', ');
}

/**
 * SQL: the condition, in a form of which PostgreSQL thinks that it holds for half of the rows, and not for hardly any: then it
 * would read and sort them all before a LIMIT.
 */
function oftenTrue(condition: string): string {
  return `case when ${condition} then true else false end`;
}

/** SQL: the row was there at the time, and what became of it is recorded. */
function wasThere(source: EntriesSource, { isOnce }: Objects): string {
  const became = `(d."action" = 'delete' or d."id" is null and ${IS_LIVE})`;
  return `not ${tookRow(source, 'b')} and ${oftenTrue(isOnce === null ? became : `${became} and ${isOnce}`)}`;
}

/** SQL: those of which the condition holds; it is null where it never does. */
function names(columns: readonly TypedColumn[], condition: (column: TypedColumn) => string | null): string {
  const each = columns.map((column) => ({ column, holds: condition(column) }));
  const cases = each
    .filter(({ holds }) => holds !== null)
    .map(({ column, holds }) => `case when ${holds!} then ${attributeText(column)} end`);
  return cases.length === 0 ? `array[]::text[]` : `array_remove(array[${cases.join(', ')}]::text[], null)`;
}

/** A create names all but nulls, so that what neither it nor a later entry names was null, under the names of that time. */
const IS_CREATED = 'g."since" is not null';

/** SQL: what the row held next differs from the last that was recorded, so that something else wrote in between. */
function wasWritten(column: TypedColumn): string {
  const recorded = `g."told" -> ${attributeText(column)}`;
  if (isInRecord(column)) {
    const held = column.valueType === 'jsonb' ? `nullif(${rebuiltIn(column)}, 'null')` : rebuiltIn(column);
    return `(${IS_CREATED} or ${recorded} is not null) and y.${quoteIdentifier(column.attribute)} is distinct from ${held}`;
  }
  const current = `(${jsonOf(columnIn(column), column.encoded)})::jsonb`;
  const next = `coalesce(case when ${isNamed(column)} then ${oldJson(column)} when d."id" is null then ${current} end, 'null'::jsonb)`;
  return `coalesce(${recorded}, case when ${IS_CREATED} then 'null'::jsonb end) <> ${next}`;
}

/** The columns whose values stand in entries. */
function heldColumns({ columns, createdAt, updatedAt }: EntriesSource): TypedColumn[] {
  return columns.filter((column) => !column.isKey && column !== createdAt && column !== updatedAt);
}

/** SQL: the attributes of which nothing but a digest is left. */
function digestNames(source: EntriesSource): string {
  const wasDigest = (column: TypedColumn): string => `${oldJson(column)} <> 'null'::jsonb`;
  return names(heldColumns(source).filter(isDigest), wasDigest);
}

/** SQL: the attributes that were written to without an entry of theirs, or with one that their columns can't hold today. */
function gapNames(source: EntriesSource): string {
  return `${names(heldColumns(source), wasWritten)} || f."strange" || g."strange"`;
}

/** The attributes that can't be known of the row, computed once for all that asks for them. */
function unknownNames(source: EntriesSource): string {
  const unknown = `${digestNames(source)} || ${gapNames(source)}`;
  return ` cross join lateral (select ${unknown} as "names" from ${newer(source)} offset 0) u`;
}

/** What can't be known is null, so that no condition finds the present in it. Only soft deletes stay, which decide what is shown. */
function knownIn(source: EntriesSource): (column: TypedColumn) => string {
  const held = new Set(heldColumns(source).filter(({ attribute }) => attribute !== source.deletedAt));
  return (column) => {
    const value = valueIn(source, column);
    if (!held.has(column)) return value;
    return `case when ${attributeText(column)} = any(u."names") then null else ${value} end`;
  };
}

function rowsOf(source: EntriesSource, objects: Objects, needsValues: boolean): string {
  const told = `cross join lateral ${last(source)} left join lateral ${end(source)} cross join lateral ${older(source)}${rebuiltRow(source)}`;
  const isWhole = oftenTrue(`not ${isTruncated(source, prunedTo(source.log, source.name))}`);
  const where = `where ${wasThere(source, objects)} and ${isWhole}`;
  if (!needsValues) return `select ${rowOf(source)} from ${objects.from} ${told} ${where}`;
  const row = `${rowOf(source, knownIn(source))}, u."names" as ${quoteIdentifier(UNKNOWN_COLUMN)}`;
  return `select ${row} from ${objects.from} ${told}${unknownNames(source)} ${where}`;
}

/** The key of a live row as entries hold it. */
function livePk({ keys }: EntriesSource): string {
  const texts = keys.map((key) => textOf(`r.${quoteIdentifier(key.column)}`, key.encoded));
  if (texts.length === 1) return `(${texts[0]})`;
  return `('[' || ${texts.map((text) => `to_json(${text})::text`).join(` || ',' || `)} || ']')`;
}

/** The parts of a key that stands in `pk`. */
function partsOf({ keys }: EntriesSource, pk: string): string[] {
  return keys.map((key, at) => keyOfText(keys.length === 1 ? pk : `(${pk}::jsonb ->> ${at})`, key));
}

/** Types whose values are equal only when their texts are: a citext is not, and neither is a padded char. */
const EXACT_TYPES = new Set(['int2', 'int4', 'int8', 'uuid', 'text', 'varchar']);

/** Whether keys that are equal to PostgreSQL are those of one object. */
export function hasExactKeys({ keys }: EntriesSource): boolean {
  return keys.every(({ valueType }) => EXACT_TYPES.has(valueType));
}

/** SQL: the live row `r` is that of the object whose key is `pk`, with these parts. */
function isRowOf(source: EntriesSource, pk: string, parts: readonly string[]): string {
  // An enum is compared as the text that its plain type is; for other types the cast is none.
  const same = source.keys.map((key, at) => `${live(key)} = ${parts[at]!}`);
  return [...same, ...(hasExactKeys(source) ? [] : [`${livePk(source)} = ${pk}`])].join(' and ');
}

/** The rows that are there today. */
function livingObjects(source: EntriesSource): string {
  const columns = [...source.keys, ...heldColumns(source)];
  const key = `${livePk(source)} as "!pk", true as "!live"`;
  return `select ${aliased(columns, columns.map(live)).join(', ')}, ${key} from ${quoteTable(source.live)} r`;
}

/** Objects of which an entry that fits `condition` tells, to be looked at when no row has their key today. */
function goneObjects(source: EntriesSource, condition: string): string {
  // By the parts first: in their order then come the objects.
  const parts = aliased(source.keys, partsOf(source, 'e."object_pk"')).join(', ');
  const gone = `select distinct ${parts}, e."object_pk" from ${entriesOfModel(source)} and ${condition}`;
  const keys = source.keys.map(({ column }) => `e.${quoteIdentifier(column)}`);
  const nulls = heldColumns(source).map(({ plainType }) => `null::${plainType}`);
  return `select ${[...keys, ...nulls].join(', ')}, e."object_pk", false from (${gone}) e`;
}

/** @param pks keys as entries hold them, as SQL */
function namedObjects(source: EntriesSource, pks: readonly string[]): Objects {
  const rows = pks.map((pk) => `(${pk}::text)`).join(', ');
  const parts = partsOf(source, 'v."!pk"');
  const columns = heldColumns(source);
  const values = [...aliased(source.keys, parts), ...aliased(columns, columns.map(live))];
  const key = `v."!pk", r.${quoteIdentifier(source.keys[0]!.column)} is not null as "!live"`;
  const from = `(values ${rows}) v("!pk") left join ${quoteTable(source.live)} r on ${isRowOf(source, 'v."!pk"', parts)}`;
  return { from: `(select ${values.join(', ')}, ${key} from ${from}) k`, isOnce: null };
}

/** Not sorted: the reader's own order, where it is that of the key, finds both parts in it, and a LIMIT then stops early. */
function allObjects(source: EntriesSource, condition: string): Objects {
  const isRow = isRowOf(source, 'k."!pk"', source.keys.map(columnIn));
  const row = `(select true from ${quoteTable(source.live)} r where ${isRow} limit 1)`;
  return {
    from: `(${livingObjects(source)} union all ${goneObjects(source, condition)}) k`,
    // As a value it is looked for by the key, one by one; EXISTS would be answered from a table of all rows.
    isOnce: `(${IS_LIVE} or ${row} is null)`,
  };
}

/**
 * SELECT of the rows that were there at the time.
 *
 * @param pks SQL of keys, for these objects only
 * @param needsValues whether more is asked for than keys and soft deletes
 */
export function entriesAsOf(
  source: EntriesSource,
  pks: readonly string[] | null,
  needsValues = true,
): string {
  if (pks !== null) return rowsOf(source, namedObjects(source, pks), needsValues);
  const isDeletedLater = `e."action" = 'delete' and not (${source.notAfter})`;
  return rowsOf(source, allObjects(source, isDeletedLater), needsValues);
}

/** SQL: the time to which the model was pruned, or null. */
const PRUNED_TO = 'w."to"';

/** SQL: the time lies before that. */
function isPruned(source: EntriesSource): string {
  return `coalesce(${source.isBefore(PRUNED_TO)}, false)`;
}

/**
 * SQL: the time lies before the first record `a`, which is no create, or before what a prune left whole; or nothing tells what
 * became of the row.
 */
function isUnknown(source: EntriesSource): string {
  const isBefore = `b."id" is null and (coalesce(a."action" <> 'create', ${IS_LIVE}) or ${isPruned(source)})`;
  const vanished = `b."id" is not null and not ${tookRow(source, 'b')} and (d."action" = 'create' or d."id" is null and not (${IS_LIVE}))`;
  return `(${isBefore} or ${vanished} or ${isTruncated(source, PRUNED_TO)})`;
}

function first(source: EntriesSource): string {
  return `(select e."timestamp", e."action" from ${entriesOf(source)} order by e."id" limit 1) a on true`;
}

/** What decides whether an object was there: `a` its first entry, `b` and `d`, and how far the model was pruned. */
function presence(source: EntriesSource): string {
  const told = `left join lateral ${first(source)} left join lateral ${last(source)} on true left join lateral ${end(source)}`;
  // Once, and not a plan for each of its uses.
  return `${told} cross join (select ${prunedTo(source.log, source.name)} as "to" offset 0) w`;
}

/** SQL: when what is known begins: with the first record, with what a prune left whole, or with the one that found the row anew. */
function knownSince(source: EntriesSource): string {
  return `case when ${isPruned(source)} then ${PRUNED_TO} when b."id" is null then a."timestamp" else d."timestamp" end`;
}

/** SELECT of the objects whose past at the time is unknown, and when what is known of them begins; with `pks`, of these only. */
export function entriesGaps(source: EntriesSource, pks: readonly string[] | null): string {
  const objects = pks === null ? allObjects(source, 'true') : namedObjects(source, pks);
  const keys = source.keys.map((key) => `${columnIn(key)} as ${quoteIdentifier(key.column)}`).join(', ');
  return `select ${keys}, ${knownSince(source)} as "!since" from ${objects.from} ${presence(source)} where ${isUnknown(source)}${objects.isOnce === null ? '' : ` and ${objects.isOnce}`}`;
}

/** What is asked of one object beside its row. */
export const STATE_COLUMNS = {
  presence: '!presence',
  since: '!since',
  digests: '!digests',
  gaps: '!gaps',
} as const;

/** SELECT of one row: the object with these keys at the time, whether it was there or not, and what of it can't be known; `pk` is SQL. */
export function entriesState(source: EntriesSource, pk: string): string {
  const objects = namedObjects(source, [pk]);
  const told = `${presence(source)} cross join lateral ${older(source)}${rebuiltRow(source)} cross join lateral ${newer(source)}`;
  const present = `case when ${isUnknown(source)} then 'unknown' when b."id" is not null and ${wasThere(source, objects)} then 'there' else 'absent' end`;
  const extras = [
    `${present} as ${quoteIdentifier(STATE_COLUMNS.presence)}`,
    `${exactTimeSql(`(${knownSince(source)})`)} as ${quoteIdentifier(STATE_COLUMNS.since)}`,
    `${digestNames(source)} as ${quoteIdentifier(STATE_COLUMNS.digests)}`,
    `${gapNames(source)} as ${quoteIdentifier(STATE_COLUMNS.gaps)}`,
  ];
  return `select ${rowOf(source)}, ${extras.join(', ')} from ${objects.from} ${told}`;
}
