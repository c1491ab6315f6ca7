import { AuditError } from '../core/errors';
import { invalidArgument } from '../core/suggest';
import type { ActorInput } from '../core/types';
import { readActor, type Actor } from './actor';
import { normaliseAddress, normalisePort } from './addresses';
import { checkActor, checkCorrelationId, checkData, checkFunction, checkObject, checkText } from './checks';
import { isInstance } from './instances';
import type { JsonObject } from './json';
import { cleanRequestLine } from './request-line';
import { contextActor, contextData } from './resolve';
import { DEFAULT_SETTINGS, settingsOf, type ContextSettings } from './settings';
import { createFrame, inherited, storage, type Frame, type FrameValues } from './storage';

/** What `withAuditContext` takes: undefined inherits, null is an answer. */
export interface AuditContextValues {
  readonly actor?: ActorInput;
  /** Why; stored whole. */
  readonly reason?: string | null | undefined;
  /** An IP address; what is none becomes null. */
  readonly remoteAddr?: string | null | undefined;
  /** 0 to 65535; anything else becomes null. */
  readonly remotePort?: number | null | undefined;
  /** Method and path, or another line that says what ran; at most 2,048 characters. */
  readonly request?: string | null | undefined;
  /** 1 to 128 characters of `A-Za-z0-9._:/+=-`. */
  readonly correlationId?: string | null | undefined;
  /** Merged over that of outer contexts; null leaves theirs out. A Sequelize instance in it is kept as `{ model, pk }`. */
  readonly additionalData?: Readonly<Record<string, unknown>> | null | undefined;
  /** True as inside `withoutAudit`; false changes nothing. */
  readonly silenced?: boolean | undefined;
}

/** The current context as plain JSON, fit for `withAuditContext` in another process. */
export interface AuditContextSnapshot {
  /** Absent when no context names one and there is no request. A label that only the row knows is null. */
  readonly actor?: {
    readonly id: string;
    readonly label: string | null;
    readonly type: string | null;
  } | null;
  readonly reason: string | null;
  readonly remoteAddr: string | null;
  readonly remotePort: number | null;
  readonly request: string | null;
  readonly correlationId: string | null;
  readonly additionalData: JsonObject | null;
  /** Only inside `withoutAudit`. */
  readonly silenced?: true;
}

const WHERE = 'withAuditContext';
const KEYS = [
  'actor',
  'reason',
  'remoteAddr',
  'remotePort',
  'request',
  'correlationId',
  'additionalData',
  'silenced',
];

/** Runs a check where there is something to check. */
function given<T, R>(value: T | undefined, check: (value: T) => R): R | undefined {
  return value === undefined ? undefined : check(value);
}

function checkAddress(value: unknown): string | null {
  return normaliseAddress(checkText(`${WHERE}: remoteAddr`, value));
}

function checkPort(value: unknown): number | null {
  if (value !== null && typeof value !== 'number')
    invalidArgument(`${WHERE}: remotePort`, 'a number or null', value);
  return normalisePort(value);
}

function checkRequest(value: unknown): string | null {
  const line = checkText(`${WHERE}: request`, value);
  return line === null ? null : cleanRequestLine(line);
}

function checkSilenced(value: unknown): boolean {
  return typeof value === 'boolean' ? value : invalidArgument(`${WHERE}: silenced`, 'a boolean', value);
}

function checkValues(values: AuditContextValues): FrameValues {
  checkObject(WHERE, values, KEYS);
  checkActor(`${WHERE}: actor`, values.actor);
  return {
    actor: values.actor,
    reason: given(values.reason, (reason) => checkText(`${WHERE}: reason`, reason)),
    remoteAddr: given(values.remoteAddr, checkAddress),
    remotePort: given(values.remotePort, checkPort),
    request: given(values.request, checkRequest),
    correlationId: given(values.correlationId, (id) => checkCorrelationId(`${WHERE}: correlationId`, id)),
    additionalData: given(
      values.additionalData,
      (data) => data && checkData(`${WHERE}: additionalData`, data),
    ),
  };
}

/**
 * Runs `fn` in a context: every write inside, also after awaits, is by this actor, for this reason. Contexts nest: what is not
 * given is inherited, and the outer context is back when `fn` ends, also by throwing. Takes what `currentAuditContext` gave, null
 * included, also after a trip through JSON. Additional data is copied at once; the actor is read when an entry is written.
 *
 * @returns what `fn` returns, a promise included.
 * @throws {AuditError} ERR_AUDIT_INVALID_ARGUMENT for unknown keys and values of a wrong type.
 * @example
 * await withAuditContext({ actor: 'nightly-job', reason: 'close stale orders' }, () => closeStaleOrders());
 */
export function withAuditContext<T>(values: AuditContextValues | null | undefined, fn: () => T): T {
  const checked = values === null || values === undefined ? {} : checkValues(values);
  checkFunction(WHERE, fn);
  const outer = storage.getStore();
  const isSilenced = outer?.silenced === true || given(values?.silenced, checkSilenced) === true;
  return storage.run({ frame: createFrame(outer?.frame ?? null, checked), silenced: isSilenced }, fn);
}

/**
 * Runs `fn` without leaving entries, also after awaits; ends when `fn` ends, also by throwing. `withAuditContext` inside does not
 * switch auditing on again.
 *
 * @returns what `fn` returns, a promise included.
 * @throws {AuditError} ERR_AUDIT_INVALID_ARGUMENT when `fn` is no function.
 * @example
 * await withoutAudit(() => Order.bulkCreate(fixtures));
 */
export function withoutAudit<T>(fn: () => T): T {
  checkFunction('withoutAudit', fn);
  return storage.run({ frame: storage.getStore()?.frame ?? null, silenced: true }, fn);
}

function currentFrame(where: string): Frame {
  const frame = storage.getStore()?.frame;
  if (frame) return frame;
  const message = `${where}: there is no audit context. Call it inside withAuditContext or a request behind auditMiddleware.`;
  throw new AuditError('ERR_AUDIT_NO_CONTEXT', message);
}

/**
 * Names the actor of the current context from here on, before any the request knows; null and undefined say nobody.
 *
 * @throws {AuditError} ERR_AUDIT_NO_CONTEXT outside a context.
 * @example
 * setActor(await authenticate(token));
 */
export function setActor(actor: ActorInput): void {
  checkActor('setActor', actor);
  currentFrame('setActor').actor = actor ?? null;
}

/**
 * Says why, for every later write of the current context; null takes the reason back.
 *
 * @throws {AuditError} ERR_AUDIT_NO_CONTEXT outside a context, ERR_AUDIT_INVALID_ARGUMENT when it is no text.
 * @example
 * setReason(`ticket ${ticket.id}`);
 */
export function setReason(reason: string | null): void {
  const text = checkText('setReason', reason);
  currentFrame('setReason').reason = text;
}

/**
 * Adds to the additional data of later entries of the current context; keys already there are replaced.
 *
 * @throws {AuditError} ERR_AUDIT_NO_CONTEXT outside a context, ERR_AUDIT_INVALID_ARGUMENT when it is no object.
 * @example
 * addAuditData({ tenant: tenant.id });
 */
export function addAuditData(data: Readonly<Record<string, unknown>>): void {
  const added = checkData('addAuditData', data);
  const frame = currentFrame('addAuditData');
  frame.additionalData = { ...frame.additionalData, ...added };
  frame.dataText = null;
}

/** Whose masks and labels apply to an actor outside a write: the log of its model, else the one that saw the request. */
function settingsFor(frame: Frame | null, actor: ActorInput): ContextSettings {
  const isRow = typeof actor === 'object' && actor !== null && isInstance(actor);
  const own = isRow ? settingsOf(actor.constructor.sequelize) : undefined;
  return own ?? frame?.origin?.settings ?? DEFAULT_SETTINGS;
}

function snapshotActor(frame: Frame | null): Actor | null | undefined {
  const input = contextActor(frame?.origin?.settings ?? DEFAULT_SETTINGS, frame);
  return input === undefined ? undefined : readActor(settingsFor(frame, input), input);
}

/**
 * The current context as a plain object, to hand to a queue or another process and there to `withAuditContext`; null outside
 * any. The actor of a request is resolved now.
 *
 * @example
 * await queue.add('invoice', { orderId, audit: currentAuditContext() });
 * // in the worker
 * await withAuditContext(job.data.audit, () => invoice(job.data.orderId));
 */
export function currentAuditContext(): AuditContextSnapshot | null {
  const store = storage.getStore();
  if (!store) return null;
  const { frame, silenced } = store;
  const actor = snapshotActor(frame);
  const data = contextData(frame);
  return {
    ...(actor !== undefined && { actor: actor && { id: actor.id, label: actor.label, type: actor.type } }),
    reason: inherited(frame, 'reason') ?? null,
    remoteAddr: inherited(frame, 'remoteAddr') ?? null,
    remotePort: inherited(frame, 'remotePort') ?? null,
    request: inherited(frame, 'request') ?? null,
    correlationId: inherited(frame, 'correlationId') ?? null,
    // A copy: who changes it must not change the context.
    additionalData: data && (JSON.parse(JSON.stringify(data)) as JsonObject),
    ...(silenced && { silenced }),
  };
}
