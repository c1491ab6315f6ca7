import type { Sequelize, WhereOptions } from 'sequelize';
import { runtimeOf } from '../schema/sequelize-runtime';

/** All conditions, each in a group of its own: none takes another's place, and none widens one, not even as a literal with an `or`. */
export function allOf(sequelize: Sequelize, conditions: readonly unknown[]): WhereOptions {
  const { Op } = runtimeOf(sequelize);
  return { [Op.and]: conditions.map((each) => ({ [Op.and]: [each] })) };
}

/** The library's condition AND the caller's. Ours stays outside of groups, where `firstVersions` finds the attributes of the key. */
export function bothWhere(sequelize: Sequelize, ours: object, given: unknown): WhereOptions {
  const both = given === undefined || given === null ? ours : { ...ours, ...allOf(sequelize, [given]) };
  return both as WhereOptions;
}
