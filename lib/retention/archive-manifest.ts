import type * as Fs from 'node:fs/promises';
import type * as Path from 'node:path';
import type * as Zod from 'zod';
import { AuditError } from '../core/errors';
import { lazily } from '../core/lazily';
import { digestOf } from '../core/node';

const fs = lazily(() => require('node:fs/promises') as typeof Fs);
const path = lazily(() => require('node:path') as typeof Path);
const zod = lazily(() => require('zod') as typeof Zod);

/** Of the form of files and manifest; an archive of another one is not read. */
export const ARCHIVE_FORMAT = 'sequelize-auditlog archive 1';
export const MANIFEST = 'manifest.json';
/** What stands in a folder from the beginning, so that what a broken-off run left is known for its own. */
export const UNFINISHED = 'unfinished.json';

/** A column as its table had it. */
export interface ArchivedColumn {
  readonly name: string;
  /** As `format_type` writes it. */
  readonly type: string;
}

/** What the lines of a file are of. */
export interface ArchivePart {
  readonly kind: 'entries' | 'versions';
  /** The name under which entries are stored. */
  readonly model: string;
  /** The table that the lines were read from. */
  readonly table: string;
  /** Columns of the key of the model, by which versions are looked for. */
  readonly keys?: readonly string[] | undefined;
  /** Columns of a history table, in its order; an entry's are known. */
  readonly columns?: readonly ArchivedColumn[] | undefined;
}

/** One NDJSON.gz file. */
export interface ArchivedFile extends ArchivePart {
  /** In the archive's folder. */
  readonly name: string;
  /** Lines. */
  readonly count: number;
  /** The lowest and the highest id, and the earliest and latest time, of its lines. */
  readonly firstId: string;
  readonly lastId: string;
  readonly firstTime: string;
  readonly lastTime: string;
  /** Of the file as it is, compressed. */
  readonly bytes: number;
  readonly sha256: string;
}

/** What is known before the first line is written. */
export interface ArchiveHeader {
  /** Which log, in which database: what is restored of two must not be mixed. */
  readonly log: string;
  /** ISO-8601 in UTC, with microseconds: what is strictly older. */
  readonly olderThan: string;
  /**
   * What was asked for, as texts: a folder is only gone on with by the very same, of the same log. `olderThan` is not compared,
   * since an age such as `365d` means another time tomorrow.
   */
  readonly request: Readonly<Record<string, string>>;
}

export interface ArchiveManifest extends ArchiveHeader {
  readonly format: string;
  /** Version of the library that wrote it. */
  readonly version: string;
  readonly createdAt: string;
  readonly files: readonly ArchivedFile[];
}

/** An archive of which every file was read and found to be what the manifest says. */
export interface Archive {
  readonly folder: string;
  readonly manifest: ArchiveManifest;
}

/** The one sentence of what is wrong with an archive. */
export function archiveError(file: string, seen: string, advice: string, cause?: unknown): AuditError {
  return new AuditError(
    'ERR_AUDIT_ARCHIVE',
    `Archive: ${file}: ${seen}. ${advice}`,
    cause === undefined ? {} : { cause },
  );
}

export function codeOf(error: unknown): string | undefined {
  return (error as { code?: string } | null)?.code;
}

const REFETCH = 'Fetch the folder again from where it is kept.';

/** A plain name: a manifest leads to no file outside its folder. */
const FILE_NAME = /^[\w-]+\.ndjson\.gz$/;

/** As `exactTimeSql` writes it: such texts are in the order of their times. */
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$/;

const manifestSchema = lazily(() => {
  const { z } = zod();
  const column = z.object({ name: z.string(), type: z.string() });
  const file = z.object({
    name: z.string().regex(FILE_NAME),
    kind: z.enum(['entries', 'versions']),
    model: z.string(),
    table: z.string(),
    keys: z.array(z.string()).optional(),
    columns: z.array(column).optional(),
    count: z.int().positive(),
    firstId: z.string(),
    lastId: z.string(),
    firstTime: z.string(),
    lastTime: z.string(),
    bytes: z.int().positive(),
    sha256: z.string(),
  });
  return z.object({
    format: z.literal(ARCHIVE_FORMAT),
    version: z.string(),
    createdAt: z.string(),
    log: z.string(),
    olderThan: z.string().regex(TIME),
    request: z.record(z.string(), z.string()),
    files: z.array(file),
  });
});

/** Text of `manifest.json`: with a digest of itself, since nothing else would tell that a name or a column in it was changed. */
export function manifestText(manifest: ArchiveManifest): string {
  const sha256 = digestOf('sha256', JSON.stringify(manifest), 64);
  return `${JSON.stringify({ ...manifest, sha256 }, null, 2)}\n`;
}

function parsed(file: string, text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch (error) {
    throw archiveError(file, 'it is not JSON, so it was cut off or changed', REFETCH, error);
  }
  throw archiveError(file, 'it holds no object', REFETCH);
}

/** @throws {AuditError} ERR_AUDIT_ARCHIVE */
function checkedManifest(file: string, text: string): ArchiveManifest {
  const { sha256, ...rest } = parsed(file, text);
  if (rest['format'] !== ARCHIVE_FORMAT) {
    const seen = `its format is ${JSON.stringify(rest['format'] ?? null)}, expected "${ARCHIVE_FORMAT}"`;
    throw archiveError(file, seen, 'Read it with the version of the library that wrote it.');
  }
  const found = digestOf('sha256', JSON.stringify(rest), 64);
  if (sha256 !== found) {
    const seen = `its content has the SHA-256 ${found}, expected ${String(sha256)}`;
    throw archiveError(file, seen, REFETCH);
  }
  const checked = manifestSchema().safeParse(rest);
  if (!checked.success)
    throw archiveError(file, zod().z.prettifyError(checked.error), REFETCH, checked.error);
  return checked.data;
}

/** The manifest of a folder; null when it has none. @throws {AuditError} ERR_AUDIT_ARCHIVE when it isn't whole */
export async function readManifest(folder: string): Promise<ArchiveManifest | null> {
  const file = path().join(folder, MANIFEST);
  let text: string;
  try {
    text = await fs().readFile(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw archiveError(file, 'it could not be read', 'See the cause.', error);
  }
  return checkedManifest(file, text);
}
