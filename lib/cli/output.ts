import type * as Picocolors from 'picocolors';
import type { Colors } from 'picocolors/types';
import { lazily } from '../core/lazily';
import type { GlobalFlags, Host } from './host';
import { printableLines, type Cell } from './printable';
import { Progress, type MaybeTerminal } from './progress';
import { redact } from './redact';
import { formatTable, type Column } from './table';

const picocolors = lazily(() => require('picocolors') as typeof Picocolors);

/** By the terminal and the user's wish only: a build server that shows colours is no reader of data. */
function isColoured({ env }: Host, { color }: GlobalFlags, stream: MaybeTerminal): boolean {
  return color && !env['NO_COLOR'] && stream.isTTY === true && env['TERM'] !== 'dumb';
}

/** What the program writes: data on stdout, all else on stderr. Nothing that it says shows a password it knows. */
export class Output {
  /** Passwords that must not be read anywhere. */
  readonly secrets = new Set<string>();
  readonly progress: Progress;
  readonly #host: Host;
  readonly #flags: GlobalFlags;
  readonly #unread = new AbortController();

  constructor(host: Host, flags: GlobalFlags) {
    this.#host = host;
    this.#flags = flags;
    const { quiet: isQuiet, verbose: isVerbose } = flags;
    this.progress = new Progress(host.stderr, { isQuiet, isVerbose });
    host.stdout.on('error', (error: NodeJS.ErrnoException) => this.#onError(error));
    // Who closed it doesn't want to be told.
    host.stderr.on('error', () => undefined);
  }

  get isJson(): boolean {
    return this.#flags.json;
  }

  /** Aborted when nobody reads stdout any more, as after `| head`: no failure, but nothing more needs to be read. */
  get unread(): AbortSignal {
    return this.#unread.signal;
  }

  /** For texts on stdout. */
  get colors(): Colors {
    return picocolors().createColors(isColoured(this.#host, this.#flags, this.#host.stdout));
  }

  /** The stream itself, for what minds how fast it takes data. */
  get stdout(): MaybeTerminal {
    this.progress.clear();
    return this.#host.stdout;
  }

  /** Lines of data, as they are: values in them must have passed `printable`. */
  data(text: string): void {
    if (!this.unread.aborted) this.stdout.write(`${text}\n`);
  }

  json(value: unknown): void {
    this.data(JSON.stringify(value, null, 2));
  }

  table(columns: readonly Column[], rows: readonly (readonly Cell[])[]): void {
    this.data(formatTable(columns, rows, this.colors.bold));
  }

  /** The answer of a command: JSON where that is asked for, else a sentence, which `--quiet` leaves out. */
  answer(value: unknown, sentence: string): void {
    if (this.isJson) this.json(value);
    else if (!this.#flags.quiet) this.data(printableLines(sentence));
  }

  /** What a person may want to know. */
  note(text: string): void {
    if (!this.#flags.quiet) this.#say(text);
  }

  /** What only a person in doubt wants to know. */
  detail(text: string): void {
    if (this.#flags.verbose) this.#say(text);
  }

  /** What went wrong. */
  error(text: string): void {
    this.#say(text, picocolors().createColors(isColoured(this.#host, this.#flags, this.#host.stderr)).red);
  }

  #say(text: string, paint: (text: string) => string = (same) => same): void {
    this.progress.clear();
    this.#host.stderr.write(`${paint(printableLines(redact(text, this.secrets)))}\n`);
  }

  #onError(error: NodeJS.ErrnoException): void {
    if (error.code === 'EPIPE') this.#unread.abort();
    else this.error(`stdout can't be written to: ${error.message}`);
  }
}
