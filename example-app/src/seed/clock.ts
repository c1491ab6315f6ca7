import type { Random } from './random';

const MINUTE_MS = 60 * 1000;
const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

export const SEEDED_DAYS = 180;

/** Midnight, that many days after the shop opened. */
export function startOfDay(day: number): Date {
  const midnight = new Date();
  midnight.setUTCHours(0, 0, 0, 0);
  return new Date(midnight.getTime() - (SEEDED_DAYS - day) * DAY_MS);
}

/** A minute within opening hours: 8 to 18 o'clock. */
export const workingTime = (day: number, random: Random): Date =>
  new Date(
    startOfDay(day).getTime() + random.between(8 * 60, 18 * 60 - 1) * MINUTE_MS + random.between(0, 59_999),
  );

export const atHour = (day: number, hour: number, minute = 0): Date =>
  new Date(startOfDay(day).getTime() + hour * HOUR_MS + minute * MINUTE_MS);

export const later = (date: Date, days: number, random: Random): Date => {
  const day = Math.round((date.getTime() - startOfDay(0).getTime()) / DAY_MS - 0.5) + days;
  const time = workingTime(day, random);
  return time > date ? time : new Date(date.getTime() + random.between(5, 90) * MINUTE_MS);
};
