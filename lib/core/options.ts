import type { IncomingMessage } from 'node:http';
import type { Model, ModelStatic } from 'sequelize';
import { checkKeys, invalidOption } from './suggest';
import type { ActorInput } from './types';

/** What the middleware reads from a request: Node's own request plus what Express and its companions add. */
export interface AuditRequest extends IncomingMessage {
  readonly ip?: string | undefined;
  readonly originalUrl?: string;
  readonly user?: unknown;
  readonly session?: unknown;
}

export interface ActorOptions {
  /** Whose rows the actors are: labels are read from it, `loadActors` loads from it. @default none */
  readonly model?: ModelStatic<Model>;
  /**
   * Reads the actor from the request, synchronously, when an entry is written (so authentication may run after the
   * middleware). @default `req.user`, then `req.session.user`, then `req.session.userId`
   */
  readonly resolve?: (req: AuditRequest) => ActorInput;
  /** Attribute or function that gives `actorLabel`. @default the first of `email`, `username`, `name` that there is */
  readonly label?: string | ((user: never) => string);
}

export interface CorrelationIdOptions {
  /** Request header read and echoed; `false` does neither. @default 'x-request-id' */
  readonly header?: string | false;
  /** Makes an id where none is given. @default a UUID */
  readonly generate?: () => string;
  /** Whether the client's header may be used. @default always */
  readonly trust?: (req: AuditRequest) => boolean;
}

/** Options of `createAuditLog`. Unknown keys throw. */
export interface AuditLogOptions {
  /** Schema of the log and of history tables. @default the connection's default schema */
  readonly schema?: string;
  /** Table of LogEntry. @default 'audit_log_entries' */
  readonly tableName?: string;
  readonly actor?: ActorOptions;
  /** Fail writes of registered models without an actor. @default false */
  readonly requireActor?: boolean;
  readonly correlationId?: CorrelationIdOptions;
  /** Keep `req.ip`, or what the function gives; `false` keeps none. @default true */
  readonly remoteAddr?: boolean | ((req: AuditRequest) => string | null);
  /** Keep the request line, or what the function gives; `false` keeps none. @default true */
  readonly request?: boolean | ((req: AuditRequest) => string | null);
  /** Attributes of any registered model whose name matches are masked. @default names of secrets, see API.md */
  readonly mask?: RegExp | false;
  /** Send statements as named prepared statements; switch off behind a pooler that can't keep them. @default true */
  readonly preparedStatements?: boolean;
}

/** The options with every default filled in. */
export interface ResolvedOptions {
  readonly schema: string | null;
  readonly tableName: string;
  readonly actor: {
    readonly model: ModelStatic<Model> | null;
    readonly resolve: (req: AuditRequest) => ActorInput;
    readonly label: string | ((user: never) => string) | null;
  };
  readonly requireActor: boolean;
  readonly correlationId: {
    readonly header: string | false;
    readonly generate: (() => string) | null;
    readonly trust: (req: AuditRequest) => boolean;
  };
  readonly remoteAddr: boolean | ((req: AuditRequest) => string | null);
  readonly request: boolean | ((req: AuditRequest) => string | null);
  readonly mask: RegExp | null;
  readonly preparedStatements: boolean;
}

/** Names that look like secrets; anchored at the end, so that `passwordChangedAt` and `tokenCount` stay readable. */
export const DEFAULT_MASK =
  /(password|passwd|pwd|secret|token|api_?key|private_?key|cvv|cvc|ssn|card_?number)(_?(hash|digest))?$/i;

/** What an entry shows in the place of a masked value. */
export const MASK_TEXT = '********';

/** Attributes of a user that serve as a label, in order of preference. */
export const LABEL_ATTRIBUTES = ['email', 'username', 'name'] as const;

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** The actor of passport (`req.user`) or of a session that keeps the user or only its id. */
export function defaultActor(req: AuditRequest): ActorInput {
  if (req.user !== undefined && req.user !== null) return req.user;
  if (!isObject(req.session)) return null;
  return req.session['user'] ?? req.session['userId'] ?? null;
}

/** Of LogEntry, where no other is named. */
export const DEFAULT_LOG_TABLE = 'audit_log_entries';

const DEFAULTS: ResolvedOptions = {
  schema: null,
  tableName: DEFAULT_LOG_TABLE,
  actor: { model: null, resolve: defaultActor, label: null },
  requireActor: false,
  correlationId: { header: 'x-request-id', generate: null, trust: () => true },
  remoteAddr: true,
  request: true,
  mask: DEFAULT_MASK,
  preparedStatements: true,
};

const WHERE = 'createAuditLog';
/** PostgreSQL cuts longer names silently. */
const MAX_NAME_LENGTH = 63;
/** Sequelize takes a dot for a schema's end and drops quotes, so it would read another table than is written. */
const UNFIT_FOR_NAME = /[\0".]/;

function checkName(option: string, value: unknown): void {
  if (value === undefined) return;
  if (
    typeof value === 'string' &&
    value !== '' &&
    value.length <= MAX_NAME_LENGTH &&
    !UNFIT_FOR_NAME.test(value)
  )
    return;
  const expected = `a name of 1 to ${MAX_NAME_LENGTH} characters without dots and double quotes`;
  invalidOption(WHERE, option, expected, value);
}

function checkType(option: string, value: unknown, expected: string, ...allowed: readonly string[]): void {
  if (value !== undefined && !allowed.includes(typeof value)) invalidOption(WHERE, option, expected, value);
}

function checkActor(actor: ActorOptions | undefined): void {
  if (actor === undefined) return;
  checkKeys(`${WHERE}: actor`, actor, ['model', 'resolve', 'label']);
  const isModel = typeof actor.model === 'function' && typeof actor.model.getAttributes === 'function';
  if (actor.model !== undefined && !isModel)
    invalidOption(WHERE, 'actor.model', 'a Sequelize model', actor.model);
  checkType('actor.resolve', actor.resolve, 'a function of the request', 'function');
  checkType('actor.label', actor.label, 'an attribute name or a function', 'string', 'function');
  if (typeof actor.label === 'string' && actor.model && !(actor.label in actor.model.getAttributes())) {
    invalidOption(WHERE, 'actor.label', `an attribute of ${actor.model.name}`, actor.label);
  }
}

function checkCorrelationId(options: CorrelationIdOptions | undefined): void {
  if (options === undefined) return;
  checkKeys(`${WHERE}: correlationId`, options, ['header', 'generate', 'trust']);
  const { header } = options;
  const headerIsFine =
    header === undefined || header === false || (typeof header === 'string' && header !== '');
  if (!headerIsFine) invalidOption(WHERE, 'correlationId.header', 'a header name or false', header);
  checkType('correlationId.generate', options.generate, 'a function', 'function');
  checkType('correlationId.trust', options.trust, 'a function of the request', 'function');
}

function check(options: AuditLogOptions): void {
  checkKeys(WHERE, options, Object.keys(DEFAULTS));
  checkName('schema', options.schema);
  checkName('tableName', options.tableName);
  checkActor(options.actor);
  checkType('requireActor', options.requireActor, 'a boolean', 'boolean');
  checkCorrelationId(options.correlationId);
  checkType('remoteAddr', options.remoteAddr, 'a boolean or a function', 'boolean', 'function');
  checkType('request', options.request, 'a boolean or a function', 'boolean', 'function');
  const { mask } = options;
  if (mask !== undefined && mask !== false && !(mask instanceof RegExp))
    invalidOption(WHERE, 'mask', 'a RegExp or false', mask);
  checkType('preparedStatements', options.preparedStatements, 'a boolean', 'boolean');
}

/** Without flags that keep state between calls, else every other name would escape the mask. */
function stateless(pattern: RegExp): RegExp {
  return new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''));
}

/** A copy of `given` without undefined values, so that `undefined` means the default. */
function defined<T extends object>(given: T | undefined): Partial<T> {
  const entries = Object.entries(given ?? {}).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Partial<T>;
}

/**
 * Checks the options once and fills in the defaults.
 *
 * @throws {AuditError} ERR_AUDIT_INVALID_OPTION naming the option, what was expected and what was given.
 */
export function resolveOptions(options: AuditLogOptions = {}): ResolvedOptions {
  check(options);
  const { mask, actor, correlationId, ...rest } = options;
  return {
    ...DEFAULTS,
    ...(defined(rest) as Partial<ResolvedOptions>),
    actor: { ...DEFAULTS.actor, ...defined(actor) },
    correlationId: {
      ...DEFAULTS.correlationId,
      ...defined(correlationId),
    },
    mask: mask === false ? null : mask === undefined ? DEFAULT_MASK : stateless(mask),
  };
}
