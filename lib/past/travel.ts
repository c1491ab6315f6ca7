import { AsyncLocalStorage } from 'node:async_hooks';
import type { Transaction } from 'sequelize';
import { endsTransaction } from '../capture/driver-transaction';
import {
  isEnding,
  onAnswer,
  onBeforeQuery,
  interceptStatements,
  sendAsItIs,
  withoutStatement,
  type QueryOptions,
} from '../capture/sequelize-adapter';
import { AuditError, isAuditError } from '../core/errors';
import { READ_ONLY_TRANSACTION } from '../core/postgres-codes';
import { invalidArgument } from '../core/suggest';
import { boundOf, type PointInTime } from '../history/point-in-time';
import { OWN_READ } from '../capture/own-read';
import type { HistorySettings } from '../history/settings';
import type { SnapshotModels } from '../history/snapshots';
import { refuseInstanceWrites } from '../schema/read-only';
import { runtimeOf } from '../schema/sequelize-runtime';
import { sqlState } from '../schema/sql-state';
import { tablesRead } from '../statement/table-uses';
import { Journey, refusedWrite } from './journey';
import { readStatement } from './travel-statement';
import { RegisteredTables } from './travel-tables';
import { keepOpen, refusedLate } from './travel-transaction';

/** What runs inside one `asOf`; code that outlives it is at large again. */
interface Visit {
  isOpen: boolean;
}

const HOOK = 'sequelize-auditlog-past';
const READ_ONLY = 'It shows the past; revert() sets an object back.';

/** A savepoint is a transaction of its own to Sequelize. */
function rootOf(transaction: Transaction | null | undefined): Transaction | null | undefined {
  type Nested = Transaction & { readonly parent?: Transaction };
  let root: Nested | null | undefined = transaction;
  while (root?.parent) root = root.parent;
  return root;
}

/** Reads of one Sequelize instance as of a time: whole transactions of them. */
export class TimeTravel {
  readonly #settings: HistorySettings;
  readonly #snapshots: SnapshotModels;
  readonly #tables: RegisteredTables;
  readonly #journeys = new WeakMap<Transaction, Journey>();
  readonly #visits = new AsyncLocalStorage<Visit>();
  #listens = false;

  constructor(settings: HistorySettings, snapshots: SnapshotModels) {
    this.#settings = settings;
    this.#snapshots = snapshots;
    this.#tables = new RegisteredTables(settings.registry);
  }

  async run<T>(when: PointInTime, fn: (transaction: Transaction) => T | Promise<T>): Promise<T> {
    if (typeof fn !== 'function')
      invalidArgument('auditLog.asOf', 'a function that takes the transaction', fn);
    const bound = boundOf('auditLog.asOf', when);
    this.#listen();
    const journey = new Journey({ snapshots: this.#snapshots, tables: this.#tables, bound });
    // Only one snapshot for all statements shows one past, also while older transactions commit.
    const isolationLevel = 'REPEATABLE READ' as Transaction.ISOLATION_LEVELS;
    const work = async (transaction: Transaction): Promise<T> => {
      await this.#begin(transaction);
      this.#journeys.set(transaction, journey);
      return this.#visit(transaction, fn);
    };
    try {
      return await this.#settings.sequelize.transaction({ isolationLevel }, work);
    } catch (error) {
      // Not before: a transaction that has failed takes no query, and a pool of one has no other connection.
      throw await journey.explainTypes(error);
    }
  }

  /** Sequelize's own option `readOnly` only chooses a replica. The SELECT makes READ WRITE impossible from here on. */
  async #begin(transaction: Transaction): Promise<void> {
    await this.#settings.sequelize.query('SET TRANSACTION READ ONLY; SELECT 1', { transaction });
  }

  async #visit<T>(transaction: Transaction, fn: (transaction: Transaction) => T | Promise<T>): Promise<T> {
    const visit = { isOpen: true };
    // Sequelize ends the transaction outside; what `fn` left running stays inside.
    keepOpen(transaction, () => visit.isOpen || this.#visits.getStore() === visit);
    try {
      return await this.#visits.run(visit, async () => fn(transaction));
    } finally {
      visit.isOpen = false;
    }
  }

  /** With the first use, so that who never travels pays nothing, and after the capture's own hook: ours then sees statements first. */
  #listen(): void {
    if (this.#listens) return;
    this.#listens = true;
    onBeforeQuery(this.#settings.sequelize, HOOK, (options, query) => {
      const journey = this.#journeyOf(options.transaction);
      if (journey) this.#inPast(journey, options, query);
      else if (this.#visits.getStore()?.isOpen) this.#beside(options, query);
    });
  }

  #journeyOf(transaction: Transaction | null | undefined): Journey | undefined {
    const root = rootOf(transaction);
    return root ? this.#journeys.get(root) : undefined;
  }

  #inPast(journey: Journey, options: QueryOptions, query: unknown): void {
    if (options[OWN_READ] === true) return;
    interceptStatements(query, (client, sql, values, done) => {
      const fail = (error: Error): void => done(this.#explain(journey, error));
      const go = (text: string): void => {
        if (isEnding(rootOf(options.transaction)) && !endsTransaction(text)) return fail(refusedLate());
        sendAsItIs(client, text, values, (error, result) => (error ? fail(error) : done(null, result)));
      };
      try {
        const turned = journey.turn(client, sql, options);
        if (typeof turned === 'string') go(turned);
        else turned.then(go, fail);
      } catch (error) {
        fail(error as Error);
      }
    });
    onAnswer(query, (answer) => this.#seal(answer));
  }

  #explain(journey: Journey, error: Error): Error {
    const isWrite = sqlState(error) === READ_ONLY_TRANSACTION;
    const explained = isWrite ? refusedWrite(error.message, error) : journey.explain(error);
    return isAuditError(explained) ? withoutStatement(explained) : explained;
  }

  /** Instances that were found, with all that was included. */
  #seal(answer: unknown): void {
    if (Array.isArray(answer)) for (const each of answer) this.#seal(each);
    const { Model: Base } = runtimeOf(this.#settings.sequelize);
    if (!(answer instanceof Base)) return;
    if (this.#settings.registry.find(answer.constructor as never)) refuseInstanceWrites(answer, READ_ONLY);
    for (const value of Object.values(answer.dataValues as Record<string, unknown>))
      if (typeof value === 'object' && value !== null) this.#seal(value);
  }

  /** A query inside `fn` that doesn't run in its transaction: it would read the present, or write. */
  #beside(options: QueryOptions, query: unknown): void {
    if (options[OWN_READ] === true) return;
    interceptStatements(query, (client, sql, values, done) => {
      const refusal = this.#refusalBeside(sql, options);
      if (refusal) done(withoutStatement(refusal));
      else sendAsItIs(client, sql, values, done);
    });
  }

  #refusalBeside(sql: string, { transaction }: QueryOptions): AuditError | null {
    const { refused, reads } = readStatement(sql);
    if (refused !== null) return refusedWrite(refused);
    // An explicit null asks for the present.
    if (transaction === null) return null;
    const read = reads
      .flatMap(({ statement }) => tablesRead(sql, statement.tokens).reads)
      .map(({ table }) => this.#tables.find(table) ?? this.#tables.namesakes(table)[0])
      .find((each) => each !== undefined);
    if (!read) return null;
    const message = `${read.name} was read inside auditLog.asOf without its transaction, which would show the present. Pass { transaction }, or { transaction: null } for the present on purpose.`;
    return new AuditError('ERR_AUDIT_INVALID_ARGUMENT', message);
  }
}
