#!/usr/bin/env node
import type { Writable } from 'node:stream';
import { EXIT } from './exit-codes';
import { main } from './main';

/** Resolves when all that was written has left the process, or nobody reads it any more. */
async function flush(stream: Writable): Promise<void> {
  if (stream.destroyed || stream.writableEnded) return;
  await new Promise<void>((resolve) => {
    stream.once('error', () => resolve());
    stream.write('', () => resolve());
  });
}

async function run(): Promise<void> {
  const { stdin, stdout, stderr, env } = process;
  // Node's own word on a URL it takes badly would show the URL, with its password.
  process.noDeprecation = true;
  // What the application's modules print while they are loaded is no data.
  console.log = console.info = console.debug = console.error;
  // A reader that has seen enough closes the pipe. That is no failure; a full disk is.
  let isLost = false;
  for (const stream of [stdout, stderr])
    stream.on('error', ({ code: reason }: NodeJS.ErrnoException) => (isLost ||= reason !== 'EPIPE'));
  const code = await main({
    argv: process.argv.slice(2),
    env,
    cwd: process.cwd(),
    stdin,
    stdout,
    stderr,
    signals: process,
    exit: (now) => process.exit(now),
  });
  await Promise.all([flush(stdout), flush(stderr)]);
  // The application's modules may have left something open that would keep the process alive.
  process.exit(code === EXIT.done && isLost ? EXIT.error : code);
}

void run();
