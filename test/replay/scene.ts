import type { Sequelize, Transaction } from 'sequelize';
import type { AuditLog, RegistrationOptions } from 'sequelize-auditlog';
import { defineModels, type AnyModel, type Models } from './models';

export const WORKERS = 8;

/** What a call of a worker is given. */
export interface CallOptions {
  readonly transaction?: Transaction;
  readonly audit: { readonly reason: string };
}

/** What workers write to. */
export class Scene {
  readonly sequelize: Sequelize;
  readonly models: Models;
  /** Keys of rows that were made, the gone ones too. */
  readonly ids: Record<'Folder' | 'Leaf' | 'Remark' | 'Page' | 'Topic', number[]> = {
    Folder: [],
    Leaf: [],
    Remark: [],
    Page: [],
    Topic: [],
  };

  constructor(sequelize: Sequelize) {
    this.sequelize = sequelize;
    this.models = defineModels(sequelize);
    // Deadlocks are part of the test; a second of waiting for each is not.
    sequelize.addHook('afterConnect', async (connection) => {
      await (connection as { query(sql: string): Promise<unknown> }).query(`set deadlock_timeout = '20ms'`);
    });
  }

  /** Every model with its options, targets of associations first. */
  get registrations(): readonly (readonly [AnyModel, RegistrationOptions])[] {
    const { Folder, Leaf, Remark, Page, Topic, Slot } = this.models;
    const others = [Leaf, Remark, Page, Slot].map((model) => [model, { snapshots: true }] as const);
    return [
      [Topic, { snapshots: true, repr: 'Topic {name}' }],
      [Folder, { snapshots: true, associations: ['topics'] }],
      ...others,
    ];
  }

  register({ registerAudited }: AuditLog): void {
    for (const [model, options] of this.registrations) registerAudited(model, options as never);
  }
}
