import type { WhereOptions } from 'sequelize';
import type { Writable } from 'node:stream';
import { checkKeys, invalidOption } from '../core/suggest';
import type { LogEntryAttributes } from '../core/types';
import { EntryPages, type PageRead } from './entry-pages';
import { entryWriter, EXPORT_FORMATS, type EntryMap, type ExportFormat } from './export-format';
import { Output } from './export-output';
import type { HistorySettings } from './settings';

export type { PageRead } from './entry-pages';

/** How far an export has come. */
export interface ExportProgress {
  /** Entries written so far. */
  readonly entries: number;
}

/** Options of `auditLog.export`. */
export interface ExportOptions {
  /** `ndjson`: an entry per line, as `JSON.stringify(entry)`. `csv`: a header of attribute names, then a record per entry. */
  readonly format: ExportFormat;
  /** A Sequelize condition over LogEntry. @default every entry */
  readonly where?: WhereOptions<LogEntryAttributes>;
  /** Where the text goes; no more of it waits in memory than the stream lets wait. */
  readonly to: Writable;
  /** `false` leaves the stream open, for more. A process's standard streams are never ended. @default true */
  readonly end?: boolean;
  /** Called after every page and awaited; what it throws ends the export. */
  readonly onProgress?: (progress: ExportProgress) => void | Promise<void>;
}

/** What was written. */
export interface ExportResult {
  readonly entries: number;
  readonly bytes: number;
  /** SHA-256 of these bytes, in hexadecimal digits. */
  readonly sha256: string;
}

/** An export as the rooms that are built on this one ask for it. */
export interface EntriesExport extends ExportOptions {
  /** Applied to each entry. Numbers in documents go through JavaScript then. */
  readonly map?: EntryMap | undefined;
  /** Names of what `map` adds to entries. */
  readonly added?: readonly string[];
  /** Stops the export, and breaks off `to` as any failure does. */
  readonly signal?: AbortSignal | undefined;
  /** Runs the reading of a page in a transaction of its own. @default without one */
  readonly read?: PageRead | undefined;
}

const WHERE = 'auditLog.export';
const KEYS = ['format', 'where', 'to', 'end', 'onProgress'];

function isWritable(to: unknown): to is Writable {
  const { write, end, on } = (to ?? {}) as Partial<Writable>;
  return [write, end, on].every((method) => typeof method === 'function');
}

/** @throws {AuditError} ERR_AUDIT_INVALID_OPTION */
function checkOptions(options: ExportOptions): void {
  checkKeys(WHERE, options, KEYS);
  const { format, where, to, end, onProgress } = options;
  if (!EXPORT_FORMATS.includes(format)) invalidOption(WHERE, 'format', '"ndjson" or "csv"', format);
  if (!isWritable(to)) invalidOption(WHERE, 'to', 'a writable stream', to);
  if (where !== undefined && (typeof where !== 'object' || where === null))
    invalidOption(WHERE, 'where', 'a condition over LogEntry, such as { model: "Order" }', where);
  if (end !== undefined && typeof end !== 'boolean') invalidOption(WHERE, 'end', 'true or false', end);
  if (onProgress !== undefined && typeof onProgress !== 'function')
    invalidOption(WHERE, 'onProgress', 'a function', onProgress);
}

function isStandard(to: Writable): boolean {
  return to === process.stdout || to === process.stderr;
}

/**
 * Writes entries to a stream, oldest first, in memory that doesn't grow with them.
 *
 * @throws {AuditError} ERR_AUDIT_EXPORT_FAILED when the stream fails or is closed, ERR_AUDIT_MISSING_TABLE
 */
export async function exportEntries(
  settings: HistorySettings,
  options: EntriesExport,
): Promise<ExportResult> {
  const { format, to, end = true, map = null, added, where, read, signal, onProgress } = options;
  const output = new Output(to, { owns: end && !isStandard(to), signal });
  const writer = entryWriter(format, map, added);
  const pages = new EntryPages(settings, { text: writer.text, where, read, isWanted: () => output.isOpen });
  let entries = 0;
  let head = writer.head;
  try {
    output.requireOpen();
    for await (const found of pages.read()) {
      const page = writer.page(found);
      // Nothing is written before something was read: what fails at once leaves no trace.
      await output.write(head + page.text);
      head = '';
      entries += page.entries;
      await onProgress?.({ entries });
    }
    await output.write(head);
    await output.end();
  } catch (error) {
    output.abandon();
    throw error;
  }
  return { entries, bytes: output.bytes, sha256: output.digest() };
}

/** The member of the audit log. */
export interface EntryExport {
  /**
   * Writes entries to a stream, oldest first, in memory that doesn't grow with them; resolves when all is flushed. It reads what
   * was committed when it began, in short reads that hold no transaction open. When it can't finish, the stream is destroyed
   * unless it is to stay open, so that half an export doesn't look whole.
   *
   * @throws {AuditError} ERR_AUDIT_EXPORT_FAILED when the stream fails or is closed, ERR_AUDIT_INVALID_OPTION,
   * ERR_AUDIT_MISSING_TABLE
   * @example
   * await auditLog.export({ format: 'csv', where: { model: 'Order' }, to: createWriteStream('orders.csv') });
   */
  readonly export: (options: ExportOptions) => Promise<ExportResult>;
}

export function createExport(settings: HistorySettings): EntryExport {
  return {
    async export(options) {
      checkOptions(options);
      return exportEntries(settings, options);
    },
  };
}
