import { exactTimeSql } from '../schema/exact-time';
import { quoteIdentifier } from '../schema/quote';
import { prunedTo } from '../statement/prune-marks';
import { allObjects, columnIn, namedObjects, type Objects } from './entries-objects';
import { isTruncated, isUnknown, knownSince, oftenTrue, presence, wasThere } from './entries-presence';
import { digestNames, gapNames, knownIn, rebuiltRow, rowOf, unknownNames } from './entries-row';
import { end, last, newer, older, type EntriesSource } from './entries-told';

/** In the rows: the attributes that can't be known of this one. A name that needs no quotes, which an option may leave out. */
export const UNKNOWN_COLUMN = 'audit_unknown_attributes';

function rowsOf(source: EntriesSource, objects: Objects, needsValues: boolean): string {
  const told = `cross join lateral ${last(source)} left join lateral ${end(source)} cross join lateral ${older(source)}${rebuiltRow(source)}`;
  const isWhole = oftenTrue(`not ${isTruncated(source, prunedTo(source.log, source.name))}`);
  const where = `where ${wasThere(source, objects)} and ${isWhole}`;
  if (!needsValues) return `select ${rowOf(source)} from ${objects.from} ${told} ${where}`;
  const row = `${rowOf(source, knownIn(source))}, u."names" as ${quoteIdentifier(UNKNOWN_COLUMN)}`;
  return `select ${row} from ${objects.from} ${told}${unknownNames(source)} ${where}`;
}

/**
 * SELECT of the rows that were there at the time.
 *
 * @param pks SQL of keys, for these objects only
 * @param needsValues whether more is asked for than keys and soft deletes
 */
export function entriesAsOf(
  source: EntriesSource,
  pks: readonly string[] | null,
  needsValues = true,
): string {
  if (pks !== null) return rowsOf(source, namedObjects(source, pks), needsValues);
  const isDeletedLater = `e."action" = 'delete' and not (${source.notAfter})`;
  return rowsOf(source, allObjects(source, isDeletedLater), needsValues);
}

/** SELECT of the objects whose past at the time is unknown, and when what is known of them begins; with `pks`, of these only. */
export function entriesGaps(source: EntriesSource, pks: readonly string[] | null): string {
  const objects = pks === null ? allObjects(source, 'true') : namedObjects(source, pks);
  const keys = source.keys.map((key) => `${columnIn(key)} as ${quoteIdentifier(key.column)}`).join(', ');
  return `select ${keys}, ${knownSince(source)} as "!since" from ${objects.from} ${presence(source)} where ${isUnknown(source)}${objects.isOnce === null ? '' : ` and ${objects.isOnce}`}`;
}

/** What is asked of one object beside its row. */
export const STATE_COLUMNS = {
  presence: '!presence',
  since: '!since',
  digests: '!digests',
  gaps: '!gaps',
} as const;

/** SELECT of one row: the object with these keys at the time, whether it was there or not, and what of it can't be known; `pk` is SQL. */
export function entriesState(source: EntriesSource, pk: string): string {
  const objects = namedObjects(source, [pk]);
  const told = `${presence(source)} cross join lateral ${older(source)}${rebuiltRow(source)} cross join lateral ${newer(source)}`;
  const present = `case when ${isUnknown(source)} then 'unknown' when b."id" is not null and ${wasThere(source, objects)} then 'there' else 'absent' end`;
  const extras = [
    `${present} as ${quoteIdentifier(STATE_COLUMNS.presence)}`,
    `${exactTimeSql(`(${knownSince(source)})`)} as ${quoteIdentifier(STATE_COLUMNS.since)}`,
    `${digestNames(source)} as ${quoteIdentifier(STATE_COLUMNS.digests)}`,
    `${gapNames(source)} as ${quoteIdentifier(STATE_COLUMNS.gaps)}`,
  ];
  return `select ${rowOf(source)}, ${extras.join(', ')} from ${objects.from} ${told}`;
}
