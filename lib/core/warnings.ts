const seen = new Set<string>();

/** Emits a process warning with a code `AUDIT_…`, once per code and subject. */
export function warnOnce(code: `AUDIT_${string}`, message: string, subject = ''): void {
  const key = `${code} ${subject}`;
  if (seen.has(key)) return;
  seen.add(key);
  process.emitWarning(message, { type: 'AuditWarning', code });
}
