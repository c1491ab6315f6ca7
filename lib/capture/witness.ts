import { AsyncResource } from 'node:async_hooks';
import { atomically, endsTransaction } from './driver-transaction';
import { send, type DriverCallback, type DriverClient, type DriverResult } from './sequelize-adapter';

/** Who wants to know of commits. */
export interface CommitListener {
  /** Whether anybody would hear of one now. */
  readonly isListening: () => boolean;
  /** A transaction that wrote entries is durably committed. */
  readonly committed: (transactionId: string) => void;
}

interface Ending {
  readonly client: DriverClient;
  readonly sql: string;
}

/** The entries of a transaction bear its id, so that knowing it is enough to find those that a savepoint didn't take back. */
async function transactionIdOn(client: DriverClient): Promise<string | null> {
  const { rows } = await send(client, {
    text: 'select pg_current_xact_id_if_assigned()::text as id',
    values: [],
  });
  return (rows[0]?.['id'] ?? null) as string | null;
}

/**
 * Learns which transactions wrote entries, and tells of them once they are durably committed. While nobody listens it asks
 * the server nothing.
 */
export class Witness {
  readonly #listener: CommitListener;
  /** Connections whose transaction has written entries. */
  readonly #wrote = new WeakSet<DriverClient>();

  constructor(listener: CommitListener) {
    this.#listener = listener;
  }

  get isListening(): boolean {
    return this.#listener.isListening();
  }

  /** Runs a write that may leave entries: in the caller's transaction, or in one of its own, whose id can be asked for. */
  async around<T>(
    client: DriverClient,
    inTransaction: boolean,
    work: (inTransaction: boolean) => Promise<T>,
  ): Promise<T> {
    if (!this.isListening) return work(inTransaction);
    if (inTransaction) this.#wrote.add(client);
    return inTransaction ? work(true) : this.#alone(client, work);
  }

  async #alone<T>(client: DriverClient, work: (inTransaction: true) => Promise<T>): Promise<T> {
    let id: string | null = null;
    const result = await atomically(client, false, async () => {
      const answer = await work(true);
      id = await transactionIdOn(client);
      return answer;
    });
    if (id !== null) this.#listener.committed(id);
    return result;
  }

  /** The answer to a statement that stores an entry of the application's own, which says its transaction itself. */
  hearing(client: DriverClient, inTransaction: boolean, answer: DriverCallback): DriverCallback {
    if (!this.isListening) return answer;
    if (inTransaction) this.#wrote.add(client);
    // The driver calls back in the context that opened the connection.
    return AsyncResource.bind((error: Error | null, result?: DriverResult | DriverResult[]) => {
      const id = (result as DriverResult | undefined)?.rows[0]?.['transactionId'];
      if (!error && !inTransaction && typeof id === 'string') this.#listener.committed(id);
      answer(error, result);
    });
  }

  /** Whether a statement ends a transaction that has written entries. */
  endsAt({ client, sql }: Ending): boolean {
    return this.#wrote.has(client) && endsTransaction(sql);
  }

  /** Sends the end of such a transaction: a commit of one that failed before is answered as the rollback that it is. */
  async end({ client, sql }: Ending, sendEnd: () => Promise<DriverResult>): Promise<DriverResult> {
    this.#wrote.delete(client);
    // In a transaction that has failed nothing can be asked.
    const id = /^\s*(?:commit|end)\b/i.test(sql) ? await transactionIdOn(client).catch(() => null) : null;
    const result = await sendEnd();
    if (id !== null && result.command === 'COMMIT') this.#listener.committed(id);
    return result;
  }
}
