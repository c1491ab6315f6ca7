import { quoteIdentifier, quoteTable } from '../schema/quote';
import { maskedText, textOf } from '../statement/encode';
import { keyOfAnyText, keyOfText } from '../statement/past-values';
import { aliased, entriesOfModel, heldColumns, type EntriesSource } from './entries-told';
import type { TypedColumn } from './table-columns';

/** Objects to look at. Everything else is asked of the index on the object, once per object. */
export interface Objects {
  /**
   * As FROM: `k` has of each object the columns of its key and, as `!pk`, the key as entries hold it; `!live` tells whether there
   * is a row today, whose other columns it has too, all null where there is none.
   */
  readonly from: string;
  /** SQL: the object doesn't stand in `k` a second time; null where none does. */
  readonly isOnce: string | null;
}

/** SQL: there is a row of the object today. */
export const IS_LIVE = 'k."!live"';

export const columnIn = ({ column }: TypedColumn): string => `k.${quoteIdentifier(column)}`;
function live({ column, plainType, mask }: TypedColumn): string {
  const value = `r.${quoteIdentifier(column)}`;
  return mask === null ? `${value}::${plainType}` : maskedText(value, mask);
}

/** The key of a live row as entries hold it. */
function livePk({ keys }: EntriesSource): string {
  const texts = keys.map((key) => textOf(`r.${quoteIdentifier(key.column)}`, key.encoded));
  if (texts.length === 1) return `(${texts[0]})`;
  return `('[' || ${texts.map((text) => `to_json(${text})::text`).join(` || ',' || `)} || ']')`;
}

/** The parts of a key that stands in `pk`. */
function partsOf(
  { keys }: EntriesSource,
  pk: string,
  partOf: (text: string, key: TypedColumn) => string = keyOfText,
): string[] {
  return keys.map((key, at) => partOf(keys.length === 1 ? pk : `(${pk}::jsonb ->> ${at})`, key));
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
  const parts = partsOf(source, 'e."object_pk"', source.isTested ? keyOfAnyText : keyOfText);
  const isKey = source.isTested ? parts.map((part) => ` and (${part}) is not null`).join('') : '';
  const gone = `select distinct ${aliased(source.keys, parts).join(', ')}, e."object_pk" from ${entriesOfModel(source)} and ${condition}${isKey}`;
  const keys = source.keys.map(({ column }) => `e.${quoteIdentifier(column)}`);
  const nulls = heldColumns(source).map(({ plainType }) => `null::${plainType}`);
  return `select ${[...keys, ...nulls].join(', ')}, e."object_pk", false from (${gone}) e`;
}

/** @param pks keys as entries hold them, as SQL */
export function namedObjects(source: EntriesSource, pks: readonly string[]): Objects {
  const rows = pks.map((pk) => `(${pk}::text)`).join(', ');
  const parts = partsOf(source, 'v."!pk"');
  const columns = heldColumns(source);
  const values = [...aliased(source.keys, parts), ...aliased(columns, columns.map(live))];
  const key = `v."!pk", r.${quoteIdentifier(source.keys[0]!.column)} is not null as "!live"`;
  const from = `(values ${rows}) v("!pk") left join ${quoteTable(source.live)} r on ${isRowOf(source, 'v."!pk"', parts)}`;
  return { from: `(select ${values.join(', ')}, ${key} from ${from}) k`, isOnce: null };
}

/** Not sorted: the reader's own order, where it is that of the key, finds both parts in it, and a LIMIT then stops early. */
export function allObjects(source: EntriesSource, condition: string): Objects {
  const isRow = isRowOf(source, 'k."!pk"', source.keys.map(columnIn));
  const row = `(select true from ${quoteTable(source.live)} r where ${isRow} limit 1)`;
  return {
    from: `(${livingObjects(source)} union all ${goneObjects(source, condition)}) k`,
    // As a value it is looked for by the key, one by one; EXISTS would be answered from a table of all rows.
    isOnce: `(${IS_LIVE} or ${row} is null)`,
  };
}
