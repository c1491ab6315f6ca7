import type { Registration } from '../capture/registry';
import {
  isEnding,
  send,
  type DriverClient,
  type DriverResult,
  type QueryOptions,
} from '../capture/sequelize-adapter';
import { AuditError } from '../core/errors';
import type { Bound } from '../history/point-in-time';
import { requireSnapshots, type SnapshotModels } from '../history/snapshots';
import { visibleSchema } from '../schema/catalogue';
import { readingError } from '../schema/detached-model';
import { quoteIdentifier, type TableName } from '../schema/quote';
import { nameOf } from '../statement/scanner';
import { tablesRead, type ReadTables } from '../statement/table-uses';
import { isTypeError, retypedError } from './retyped';
import { checkHidden } from './travel-hidden';
import { travelRelation } from './travel-relation';
import { withPast, type Edit, type PastTable } from './travel-rewrite';
import { rawShape, rootShape, type FindHints } from './travel-shape';
import { hasEscapedNames, readStatement, type Read, type TravelStatement } from './travel-statement';
import type { RegisteredTables } from './travel-tables';
import { refusedEnd } from './travel-transaction';
import type { AsOfShape } from './versions-relation';

interface JourneySettings {
  readonly snapshots: SnapshotModels;
  readonly tables: RegisteredTables;
  readonly bound: Bound;
}

/** A statement with what it reads. */
interface Reading {
  readonly statement: TravelStatement;
  readonly read: Read;
  readonly tables: ReadTables;
}

/** The refusal of whatever is no read. */
export function refusedWrite(what: string, cause?: unknown): AuditError {
  const message = `auditLog.asOf reads the past and changes nothing, so a statement inside it was refused (${what}). Write after it, or before.`;
  return new AuditError('ERR_AUDIT_READ_ONLY', message, cause === undefined ? {} : { cause });
}

function invalid(message: string): never {
  throw new AuditError('ERR_AUDIT_INVALID_ARGUMENT', `auditLog.asOf: ${message}`);
}

/** Every name in a statement, its words included. */
function namesOf({ statement: { sql }, read: { statement, at } }: Reading): Set<string> {
  const named = statement.tokens.slice(at).filter(({ kind }) => kind === 'name' || kind === 'word');
  return new Set(named.map((token) => nameOf(sql, token)));
}

function readingOf(statement: TravelStatement, read: Read): Reading {
  return { statement, read, tables: tablesRead(statement.sql, read.statement.tokens.slice(read.at)) };
}

/** The statements before it in the same text. */
function leadOf({ statement: { sql }, read }: Reading): string {
  const { start, depth } = read.statement.tokens[0]!;
  const before = sql.slice(0, start);
  return depth === 0 && before.includes(';') ? before : '';
}

/** Of a finder or an aggregate of Sequelize, which has told its conditions; of raw SQL only the text is known. */
function isFinder({ attributes }: QueryOptions): boolean {
  return Array.isArray(attributes);
}

/** One point in time, for the statements of one transaction. */
export class Journey {
  readonly #settings: JourneySettings;
  /** Where the search path of the connection finds tables, as far as it was asked. */
  readonly #visible = new Map<string, string | null>();
  readonly #used = new Set<Registration>();
  /** The driver's own errors of statements that were turned. */
  readonly #typeErrors = new WeakSet<Error>();

  constructor(settings: JourneySettings) {
    this.#settings = settings;
  }

  /**
   * The statement turned to the past: at once, unless the connection must be asked what a name means.
   *
   * @throws {AuditError} ERR_AUDIT_READ_ONLY, ERR_AUDIT_NO_SNAPSHOTS, ERR_AUDIT_INVALID_ARGUMENT
   */
  turn(client: DriverClient, sql: string, options: QueryOptions): string | Promise<string> {
    const reading = this.#check(sql, isEnding(options.transaction));
    if (!reading) return sql;
    const asked = this.#namesToAsk(reading.tables);
    if (asked.length === 0) return this.#rewrite(reading, options);
    return this.#ask(client, reading, asked).then(() => this.#rewrite(reading, options));
  }

  /** The coded error where a history table or a column of it is missing. */
  explain(error: Error): Error {
    if (isTypeError(error)) this.#typeErrors.add(error);
    for (const { options, tracked } of this.#used) {
      const columns = tracked.columns.map(({ column }) => column);
      const explained = readingError(error, options.snapshots!.table, columns);
      if (explained !== error) return explained as Error;
    }
    return error;
  }

  /**
   * The coded error when `error` is one of PostgreSQL about the types of columns that were altered in their table but not in its
   * history; `error` itself otherwise. Asks the catalogue, so it is for when the transaction is over.
   */
  async explainTypes(error: unknown): Promise<unknown> {
    const { original } = (error ?? {}) as { original?: Error };
    if (!original || !this.#typeErrors.has(original)) return error;
    try {
      for (const registration of this.#used) {
        const explained = await retypedError(error, registration);
        if (explained !== error) return explained;
      }
    } catch {
      // That the catalogue didn't answer is not what the caller has to know.
    }
    return error;
  }

  /** What is to be turned to the past; null for what may go as it is, as Sequelize's own end of the transaction. */
  #check(sql: string, isEnd: boolean): Reading | null {
    const statement = readStatement(sql);
    if (statement.ends !== null && !isEnd) throw refusedEnd(statement.ends);
    if (statement.refused !== null) throw refusedWrite(statement.refused);
    const [first, ...more] = statement.reads.map((read) => readingOf(statement, read));
    // What stands alone or before a read may have set another search path.
    if (!first || leadOf(first) !== '') this.#visible.clear();
    if (first && more.length > 0) this.#checkSeveral([first, ...more]);
    return first && more.length === 0 ? first : null;
  }

  #checkSeveral(readings: readonly Reading[]): void {
    const read = readings
      .flatMap(({ tables }) => tables.reads)
      .find(({ table }) => this.#mayBe(table).length > 0);
    if (!read) return;
    invalid(
      `several statements in one text, of which only one could be turned to the past, and they read "${read.table.table}". Send them one by one.`,
    );
  }

  /** The models that a name means or may mean. */
  #mayBe(table: TableName): readonly Registration[] {
    const { tables } = this.#settings;
    const found = tables.find(table);
    return found ? [found] : tables.namesakes(table);
  }

  #registrationOf(table: TableName): Registration | null {
    const { tables } = this.#settings;
    const visible = this.#visible.get(table.table);
    const isMeant = (each: Registration): boolean => visible === (table.schema ?? each.table.schema);
    return tables.find(table) ?? tables.namesakes(table).find(isMeant) ?? null;
  }

  #namesToAsk({ reads, columns }: ReadTables): string[] {
    const open = [...reads, ...columns].filter(({ table }) => {
      const { tables } = this.#settings;
      return !tables.find(table) && tables.namesakes(table).length > 0;
    });
    return open.map(({ table }) => table.table).filter((name) => !this.#visible.has(name));
  }

  /** Asks the connection where names lead; a search path that stands before the statement comes first. */
  async #ask(client: DriverClient, reading: Reading, names: readonly string[]): Promise<void> {
    const query = (sql: string, values: unknown[]): Promise<DriverResult> =>
      send(client, { text: sql, values });
    if (leadOf(reading) !== '') await query(leadOf(reading), []);
    for (const name of names) this.#visible.set(name, await visibleSchema(query, name));
  }

  #rewrite(reading: Reading, options: QueryOptions): string {
    const { statement, read, tables } = reading;
    if (statement.locks) invalid("rows of the past can't be locked; leave out lock (FOR UPDATE, FOR SHARE).");
    const found = tables.reads.map(({ table }) => this.#registrationOf(table));
    const registrations = found.filter((each) => each !== null);
    for (const each of registrations) requireSnapshots('auditLog.asOf', each);
    if (hasEscapedNames(read.statement))
      invalid('names with escapes (U&"…") are not read; write them plainly.');
    if (isFinder(options)) this.#checkHidden(registrations, options);
    const shapeOf = this.#shapes(reading, found, options);
    const bare = this.#bareTables(reading, shapeOf);
    const qualified = this.#qualifiedTables(tables, found, shapeOf);
    return withPast(statement, read, {
      tables: [...bare, ...qualified.tables],
      edits: qualified.edits,
      taken: this.#isTaken(tables, [...bare, ...qualified.tables]),
    });
  }

  #checkHidden(registrations: readonly Registration[], options: QueryOptions): void {
    const root = options.model ?? registrations[0]?.model;
    if (root) checkHidden(registrations, root, options);
  }

  /** The first table by the query's own conditions, the others by those of the joins. */
  #shapes(
    reading: Reading,
    found: readonly (Registration | null)[],
    options: QueryOptions,
  ): (registration: Registration) => AsOfShape {
    const [root] = found;
    return (registration) => {
      const isJoined = registration !== root || found.filter((each) => each === registration).length > 1;
      if (isJoined) return 'probe';
      return isFinder(options) ? rootShape(registration, options as FindHints) : rawShape(namesOf(reading));
    };
  }

  #relation(registration: Registration, shape: AsOfShape): string {
    this.#used.add(registration);
    const { snapshots, bound } = this.#settings;
    return travelRelation(snapshots, registration, bound, shape);
  }

  /** Tables that are named without a schema anywhere: a definition that nothing reads costs next to nothing. */
  #bareTables(reading: Reading, shapeOf: (registration: Registration) => AsOfShape): PastTable[] {
    return [...this.#settings.tables.bare(namesOf(reading))]
      .filter(({ options }) => options.snapshots !== null)
      .map((each) => ({ name: each.table.table, relation: this.#relation(each, shapeOf(each)) }));
  }

  /** Tables that are named with a schema get another name, and that is put in the place of theirs. */
  #qualifiedTables(
    { reads, columns }: ReadTables,
    found: readonly (Registration | null)[],
    shapeOf: (registration: Registration) => AsOfShape,
  ): { tables: PastTable[]; edits: Edit[] } {
    const names = new Map<Registration, string>();
    const edits: Edit[] = [];
    for (const [at, { table, start, end, lacksAlias }] of reads.entries()) {
      const registration = found[at];
      if (!registration || this.#isBare(registration, table)) continue;
      const name = names.get(registration) ?? `!past${names.size}`;
      names.set(registration, name);
      const alias = lacksAlias ? ` as ${quoteIdentifier(table.table)}` : '';
      edits.push({ start, end, text: quoteIdentifier(name) + alias });
    }
    for (const { table, start, end } of columns)
      if (this.#registrationOf(table)) edits.push({ start, end, text: quoteIdentifier(table.table) });
    const tables = [...names].map(([each, name]) => ({
      name,
      relation: this.#relation(each, shapeOf(each)),
    }));
    return { tables, edits };
  }

  #isBare({ table }: Registration, named: TableName): boolean {
    return table.schema === null && named.schema === null;
  }

  /** Whether the statement's own common table expressions would meet ours, or take the names that ours read. */
  #isTaken({ defined }: ReadTables, tables: readonly PastTable[]): boolean {
    const histories = [...this.#used].map(({ options }) => options.snapshots!.table.table);
    return [...tables.map(({ name }) => name), ...histories].some((name) => defined.has(name));
  }
}
