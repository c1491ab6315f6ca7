import { prunedTo } from '../statement/prune-marks';
import { IS_LIVE, type Objects } from './entries-objects';
import { end, entriesOf, IS_PAIR, last, tookRow, type EntriesSource } from './entries-told';

/**
 * SQL: the condition, in a form of which PostgreSQL thinks that it holds for half of the rows, and not for hardly any: then it
 * would read and sort them all before a LIMIT.
 */
export function oftenTrue(condition: string): string {
  return `case when ${condition} then true else false end`;
}

/** SQL: the row was there at the time, and what became of it is recorded. */
export function wasThere(source: EntriesSource, { isOnce }: Objects): string {
  const became = `(d."action" = 'delete' or d."id" is null and ${IS_LIVE})`;
  return `not ${tookRow(source, 'b')} and ${oftenTrue(isOnce === null ? became : `${became} and ${isOnce}`)}`;
}

/**
 * SQL: the time lies before the one to which the model was pruned, and between `b` and that one there may have been entries that are
 * gone. A prune leaves the newest entry by then of every object that was there, so that there were none where none is left: unless
 * the object had versions, of which entries about links and about moves to another key are left alone.
 *
 * @param moment SQL of the time to which it was pruned, or null
 */
export function isTruncated(source: EntriesSource, moment: string): string {
  const isNext = `e."id" > b."id" and e."timestamp" < ${moment}`;
  const between = `exists (select from ${entriesOf(source)} and ${isNext})`;
  const isOfRow = `exists (select from jsonb_each(b."changes") j where ${IS_PAIR})`;
  const isMove = `(b."data" -> 'movedFrom' is not null or b."data" -> 'movedTo' is not null)`;
  return `(coalesce(${source.isBefore(moment)}, false) and (${isMove} or not ${isOfRow} or ${between}))`;
}

/** SQL: the time to which the model was pruned, or null. */
const PRUNED_TO = 'w."to"';

/** SQL: the time lies before that. */
function isPruned(source: EntriesSource): string {
  return `coalesce(${source.isBefore(PRUNED_TO)}, false)`;
}

/**
 * SQL: the time lies before the first record `a`, which is no create, or before what a prune left whole; or nothing tells what
 * became of the row.
 */
export function isUnknown(source: EntriesSource): string {
  const isBefore = `b."id" is null and (coalesce(a."action" <> 'create', ${IS_LIVE}) or ${isPruned(source)})`;
  const vanished = `b."id" is not null and not ${tookRow(source, 'b')} and (d."action" = 'create' or d."id" is null and not (${IS_LIVE}))`;
  return `(${isBefore} or ${vanished} or ${isTruncated(source, PRUNED_TO)})`;
}

function first(source: EntriesSource): string {
  return `(select e."timestamp", e."action" from ${entriesOf(source)} order by e."id" limit 1) a on true`;
}

/** What decides whether an object was there: `a` its first entry, `b` and `d`, and how far the model was pruned. */
export function presence(source: EntriesSource): string {
  const told = `left join lateral ${first(source)} left join lateral ${last(source)} on true left join lateral ${end(source)}`;
  // Once, and not a plan for each of its uses.
  return `${told} cross join (select ${prunedTo(source.log, source.name)} as "to" offset 0) w`;
}

/** SQL: when what is known begins: with the first record, with what a prune left whole, or with the one that found the row anew. */
export function knownSince(source: EntriesSource): string {
  return `case when ${isPruned(source)} then ${PRUNED_TO} when b."id" is null then a."timestamp" else d."timestamp" end`;
}
