import type * as Readline from 'node:readline';
import { lazily } from '../core/lazily';
import { Interrupted, UsageError } from './exit-codes';
import type { GlobalFlags, Host } from './host';

const readline = lazily(() => require('node:readline') as typeof Readline);

/** Whether a person can be asked. */
export function isInteractive({ stdin, stderr }: Pick<Host, 'stdin' | 'stderr'>): boolean {
  return stdin.isTTY === true && stderr.isTTY === true;
}

/** @throws {UsageError} when nobody can be asked and nobody has said yes */
export function requireConsent(host: Host, command: string, flags: GlobalFlags, isDryRun: boolean): void {
  if (flags.yes || isDryRun || isInteractive(host)) return;
  throw new UsageError(
    `${command} removes or changes data, and there is no terminal to ask at. Add --yes to go on without asking, or --dry-run to see what would be done.`,
  );
}

/**
 * Asks on stderr, since stdout is for data. Only y and yes, in whatever case, mean yes; no answer means no.
 *
 * @throws {Interrupted} when the signal comes instead of an answer
 */
export async function ask(
  { stdin, stderr }: Pick<Host, 'stdin' | 'stderr'>,
  question: string,
  signal: AbortSignal,
): Promise<boolean> {
  stderr.write(`${question} [y/N] `);
  // Not as a terminal of its own, or Ctrl-C would be a key and no signal.
  const lines = readline().createInterface({ input: stdin, terminal: false, signal });
  try {
    for await (const line of lines) return /^\s*y(es)?\s*$/i.test(line);
    stderr.write('\n');
    if (signal.aborted) throw new Interrupted('Nothing was done.');
    return false;
  } finally {
    lines.close();
  }
}
