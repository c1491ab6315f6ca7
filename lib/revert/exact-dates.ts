import type { Transaction } from 'sequelize';
import type { HistorySettings } from '../history/settings';
import { entryNotAfter } from '../past/links-at';
import type { PointInTime } from '../history/point-in-time';
import { rememberExact } from '../schema/exact-time';
import { quoteLiteral } from '../schema/quote';
import { runtimeOf } from '../schema/sequelize-runtime';
import type { AttributeRevert } from './plan';

/** The entries of one object. */
export interface ObjectEntries {
  readonly model: string;
  readonly objectPk: string;
}

/** SQL: what an attribute was before the first of the entries that names it. */
function firstOld(attribute: string): string {
  const pair = `"changes" -> ${quoteLiteral(attribute)}`;
  return `(array_agg(${pair} ->> 0 order by "id") filter (where ${pair} is not null))[1]`;
}

/**
 * Gives the Dates among the values that are put back their microseconds, which a Date can't hold but entries do: a value that
 * is to change was changed by an entry since.
 */
export async function keepMicroseconds(
  { LogEntry, sequelize }: HistorySettings,
  entries: ObjectEntries,
  to: PointInTime,
  changes: readonly AttributeRevert[],
  transaction: Transaction,
): Promise<void> {
  const dates = changes.filter(({ after }) => after instanceof Date);
  if (dates.length === 0) return;
  const { Op, literal } = runtimeOf(sequelize);
  const isLater = literal(`not (${entryNotAfter(`revert of ${entries.model}`, to)})`);
  const [texts] = (await LogEntry.findAll({
    attributes: dates.map(({ attribute }, at) => [literal(firstOld(attribute)), `old${at}`]),
    where: { ...entries, action: ['create', 'update', 'delete'], [Op.and]: [isLater] } as never,
    raw: true,
    transaction,
  })) as unknown as Record<string, string | null>[];
  dates.forEach(({ after }, at) => {
    const text = texts?.[`old${at}`] ?? '';
    // As far as it is the same moment: it may have been changed unseen.
    if (Date.parse(text) === (after as Date).getTime()) rememberExact(after as Date, text);
  });
}
