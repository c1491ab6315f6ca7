import type { Model, ModelStatic, Sequelize } from 'sequelize';
import type { Registration, Registry } from '../capture/registry';
import type { ContextSettings } from '../context/settings';
import type { ResolvedOptions } from '../core/options';
import { tableOf } from '../schema/attributes';
import type { LogEntryStatic } from '../schema/log-entry';
import type { TableName } from '../schema/quote';
import { isModel } from './arguments';

/** What reading needs to know of an audit log. */
export interface HistorySettings {
  readonly sequelize: Sequelize;
  readonly options: ResolvedOptions;
  readonly registry: Registry;
  readonly LogEntry: LogEntryStatic;
  readonly context: ContextSettings;
}

export function logTable({ options }: HistorySettings): TableName {
  return { schema: options.schema, table: options.tableName };
}

/** Whether two classes read one table: a Snapshot model may have been defined anew. */
export function readSameTable(a: unknown, b: ModelStatic<Model>): boolean {
  return isModel(a) && isSameTable(a, tableOf(b));
}

function isSameTable(model: ModelStatic<Model>, table: TableName | undefined): boolean {
  const own = tableOf(model);
  return own.table === table?.table && own.schema === table.schema;
}

/** The registration of a model, a scope of it, or its Snapshot model. */
export function registrationOf(
  { registry }: HistorySettings,
  model: ModelStatic<Model>,
): Registration | null {
  const ofVersions = ({ options }: Registration): boolean => isSameTable(model, options.snapshots?.table);
  return registry.find(model) ?? registry.registrations.find(ofVersions) ?? null;
}

/** The name under which entries of a model are stored; an unregistered model's entries stay readable under its own. */
export function entryName({ registry }: HistorySettings, model: ModelStatic<Model>): string {
  return registry.find(model)?.name ?? model.name;
}
