import type { Registration } from '../capture/registry';
import type { Bound } from '../history/point-in-time';
import type { HistorySettings } from '../history/settings';
import type { SnapshotModels } from '../history/snapshots';
import { entriesSource } from './entries-source';
import type { PastSource } from './source';
import { versionsSource } from './versions-source';

/** Versions where there are any, which are the cheaper to read. */
export function chooseSource(
  settings: HistorySettings,
  snapshots: SnapshotModels,
  registration: Registration,
  bound: Bound,
): PastSource {
  if (registration.options.snapshots === null) return entriesSource(settings, registration, bound);
  return versionsSource(settings, snapshots, registration, bound);
}
