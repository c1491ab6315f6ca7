import { AsyncResource } from 'node:async_hooks';
import type { DriverClient } from './sequelize-adapter';

/** Work on a connection, which says once when it is done. */
type Work = (done: () => void) => void;

interface Line {
  isBusy: boolean;
  readonly waiting: Work[];
}

/**
 * Statements of one connection, one after the other in the order they came. Side by side in one transaction, the several
 * steps that a write may take must not mingle with the statements beside it, nor be overtaken by them.
 */
export class Turns {
  readonly #lines = new WeakMap<DriverClient, Line>();

  /** Runs `work`: at once when nothing is under way on the connection, else after all that came before. */
  take(client: DriverClient, work: Work): void {
    const line = this.#lineOf(client);
    // It is the work before that will begin it, in whose context it must not run.
    if (line.isBusy) line.waiting.push(AsyncResource.bind(work));
    else this.#begin(line, work);
  }

  /** Kept as long as the connection, since every statement passes here. */
  #lineOf(client: DriverClient): Line {
    const known = this.#lines.get(client);
    if (known) return known;
    const line: Line = { isBusy: false, waiting: [] };
    this.#lines.set(client, line);
    return line;
  }

  #begin(line: Line, work: Work): void {
    line.isBusy = true;
    work(() => {
      const next = line.waiting.shift();
      if (next) this.#begin(line, next);
      else line.isBusy = false;
    });
  }
}
