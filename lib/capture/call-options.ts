import type { Model, Sequelize } from 'sequelize';
import type { AuditCallOption } from '../core/call-option';

interface WithAudit {
  audit?: AuditCallOption;
}

interface WithIncludes extends WithAudit {
  include?: unknown;
}

const HOOK = 'sequelize-auditlog';

/** What an include was before the option of a call was laid into a copy of it. */
const originals = new WeakMap<WithAudit, WithAudit>();

/** Copies, since an include may be the application's own object, which the next call must find as it was. */
function withOption(audit: AuditCallOption | undefined, includes: readonly WithAudit[]): WithAudit[] {
  return includes.map((include) => {
    const original = originals.get(include) ?? include;
    if (audit === undefined || original.audit !== undefined) return original;
    const copy = { ...original, audit };
    originals.set(copy, original);
    return copy;
  });
}

function handDown(audit: AuditCallOption | undefined, target: WithIncludes | undefined): void {
  if (!target || !Array.isArray(target.include)) return;
  const given = target.include as WithAudit[];
  const includes = withOption(audit, given);
  // Without the option nothing at all is touched.
  if (includes.some((include, at) => include !== given[at])) target.include = includes;
}

interface NestedOptions extends WithAudit {
  readonly instance?: Model;
  readonly parentRecord?: Model;
}

/** The option of the call that an instance was written by. */
const calls = new WeakMap<Model, AuditCallOption>();

/** Of the last call only: one that failed may be tried again without the option. */
function remember(instance: Model | undefined, option: AuditCallOption | undefined): void {
  if (!instance) return;
  if (option === undefined) calls.delete(instance);
  else calls.set(instance, option);
}

/**
 * The option of a query's call. A child of a nested create that got none, since its parent's hooks are off, has its
 * parent's, whose own insert has passed before.
 */
export function callOption({ audit, instance, parentRecord }: NestedOptions): AuditCallOption | undefined {
  const option = audit ?? (parentRecord && calls.get(parentRecord));
  remember(instance, option);
  return option;
}

/**
 * Children of a nested create get the options of their include, not those of the call. The call's `audit` option is laid
 * into the includes for this one call; it then reaches every level.
 */
export function handDownCallOptions(sequelize: Sequelize): void {
  sequelize.addHook('beforeCreate', HOOK, (instance: Model, options: unknown) => {
    const { _options } = instance as unknown as { _options?: WithIncludes };
    const { audit, parentRecord } = options as NestedOptions;
    // Those of a belongsTo are written before the insert that tells.
    if (!parentRecord) remember(instance, audit);
    handDown(audit, _options);
  });
  sequelize.addHook('beforeBulkCreate', HOOK, (_instances: readonly Model[], options: unknown) => {
    const call = options as WithIncludes;
    handDown(call.audit, call);
  });
}
