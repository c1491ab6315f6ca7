import type { Model, ModelStatic } from 'sequelize';
import { Op } from 'sequelize';
import { isAuditError, type AuditError, type AuditLog, type LogEntry } from 'sequelize-auditlog';
import type { TestDatabase } from './database';

/** Opens the schema of this file and creates the tables of its models, of the log and of histories. */
export async function openAudited(database: TestDatabase, auditLog: AuditLog): Promise<void> {
  await database.open();
  await database.sequelize.sync();
  await auditLog.sync();
}

/** Every entry that `work` leaves, oldest first. */
export async function entriesOf({ LogEntry }: AuditLog, work: () => unknown): Promise<LogEntry[]> {
  const before = (await LogEntry.max<string, LogEntry>('id')) ?? '0';
  await work();
  return LogEntry.findAll({ where: { id: { [Op.gt]: before } }, order: [['id', 'ASC']] });
}

/** The one entry that `work` leaves; fails when it leaves none or several. */
export async function entryOf(auditLog: AuditLog, work: () => unknown): Promise<LogEntry> {
  const entries = await entriesOf(auditLog, work);
  expect(entries.map(({ model, action }) => `${action} ${model}`)).toHaveLength(1);
  return entries[0]!;
}

/** What entries say happened, as `['create Order', …]`. */
export function actionsOf(entries: readonly LogEntry[]): string[] {
  return entries.map(({ action, model }) => `${action} ${model}`);
}

/** The error of this library that `work` ends with; fails when it ends well or with another. */
export async function refusalOf(work: () => unknown): Promise<AuditError> {
  const error: unknown = await Promise.resolve()
    .then(work)
    .then(
      () => new Error('nothing was refused'),
      (thrown: unknown) => thrown,
    );
  if (isAuditError(error)) return error;
  throw error;
}

/** The row as it stands, past every scope. */
export async function rowOf(model: ModelStatic<Model>, id: unknown): Promise<Record<string, unknown> | null> {
  return (await model.unscoped().findByPk(id as string, { raw: true, paranoid: false })) as never;
}
