import { exactTimeSql } from '../schema/exact-time';
import { quoteIdentifier, quoteLiteral } from '../schema/quote';

const TIME = quoteIdentifier('timestamp');
const ID = quoteIdentifier('id');
const MINUTES = { m: 1, h: 60, d: 24 * 60, w: 7 * 24 * 60 } as const;

/** What entries are counted by. */
export type Bucket = 'hour' | 'day' | 'week' | 'month';

/** How far apart buckets are looked for: no bucket is shorter, not even where clocks go forward, in some zones by half an hour. */
const STEPS: Readonly<Record<Bucket, string>> = {
  hour: '30 minutes',
  day: '12 hours',
  week: '3 days',
  month: '14 days',
};

/** SQL: a span before now. Its days have 24 hours, so that it means the same in every zone. */
export function agoSql(count: number, unit: keyof typeof MINUTES): string {
  return `(now() - interval '${Math.trunc(count) * MINUTES[unit]} minutes')`;
}

/** SQL: the entry lies on one side of a position in the order of time: one comparison of rows, as the index has them. */
export function besideSql(operator: '<' | '<=' | '>' | '>=', time: string, id: string): string {
  return `((${TIME}, ${ID}) ${operator} (${quoteLiteral(time)}::timestamptz, ${BigInt(id)}))`;
}

function trunc(bucket: Bucket, time: string, zone: string): string {
  return `date_trunc('${bucket}', ${time}, ${quoteLiteral(zone)})`;
}

/** SQL: a time moved by days or the like of a zone's calendar. */
function moved(time: string, by: string, zone: string): string {
  const quoted = quoteLiteral(zone);
  return `((${time} at time zone ${quoted} ${by}) at time zone ${quoted})`;
}

/** SQL: the exact text of the beginning of the entry's bucket. */
export function bucketSql(bucket: Bucket, zone: string): string {
  return exactTimeSql(trunc(bucket, TIME, zone));
}

/** SQL: the beginning of the first of so many days, of which the last one ends with, or holds, `until`. */
export function daysBeforeSql(until: string, zone: string, days: number): string {
  const last = trunc('day', `(${until} - interval '1 microsecond')`, zone);
  return moved(last, `- interval '${Math.trunc(days) - 1} days'`, zone);
}

/**
 * The first `limit` buckets from `since` to `until`, both SQL of an instant, as exact texts of their beginning and end. Instants are
 * cut to buckets, as those of entries are: whatever the clocks of a zone do, both agree.
 */
export function bucketSeries(
  bucket: Bucket,
  zone: string,
  [since, until]: readonly [string, string],
  limit: number,
): string {
  const bounds = `select ${trunc(bucket, since, zone)} as "since", ${until} as "until"`;
  const last = `least("until", "since" + interval '${Math.trunc(limit)} ${bucket}s') - interval '1 microsecond'`;
  const moments = `select generate_series("since", ${last}, interval '${STEPS[bucket]}') as "at" from "!s" union all select ${last} from "!s" where "until" > "since"`;
  const begins = `select distinct ${trunc(bucket, '"at"', zone)} as "begin" from "!m"`;
  const next =
    bucket === 'hour' ? `"begin" + interval '1 hour'` : moved('"begin"', `+ interval '1 ${bucket}'`, zone);
  const end = `coalesce(lead("begin") over (order by "begin"), ${next})`;
  return `with "!s" as (${bounds}), "!m" as (${moments}), "!b" as (${begins}) select ${exactTimeSql('"begin"')} as "begin", ${exactTimeSql(end)} as "end" from "!b" order by "!b"."begin" limit ${Math.trunc(limit)}`;
}

/** SQL: the day of the week (1 is Monday) and the hour of the entry in a zone. */
export function weekHourSql(zone: string): { readonly weekday: string; readonly hour: string } {
  const local = `(${TIME} at time zone ${quoteLiteral(zone)})`;
  return { weekday: `extract(isodow from ${local})::int`, hour: `extract(hour from ${local})::int` };
}
