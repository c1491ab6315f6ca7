import type { Registration } from '../capture/registry';
import type { Bound } from '../history/point-in-time';
import { logTable, type HistorySettings } from '../history/settings';
import { readingError } from '../schema/detached-model';
import { runtimeOf } from '../schema/sequelize-runtime';
import { entriesState, STATE_COLUMNS } from './entries-relation';
import { objectTexts, toldColumns } from './entries-source';
import type { EntriesSource } from './entries-told';
import {
  hiddenReasons,
  masksIn,
  withoutValues,
  type ObjectState,
  type StateOptions,
  type UnknownReason,
} from './object-state';
import { unreadableError } from './retyped';

type Row = Readonly<Record<string, unknown>>;

/** Why attributes can't be told from entries, whatever they hold. */
function neverTold(registration: Registration): Map<string, UnknownReason> {
  const told = new Set(toldColumns(registration).map(({ attribute }) => attribute));
  const untold = registration.tracked.columns.filter(({ attribute }) => !told.has(attribute));
  const reasons = untold.map(({ attribute }): [string, UnknownReason] => [attribute, 'notRecorded']);
  return new Map([...reasons, ...hiddenReasons(registration)]);
}

function unknownOf(registration: Registration, source: EntriesSource, row: Row): Map<string, UnknownReason> {
  const unknown = neverTold(registration);
  const notes: [string, UnknownReason][] = [
    [STATE_COLUMNS.gaps, 'gap'],
    [STATE_COLUMNS.digests, 'digest'],
  ];
  for (const [column, reason] of notes)
    for (const name of row[column] as string[]) if (unknown.get(name) !== 'masked') unknown.set(name, reason);
  const { createdAt } = source;
  if (createdAt && row[createdAt.column] === null) unknown.set(createdAt.attribute, 'notRecorded');
  return unknown;
}

function stateOfRow(registration: Registration, source: EntriesSource, row: Row): ObjectState {
  const presence = row[STATE_COLUMNS.presence] as ObjectState['presence'];
  const since = row[STATE_COLUMNS.since] as string | null;
  if (presence === 'unknown') return withoutValues(registration, presence, since);
  if (presence === 'absent') return withoutValues(registration, presence);
  const unknown = unknownOf(registration, source, row);
  const known = source.columns.filter(({ attribute }) => !unknown.has(attribute));
  const values = Object.fromEntries(known.map(({ attribute, column }) => [attribute, row[column]]));
  const gaps = row[STATE_COLUMNS.gaps] as string[];
  const told = source.columns.filter(({ attribute }) => !gaps.includes(attribute));
  const shown = Object.fromEntries(told.map(({ attribute, column }) => [attribute, row[column]]));
  return { presence, since: null, values, masks: masksIn(registration, shown), unknown };
}

/** One object as its entries tell: its live row, if there is one, without what was changed after the time. One statement. */
export async function entriesStateOf(
  settings: HistorySettings,
  registration: Registration,
  key: Readonly<Record<string, string>>,
  bound: Bound,
  { transaction }: StateOptions,
): Promise<ObjectState> {
  const { sequelize } = settings;
  const { texts, sending } = await objectTexts(settings, registration, key, bound, {
    transaction,
    withMasks: true,
  });
  const options = {
    ...sending,
    type: runtimeOf(sequelize).QueryTypes.SELECT,
    raw: true,
    ...(transaction === undefined ? {} : { transaction }),
  };
  try {
    const sql = texts.text(entriesState);
    const [row] = (await sequelize.query(sql, options as never)) as unknown as Row[];
    return stateOfRow(registration, texts.source, row!);
  } catch (error) {
    throw readingError(unreadableError(error, registration), logTable(settings));
  }
}
