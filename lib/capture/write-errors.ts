import { AuditError } from '../core/errors';
import { COMPLETE_TABLES } from '../core/how-to';
import {
  DATATYPE_MISMATCH,
  DUPLICATE_PREPARED_STATEMENT,
  FEATURE_NOT_SUPPORTED,
  INSUFFICIENT_PRIVILEGE,
  INVALID_STATEMENT_NAME,
  INVALID_TEXT,
  READ_ONLY_TRANSACTION,
  UNDEFINED_COLUMN,
  UNDEFINED_TABLE,
} from '../core/postgres-codes';
import { quoteIdentifier, type TableName } from '../schema/quote';
import { UNEXPECTED_CHANGE } from '../statement/entries';
import type { ParsedWrite } from '../statement/parse-write';
import { isBehindRows, isForeign, placeOf, type ErrorPlace } from './error-place';

/** The fields of pg's DatabaseError that are read here. */
export interface DatabaseError extends Error {
  code?: string;
  table?: string;
  where?: string;
  position?: string;
  /** The function of the server that raised it. */
  routine?: string;
}

/** The tables of the log that a statement writes to. */
export interface AuditTables {
  readonly log: TableName;
  readonly history: TableName | null;
}

function names({ log, history }: AuditTables): string[] {
  return history ? [log.table, history.table] : [log.table];
}

/** The audit table an error is about: by its own field, or named in the message, whatever its language. */
function auditTableOf(error: DatabaseError, tables: AuditTables): string | null {
  const about = names(tables);
  if (error.table !== undefined) return about.find((name) => name === error.table) ?? null;
  // The texts of other errors may hold values of the application.
  if (!NAMES_RELATION.has(error.code ?? '')) return null;
  const texts = `${error.message}\n${error.where ?? ''}`;
  // Longest first: the history of "log" may be called "log_history".
  return about.toSorted((a, b) => b.length - a.length).find((name) => mentions(texts, name)) ?? null;
}

/** Errors that tell a table, column or sequence only in their text. */
const NAMES_RELATION = new Set([
  UNDEFINED_TABLE,
  UNDEFINED_COLUMN,
  DATATYPE_MISMATCH,
  INSUFFICIENT_PRIVILEGE,
]);

function mentions(text: string, name: string): boolean {
  const escaped = name.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(String.raw`(^|[^\w])${escaped}(_id_seq|_history_id_seq)?([^\w]|$)`).test(text);
}

/** Of the log, a history, or a model that entries need. */
export function missingTable(table: string, options?: { readonly cause: Error }): AuditError {
  const message = `The table "${table}" does not exist, so the write was not made. Create it: ${COMPLETE_TABLES}.`;
  return new AuditError('ERR_AUDIT_MISSING_TABLE', message, options);
}

function explained(error: DatabaseError, table: string): AuditError {
  const cause = { cause: error };
  switch (error.code) {
    case UNDEFINED_TABLE:
      return missingTable(table, cause);
    case DATATYPE_MISMATCH:
      return new AuditError(
        'ERR_AUDIT_MISSING_COLUMN',
        `A column of the table "${table}" has another type than what is to be stored in it (${error.message}), so the write was not made. Change its type in a migration; "await auditLog.check()" names it.`,
        cause,
      );
    case UNDEFINED_COLUMN:
      return new AuditError(
        'ERR_AUDIT_MISSING_COLUMN',
        `The table "${table}" does not fit this version of the model or the library (${error.message}), so the write was not made. Complete it: ${COMPLETE_TABLES}.`,
        cause,
      );
    case INSUFFICIENT_PRIVILEGE:
      return new AuditError(
        'ERR_AUDIT_PERMISSION',
        `The database role may not write to "${table}" (${error.message}), so the write was not made. Grant it insert and select on the table and usage on its sequence.`,
        cause,
      );
    default:
      return new AuditError(
        'ERR_AUDIT_WRITE_FAILED',
        `Storing the entry in "${table}" failed (${error.message}), so the write was not made. The cause holds PostgreSQL's error.`,
        cause,
      );
  }
}

/** The audit table that a statement was storing into where an error points. */
function storedInto({ before }: ErrorPlace, tables: AuditTables): string {
  const insert = before.slice(before.lastIndexOf('insert into '));
  return names(tables).find((name) => insert.includes(quoteIdentifier(name))) ?? tables.log.table;
}

/**
 * The error of a compiled statement as the application shall see it: its own as PostgreSQL raised it, one of the log's
 * tables, or of what was known of a table and is no longer so, as an AuditError.
 *
 * @param write the application's write, to tell its own mistakes apart
 */
export function translateWriteError(
  error: DatabaseError,
  tables: AuditTables,
  write: ParsedWrite | null = null,
): Error {
  const place = placeOf(error);
  // It points into a text the application never wrote.
  delete error.position;
  const table = auditTableOf(error, tables);
  if (table !== null) return explained(error, table);
  if (!place || !write) return error;
  if (error.code === DATATYPE_MISMATCH && isBehindRows(place))
    return explained(error, storedInto(place, tables));
  const isOutdated = error.code === UNDEFINED_COLUMN || error.code === UNDEFINED_TABLE;
  return isOutdated && isForeign(place, write) ? outdated(error) : error;
}

function outdated(error: DatabaseError): AuditError {
  const message = `What was known of a table is no longer so (${error.message}), so the write was not made. Repeat it, with its transaction where it has one: the table is read anew.`;
  return new AuditError('ERR_AUDIT_STALE_STATEMENT', message, { cause: error });
}

const BIND = /^unnamed portal parameter \$(\d+)/;
const OUR_COMMAND = /\b(?:SELECT(?: FOR [A-Z ]*UPDATE)?|LOCK TABLE|SAVEPOINT)\b/;
const PLAIN_COMMANDS: Readonly<Record<string, string>> = { CREATE: 'INSERT', TRUNCATE: 'TRUNCATE TABLE' };

function commandOf(sql: string): string {
  const word = (/^\s*(\w+)/.exec(sql)?.[1] ?? '').toUpperCase();
  return PLAIN_COMMANDS[word] ?? word;
}

/**
 * An error of the server in the words it has for the statement as Sequelize sent it: without the place of a bind that
 * was a literal there, and with the command that a read-only transaction refuses.
 *
 * @param sql the statement @param given its binds, in number
 */
export function inPlainWords(error: DatabaseError, sql: string, given: number): Error {
  const bind = BIND.exec(error.where ?? '')?.[1];
  if (Number(bind ?? 0) > given) Object.assign(error, { where: undefined });
  if (error.code === READ_ONLY_TRANSACTION)
    error.message = error.message.replace(OUR_COMMAND, commandOf(sql));
  return error;
}

/** What raises "cached plan must not change result type"; a trigger may raise the same code for reasons of its own. */
const REVALIDATION = 'RevalidateCachedQuery';

/** Whether a named statement failed because of its name: prepared anew it may well succeed. */
export function isStaleStatement(error: DatabaseError): boolean {
  return isLostStatement(error) || (error.code === FEATURE_NOT_SUPPORTED && error.routine === REVALIDATION);
}

/** Whether the server forgot or never had a statement: what a pooler in transaction mode does. */
export function isLostStatement(error: DatabaseError): boolean {
  return error.code === INVALID_STATEMENT_NAME || error.code === DUPLICATE_PREPARED_STATEMENT;
}

/** Whether a row changed where its update said nothing, because of a trigger that the statement did not know. */
export function isUnexpectedChange({ code, message }: DatabaseError): boolean {
  return code === INVALID_TEXT && message.includes(UNEXPECTED_CHANGE);
}

/** Inside the caller's transaction the update can't be sent again with all columns compared. */
export function newTrigger(error: DatabaseError): AuditError {
  const message =
    'A trigger that did not exist when the table was read has changed a column that the update does not assign to, so the write was not made. Repeat the transaction: the trigger is known from now on.';
  return new AuditError('ERR_AUDIT_STALE_STATEMENT', message, { cause: error });
}

/** Inside the caller's transaction nothing can be sent again: the transaction is aborted already. */
export function staleInTransaction(error: DatabaseError): AuditError {
  const message = `A prepared statement became stale inside a transaction (${error.message}), so the write was not made. Repeat the transaction: the statement is prepared anew.`;
  return new AuditError('ERR_AUDIT_STALE_STATEMENT', message, { cause: error });
}
