import type { Survey } from '../statement/survey';
import { endsTransaction } from './driver-transaction';
import type { Environment } from './environment';
import type { PreparedNames } from './prepared-names';
import type { DriverClient, DriverResult } from './sequelize-adapter';

/** What was read and prepared before a definition may be wrong after it, and again when it is rolled back. */
export class Definitions {
  readonly #environment: Environment;
  readonly #names: PreparedNames;
  /** Connections whose transaction has defined something, and whether columns. */
  readonly #open = new Map<DriverClient, { alters: boolean }>();

  constructor(environment: Environment, names: PreparedNames) {
    this.#environment = environment;
    this.#names = names;
  }

  async run<T>(
    client: DriverClient,
    { alters }: Survey,
    inTransaction: boolean,
    send: () => Promise<T>,
  ): Promise<T> {
    const open = this.#open.get(client);
    if (inTransaction) this.#open.set(client, { alters: alters || open?.alters === true });
    this.#environment.keepsNothing = this.#open.size > 0;
    try {
      return await send();
    } finally {
      this.#forget(alters);
    }
  }

  /** Whether a statement that is no definition ends a transaction that had one. */
  endsAt({ client, sql }: { readonly client: DriverClient; readonly sql: string }): boolean {
    return this.#open.size > 0 && this.#open.has(client) && endsTransaction(sql);
  }

  /** Sends the end of a transaction that has defined something. */
  async end(client: DriverClient, send: () => Promise<DriverResult>): Promise<DriverResult> {
    try {
      return await send();
    } finally {
      const alters = this.#open.get(client)?.alters === true;
      this.#open.delete(client);
      this.#environment.keepsNothing = this.#open.size > 0;
      this.#forget(alters);
    }
  }

  #forget(alters: boolean): void {
    this.#environment.forget();
    // Statements name their columns, so only a column's new type makes them stale.
    if (alters) this.#names.renew();
  }
}
