import type { WhereOptions } from 'sequelize';
import type { AuditRequest } from '../core/options';
import { checkKeys, invalidOption } from '../core/suggest';
import type { LogEntryAttributes } from '../core/types';
import type { HostRequest } from './host';
import { checkMessages, type Messages } from './messages';
import { checkZone } from './zone';

/** What a visitor wants to do. */
export type WebAction = 'view' | 'export' | 'revert';

/** What `authorize` is asked about: for lists once per registered model, without `pk`. */
export interface WebSubject {
  readonly action: WebAction;
  readonly model: string;
  readonly pk?: string;
}

/** Tokens of the host against forged requests, shown in every form and checked by the host's own middleware. */
export interface CsrfOptions {
  /** Name of the form field. */
  readonly field: string;
  readonly token: (req: never) => string;
}

/** Options of `auditRouter`. Functions get the host's request. Unknown keys throw. */
export interface AuditRouterOptions<Request = AuditRequest> {
  /**
   * Whether this request may do this. Only `true` allows: what throws or takes longer than 10 seconds denies. Without it every
   * path answers 403. @default nobody may do anything
   */
  readonly authorize?: (req: Request, subject: WebSubject) => boolean | Promise<boolean>;
  /** `false` removes every control that changes data and answers 403. @default true */
  readonly revert?: boolean;
  /**
   * A condition over LogEntry, ANDed to every query, e.g. of the visitor's tenant. An object none of whose entries is in it is not
   * found. @default everything
   */
  readonly scope?: (req: Request) => WhereOptions<LogEntryAttributes>;
  /** Whether this visitor sees the values of an attribute or tracked association. @default all */
  readonly canSee?: (req: Request, model: string, attribute: string) => boolean;
  /** Attributes whose values stand beside each version on the timeline, by model. @default none */
  readonly columns?: Readonly<Record<string, readonly string[]>>;
  /** Address of the host's own page about an object, http(s) or relative; null for none. @default none */
  readonly linkTo?: (model: string, pk: string) => string | null | undefined;
  /** IANA name of the zone that times are shown in, where neither `?tz=` nor the browser's script names one. @default 'UTC' */
  readonly timeZone?: string;
  /** BCP 47 tag of the language that times and numbers are written in. @default 'en' */
  readonly locale?: string;
  /** Own texts, by key. @default English */
  readonly messages?: Partial<Messages>;
  /** Name in the page head. @default 'Audit log' */
  readonly title?: string;
  /** Entries on a page, 1 to 200. @default 50 */
  readonly pageSize?: number;
  /** Record who viewed an object or exported, as `access` entries. @default false */
  readonly recordViews?: boolean;
  /** Milliseconds after which a query gives up with a hint to narrow it. @default 5000 */
  readonly statementTimeout?: number;
  /** Tokens of the host. Without them the headers Sec-Fetch-Site and Origin decide. @default none */
  readonly csrf?: CsrfOptions;
  /** Public path of the mount, where a proxy renames it: `/internal/audit`. @default relative links */
  readonly basePath?: string;
}

type Functions = 'authorize' | 'scope' | 'canSee' | 'linkTo';

/** The options with every default filled in. */
export interface ResolvedWebOptions {
  readonly authorize: ((req: HostRequest, subject: WebSubject) => unknown) | null;
  readonly revert: boolean;
  readonly scope: ((req: HostRequest) => WhereOptions<LogEntryAttributes>) | null;
  readonly canSee: ((req: HostRequest, model: string, attribute: string) => unknown) | null;
  readonly columns: Readonly<Record<string, readonly string[]>>;
  readonly linkTo: ((model: string, pk: string) => unknown) | null;
  readonly timeZone: string;
  readonly locale: string;
  readonly messages: Partial<Messages>;
  readonly title: string;
  readonly pageSize: number;
  readonly recordViews: boolean;
  readonly statementTimeout: number;
  readonly csrf: { readonly field: string; readonly token: (req: HostRequest) => unknown } | null;
  readonly basePath: string | null;
}

const DEFAULTS = {
  authorize: null,
  revert: true,
  scope: null,
  canSee: null,
  columns: {},
  linkTo: null,
  timeZone: 'UTC',
  locale: 'en',
  messages: {},
  title: 'Audit log',
  pageSize: 50,
  recordViews: false,
  statementTimeout: 5000,
  csrf: null,
  basePath: null,
} as const satisfies ResolvedWebOptions;

const WHERE = 'auditRouter';
const MAX_PAGE = 200;

function checkFunctions(options: ResolvedWebOptions): void {
  for (const name of ['authorize', 'scope', 'canSee', 'linkTo'] satisfies Functions[]) {
    const given: unknown = options[name];
    if (given !== null && typeof given !== 'function') invalidOption(WHERE, name, 'a function', given);
  }
}

function checkPlain(options: ResolvedWebOptions): void {
  for (const name of ['revert', 'recordViews'] as const)
    if (typeof options[name] !== 'boolean') invalidOption(WHERE, name, 'a boolean', options[name]);
  if (typeof options.title !== 'string') invalidOption(WHERE, 'title', 'a text', options.title);
  checkCount('pageSize', options.pageSize, MAX_PAGE);
  checkCount('statementTimeout', options.statementTimeout, 2 ** 31 - 1);
}

function checkCount(name: string, value: unknown, highest: number): void {
  if (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= highest) return;
  invalidOption(WHERE, name, `a whole number from 1 to ${highest}`, value);
}

function checkLocale(locale: unknown): void {
  try {
    if (typeof locale === 'string' && Intl.getCanonicalLocales(locale).length === 1) return;
  } catch {
    // Told below.
  }
  invalidOption(WHERE, 'locale', 'a language tag such as "en" or "de-CH"', locale);
}

function checkCsrf(csrf: unknown): void {
  if (csrf === null) return;
  checkKeys(`${WHERE}: csrf`, csrf, ['field', 'token']);
  const { field, token } = csrf as { field: unknown; token: unknown };
  if (typeof field !== 'string' || field === '') invalidOption(WHERE, 'csrf.field', 'a field name', field);
  if (typeof token !== 'function') invalidOption(WHERE, 'csrf.token', 'a function', token);
}

function checkColumns(columns: unknown): void {
  if (typeof columns !== 'object' || columns === null) invalidOption(WHERE, 'columns', 'an object', columns);
  for (const [model, names] of Object.entries(columns))
    if (!Array.isArray(names)) invalidOption(WHERE, `columns.${model}`, 'an array of attribute names', names);
}

function checkBasePath(path: unknown): void {
  if (path === null || (typeof path === 'string' && /^\/(?!\/)[^?#\\]*$/.test(path))) return;
  invalidOption(WHERE, 'basePath', 'a path that begins with one slash, such as "/internal/audit"', path);
}

/** @throws {AuditError} ERR_AUDIT_INVALID_OPTION */
export function resolveWebOptions(given: AuditRouterOptions<never> = {}): ResolvedWebOptions {
  checkKeys(WHERE, given, Object.keys(DEFAULTS));
  const stated = Object.entries(given).filter(([, value]) => value !== undefined);
  const options = { ...DEFAULTS, ...Object.fromEntries(stated) } as ResolvedWebOptions;
  checkFunctions(options);
  checkPlain(options);
  checkLocale(options.locale);
  checkZone(WHERE, options.timeZone);
  checkCsrf(options.csrf);
  checkColumns(options.columns);
  checkMessages(WHERE, options.messages);
  checkBasePath(options.basePath);
  return options;
}
