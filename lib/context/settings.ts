import type { Model, ModelStatic, Sequelize } from 'sequelize';
import { resolveOptions, type ResolvedOptions } from '../core/options';
import { warnOnce } from '../core/warnings';

/** What this room needs of an audit log. */
export interface ContextSettings {
  readonly options: ResolvedOptions;
  /** Whether the value of this attribute may not be stored; a masked attribute is never a label. */
  isMasked(model: ModelStatic<Model>, attribute: string): boolean;
  /** Takes what a function of the application threw; `what` names the option. Must not throw itself. */
  report(error: unknown, what: string): void;
}

/** Where no audit log is known: everything counts as masked, so that no value is taken for a label that a log would hide. */
export const DEFAULT_SETTINGS: ContextSettings = {
  options: resolveOptions(),
  isMasked: () => true,
  report(error, what) {
    const message = error instanceof Error ? error.message : String(error);
    warnOnce(
      'AUDIT_CONTEXT_FAILURE',
      `sequelize-auditlog: ${what} failed, its value is left out: ${message}`,
      what,
    );
  },
};

const byInstance = new WeakMap<Sequelize, ContextSettings>();

/** Makes an audit log's settings known, so that `currentAuditContext` can name an actor that is one of its models' rows. */
export function rememberSettings(sequelize: Sequelize, settings: ContextSettings): void {
  byInstance.set(sequelize, settings);
}

/** The settings of the audit log of this Sequelize instance, if it has one. */
export function settingsOf(sequelize: Sequelize | undefined): ContextSettings | undefined {
  return sequelize && byInstance.get(sequelize);
}

/** Whether a value can be awaited. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  const isCandidate = (typeof value === 'object' && value !== null) || typeof value === 'function';
  return isCandidate && typeof (value as { then?: unknown }).then === 'function';
}

function ignore(): void {}

/** Takes a promise nobody will await; its rejection must not end the process. */
export function dropPromise(promise: PromiseLike<unknown>): void {
  promise.then(ignore, ignore);
}

/** Whether an application's function was by mistake asynchronous; it is then reported. */
export function rejectPromise(settings: ContextSettings, what: string, value: unknown): boolean {
  if (!isThenable(value)) return false;
  dropPromise(value);
  settings.report(new TypeError(`${what} must be synchronous, but returned a promise`), what);
  return true;
}

/**
 * What an application's function gives; null when it throws or returns a promise, which is reported: auditing breaks neither a
 * request nor a write.
 */
export function attempt<T>(settings: ContextSettings, what: string, give: () => T): T | null {
  try {
    const value = give();
    return rejectPromise(settings, what, value) ? null : value;
  } catch (error) {
    settings.report(error, what);
    return null;
  }
}
