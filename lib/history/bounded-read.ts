import type { Sequelize, Transaction } from 'sequelize';
import { OWN_READ } from '../capture/own-read';

/**
 * Runs `work` in a read-only transaction that sees one moment, on a connection of its own, whatever Sequelize's CLS has open. Each
 * query is ended by PostgreSQL after `timeout` milliseconds.
 */
export function boundedRead<T>(
  sequelize: Sequelize,
  timeout: number,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  const isolationLevel = 'REPEATABLE READ' as Transaction.ISOLATION_LEVELS;
  return sequelize.transaction({ isolationLevel }, async (transaction) => {
    // Sequelize has no option that makes PostgreSQL refuse writes.
    const limits = `SET TRANSACTION READ ONLY; SET LOCAL statement_timeout = ${Math.trunc(timeout)}`;
    await sequelize.query(limits, { transaction, raw: true, [OWN_READ]: true } as never);
    return work(transaction);
  });
}
