import { CommanderError } from 'commander';
import { EXIT, type ExitCode } from './exit-codes';
import type { Host } from './host';
import { createProgram } from './program';
import { Runner } from './runner';

/** Runs the program to its end, and gives the exit code. Whatever goes wrong has been said on stderr. */
export async function main(host: Host): Promise<ExitCode> {
  const runner = new Runner(host);
  try {
    await createProgram(host, runner).parseAsync(host.argv, { from: 'user' });
    return runner.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    throw error;
  }
}
