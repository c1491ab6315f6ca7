import { exactTimeSql } from '../schema/exact-time';
import { quoteLiteral } from '../schema/quote';

/**
 * A statement that answers as `at` the instant that a time without offset is in a zone, as exact text. A time that a clock skips is
 * read as if it had not gone forward, of one that it shows twice the later is meant: by PostgreSQL's rules.
 */
export function localInstant(time: string, zone: string): string {
  const instant = `${quoteLiteral(time)}::timestamp at time zone ${quoteLiteral(zone)}`;
  return `select ${exactTimeSql(`(${instant})`)} as "at"`;
}
