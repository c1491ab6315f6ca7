import { isAuditError } from '../core/errors';
import { UNDEFINED_COLUMN, UNDEFINED_TABLE } from '../core/postgres-codes';
import type { WriteContext } from '../core/types';
import type { CompiledStatement } from '../statement/compile';
import { contextValues } from '../statement/context-binds';
import type { ParsedWrite } from '../statement/parse-write';
import type { Environment } from './environment';
import type { PreparedNames } from './prepared-names';
import type { AuditedTable } from './registry';
import { failedIn } from './error-place';
import {
  send,
  withoutStatement,
  type DriverClient,
  type DriverResult,
  type DriverStatement,
} from './sequelize-adapter';
import { StatementCache, type BoundWrite } from './statement-cache';
import {
  isLostStatement,
  isStaleStatement,
  isUnexpectedChange,
  newTrigger,
  staleInTransaction,
  translateWriteError,
  type DatabaseError,
} from './write-errors';
import type { Witness } from './witness';

/** A write of a registered table on its way. */
export interface CapturedWrite extends BoundWrite {
  readonly audited: AuditedTable;
  readonly context: WriteContext;
  /** Whether the caller has opened a transaction. */
  readonly inTransaction: boolean;
}

/** What a write says, which table it is of, null for one that only leads to audited tables, and who opened the transaction. */
interface Origin {
  readonly write: ParsedWrite;
  readonly audited: AuditedTable | null;
  readonly inTransaction: boolean;
}

const COMMANDS = { insert: 'INSERT', update: 'UPDATE', delete: 'DELETE' } as const;

/** The result that the plain write would have had: its command, its number of rows, and rows only where asked for. */
export function asPlain(
  result: DriverResult,
  compiled: CompiledStatement,
  kind: keyof typeof COMMANDS,
): DriverResult {
  result.command = COMMANDS[kind];
  result.oid = kind === 'insert' ? 0 : null;
  if (compiled.returnsRows) return result;
  result.rowCount = Number(result.rows[0]?.['n'] ?? 0);
  result.rows = [];
  result.fields = [];
  return result;
}

/** Sends a write and its entry as one statement, by name where the text comes again. */
export class SingleWrites {
  readonly #environment: Environment;
  readonly #names: PreparedNames;
  readonly #witness: Witness;
  readonly #statements = new StatementCache();

  constructor(environment: Environment, names: PreparedNames, witness: Witness) {
    this.#environment = environment;
    this.#names = names;
    this.#witness = witness;
  }

  run(client: DriverClient, captured: CapturedWrite): Promise<DriverResult | null> {
    return this.twice(captured, () =>
      this.#witness.around(client, captured.inTransaction, () => this.#attempt(client, captured)),
    );
  }

  /** The statement of a write that was sent before, when nothing has to be asked of the server for it. */
  known(captured: CapturedWrite): CompiledStatement | null {
    const { knownSettings } = this.#environment;
    const plan = this.#environment.knownPlan(captured.audited, captured.text);
    if (!knownSettings || !plan) return null;
    return this.#statements.peek(captured, plan, knownSettings, captured.context.labelFromRow);
  }

  /** Sends a known statement without a promise, each of which costs every write; an error goes the long way, with a second try. */
  sendKnown(
    client: DriverClient,
    captured: CapturedWrite,
    compiled: CompiledStatement,
    on: { result: (result: DriverResult) => void; error: (again: Promise<DriverResult | null>) => void },
  ): void {
    client.query(this.#statementOf(captured, compiled), (error, result) => {
      if (!error) return on.result(asPlain(result as DriverResult, compiled, captured.write.kind));
      const attempt = (): Promise<DriverResult | null> => this.#attempt(client, captured);
      return on.error(this.#again(captured, failedIn(compiled.text, error), attempt));
    });
  }

  /** Runs a write, and outside a transaction once more when it failed for what is remembered of the server. */
  async twice<T>(origin: Origin, run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      return await this.#again(origin, error as Error, run);
    }
  }

  async #again<T>(
    { write, audited, inTransaction }: Origin,
    error: Error,
    run: () => Promise<T>,
  ): Promise<T> {
    if (!this.#forgets(error, audited)) throw this.explain(error, audited, write);
    if (inTransaction) throw this.#lost(error, audited, write);
    return run().catch((again: Error) => {
      throw this.explain(again, audited, write);
    });
  }

  /** Null when the table does not exist: then the plain write says so itself. */
  async #attempt(client: DriverClient, captured: CapturedWrite): Promise<DriverResult | null> {
    const environment = this.#environment;
    const settings = environment.knownSettings ?? (await environment.settings(client));
    const plan =
      environment.knownPlan(captured.audited, captured.text) ??
      (await environment.plan(client, captured.audited, captured.text));
    if (!plan) return null;
    const compiled = this.#statements.get(captured, plan, settings, captured.context.labelFromRow);
    const result = await send(client, this.#statementOf(captured, compiled));
    return asPlain(result, compiled, captured.write.kind);
  }

  #statementOf(
    { values, context }: CapturedWrite,
    { text, keepsItsPlan }: CompiledStatement,
  ): DriverStatement {
    const name = keepsItsPlan ? this.#names.nameFor(text) : undefined;
    return { text, values: [...values, ...contextValues(context)], name };
  }

  /**
   * Whether an error may come from what is remembered of the server: a statement prepared before a change of its tables,
   * or lost in a pooler, a column that is gone, or a trigger that is new. All of it is forgotten then.
   */
  #forgets(error: DatabaseError, audited: AuditedTable | null): boolean {
    if (isLostStatement(error)) this.#names.noteLoss();
    else if (audited && isUnexpectedChange(error)) this.#environment.noteRewriting(audited);
    else if (isStaleStatement(error)) this.#names.renew();
    // The statement without what is gone has another text, and so another name.
    else if (error.code !== UNDEFINED_COLUMN && error.code !== UNDEFINED_TABLE) return false;
    this.#environment.forget();
    return true;
  }

  #lost(error: DatabaseError, audited: AuditedTable | null, write: ParsedWrite): Error {
    if (isUnexpectedChange(error)) return withoutStatement(newTrigger(error));
    return isStaleStatement(error)
      ? withoutStatement(staleInTransaction(error))
      : this.explain(error, audited, write);
  }

  /** The error as the application shall see it: its own as it is, one of the log's tables as an AuditError. */
  explain(error: Error, audited: AuditedTable | null, write: ParsedWrite | null = null): Error {
    const history = audited?.registration?.options.snapshots?.table ?? null;
    const translated = isAuditError(error)
      ? error
      : translateWriteError(error, { log: this.#environment.log, history }, write);
    if (!isAuditError(translated)) return translated;
    this.#environment.forget();
    return withoutStatement(translated);
  }
}
