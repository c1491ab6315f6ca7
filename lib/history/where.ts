import type { Sequelize, WhereOptions } from 'sequelize';
import { runtimeOf } from '../schema/sequelize-runtime';

/** The library's condition AND the caller's, which in a group of its own can't widen it, not even as a literal with an `or`. */
export function bothWhere(sequelize: Sequelize, ours: object, given: unknown): WhereOptions {
  const { Op } = runtimeOf(sequelize);
  const group = { [Op.and]: [given] };
  return (given === undefined || given === null ? ours : { ...ours, [Op.and]: [group] }) as WhereOptions;
}
