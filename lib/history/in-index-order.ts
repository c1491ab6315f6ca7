import type { Order, Sequelize, WhereOptions } from 'sequelize';
import type { LogEntryAttributes } from '../core/types';
import type { LogEntryStatic } from '../schema/log-entry';
import { runtimeOf } from '../schema/sequelize-runtime';

/** A value that the log has an index on, followed by the id: of a model, of one of its objects, or of an actor. */
export interface IndexedValue {
  readonly attribute: 'model' | 'objectPk' | 'actorId';
  readonly value: string;
}

const COLUMNS = { model: 'model', objectPk: 'object_pk', actorId: 'actor_id' } as const;

const BOUNDS = ['lt', 'lte', 'gt', 'gte'] as const;
/** On which side of an id. */
export type Bound = (typeof BOUNDS)[number];

/**
 * Entries with this value. As a range, since PostgreSQL takes an equality for a constant, and then may find the newest by walking
 * the whole log from its end: of a model that nothing was written to lately, that is all there is (478 ms instead of 0.1 for
 * 1,000,000 entries). To be read in `indexOrder`, which no other index has.
 */
export function inIndex(sequelize: Sequelize, { attribute, value }: IndexedValue): Record<string, object> {
  return { [attribute]: { [runtimeOf(sequelize).Op.between]: [value, value] } };
}

/** By id, in words that name the index. */
export function indexOrder({ attribute }: IndexedValue, direction: 'ASC' | 'DESC'): Order {
  return [
    [attribute, direction],
    ['id', direction],
  ];
}

/** Entries with this value on one side of an id: one comparison of rows, where the index begins to be read. */
export function besideInIndex(
  LogEntry: LogEntryStatic,
  { attribute, value }: IndexedValue,
  bound: Bound,
  id: string,
): WhereOptions<LogEntryAttributes> {
  const { Op, fn, col, where } = runtimeOf(LogEntry.sequelize!);
  const own = (column: string): ReturnType<typeof col> => col(`${LogEntry.name}.${column}`);
  const row = fn('row', own(COLUMNS[attribute]), own('id'));
  return where(row, { [Op[bound]]: fn('row', value, id) } as never);
}

/** A caller's `where: { id: { [Op.lt]: '123' } }` as it goes on from one page to the next, with what else it says. */
export function pagingOf(
  sequelize: Sequelize,
  where: unknown,
): { bound: Bound; id: string; rest: object } | null {
  if (typeof where !== 'object' || where === null || !Object.hasOwn(where, 'id')) return null;
  const { id: given, ...rest } = where as { id: unknown };
  if (typeof given !== 'object' || given === null) return null;
  const [symbol, ...others] = Reflect.ownKeys(given);
  const bound = BOUNDS.find((each) => runtimeOf(sequelize).Op[each] === symbol);
  if (bound === undefined || others.length > 0) return null;
  const id = String((given as Record<symbol, unknown>)[symbol as symbol]);
  return /^\d{1,18}$/.test(id) ? { bound, id, rest } : null;
}
