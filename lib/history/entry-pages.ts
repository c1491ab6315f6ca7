import type { FindOptions, literal, Transaction, WhereOptions } from 'sequelize';
import type { LogEntryAttributes } from '../core/types';
import { readingError } from '../schema/detached-model';
import type { LogEntryStatic } from '../schema/log-entry';
import { runtimeOf } from '../schema/sequelize-runtime';
import { entryPage, newestId, withinPage, type EntryPage } from '../statement/entry-texts';
import { OWN_READ } from '../capture/own-read';
import { logTable, type HistorySettings } from './settings';
import { bothWhere } from './where';

/** Reads within a short transaction, as `boundedRead` does. */
export type PageRead = <T>(work: (transaction: Transaction) => Promise<T>) => Promise<T>;

export interface EntryPagesOptions {
  /** SQL: what is read of an entry; it holds no line feed. */
  readonly text: string;
  readonly where?: WhereOptions<LogEntryAttributes> | undefined;
  /** Runs the reading of a page in a transaction of its own. @default without one */
  readonly read?: PageRead | undefined;
  /** Whether to read on. */
  readonly isWanted: () => boolean;
}

/** The texts of some entries. */
export interface TextPage {
  /** A line for each of them, ended by a line feed. */
  readonly text: string;
  readonly entries: number;
}

/** More would be no faster, and leave more garbage behind. */
const PAGE_SIZE = 1000;

/** What Sequelize makes of a find's options before it writes the statement; neither has a public type. Checked with 6.37. */
interface Internals {
  readonly Utils: { mapFinderOptions(options: FindOptions, model: LogEntryStatic): FindOptions };
}

interface SelectGenerator {
  selectQuery(table: unknown, options: FindOptions, model: LogEntryStatic): string;
}

/** Reads the entries that were there when it began, oldest first, each page by a statement of its own. */
export class EntryPages {
  readonly #settings: HistorySettings;
  readonly #options: EntryPagesOptions;

  constructor(settings: HistorySettings, options: EntryPagesOptions) {
    this.#settings = settings;
    this.#options = options;
  }

  /** The next page is read while the last is written. No connection is held in between. */
  async *read(): AsyncGenerator<TextPage, void> {
    // Entries that come meanwhile are left out, so that the export of a busy log comes to an end.
    const newest = await this.#newest();
    let next = newest === null ? null : this.#page(null, newest);
    try {
      while (next) {
        const { text, entries, found, last }: EntryPage = await next;
        const isLast = found < PAGE_SIZE && entries === found;
        next = !isLast && this.#options.isWanted() ? this.#page(last, newest!) : null;
        // Told when it is waited for, if it ever is.
        next?.catch(() => undefined);
        yield { text: text ?? '', entries };
      }
    } finally {
      await next?.catch(() => undefined);
    }
  }

  async #newest(): Promise<string | null> {
    const newest = this.#literal(newestId());
    const [row] = await this.#query<{ newest: string | null }>(
      this.#select({ attributes: [[newest, 'newest']] }),
    );
    return row?.newest ?? null;
  }

  async #page(after: string | null, newest: string): Promise<EntryPage> {
    const { sequelize } = this.#settings;
    const { Op } = runtimeOf(sequelize);
    const id = { [Op.lte]: newest, ...(after === null ? {} : { [Op.gt]: after }) };
    const select = this.#select({
      attributes: ['id', [this.#literal(withinPage(this.#options.text)), 'entry_text']],
      where: bothWhere(sequelize, { id }, this.#options.where),
      order: [['id', 'ASC']],
      limit: PAGE_SIZE,
    });
    const [page] = await this.#query<EntryPage>(entryPage(select));
    return page!;
  }

  #literal(sql: string): ReturnType<typeof literal> {
    return runtimeOf(this.#settings.sequelize).literal(sql);
  }

  #select(find: FindOptions<LogEntryAttributes>): string {
    const { sequelize, LogEntry } = this.#settings;
    const { Utils } = sequelize.constructor as unknown as Internals;
    const { queryGenerator } = sequelize.getQueryInterface() as unknown as {
      queryGenerator: SelectGenerator;
    };
    const options = Utils.mapFinderOptions(find as FindOptions, LogEntry);
    return queryGenerator.selectQuery(LogEntry.getTableName(), options, LogEntry).replace(/;$/, '');
  }

  /** From the primary, as replicas may lag behind each other from page to page; past transactions that the caller has open. */
  async #query<Row extends object>(sql: string): Promise<Row[]> {
    const { sequelize } = this.#settings;
    const { read } = this.#options;
    const { SELECT } = runtimeOf(sequelize).QueryTypes;
    const query = (transaction: Transaction | null): Promise<Row[]> =>
      sequelize.query<Row>(sql, {
        type: SELECT,
        raw: true,
        useMaster: true,
        transaction,
        [OWN_READ]: true,
      } as never) as unknown as Promise<Row[]>;
    try {
      return await (read ? read(query) : query(null));
    } catch (error) {
      throw readingError(error, logTable(this.#settings));
    }
  }
}
