import type { Options } from 'sequelize';
import { AuditError } from '../core/errors';
import { inOwnTransaction } from '../history/own-transaction';
import { logTable, type HistorySettings } from '../history/settings';
import type { CatalogueQuery } from '../schema/catalogue';
import { quoteTable } from '../schema/quote';
import { tryLock, WAIT_WITHOUT_END } from '../statement/prune-removal';

function busy(settings: HistorySettings): AuditError {
  const message = `auditLog.prune: another prune of ${quoteTable(logTable(settings))} is at work, so nothing was done. Run it again when that one has ended.`;
  return new AuditError('ERR_AUDIT_BUSY', message);
}

async function take(settings: HistorySettings, query: CatalogueQuery): Promise<void> {
  const { rows } = await query(tryLock(logTable(settings)), []);
  const { isMine } = rows[0] as { isMine: boolean | null };
  // Null where there is no log: the first read of it says so.
  if (isMine === false) throw busy(settings);
}

function hasOneConnection({ sequelize }: HistorySettings): boolean {
  // Its declarations don't tell of the public property.
  const { options } = sequelize as unknown as { readonly options: Options };
  return options.pool?.max === 1;
}

/** What each transaction of a prune begins with. */
export type BatchLock = (query: CatalogueQuery) => Promise<void>;

/**
 * Runs `work` while no other process prunes this log. The lock is that of a transaction which does nothing else, since a lock of a
 * session would stay behind in a pooler, and in the server's connection when this process forgets it. The transaction sees no data,
 * so it keeps no old rows from being cleaned up. It takes a second connection: a pool that has only one locks each batch.
 *
 * @throws {AuditError} ERR_AUDIT_BUSY
 */
export async function alone<T>(settings: HistorySettings, work: (lock: BatchLock) => Promise<T>): Promise<T> {
  if (hasOneConnection(settings)) return work((query) => take(settings, query));
  return inOwnTransaction(settings.sequelize, async (query) => {
    await take(settings, query);
    await query(WAIT_WITHOUT_END, []);
    return work(async () => undefined);
  });
}
