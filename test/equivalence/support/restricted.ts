import { matrix } from '../../support/matrix';

/** What Sequelize throws for ON DELETE RESTRICT: PostgreSQL 18 has a code for it that Sequelize doesn't know. */
export const RESTRICTED =
  matrix.postgresql >= 18 ? 'SequelizeDatabaseError' : 'SequelizeForeignKeyConstraintError';
