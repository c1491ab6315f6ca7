import type * as Fs from 'node:fs';
import { Option, type Command } from 'commander';
import type { WhereOptions } from 'sequelize';
import type { LogEntryAttributes } from '../../core/types';
import { lazily } from '../../core/lazily';
import type * as Exporting from '../../history/export';
import type { EntriesExport, ExportResult } from '../../history/export';
import type { ExportFormat } from '../../history/export-format';
import type { EntryFilter, TimeBound } from '../../web/search/entry-filter';
import type * as Where from '../../web/search/where';
import { collect, since, until } from '../arguments';
import { fileFrom } from '../new-files';
import type { Runner, Session } from '../runner';
import { entries, grouped } from '../texts';

const fs = lazily(() => require('node:fs') as typeof Fs);

interface Flags {
  readonly format: ExportFormat;
  readonly out?: string;
  readonly since?: TimeBound;
  readonly until?: TimeBound;
  readonly model?: readonly string[];
  readonly actor?: readonly string[];
  readonly action?: readonly string[];
}

/** Means what the same filter means on the pages. */
function whereOf({ foundation }: Session, flags: Flags): WhereOptions<LogEntryAttributes> {
  const { entryWhere } = require('../../web/search/where') as typeof Where;
  const choices = (['model', 'actor', 'action'] as const).flatMap((key) =>
    flags[key] === undefined ? [] : [[key, { any: flags[key], none: [] }] as const],
  );
  const filter: EntryFilter = {
    ...Object.fromEntries(choices),
    ...(flags.since && { since: flags.since }),
    ...(flags.until && { until: flags.until }),
  };
  return entryWhere(filter, { sequelize: foundation.settings.sequelize });
}

/** Half an export must not look whole, so a file has its name when it is complete. */
async function toFile(
  session: Session,
  name: string,
  write: (to: EntriesExport['to']) => Promise<ExportResult>,
): Promise<ExportResult> {
  const file = fileFrom(session.host, name);
  const part = `${file}.${process.pid}.part`;
  try {
    const result = await write(fs().createWriteStream(part));
    await fs().promises.rename(part, file);
    return result;
  } catch (error) {
    await fs().promises.rm(part, { force: true });
    session.mayGoOn(`${name} was not written. Run the same command again: an export begins anew.`);
    throw error;
  }
}

async function toStdout(
  session: Session,
  write: (to: EntriesExport['to']) => Promise<ExportResult>,
): Promise<ExportResult | null> {
  const { output } = session;
  try {
    return await write(output.stdout);
  } catch (error) {
    if (output.unread.aborted) return null;
    session.mayGoOn('What was written is not whole. Run the same command again: an export begins anew.');
    throw error;
  }
}

async function exportEntries(session: Session, flags: Flags): Promise<void> {
  const { foundation, output, signal } = session;
  const exporting = require('../../history/export') as typeof Exporting;
  const isShown = flags.out === undefined && output.stdout.isTTY === true;
  const write = (to: EntriesExport['to']): Promise<ExportResult> =>
    exporting.exportEntries(foundation.settings, {
      format: flags.format,
      where: whereOf(session, flags),
      to,
      end: flags.out !== undefined,
      signal,
      onProgress: ({ entries: done }) => {
        // Not between the lines of the entries themselves.
        if (!isShown) output.progress.update(`${entries(done)} exported`);
      },
    });
  const result =
    flags.out === undefined ? await toStdout(session, write) : await toFile(session, flags.out, write);
  if (result === null) return;
  const { bytes, sha256 } = result;
  const sentence = `Exported ${entries(result.entries)}, ${grouped(bytes)} bytes, SHA-256 ${sha256}.`;
  output.note(output.isJson ? JSON.stringify(result) : sentence);
}

export function addExport(program: Command, runner: Runner): void {
  program
    .command('export')
    .description('write entries to stdout or a file, oldest first')
    .addOption(
      new Option('--format <format>', 'form of the entries').choices(['ndjson', 'csv']).default('ndjson'),
    )
    .option('--out <file>', 'file to write instead of stdout; it has this name when it is complete')
    .option('--since <time>', 'entries of this day or time and later, or of the last 90d', since)
    .option('--until <time>', 'entries before this time, or of this day and earlier', until)
    .option('--model <name>', 'entries of this model (repeatable)', collect)
    .option('--actor <id>', 'entries by this actor: an id, or how the label begins (repeatable)', collect)
    .option('--action <action>', 'entries with this action, such as delete (repeatable)', collect)
    .action(runner.inSession(exportEntries, { endsItself: true }));
}
