import type { WhereOptions } from 'sequelize';
import type { LogEntryAttributes } from '../core/types';
import { runtimeOf } from '../schema/sequelize-runtime';
import type { Visit } from './visit';

type EntryWhere = WhereOptions<LogEntryAttributes>;

/** Each condition in a group of its own, so that none takes another's place, and none widens one as a literal with an `or`. */
function allOf({ sequelize }: Visit, conditions: readonly object[]): EntryWhere {
  const { Op } = runtimeOf(sequelize);
  return { [Op.and]: conditions.map((each) => ({ [Op.and]: [each] })) };
}

/** `condition` AND the visitor's scope. Without the models that may be viewed: for objects, which `requireObject` asks about. */
export function inScope(visit: Visit, condition: object): EntryWhere {
  const { scope } = visit.access;
  return allOf(visit, scope === null ? [condition] : [condition, scope]);
}

/** The entries of a list across models: of those that may be viewed, and within the visitor's scope. */
export function visibleWhere(visit: Visit, models: readonly string[], condition: object = {}): EntryWhere {
  return allOf(visit, [{ model: [...models] }, inScope(visit, condition)]);
}
