import { isNativeError } from 'node:util/types';
import type { Sequelize } from 'sequelize';
import { isAuditError } from '../core/errors';

/** The database can't be reached; the message says which and why. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

interface DriverError extends Error {
  readonly code?: string;
  readonly errors?: readonly DriverError[];
}

/** Also of another realm, as that of a module loader may be. */
function isError(value: unknown): value is DriverError {
  return value instanceof Error || isNativeError(value);
}

/** What stands behind an error of Sequelize. */
function originalOf(error: DriverError): DriverError {
  const { original } = error as { readonly original?: unknown };
  return isError(original) ? original : error;
}

/** What connecting fails with, by the code of the operating system or of PostgreSQL. */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there. Is the server running, and is the port right?',
  ENOTFOUND: 'there is no host of that name.',
  EAI_AGAIN: 'the name of the host could not be looked up.',
  EHOSTUNREACH: 'the host can not be reached.',
  ETIMEDOUT: 'it did not answer in time.',
  '28P01': 'the password was refused.',
  '28000': 'this user may not connect from here.',
  '3D000': 'there is no database of that name.',
  '53300': 'it has no connection left.',
  '57P03': 'it is starting up or shutting down.',
};

function reasonOf(error: unknown): string {
  if (!isError(error)) return `${String(error)}.`;
  const original = originalOf(error);
  const { code = '' } = original.errors?.[0] ?? original;
  return REASONS[code] ?? `${original.message || code}.`;
}

/** An error of connecting as a sentence that names everything but the password. */
export function unreachable({ config }: Sequelize, from: string, error: unknown): Unreachable {
  const { host, port, database, username } = config;
  const user = username ? ` as user "${username}"` : '';
  const message = `Can't connect to the database "${database}" at ${host ?? 'localhost'}:${port ?? 5432}${user} (from ${from}): ${reasonOf(error)}`;
  return new Unreachable(message, { cause: error });
}

/** What the operating system refused, which the user can mend. */
function systemCause({ cause }: Error): string {
  return isError(cause) && 'syscall' in cause ? ` (${cause.message})` : '';
}

/** One paragraph for a person. */
export function explain(error: unknown): string {
  if (!isError(error)) return `Something was thrown that is no error: ${String(error)}`;
  if (isAuditError(error)) return `${error.code}: ${error.message}${systemCause(error)}`;
  const original = originalOf(error);
  if (original === error) return error.message || error.name;
  return `PostgreSQL refused: ${original.message}${original.code === undefined ? '' : ` (${original.code})`}`;
}

/** Where it was thrown, and what it was caused by. */
export function trace(error: unknown): string {
  if (!isError(error)) return '';
  const stack = error.stack ?? error.message;
  return isError(error.cause) ? `${stack}\nCaused by: ${trace(error.cause)}` : stack;
}
