import { AsyncResource } from 'node:async_hooks';
import type { DriverClient } from './sequelize-adapter';

/** Work on a connection, which says once when it is done. */
type Work = (done: () => void) => void;

/**
 * Statements of one connection, one after the other in the order they came. Side by side in one transaction, the several
 * steps that a write may take must not mingle with the statements beside it, nor be overtaken by them.
 */
export class Turns {
  readonly #waiting = new WeakMap<DriverClient, Work[]>();

  /** Runs `work`: at once when nothing is under way on the connection, else after all that came before. */
  take(client: DriverClient, work: Work): void {
    const waiting = this.#waiting.get(client);
    // It is the work before that will begin it, in whose context it must not run.
    if (waiting) waiting.push(AsyncResource.bind(work));
    else this.#begin(client, [], work);
  }

  #begin(client: DriverClient, waiting: Work[], work: Work): void {
    this.#waiting.set(client, waiting);
    work(() => {
      const next = waiting.shift();
      if (next) this.#begin(client, waiting, next);
      else this.#waiting.delete(client);
    });
  }
}
