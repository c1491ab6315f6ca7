import type { Model, Sequelize } from 'sequelize';
import type { AuditCallOption } from '../core/types';

interface WithAudit {
  audit?: AuditCallOption;
}

interface WithIncludes extends WithAudit {
  include?: unknown;
}

const HOOK = 'sequelize-auditlog';

function handDown(audit: AuditCallOption | undefined, includes: unknown): void {
  if (audit === undefined || !Array.isArray(includes)) return;
  for (const include of includes as WithAudit[]) {
    if (typeof include === 'object' && include !== null) include.audit ??= audit;
  }
}

/**
 * Children of a nested create get the options of their include, not those of the call. The includes are Sequelize's own
 * copies, made for this call, so the call's `audit` option can be laid into them; it then reaches every level.
 */
export function handDownCallOptions(sequelize: Sequelize): void {
  sequelize.addHook('beforeCreate', HOOK, (instance: Model, options: unknown) => {
    const { _options } = instance as unknown as { _options?: WithIncludes };
    handDown((options as WithAudit).audit, _options?.include);
  });
  sequelize.addHook('beforeBulkCreate', HOOK, (_instances: readonly Model[], options: unknown) => {
    const { audit, include } = options as WithIncludes;
    handDown(audit, include);
  });
}
