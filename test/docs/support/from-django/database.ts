import { testDatabase } from '../../../support/database';

/** The database of the test that imports this. */
export const database = testDatabase();

export const { sequelize } = database;
