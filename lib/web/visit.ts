import type { Sequelize, Transaction } from 'sequelize';
import type { AuditLog, Foundation } from '../audit-log';
import { boundedRead } from '../history/bounded-read';
import { Access } from './access';
import type { Answer } from './answers';
import { EntryViewer } from './entry-view';
import type { HostRequest, HostResponse } from './host';
import type { ResolvedWebOptions } from './options';
import { WebProblem } from './problem';
import { csrfField } from './security';
import type { Texts } from './texts';
import { IN_QUERY, rootOf, Urls } from './urls';
import { clockOf, type Clock, zoneOf, zoneOfBrowser } from './zone';

/** One mounted router: the log it shows, and its options. */
export interface Web extends Foundation {
  readonly auditLog: AuditLog;
  readonly options: ResolvedWebOptions;
  readonly texts: Texts;
}

/** Answers one request. */
export type Handler = (visit: Visit) => Promise<Answer> | Answer;

/** What PostgreSQL says when `statement_timeout` ends a query. */
const QUERY_CANCELED = '57014';

function isTimeout(error: unknown): boolean {
  const { parent } = error as { parent?: { code?: unknown } };
  return parent?.code === QUERY_CANCELED;
}

const tooSlow = (cause: unknown): WebProblem =>
  new WebProblem(503, 'Query took too long', {
    detail: 'Narrow your filters, for example by model, actor or a shorter period.',
    headers: { 'retry-after': '5' },
    cause,
  });

/** The error of a query as a visitor is told it: one that took too long is no fault. */
export function queryProblem(error: unknown): unknown {
  return isTimeout(error) ? tooSlow(error) : error;
}

/** One request: who asks, what for, and how its page writes links, times and texts. */
export class Visit {
  readonly req: HostRequest;
  readonly res: HostResponse;
  readonly web: Web;
  readonly query: URLSearchParams;
  readonly access: Access;
  readonly entries: EntryViewer;
  readonly urls: Urls;
  readonly texts: Texts;
  readonly clock: Clock;

  constructor(req: HostRequest, res: HostResponse, web: Web) {
    const { options, settings, texts } = web;
    this.req = req;
    this.res = res;
    this.web = web;
    this.query = queryOf(req.originalUrl);
    this.access = new Access(req, options, settings.registry);
    this.entries = new EntryViewer(this.access, settings.registry);
    this.texts = texts;
    this.clock = clockOf(zoneOrPreset(this.query, presetZone(req, options)), options.locale);
    const root = options.basePath === null ? rootOf(req.path) : `${options.basePath.replace(/\/+$/, '')}/`;
    this.urls = new Urls(root, this.query.get('tz'));
  }

  get sequelize(): Sequelize {
    return this.web.settings.sequelize;
  }

  /** A part of the path; where it is the placeholder `-`, the parameter of that name in the query. */
  param(name: string): string {
    const value = this.req.params[name] ?? '';
    return value === IN_QUERY ? (this.query.get(name) ?? value) : value;
  }

  /** A form's field, or a member of a JSON body. */
  field(name: string): string | null {
    const value = (this.req.body as Record<string, unknown> | undefined)?.[name];
    return typeof value === 'string' ? value : null;
  }

  /** The host's token for a form on this page. */
  get csrf(): { readonly name: string; readonly value: string } | null {
    return csrfField(this.web.options, this.req);
  }

  /** Whether controls that change data are shown at all. */
  get canRevert(): boolean {
    return this.web.options.revert;
  }

  /**
   * Reads in one read-only transaction, so that a page shows one moment, and no query runs longer than `statementTimeout`. Ask
   * `access` before, since it may need a connection of its own.
   *
   * @throws {WebProblem} 400 for an unknown zone, 503 when a query took too long
   */
  async read<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    zoneOf(this.query, this.clock.zone);
    try {
      return await boundedRead(this.sequelize, this.web.options.statementTimeout, work);
    } catch (error) {
      throw queryProblem(error);
    }
  }
}

/** Express 4 and 5 parse `a[b]=1` differently; this is read as it stands. */
function queryOf(url: string): URLSearchParams {
  const start = url.indexOf('?');
  return new URLSearchParams(start === -1 ? '' : url.slice(start + 1));
}

/** Pages and exports are in the browser's zone; programs get what they ask for, whatever a browser sends along. */
function presetZone(req: HostRequest, { timeZone }: ResolvedWebOptions): string {
  return (req.path.startsWith('/api/') ? null : zoneOfBrowser(req.headers.cookie)) ?? timeZone;
}

/** A wrong zone is told once access is settled; the page that tells it needs a clock. */
function zoneOrPreset(query: URLSearchParams, preset: string): string {
  try {
    return zoneOf(query, preset);
  } catch {
    return preset;
  }
}
