import type { Readable } from 'node:stream';
import type { MaybeTerminal } from './progress';

/** What the program is started with: the process, or what a test puts in its place. */
export interface Host {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: MaybeTerminal;
  readonly stderr: MaybeTerminal;
  readonly signals: {
    on(name: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
  };
  /** Ends at once, whatever is still going on. */
  exit(code: number): void;
}

/** The flags that every command takes. */
export interface GlobalFlags {
  readonly config?: string;
  readonly require?: string;
  readonly url?: string;
  readonly schema?: string;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly color: boolean;
  readonly yes: boolean;
}
