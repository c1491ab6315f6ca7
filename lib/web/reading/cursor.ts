import { digestOf } from '../../core/node';
import { WebProblem } from '../problem';
import type { EntryFilter } from '../search/entry-filter';
import { filterToParams } from '../search/filter';
import type { ListOrder } from '../search/paging';

/** Where an entry stands in a list. */
export interface Position {
  readonly id: string;
  /** ISO text with microseconds, where the list is in the order of time; else null. */
  readonly time: string | null;
}

/** The part of a list on one side of a position. */
export interface Cursor extends Position {
  readonly side: 'after' | 'before';
  /** Whether the position itself belongs to it. */
  readonly isIncluded: boolean;
}

const DIGEST_LENGTH = 12;
const MAX_BIGINT = 2n ** 63n - 1n;
const EXACT_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$/;

/** What a cursor belongs to: the list, its filter and its order. A visitor's scope is ANDed anew each time. */
export function listDigest(list: string, filter: EntryFilter, order: ListOrder): string {
  const zones = [filter.since, filter.until].map((bound) => bound?.zone ?? null);
  const parts = [list, filterToParams(filter).toString(), zones, order];
  return digestOf('sha256', JSON.stringify(parts), DIGEST_LENGTH);
}

/** An opaque text. Times are the entry's own text: a Date would lose the microseconds, and with them skip or repeat entries. */
export function encodeCursor({ side, id, time, isIncluded }: Cursor, digest: string): string {
  return Buffer.from(JSON.stringify([digest, side, id, time, isIncluded])).toString('base64url');
}

function isId(id: unknown): id is string {
  return typeof id === 'string' && /^\d{1,19}$/.test(id) && BigInt(id) <= MAX_BIGINT;
}

function isTime(time: unknown): time is string {
  return typeof time === 'string' && EXACT_TIME.test(time) && !Number.isNaN(Date.parse(time));
}

function partsOf(text: string): unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    return Array.isArray(parts) ? (parts as unknown[]) : [];
  } catch {
    return [];
  }
}

const problem = (detail: string): WebProblem =>
  new WebProblem(400, 'Wrong parameter', { detail, parameter: 'cursor' });

/** @throws {WebProblem} 400 for what `encodeCursor` did not give for this list. */
export function decodeCursor(text: string, digest: string, byTime: boolean): Cursor {
  const [of, side, id, time, isIncluded] = partsOf(text);
  if (typeof of === 'string' && of !== digest)
    throw problem('This cursor belongs to a list with another filter or order. Begin without a cursor.');
  const isSound = (side === 'after' || side === 'before') && typeof isIncluded === 'boolean' && of === digest;
  if (!isSound || !isId(id) || (byTime ? !isTime(time) : time !== null))
    throw problem('This is no cursor of this list. Begin without one, and follow next and prev.');
  return { side, id, time: time as string | null, isIncluded };
}
