import { invalidOption } from '../core/suggest';
import { WebProblem } from './problem';

/** What Intl makes is kept: a formatter costs as much as a whole list of the API. */
const MAX_KEPT = 500;

function kept<T>(store: Map<string, T>, key: string, make: () => T): T {
  const known = store.get(key);
  if (known !== undefined) return known;
  // Requests name the keys.
  if (store.size >= MAX_KEPT) store.clear();
  const made = make();
  store.set(key, made);
  return made;
}

const zones = new Map<string, boolean>();

/** Whether PostgreSQL and Intl both know a zone by this name: an IANA name, no abbreviation and no offset. */
export function isZone(name: string): boolean {
  return kept(zones, name, () => isKnownZone(name));
}

function isKnownZone(name: string): boolean {
  if (!/^[A-Za-z][\w+-]*(\/[\w+-]+)*$/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/** @throws {AuditError} ERR_AUDIT_INVALID_OPTION */
export function checkZone(where: string, name: unknown): void {
  if (typeof name === 'string' && isZone(name)) return;
  invalidOption(where, 'timeZone', 'an IANA zone such as "Europe/Zurich"', name);
}

/** The zone a request asks for, else the router's. @throws {WebProblem} 400 */
export function zoneOf(query: URLSearchParams, preset: string): string {
  const asked = query.get('tz');
  if (asked === null || asked === '') return preset;
  if (isZone(asked)) return asked;
  throw new WebProblem(400, 'Unknown time zone', {
    detail: `"${asked.slice(0, 60)}" is no time zone. Names look like Europe/Zurich or UTC.`,
    parameter: 'tz',
  });
}

const ZONE_COOKIE = /(?:^|;\s*)audit-zone=([^;]+)/;

/** The zone of the browser, which the script has told by a cookie; null when it told none, or nonsense. */
export function zoneOfBrowser(cookies: string | undefined): string | null {
  const [, encoded] = ZONE_COOKIE.exec(cookies ?? '') ?? [];
  try {
    const zone = decodeURIComponent(encoded ?? '');
    return isZone(zone) ? zone : null;
  } catch {
    return null;
  }
}

const UNITS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
];

/** Writes instants in one zone and language. Instants are ISO texts, with microseconds where they come from entries. */
export class Clock {
  readonly zone: string;
  readonly locale: string;
  readonly #date: Intl.DateTimeFormat;
  readonly #day: Intl.DateTimeFormat;
  readonly #time: Intl.DateTimeFormat;
  readonly #relative: Intl.RelativeTimeFormat;

  constructor(zone: string, locale: string) {
    this.zone = zone;
    this.locale = locale;
    this.#date = new Intl.DateTimeFormat(locale, { timeZone: zone, dateStyle: 'medium' });
    this.#day = new Intl.DateTimeFormat('sv', { timeZone: zone });
    this.#time = new Intl.DateTimeFormat(locale, { timeZone: zone, timeStyle: 'medium', hourCycle: 'h23' });
    this.#relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  }

  /** `21 Nov 2026`, as the language writes it. */
  date(iso: string): string {
    return this.#date.format(new Date(iso));
  }

  /** `2026-11-21`, as searches take it. */
  day(iso: string): string {
    return this.#day.format(new Date(iso));
  }

  /** `20:17:26` */
  time(iso: string): string {
    return this.#time.format(new Date(iso));
  }

  full(iso: string): string {
    return `${this.date(iso)}, ${this.time(iso)}`;
  }

  /** `3 minutes ago` */
  relative(iso: string, now: number = Date.now()): string {
    const seconds = Math.round((Date.parse(iso) - now) / 1000);
    const [unit, length] = UNITS.find(([, each]) => Math.abs(seconds) >= each) ?? ['second', 1];
    return this.#relative.format(Math.trunc(seconds / length), unit);
  }
}

const clocks = new Map<string, Clock>();

export function clockOf(zone: string, locale: string): Clock {
  return kept(clocks, `${locale} ${zone}`, () => new Clock(zone, locale));
}
