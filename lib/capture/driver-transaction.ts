import { send, type DriverClient } from './sequelize-adapter';

/** The end of a transaction; ROLLBACK TO a savepoint is none. */
const ENDS = /^\s*(?:commit|end|abort|rollback)\b(?!.*\bto\b)/is;

export function endsTransaction(sql: string): boolean {
  return ENDS.test(sql);
}

/**
 * Runs several statements on one connection as one: in the caller's transaction as they are, else in a transaction of
 * their own that ends before the connection goes back to the pool.
 */
export async function atomically<T>(
  client: DriverClient,
  inTransaction: boolean,
  work: () => Promise<T>,
): Promise<T> {
  if (inTransaction) return work();
  await send(client, { text: 'begin', values: [] });
  try {
    const result = await work();
    await send(client, { text: 'commit', values: [] });
    return result;
  } catch (error) {
    await rollback(client);
    throw error;
  }
}

/** A connection that can't roll back is broken; the pool must not hand it out again. */
async function rollback(client: DriverClient): Promise<void> {
  try {
    await send(client, { text: 'rollback', values: [] });
  } catch {
    client._invalid = true;
  }
}
