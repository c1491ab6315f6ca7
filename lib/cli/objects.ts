import type { AuditedModel } from '../audited-model';
import type { Registration } from '../capture/registry';
import { didYouMean } from '../core/suggest';
import { keyTexts } from '../history/object-key';
import { UsageError } from './exit-codes';
import type { Session } from './runner';

/** One object of a model that the application's module registers. */
export interface NamedObject {
  readonly registration: Registration;
  readonly handle: AuditedModel;
  /** As it was typed: of a composite key a JSON array. */
  readonly pk: string;
  readonly key: Readonly<Record<string, string>>;
}

/** @throws {UsageError} when the log was opened without the application's models, or has none of this name */
function registrationOf({ foundation, hasModels, command }: Session, name: string): Registration {
  const { registry } = foundation.settings;
  if (!hasModels)
    throw new UsageError(`${command} needs the models: --require names the module that exports auditLog.`);
  const found = registry.findByName(name);
  if (found) return found;
  const known = registry.registrations.map((each) => each.name);
  throw new UsageError(`No model is registered as "${name}".${didYouMean(name, known)}`);
}

/** @throws {UsageError, AuditError} for a model or key that there can't be */
export function namedObject(session: Session, model: string, pk: string): NamedObject {
  const registration = registrationOf(session, model);
  const key = keyTexts(session.command, registration.model, pk);
  return { registration, handle: session.auditLog.audited(registration.model), pk, key };
}
