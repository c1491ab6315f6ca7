import { AuditError } from '../core/errors';
import { INSUFFICIENT_PRIVILEGE } from '../core/postgres-codes';
import { checkKeys, invalidArgument, invalidOption } from '../core/suggest';
import { inOwnTransaction } from '../history/own-transaction';
import { logTable, type HistorySettings } from '../history/settings';
import { readTable, type CatalogueQuery } from '../schema/catalogue';
import { fitName } from '../schema/index-name';
import { createIndexes } from '../schema/log-table';
import { quoteTable, type TableName } from '../schema/quote';
import { sqlState } from '../schema/sql-state';
import {
  ARCHIVE_SETTINGS,
  createRestoredTable,
  insertLines,
  KNOWN_TYPE,
  restoredEntries,
  restoredVersions,
  strangeRow,
  TABLE_COMMENT,
  type RestoredTable,
} from '../statement/archive';
import { archiveError, type Archive, type ArchivedColumn, type ArchivedFile } from './archive-manifest';
import { linesOf, openArchive } from './archive-reader';

/** Options of `auditLog.restoreArchive`. */
export interface RestoreArchiveOptions {
  /**
   * The side table that the entries are read into, in the schema of the log. Versions come into tables beside it:
   * `<tableName>_<history table>`.
   */
  readonly tableName: string;
}

/** What was read back. */
export interface RestoreArchiveResult {
  /** Of the archive, those among them that had been read back before. */
  readonly entries: number;
  readonly versions: number;
}

/** The member of the audit log. */
export interface ArchiveReading {
  /**
   * Reads an archive of `prune` back into side tables, which the log knows nothing of. Every file is verified before the first
   * line is read back. Rows that are there already stay: it may run again, and go on where it was killed; further archives of
   * the same log may be read into the same table.
   *
   * @throws {AuditError} ERR_AUDIT_ARCHIVE when the folder isn't what its manifest says, ERR_AUDIT_INVALID_OPTION for the name
   * of a table that is something else, ERR_AUDIT_PERMISSION
   * @example
   * await auditLog.restoreArchive('/archives/2024', { tableName: 'audit_2024' });
   */
  readonly restoreArchive: (folder: string, options: RestoreArchiveOptions) => Promise<RestoreArchiveResult>;
}

const WHERE = 'auditLog.restoreArchive';
const MAX_NAME_BYTES = 63;
const QUOTED_TABLE = /^(?:"((?:[^"]|"")*)"\.)?"((?:[^"]|"")*)"$/;

/** @throws {AuditError} ERR_AUDIT_INVALID_OPTION, ERR_AUDIT_INVALID_ARGUMENT */
function checkArguments(folder: unknown, options: RestoreArchiveOptions): void {
  if (typeof folder !== 'string' || folder === '') invalidArgument(WHERE, 'the folder of an archive', folder);
  checkKeys(WHERE, options, ['tableName']);
  const { tableName } = options;
  const isName = typeof tableName === 'string' && tableName !== '' && !tableName.includes('\0');
  if (!isName || Buffer.byteLength(tableName) > MAX_NAME_BYTES)
    invalidOption(WHERE, 'tableName', `a name of at most ${MAX_NAME_BYTES} bytes`, tableName);
}

/** The tables that the log and the application live by. */
function ownTables({ registry, ...settings }: HistorySettings): Set<string> {
  const tables = registry.registrations.flatMap(({ table, options }) => [table, options.snapshots?.table]);
  const names = [logTable({ registry, ...settings }), ...tables].map((each) => each?.table);
  return new Set(names.filter((name) => name !== undefined));
}

/** The history table's name as a part of another name; its schema belongs to it where it is not the log's. */
function plainName(quoted: string, logSchema: string | null): string {
  const [, schema, table = quoted] = QUOTED_TABLE.exec(quoted) ?? [];
  const name = schema === undefined || schema === logSchema ? table : `${schema}_${table}`;
  return name.replaceAll('""', '"');
}

/** One file of an archive and the table that it is read back into. */
interface Target {
  readonly file: ArchivedFile;
  readonly to: RestoredTable;
}

/** Reads one archive back. */
class Restoring {
  readonly #settings: HistorySettings;
  readonly #archive: Archive;
  readonly #tableName: string;
  /** What the side tables are known by. */
  readonly #comment: string;

  constructor(settings: HistorySettings, archive: Archive, tableName: string) {
    this.#settings = settings;
    this.#archive = archive;
    this.#tableName = tableName;
    this.#comment = `Read back by auditLog.restoreArchive from archives of ${archive.manifest.log}`;
  }

  async run(): Promise<RestoreArchiveResult> {
    const targets = await this.#transaction((query) => this.#create(query));
    const result = { entries: 0, versions: 0 };
    for (const target of targets) result[target.file.kind] += await this.#load(target);
    // Afterwards, as that is much faster than keeping them up row by row.
    await this.#transaction((query) => this.#index(query, targets));
    return result;
  }

  #transaction<T>(work: (query: CatalogueQuery) => Promise<T>): Promise<T> {
    return inOwnTransaction(this.#settings.sequelize, work);
  }

  async #create(query: CatalogueQuery): Promise<Target[]> {
    const entries = restoredEntries(this.#nameOf(null));
    await this.#createTable(query, entries);
    const targets: Target[] = [];
    for (const file of this.#archive.manifest.files) {
      const to = file.kind === 'entries' ? entries : await this.#versionsOf(query, file);
      if (file.kind === 'versions') await this.#createTable(query, to);
      targets.push({ file, to });
    }
    return targets;
  }

  #nameOf(file: ArchivedFile | null): TableName {
    const { schema } = this.#settings.options;
    if (file === null) return { schema, table: this.#tableName };
    return { schema, table: fitName(`${this.#tableName}_${plainName(file.table, schema)}`) };
  }

  async #versionsOf(query: CatalogueQuery, file: ArchivedFile): Promise<RestoredTable> {
    const columns: ArchivedColumn[] = [];
    for (const { name, type } of file.columns ?? []) {
      const known = ((await query(KNOWN_TYPE, [type])).rows[0] as { type: string | null }).type;
      if (known === null) {
        const seen = `the type ${type} of its column ${name} is not known in this database`;
        throw archiveError(file.name, seen, 'Create the type or its extension first.');
      }
      columns.push({ name, type: known });
    }
    return restoredVersions(this.#nameOf(file), columns, file.keys ?? []);
  }

  /** @throws {AuditError} ERR_AUDIT_INVALID_OPTION when there is a table that is something else */
  async #createTable(query: CatalogueQuery, to: RestoredTable): Promise<void> {
    if (ownTables(this.#settings).has(to.table.table))
      this.#refuse(to.table, 'is a table of the log or of a registered model');
    const existing = await readTable(query, to.table);
    if (existing) await this.#requireOurs(query, to.table);
    for (const sql of createRestoredTable(to, existing, this.#comment)) await query(sql, []);
  }

  async #requireOurs(query: CatalogueQuery, table: TableName): Promise<void> {
    const { comment } = (await query(TABLE_COMMENT, [quoteTable(table)])).rows[0] as {
      comment: string | null;
    };
    if (comment !== this.#comment)
      this.#refuse(
        table,
        `exists and was not made from archives of this log (its comment is ${JSON.stringify(comment)})`,
      );
  }

  #refuse(table: TableName, why: string): never {
    const message = `${WHERE}: the table ${quoteTable(table)} ${why}, so nothing was read back. Choose another "tableName".`;
    throw new AuditError('ERR_AUDIT_INVALID_OPTION', message);
  }

  /** Each batch is a transaction of its own. */
  async #load({ file, to }: Target): Promise<number> {
    let count = 0;
    for await (const lines of linesOf(this.#archive, file)) {
      await this.#transaction(async (query) => {
        await query(ARCHIVE_SETTINGS, []);
        await this.#insert(query, to, lines);
      });
      count += lines.length;
    }
    return count;
  }

  /** @throws {AuditError} ERR_AUDIT_ARCHIVE for lines of another log with the same name, as a copy of the database is */
  async #insert(query: CatalogueQuery, to: RestoredTable, lines: readonly string[]): Promise<void> {
    const given = [`[${lines.join(',')}]`];
    const { count } = (await query(insertLines(to), given)).rows[0] as { readonly count: number };
    if (count === lines.length) return;
    const [stranger] = (await query(strangeRow(to), given)).rows as { readonly id: string }[];
    if (!stranger) return;
    const seen = `its row ${stranger.id} is another than row ${stranger.id} of ${quoteTable(to.table)}, which was read back from a log of the same name`;
    throw archiveError(this.#archive.folder, seen, 'Choose another "tableName".');
  }

  async #index(query: CatalogueQuery, targets: readonly Target[]): Promise<void> {
    for (const { table, indexes } of new Set(targets.map(({ to }) => to))) {
      const existing = await readTable(query, table);
      for (const sql of createIndexes(table, indexes, existing)) await query(sql, []);
    }
  }
}

/** The role of an application needs no right to create tables, so it may lack it. */
function codedError(error: unknown): unknown {
  if (sqlState(error) !== INSUFFICIENT_PRIVILEGE) return error;
  const message = `${WHERE}: the database role may not create the side tables (${String(error)}). Use a role that may create tables in the schema of the log.`;
  return new AuditError('ERR_AUDIT_PERMISSION', message, { cause: error });
}

export function createArchiveReading(settings: HistorySettings): ArchiveReading {
  return {
    async restoreArchive(folder, options) {
      checkArguments(folder, options);
      const archive = await openArchive(folder);
      try {
        return await new Restoring(settings, archive, options.tableName).run();
      } catch (error) {
        throw codedError(error);
      }
    },
  };
}
