/**
 * All that touches what Sequelize doesn't document, checked with 6.37.8 and pg 8.23.1: the query object that the
 * `beforeQuery` hook is given, its `connection`, `formatError` and `run`, and the connection's callback interface.
 */
import type { Model, ModelStatic, Sequelize, Transaction } from 'sequelize';
import type { AuditCallOption } from '../core/call-option';
import { isAuditError } from '../core/errors';
import { failedIn } from './error-place';

/** What of pg's result Sequelize reads, and with raw SQL hands on. */
export interface DriverResult {
  rows: Record<string, unknown>[];
  rowCount: number | null;
  command: string;
  oid?: number | null;
  fields?: readonly unknown[];
}

export type DriverCallback = (error: Error | null, result?: DriverResult | DriverResult[]) => void;

/** A statement as pg takes it. */
export interface DriverStatement {
  readonly text: string;
  readonly values: readonly unknown[];
  readonly name?: string | undefined;
}

/** The pg client behind a Sequelize connection. */
export interface DriverClient {
  query(statement: string | DriverStatement, callback: DriverCallback): void;
  query(statement: string, values: readonly unknown[], callback: DriverCallback): void;
  _invalid?: boolean;
}

/** The options that reach `beforeQuery` on every path of Sequelize. */
export interface QueryOptions {
  readonly type?: string;
  readonly model?: ModelStatic<Model>;
  readonly instance?: Model;
  readonly transaction?: Transaction | null;
  readonly audit?: AuditCallOption;
  /** Only raw SQL has it. */
  readonly mapToModel?: boolean;
  readonly [key: string]: unknown;
}

interface SequelizeQuery {
  connection: DriverClient;
  formatError(error: Error, stack?: string): Error;
  run(...given: unknown[]): Promise<unknown>;
}

/** Receives every statement a query sends, and answers in the place of the client. */
export type StatementHandler = (
  client: DriverClient,
  sql: string,
  values: readonly unknown[],
  done: DriverCallback,
) => void;

/** Runs `hook` before every query of this Sequelize instance. */
export function onBeforeQuery(
  sequelize: Sequelize,
  name: string,
  hook: (options: QueryOptions, query: unknown) => void,
): void {
  sequelize.addHook('beforeQuery', name, (options, query) => hook(options as QueryOptions, query));
}

/** What all stand-ins of one client have in common, made once: it stands in the way of every statement. */
const standIns = new WeakMap<DriverClient, object>();

function standInOf(client: DriverClient): object {
  const known = standIns.get(client);
  if (known) return known;
  // Sequelize marks a broken connection on whatever it holds; the pool looks at the real one.
  const standIn = Object.create(client, {
    _invalid: {
      get: () => client._invalid,
      set: (value: boolean) => {
        client._invalid = value;
      },
    },
  }) as object;
  standIns.set(client, standIn);
  return standIn;
}

/**
 * Gives one query a stand-in for its connection whose statements go to `handler`; everything else of Sequelize (its log
 * line, `error.sql`, result parsing) stays as it is, since it runs around the connection.
 */
export function interceptStatements(query: unknown, handler: StatementHandler): void {
  const target = query as SequelizeQuery;
  const client = target.connection;
  const facade = Object.create(standInOf(client)) as DriverClient;
  facade.query = (sql: unknown, values: unknown, callback?: DriverCallback) => {
    if (callback) handler(client, sql as string, values as readonly unknown[], callback);
    else handler(client, sql as string, [], values as DriverCallback);
  };
  target.connection = facade;
  keepAuditErrors(target);
}

/** Shows what one query answers, instances and all, before Sequelize goes on with it. */
export function onAnswer(query: unknown, see: (answer: unknown) => void): void {
  const target = query as SequelizeQuery;
  const run = target.run.bind(query);
  target.run = async (...given) => {
    const answer = await run(...given);
    see(answer);
    return answer;
  };
}

/** Whether Sequelize is ending the transaction or has ended it: from before its COMMIT or ROLLBACK, the last that it sends. */
export function isEnding(transaction: Transaction | null | undefined): boolean {
  return (transaction as { readonly finished?: string } | null | undefined)?.finished !== undefined;
}

/** Our own errors pass unchanged; Sequelize would wrap them as errors of the database. */
function keepAuditErrors(query: SequelizeQuery): void {
  const format = query.formatError.bind(query);
  query.formatError = (error, stack) => (isAuditError(error) ? error : format(error, stack));
}

/** Sequelize hangs the statement and its parameters on every error; ours must not carry values in clear. */
export function withoutStatement<E extends Error>(error: E): E {
  for (const property of ['sql', 'parameters']) {
    // Configurable, since an error may come by here twice.
    Object.defineProperty(error, property, {
      get: () => undefined,
      set() {},
      enumerable: false,
      configurable: true,
    });
  }
  return error;
}

/** As Sequelize sends it: without binds by the protocol that takes several statements in one text. */
export function sendAsItIs(
  client: DriverClient,
  sql: string,
  values: readonly unknown[],
  answer: DriverCallback,
): void {
  if (values.length > 0) client.query(sql, values, answer);
  else client.query(sql, answer);
}

/** Sends one statement as a promise. */
export function send(client: DriverClient, statement: DriverStatement): Promise<DriverResult> {
  return new Promise((resolve, reject) => {
    client.query(statement, (error, result) => {
      if (error) reject(failedIn(statement.text, error));
      else resolve(result as DriverResult);
    });
  });
}
