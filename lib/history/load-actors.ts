import type { Model, ModelStatic, Transaction, WhereOptions } from 'sequelize';
import type { LogEntry } from '../schema/log-entry';
import { defineHidden } from '../schema/read-only';
import { runtimeOf } from '../schema/sequelize-runtime';
import { fitsKey, keyTexts, objectPkOf } from './object-key';
import type { HistorySettings } from './settings';
import { OWN_READ } from '../capture/own-read';

/** An entry or a version, whose actor can be loaded. */
export type ActorRecord = Model & { actor?: Model | null };

export interface LoadActorsOptions {
  readonly transaction?: Transaction | null | undefined;
  readonly logging?: boolean | ((sql: string, timing?: number) => void) | undefined;
}

interface ActorReference {
  readonly id: string | null;
  /** Null when not known: a version holds only the id. */
  readonly type: string | null;
}

function referenceOf(record: ActorRecord): ActorReference {
  const row = record.dataValues as Partial<LogEntry> & { historyUserId?: string | null; logEntry?: LogEntry };
  if (!('historyId' in row)) return { id: row.actorId ?? null, type: row.actorType ?? null };
  return { id: row.historyUserId ?? null, type: row.logEntry?.actorType ?? null };
}

/** The key of the actor's row, or null when the actor can be none of the model's rows. */
function rowKey(model: ModelStatic<Model>, { id, type }: ActorReference): Record<string, string> | null {
  if (id === null || (type !== null && type !== model.name)) return null;
  try {
    const texts = keyTexts('loadActors', model, id);
    return fitsKey(model, texts) ? texts : null;
  } catch {
    // An id of another shape than the key, such as a text for a composite key.
    return null;
  }
}

function whereKeys(model: ModelStatic<Model>, keys: readonly Record<string, string>[]): WhereOptions {
  const [name, ...others] = model.primaryKeyAttributes;
  if (name !== undefined && others.length === 0)
    return { [name]: [...new Set(keys.map((key) => key[name]))] };
  return { [runtimeOf(model.sequelize!).Op.or]: keys } as WhereOptions;
}

async function readRows(
  model: ModelStatic<Model>,
  keys: readonly Record<string, string>[],
  { transaction, logging }: LoadActorsOptions,
): Promise<Map<string, Model>> {
  if (keys.length === 0) return new Map();
  const options = {
    [OWN_READ]: true,
    ...(transaction === undefined ? {} : { transaction }),
    ...(logging === undefined ? {} : { logging }),
  };
  // Soft-deleted users and those outside a default scope did what they did.
  const rows = await model.unscoped().findAll({ where: whereKeys(model, keys), paranoid: false, ...options });
  return new Map(rows.map((row) => [objectPkOf('loadActors', model, row), row]));
}

/**
 * Sets `.actor` of entries or versions to the rows of `actor.model`, in one query: null for rows that are gone, for actors of
 * another type, and without `actor.model`. Returns what it was given.
 *
 * @example
 * for (const entry of await loadActors(settings, entries)) console.log(entry.actor?.get('email'));
 */
export async function loadActors<R extends ActorRecord>(
  settings: HistorySettings,
  records: readonly R[],
  options: LoadActorsOptions = {},
): Promise<readonly R[]> {
  const { model } = settings.options.actor;
  const keyed = records.map((record) => ({ record, key: model && rowKey(model, referenceOf(record)) }));
  const keys = keyed.map(({ key }) => key).filter((key) => key !== null);
  const rows = model ? await readRows(model, keys, options) : new Map<string, Model>();
  for (const { record, key } of keyed) {
    const row = model && key ? rows.get(objectPkOf('loadActors', model, key)) : undefined;
    defineHidden(record, { actor: row ?? null });
  }
  return records;
}
