import type { ModelAuditedEvent } from 'sequelize-auditlog';
import { LogEntry } from '../audit';
import { Alert } from '../models';

/** Of which models somebody wants to know of every change, or of changes of these attributes. */
const SENSITIVE: Readonly<Record<string, 'everything' | readonly string[]>> = {
  User: 'everything',
  Product: ['price'],
};

export function isSensitive({ modelName, action, changedFields }: ModelAuditedEvent): boolean {
  const watched = SENSITIVE[modelName];
  if (watched === undefined) return false;
  return (
    watched === 'everything' || (action === 'update' && changedFields.some((name) => watched.includes(name)))
  );
}

/** A line for the log collector, and a row for the home page of those who look after it. */
export async function alertOnSensitiveChange(event: ModelAuditedEvent): Promise<void> {
  if (!isSensitive(event)) return;
  const { entryId, modelName, instanceId, action, changedFields, changedById, correlationId } = event;
  const line = {
    event: 'sensitive_model_changed',
    modelName,
    instanceId,
    action,
    changedFields,
    changedById,
  };
  console.warn(JSON.stringify({ level: 'warn', ...line, correlationId, entryId }));
  const entry = await LogEntry.findByPk(entryId);
  await Alert.create({ entryId, text: entry?.describe() ?? `${action} of ${modelName} ${instanceId}` });
}
