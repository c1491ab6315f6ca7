import type { Sequelize, WhereOptions } from 'sequelize';
import { runtimeOf } from '../schema/sequelize-runtime';

/** Each condition in a group of its own: none takes another's place, and none widens one, not even as a literal with an `or`. */
function groups(sequelize: Sequelize, conditions: readonly unknown[]): object {
  const { Op } = runtimeOf(sequelize);
  return { [Op.and]: conditions.map((each) => ({ [Op.and]: [each] })) };
}

/** All of these conditions. */
export function allOf(sequelize: Sequelize, conditions: readonly unknown[]): WhereOptions {
  return groups(sequelize, conditions) as WhereOptions;
}

/** The library's condition AND the caller's. Ours stays outside of groups, where `firstVersions` finds the attributes of the key. */
export function bothWhere(sequelize: Sequelize, ours: object, given: unknown): WhereOptions {
  const isAll = given === undefined || given === null;
  return (isAll ? ours : { ...ours, ...groups(sequelize, [given]) }) as WhereOptions;
}
