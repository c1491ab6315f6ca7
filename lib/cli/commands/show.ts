import type { Command } from 'commander';
import type * as ObjectStates from '../../past/state';
import type * as Diffs from '../../past/diff';
import type { LogEntry } from '../../schema/log-entry';
import { wholeNumber } from '../arguments';
import { UsageError } from '../exit-codes';
import { namedObject } from '../objects';
import { point, pointInTime, pointText, type WrittenPoint } from '../points';
import type { Runner, Session } from '../runner';
import { time } from '../texts';
import { jsonOf, textOf } from '../values';

interface Flags {
  readonly at?: WrittenPoint;
  readonly limit: number;
  readonly request?: string;
  readonly transaction?: string;
}

const LIMIT = 50;

/** Whose entries are shown: of an object, also of a model that is registered no more, of a request or a transaction. */
async function entriesFor(
  { auditLog }: Session,
  flags: Flags,
  model: string | undefined,
  pk: string | undefined,
): Promise<LogEntry[]> {
  const { LogEntry: log } = auditLog;
  // One more tells whether there are more.
  const options = { limit: flags.limit + 1 };
  if (flags.request !== undefined) return log.inRequest(flags.request, options);
  if (flags.transaction !== undefined) return log.inTransaction(flags.transaction, options);
  return log.forObject(model!, pk!, options);
}

/** @throws {UsageError} */
function checkSubject({ request, transaction, at }: Flags, model?: string, pk?: string): void {
  const isObject = model !== undefined && pk !== undefined;
  const subjects = [model !== undefined, request !== undefined, transaction !== undefined];
  if (subjects.filter(Boolean).length !== 1 || (model !== undefined && !isObject))
    throw new UsageError('show: name a model and a key, or --request, or --transaction.');
  if (at !== undefined && !isObject) throw new UsageError('show: --at needs a model and a key.');
}

function sentenceOf(entry: LogEntry): string {
  return entry.reason === null ? entry.describe() : `${entry.describe()} (${entry.reason})`;
}

function printEntries({ output }: Session, entries: readonly LogEntry[], limit: number): void {
  const shown = entries.slice(0, limit);
  if (output.isJson) output.json(shown);
  else if (shown.length > 0)
    output.table(
      [{ head: 'TIME (UTC)' }, { head: 'ENTRY', align: 'right' }, { head: 'WHAT' }],
      shown.map((entry) => [time(entry.timestamp), entry.id, sentenceOf(entry)]),
    );
  if (shown.length === 0) output.note('The log has no entry of it.');
  if (entries.length > limit) output.note(`These are the newest ${limit}; there are more (--limit).`);
}

async function showState(session: Session, at: WrittenPoint, model: string, pk: string): Promise<void> {
  const { foundation, output } = session;
  const { stateOf } = require('../../past/state') as typeof ObjectStates;
  const { requireThere } = require('../../past/diff') as typeof Diffs;
  const object = namedObject(session, model, pk);
  const { registration, key } = object;
  const when = await pointInTime(session, object, at);
  const found = await stateOf(foundation.settings, foundation.snapshots, registration, key, when);
  const { values, unknown } = requireThere('show', registration, key, found);
  if (output.isJson) {
    const known = Object.entries(values).map(([name, value]) => [name, jsonOf(value)]);
    const answer = { values: Object.fromEntries(known), unknown: Object.fromEntries(unknown) };
    return output.json({ model, objectPk: pk, at: pointText(at), ...answer });
  }
  const rows = [
    ...Object.entries(values).map(([name, value]) => [name, textOf(value)]),
    ...[...unknown].map(([name, why]) => [name, `(${why})`]),
  ];
  return output.table([{ head: 'ATTRIBUTE' }, { head: 'VALUE' }], rows);
}

async function show(session: Session, flags: Flags, ...[model, pk]: (string | undefined)[]): Promise<void> {
  checkSubject(flags, model, pk);
  if (flags.at !== undefined) return showState(session, flags.at, model!, pk!);
  return printEntries(session, await entriesFor(session, flags, model, pk), flags.limit);
}

export function addShow(program: Command, runner: Runner): void {
  program
    .command('show')
    .argument('[model]', 'name under which the model is registered')
    .argument('[key]', 'primary key; of several columns a JSON array, such as ["7","A1"]')
    .description('what happened to an object, newest first, or what it was at a time')
    .option('--at <point>', 'its state at this time, or right after this entry or version', point)
    .option('--request <id>', 'instead of an object: what one request did')
    .option('--transaction <id>', 'instead of an object: what one transaction did')
    .option('--limit <n>', 'at most so many entries', wholeNumber(1), LIMIT)
    .action(runner.inSession(show as never));
}
