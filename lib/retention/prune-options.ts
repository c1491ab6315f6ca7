import { AsyncResource } from 'node:async_hooks';
import type { Model, ModelStatic } from 'sequelize';
import { isModel } from '../history/arguments';
import { parseTime } from '../history/point-in-time';
import { AuditError } from '../core/errors';
import { lazily } from '../core/lazily';
import { checkKeys, describe, invalidOption } from '../core/suggest';
import type { PruneOptions } from './prune';

const ms = lazily(() => require('ms') as (text: string) => number | undefined);

const WHERE = 'auditLog.prune';
const DEFAULT_BATCH_SIZE = 1000;
const MAX_BATCH_SIZE = 10_000;
const MAX_KEEP_LAST = 1_000_000;
const KNOWN = ['olderThan', 'models', 'keepLast', 'dryRun', 'batchSize', 'archiveTo', 'onProgress'];
const EXPECTED_AGE = 'a Date, or an age such as "365d" ("12h", "26 weeks", "7y")';
/** A bare number would be milliseconds, and `6m` six minutes where half a year was meant. */
const AGE =
  /^\d{1,9}(\.\d{1,3})? ?(ms|milliseconds?|s|secs?|seconds?|min|mins|minutes?|h|hrs?|hours?|d|days?|w|weeks?|y|yrs?|years?)$/i;

/** 2,000 years: more would lead to times that PostgreSQL has none of, or no common text for. */
const MAX_AGE_MS = 2000 * 365.25 * 24 * 60 * 60 * 1000;

/** A time, or an age in milliseconds, which the database's clock makes a time of. */
export type OlderThan = { readonly time: string } | { readonly ageMs: number };

/** The options of one prune, checked and with every default filled in. */
export interface ResolvedPrune {
  readonly olderThan: OlderThan;
  /** Null for all. */
  readonly models: readonly (string | ModelStatic<Model>)[] | null;
  readonly keepLast: number;
  readonly dryRun: boolean;
  readonly batchSize: number;
  readonly archiveTo: string | null;
  readonly onProgress: PruneOptions['onProgress'] | undefined;
}

function ageOf(text: string): number | null {
  const age = AGE.test(text) ? ms()(text) : undefined;
  return age === undefined || age > MAX_AGE_MS ? null : age;
}

function timeOf(given: unknown): string | null {
  if (typeof given === 'string') return parseTime(given)?.text ?? null;
  const isTime = given instanceof Date && !Number.isNaN(given.getTime());
  return isTime ? (parseTime(given.toISOString())?.text ?? null) : null;
}

/** @throws {AuditError} ERR_AUDIT_INVALID_OPTION */
function olderThanOf(given: unknown): OlderThan {
  if (given === undefined) {
    const message = `${WHERE}: option "olderThan" is missing: say what may go, by ${EXPECTED_AGE}. There is no default: what is removed is gone.`;
    throw new AuditError('ERR_AUDIT_INVALID_OPTION', message);
  }
  const time = timeOf(given);
  if (time !== null) return { time };
  const age = typeof given === 'string' ? ageOf(given.trim()) : null;
  return age === null ? invalidOption(WHERE, 'olderThan', EXPECTED_AGE, given) : { ageMs: age };
}

function modelsOf(given: unknown): ResolvedPrune['models'] {
  if (given === undefined) return null;
  const isName = (each: unknown): boolean => (typeof each === 'string' && each !== '') || isModel(each);
  if (Array.isArray(given) && given.length > 0 && given.every(isName)) return [...(given as string[])];
  return invalidOption(
    WHERE,
    'models',
    'a list of at least one model, or name under which entries are stored',
    given,
  );
}

function wholeNumber(option: string, given: unknown, from: number, to: number): number {
  if (Number.isInteger(given) && (given as number) >= from && (given as number) <= to) return given as number;
  return invalidOption(WHERE, option, `a whole number from ${from} to ${to.toLocaleString('en')}`, given);
}

function archiveOf(given: unknown): string | null {
  if (given === undefined) return null;
  if (typeof given === 'string' && given.trim() !== '') return given;
  throw new AuditError(
    'ERR_AUDIT_INVALID_OPTION',
    `${WHERE}: option "archiveTo" must be the path of a folder, got ${describe(given)}.`,
  );
}

/** @throws {AuditError} ERR_AUDIT_INVALID_OPTION */
export function resolvePrune(options: PruneOptions): ResolvedPrune {
  checkKeys(WHERE, options, KNOWN);
  const { dryRun = false, keepLast = 0, batchSize = DEFAULT_BATCH_SIZE, onProgress } = options;
  if (typeof dryRun !== 'boolean') invalidOption(WHERE, 'dryRun', 'true or false', dryRun);
  if (onProgress !== undefined && typeof onProgress !== 'function')
    invalidOption(WHERE, 'onProgress', 'a function', onProgress);
  return {
    olderThan: olderThanOf(options.olderThan),
    models: modelsOf(options.models),
    keepLast: wholeNumber('keepLast', keepLast, 0, MAX_KEEP_LAST),
    dryRun,
    batchSize: wholeNumber('batchSize', batchSize, 1, MAX_BATCH_SIZE),
    archiveTo: archiveOf(options.archiveTo),
    // In the caller's context: in that of the work, a write through Sequelize's CLS would join the transaction of the lock.
    onProgress: onProgress && AsyncResource.bind(onProgress),
  };
}
