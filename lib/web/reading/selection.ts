import type { Sequelize, Transaction, WhereOptions } from 'sequelize';
import type { LogEntryAttributes } from '../../core/types';
import type { IndexedValue } from '../../history/in-index-order';
import { allOf } from '../../history/where';
import type { LogEntryStatic } from '../../schema/log-entry';
import { amongFound } from '../per-model';
import type { EntryFilter } from '../search/entry-filter';
import { entryWhere, type Unseen } from '../search/where';

type EntryWhere = WhereOptions<LogEntryAttributes>;

/** The log that is read. */
export interface ReadableLog {
  readonly LogEntry: LogEntryStatic;
  readonly sequelize: Sequelize;
}

/** Which entries, of those that a visitor may see. */
export interface EntrySelection {
  /** What the visitor may see, and what the page is about; ANDed. */
  readonly where: WhereOptions<LogEntryAttributes>;
  readonly filter?: EntryFilter;
  readonly unseen?: Unseen | null;
  readonly transaction?: Transaction;
  /** What `knownActors` found, where several lists have the same actors. */
  readonly actorIds?: ReadonlySet<string>;
  /** The value by whose index the entries are read, in the order of that index. */
  readonly indexed?: IndexedValue | null;
}

/**
 * Those values of `actor` that are ids of actors whose entries the visitor sees. Entries of an id are found by an index, those of a
 * label are not: whoever is named by id is not looked for by label. One statement, however many there are.
 */
export async function knownActors(log: ReadableLog, selection: EntrySelection): Promise<ReadonlySet<string>> {
  const { filter, where: given, transaction } = selection;
  const { any = [], none = [] } = filter?.actor ?? {};
  const asked = [...new Set([...any, ...none])];
  if (asked.length === 0) return new Set();
  const finds = asked.map((actorId) => ({ where: allOf(log.sequelize, [given, { actorId }]), limit: 1 }));
  const found = await log.LogEntry.findAll({
    attributes: ['actorId'],
    where: amongFound(log, finds),
    raw: true,
    ...(transaction && { transaction }),
  });
  return new Set(found.flatMap(({ actorId }) => actorId ?? []));
}

/** The condition that a selection is. */
export async function selectedWhere(
  log: ReadableLog,
  selection: EntrySelection,
  ...more: readonly EntryWhere[]
): Promise<EntryWhere> {
  const { where, filter = {}, unseen, indexed } = selection;
  const actorIds = selection.actorIds ?? (await knownActors(log, selection));
  const context = { sequelize: log.sequelize, unseen, actorIds, indexed: indexed ?? null };
  return allOf(log.sequelize, [where, entryWhere(filter, context), ...more]);
}
