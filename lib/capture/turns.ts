import type { DriverClient } from './sequelize-adapter';

/**
 * Statements of one connection, one after the other in the order they came. Side by side in one transaction, the several
 * steps that a write may take must not mingle with the statements beside it, nor be overtaken by them.
 */
export class Turns {
  readonly #last = new WeakMap<DriverClient, Promise<void>>();

  /** Runs `work`, which never rejects: at once when nothing is under way on the connection, else after all that came before. */
  take(client: DriverClient, work: () => Promise<void>): void {
    const before = this.#last.get(client);
    const turn = (before ? before.then(work) : work()).then(() => {
      if (this.#last.get(client) === turn) this.#last.delete(client);
    });
    this.#last.set(client, turn);
  }
}
