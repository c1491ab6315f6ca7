import type { Model, ModelStatic, Sequelize } from 'sequelize';
import { handDownCallOptions } from './capture/call-options';
import { Door } from './capture/door';
import { Environment } from './capture/environment';
import { CaptureGuard } from './capture/guard';
import { PreparedNames } from './capture/prepared-names';
import { Registry, type Registration } from './capture/registry';
import { interceptStatements, onBeforeQuery, type QueryOptions } from './capture/sequelize-adapter';
import { labelAttribute } from './context/actor';
import { createAuditMiddleware, type AuditMiddleware } from './context/middleware';
import { resolveWriteContext } from './context/resolve';
import { rememberSettings, type ContextSettings } from './context/settings';
import { AuditError } from './core/errors';
import { AuditEvents, type AuditEventMap, type AuditEventName } from './core/events';
import { resolveOptions, type AuditLogOptions, type ResolvedOptions } from './core/options';
import type { RegistrationOptions } from './schema/registration';
import { syncTables, type SyncOptions } from './schema/sync';

const HOOK = 'sequelize-auditlog';

function contextSettingsOf(options: ResolvedOptions, registry: Registry, events: AuditEvents): ContextSettings {
  return {
    options,
    isMasked: (model, attribute) => {
      const masked = registry.find(model)?.masked;
      return masked ? masked.includes(attribute) : options.mask?.test(attribute) === true;
    },
    report: (error, what) => events.report(error, what),
  };
}

/** Reads of models are told apart before anything is looked at: they are most of what passes. */
function isRead({ type, model }: QueryOptions): boolean {
  return type === 'SELECT' && model !== undefined;
}

function capture(sequelize: Sequelize, options: ResolvedOptions, registry: Registry, settings: ContextSettings): Environment {
  const environment = new Environment({ options, labelAttribute: () => labelAttribute(settings) });
  const names = new PreparedNames(options.preparedStatements);
  const door = new Door({
    registry,
    environment,
    names,
    requireActor: options.requireActor,
    resolveContext: (call) => resolveWriteContext(settings, call),
  });
  const guard = new CaptureGuard(sequelize, registry);
  handDownCallOptions(sequelize);
  onBeforeQuery(sequelize, HOOK, (queryOptions, query) => {
    if (isRead(queryOptions)) return;
    guard.note(queryOptions);
    interceptStatements(query, (client, sql, values, done) => door.pass({ options: queryOptions, client, sql, values }, done));
  });
  return environment;
}
export function createAuditLog(sequelize: Sequelize, options?: AuditLogOptions) {
  const resolved = resolveOptions(options);
  const registry = new Registry(sequelize, resolved);
  const events = new AuditEvents();
  const settings = contextSettingsOf(resolved, registry, events);
  const environment = capture(sequelize, resolved, registry, settings);
  return {
    registerAudited: (model: ModelStatic<Model>, o: RegistrationOptions = {}) => registry.register(model, o),
    auditMiddleware: createAuditMiddleware(settings),
    async sync(o?: SyncOptions) { await syncTables(sequelize, registry.registrations, environment.log, o); environment.forget(); },
  };
}
