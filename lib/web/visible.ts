import type { WhereOptions } from 'sequelize';
import type { LogEntryAttributes } from '../core/types';
import { allOf } from '../history/where';
import type { Visit } from './visit';

type EntryWhere = WhereOptions<LogEntryAttributes>;

/** `condition` AND the visitor's scope. Without the models that may be viewed: for objects, which `requireObject` asks about. */
export function inScope(visit: Visit, condition: object): EntryWhere {
  const { scope } = visit.access;
  return allOf(visit.sequelize, scope === null ? [condition] : [condition, scope]);
}

/** The entries of a list across models: of those that may be viewed, and within the visitor's scope. */
export function visibleWhere(visit: Visit, models: readonly string[], condition: object = {}): EntryWhere {
  return allOf(visit.sequelize, [{ model: [...models] }, inScope(visit, condition)]);
}
