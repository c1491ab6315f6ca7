const HIDDEN = '***';
/** `scheme://user:password@`, wherever it stands in a text; to the last @, as a password may hold what should be encoded. */
const CREDENTIALS = /([a-z][a-z0-9+.-]*:\/\/[^\s:/?#@]*):\S*@/gi;
const SECRET_PARAMETER = /([?&][^=&#\s]*(?:password|passwd|pwd|secret|token|key)[^=&#\s]*=)[^&#\s]*/gi;
/** Shorter ones would also be found in the middle of words. */
const MIN_SECRET_LENGTH = 4;

/** A text in which no URL shows its password, nor any of these passwords is to be read. */
export function redact(text: string, secrets: Iterable<string> = []): string {
  let redacted = text
    .replaceAll(CREDENTIALS, `$1:${HIDDEN}@`)
    .replaceAll(SECRET_PARAMETER, (_, name: string) => name + HIDDEN);
  for (const secret of secrets) redacted = redacted.replaceAll(secret, HIDDEN);
  return redacted;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The passwords of a connection, as written and as meant. One that is also its user's or database's name is none to be hidden. */
export function secretsOf(url: string | null, password: unknown, names: readonly unknown[] = []): string[] {
  const [, written] = /^[^:]*:\/\/[^:/?#@]*:(.*)@/.exec(url ?? '') ?? [];
  const given = typeof password === 'string' ? password : '';
  const all = [written ?? '', decoded(written ?? ''), given, encodeURIComponent(given)];
  return [...new Set(all)].filter((secret) => secret.length >= MIN_SECRET_LENGTH && !names.includes(secret));
}
