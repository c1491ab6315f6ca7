import { AuditError } from './errors';

/** Edit distance of two words, for "did you mean". */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + cost));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** The nearest known name as the sentence ` Did you mean "x"?`, or an empty string when none is near. */
export function didYouMean(name: string, known: Iterable<string>): string {
  let best = '';
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const away = distance(name.toLowerCase(), candidate.toLowerCase());
    if (away < bestDistance) [best, bestDistance] = [candidate, away];
  }
  return best ? ` Did you mean "${best}"?` : '';
}

/** @throws {AuditError} ERR_AUDIT_INVALID_OPTION when `options` is no object or has a key not in `known`. */
export function checkKeys(where: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new AuditError(
      'ERR_AUDIT_INVALID_OPTION',
      `${where}: expected an object of options, got ${describe(options)}.`,
    );
  }
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    const message = `${where}: unknown option "${key}".${didYouMean(key, known)} Known options: ${known.join(', ')}.`;
    throw new AuditError('ERR_AUDIT_INVALID_OPTION', message);
  }
}

/** @throws {AuditError} ERR_AUDIT_INVALID_OPTION naming the option, what was expected and what was given. */
export function invalidOption(where: string, option: string, expected: string, got: unknown): never {
  throw new AuditError(
    'ERR_AUDIT_INVALID_OPTION',
    `${where}: option "${option}" must be ${expected}, got ${describe(got)}.`,
  );
}

/** @throws {AuditError} ERR_AUDIT_INVALID_ARGUMENT naming the call, what was expected and what was given. */
export function invalidArgument(where: string, expected: string, got: unknown): never {
  throw new AuditError('ERR_AUDIT_INVALID_ARGUMENT', `${where}: expected ${expected}, got ${describe(got)}.`);
}

/** A short description of a value for error messages; never more than 60 characters. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'function') return `function ${value.name || '(anonymous)'}`;
  if (typeof value === 'object') return `an object (${value.constructor?.name ?? 'no prototype'})`;
  return `${typeof value} ${JSON.stringify((value as string | symbol).toString().slice(0, 40))}`;
}
