import type { Transaction } from 'sequelize';
import type { JsonValue } from '../../core/types';
import { keyWhere } from '../../history/object-key';
import { isLinkChange } from '../../history/display';
import { isCaptured, type AuditedObject } from '../audited-object';
import type { EntryView } from '../entry-view';
import type { Visit } from '../visit';
import type { StateField } from './state-table';

type Columns = ReadonlyMap<string, readonly StateField[]>;

const known = (each: StateField, raw: unknown): StateField => ({ ...each, raw, why: null });

/** Read from the versions that belong to the entries, found by the object. */
async function fromVersions(
  visit: Visit,
  { registration, key }: AuditedObject,
  entries: readonly EntryView[],
  fields: readonly StateField[],
  transaction: Transaction,
): Promise<Columns> {
  const tracked = registration!.tracked.columns.map(({ attribute }) => attribute);
  const names = fields.map(({ field }) => field.name).filter((name) => tracked.includes(name));
  const model = visit.web.snapshots.of(registration!);
  const versions = await model.findAll({
    attributes: ['logEntryId', ...names],
    where: { ...keyWhere(registration!.model, key!), logEntryId: entries.map(({ id }) => id) },
    transaction,
  } as never);
  return new Map(
    versions.map(({ logEntryId, dataValues }) => [
      logEntryId!,
      fields.map((each) =>
        names.includes(each.field.name)
          ? known(each, (dataValues as Record<string, unknown>)[each.field.name])
          : each,
      ),
    ]),
  );
}

/**
 * What entries themselves say: a value holds from the entry that wrote it to the next one that names it, within one life of the
 * object. That only where no entry is left out between them.
 */
function fromChanges(
  entries: readonly EntryView[],
  fields: readonly StateField[],
  isComplete: boolean,
): Columns {
  const older = new Map<string, JsonValue>();
  const columns = new Map<string, readonly StateField[]>();
  for (const { id, action, changes } of entries.filter(isCaptured)) {
    const row = fields.map((each) => {
      const change = changes?.[each.field.name];
      if (!change || isLinkChange(change)) {
        const value = older.get(each.field.name);
        return value === undefined ? each : known(each, value);
      }
      if (isComplete) older.set(each.field.name, change[0]);
      return known(each, change[1]);
    });
    if (action === 'create') older.clear();
    columns.set(
      id,
      row.filter(({ why }) => why === null),
    );
  }
  return columns;
}

/**
 * The values of `fields` after each of the entries, which come newest first.
 *
 * @param isComplete whether the entries are all that there are between the first and the last of them
 */
export async function versionColumns(
  visit: Visit,
  object: AuditedObject,
  entries: readonly EntryView[],
  { fields, isComplete }: { readonly fields: readonly StateField[]; readonly isComplete: boolean },
  transaction: Transaction,
): Promise<Columns> {
  if (fields.length === 0 || entries.length === 0) return new Map();
  const hasVersions = object.registration?.options.snapshots && object.key;
  if (hasVersions) return fromVersions(visit, object, entries, fields, transaction);
  return fromChanges(entries, fields, isComplete);
}
