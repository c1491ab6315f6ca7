import type { Model, ModelStatic, Sequelize, Transaction } from 'sequelize';
import type { Registry } from '../capture/registry';
import type { ContextSettings } from '../context/settings';
import type { ResolvedOptions } from '../core/options';
import type { LogEntry, LogEntryStatic } from '../schema/log-entry';
import type { TableName } from '../schema/quote';

/** What reading needs to know of an audit log. */
export interface HistorySettings {
  readonly sequelize: Sequelize;
  readonly options: ResolvedOptions;
  readonly registry: Registry;
  readonly LogEntry: LogEntryStatic;
  readonly context: ContextSettings;
  /** Told of every entry that `log` and `logAccess` wrote, for the events. */
  readonly onEntry?: (entry: LogEntry, transaction: Transaction | null) => void;
}

export function logTable({ options }: HistorySettings): TableName {
  return { schema: options.schema, table: options.tableName };
}

/** The name under which entries of a model are stored; an unregistered model's entries stay readable under its own. */
export function entryName({ registry }: HistorySettings, model: ModelStatic<Model>): string {
  return registry.find(model)?.name ?? model.name;
}
