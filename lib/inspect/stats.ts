import type { HistorySettings } from '../history/settings';

/** What the log holds of one model. */
export interface ModelStats {
  readonly entries: number;
  readonly versions: number;
  /** On disk, indexes included. */
  readonly bytes: number;
  readonly oldest: Date | null;
  readonly newest: Date | null;
}

/** By registered name. */
export type LogStats = Readonly<Record<string, ModelStats>>;

/** What the log and the histories hold, per model. */
export async function readStats(_settings: HistorySettings): Promise<LogStats> {
  throw new Error('not built yet');
}
