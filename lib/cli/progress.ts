import type { Writable } from 'node:stream';
import { printable } from './printable';

const REDRAW_MS = 100;
const LINE_EVERY_MS = 5000;
const BAR_WIDTH = 24;
const CLEAR = '\r\u001b[K';

/** A stream that may be a terminal. */
export type MaybeTerminal = Writable & { readonly isTTY?: boolean; readonly columns?: number };

export interface ProgressOptions {
  readonly isQuiet: boolean;
  readonly isVerbose: boolean;
  readonly now?: () => number;
}

function bar(done: number, total: number): string {
  const share = total === 0 ? 1 : Math.min(1, done / total);
  const filled = Math.round(share * BAR_WIDTH);
  return `[${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}] ${String(Math.floor(share * 100)).padStart(3)}%`;
}

/**
 * How far a long command has come: one line that is drawn over and over on a terminal; elsewhere a line now and then where
 * `--verbose` asks for it, and nothing otherwise.
 */
export class Progress {
  readonly #stream: MaybeTerminal;
  readonly #options: ProgressOptions;
  readonly #now: () => number;
  #last = -Infinity;
  #isDrawn = false;

  constructor(stream: MaybeTerminal, options: ProgressOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  get #everyMs(): number {
    if (this.#options.isQuiet) return Infinity;
    if (this.#stream.isTTY === true) return REDRAW_MS;
    return this.#options.isVerbose ? LINE_EVERY_MS : Infinity;
  }

  /** Some terminals tell a width of 0, as they don't know it. */
  get #width(): number {
    return this.#stream.columns || 80;
  }

  /** Says what is done; the bar is drawn where the total is known. */
  update(text: string, done?: number, total?: number): void {
    const now = this.#now();
    if (this.#everyMs === Infinity || now - this.#last < this.#everyMs) return;
    this.#last = now;
    const known = done !== undefined && total !== undefined && total > 0;
    this.#show(printable(known ? `${bar(done, total)} ${text}` : text));
  }

  /** Takes the line away, so that something else can be written. */
  clear(): void {
    if (!this.#isDrawn) return;
    this.#isDrawn = false;
    // What comes next is drawn at once: it may be another part of the work.
    this.#last = -Infinity;
    this.#stream.write(CLEAR);
  }

  #show(line: string): void {
    if (this.#stream.isTTY !== true) {
      this.#stream.write(`${line}\n`);
      return;
    }
    // A line that wraps can't be drawn over.
    this.#stream.write(
      CLEAR +
        Array.from(line)
          .slice(0, this.#width - 1)
          .join(''),
    );
    this.#isDrawn = true;
  }
}
