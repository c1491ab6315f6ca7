/** What the program tells its caller: `conflict` when something changed meanwhile, `findings` when `check` found something. */
export const EXIT = { done: 0, error: 1, usage: 2, findings: 3, conflict: 4, interrupted: 130 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The command can't be run as it was given. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Somebody asked the program to end; the message says how to go on. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/** Codes for which what was given is to blame, as for a misspelt flag. */
const GIVEN_WRONGLY = new Set(['ERR_AUDIT_INVALID_ARGUMENT', 'ERR_AUDIT_INVALID_OPTION']);

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof Interrupted) return EXIT.interrupted;
  if (error instanceof UsageError) return EXIT.usage;
  const { code = '' } = (error ?? {}) as { readonly code?: unknown };
  if (code === 'ERR_AUDIT_CONFLICT') return EXIT.conflict;
  return GIVEN_WRONGLY.has(String(code)) ? EXIT.usage : EXIT.error;
}
