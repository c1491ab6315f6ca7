import type { Command } from 'commander';
import type { Registration } from '../../capture/registry';
import { didYouMean } from '../../core/suggest';
import type * as Populating from '../../history/populate';
import { wholeNumber } from '../arguments';
import { UsageError } from '../exit-codes';
import type { Runner, Session } from '../runner';
import { counted, grouped } from '../texts';

interface Flags {
  readonly all?: boolean;
  readonly batch?: number;
  readonly dryRun?: boolean;
}

/** What stands between names rather than in one. */
const SEPARATOR = /[\s,;:/\\.]/;

function problemOf({ foundation }: Session, name: string): string {
  const { registry, sequelize } = foundation.settings;
  if (registry.registrations.some((each) => each.name === name))
    return `"${name}" is registered without snapshots, so it has no versions: registerAudited(${name}, { snapshots: true }).`;
  if (sequelize.isDefined(name))
    return `"${name}" is not registered: registerAudited(${name}, { snapshots: true }).`;
  if (name === '' || SEPARATOR.test(name))
    return `"${name}" is no name of a model: give names one by one, as they are registered.`;
  const known = registry.registrations.map((each) => each.name);
  return `There is no model "${name}".${didYouMean(name, known)}`;
}

function versioned({ foundation }: Session): readonly Registration[] {
  return foundation.settings.registry.registrations.filter(({ options }) => options.snapshots);
}

/** @throws {UsageError} naming everything that is wrong, before anything is written for any of them */
function chosen(session: Session, names: readonly string[], flags: Flags): readonly Registration[] {
  const all = versioned(session);
  if (flags.all === true && names.length > 0)
    throw new UsageError('populate: give names of models, or --all, not both.');
  if (flags.all === true) return all;
  if (names.length === 0)
    throw new UsageError('populate: nothing is written without names of models. Give some, or --all.');
  const byName = new Map(all.map((registration) => [registration.name, registration]));
  const wrong = names.filter((name) => !byName.has(name));
  if (wrong.length > 0)
    throw new UsageError(wrong.map((name) => `populate: ${problemOf(session, name)}`).join('\n'));
  return [...new Set(names)].map((name) => byName.get(name)!);
}

async function write(session: Session, registration: Registration, flags: Flags): Promise<number> {
  const { foundation, output } = session;
  const { populate, countUnpopulated } = require('../../history/populate') as typeof Populating;
  if (flags.dryRun === true) return countUnpopulated(foundation.settings, registration);
  const { written } = await populate(foundation.settings, registration, {
    ...(flags.batch !== undefined && { batchSize: flags.batch }),
    onProgress: ({ done, total }) => {
      output.progress.update(`${registration.name}: ${grouped(done)} of ${grouped(total)}`, done, total);
      session.mayGoOn(
        `Stopped after ${counted(done, 'version')} of ${registration.name}. Run the same command again: it goes on from here.`,
      );
    },
  });
  return written;
}

async function populateModels(session: Session, flags: Flags, names: readonly string[]): Promise<void> {
  const { hasModels, output } = session;
  if (!hasModels)
    throw new UsageError('populate needs the models: --require names the module that exports auditLog.');
  const registrations = chosen(session, names, flags);
  if (registrations.length === 0) output.note('No registered model has snapshots.');
  const [verb, key] =
    flags.dryRun === true ? (['would get', 'lacking'] as const) : (['got', 'written'] as const);
  const result: Record<string, Record<string, number>> = {};
  for (const registration of registrations) {
    const count = await write(session, registration, flags);
    result[registration.name] = { [key]: count };
    if (!output.isJson)
      output.answer(null, `${registration.name}: ${counted(count, 'row')} ${verb} a first version.`);
  }
  if (output.isJson) output.json(result);
}

export function addPopulate(program: Command, runner: Runner): void {
  program
    .command('populate')
    .description('write a first version of every row that has none (needs --require)')
    .argument('[models...]', 'names of models, as they are registered')
    .option('--all', 'all models with snapshots')
    .option('--batch <n>', 'rows per transaction', wholeNumber(1))
    .option('--dry-run', 'count and write nothing')
    .action(runner.inSession(populateModels, { endsItself: true }));
}
