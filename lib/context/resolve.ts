import type { AuditCallOption } from '../core/call-option';
import { defaultActor } from '../core/options';
import { invalidArgument } from '../core/suggest';
import type { ActorInput, WriteContext } from '../core/types';
import { warnOnce } from '../core/warnings';
import { readActor } from './actor';
import { checkActor, checkData, checkObject, checkText } from './checks';
import { boundedJsonText, type JsonObject } from './json';
import { dropPromise, isThenable, type ContextSettings } from './settings';
import { inherited, storage, type Frame, type Origin } from './storage';

type CallValues = Exclude<AuditCallOption, false>;

const WHERE = 'option "audit"';
const CALL_KEYS = ['reason', 'actor', 'additionalData'] as const;

/** A write outside every context, without an option of its own: by nobody, from nowhere. */
const NOBODY: WriteContext = Object.freeze({
  actorId: null,
  actorLabel: null,
  actorType: null,
  labelFromRow: false,
  remoteAddr: null,
  remotePort: null,
  correlationId: null,
  request: null,
  reason: null,
  additionalData: null,
});

function checkCall(call: AuditCallOption): void {
  if (call === false) return;
  if (typeof call !== 'object')
    invalidArgument(WHERE, `false or an object with ${CALL_KEYS.join(', ')}`, call);
  checkObject(WHERE, call, CALL_KEYS);
  checkActor(`${WHERE}: actor`, call.actor);
  if (call.reason !== undefined) checkText(`${WHERE}: reason`, call.reason);
}

/** The resolver of the log that writes; when it has none of its own, that of the log whose middleware saw the request. */
function resolverOf(
  settings: ContextSettings,
  origin: Origin,
): ContextSettings['options']['actor']['resolve'] {
  const { resolve } = settings.options.actor;
  return resolve === defaultActor ? origin.settings.options.actor.resolve : resolve;
}

const ASYNC_RESOLVER =
  'actor.resolve returned a promise; it must be synchronous. The actor of these entries is null.';

/** Asked anew for every write, so that a login in mid-request counts from there on. */
function requestActor(settings: ContextSettings, origin: Origin): ActorInput {
  try {
    const actor: unknown = resolverOf(settings, origin)(origin.req);
    if (!isThenable(actor)) return actor as ActorInput;
    dropPromise(actor);
    warnOnce('AUDIT_ASYNC_RESOLVER', ASYNC_RESOLVER);
  } catch (error) {
    settings.report(error, 'actor.resolve');
  }
  return null;
}

/** The actor as given by the innermost context that has one, else by the request; undefined when nobody was ever asked. */
export function contextActor(settings: ContextSettings, frame: Frame | null): ActorInput {
  const given = inherited(frame, 'actor');
  if (given !== undefined || !frame?.origin) return given;
  return requestActor(settings, frame.origin);
}

/** The data of a context and those around it, the inner winning; null when there is none. */
export function contextData(frame: Frame | null): JsonObject | null {
  if (frame === null) return null;
  const outer = frame.inheritsData ? contextData(frame.parent) : null;
  if (outer === null || frame.additionalData === null) return frame.additionalData ?? outer;
  return { ...outer, ...frame.additionalData };
}

function dataText(data: JsonObject | null): string | null {
  return data === null || Object.keys(data).length === 0 ? null : boundedJsonText(data);
}

/** Kept on the frame while it is the only one with data, so that a loop of writes converts it once. */
function frameDataText(frame: Frame | null): string | null {
  const data = contextData(frame);
  if (frame === null || data !== frame.additionalData) return dataText(data);
  frame.dataText ??= dataText(data);
  return frame.dataText;
}

function additionalDataText(frame: Frame | null, call: CallValues | undefined): string | null {
  const given = call?.additionalData;
  if (given === undefined) return frameDataText(frame);
  if (given === null) return null;
  return dataText({ ...contextData(frame), ...checkData(`${WHERE}: additionalData`, given) });
}

function reasonOf(frame: Frame | null, call: CallValues | undefined): string | null {
  if (call?.reason === undefined) return inherited(frame, 'reason') ?? null;
  return checkText(`${WHERE}: reason`, call.reason);
}

/**
 * What a write's entry says about who, from where and why; null when the write leaves no entry (`audit: false`, `withoutAudit`).
 * Precedence: the call, the innermost context, outer contexts, `actor.resolve`; an explicit null wins; `additionalData` is merged.
 *
 * With `labelFromRow`, `actorLabel` holds the id: the label of an actor whose row is not there.
 *
 * @throws {AuditError} ERR_AUDIT_INVALID_ARGUMENT when `call` has unknown keys or values of a wrong type.
 * @example
 * const context = resolveWriteContext(settings, options.audit);
 */
export function resolveWriteContext(
  settings: ContextSettings,
  call: AuditCallOption | undefined,
): WriteContext | null {
  if (call !== undefined) checkCall(call);
  const store = storage.getStore();
  if (call === false || store?.silenced === true) return null;
  const frame = store?.frame ?? null;
  if (frame === null && call === undefined) return NOBODY;
  const actor = readActor(settings, call?.actor === undefined ? contextActor(settings, frame) : call.actor);
  return {
    actorId: actor?.id ?? null,
    actorLabel: actor === null ? null : (actor.label ?? actor.id),
    actorType: actor?.type ?? null,
    labelFromRow: actor?.labelFromRow ?? false,
    remoteAddr: inherited(frame, 'remoteAddr') ?? null,
    remotePort: inherited(frame, 'remotePort') ?? null,
    correlationId: inherited(frame, 'correlationId') ?? null,
    request: inherited(frame, 'request') ?? null,
    reason: reasonOf(frame, call),
    additionalData: additionalDataText(frame, call),
  };
}
