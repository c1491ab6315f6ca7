import type { Model, ModelStatic, Sequelize } from 'sequelize';
import { AuditError } from '../core/errors';
import { managedAttributes } from '../schema/attributes';
import type { Registry } from './registry';
import type { QueryOptions } from './sequelize-adapter';

const HOOK = 'sequelize-auditlog';
/** A string key, since Sequelize drops symbols on some paths; an instance, since it copies plain objects. */
const MARK = 'auditMark';

/** Travels with the options of one bulk call, from its before-hook to its queries and its after-hook. */
class CallMark {
  passed = false;
}

interface MarkedOptions {
  [MARK]?: CallMark;
  readonly individualHooks?: boolean;
  readonly attributes?: object;
}

/**
 * Checks in the after-hooks that a write passed the door on its way. It always does; the check guards against a Sequelize
 * that changed underneath, so that nothing goes unrecorded in silence.
 */
export class CaptureGuard {
  readonly #registry: Registry;
  readonly #passed = new WeakSet<Model>();
  /** Instances whose soft destroy or restore finds nothing to save, and so sends nothing. */
  readonly #idle = new WeakSet<Model>();

  constructor(sequelize: Sequelize, registry: Registry) {
    this.#registry = registry;
    this.#markBulkCalls(sequelize);
    this.#checkInstances(sequelize);
    this.#checkBulkCalls(sequelize);
  }

  /** A query of this call is at the door. */
  note(options: QueryOptions): void {
    const mark = (options as MarkedOptions)[MARK];
    if (mark instanceof CallMark) mark.passed = true;
    if (options.instance) this.#passed.add(options.instance);
  }

  #markBulkCalls(sequelize: Sequelize): void {
    const mark = (options: object | null | undefined): void => {
      if (options) (options as MarkedOptions)[MARK] = new CallMark();
    };
    sequelize.addHook('beforeBulkCreate', HOOK, (_instances, options) => mark(options));
    sequelize.addHook('beforeBulkUpdate', HOOK, (options) => mark(options));
    sequelize.addHook('beforeBulkDestroy', HOOK, (options) => mark(options));
    sequelize.addHook('beforeBulkRestore', HOOK, (options) => mark(options));
  }

  #checkInstances(sequelize: Sequelize): void {
    const check = (instance: Model, options: unknown): void => {
      const wasBulk = (options as MarkedOptions | undefined)?.[MARK] !== undefined;
      if (wasBulk || this.#passed.has(instance) || this.#idle.has(instance)) return;
      this.#fail(instance.constructor as ModelStatic<Model>);
    };
    const note = (instance: Model, isIdle: boolean): void => {
      if (isIdle) this.#idle.add(instance);
      else this.#idle.delete(instance);
    };
    sequelize.addHook('beforeDestroy', HOOK, (instance, { force }) =>
      note(instance, force !== true && isUnchanged(instance, true)),
    );
    sequelize.addHook('beforeRestore', HOOK, (instance) => note(instance, isUnchanged(instance, false)));
    sequelize.addHook('afterCreate', HOOK, check);
    sequelize.addHook('afterUpdate', HOOK, check);
    sequelize.addHook('afterDestroy', HOOK, check);
    sequelize.addHook('afterRestore', HOOK, check);
    sequelize.addHook('afterUpsert', HOOK, ([instance], options) => check(instance, options));
  }

  #checkBulkCalls(sequelize: Sequelize): void {
    const registry = this.#registry;
    const check = (options: unknown): void => {
      const { model } = options as { model?: ModelStatic<Model> };
      const mark = (options as MarkedOptions)[MARK];
      if (model && mark && !mark.passed && sendsAlways(options as MarkedOptions) && registry.find(model))
        this.#fail(model);
    };
    sequelize.addHook('afterBulkCreate', HOOK, (_instances, options) => check(options));
    sequelize.addHook('afterBulkUpdate', HOOK, check);
    sequelize.addHook('afterBulkDestroy', HOOK, check);
    sequelize.addHook('afterBulkRestore', HOOK, check);
  }

  /** @throws {AuditError} ERR_AUDIT_UNCAPTURED */
  #fail(model: ModelStatic<Model>): void {
    if (!this.#registry.find(model)) return;
    const message = `A write of ${model.name} did not pass the audit log. This version of Sequelize works in a way that sequelize-auditlog doesn't know: use a version it supports, and please report it.`;
    throw new AuditError('ERR_AUDIT_UNCAPTURED', message);
  }
}

/** Whether a paranoid instance has nothing to save once it is to be deleted, or not deleted. */
function isUnchanged(instance: Model, isDeleted: boolean): boolean {
  const model = instance.constructor as ModelStatic<Model>;
  if (!model.options.paranoid || instance.changed() !== false) return false;
  const { deletedAt } = managedAttributes(model);
  if (deletedAt === null) return false;
  return ((instance.getDataValue(deletedAt as never) ?? null) !== null) === isDeleted;
}

/** Sequelize runs the after-hooks of `Model.update` also where it found nothing to send. */
function sendsAlways({ individualHooks, attributes }: MarkedOptions): boolean {
  return individualHooks !== true && (attributes === undefined || Object.keys(attributes).length > 1);
}
