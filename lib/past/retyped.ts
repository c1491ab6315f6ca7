import type { Registration } from '../capture/registry';
import { AuditError } from '../core/errors';
import { DATATYPE_MISMATCH, INVALID_TEXT, UNDEFINED_FUNCTION } from '../core/postgres-codes';
import { knownColumns } from '../history/snapshots';
import { readTable, type CatalogueColumn } from '../schema/catalogue';
import { quoteTable, type TableName } from '../schema/quote';
import { isDataError, sqlState } from '../schema/sql-state';
import { mayMislead } from '../statement/past-values';
import { catalogueOf, lastColumns, type TypedColumn } from './table-columns';

const OF_TYPES: readonly unknown[] = [UNDEFINED_FUNCTION, DATATYPE_MISMATCH, INVALID_TEXT];

/** Whether PostgreSQL refused to compare values of two types. */
export function isTypeError(error: unknown): boolean {
  return OF_TYPES.includes(sqlState(error));
}

async function columnsOf(
  registration: Registration,
  table: TableName,
): Promise<Map<string, CatalogueColumn>> {
  // Outside of any transaction: the one of the reading has failed.
  const info = await readTable(catalogueOf(registration, null), table);
  return new Map(info?.columns.map((column) => [column.name, column]));
}

/** The coded error when a column's type was altered in the table but not in its history; `error` as it is otherwise. */
export async function retypedError(error: unknown, registration: Registration): Promise<unknown> {
  const history = registration.options.snapshots?.table;
  if (!history) return error;
  const now = await columnsOf(registration, registration.table);
  const past = await columnsOf(registration, history);
  const names = knownColumns(registration).map(({ column }) => column);
  const name = names.find((each) => {
    const [wanted, found] = [now.get(each)?.plainType, past.get(each)?.plainType];
    return wanted !== undefined && found !== undefined && wanted !== found;
  });
  if (name === undefined) return error;
  const message = `${quoteTable(history)} holds "${name}" as ${past.get(name)!.type}, but the table has it as ${now.get(name)!.plainType}, so the past can't be compared with today's values. Change the column's type in the history too, in a migration; check() names it.`;
  return new AuditError('ERR_AUDIT_MISSING_COLUMN', message, { cause: error });
}

/** Whether the message may be about a value of the column; of dates that don't exist it names no type. */
function isAbout(message: string, { plainType, valueType }: TypedColumn): boolean {
  if (message.includes(`type ${plainType}`)) return true;
  return message.startsWith('date/time field') && /^(?:date|time)/u.test(valueType);
}

/**
 * The coded error where an entry may hold what a column, which had another type, can't; `error` as it is otherwise. PostgreSQL 16
 * tells beforehand, and then the value is just not known.
 */
export function unreadableError(error: unknown, registration: Registration): unknown {
  if (!isDataError(error) || registration.options.snapshots !== null) return error;
  const { name } = registration;
  const columns = lastColumns(registration).filter(
    (column) => mayMislead(column) && isAbout((error as Error).message, column),
  );
  if (columns.length === 0) return error;
  const seen = columns.map(({ attribute, sqlType }) => `${attribute} (${sqlType})`).join(', ');
  const message = `What ${name} was can't be read from its entries: ${(error as Error).message}. Unless you compare with that value yourself, an entry holds it, of a time when ${seen} had another type. PostgreSQL 16 or later reads past it; or give the attribute another name, or exclude it.`;
  return new AuditError('ERR_AUDIT_MISSING_COLUMN', message, { cause: error });
}
