import type { Model } from 'sequelize';
import { AuditError } from '../core/errors';
import { invalidArgument } from '../core/suggest';
import { exactTextOf } from '../schema/exact-time';
import type { LogEntry } from '../schema/log-entry';
import { quoteLiteral } from '../schema/quote';
import type { HistoryAttributes } from '../schema/snapshot-model';

/**
 * A moment of the past. The bound is inclusive: a Date stands for the end of its millisecond, and so does a text with
 * milliseconds, as `Date.toISOString` writes it; a text with microseconds is exact. A Snapshot or a LogEntry means the state
 * right after it, by id.
 */
export type PointInTime = Date | string | VersionPoint | LogEntry;

/** A Snapshot of any model. */
export type VersionPoint = Model & Pick<HistoryAttributes, 'historyId' | 'historyDate'>;

/** A moment on the database's clock. */
export interface ExactTime {
  /** ISO-8601 in UTC with microseconds. */
  readonly text: string;
  /** Given with milliseconds only, so that it may mean any microsecond of them. */
  readonly isMillisecond: boolean;
}

/** A point in time as conditions on history tables need it. */
export interface Bound {
  readonly time: ExactTime;
  /** Set for a Snapshot: its model and id. */
  readonly version: {
    readonly model: unknown;
    readonly historyId: string;
    readonly logEntryId: string | null;
  } | null;
  /** Set for a LogEntry: its id. */
  readonly logEntryId: string | null;
}

const ISO =
  /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s?(Z|[+-]\d{2}(?::?\d{2})?)?)?$/i;
const MILLISECOND_DIGITS = 3;
/** Years that ISO-8601 writes with four digits: a Date may be as far away as the application likes. */
const FIRST_YEAR = Date.parse('0001-01-01T00:00:00.000Z');
const LAST_YEAR = Date.parse('9999-12-31T23:59:59.999Z');

function zoneOf(zone = 'Z'): string {
  const parts = /^([+-]\d{2}):?(\d{2})?$/.exec(zone);
  return parts ? `${parts[1]}:${parts[2] ?? '00'}` : 'Z';
}

/** An ISO-8601 text, without zone read as UTC; null when it is none. */
export function parseTime(text: string): ExactTime | null {
  const [, day = '', time = '00:00', second = '00', fraction = '', zone] = ISO.exec(text.trim()) ?? [];
  const instant = new Date(`${day}T${time}:${second}${zoneOf(zone)}`);
  // Some dates that don't exist would be read as a day of the next month.
  if (Number.isNaN(instant.getTime()) || !isDay(day) || instant.getTime() < FIRST_YEAR) return null;
  const microseconds = fraction.slice(0, 6).padEnd(6, '0');
  const isMillisecond = fraction.length === MILLISECOND_DIGITS;
  return { text: `${instant.toISOString().slice(0, 19)}.${microseconds}Z`, isMillisecond };
}

function isDay(day: string): boolean {
  const date = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day);
}

function timeOfDate(date: Date): ExactTime | null {
  const exact = exactTextOf(date);
  return exact === null ? bareDate(date) : { text: exact, isMillisecond: false };
}

/**
 * A Date or ISO text as given by a caller. A Date that was read from an entry is the exact instant of the entry only when the entry
 * itself is given, so a bare Date always counts in milliseconds.
 *
 * @throws {AuditError} ERR_AUDIT_INVALID_ARGUMENT
 */
export function givenTime(where: string, value: unknown): ExactTime {
  const time = typeof value === 'string' ? parseTime(value) : value instanceof Date ? bareDate(value) : null;
  return (
    time ?? invalidArgument(where, 'a Date or an ISO-8601 text such as "2026-11-21T20:17:26.123456Z"', value)
  );
}

function bareDate(date: Date): ExactTime | null {
  const near = Math.min(Math.max(date.getTime(), FIRST_YEAR), LAST_YEAR);
  return Number.isNaN(near) ? null : parseTime(new Date(near).toISOString());
}

function rowOf(value: unknown): Record<string, unknown> | null {
  if (typeof value !== 'object' || value === null || !('dataValues' in value)) return null;
  return (value as { dataValues: Record<string, unknown> }).dataValues;
}

/** @throws {AuditError} ERR_AUDIT_INVALID_ARGUMENT when `when` is no point in time. */
export function boundOf(where: string, when: PointInTime): Bound {
  const row = rowOf(when);
  if (!row) return { time: givenPoint(where, when), version: null, logEntryId: null };
  const isVersion = 'historyId' in row;
  const time = row[isVersion ? 'historyDate' : 'timestamp'];
  const id = row[isVersion ? 'historyId' : 'id'];
  const exact = time instanceof Date ? timeOfDate(time) : null;
  if (exact === null || typeof id !== 'string') return partialRow(where);
  if (!isVersion) return { time: exact, version: null, logEntryId: id };
  const logEntryId = (row['logEntryId'] as string | null | undefined) ?? null;
  return {
    time: exact,
    version: { model: (when as object).constructor, historyId: id, logEntryId },
    logEntryId: null,
  };
}

function givenPoint(where: string, when: unknown): ExactTime {
  if (when instanceof Date || typeof when === 'string') return givenTime(where, when);
  return invalidArgument(where, 'a Date, an ISO-8601 text, a Snapshot or a LogEntry', when);
}

function partialRow(where: string): never {
  const message = `${where}: expected a Snapshot with historyId and historyDate, or a LogEntry with id and timestamp; load it with these attributes.`;
  throw new AuditError('ERR_AUDIT_INVALID_ARGUMENT', message);
}

/** A moment as SQL. */
export function timeSql({ text }: ExactTime): string {
  return `${quoteLiteral(text)}::timestamptz`;
}

/** SQL: `column` is not after the moment, whose text `moment` is the SQL of. */
export function notAfter(column: string, time: ExactTime, moment = timeSql(time)): string {
  if (!time.isMillisecond) return `${column} <= ${moment}`;
  return `${column} < ${moment} + interval '1 millisecond'`;
}

/** A point in time among versions: what they are compared with, and how. */
export interface VersionCondition {
  readonly values: readonly string[];
  /** SQL: the version is not after it. @param places SQL of the values */
  readonly notAfter: (places: readonly string[]) => string;
}

/**
 * `sameTable` tells whether a Snapshot's id counts in this table. Ids of entries are those of all models, so that an entry means
 * one state of them all; only a baseline, which has no entry, goes by its date.
 */
export function versionCondition(bound: Bound, sameTable: (model: unknown) => boolean): VersionCondition {
  const { time, version } = bound;
  const isId = (column: string, place: string): string => `"${column}" <= ${place}::bigint`;
  if (version && sameTable(version.model))
    return { values: [idText(version.historyId)], notAfter: ([id]) => isId('history_id', id!) };
  const isInTime = (place: string): string => notAfter('"history_date"', time, `${place}::timestamptz`);
  const entry = bound.logEntryId ?? version?.logEntryId ?? null;
  if (entry === null) return { values: [time.text], notAfter: ([at]) => isInTime(at!) };
  return {
    values: [idText(entry), time.text],
    notAfter: ([id, at]) => `(${isId('log_entry_id', id!)} or "log_entry_id" is null and ${isInTime(at!)})`,
  };
}

function idText(id: string): string {
  return String(BigInt(id));
}
