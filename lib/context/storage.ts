import { AsyncLocalStorage } from 'node:async_hooks';
import type { AuditRequest } from '../core/options';
import type { ActorInput } from '../core/types';
import type { JsonObject } from './json';
import type { ContextSettings } from './settings';

/** The request a context belongs to, and the audit log whose middleware opened it. */
export interface Origin {
  readonly req: AuditRequest;
  readonly settings: ContextSettings;
}

/** What a context may say; undefined asks the outer one, null is an answer. */
export interface FrameValues {
  readonly actor?: ActorInput;
  readonly reason?: string | null | undefined;
  readonly remoteAddr?: string | null | undefined;
  readonly remotePort?: number | null | undefined;
  readonly correlationId?: string | null | undefined;
  readonly request?: string | null | undefined;
  readonly additionalData?: JsonObject | null | undefined;
}

/** One context; `setActor`, `setReason` and `addAuditData` change its own slots, never those of the contexts around it. */
export interface Frame {
  readonly parent: Frame | null;
  readonly origin: Origin | null;
  actor: ActorInput;
  reason: string | null | undefined;
  readonly remoteAddr: string | null | undefined;
  readonly remotePort: number | null | undefined;
  readonly correlationId: string | null | undefined;
  readonly request: string | null | undefined;
  additionalData: JsonObject | null;
  /** False after an explicit null: what outer contexts added is not merged. */
  readonly inheritsData: boolean;
  /** The text of `additionalData` once it was asked for. */
  dataText: string | null;
}

/** What the AsyncLocalStorage holds; `withoutAudit` changes only `silenced`, so setters inside it reach the context around it. */
export interface Store {
  readonly frame: Frame | null;
  readonly silenced: boolean;
}

interface Shared {
  readonly storage: AsyncLocalStorage<Store>;
  /** The innermost context that a request was last seen in, to enter it again where callbacks have lost it. */
  readonly requests: WeakMap<AuditRequest, Store>;
}

// One per process, not per copy of this package: two copies in node_modules must see one actor.
const KEY = Symbol.for('sequelize-auditlog.context');

function sharedByProcess(): Shared {
  const holder = globalThis as { [KEY]?: Shared };
  holder[KEY] ??= { storage: new AsyncLocalStorage<Store>(), requests: new WeakMap() };
  return holder[KEY];
}

export const { storage, requests } = sharedByProcess();

/** The request that whatever runs now is taken for. */
export function activeRequest(): AuditRequest | undefined {
  return storage.getStore()?.frame?.origin?.req;
}

/** Runs `fn` for this request: in the context that is active if it is one of the request's own, else in the one it had. */
export function inContextOf<T>(req: AuditRequest, fn: () => T): T {
  const own = requests.get(req);
  return own === undefined || activeRequest() === req ? fn() : storage.run(own, fn);
}

/** A context inside `parent`. */
export function createFrame(
  parent: Frame | null,
  values: FrameValues,
  origin: Origin | null = parent?.origin ?? null,
): Frame {
  return {
    parent,
    origin,
    actor: values.actor,
    reason: values.reason,
    remoteAddr: values.remoteAddr,
    // A port belongs to its address.
    remotePort: values.remoteAddr === undefined ? values.remotePort : (values.remotePort ?? null),
    correlationId: values.correlationId,
    request: values.request,
    additionalData: values.additionalData ?? null,
    inheritsData: values.additionalData !== null,
    dataText: null,
  };
}

type InheritedKey = 'actor' | 'reason' | 'remoteAddr' | 'remotePort' | 'correlationId' | 'request';

/** The innermost context's answer; undefined when none has one. */
export function inherited<K extends InheritedKey>(frame: Frame | null, key: K): Frame[K] | undefined {
  for (let at = frame; at !== null; at = at.parent) {
    if (at[key] !== undefined) return at[key];
  }
  return undefined;
}
