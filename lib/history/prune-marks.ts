import type { Transaction } from 'sequelize';
import { runtimeOf } from '../schema/sequelize-runtime';
import { prunedSince } from '../statement/prune-marks';
import { OWN_READ } from '../capture/own-read';
import { notAfter, type ExactTime } from './point-in-time';
import { logTable, type HistorySettings } from './settings';

/** A prune that may have removed what is asked for. */
export interface PruneMark {
  /** What was older went: ISO text with microseconds. */
  readonly since: string;
  readonly model: string;
}

/**
 * Since when records of a model are whole, where that is later than one of the times; else null. To be asked after the
 * records were read: a prune leaves its mark before it removes anything.
 */
export async function wholeSince(
  settings: HistorySettings,
  model: string,
  times: readonly ExactTime[],
  transaction: Transaction | null | undefined,
): Promise<string | null> {
  const { sequelize } = settings;
  const isReached = (moment: string): string => times.map((time) => notAfter(moment, time)).join(' and ');
  const options = {
    type: runtimeOf(sequelize).QueryTypes.SELECT,
    raw: true,
    // A replica may know what was removed later than the reader's own.
    useMaster: true,
    [OWN_READ]: true,
    supportsSearchPath: false,
    ...(transaction === undefined ? {} : { transaction }),
  };
  const sql = prunedSince(logTable(settings), model, isReached);
  const [mark] = (await sequelize.query(sql, options as never)) as unknown as PruneMark[];
  return mark?.since ?? null;
}
