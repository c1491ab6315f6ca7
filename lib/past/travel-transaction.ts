import type { Transaction } from 'sequelize';
import { AuditError } from '../core/errors';
import { defineHidden } from '../schema/read-only';

/** The refusal of what would end the transaction of the past or begin another: from there on it would be the present, and writable. */
export function refusedEnd(what: string): AuditError {
  const message = `auditLog.asOf: ${what} would end or begin a transaction, but inside it only reads are expected, in the transaction that was given. Leave it out: that ends by itself once the function has given its answer or thrown.`;
  return new AuditError('ERR_AUDIT_READ_ONLY', message);
}

/** The refusal of a query that nobody waited for: its connection may serve others by now. */
export function refusedLate(): AuditError {
  const message =
    'auditLog.asOf: a query came when the transaction was over, since the function had already ended. Wait for every query (await) before the function gives its answer.';
  return new AuditError('ERR_AUDIT_INVALID_ARGUMENT', message);
}

/**
 * Refuses `commit` and `rollback` to whoever `isInside`. A refused statement would come too late: Sequelize then gives up the
 * transaction and its connection.
 */
export function keepOpen(transaction: Transaction, isInside: () => boolean): void {
  const guarded = (name: 'commit' | 'rollback') => {
    const end = transaction[name].bind(transaction);
    return async (): Promise<void> => {
      if (isInside()) throw refusedEnd(`transaction.${name}()`);
      return end();
    };
  };
  defineHidden(transaction, { commit: guarded('commit'), rollback: guarded('rollback') });
}
