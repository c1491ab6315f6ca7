import type { FindOptions, Model, ModelStatic } from 'sequelize';
import type { Registration } from '../capture/registry';
import { loadActors } from '../history/load-actors';
import type { HistorySettings } from '../history/settings';
import type { SnapshotModels } from '../history/snapshots';
import type { VersionFindOptions } from '../history/versions';
import { HISTORY_COLUMNS } from '../schema/history-table';
import type { Snapshot } from '../schema/snapshot-model';
import { pastVersions } from './past-model';
import { versionsAsOf, type AsOfPart, type AsOfShape } from './versions-relation';
import { allVersionsOf, pageShape } from './versions-source';

function shapeOf(registration: Registration, options: FindOptions): AsOfShape {
  return (options.limit === undefined ? null : pageShape(registration, options)) ?? 'bulk';
}

/** SELECT of the newest version of each object of the part, with the columns of the history table. */
function newestVersions(registration: Registration, part: AsOfPart, options: FindOptions): string {
  const versions = allVersionsOf(registration);
  const own = HISTORY_COLUMNS.map((each) => each.column);
  const columns = [...registration.tracked.columns.map((each) => each.column), ...own];
  return versionsAsOf({ ...versions, columns }, shapeOf(registration, options), part);
}

/** The newest versions of all objects, or of those that were deleted, in the order of the key. */
export async function latestVersions<M extends Model>(
  settings: HistorySettings,
  snapshots: SnapshotModels,
  registration: Registration,
  part: 'every' | 'deleted',
  { actors = false, ...given }: VersionFindOptions<M> = {},
): Promise<Snapshot<M>[]> {
  const where = `${part === 'every' ? 'latestOfEach' : 'deleted'} of ${registration.name}`;
  const snapshot = snapshots.of<M>(registration, where) as unknown as ModelStatic<Model>;
  const order = registration.model.primaryKeyAttributes;
  const options = { order: [...order], ...given } as FindOptions;
  const relation = newestVersions(registration, part, options);
  const { model, reading } = pastVersions(snapshot, { relation });
  const found = await model.findAll({ ...options, ...reading });
  if (actors && options.raw !== true) await loadActors(settings, found, options as never);
  return found as unknown as Snapshot<M>[];
}
