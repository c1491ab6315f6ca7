import { EventEmitter } from 'node:events';
import type { AuditAction } from './types';
import { warnOnce } from './warnings';

/** One entry that is durably committed. */
export interface ModelAuditedEvent {
  /** `id` of the entry. */
  readonly entryId: string;
  readonly modelName: string;
  /** `objectPk` of the entry: null where an entry is about no object. */
  readonly instanceId: string | null;
  readonly action: AuditAction;
  /** Names of the attributes and associations that changed, in alphabetical order. */
  readonly changedFields: readonly string[];
  readonly changedById: string | null;
  /** The database's clock at the change, in milliseconds. */
  readonly timestamp: Date;
  readonly correlationId: string | null;
  readonly transactionId: string | null;
}

/** What an audit log tells its application. A handler may return a promise, for which nobody waits. */
export interface AuditEventMap {
  /**
   * One event per entry, in the order of their ids within a transaction, in the process that wrote it, after the commit. A process
   * that ends between the commit and the event never tells it: `auditLog.tail()` does.
   */
  audited: [event: ModelAuditedEvent];
  /** What an application's own function or handler threw; it never breaks a write. */
  error: [error: unknown];
}

export type AuditEventName = keyof AuditEventMap;

/** The events of one audit log. An error that nobody listens for becomes a process warning, never an uncaught exception. */
export class AuditEvents {
  readonly #emitter = new EventEmitter();

  on<E extends AuditEventName>(event: E, handler: (...args: AuditEventMap[E]) => void): void {
    this.#emitter.on(event, handler as (...args: unknown[]) => void);
  }

  once<E extends AuditEventName>(event: E, handler: (...args: AuditEventMap[E]) => void): void {
    this.#emitter.once(event, handler as (...args: unknown[]) => void);
  }

  off<E extends AuditEventName>(event: E, handler: (...args: AuditEventMap[E]) => void): void {
    this.#emitter.off(event, handler as (...args: unknown[]) => void);
  }

  /** Whether anybody listens. */
  has(event: AuditEventName): boolean {
    return this.#emitter.listenerCount(event) > 0;
  }

  /** Calls every handler; what one throws, or its promise rejects with, is reported and keeps none of the others from it. */
  tell(event: ModelAuditedEvent): void {
    // The raw ones, since those of once() have to remove themselves.
    for (const handler of this.#emitter.rawListeners('audited')) this.#call(handler, event);
  }

  #call(handler: Function, event: ModelAuditedEvent): void {
    const what = "a handler of 'audited'";
    try {
      const answer: unknown = Reflect.apply(handler, this.#emitter, [event]);
      if (answer instanceof Promise) answer.catch((error: unknown) => this.report(error, what));
    } catch (error) {
      this.report(error, what);
    }
  }

  /** Takes what `what` threw; throws nothing itself. */
  report(error: unknown, what: string): void {
    const message = error instanceof Error ? error.message : String(error);
    if (this.#emitter.listenerCount('error') === 0) {
      warnOnce('AUDIT_HANDLER_FAILED', `${what} failed: ${message}`, what);
      return;
    }
    try {
      this.#emitter.emit('error', error);
    } catch (thrown) {
      warnOnce('AUDIT_HANDLER_FAILED', `A handler of 'error' failed: ${String(thrown)}`);
    }
  }
}
