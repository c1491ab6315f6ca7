import { exactTimeSql } from '../schema/exact-time';
import { quoteLiteral } from '../schema/quote';

/**
 * SQL: the instant that a time without offset is in a zone, a constant to the planner. A time that a clock skips is read as if it
 * had not gone forward, of one that it shows twice the later is meant: by PostgreSQL's rules.
 */
export function localTimeSql(time: string, zone: string): string {
  return `(${quoteLiteral(time)}::timestamp at time zone ${quoteLiteral(zone)})`;
}

/** A statement that answers with that instant as `at`, as exact text. */
export function localInstant(time: string, zone: string): string {
  return `select ${exactTimeSql(localTimeSql(time, zone))} as "at"`;
}
