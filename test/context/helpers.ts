import { DataTypes, Sequelize, type Model, type ModelStatic } from 'sequelize';
import { resolveOptions, type AuditLogOptions } from '../../lib/core/options';
import type { ContextSettings } from '../../lib/context/settings';

export interface Report {
  readonly what: string;
  readonly message: string;
}

export interface TestSettings extends ContextSettings {
  readonly reports: Report[];
}

/** Settings of an audit log that collects what it reports; `masked` are attribute names of any model. */
export function testSettings(options: AuditLogOptions = {}, masked: readonly string[] = []): TestSettings {
  const reports: Report[] = [];
  return {
    options: resolveOptions(options),
    isMasked: (_model, attribute) => masked.includes(attribute),
    report: (error, what) => void reports.push({ what, message: (error as Error).message }),
    reports,
  };
}

/** A Sequelize that never connects. */
export function offlineSequelize(): Sequelize {
  return new Sequelize('postgres://nobody@localhost/nowhere', { logging: false });
}

export function defineUser(sequelize: Sequelize): ModelStatic<Model> {
  return sequelize.define('User', {
    id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
    email: DataTypes.STRING,
    username: DataTypes.STRING,
    password: DataTypes.STRING,
    shout: { type: DataTypes.VIRTUAL, get: (): string => 'HEY' },
  });
}
