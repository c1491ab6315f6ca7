import type { WhereOptions } from 'sequelize';
import type { LogEntryAttributes } from '../../core/types';
import { indexOrder, inIndex } from '../../history/in-index-order';
import { runtimeOf } from '../../schema/sequelize-runtime';
import { catalogueQuery } from '../../schema/sync';
import {
  agoSql,
  bucketSeries,
  bucketSql,
  daysBeforeSql,
  weekHourSql,
  type Bucket,
} from '../../statement/log-search';
import { amongFound } from '../per-model';
import { WebProblem } from '../problem';
import type { EntryFilter } from '../search/entry-filter';
import { boundSql } from '../search/where';
import { isZone } from '../zone';
import { selectedWhere, type EntrySelection, type ReadableLog } from './selection';

export const BUCKETS = ['hour', 'day', 'week', 'month'] as const satisfies Bucket[];

/** How many days are shown where a filter says nothing of time. */
const DEFAULT_DAYS = 30;
const MAX_BUCKETS = 1000;
/** What is counted about one actor. */
const ACTOR_DAYS = 90;
const MAX_MODELS = 10;
/** A page that everybody may open counts no more entries than this: of a busy actor the newest ones. */
const MAX_COUNTED = 10_000;

/** One bar: entries from `start` to before `end`, both exact texts in UTC. */
export interface ActivityBucket {
  readonly start: string;
  readonly end: string;
  readonly count: number;
}

export interface ActivityOptions extends EntrySelection {
  /** @default 'day' */
  readonly bucket?: Bucket;
  /** The zone whose days, weeks and months are meant. */
  readonly zone: string;
}

type EntryWhere = WhereOptions<LogEntryAttributes>;

const problem = (parameter: string, detail: string): WebProblem =>
  new WebProblem(400, 'Wrong parameter', { detail, parameter });

/** @throws {WebProblem} 400 */
function checkZone(zone: string): void {
  if (!isZone(zone)) throw problem('tz', `"${zone.slice(0, 60)}" is no time zone.`);
}

/** The time that is shown, as SQL: the filter's, else the last days. */
function spanSql({ since, until }: EntryFilter, zone: string): [string, string] {
  const end = until ? boundSql(until) : 'now()';
  return [since ? boundSql(since) : daysBeforeSql(end, zone, DEFAULT_DAYS), end];
}

type Row = Readonly<Record<string, string>>;

async function bucketsOf(log: ReadableLog, options: ActivityOptions): Promise<readonly Row[]> {
  const { bucket = 'day', zone, filter = {}, transaction } = options;
  const query = catalogueQuery(log.sequelize, transaction);
  const sql = bucketSeries(bucket, zone, spanSql(filter, zone), MAX_BUCKETS + 1);
  const { rows } = await query(sql, []);
  if (rows.length <= MAX_BUCKETS) return rows as Row[];
  throw problem(
    'bucket',
    `That is more than ${MAX_BUCKETS} ${bucket}s. Choose longer ones, or a shorter time.`,
  );
}

/** How many entries there are of each value of `columns`, which are SQL by name. */
async function countBy(
  log: ReadableLog,
  where: EntryWhere,
  columns: Readonly<Record<string, string>>,
  { transaction }: EntrySelection,
): Promise<readonly Row[]> {
  const { literal } = runtimeOf(log.sequelize);
  const named = Object.entries(columns).map(
    ([name, sql]) => [literal(sql), name] as [ReturnType<typeof literal>, string],
  );
  const options = {
    attributes: [...named, [literal('count(*)'), 'count'] as (typeof named)[number]],
    where,
    group: named.map(([, name]) => name),
    raw: true,
    ...(transaction && { transaction }),
  };
  return (await log.LogEntry.findAll(options)) as unknown as Row[];
}

function between(log: ReadableLog, start: string, end: string): EntryWhere {
  const { Op, literal } = runtimeOf(log.sequelize);
  const instant = (text: string): ReturnType<typeof literal> => literal(boundSql({ at: text, zone: null }));
  return { timestamp: { [Op.gte]: instant(start), [Op.lt]: instant(end) } };
}

/**
 * How many entries there are per hour, day, week or month, those without any included: of the filter's time, else of the last 30
 * days.
 *
 * @throws {WebProblem} 400 for an unknown zone, and for more than a thousand buckets
 */
export async function readActivity(log: ReadableLog, options: ActivityOptions): Promise<ActivityBucket[]> {
  const { bucket = 'day', zone } = options;
  checkZone(zone);
  const buckets = await bucketsOf(log, options);
  const [start, end] = [buckets[0]?.['begin'], buckets.at(-1)?.['end']];
  if (start === undefined || end === undefined) return [];
  const where = await selectedWhere(log, options, between(log, start, end));
  const counted = await countBy(log, where, { begin: bucketSql(bucket, zone) }, options);
  const counts = new Map(counted.map(({ begin, count }) => [begin, Number(count)]));
  return buckets.map(({ begin = '', end: last = '' }) => ({
    start: begin,
    end: last,
    count: counts.get(begin) ?? 0,
  }));
}

/** One actor's habits. */
export interface ActorActivity {
  /** `[weekday][hour]`, Monday first: how many entries of the last 90 days. */
  readonly hours: readonly (readonly number[])[];
  /** How many of the newest entries were counted, where there are more; else null. */
  readonly counted: number | null;
  /** The models with most of them. */
  readonly models: readonly { readonly model: string; readonly count: number }[];
}

function sinceDays({ sequelize }: ReadableLog, days: number): EntryWhere {
  const { Op, literal } = runtimeOf(sequelize);
  return { timestamp: { [Op.gte]: literal(agoSql(days, 'd')) } };
}

/**
 * When in the week, and on which models, one actor was active in the last 90 days.
 *
 * @throws {WebProblem} 400 for an unknown zone
 */
export async function readActorActivity(
  log: ReadableLog,
  actorId: string,
  options: Omit<ActivityOptions, 'bucket'>,
): Promise<ActorActivity> {
  checkZone(options.zone);
  const indexed = { attribute: 'actorId', value: actorId } as const;
  const theirs = inIndex(log.sequelize, indexed);
  const all = await selectedWhere(log, options, theirs, sinceDays(log, ACTOR_DAYS));
  const order = indexOrder(indexed, 'DESC');
  const where = amongFound(log, [{ where: all, order, limit: MAX_COUNTED }]);
  const columns = { ...weekHourSql(options.zone), model: '"model"' };
  const counted = await countBy(log, where, columns, options);
  const hours = Array.from({ length: 7 }, () => Array.from({ length: 24 }, () => 0));
  const models = new Map<string, number>();
  for (const { weekday, hour, model = '', count } of counted) {
    const row = hours[Number(weekday) - 1];
    if (row) row[Number(hour)] = (row[Number(hour)] ?? 0) + Number(count);
    models.set(model, (models.get(model) ?? 0) + Number(count));
  }
  const top = [...models]
    .map(([model, count]) => ({ model, count }))
    .toSorted((a, b) => b.count - a.count || a.model.localeCompare(b.model));
  const total = hours.flat().reduce((sum, count) => sum + count, 0);
  const isCut = total >= MAX_COUNTED;
  return { hours, models: top.slice(0, MAX_MODELS), counted: isCut ? MAX_COUNTED : null };
}
