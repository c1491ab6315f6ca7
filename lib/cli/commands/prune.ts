import { Option, type Command } from 'commander';
import type * as Pruning from '../../retention/prune';
import type { PruneOptions, PruneProgress, PruneResult } from '../../retention/prune';
import type * as Ages from '../../retention/prune-options';
import { collect, wholeNumber } from '../arguments';
import { EXIT, Interrupted, UsageError, type ExitCode } from '../exit-codes';
import { fileFrom } from '../new-files';
import type { Runner, Session } from '../runner';
import { counted, entries, time } from '../texts';

interface Flags {
  readonly olderThan: string;
  readonly model?: readonly string[];
  readonly keepLast?: number;
  readonly batch?: number;
  readonly archiveTo?: string;
  readonly to?: string;
  readonly dryRun?: boolean;
}

const ONLY_ENTRIES =
  'Only entries are looked at: --require names the module with the models, whose versions could go too.';

interface Counts {
  readonly entries: number;
  readonly versions: number;
}

type Options = Omit<PruneOptions, 'dryRun' | 'onProgress'>;

function optionsOf({ host }: Session, { olderThan, model, keepLast, batch, archiveTo }: Flags): Options {
  return {
    olderThan,
    ...(model && { models: model }),
    ...(keepLast !== undefined && { keepLast }),
    ...(batch !== undefined && { batchSize: batch }),
    ...(archiveTo !== undefined && { archiveTo: fileFrom(host, archiveTo) }),
  };
}

function sumOf(result: PruneResult): Counts {
  const all = Object.values(result);
  const sum = (key: keyof Counts): number => all.reduce((total, each) => total + each[key], 0);
  return { entries: sum('entries'), versions: sum('versions') };
}

function both(counts: Counts): string {
  return `${entries(counts.entries)} and ${counted(counts.versions, 'version')}`;
}

/** The limit as it was given, and where that is an age, the time that it means. */
function limitOf(options: Options): string {
  const { resolvePrune } = require('../../retention/prune-options') as typeof Ages;
  const { olderThan } = resolvePrune(options);
  if ('time' in olderThan) return olderThan.time;
  return `${String(options.olderThan)} (${time(new Date(Date.now() - olderThan.ageMs))} UTC)`;
}

/** `12,345 entries and 678 versions older than 365d (2025-11-22 00:00:00 UTC). Order: …; Item: …` */
function described(result: PruneResult, limit: string): string {
  const models = Object.entries(result).filter(([, each]) => each.entries + each.versions > 0);
  const perModel = models.map(([model, counts]) => `${model}: ${both(counts)}`).join('; ');
  return `${both(sumOf(result))} older than ${limit}.${perModel === '' ? '' : ` ${perModel}.`}`;
}

const VERBS = { archive: 'Archiving', remove: 'Deleting' } as const;

/** Shows how far it has come, and remembers what is gone for good. */
class Course {
  #removed: Counts = { entries: 0, versions: 0 };
  #hasBegun = false;
  readonly #session: Session;
  readonly #total: number | undefined;

  constructor(session: Session, total: number | undefined) {
    this.#session = session;
    this.#total = total;
  }

  readonly onProgress = (progress: PruneProgress): void => {
    const { phase, model } = progress;
    this.#hasBegun = true;
    if (phase === 'remove') this.#removed = progress;
    const done = progress.entries + progress.versions;
    this.#session.output.progress.update(`${VERBS[phase]} ${model}: ${both(progress)}`, done, this.#total);
  };

  /** What is refused before anything is done would be refused again. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  get advice(): string {
    return `Stopped after deleting ${both(this.#removed)}; the rest is still there. Run the same command again: it goes on from here.`;
  }
}

/** Deletes, and says how far it came when it can't finish: nobody may believe night after night that all is well. */
async function remove(session: Session, options: Options, limit: string, total?: number): Promise<void> {
  const { foundation, output, signal } = session;
  const pruning = require('../../retention/prune') as typeof Pruning;
  const course = new Course(session, total);
  const all = { ...options, onProgress: course.onProgress };
  const result = await pruning.prune(foundation.settings, all, signal).catch((error: unknown) => {
    if (course.hasBegun) output.error(course.advice);
    throw error;
  });
  if (signal.aborted) throw new Interrupted(course.advice);
  output.answer(result, `Deleted ${described(result, limit)}`);
}

async function count(session: Session, options: Options): Promise<PruneResult> {
  const { foundation, output, signal } = session;
  const pruning = require('../../retention/prune') as typeof Pruning;
  const onProgress = (progress: PruneProgress): void => output.progress.update(`Counting: ${both(progress)}`);
  const counts = await pruning.prune(foundation.settings, { ...options, dryRun: true, onProgress }, signal);
  session.mayGoOn('Nothing was deleted.');
  return counts;
}

async function prune(session: Session, flags: Flags): Promise<ExitCode> {
  const { flags: globalFlags, hasModels, output } = session;
  const options = optionsOf(session, flags);
  const limit = limitOf(options);
  if (!hasModels) output.note(ONLY_ENTRIES);
  if (globalFlags.yes && flags.dryRun !== true) {
    await remove(session, options, limit);
    return EXIT.done;
  }
  const counts = await count(session, options);
  if (flags.dryRun === true) {
    output.answer(counts, `Would delete ${described(counts, limit)}`);
    return EXIT.done;
  }
  if (await session.confirm(`This deletes ${described(counts, limit)} Go on?`)) {
    const { entries: some, versions } = sumOf(counts);
    await remove(session, options, limit, some + versions);
    return EXIT.done;
  }
  output.note('Nothing was deleted.');
  return EXIT.error;
}

async function archive(session: Session, { to, ...flags }: Flags): Promise<ExitCode> {
  const archiveTo = to ?? flags.archiveTo;
  if (archiveTo === undefined) throw new UsageError('archive: --to names the folder of the archive.');
  return prune(session, { ...flags, archiveTo });
}

function addCommon(command: Command): Command {
  return command
    .requiredOption('--older-than <age>', 'a time, or an age such as 365d: what is strictly older goes')
    .option('--model <name>', 'only entries and versions of this model (repeatable)', collect)
    .option('--keep-last <n>', 'so many of the newest of each object stay, however old', wholeNumber(0))
    .option('--batch <n>', 'rows per transaction', wholeNumber(1))
    .option('--dry-run', 'count and change nothing');
}

const MANNER = { endsItself: true, isDestructive: true };

export function addPrune(program: Command, runner: Runner): void {
  addCommon(program.command('prune'))
    .description(
      'delete old entries and versions, except what is needed to read objects that are still alive',
    )
    .option('--archive-to <folder>', 'keep them in files there first')
    .action(runner.inSession(prune, MANNER));
}

export function addArchive(program: Command, runner: Runner): void {
  addCommon(program.command('archive'))
    .description('move old entries and versions into files: prune with --archive-to')
    .option('--to <folder>', 'required: folder of the archive; of one that was begun, it goes on there')
    .addOption(new Option('--archive-to <folder>').hideHelp())
    .action(runner.inSession(archive, MANNER));
}
