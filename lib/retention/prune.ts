import type { Model, ModelStatic } from 'sequelize';
import type { HistorySettings } from '../history/settings';

/** How far a prune has come. */
export interface PruneProgress {
  /** `archive` before anything is removed, then `remove`. */
  readonly phase: 'archive' | 'remove';
  /** The registered name of the model at work. */
  readonly model: string;
  /** Entries archived or removed so far, of all models. */
  readonly entries: number;
  /** Versions archived or removed so far, of all models. */
  readonly versions: number;
}

/** Options of `auditLog.prune`. */
export interface PruneOptions {
  /** A time, or an age such as `'365d'`: what is strictly older goes. */
  readonly olderThan: Date | string;
  /** Models, or names under which entries are stored. @default every model that the log knows */
  readonly models?: readonly (string | ModelStatic<Model>)[];
  /** How many of the newest entries and versions of each object stay, however old. @default 0 */
  readonly keepLast?: number;
  /** Counts and changes nothing. @default false */
  readonly dryRun?: boolean;
  /** Rows per transaction. @default 1000 */
  readonly batchSize?: number;
  /** A folder for NDJSON.gz files and a manifest, verified before anything is removed. */
  readonly archiveTo?: string;
  /** Called after every batch and awaited; what it throws ends the work, of which whole batches stay. */
  readonly onProgress?: (progress: PruneProgress) => void | Promise<void>;
}

/** What was removed of one model. */
export interface PrunedCounts {
  readonly entries: number;
  readonly versions: number;
}

/** By registered name. */
export type PruneResult = Readonly<Record<string, PrunedCounts>>;

/** The member of the audit log. */
export interface Pruning {
  /** Removes entries and versions that are strictly older. */
  readonly prune: (options: PruneOptions) => Promise<PruneResult>;
}

export function createPrune(_settings: HistorySettings): Pruning {
  return {
    async prune() {
      throw new Error('not built yet');
    },
  };
}
