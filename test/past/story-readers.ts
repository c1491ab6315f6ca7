import type { Model } from 'sequelize';
import { createAuditLog, type AuditedModel, type AuditLog } from 'sequelize-auditlog';
import type { testDatabase } from '../support/database';
import { defineStoryModels, type Subject } from './story-models';

export type Handles = Readonly<Record<Subject, AuditedModel>>;

/** Every key that a story writes under. */
export const KEYS: Readonly<Record<Subject, readonly unknown[][]>> = {
  Item: Array.from({ length: 7 }, (_, at) => [at + 1]),
  Slot: ['A', 'b/"'].flatMap((row) => [0, 1, 2].map((number) => [row, number])),
  Page: Array.from({ length: 5 }, (_, at) => [at + 1]),
};

type StoryModels = ReturnType<typeof defineStoryModels>;

function register(auditLog: AuditLog, models: StoryModels, snapshots: boolean): Handles {
  for (const model of [models.Tag, models.ItemTag]) auditLog.registerAudited<Model>(model, { snapshots });
  return {
    Item: auditLog.registerAudited<Model>(models.Item, {
      snapshots,
      exclude: ['hidden'],
      associations: ['tags'],
    }),
    Slot: auditLog.registerAudited<Model>(models.Slot, { snapshots }),
    Page: auditLog.registerAudited<Model>(models.Page, { snapshots }),
  };
}

/** Who writes the story and has versions, and a reader of the same tables and the same log who has none. */
export function storyReaders(database: ReturnType<typeof testDatabase>) {
  const models = defineStoryModels(database.sequelize, database.schema);
  const auditLog = createAuditLog(database.sequelize);
  const reading = database.createSequelize();
  const readLog = createAuditLog(reading);
  const readModels = defineStoryModels(reading, database.schema);
  const fromVersions = register(auditLog, models, true);
  const fromEntries = register(readLog, readModels, false);
  return { models, auditLog, readLog, fromVersions, fromEntries };
}
