import { EventEmitter } from 'node:events';
import { warnOnce } from './warnings';

/** What an audit log tells its application; `'audited'` follows the commit. */
export interface AuditEventMap {
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
