import { quoteLiteral } from '../schema/quote';

/** @param side 0: what it was before the entry, 1: after it @param order how entries are looked through, the first counts */
function isNull(attribute: string, side: 0 | 1, isMeant: string, order: 'asc' | 'desc'): string {
  const pair = `"changes" -> ${quoteLiteral(attribute)}`;
  const names = `(${isMeant}) and jsonb_typeof(${pair}) = 'array'`;
  return `(array_agg(${pair} -> ${side} = 'null' order by "id" ${order}) filter (where ${names}))[1]`;
}

/**
 * SQL over the entries of one object: true when the last that names an attribute until a time made it null, or the first one
 * after that found it null; false when one found a value; null when none tells.
 *
 * @param notAfter SQL: the entry is not after the time
 */
export function provenNull(attribute: string, notAfter: string): string {
  const until = isNull(attribute, 1, notAfter, 'desc');
  const since = isNull(attribute, 0, `not (${notAfter})`, 'asc');
  return `case when ${until} then true else ${since} end`;
}
