import type { WhereOptions } from 'sequelize';
import type { LogEntryAttributes } from '../../core/types';
import { runtimeOf } from '../../schema/sequelize-runtime';
import { catalogueQuery } from '../../schema/sync';
import { bucketNumberSql } from '../../statement/bucket-number';
import { bucketSeries, daysBeforeSql } from '../../statement/log-search';
import { boundSql } from '../search/where';
import type { ActivityBucket } from './activity';
import { selectedWhere, type EntrySelection, type ReadableLog } from './selection';

/** Days of the chart. */
export const RECENT_DAYS = 30;
/** A chart that everybody gets, unasked, counts no more entries than this: of a busy log it shows fewer days. */
const MAX_COUNTED = 10_000;

type EntryWhere = WhereOptions<LogEntryAttributes>;
type Span = Pick<ActivityBucket, 'start' | 'end'>;

/** The days up to the filter's end, else to today. */
async function daysOf(
  log: ReadableLog,
  { filter, transaction }: EntrySelection,
  zone: string,
): Promise<readonly Span[]> {
  const end = filter?.until ? boundSql(filter.until) : 'now()';
  const sql = bucketSeries('day', zone, [daysBeforeSql(end, zone, RECENT_DAYS), end], RECENT_DAYS);
  const { rows } = await catalogueQuery(log.sequelize, transaction)(sql, []);
  return (rows as { begin: string; end: string }[]).map(({ begin, end: last }) => ({
    start: begin,
    end: last,
  }));
}

function within({ sequelize }: ReadableLog, days: readonly Span[]): EntryWhere {
  const { Op, literal } = runtimeOf(sequelize);
  const instant = (at: string): ReturnType<typeof literal> => literal(boundSql({ at, zone: null }));
  return { timestamp: { [Op.gte]: instant(days[0]!.start), [Op.lt]: instant(days.at(-1)!.end) } };
}

/** Those days that are counted as a whole within the bound. */
async function countable(
  log: ReadableLog,
  selection: EntrySelection,
  days: readonly Span[],
): Promise<readonly Span[]> {
  const { literal } = runtimeOf(log.sequelize);
  const beyond = (await log.LogEntry.findOne({
    // As it is: the exact text would be made of every entry that is passed over.
    attributes: [[literal('"timestamp"'), 'at']],
    where: await selectedWhere(log, selection, within(log, days)),
    order: [
      ['timestamp', 'DESC'],
      ['id', 'DESC'],
    ],
    offset: MAX_COUNTED,
    raw: true,
    ...(selection.transaction && { transaction: selection.transaction }),
  })) as unknown as { at: Date } | null;
  return beyond ? days.filter(({ start }) => Date.parse(start) > beyond.at.getTime()) : days;
}

/**
 * How many entries there are on each of the last 30 days of a filter. Of a log with too many for a chart in passing, of fewer days:
 * none where one day alone has too many.
 */
export async function readRecentDays(
  log: ReadableLog,
  selection: EntrySelection,
  zone: string,
): Promise<readonly ActivityBucket[]> {
  const days = await countable(log, selection, await daysOf(log, selection, zone));
  if (days.length === 0) return [];
  const { literal } = runtimeOf(log.sequelize);
  const counted = (await log.LogEntry.findAll({
    attributes: [
      [literal(bucketNumberSql(days.map(({ start }) => start))), 'number'],
      [literal('count(*)'), 'count'],
    ],
    where: await selectedWhere(log, selection, within(log, days)),
    group: ['number'],
    raw: true,
    ...(selection.transaction && { transaction: selection.transaction }),
  })) as unknown as { number: number; count: string }[];
  const counts = new Map(counted.map(({ number, count }) => [number, Number(count)]));
  return days.map((day, index) => ({ ...day, count: counts.get(index + 1) ?? 0 }));
}
