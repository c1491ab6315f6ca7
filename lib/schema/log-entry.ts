import type { DataType, Model, ModelAttributes, ModelStatic, Sequelize } from 'sequelize';
import type { LogEntryAttributes } from '../core/types';
import { defineDetached } from './detached-model';
import { LOG_COLUMNS } from './log-table';
import type { TableName } from './quote';
import { runtimeOf } from './sequelize-runtime';

/** One change as a person reads it. */
export interface DisplayChange {
  readonly attribute: string;
  /** The registration's label, else the attribute's name. */
  readonly label: string;
  /** At most 140 characters, then `...`. */
  readonly old: string;
  readonly new: string;
}

/** An entry as `res.json` sends it. */
export interface LogEntryJson extends Omit<LogEntryAttributes, 'timestamp'> {
  /** With microseconds: `2026-11-21T20:17:26.123456Z`. */
  timestamp: string;
}

/** One row of the log. Read-only: creating, updating or destroying one throws ERR_AUDIT_READ_ONLY. */
export interface LogEntry extends Model<LogEntryAttributes>, LogEntryAttributes {
  /** The actor's row after `loadActors` or `{ actors: true }`: null when it is gone, undefined before. */
  actor?: Model | null;
  /** Names of the attributes and associations that changed, in alphabetical order. */
  readonly changedAttributes: string[];
  /** The changes as texts, in alphabetical order of attributes, with labels, cut at 140 characters. */
  displayChanges(): DisplayChange[];
  /** One line: `alice updated status of Order 1: pending → shipped`. */
  describe(): string;
  toJSON(): LogEntryJson;
  /** Sequelize's own signature. */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters
  toJSON<T extends LogEntryAttributes>(): T;
}

/** The class behind `LogEntry`, before finders and methods are added. */
export type LogEntryStatic = ModelStatic<LogEntry>;

function dataType(sequelize: Sequelize, type: string): DataType {
  const { DataTypes } = runtimeOf(sequelize);
  switch (type) {
    case 'bigint':
      return DataTypes.BIGINT;
    case 'timestamptz':
      return DataTypes.DATE(6);
    case 'integer':
      return DataTypes.INTEGER;
    case 'jsonb':
      return DataTypes.JSONB;
    case 'inet':
      return DataTypes.INET;
    default:
      return DataTypes.TEXT;
  }
}

function attributes(sequelize: Sequelize): ModelAttributes {
  const entries = LOG_COLUMNS.map(({ attribute, column, type, notNull }) => [
    attribute,
    { type: dataType(sequelize, type), field: column, allowNull: !notNull, primaryKey: attribute === 'id' },
  ]);
  return Object.fromEntries(entries) as ModelAttributes;
}

/** The model over the log of one Sequelize instance. */
export function defineLogEntry(sequelize: Sequelize, table: TableName): LogEntryStatic {
  const model = defineDetached(sequelize, {
    name: 'LogEntry',
    table,
    attributes: attributes(sequelize),
    exactTime: { attribute: 'timestamp', column: 'timestamp' },
    writeAdvice:
      'The log is written by audited writes and by auditLog.log(); auditLog.prune() removes old entries.',
  });
  return model as unknown as LogEntryStatic;
}
