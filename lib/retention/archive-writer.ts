import { once } from 'node:events';
import type * as Crypto from 'node:crypto';
import type * as Fs from 'node:fs';
import type * as Path from 'node:path';
import type * as Streams from 'node:stream/promises';
import type { Gzip } from 'node:zlib';
import type * as Zlib from 'node:zlib';
import { isAuditError } from '../core/errors';
import { lazily } from '../core/lazily';
import { LineSummary } from './archive-lines';
import {
  ARCHIVE_FORMAT,
  archiveError,
  codeOf,
  MANIFEST,
  manifestText,
  readManifest,
  UNFINISHED,
  type Archive,
  type ArchivedFile,
  type ArchiveHeader,
  type ArchiveManifest,
  type ArchivePart,
} from './archive-manifest';
import { openArchive, verifyFiles } from './archive-reader';

const crypto = lazily(() => require('node:crypto') as typeof Crypto);
const fs = lazily(() => require('node:fs') as typeof Fs);
const path = lazily(() => require('node:path') as typeof Path);
const streams = lazily(() => require('node:stream/promises') as typeof Streams);
const zlib = lazily(() => require('node:zlib') as typeof Zlib);
const libraryVersion = lazily(() => (require('../../package.json') as { version: string }).version);

/** Large enough that files are few, small enough that one is soon fetched and read. */
const LINES_PER_FILE = 100_000;
const NEW_MANIFEST = `${MANIFEST}.new`;
const OWN_NAME = /^\d{4,}-(?:entries|versions)-[\w-]*\.ndjson\.gz$/;
const FREE_DISK = 'Free the disk or choose another folder, and run it again; nothing was removed.';

function isOwn(name: string): boolean {
  return name === UNFINISHED || name === NEW_MANIFEST || OWN_NAME.test(name);
}

/** The number keeps names apart, the model in it is for people. */
function nameOf(number: number, { kind, model }: ArchivePart): string {
  const plain = model.replaceAll(/[^\w]+/g, '-').slice(0, 60);
  return `${String(number).padStart(4, '0')}-${kind}-${plain}.ndjson.gz`;
}

/** @throws {AuditError} ERR_AUDIT_ARCHIVE for what the file system refuses */
async function onDisk<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isAuditError(error)) throw error;
    throw archiveError(file, `it could not be written (${String(error)})`, FREE_DISK, error);
  }
}

/** So that names, too, survive a loss of power. Windows opens no folder. */
async function flushFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await fs().promises.open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The folder's name stands in the one above it, and that one's, if it is new too, in the next. */
async function flushAbove(folder: string, firstMade: string | undefined): Promise<void> {
  const above = path().dirname(path().resolve(folder));
  try {
    await flushFolder(above);
  } catch (error) {
    // Nobody needs the right to read a folder to have made one in it before.
    if (codeOf(error) !== 'EACCES' && codeOf(error) !== 'EPERM') throw error;
  }
  if (firstMade !== undefined && above.startsWith(path().resolve(firstMade)))
    await flushAbove(above, firstMade);
}

async function writeFlushed(file: string, text: string): Promise<void> {
  const handle = await fs().promises.open(file, 'w');
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** One NDJSON.gz file while it is written. */
class PartFile {
  readonly part: ArchivePart;
  readonly #name: string;
  readonly #path: string;
  readonly #lines: LineSummary;
  readonly #hash = crypto().createHash('sha256');
  readonly #gzip: Gzip = zlib().createGzip();
  readonly #written: Promise<void>;
  #bytes = 0;

  constructor(folder: string, number: number, part: ArchivePart) {
    this.part = part;
    this.#name = nameOf(number, part);
    this.#path = path().join(folder, this.#name);
    this.#lines = new LineSummary(this.#path);
    const file = fs().createWriteStream(this.#path, { flags: 'wx', flush: true });
    this.#written = streams().pipeline(this.#gzip, (chunks) => this.#measured(chunks), file);
    // Told by the next write, or at the end.
    this.#written.catch(() => undefined);
  }

  get count(): number {
    return this.#lines.count;
  }

  async write(lines: readonly string[]): Promise<void> {
    this.#lines.add(lines);
    await onDisk(this.#path, async () => {
      if (this.#gzip.write(`${lines.join('\n')}\n`)) return;
      await Promise.race([once(this.#gzip, 'drain'), this.#written]);
    });
  }

  async close(): Promise<ArchivedFile> {
    this.#gzip.end();
    await onDisk(this.#path, () => this.#written);
    const sha256 = this.#hash.digest('hex');
    return { ...this.part, name: this.#name, ...this.#lines.found(), bytes: this.#bytes, sha256 };
  }

  async abandon(): Promise<void> {
    this.#gzip.destroy();
    await this.#written.catch(() => undefined);
  }

  async *#measured(chunks: AsyncIterable<unknown>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      this.#hash.update(chunk as Buffer);
      this.#bytes += (chunk as Buffer).length;
      yield chunk as Buffer;
    }
  }
}

function asked({ log, request }: ArchiveHeader): Readonly<Record<string, string>> {
  return { log, ...request };
}

function sameRequest(file: string, found: ArchiveHeader, header: ArchiveHeader): void {
  const [seen, expected] = [asked(found), asked(header)];
  for (const key of new Set([...Object.keys(seen), ...Object.keys(expected)])) {
    if (seen[key] === expected[key]) continue;
    const text = `it is of another prune: ${key} is ${seen[key] ?? 'not given'}, expected ${expected[key] ?? 'not given'}`;
    throw archiveError(file, text, 'Choose another folder, or ask for what that one asked for.');
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await fs().promises.readdir(folder);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw archiveError(folder, `it could not be read (${String(error)})`, 'Choose another folder.', error);
  }
}

/** What a run that was killed left behind may go: it removed nothing. @throws {AuditError} ERR_AUDIT_ARCHIVE when it is something else */
async function requireFree(folder: string, header: ArchiveHeader): Promise<void> {
  const names = await namesIn(folder);
  const other = names.find((name) => !isOwn(name) || !names.includes(UNFINISHED));
  if (other !== undefined) {
    const seen = 'it is in the folder, which was expected to be empty';
    throw archiveError(path().join(folder, other), seen, 'Choose another folder.');
  }
  if (names.length === 0) return;
  const file = path().join(folder, UNFINISHED);
  const text = await fs().promises.readFile(file, 'utf8');
  // A kill may have cut off even this one.
  if (text.endsWith('}\n')) sameRequest(file, JSON.parse(text) as ArchiveHeader, header);
}

/**
 * The archive that a run before this one finished in a folder, all of it read and found whole; null when the folder is free for a
 * new one: it isn't there, is empty, or holds what a run was killed over.
 *
 * @throws {AuditError} ERR_AUDIT_ARCHIVE when the folder holds something else, or the archive of another request
 */
export async function finishedArchive(folder: string, header: ArchiveHeader): Promise<Archive | null> {
  const manifest = await readManifest(folder);
  if (!manifest) {
    await requireFree(folder, header);
    return null;
  }
  const file = path().join(folder, MANIFEST);
  sameRequest(file, manifest, header);
  // An age means an ever later time, so that what was asked for is never older than what was archived for it.
  if (manifest.olderThan <= header.olderThan) return openArchive(folder);
  const seen = `it is of what is older than ${manifest.olderThan}, but only what is older than ${header.olderThan} may go`;
  throw archiveError(file, seen, 'Choose another folder.');
}

/**
 * Writes an archive: `begin`, then `add` part by part, then `finish`. Memory holds what one `add` gives. Until `finish` has come to
 * its end the folder has no manifest, and the next `begin` starts anew.
 */
export class ArchiveWriter {
  readonly #folder: string;
  readonly #header: ArchiveHeader;
  readonly #createdAt = new Date().toISOString();
  readonly #linesPerFile: number;
  readonly #files: ArchivedFile[] = [];
  #current: PartFile | null = null;

  private constructor(folder: string, header: ArchiveHeader, linesPerFile: number) {
    this.#folder = folder;
    this.#header = header;
    this.#linesPerFile = linesPerFile;
  }

  /** @throws {AuditError} ERR_AUDIT_ARCHIVE when the folder holds something else or can't be written */
  static async begin(
    folder: string,
    header: ArchiveHeader,
    linesPerFile = LINES_PER_FILE,
  ): Promise<ArchiveWriter> {
    const { mkdir, rm } = fs().promises;
    const left = await namesIn(folder);
    if (left.includes(MANIFEST))
      throw archiveError(
        path().join(folder, MANIFEST),
        'the folder holds an archive',
        'Choose another folder.',
      );
    await requireFree(folder, header);
    await onDisk(folder, async () => {
      await flushAbove(folder, await mkdir(folder, { recursive: true }));
      // Itself last, or what is left would not be known for what it is.
      for (const name of left.filter((each) => each !== UNFINISHED)) await rm(path().join(folder, name));
      await writeFlushed(path().join(folder, UNFINISHED), `${JSON.stringify(header)}\n`);
    });
    return new ArchiveWriter(folder, header, linesPerFile);
  }

  /** Adds lines of entries or versions. Going on with another part ends the file. @throws {AuditError} ERR_AUDIT_ARCHIVE */
  async add(part: ArchivePart, lines: readonly string[]): Promise<void> {
    for (let at = 0; at < lines.length;) {
      const file = await this.#fileFor(part);
      const some = lines.slice(at, at + this.#linesPerFile - file.count);
      await file.write(some);
      at += some.length;
    }
  }

  /** Makes it durable and reads it back, every byte, before there is a manifest. @throws {AuditError} ERR_AUDIT_ARCHIVE */
  async finish(): Promise<Archive> {
    await this.#close();
    const archive: Archive = { folder: this.#folder, manifest: this.#manifest() };
    await verifyFiles(archive);
    const [draft, final] = [this.#path(NEW_MANIFEST), this.#path(MANIFEST)];
    await onDisk(final, async () => {
      await writeFlushed(draft, manifestText(archive.manifest));
      await flushFolder(this.#folder);
      await fs().promises.rename(draft, final);
      await fs().promises.rm(this.#path(UNFINISHED));
      await flushFolder(this.#folder);
    });
    return archive;
  }

  /** Closes the file at work; the folder stays unfinished. */
  async abandon(): Promise<void> {
    await this.#current?.abandon();
    this.#current = null;
  }

  async #fileFor(part: ArchivePart): Promise<PartFile> {
    const { kind, model, table } = this.#current?.part ?? {};
    const isSame = kind === part.kind && model === part.model && table === part.table;
    if (!isSame || this.#current?.count === this.#linesPerFile) await this.#close();
    return (this.#current ??= new PartFile(this.#folder, this.#files.length + 1, part));
  }

  async #close(): Promise<void> {
    if (!this.#current) return;
    this.#files.push(await this.#current.close());
    this.#current = null;
  }

  #path(name: string): string {
    return path().join(this.#folder, name);
  }

  #manifest(): ArchiveManifest {
    const { log, olderThan, request } = this.#header;
    return {
      format: ARCHIVE_FORMAT,
      version: libraryVersion(),
      createdAt: this.#createdAt,
      log,
      olderThan,
      request,
      files: this.#files,
    };
  }
}
