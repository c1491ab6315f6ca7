/** Codes of every error this library raises; each has a heading in `docs/errors.md`. */
export const AUDIT_ERROR_CODES = [
  'ERR_AUDIT_ACTOR_REQUIRED',
  'ERR_AUDIT_ALREADY_CREATED',
  'ERR_AUDIT_ARCHIVE',
  'ERR_AUDIT_BUSY',
  'ERR_AUDIT_CHECK_FAILED',
  'ERR_AUDIT_CONFLICT',
  'ERR_AUDIT_CURSOR',
  'ERR_AUDIT_DIALECT',
  'ERR_AUDIT_EXPORT_FAILED',
  'ERR_AUDIT_HISTORY_GAP',
  'ERR_AUDIT_INVALID_ACTION',
  'ERR_AUDIT_INVALID_ARGUMENT',
  'ERR_AUDIT_INVALID_OPTION',
  'ERR_AUDIT_MISSING_COLUMN',
  'ERR_AUDIT_MISSING_TABLE',
  'ERR_AUDIT_NAME_TAKEN',
  'ERR_AUDIT_NOT_REGISTERED',
  'ERR_AUDIT_NOT_RESTORABLE',
  'ERR_AUDIT_NOT_THERE',
  'ERR_AUDIT_NO_CONTEXT',
  'ERR_AUDIT_NO_PRIMARY_KEY',
  'ERR_AUDIT_NO_SNAPSHOTS',
  'ERR_AUDIT_OTHER_INSTANCE',
  'ERR_AUDIT_PERMISSION',
  'ERR_AUDIT_PRODUCTION',
  'ERR_AUDIT_READ_ONLY',
  'ERR_AUDIT_SERVER_VERSION',
  'ERR_AUDIT_STALE_STATEMENT',
  'ERR_AUDIT_UNCAPTURED',
  'ERR_AUDIT_UNKNOWN_ATTRIBUTE',
  'ERR_AUDIT_UNREGISTERED_SCHEMA',
  'ERR_AUDIT_UNSUPPORTED_WRITE',
  'ERR_AUDIT_WRITE_FAILED',
] as const;

export type AuditErrorCode = (typeof AUDIT_ERROR_CODES)[number];

/**
 * Every error of this library: `code` is stable, the message says what was seen, what was expected and what to do.
 *
 * @example
 * try { await order.save(); } catch (error) { if (isAuditError(error)) console.log(error.code); }
 */
export class AuditError extends Error {
  readonly code: AuditErrorCode;

  constructor(code: AuditErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'AuditError';
    this.code = code;
  }
}

/**
 * Whether `error` was raised by this library, also when two copies of the package are loaded.
 *
 * @example
 * if (isAuditError(error) && error.code === 'ERR_AUDIT_MISSING_TABLE') await auditLog.sync();
 */
export function isAuditError(error: unknown): error is AuditError {
  return error instanceof Error && error.name === 'AuditError' && 'code' in error;
}
