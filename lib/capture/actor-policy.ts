import { AuditError } from '../core/errors';
import type { CapturedAction, WriteContext } from '../core/types';
import { managedAttributes } from '../schema/attributes';
import type { ParsedWrite } from '../statement/parse-write';
import { fieldOf } from './plan-reader';
import type { AuditedTable, Registration } from './registry';

/** What may happen to rows of a registered model by a write: an upsert inserts or updates, a soft delete is an update. */
export function possibleActions({ model }: Registration, write: ParsedWrite): readonly CapturedAction[] {
  if (write.kind === 'delete') return ['delete'];
  const { deletedAt } = managedAttributes(model);
  const keys = model.primaryKeyAttributes.map((name) => fieldOf(model, name));
  const assigns = (column: string): boolean => write.assigned.includes(column);
  const updates: CapturedAction[] = [];
  if (deletedAt !== null && assigns(fieldOf(model, deletedAt))) updates.push('delete');
  if (keys.some(assigns)) updates.push('delete', 'create');
  if (write.kind === 'update') return [...updates, 'update'];
  return write.onConflict === 'update' ? ['create', ...updates, 'update'] : ['create'];
}

/** Refuses writes that nobody signed, where the audit log asks for an actor. */
export class ActorPolicy {
  readonly #isRequired: boolean;

  constructor(isRequired: boolean) {
    this.#isRequired = isRequired;
  }

  /** @throws {AuditError} ERR_AUDIT_ACTOR_REQUIRED */
  check(context: WriteContext, audited: AuditedTable | null, actions: readonly CapturedAction[]): void {
    if (!this.#asks(context) || !audited?.registration) return;
    const { name, options } = audited.registration;
    const action = actions.find((each) => options.actions.has(each));
    if (action === undefined) return;
    const message = `A ${action} of ${name} has no actor, and requireActor is on. Mount auditMiddleware, or wrap the work in withAuditContext({ actor }, fn).`;
    throw new AuditError('ERR_AUDIT_ACTOR_REQUIRED', message);
  }

  checkWrite(context: WriteContext, audited: AuditedTable | null, write: ParsedWrite): void {
    if (!this.#asks(context) || !audited?.registration) return;
    this.check(context, audited, possibleActions(audited.registration, write));
  }

  #asks({ actorId }: WriteContext): boolean {
    return this.#isRequired && actorId === null;
  }
}
