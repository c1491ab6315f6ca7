/**
 * A JavaScript Date is milliseconds, the database's clock microseconds. The text with microseconds is kept beside the Date
 * that was read, by the Date's identity: it lives as long, and follows the Date into other instances (`reload`).
 */
const texts = new WeakMap<Date, string>();

export function rememberExact(date: Date, text: string): void {
  texts.set(date, text);
}

/** ISO-8601 in UTC with six digits, or null when only the Date is known (a raw row, a Date of the caller). */
export function exactTextOf(date: Date): string | null {
  return texts.get(date) ?? null;
}

/** As `exactTextOf`; milliseconds where no more is known: zeros would be a lie. */
export function timeText(date: Date): string {
  return exactTextOf(date) ?? date.toISOString();
}

/** SQL that writes a timestamptz expression as `2026-11-21T20:17:26.123456Z`, whatever the session's time zone. */
export function exactTimeSql(expression: string): string {
  return `to_char(${expression} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
}
