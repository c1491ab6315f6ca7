import type { ComponentChild } from 'preact';
import { renderToString } from 'preact-render-to-string';
import type { HostResponse } from './host';

/** What a handler gives back; the router sends it. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** A function writes the body itself, for what is streamed. */
  readonly body: string | Buffer | ((res: HostResponse) => Promise<void>);
}

const NO_STORE = { 'cache-control': 'no-store' };

/** A whole document. */
export function html(document: ComponentChild, status = 200, headers: Answer['headers'] = {}): Answer {
  return {
    status,
    headers: { ...NO_STORE, 'content-type': 'text/html; charset=utf-8', ...headers },
    body: `<!doctype html>${renderToString(document as never)}`,
  };
}

/** JSON for programs. */
export function json(value: unknown, status = 200, headers: Answer['headers'] = {}): Answer {
  return {
    status,
    headers: {
      'cache-control': 'private, no-cache',
      'content-type': 'application/json; charset=utf-8',
      ...headers,
    },
    body: JSON.stringify(value),
  };
}

/** `See Other`: after a POST, or to the one address of a page. The location is relative. */
export function redirect(location: string, status: 302 | 303 | 308 = 303): Answer {
  return { status, headers: { ...NO_STORE, location }, body: '' };
}
