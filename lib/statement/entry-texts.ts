import { exactTimeSql } from '../schema/exact-time';
import { LOG_COLUMNS, type LogColumn } from '../schema/log-table';
import { quoteIdentifier } from '../schema/quote';

/** Stored bytes of the documents of one page, by and large; a single document may be larger. */
const PAGE_BYTES = 1024 * 1024;

function textOf({ column, type }: LogColumn): string {
  const quoted = quoteIdentifier(column);
  if (type === 'timestamptz') return exactTimeSql(quoted);
  // A cast to text adds the length of the network, which the driver never sees.
  return type === 'inet' ? `nullif(concat(${quoted}), '')` : `${quoted}::text`;
}

/** Sizes are read without what they measure. */
function storedBytes(): string {
  const documents = LOG_COLUMNS.filter(({ type }) => type === 'jsonb');
  const sizes = documents.map(({ column }) => `coalesce(pg_column_size(${quoteIdentifier(column)}), 0)`);
  return `(${sizes.join(' + ')})`;
}

/**
 * SQL: the JSON text of an array of the entry's columns, each as text or null, so that numbers and documents come digit by digit
 * as they are stored. It is null from the entry on, by id, that with those before is more than a page; never for the first.
 */
export function entryTexts(): string {
  const bytes = storedBytes();
  const before = `sum(${bytes}) over (order by "id" rows unbounded preceding) - ${bytes}`;
  const texts = LOG_COLUMNS.map(textOf).join(', ');
  return `case when ${before} < ${PAGE_BYTES} then to_json(array[${texts}])::text end`;
}

/** SQL: the highest id of the log, as text. */
export function newestId(): string {
  return 'max("id")::text';
}
