import { once } from 'node:events';
import type { Command } from 'commander';
import type { TailedEntry } from '../../history/tail';
import { collect } from '../arguments';
import { Interrupted } from '../exit-codes';
import { printable } from '../printable';
import type { Runner, Session } from '../runner';
import { time } from '../texts';

interface Flags {
  readonly after: string;
  readonly model?: readonly string[];
}

function lineOf({ entry, cursor }: TailedEntry, isJson: boolean): string {
  if (isJson) return JSON.stringify({ cursor, entry });
  return `${time(entry.timestamp)}  ${printable(entry.describe())}`;
}

/** A reader that is slower than the log must not make the process grow. */
async function untilTaken({ output }: Session, signal: AbortSignal): Promise<void> {
  if (!output.stdout.writableNeedDrain) return;
  await once(output.stdout, 'drain', { signal }).catch(() => null);
}

async function tail(session: Session, { after, model: models }: Flags): Promise<void> {
  const { auditLog, output, signal } = session;
  const ends = AbortSignal.any([signal, output.unread]);
  let last: string | null = null;
  for await (const each of auditLog.tail({ after: after === 'oldest' ? null : after, signal: ends })) {
    if (models === undefined || models.includes(each.entry.model)) {
      output.data(lineOf(each, output.isJson));
      await untilTaken(session, ends);
    }
    // Whoever closed the pipe may not have read this one.
    if (output.unread.aborted) return;
    last = each.cursor;
  }
  if (!signal.aborted) return;
  const advice = last === null ? 'No entry came.' : `To go on from here: --after ${last}`;
  throw new Interrupted(advice);
}

export function addTail(program: Command, runner: Runner): void {
  program
    .command('tail')
    .description('follow the log: entries of all processes as they are committed, until Ctrl-C')
    .option('--after <cursor>', 'go on behind this cursor; now, or oldest for all that is there', 'now')
    .option('--model <name>', 'only entries of this model (repeatable)', collect)
    .action(runner.inSession(tail, { endsItself: true }));
}
