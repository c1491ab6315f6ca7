import type { ModelAuditedEvent } from 'sequelize-auditlog';
import { auditLog } from '../audit';
import { bus } from './bus';
import { alertOnSensitiveChange } from './sensitive-change';

const publish = (event: ModelAuditedEvent): void => void bus.emit('modelAudited', event);

/** From now on committed changes are told on the bus. Gives a function that ends it. */
export function startDomainEvents(): () => void {
  bus.on('modelAudited', alertOnSensitiveChange);
  auditLog.on('audited', publish);
  return () => {
    auditLog.off('audited', publish);
    bus.off('modelAudited', alertOnSensitiveChange);
  };
}
