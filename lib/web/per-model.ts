import type { FindOptions, Sequelize, WhereOptions } from 'sequelize';
import type { LogEntryAttributes } from '../core/types';
import type { LogEntryStatic } from '../schema/log-entry';
import { runtimeOf } from '../schema/sequelize-runtime';
import { idsOfAll } from '../statement/deleted-objects';

/** What Sequelize makes of a find's options before it writes the statement; neither has a public type. Checked with 6.37. */
interface Internals {
  readonly Utils: { mapFinderOptions(options: FindOptions, model: LogEntryStatic): FindOptions };
}

interface SelectGenerator {
  selectQuery(table: unknown, options: FindOptions, model: LogEntryStatic): string;
}

type Find = Pick<FindOptions<LogEntryAttributes>, 'where' | 'order' | 'limit'>;

/**
 * The condition that an entry is one of those that any of the finds gives. Each reads no further than its limit by an index of its
 * own, such as one that begins with the model; over several models at once, PostgreSQL would read and sort them all.
 */
export function amongFound(
  { LogEntry, sequelize }: { readonly LogEntry: LogEntryStatic; readonly sequelize: Sequelize },
  finds: readonly Find[],
): WhereOptions<LogEntryAttributes> {
  const { Utils } = sequelize.constructor as unknown as Internals;
  const { queryGenerator } = sequelize.getQueryInterface() as unknown as { queryGenerator: SelectGenerator };
  const { Op, literal } = runtimeOf(sequelize);
  const selects = finds.map((find) => {
    const options = Utils.mapFinderOptions({ ...find, attributes: ['id'] } as FindOptions, LogEntry);
    return queryGenerator.selectQuery(LogEntry.getTableName(), options, LogEntry).replace(/;$/, '');
  });
  return { id: { [Op.in]: literal(idsOfAll(selects)) } };
}
