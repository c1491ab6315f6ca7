import type { WriteContext } from '../core/types';
import { exactTimeSql } from '../schema/exact-time';
import { LOG_COLUMNS } from '../schema/log-table';
import { quoteIdentifier, quoteTable, type TableName } from '../schema/quote';
import { contextBinds, contextValues } from './context-binds';
import { entryValues } from './entries';
import type { ActorRow } from './plan';

/** An entry that no write makes: `auditLog.log` and `logAccess`. */
export interface GivenEntry {
  readonly action: string;
  readonly model: string;
  /** Null for what is about no single object. */
  readonly objectPk: string | null;
  readonly objectRepr: string;
  /** JSON text. */
  readonly changes: string | null;
}

export interface InsertEntry {
  readonly text: string;
  readonly values: readonly unknown[];
}

const GIVEN_VALUES = 5;
/** The name of the timestamp's text with microseconds in the row that comes back. */
export const EXACT_TIME_COLUMN = 'exactTime';

/** The columns by the names of the attributes, and the timestamp's text. */
function returning(): string {
  const columns = LOG_COLUMNS.map(
    ({ attribute, column }) => `${quoteIdentifier(column)} as ${quoteIdentifier(attribute)}`,
  );
  return [...columns, `${exactTimeSql('"timestamp"')} as ${quoteIdentifier(EXACT_TIME_COLUMN)}`].join(', ');
}

/** The statement that stores one entry and returns it; `actorRow` is given when the label is to be read from the actor's row. */
export function insertEntry(
  log: TableName,
  entry: GivenEntry,
  context: WriteContext,
  actorRow: ActorRow | null,
): InsertEntry {
  const binds = contextBinds(GIVEN_VALUES, context.labelFromRow ? actorRow : null);
  const row = {
    id: 'default',
    at: 'clock_timestamp()',
    action: '$1::text',
    model: '$2::text',
    pk: '$3::text',
    repr: '$4::text',
    changes: '$5::jsonb',
    additionalData: binds.additionalData,
  };
  // The table draws the id itself: there is no version to share it with.
  const values = entryValues(row, binds).filter(([column]) => column !== 'id');
  const columns = values.map(([column]) => quoteIdentifier(column)).join(', ');
  const expressions = values.map(([, value]) => value).join(', ');
  return {
    text: `insert into ${quoteTable(log)} (${columns}) select ${expressions} returning ${returning()}`,
    values: [
      entry.action,
      entry.model,
      entry.objectPk,
      entry.objectRepr,
      entry.changes,
      ...contextValues(context),
    ],
  };
}
