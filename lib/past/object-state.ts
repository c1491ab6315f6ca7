import type { Transaction } from 'sequelize';
import type { Registration } from '../capture/registry';
import { AuditError } from '../core/errors';
import type { JsonValue } from '../core/types';
import { recordedMask } from '../history/mask';
import { storedAttributes } from '../schema/attributes';

/** Why a value of the past can't be known. */
export type UnknownReason = 'masked' | 'excluded' | 'digest' | 'gap' | 'notRecorded' | 'dropped';

/** What is known of one object at a point in time. */
export interface ObjectState {
  /**
   * `there` also for a soft-deleted object (its deletedAt is among the values); `absent`: not yet created, or hard-deleted by
   * then; `unknown`: the time lies before the first record, which is no create, or there is no record, or what would tell of it
   * may have been pruned.
   */
  readonly presence: 'there' | 'absent' | 'unknown';
  /** For `unknown`: when its history begins, ISO text with microseconds; null when nothing of it has been recorded. */
  readonly since: string | null;
  /** Values by attribute, in the form in which the model reads them from the database. An attribute not in it is not known. */
  readonly values: Readonly<Record<string, unknown>>;
  /** What masked attributes were shown as, as far as that is known: differences between masks are differences. */
  readonly masks: Readonly<Record<string, JsonValue>>;
  /** Every stored attribute of the model that is not in `values`, and why. */
  readonly unknown: ReadonlyMap<string, UnknownReason>;
}

export interface StateOptions {
  readonly transaction?: Transaction | null;
}

type Key = Readonly<Record<string, string>>;

function keyText(key: Key): string {
  return Object.values(key).join(', ');
}

/**
 * The coded error for an object whose past at the time is unknown.
 *
 * @param where the member that was called, such as `diff`
 * @param since when its history begins; null when nothing of it has been recorded
 */
export function historyGap(
  where: string,
  { name }: Registration,
  key: Key,
  since: string | null,
): AuditError {
  const reason = since === null ? 'nothing of it was recorded by then.' : `its history begins at ${since}.`;
  const message = `${where}: what ${name} ${keyText(key)} was at that time is unknown: ${reason}`;
  return new AuditError('ERR_AUDIT_HISTORY_GAP', message);
}

/** The coded error for an object that was not there at the time. */
export function notThere(where: string, { name }: Registration, key: Key): AuditError {
  const message = `${where}: ${name} ${keyText(key)} was not there at that time: it was not yet created, or deleted by then.`;
  return new AuditError('ERR_AUDIT_NOT_THERE', message);
}

/** What is never shown of an object, whenever it is asked for. */
export function hiddenReasons(registration: Registration): Map<string, UnknownReason> {
  const { columns } = registration.tracked;
  const reasonOf = (name: string): UnknownReason | null => {
    const column = columns.find((each) => each.attribute === name);
    if (!column) return 'excluded';
    return column.mask === null ? null : 'masked';
  };
  const names = storedAttributes(registration.model).map(([name]) => name);
  return new Map(
    names
      .map((name) => [name, reasonOf(name)] as const)
      .filter((each): each is [string, UnknownReason] => each[1] !== null),
  );
}

/** Masked attributes of a row that was read, in which they are masked or were when it was written. */
export function masksIn(
  { tracked }: Registration,
  row: Readonly<Record<string, unknown>>,
): Readonly<Record<string, JsonValue>> {
  const masked = tracked.columns.flatMap(({ attribute, mask }) =>
    mask === null || row[attribute] === undefined
      ? []
      : [[attribute, recordedMask(row[attribute] as JsonValue, mask)]],
  );
  return Object.fromEntries(masked) as Record<string, JsonValue>;
}

/** A state that holds no values. */
export function withoutValues(
  registration: Registration,
  presence: 'absent' | 'unknown',
  since: string | null = null,
): ObjectState {
  return { presence, since, values: {}, masks: {}, unknown: hiddenReasons(registration) };
}
