import type { Sequelize, Transaction } from 'sequelize';
import type { CatalogueQuery } from '../schema/catalogue';
import { catalogueQuery } from '../schema/sync';

/**
 * Runs `work` in a transaction of its own on the primary, whatever the caller or Sequelize's CLS has open. Each of its
 * statements sees what was committed before it.
 */
export function inOwnTransaction<T>(
  sequelize: Sequelize,
  work: (query: CatalogueQuery, transaction: Transaction) => Promise<T>,
): Promise<T> {
  const isolationLevel = 'READ COMMITTED' as Transaction.ISOLATION_LEVELS;
  return sequelize.transaction({ isolationLevel }, (transaction) =>
    work(catalogueQuery(sequelize, transaction), transaction),
  );
}
