import { EventEmitter } from 'node:events';
import type { ModelAuditedEvent } from 'sequelize-auditlog';

/** What the parts of the shop tell each other, so that none has to know who listens. */
export interface ShopEvents {
  readonly modelAudited: [event: ModelAuditedEvent];
  readonly error: [error: unknown];
}

/** What a handler's promise rejects with goes to `error`. */
export const bus = new EventEmitter<ShopEvents>({ captureRejections: true });

bus.on('error', (error) => console.error(error));
