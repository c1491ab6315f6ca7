import type * as SequelizePackage from 'sequelize';
import type { Sequelize } from 'sequelize';

/** What this library uses of the package `sequelize` at run time. */
export type SequelizeRuntime = Pick<typeof SequelizePackage, 'DataTypes' | 'Model' | 'Op' | 'QueryTypes'> &
  Pick<typeof Sequelize, 'literal' | 'col' | 'fn' | 'where'>;

/** Taken from the instance and never imported, so that two copies of the package don't clash. */
export function runtimeOf(sequelize: Sequelize): SequelizeRuntime {
  return sequelize.constructor as unknown as SequelizeRuntime;
}
