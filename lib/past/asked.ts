import type { CountOptions, FindOptions } from 'sequelize';
import { AuditError } from '../core/errors';
import { isPlainObject } from '../history/arguments';

/** What the readers of the past are given, beside Sequelize's own options. */
export type Asked = FindOptions & CountOptions & { readonly strict?: boolean; readonly searchPath?: string };

/** The attribute names that a condition mentions, as far as it is no SQL. */
function* namesIn(condition: unknown): Generator<string> {
  if (Array.isArray(condition)) for (const each of condition) yield* namesIn(each);
  if (!isPlainObject(condition)) return;
  for (const key of Object.keys(condition)) yield* key.replaceAll('$', '').split('.');
  for (const key of Object.getOwnPropertySymbols(condition)) yield* namesBelow(condition[key as never]);
}

/** Below an operator such as `Op.and` stand conditions; below `Op.eq` stand values, which name nothing. */
function* namesBelow(value: unknown): Generator<string> {
  const conditions = Array.isArray(value) ? (value as unknown[]) : [value];
  for (const each of conditions) if (isPlainObject(each) || Array.isArray(each)) yield* namesIn(each);
}

/** The names in an `order` or a `group`: texts, and the first text of each list. */
function listedNames(list: unknown): string[] {
  const items = Array.isArray(list) ? (list as unknown[]) : list === undefined ? [] : [list];
  return items
    .map((item) => (Array.isArray(item) ? (item as unknown[])[0] : item))
    .filter((name) => typeof name === 'string');
}

export function refuse(message: string, cause?: unknown): never {
  throw new AuditError('ERR_AUDIT_INVALID_ARGUMENT', message, cause === undefined ? {} : { cause });
}

export function refuseInclude(name: string): never {
  refuse(
    `asOf of ${name}: include would read the present of other models. Use auditLog.asOf(when, (transaction) => …), which takes them all.`,
  );
}

export function refuseHidden(name: string, hidden: string, cause?: unknown): never {
  refuse(
    `asOf of ${name}: "${hidden}" is masked or not tracked, so the past can't be searched, ordered or grouped by it.`,
    cause,
  );
}

/** @throws {AuditError} ERR_AUDIT_INVALID_ARGUMENT for what would read the present, or what the past doesn't hold. */
export function checkAsked(name: string, hidden: ReadonlySet<string>, asked: Asked): void {
  const { include, lock, where, order, group, having, col } = asked;
  if (include !== undefined) refuseInclude(name);
  if (lock !== undefined && lock !== false)
    refuse(`asOf of ${name}: rows of the past can't be locked; leave out lock.`);
  const named = [
    ...namesIn(where),
    ...namesIn(having),
    ...listedNames(order),
    ...listedNames(group),
    ...listedNames(col),
  ].find((each) => hidden.has(each));
  if (named !== undefined) refuseHidden(name, named);
}
