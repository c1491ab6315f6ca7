import type { Transaction } from 'sequelize';
import type { Registration } from '../capture/registry';
import type { PointInTime } from '../history/point-in-time';
import type { HistorySettings } from '../history/settings';
import { entryNotAfter } from '../past/links-at';
import type { ObjectState } from '../past/state';
import type { CatalogueColumn } from '../schema/catalogue';
import { runtimeOf } from '../schema/sequelize-runtime';
import { provenNull } from '../statement/undo-nulls';
import type { ObjectEntries } from './exact-dates';

/** What tells a null that was recorded from one that stands for "no such column then". */
export interface NullFacts {
  readonly registration: Registration;
  readonly now: ObjectState;
  readonly past: ObjectState;
  /** The table's columns by attribute. */
  readonly columns: ReadonlyMap<string, CatalogueColumn>;
}

function isRequired({ registration: { model }, columns }: NullFacts, name: string): boolean {
  return columns.get(name)?.notNull === true || model.getAttributes()[name]?.allowNull === false;
}

/** What was null then and isn't now, or would be inserted. */
function doubtful({ registration: { tracked }, now, past, columns }: NullFacts): string[] {
  return tracked.columns
    .filter((column) => column.inDelta && !column.isKey && column !== tracked.deletedAt)
    .map(({ attribute }) => attribute)
    .filter((name) => columns.get(name)?.generated !== true)
    .filter((name) => Object.hasOwn(past.values, name) && (past.values[name] ?? null) === null)
    .filter((name) => now.presence === 'absent' || (now.values[name] ?? null) !== null);
}

/** What entries say of each: was it null then, had it a value, or can't they tell? */
async function readProofs(
  { LogEntry, sequelize }: HistorySettings,
  entries: ObjectEntries,
  to: PointInTime,
  names: readonly string[],
  transaction: Transaction,
): Promise<(boolean | null)[]> {
  const { literal } = runtimeOf(sequelize);
  const notAfter = entryNotAfter(`revert of ${entries.model}`, to);
  const [row] = (await LogEntry.findAll({
    attributes: names.map((name, at) => [literal(provenNull(name, notAfter)), `null${at}`]),
    where: { ...entries, action: ['create', 'update', 'delete'] } as never,
    raw: true,
    transaction,
  })) as unknown as Record<string, boolean | null>[];
  return names.map((_, at) => row?.[`null${at}`] ?? null);
}

/**
 * The state without nulls that nothing proves. A column that was added later is null in every older version, so putting that
 * back would lose what came into it by a default or a write that left no entry. A row that is gone left all its values in the
 * entry of its delete: there, silence means null, unless it can't be null now.
 */
export async function withoutUnrecorded(
  settings: HistorySettings,
  entries: ObjectEntries,
  to: PointInTime,
  facts: NullFacts,
  transaction: Transaction,
): Promise<ObjectState> {
  const { past, now } = facts;
  const names = doubtful(facts);
  if (past.presence !== 'there' || names.length === 0) return past;
  const proofs = await readProofs(settings, entries, to, names, transaction);
  const silent = (name: string): boolean => now.presence === 'absent' && !isRequired(facts, name);
  const lost = names.filter((name, at) => !(proofs[at] ?? silent(name)));
  const values = Object.entries(past.values).filter(([name]) => !lost.includes(name));
  return {
    ...past,
    values: Object.fromEntries(values),
    unknown: new Map([...past.unknown, ...lost.map((name) => [name, 'notRecorded'] as const)]),
  };
}
