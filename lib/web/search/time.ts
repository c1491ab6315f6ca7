import { parseTime } from '../../history/point-in-time';
import type { TimeBound } from './entry-filter';

/** What a written time covers: `end` is the first moment after it. A span before now has no length. */
interface Moment {
  readonly start: TimeBound;
  readonly end: TimeBound;
  readonly isDay: boolean;
}

/** A time as `at:` takes it, from the beginning of one moment to that of another. */
export interface Span {
  readonly since?: TimeBound;
  readonly until?: TimeBound;
}

const WRITTEN =
  /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(:\d{2})?(?:(?<=:\d{2}:\d{2})[.,](\d{1,6}))?\s?(Z|[+-]\d{2}(?::?\d{2})?)?)?$/i;
const AGO = /^(\d{1,5})([mhdw])$/i;
const DAY_MS = 86_400_000;
const MINUTE_US = 60_000_000;
const SECOND_US = 1_000_000;
const EXACT_LENGTH = '2026-11-21T20:17:26.123456Z'.length;

/** Microseconds that a written time covers, by its last digit. */
function precisionOf(second: string | undefined, fraction: string | undefined): number {
  if (second === undefined) return MINUTE_US;
  return fraction === undefined ? SECOND_US : 10 ** (6 - fraction.length);
}

/** `exact` and some microseconds more; null beyond the year 9999. */
function later(exact: string, microseconds: number): string | null {
  const total = Number(exact.slice(23, 26)) + microseconds;
  const date = new Date(Date.parse(`${exact.slice(0, 23)}Z`) + Math.floor(total / 1000));
  const text = `${date.toISOString().slice(0, -1)}${String(total % 1000).padStart(3, '0')}Z`;
  return text.length === EXACT_LENGTH ? text : null;
}

/** The next day, or one before; null where the calendar of four digits ends. */
function dayFrom(day: string, days: number): string | null {
  const text = new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
  return parseTime(text) === null ? null : text;
}

/** Without the zeros that say nothing; a midnight in a zone is its day. */
function shortest(exact: string, zone: string | null): string {
  const seconds = exact.slice(0, -1).replace(/\.000000$/, '');
  const short = seconds.replace(/(T\d{2}:\d{2}):00$/, '$1');
  return zone === null ? `${short}Z` : short.replace(/T00:00$/, '');
}

function momentOf(text: string, zone: string): Moment | null {
  const ago = AGO.exec(text);
  if (ago) {
    const bound = { at: `${Number(ago[1])}${ago[2]?.toLowerCase()}`, zone: null };
    return { start: bound, end: bound, isDay: false };
  }
  const [, day, minute, second, fraction, offset] = WRITTEN.exec(text) ?? [];
  if (day === undefined) return null;
  if (minute === undefined) return dayMoment(day, zone);
  const exact = parseTime(offset === undefined ? `${text}Z` : text)?.text;
  const end = exact === undefined ? null : later(exact, precisionOf(second, fraction));
  if (exact === undefined || end === null) return null;
  const kept = offset === undefined ? zone : null;
  return {
    start: { at: shortest(exact, kept), zone: kept },
    end: { at: shortest(end, kept), zone: kept },
    isDay: false,
  };
}

function dayMoment(day: string, zone: string): Moment | null {
  const next = parseTime(day) === null ? null : dayFrom(day, 1);
  return next === null ? null : { start: { at: day, zone }, end: { at: next, zone }, isDay: true };
}

/** `since`: the beginning of a written time; null for what is none. */
export function sinceOf(text: string, zone: string): TimeBound | null {
  return momentOf(text.trim(), zone)?.start ?? null;
}

/** `until`: a time is excluded, as by `LogEntry.between`; a day is included, since whoever picks it from a calendar means it. */
export function untilOf(text: string, zone: string): TimeBound | null {
  const moment = momentOf(text.trim(), zone);
  return moment && (moment.isDay ? moment.end : moment.start);
}

/** The text that `untilOf` reads as this bound. */
export function untilText({ at, zone }: TimeBound): string {
  if (zone === null || at.includes('T')) return at;
  return dayFrom(at, -1) ?? `${at}T00:00`;
}

/** A comparison or range: `>=2026-11-01`, `2026-11-01..2026-11-30`, a day or a time as a whole, or the last `7d`. */
export function spanOf(text: string, zone: string): Span | null {
  const [, from, to] = /^(.*?)\.\.(.*)$/.exec(text) ?? [];
  if (from !== undefined && to !== undefined) return rangeOf(from, to, zone);
  const [, operator = '', time = ''] = /^([<>]=?)?(.*)$/s.exec(text) ?? [];
  const moment = momentOf(time.trim(), zone);
  if (!moment) return null;
  const { start, end } = moment;
  if (operator === '>=') return { since: start };
  if (operator === '>') return { since: end };
  if (operator === '<') return { until: start };
  if (operator === '<=') return { until: end };
  return AGO.test(time) ? { since: start } : { since: start, until: end };
}

function rangeOf(from: string, to: string, zone: string): Span | null {
  const [first, last] = [momentOf(from.trim(), zone), momentOf(to.trim(), zone)];
  return first && last ? { since: first.start, until: last.end } : null;
}

/** The shortest values of `at:` that `spanOf` reads as these bounds. */
export function spanTexts({ since, until }: Span): string[] {
  const days = since && until && daysText(since, until);
  if (days) return [days];
  const from = since && (AGO.test(since.at) ? since.at : `>=${since.at}`);
  return [...(from ? [from] : []), ...(until ? [`<${until.at}`] : [])];
}

const isDay = ({ at, zone }: TimeBound): boolean => zone !== null && !at.includes('T');

/** Bounds that are days of one zone, as their first and last day. */
function daysText(since: TimeBound, until: TimeBound): string | null {
  const last = isDay(since) && isDay(until) && since.zone === until.zone ? dayFrom(until.at, -1) : null;
  if (last === null) return null;
  return last === since.at ? since.at : `${since.at}..${last}`;
}
