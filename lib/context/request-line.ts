import type { AuditRequest } from '../core/options';
import { boundedText } from './text';

/** UTF-16 units kept of a request line. */
export const MAX_REQUEST_LENGTH = 2048;

// Control characters (C0, DEL, C1) and the separators that some viewers take for new lines: one entry, one line.
const CONTROL = /[\p{Cc}\u2028\u2029]/gu;
const SCHEME_AND_HOST = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i;

/** A request line given by the application: one line, at most 2,048 characters. */
export function cleanRequestLine(line: string): string {
  // The longer cut first, so that a hostile megabyte is not walked twice.
  return boundedText(line.slice(0, 4 * MAX_REQUEST_LENGTH).replaceAll(CONTROL, ''), MAX_REQUEST_LENGTH);
}

/**
 * Method and path without query string, fragment and host: what a client may hide there (tokens, passwords) is never stored.
 *
 * @example
 * requestLine(req); // 'PATCH /orders/42'
 */
export function requestLine(req: AuditRequest): string {
  const url = req.originalUrl ?? req.url ?? '';
  const [path = ''] = url.replace(SCHEME_AND_HOST, '').split(/[?#]/, 1);
  return cleanRequestLine(`${req.method ?? ''} ${path === '' ? '/' : path}`.trimStart());
}
