import type { Sequelize, Transaction } from 'sequelize';
import { runtimeOf } from '../schema/sequelize-runtime';

/** What another writer committed while this one waited for the row must be seen, whatever the application's default. */
const READ_COMMITTED = 'READ COMMITTED' as Transaction.ISOLATION_LEVELS;

/** Rolls a transaction back and carries what was found in it. */
class Rehearsed<T> extends Error {
  readonly answer: T;

  constructor(answer: T) {
    super('rolled back on purpose');
    this.answer = answer;
  }
}

/** Where the application keeps its transaction in a namespace (`Sequelize.useCLS`), a call without one joins it. */
function callersTransaction(sequelize: Sequelize): Transaction | null {
  const { _cls: cls } = runtimeOf(sequelize) as { _cls?: { get(name: string): Transaction | undefined } };
  return cls?.get('transaction') ?? null;
}

/**
 * Runs `work` in a transaction of its own, or in a savepoint of the caller's, so that a failure leaves nothing behind and the
 * caller's transaction goes on.
 *
 * @param given the caller's transaction; null for none, undefined for the one that the application's namespace holds
 * @param rollBack undo it all at the end: a rehearsal
 */
export async function transact<T>(
  sequelize: Sequelize,
  given: Transaction | null | undefined,
  rollBack: boolean,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  const outer = given === undefined ? callersTransaction(sequelize) : given;
  const run = async (transaction: Transaction): Promise<T> => {
    const answer = await work(transaction);
    if (rollBack) throw new Rehearsed(answer);
    return answer;
  };
  try {
    return await (outer
      ? sequelize.transaction({ transaction: outer }, run)
      : sequelize.transaction({ isolationLevel: READ_COMMITTED }, run));
  } catch (error) {
    if (error instanceof Rehearsed) return error.answer as T;
    throw error;
  }
}
