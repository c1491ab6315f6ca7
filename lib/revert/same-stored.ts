import { isSameValue } from '../past/diff';
import type { CatalogueColumn } from '../schema/catalogue';

type Column = Pick<CatalogueColumn, 'type' | 'valueType'> | undefined;

const INTEGERS = ['int2', 'int4', 'int8'];
const NUMBERS = [...INTEGERS, 'numeric', 'float4', 'float8'];
const DECIMAL = /^-?\d+(\.\d+)?$/;

/** Whether trailing zeros say nothing: numeric without a scale keeps those it is given. */
function hasFixedScale({ type, valueType }: NonNullable<Column>): boolean {
  return INTEGERS.includes(valueType) || (valueType === 'numeric' && type.includes('('));
}

/** A number without trailing zeros, exact whatever its length; null for what is no plain one. */
function decimalText(value: unknown): string | null {
  const text = String(value);
  if (!DECIMAL.test(text)) return null;
  const short = text.includes('.') ? text.replace(/\.?0+$/, '') : text;
  return short.replace(/^-0$/, '0');
}

function isSameNumber(column: NonNullable<Column>, a: unknown, b: unknown): boolean {
  if (!NUMBERS.includes(column.valueType)) return false;
  if (typeof a === typeof b && !hasFixedScale(column)) return false;
  const [one, other] = [decimalText(a), decimalText(b)];
  return one !== null && one === other;
}

/** What JSON itself tells apart. */
const isJson = ({ valueType }: NonNullable<Column>): boolean => /^jsonb?(\[\])?$/.test(valueType);

/**
 * Whether writing `after` over `now` would change nothing. A column whose type was altered since may be read as another
 * JavaScript type now: an int as 5, a bigint as "5".
 */
export function isSameStored(column: Column, now: unknown, after: unknown): boolean {
  if (isSameValue(now, after)) return true;
  if (column === undefined || isJson(column)) return false;
  if (isSameNumber(column, now, after)) return true;
  const isScalar = (each: unknown): boolean => ['string', 'number', 'boolean'].includes(typeof each);
  return typeof now !== typeof after && isScalar(now) && isScalar(after) && String(now) === String(after);
}
