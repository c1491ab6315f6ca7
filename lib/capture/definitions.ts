import type { Survey } from '../statement/survey';
import type { Environment } from './environment';
import type { PreparedNames } from './prepared-names';
import type { DriverClient, DriverResult } from './sequelize-adapter';

/** The end of a transaction; ROLLBACK TO a savepoint is none. */
const ENDS = /^\s*(?:commit|end|abort|rollback)\b(?!.*\bto\b)/is;

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

  /** A statement that is no definition, which may be the end of a transaction that had one. */
  async pass(client: DriverClient, sql: string, send: () => Promise<DriverResult>): Promise<DriverResult> {
    const open = this.#open.get(client);
    if (!open || !ENDS.test(sql)) return send();
    try {
      return await send();
    } finally {
      this.#open.delete(client);
      this.#environment.keepsNothing = this.#open.size > 0;
      this.#forget(open.alters);
    }
  }

  #forget(alters: boolean): void {
    this.#environment.forget();
    // Statements name their columns, so only a column's new type makes them stale.
    if (alters) this.#names.renew();
  }
}
