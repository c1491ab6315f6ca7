import type { HistorySettings } from '../history/settings';

/** Options of `auditLog.restoreArchive`. */
export interface RestoreArchiveOptions {
  /** The side table that the entries are read into. */
  readonly tableName: string;
}

/** What was read back. */
export interface RestoreArchiveResult {
  readonly entries: number;
  readonly versions: number;
}

/** The member of the audit log. */
export interface ArchiveReading {
  /** Reads an archive of `prune` back into side tables. */
  readonly restoreArchive: (folder: string, options: RestoreArchiveOptions) => Promise<RestoreArchiveResult>;
}

export function createArchiveReading(_settings: HistorySettings): ArchiveReading {
  return {
    async restoreArchive() {
      throw new Error('not built yet');
    },
  };
}
