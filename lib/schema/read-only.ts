import type { Model, ModelStatic } from 'sequelize';
import { AuditError } from '../core/errors';
import { linkingMethods } from './associations';

const STATIC_WRITES = [
  'bulkCreate',
  'create',
  'decrement',
  'destroy',
  'drop',
  'findCreateFind',
  'findOrCreate',
  'increment',
  'restore',
  'sync',
  'truncate',
  'update',
  'upsert',
] as const;

const INSTANCE_WRITES = ['decrement', 'destroy', 'increment', 'restore', 'save', 'update'] as const;

/** Defines members that only code may see, as methods of a class are. */
export function defineHidden(target: object, members: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(members)) {
    Object.defineProperty(target, name, { value, writable: true, configurable: true, enumerable: false });
  }
}

function refusals(names: readonly string[], subject: string, advice: string): Record<string, unknown> {
  const refusal = (name: string) =>
    async function refuse(): Promise<never> {
      throw new AuditError('ERR_AUDIT_READ_ONLY', `${name} refused: ${subject} is read-only. ${advice}`);
    };
  return Object.fromEntries(names.map((name) => [name, refusal(name)]));
}

function instanceWrites(model: ModelStatic<Model>): string[] {
  return [...INSTANCE_WRITES, ...linkingMethods(model)];
}

/** Refuses every write through `model` and its instances with ERR_AUDIT_READ_ONLY. */
export function refuseWrites(model: ModelStatic<Model>, advice: string): void {
  defineHidden(model, refusals(STATIC_WRITES, model.name, advice));
  defineHidden(model.prototype, refusals(instanceWrites(model), `an instance of ${model.name}`, advice));
}

/** Refuses every write through one instance with ERR_AUDIT_READ_ONLY. */
export function refuseInstanceWrites<M extends Model>(instance: M, advice: string): M {
  const subject = `this ${instance.constructor.name} of the past`;
  const names = instanceWrites(instance.constructor as ModelStatic<Model>);
  defineHidden(instance, refusals(names, subject, advice));
  return instance;
}
