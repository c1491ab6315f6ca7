import type { Model, ModelStatic, Sequelize } from 'sequelize';
import type { SyncedRegistration } from './sync';

/** The registrations of one audit log, for what comes before it: a migration is given a model, not the log. */
export interface KnownRegistrations {
  readonly find: (model: ModelStatic<Model>) => SyncedRegistration | null;
  /** Where the log's history tables live; null means the connection's default schema. */
  readonly schema: string | null;
  /** Names that are masked without being listed. */
  readonly mask: RegExp | null;
}

const known = new WeakMap<Sequelize, KnownRegistrations>();

export function rememberRegistrations(sequelize: Sequelize, registrations: KnownRegistrations): void {
  known.set(sequelize, registrations);
}

/** Null when no audit log was created for the model's Sequelize instance. */
export function registrationsOf({ sequelize }: ModelStatic<Model>): KnownRegistrations | null {
  return (sequelize && known.get(sequelize)) ?? null;
}
