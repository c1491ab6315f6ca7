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
  for (const name of row[STATE_COLUMNS.gaps] as string[]) unknown.set(name, 'gap');
  for (const name of row[STATE_COLUMNS.digests] as string[]) unknown.set(name, 'digest');
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
  return { presence, since: null, values, unknown };
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
  const { texts, sending } = await objectTexts(settings, registration, key, bound, transaction);
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
