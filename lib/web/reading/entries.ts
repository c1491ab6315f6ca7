import type { Order, WhereOptions } from 'sequelize';
import type { LogEntryAttributes } from '../../core/types';
import { besideInIndex, indexOrder, type IndexedValue } from '../../history/in-index-order';
import { exactTextOf } from '../../schema/exact-time';
import type { LogEntry } from '../../schema/log-entry';
import { runtimeOf } from '../../schema/sequelize-runtime';
import { besideSql } from '../../statement/log-search';
import type { EntryFilter } from '../search/entry-filter';
import type { ListOrder } from '../search/paging';
import { decodeCursor, encodeCursor, listDigest, type Cursor, type Position } from './cursor';
import { indexedValueOf } from '../search/where';
import { knownActors, selectedWhere, type EntrySelection, type ReadableLog } from './selection';

export interface EntryListOptions extends EntrySelection {
  /** Entries of a page. */
  readonly limit: number;
  readonly cursor?: string | null;
  /** Newest first, or oldest first. @default 'desc' */
  readonly order?: ListOrder;
  /** Which list this is, beside its filter: a cursor of another one is refused. */
  readonly list?: string;
}

export interface EntryList {
  readonly entries: LogEntry[];
  /** Cursors of the pages after and before, null where the list ends. */
  readonly next: string | null;
  readonly prev: string | null;
}

type EntryWhere = WhereOptions<LogEntryAttributes>;

/**
 * Ids of different objects may cross in time, since they are drawn before the clock is read. By time only where time narrows: then
 * its index finds the entries.
 */
function isByTime({ since, until }: EntryFilter): boolean {
  return since !== undefined || until !== undefined;
}

function orderOf(byTime: boolean, indexed: IndexedValue | null, isDescending: boolean): Order {
  const direction = isDescending ? 'DESC' : 'ASC';
  if (indexed) return indexOrder(indexed, direction);
  return [...(byTime ? [['timestamp', direction] as const] : []), ['id', direction]] as Order;
}

const OPERATORS = { lt: '<', lte: '<=', gt: '>', gte: '>=' } as const;

function beside(
  { LogEntry, sequelize }: ReadableLog,
  { id, time, isIncluded }: Cursor,
  indexed: IndexedValue | null,
  isDescending: boolean,
): EntryWhere {
  const { Op, literal } = runtimeOf(sequelize);
  const bound = `${isDescending ? 'lt' : 'gt'}${isIncluded ? 'e' : ''}` as const;
  if (time !== null) return literal(besideSql(OPERATORS[bound], time, id));
  return indexed ? besideInIndex(LogEntry, indexed, bound, id) : { id: { [Op[bound]]: id } };
}

function positionOf({ id, timestamp }: LogEntry, byTime: boolean): Position {
  return { id, time: byTime ? exactTextOf(timestamp) : null };
}

/** What lies on either side of the page; a page that has become empty leads back to where it began. */
function cursorsOf(
  entries: readonly LogEntry[],
  byTime: boolean,
  from: Cursor | null,
  hasMore: boolean,
): { next: Cursor | null; prev: Cursor | null } {
  const [first, last] = [entries[0], entries.at(-1)];
  const isBack = from?.side === 'before';
  if (!first || !last) {
    const back: Cursor | null = from && {
      ...from,
      side: isBack ? 'after' : 'before',
      isIncluded: !from.isIncluded,
    };
    return { next: isBack ? back : null, prev: isBack ? null : back };
  }
  const next: Cursor = { side: 'after', ...positionOf(last, byTime), isIncluded: false };
  const prev: Cursor = { side: 'before', ...positionOf(first, byTime), isIncluded: false };
  return { next: isBack || hasMore ? next : null, prev: (isBack ? hasMore : from) ? prev : null };
}

/**
 * One page of a list, by keyset: no counting, no offset, one statement that reads an entry more than it shows. Walking on, or
 * back, shows each entry that was there from the beginning once, whatever is written and removed meanwhile.
 *
 * @throws {WebProblem} 400 for a cursor of another list
 */
export async function readEntries(log: ReadableLog, options: EntryListOptions): Promise<EntryList> {
  const { filter = {}, limit, cursor = null, order = 'desc', list = '', transaction } = options;
  const byTime = isByTime(filter);
  const digest = listDigest(list, filter, order);
  const from = cursor === null ? null : decodeCursor(cursor, digest, byTime);
  const isBack = from?.side === 'before';
  const isDescending = (order === 'desc') !== isBack;
  const actorIds = options.actorIds ?? (await knownActors(log, options));
  const indexed = byTime ? null : (options.indexed ?? indexedValueOf(filter, actorIds));
  const bounds = from ? [beside(log, from, indexed, isDescending)] : [];
  const where = await selectedWhere(log, { ...options, actorIds, indexed }, ...bounds);
  const found = await log.LogEntry.findAll({
    where,
    order: orderOf(byTime, indexed, isDescending),
    limit: limit + 1,
    ...(transaction && { transaction }),
  });
  const shown = found.slice(0, limit);
  const entries = isBack ? shown.toReversed() : shown;
  const { next, prev } = cursorsOf(entries, byTime, from, found.length > limit);
  return { entries, next: next && encodeCursor(next, digest), prev: prev && encodeCursor(prev, digest) };
}
