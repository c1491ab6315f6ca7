import { quoteIdentifier } from '../schema/quote';
import { jsonOf, recordedMaskText } from '../statement/encode';
import { isDigest, valueOf } from '../statement/past-values';
import { columnIn } from './entries-objects';
import {
  aliased,
  attributeText,
  createdTime,
  heldColumns,
  isInRecord,
  names,
  newer,
  updatedTime,
  type EntriesSource,
} from './entries-told';
import type { TypedColumn } from './table-columns';

/** Whether an entry after the time names the attribute, which may be none at all. A JSON null is no SQL null. */
function isNamed(column: TypedColumn): string {
  return `${oldJson(column)} is not null`;
}

function oldJson(column: TypedColumn): string {
  return `(f."told" -> ${attributeText(column)})`;
}

/** A value that entries hold, of the row `of` that was read from them. */
function recorded(of: 'x' | 'y', { attribute, mask }: TypedColumn): string {
  const value = `${of}.${quoteIdentifier(attribute)}`;
  return mask === null ? value : recordedMaskText(value, mask);
}

/** The value at the time: what the first entry after it changed, else the row's. Where the row was taken away, the rest is null. */
function rebuilt(column: TypedColumn): string {
  const old = isInRecord(column) ? recorded('x', column) : valueOf(oldJson(column), column);
  return `case when ${isNamed(column)} then ${old} when d."id" is null then ${columnIn(column)} end`;
}

/** The rebuilt values as a row of its own, computed once for all that names them. */
export function rebuiltRow(source: EntriesSource): string {
  const columns = heldColumns(source);
  if (columns.length === 0) return '';
  return ` cross join lateral (select ${aliased(columns, columns.map(rebuilt)).join(', ')} offset 0) o`;
}

const rebuiltIn = ({ column }: TypedColumn): string => `o.${quoteIdentifier(column)}`;

function valueIn(source: EntriesSource, column: TypedColumn): string {
  if (column.isKey) return columnIn(column);
  if (column === source.createdAt) return `${createdTime(source)}::${column.plainType}`;
  if (column === source.updatedAt) return `${updatedTime(source)}::${column.plainType}`;
  return rebuiltIn(column);
}

/** Every column of the row by its name. */
export function rowOf(
  source: EntriesSource,
  valueOfColumn = (column: TypedColumn): string => valueIn(source, column),
): string {
  return aliased(source.columns, source.columns.map(valueOfColumn)).join(', ');
}

/** A create names all but nulls, so that what neither it nor a later entry names was null, under the names of that time. */
const IS_CREATED = 'g."since" is not null';

/** SQL: what the row held next differs from the last that was recorded, so that something else wrote in between. */
function wasWritten(column: TypedColumn): string {
  const last = `g."told" -> ${attributeText(column)}`;
  if (isInRecord(column)) {
    const held = column.valueType === 'jsonb' ? `nullif(${rebuiltIn(column)}, 'null')` : rebuiltIn(column);
    return `(${IS_CREATED} or ${last} is not null) and ${recorded('y', column)} is distinct from ${held}`;
  }
  const current = `(${jsonOf(columnIn(column), column.encoded)})::jsonb`;
  const next = `coalesce(case when ${isNamed(column)} then ${oldJson(column)} when d."id" is null then ${current} end, 'null'::jsonb)`;
  return `coalesce(${last}, case when ${IS_CREATED} then 'null'::jsonb end) <> ${next}`;
}

/** SQL: the attributes of which nothing but a digest is left. */
export function digestNames(source: EntriesSource): string {
  const wasDigest = (column: TypedColumn): string => `${oldJson(column)} <> 'null'::jsonb`;
  return names(heldColumns(source).filter(isDigest), wasDigest);
}

/** SQL: the attributes that were written to without an entry of theirs, or with one that their columns can't hold today. */
export function gapNames(source: EntriesSource): string {
  const written = names(heldColumns(source), wasWritten);
  return source.isTested ? `${written} || f."strange" || g."strange"` : written;
}

/** The attributes that can't be known of the row, computed once for all that asks for them. */
export function unknownNames(source: EntriesSource): string {
  const unknown = `${digestNames(source)} || ${gapNames(source)}`;
  return ` cross join lateral (select ${unknown} as "names" from ${newer(source)} offset 0) u`;
}

/** What can't be known is null, so that no condition finds the present in it. Only soft deletes stay, which decide what is shown. */
export function knownIn(source: EntriesSource): (column: TypedColumn) => string {
  const held = new Set(heldColumns(source).filter(({ attribute }) => attribute !== source.deletedAt));
  return (column) => {
    const value = valueIn(source, column);
    if (!held.has(column)) return value;
    return `case when ${attributeText(column)} = any(u."names") then null else ${value} end`;
  };
}
