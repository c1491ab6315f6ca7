import type { Transaction } from 'sequelize';
import type { Registration } from '../capture/registry';
import { fitsKey } from '../history/object-key';
import { OWN_READ } from '../capture/own-read';
import { boundOf, type Bound, type PointInTime } from '../history/point-in-time';
import { wholeSince } from '../history/prune-marks';
import type { HistorySettings } from '../history/settings';
import { firstVersions, knownColumns, type SnapshotModels } from '../history/snapshots';
import { bothWhere } from '../history/where';
import { timeText } from '../schema/exact-time';
import { quoteIdentifier } from '../schema/quote';
import { runtimeOf } from '../schema/sequelize-runtime';
import type { Snapshot } from '../schema/snapshot-model';
import { maskedText } from '../statement/encode';
import { entriesStateOf } from './entries-state';
import { hiddenReasons, masksIn, withoutValues, type ObjectState, type StateOptions } from './object-state';
import { versionsOf } from './versions-source';

export { historyGap, notThere } from './object-state';
export type { ObjectState, StateOptions, UnknownReason } from './object-state';

type Key = Readonly<Record<string, string>>;

function stateWith(registration: Registration, row: Readonly<Record<string, unknown>>): ObjectState {
  const known = knownColumns(registration).map(({ attribute }) => [attribute, row[attribute] ?? null]);
  return {
    presence: 'there',
    since: null,
    values: Object.fromEntries(known) as Record<string, unknown>,
    masks: masksIn(registration, row),
    unknown: hiddenReasons(registration),
  };
}

/** The live row as the model reads it, past scopes, soft deletes and the application's hooks; null when there is none. */
async function liveRow(
  registration: Registration,
  key: Key,
  { transaction }: StateOptions,
): Promise<Record<string, unknown> | null> {
  const { literal } = runtimeOf(registration.model.sequelize!);
  // What is masked never leaves the database.
  const attributes = registration.tracked.columns.map(({ attribute, column, mask }) =>
    mask === null ? attribute : ([literal(maskedText(quoteIdentifier(column), mask)), attribute] as const),
  );
  const options = {
    where: key,
    attributes,
    paranoid: false,
    // Not raw, whatever the application's default: raw rows have names in small letters where identifiers are not quoted.
    raw: false,
    hooks: false,
    [OWN_READ]: true,
    ...given(transaction),
  };
  const found = await registration.model.unscoped().findOne(options as never);
  return found && (found.dataValues as Record<string, unknown>);
}

/** Without a word about a transaction, CLS may name one. */
function given(transaction: Transaction | null | undefined): { transaction?: Transaction | null } {
  return transaction === undefined ? {} : { transaction };
}

async function currentState(
  registration: Registration,
  key: Key,
  options: StateOptions,
): Promise<ObjectState> {
  const row = await liveRow(registration, key, options);
  return row ? stateWith(registration, row) : withoutValues(registration, 'absent');
}

/** Reads versions of one object. */
class VersionState {
  readonly #settings: HistorySettings;
  readonly #registration: Registration;
  readonly #snapshots: SnapshotModels;
  readonly #key: Key;
  readonly #options: StateOptions;

  constructor(
    settings: HistorySettings,
    snapshots: SnapshotModels,
    registration: Registration,
    key: Key,
    options: StateOptions,
  ) {
    this.#settings = settings;
    this.#registration = registration;
    this.#snapshots = snapshots;
    this.#key = key;
    this.#options = options;
  }

  async at(bound: Bound): Promise<ObjectState> {
    const [last, before] = await this.#lastTwo(bound);
    if (!last) return this.#beforeFirst(bound);
    const isThere = last.historyType !== '-' || this.#isSoftDelete(last, before);
    if (!isThere) return withoutValues(this.#registration, 'absent');
    return stateWith(this.#registration, last.dataValues);
  }

  /** A `'-'` is a soft delete when it set `deletedAt`, which the version before then lacks. */
  #isSoftDelete(last: Snapshot, before: Snapshot | undefined): boolean {
    const { deletedAt } = this.#registration.tracked;
    const valueOf = (version: Snapshot | undefined): unknown =>
      deletedAt && version
        ? ((version.dataValues as Record<string, unknown>)[deletedAt.attribute] ?? null)
        : null;
    return valueOf(last) !== null && valueOf(before) === null;
  }

  /** The newest version not after the time, and the one before it. */
  async #lastTwo(bound: Bound): Promise<Snapshot[]> {
    const model = this.#snapshots.of(this.#registration);
    const { literal } = runtimeOf(model.sequelize!);
    const notAfter = literal(versionsOf(this.#snapshots, this.#registration, bound).bound);
    const limit = this.#registration.tracked.deletedAt === null ? 1 : 2;
    const where = bothWhere(model.sequelize!, this.#key, notAfter);
    const last = firstVersions(model, where, 'DESC', { limit });
    return model.findAll({ ...last, ...given(this.#options.transaction) } as never);
  }

  async #beforeFirst(bound: Bound): Promise<ObjectState> {
    const first = await this.#first();
    const since = first && timeText(first.historyDate);
    const isCreated = first?.historyType === '+' && first.logEntryId !== null;
    if (first && !isCreated) return withoutValues(this.#registration, 'unknown', since);
    const isLive = !first && (await liveRow(this.#registration, this.#key, this.#options)) !== null;
    return isLive ? withoutValues(this.#registration, 'unknown') : this.#beforeCreate(bound, since);
  }

  /** Not yet created, unless versions of that time were pruned, be it those of another object under the key. */
  async #beforeCreate({ time }: Bound, created: string | null): Promise<ObjectState> {
    const { transaction } = this.#options;
    const whole = await wholeSince(this.#settings, this.#registration.name, [time], transaction);
    if (whole === null) return withoutValues(this.#registration, 'absent');
    const since = created !== null && created < whole ? created : whole;
    return withoutValues(this.#registration, 'unknown', since);
  }

  async #first(): Promise<Snapshot | null> {
    const model = this.#snapshots.of(this.#registration);
    const first = firstVersions(model, this.#key, 'ASC', { limit: 1 });
    return model.findOne({ ...first, ...given(this.#options.transaction) } as never);
  }
}

/**
 * One object at a point in time.
 *
 * @param key the result of `keyTexts()`
 */
export async function stateAt(
  settings: HistorySettings,
  snapshots: SnapshotModels,
  registration: Registration,
  key: Key,
  bound: Bound,
  options: StateOptions = {},
): Promise<ObjectState> {
  if (!fitsKey(registration.model, key)) return withoutValues(registration, 'absent');
  if (registration.options.snapshots === null)
    return entriesStateOf(settings, registration, key, bound, options);
  return new VersionState(settings, snapshots, registration, key, options).at(bound);
}

/**
 * One object at a point in time, or as it is now.
 *
 * @param key the result of `keyTexts()`
 * @param when also `'current'`: the live row
 */
export async function stateOf(
  settings: HistorySettings,
  snapshots: SnapshotModels,
  registration: Registration,
  key: Key,
  when: PointInTime,
  options: StateOptions = {},
): Promise<ObjectState> {
  if (when !== 'current')
    return stateAt(settings, snapshots, registration, key, boundOf(registration.name, when), options);
  if (!fitsKey(registration.model, key)) return withoutValues(registration, 'absent');
  return currentState(registration, key, options);
}
