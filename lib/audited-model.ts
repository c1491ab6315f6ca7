import type { Model, ModelStatic } from 'sequelize';
import type { Registration } from './capture/registry';
import { createModelHistory, type ModelHistory } from './history/versions';
import type { HistorySettings } from './history/settings';
import type { SnapshotModels } from './history/snapshots';
import { createPastMembers, type PastMembers } from './past/members';
import { createRevertMembers, type RevertMembers } from './revert/members';

/** The handle of a registered model: what is recorded of it, and its history. */
export interface AuditedModel<M extends Model = Model>
  extends ModelHistory<M>, PastMembers<M>, RevertMembers<M> {
  readonly model: ModelStatic<M>;
  /** The stable name under which entries are stored. */
  readonly modelName: string;
  /** Names of all masked attributes, listed or matched by the pattern of `createAuditLog`. */
  readonly masked: readonly string[];
  /** Names of all tracked attributes, in the model's order. */
  readonly tracked: readonly string[];
}

/** One handle per registration, which stays the same when the model is registered anew. */
export class AuditedModels {
  readonly #settings: HistorySettings;
  readonly #snapshots: SnapshotModels;
  readonly #handles = new WeakMap<Registration, AuditedModel>();

  constructor(settings: HistorySettings, snapshots: SnapshotModels) {
    this.#settings = settings;
    this.#snapshots = snapshots;
  }

  of<M extends Model>(registration: Registration): AuditedModel<M> {
    const known = this.#handles.get(registration) ?? this.#create(registration);
    this.#handles.set(registration, known);
    return known as unknown as AuditedModel<M>;
  }

  #create(registration: Registration): AuditedModel {
    const given = [this.#settings, this.#snapshots, registration] as const;
    const members = Object.assign(
      createModelHistory<Model>(...given),
      createPastMembers<Model>(...given),
      createRevertMembers<Model>(...given),
    );
    return Object.defineProperties(members, {
      model: { enumerable: true, get: () => registration.model },
      modelName: { enumerable: true, get: () => registration.name },
      masked: { enumerable: true, get: () => registration.masked },
      tracked: {
        enumerable: true,
        get: () => registration.tracked.columns.map((column) => column.attribute),
      },
    }) as AuditedModel;
  }
}
