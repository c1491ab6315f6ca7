import type * as Path from 'node:path';
import { lazily } from '../core/lazily';
import { logTable } from '../history/settings';
import { quoteTable } from '../schema/quote';
import { ARCHIVE_SETTINGS, versionLine } from '../statement/archive';
import { lockAgainstCleaning } from '../statement/duplicates';
import { entryLine } from '../statement/entry-texts';
import { idsOfTimes, linesOf } from '../statement/prune-removal';
import { versionsAmong, type VersionsPage } from '../statement/prune-versions';
import {
  archiveError,
  type Archive,
  type ArchivedFile,
  type ArchiveHeader,
  type ArchivePart,
} from './archive-manifest';
import { finishedArchive, ArchiveWriter } from './archive-writer';
import type { ArchivedRow } from './archive-lines';
import { rowsOf } from './archive-reader';
import type { PruneOptions, PruneResult } from './prune';
import type { PlannedModel, PlannedVersions } from './prune-plan';
import { removeBatch, Tally, walkModels, withMark, type Removal, type RunSettings } from './prune-run';
import { inBatch, type Batch, type BatchWork } from './prune-walk';

const path = lazily(() => require('node:path') as typeof Path);

/** What tells two prunes apart: a folder is only gone on with for the same. */
export function archiveHeader(run: RunSettings, { olderThan, models }: PruneOptions): ArchiveHeader {
  const { settings, plan, options } = run;
  const { database } = settings.sequelize.config as { readonly database?: string };
  return {
    log: `${database ?? ''}: ${quoteTable(logTable(settings))}`,
    olderThan: plan.olderThan,
    request: {
      olderThan: olderThan instanceof Date ? olderThan.toISOString() : olderThan,
      models: models === undefined ? 'all' : plan.models.map(({ name }) => name).join(', '),
      keepLast: String(options.keepLast),
    },
  };
}

function partOf(run: RunSettings, { name: model, versions }: PlannedModel, kind: Batch['kind']): ArchivePart {
  if (kind === 'entries' || versions === null)
    return { kind, model, table: quoteTable(logTable(run.settings)) };
  const { history, keys, columns } = versions;
  return { kind, model, table: quoteTable(history), keys, columns };
}

/** The rows of a batch as lines of an archive. */
async function linesOfBatch(run: RunSettings, { versions }: PlannedModel, batch: Batch): Promise<string[]> {
  const { kind, ids, query } = batch;
  const sql =
    kind === 'entries'
      ? linesOf(logTable(run.settings), '"id"', entryLine('e'))
      : linesOf(
          versions!.history,
          '"history_id"',
          versionLine(
            versions!.columns.map(({ name }) => name),
            'e',
          ),
        );
  await query(ARCHIVE_SETTINGS, []);
  const { rows } = await query(sql, [ids]);
  return rows.map((row) => (row as { line: string }).line);
}

/** Writes what will go; null when the work was stopped: then nothing goes. */
async function writeArchive(
  run: RunSettings,
  folder: string,
  header: ArchiveHeader,
): Promise<Archive | null> {
  const writer = await ArchiveWriter.begin(folder, header);
  const tally = new Tally(run, 'archive');
  const workOf =
    (model: PlannedModel): BatchWork =>
    async (batch) => {
      const lines = await linesOfBatch(run, model, batch);
      return async () => {
        await writer.add(partOf(run, model, batch.kind), lines);
        await tally.add(model.name, batch.kind, lines.length);
      };
    };
  try {
    await walkModels(run, false, workOf);
    if (run.signal?.aborted !== true) return await writer.finish();
  } catch (error) {
    await writer.abandon();
    throw error;
  }
  await writer.abandon();
  return null;
}

/** Removes what a file of the archive holds, by the ids that are read back from it. */
class ArchivedRemoval {
  readonly #run: RunSettings;
  readonly #archive: Archive;
  readonly #removal: Removal;

  constructor(run: RunSettings, archive: Archive, removal: Removal) {
    this.#run = run;
    this.#archive = archive;
    this.#removal = removal;
  }

  async file(file: ArchivedFile): Promise<void> {
    const { batchSize } = this.#run.options;
    for await (const rows of rowsOf(this.#archive, file))
      for (let at = 0; at < rows.length; at += batchSize) {
        if (this.#run.signal?.aborted === true) return;
        await this.#batch(file, rows.slice(at, at + batchSize));
      }
  }

  async #batch({ kind }: ArchivedFile, rows: readonly ArchivedRow[]): Promise<void> {
    const versions = kind === 'versions' ? this.#versions() : null;
    const settle = await inBatch(this.#run, async (query, transaction) => {
      const here = await this.#sameHere(versions, query, rows);
      const ids = versions ? await this.#stillSpare(versions, query, here) : here;
      return removeBatch(this.#run, this.#removal, { kind, ids, query, transaction }, versions?.history);
    });
    await settle();
  }

  #versions(): PlannedVersions {
    const { model } = this.#removal;
    const planned = this.#run.plan.models.find(({ name }) => name === model)?.versions;
    if (planned) return planned;
    const seen = `it holds versions of ${model}, which is not registered with snapshots here`;
    throw archiveError(this.#archive.folder, seen, 'Load the module that registers your models first.');
  }

  /** Of a copy of the database with the same name the archive may be, and what the copy has written since is not in it. */
  async #sameHere(
    versions: PlannedVersions | null,
    query: Batch['query'],
    rows: readonly ArchivedRow[],
  ): Promise<readonly string[]> {
    const sql = versions
      ? idsOfTimes(versions.history, '"history_id"', '"history_date"')
      : idsOfTimes(logTable(this.#run.settings), '"id"', '"timestamp"');
    const given = [rows.map(({ id }) => id), rows.map(({ time }) => time)];
    return ((await query(sql, given)).rows[0] as { readonly ids: readonly string[] }).ids;
  }

  /** The clean-up of duplicates may meanwhile have removed the newer version that made an older one spare. */
  async #stillSpare(
    versions: PlannedVersions,
    query: Batch['query'],
    given: readonly string[],
  ): Promise<readonly string[]> {
    await query(lockAgainstCleaning(versions.history), []);
    const { rows } = await query(versionsAmong(versions), [this.#removal.olderThan, given]);
    return (rows[0] as VersionsPage).ids;
  }
}

async function removeArchived(run: RunSettings, archive: Archive): Promise<Tally> {
  const tally = new Tally(run, 'remove');
  const { olderThan, files } = archive.manifest;
  const name = path().basename(path().resolve(archive.folder));
  for (const model of new Set(files.map((file) => file.model))) {
    await withMark(run, model, { olderThan, archive: name }, async (mark) => {
      const removal = new ArchivedRemoval(run, archive, { model, olderThan, mark, tally });
      for (const file of files.filter((each) => each.model === model)) await removal.file(file);
    });
  }
  return tally;
}

/** A job that names the same folder every night would go on for years without removing anything. */
function requireOpen({ folder, manifest }: Archive, run: RunSettings, { total }: Tally): void {
  const isDone = total.entries + total.versions === 0 && manifest.olderThan !== run.plan.olderThan;
  if (!isDone || run.signal?.aborted === true) return;
  const seen = `it is the archive of a prune that was finished, of what is older than ${manifest.olderThan}`;
  throw archiveError(folder, seen, 'Choose another folder for each prune.');
}

/**
 * Writes what goes into an archive, which is read back and found whole before anything is removed. Goes on with the archive that a
 * run before this one finished in the folder.
 *
 * @throws {AuditError} ERR_AUDIT_ARCHIVE
 */
export async function archiveAndRemove(
  run: RunSettings,
  folder: string,
  header: ArchiveHeader,
): Promise<PruneResult> {
  const finished = await finishedArchive(folder, header);
  const archive = finished ?? (await writeArchive(run, folder, header));
  if (archive === null) return new Tally(run, 'remove').result;
  const tally = await removeArchived(run, archive);
  if (finished) requireOpen(finished, run, tally);
  return tally.result;
}
