import type { Transaction } from 'sequelize';
import { OWN_READ } from '../capture/own-read';
import { queryProblem, type Visit } from './visit';

/**
 * A transaction for a rehearsal: no query of it waits for others longer than a page may take, and what the database would check at
 * its end is checked at once, since it has none.
 *
 * @throws {WebProblem} 503 when a query took too long
 */
export async function rehearsal<T>(visit: Visit, work: (transaction: Transaction) => Promise<T>): Promise<T> {
  const { sequelize, web } = visit;
  const isolationLevel = 'READ COMMITTED' as Transaction.ISOLATION_LEVELS;
  const limits = `SET CONSTRAINTS ALL IMMEDIATE; SET LOCAL statement_timeout = ${Math.trunc(web.options.statementTimeout)}`;
  try {
    return await sequelize.transaction({ isolationLevel }, async (transaction) => {
      await sequelize.query(limits, { transaction, raw: true, [OWN_READ]: true } as never);
      return work(transaction);
    });
  } catch (error) {
    throw queryProblem(error);
  }
}
