import { Interrupted } from './exit-codes';
import type { Host } from './host';

/** npm hands on to its child what the terminal has sent to both of them: that is one Ctrl-C. */
const SAME_KEY_MS = 300;
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

export interface InterruptOptions {
  /** Called with the first signal. */
  readonly onFirst: () => void;
  /** Called with the second one. */
  readonly onSecond: () => void;
  readonly now?: () => number;
}

/** Ctrl-C, and SIGTERM: the first asks the work to end, the second doesn't ask; also while the program is ending already. */
export class Interrupt {
  readonly #controller = new AbortController();
  readonly #options: InterruptOptions;
  readonly #now: () => number;
  #firstAt: number | null = null;

  constructor(signals: Host['signals'], options: InterruptOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    for (const name of SIGNALS) signals.on(name, this.#listener);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Rejects when the signal comes. */
  async come(): Promise<never> {
    return new Promise((_, reject) => {
      const fail = (): void => reject(new Interrupted('Interrupted.'));
      if (this.signal.aborted) fail();
      else this.signal.addEventListener('abort', fail, { once: true });
    });
  }

  readonly #listener = (): void => {
    const now = this.#now();
    if (this.#firstAt === null) {
      this.#firstAt = now;
      this.#options.onFirst();
      this.#controller.abort();
    } else if (now - this.#firstAt >= SAME_KEY_MS) this.#options.onSecond();
  };
}
