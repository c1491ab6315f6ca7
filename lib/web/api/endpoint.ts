import { digestOf } from '../../core/node';
import type { z } from 'zod';
import { json, type Answer } from '../answers';
import { IN_QUERY } from '../urls';
import type { Handler, Visit } from '../visit';
import { zoneOf } from '../zone';
import { readQuery } from './input';

/** A success. */
export interface ApiAnswer {
  /** @default 200 */
  readonly status?: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** What the ETag says beside what the body is: see `expected.ts`. */
  readonly expected?: string;
}

/** What an endpoint is asked for. */
export interface ApiInput<Q> {
  readonly query: Q;
  /** The same as texts, without what belongs to the path. */
  readonly params: URLSearchParams;
}

/** One address of the API: it answers, and tells the OpenAPI document what it takes and gives. */
export interface Endpoint<Q extends z.ZodObject = z.ZodObject, Allowed = unknown> {
  readonly method: 'get' | 'post';
  /** Below the mount, in Express's syntax. */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly query: Q;
  readonly body?: z.ZodObject;
  /** Successes by status. */
  readonly gives: Readonly<Record<number, z.ZodType>>;
  /** Problems beside 400, 403 and 503. */
  readonly problems?: Readonly<Record<number, string>>;
  /** Asked before anything is validated. */
  readonly allow: (visit: Visit) => Promise<Allowed>;
  readonly answer: (visit: Visit, allowed: Allowed, input: ApiInput<z.output<Q>>) => Promise<ApiAnswer>;
}

/** Checks an endpoint's parts against each other, and forgets what only they need to know. */
export function endpoint<Q extends z.ZodObject, Allowed>(given: Endpoint<Q, Allowed>): Endpoint {
  return given as unknown as Endpoint;
}

/** The query without values that stand there because the path can't hold them. */
function ownParams({ query, req }: Visit): URLSearchParams {
  const params = new URLSearchParams(query);
  for (const [name, value] of Object.entries(req.params)) if (value === IN_QUERY) params.delete(name);
  return params;
}

const DIGEST_LENGTH = 16;

/** A weak tag of the body; before it, for objects, what a change expects to find. */
function tagOf(body: string, expected: string | undefined): string {
  const digest = digestOf('sha256', body, DIGEST_LENGTH);
  return `W/"${expected === undefined ? '' : `${expected}.`}${digest}"`;
}

function isKnown({ headers }: Visit['req'], tag: string): boolean {
  const known = headers['if-none-match']?.split(',').map((each) => each.trim()) ?? [];
  return known.includes('*') || known.some((each) => each.replace(/^W\//, '') === tag.slice(2));
}

function toAnswer(visit: Visit, { status = 200, body, headers = {}, expected }: ApiAnswer): Answer {
  const answer = json(body, status, headers);
  if (visit.req.method === 'POST') return answer;
  const etag = tagOf(answer.body as string, expected);
  const tagged = { ...answer, headers: { ...answer.headers, etag } };
  if (!isKnown(visit.req, etag)) return tagged;
  const { 'content-type': _type, ...kept } = tagged.headers as Record<string, string>;
  return { status: 304, headers: kept, body: '' };
}

/** Serves an endpoint: first whether it is allowed, then whether it is asked rightly. */
export function handlerOf({ query, allow, answer }: Endpoint): Handler {
  return async (visit) => {
    const allowed = await allow(visit);
    const params = ownParams(visit);
    const input = { query: readQuery(query, params), params };
    zoneOf(visit.query, visit.clock.zone);
    return toAnswer(visit, await answer(visit, allowed, input));
  };
}
