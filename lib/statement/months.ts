import { quoteTable, type TableName } from '../schema/quote';

/** SQL: how many entries each month (in UTC) and model has, as `month` (`2026-11`), `model`, `entries`. Reads the index on times. */
export function entriesPerMonth(log: TableName, fromSql: string): string {
  const month = `to_char("timestamp" at time zone 'UTC', 'YYYY-MM')`;
  return `select ${month} as "month", "model", count(*)::float8 as "entries" from ${quoteTable(log)} where "timestamp" >= ${fromSql} group by 1, 2 order by 1, 2`;
}
