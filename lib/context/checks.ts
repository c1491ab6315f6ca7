import { AuditError } from '../core/errors';
import { didYouMean, invalidArgument } from '../core/suggest';
import type { JsonValue } from '../core/types';
import { isCorrelationId } from './correlation-id';
import { toJson, type JsonObject } from './json';
import { isThenable } from './settings';
import { storableText } from './text';

/** @throws {AuditError} ERR_AUDIT_INVALID_ARGUMENT when `given` is no object or has a key not in `known`. */
export function checkObject(where: string, given: unknown, known: readonly string[]): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    invalidArgument(where, `an object with ${known.join(', ')}`, given);
  }
  for (const key of Object.keys(given)) {
    if (known.includes(key)) continue;
    const message = `${where}: unknown key "${key}".${didYouMean(key, known)} Known keys: ${known.join(', ')}.`;
    throw new AuditError('ERR_AUDIT_INVALID_ARGUMENT', message);
  }
}

/** @throws {AuditError} ERR_AUDIT_INVALID_ARGUMENT */
export function checkFunction(where: string, fn: unknown): void {
  if (typeof fn !== 'function') invalidArgument(where, 'a function', fn);
}

/** A text that is stored whole. @throws {AuditError} ERR_AUDIT_INVALID_ARGUMENT */
export function checkText(where: string, value: unknown): string | null {
  if (value === null) return null;
  return typeof value === 'string' ? storableText(value) : invalidArgument(where, 'a text or null', value);
}

/** An actor may be anything, but a forgotten `await` would silently make it nobody. @throws {AuditError} ERR_AUDIT_INVALID_ARGUMENT */
export function checkActor(where: string, value: unknown): void {
  if (isThenable(value)) invalidArgument(where, 'an actor (await the promise first)', value);
}

/** @throws {AuditError} ERR_AUDIT_INVALID_ARGUMENT */
export function checkCorrelationId(where: string, value: unknown): string | null {
  if (value === null || isCorrelationId(value)) return value;
  return invalidArgument(where, '1 to 128 characters of A-Za-z0-9._:/+=- or null', value);
}

function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Free extras, copied as JSON, so that later changes of the caller's object don't reach the log. @throws {AuditError} ERR_AUDIT_INVALID_ARGUMENT */
export function checkData(where: string, value: unknown): JsonObject {
  const isCandidate = typeof value === 'object' && value !== null && !Array.isArray(value);
  const converted = isCandidate ? toJson(value) : undefined;
  return isJsonObject(converted) ? converted : invalidArgument(where, 'an object of additional data', value);
}
