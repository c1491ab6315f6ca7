import type * as Crypto from 'node:crypto';
import type * as Fs from 'node:fs';
import type * as Path from 'node:path';
import type * as Streams from 'node:stream/promises';
import type * as Zlib from 'node:zlib';
import { isAuditError } from '../core/errors';
import { lazily } from '../core/lazily';
import { LineSummary, type ArchivedRow, type LinesFound } from './archive-lines';
import {
  archiveError,
  codeOf,
  MANIFEST,
  readManifest,
  UNFINISHED,
  type Archive,
  type ArchivedFile,
} from './archive-manifest';

const crypto = lazily(() => require('node:crypto') as typeof Crypto);
const fs = lazily(() => require('node:fs') as typeof Fs);
const path = lazily(() => require('node:path') as typeof Path);
const streams = lazily(() => require('node:stream/promises') as typeof Streams);
const zlib = lazily(() => require('node:zlib') as typeof Zlib);

const REFETCH = 'Fetch the folder again from where it is kept.';
const BATCH_LINES = 1000;
const BATCH_CHARACTERS = 1024 * 1024;
/** No line of an archive is longer, as Node.js could hardly hold it; a few damaged bytes may inflate to anything. */
const MAX_LINE = 2 ** 28;

/** Not by `readline`, which also ends a line at characters that JSON doesn't escape. Memory holds one line and one batch. */
async function* batchesOf(file: string, chunks: AsyncIterable<string>): AsyncGenerator<string[], string> {
  let [batch, size, rest]: [string[], number, string[]] = [[], 0, []];
  for await (const chunk of chunks) {
    if (size > MAX_LINE) throw archiveError(file, `a line has more than ${MAX_LINE} characters`, REFETCH);
    const [head = '', ...tails] = chunk.split('\n');
    rest.push(head);
    for (const tail of tails) {
      batch.push(rest.join(''));
      rest = [tail];
    }
    size += chunk.length;
    if (batch.length === 0 || (batch.length < BATCH_LINES && size < BATCH_CHARACTERS)) continue;
    yield batch;
    [batch, size] = [[], 0];
  }
  if (batch.length > 0) yield batch;
  return rest.join('');
}

/** The lines of a file, some at a time. @throws {AuditError} ERR_AUDIT_ARCHIVE when it isn't whole */
async function* readLines(file: string): AsyncGenerator<readonly string[], void> {
  const [source, gunzip] = [fs().createReadStream(file), zlib().createGunzip()];
  const reading = streams().pipeline(source, gunzip);
  reading.catch(() => undefined);
  try {
    gunzip.setEncoding('utf8');
    const rest = yield* batchesOf(file, gunzip);
    await reading;
    if (rest !== '') throw archiveError(file, 'its last line was cut off', REFETCH);
  } catch (error) {
    throw isAuditError(error) ? error : archiveError(file, 'it could not be read to its end', REFETCH, error);
  } finally {
    source.destroy();
  }
}

function pathOf({ folder }: Pick<Archive, 'folder'>, { name }: ArchivedFile): string {
  return path().join(folder, name);
}

/** The lines of one file of an archive, in batches. @throws {AuditError} ERR_AUDIT_ARCHIVE */
export function linesOf(archive: Archive, file: ArchivedFile): AsyncGenerator<readonly string[], void> {
  return readLines(pathOf(archive, file));
}

/** The ids and times of one file of an archive, in batches; at its end they were all that the manifest counts. @throws {AuditError} ERR_AUDIT_ARCHIVE */
export async function* rowsOf(
  archive: Archive,
  file: ArchivedFile,
): AsyncGenerator<readonly ArchivedRow[], void> {
  const where = pathOf(archive, file);
  const summary = new LineSummary(where);
  for await (const lines of readLines(where)) yield summary.add(lines);
  requireFound(where, summary.found(), file);
}

function requireSame(file: string, what: string, seen: unknown, expected: unknown): void {
  if (seen !== expected)
    throw archiveError(file, `${what} ${String(seen)}, expected ${String(expected)}`, REFETCH);
}

/** @throws {AuditError} ERR_AUDIT_ARCHIVE */
function requireFound(where: string, found: LinesFound, file: ArchivedFile): void {
  requireSame(where, 'its lines are', found.count, file.count);
  requireSame(where, 'its lowest id is', found.firstId, file.firstId);
  requireSame(where, 'its highest id is', found.lastId, file.lastId);
  requireSame(where, 'its earliest time is', found.firstTime, file.firstTime);
  requireSame(where, 'its latest time is', found.lastTime, file.lastTime);
}

async function sizeOf(where: string): Promise<number> {
  try {
    return (await fs().promises.stat(where)).size;
  } catch (error) {
    const seen = codeOf(error) === 'ENOENT' ? 'it is missing' : 'it could not be read';
    throw archiveError(where, seen, REFETCH, error);
  }
}

async function digestOfFile(where: string): Promise<string> {
  const hash = crypto().createHash('sha256');
  try {
    for await (const chunk of fs().createReadStream(where)) hash.update(chunk as Buffer);
  } catch (error) {
    throw archiveError(where, 'it could not be read', REFETCH, error);
  }
  return hash.digest('hex');
}

/** Reads a file from the first byte to the last. @throws {AuditError} ERR_AUDIT_ARCHIVE */
async function verifyFile(folder: string, file: ArchivedFile): Promise<void> {
  const where = pathOf({ folder }, file);
  requireSame(where, 'its bytes are', await sizeOf(where), file.bytes);
  requireSame(where, 'its SHA-256 is', await digestOfFile(where), file.sha256);
  const summary = new LineSummary(where);
  for await (const lines of readLines(where)) {
    summary.add(lines);
    // The digest was right, so the manifest is not: no reason to read on for as long as it inflates to something.
    if (summary.count > file.count) break;
  }
  requireFound(where, summary.found(), file);
}

/** Reads every file from the first byte to the last. @throws {AuditError} ERR_AUDIT_ARCHIVE */
export async function verifyFiles({ folder, manifest }: Archive): Promise<void> {
  for (const file of manifest.files) await verifyFile(folder, file);
}

/** @throws {AuditError} ERR_AUDIT_ARCHIVE */
async function requireNothingElse(folder: string, files: readonly ArchivedFile[]): Promise<void> {
  const known = new Set([MANIFEST, UNFINISHED, ...files.map(({ name }) => name)]);
  const other = (await fs().promises.readdir(folder)).find((name) => !known.has(name));
  if (other === undefined) return;
  const seen = `it is in no list of ${MANIFEST}`;
  throw archiveError(
    path().join(folder, other),
    seen,
    'Move it elsewhere: an archive is alone in its folder.',
  );
}

/**
 * Opens an archive and reads all of it: sizes, digests, lines, ids.
 *
 * @throws {AuditError} ERR_AUDIT_ARCHIVE when it is not what its manifest says, or the folder holds none
 */
export async function openArchive(folder: string): Promise<Archive> {
  const manifest = await readManifest(folder);
  if (!manifest) {
    const seen = `it isn't there, so ${path().resolve(folder)} holds no archive, or an unfinished one`;
    throw archiveError(path().join(folder, MANIFEST), seen, 'Name the folder that prune archived to.');
  }
  await requireNothingElse(folder, manifest.files);
  const archive = { folder, manifest };
  await verifyFiles(archive);
  return archive;
}
