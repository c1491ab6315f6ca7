import { exactTimeSql } from '../schema/exact-time';
import { quoteTable, type TableName } from '../schema/quote';

/** What an event says of an entry, as the database gives it. */
export interface AuditedRow {
  readonly entryId: string;
  readonly modelName: string;
  readonly instanceId: string | null;
  readonly action: string;
  readonly changedFields: readonly string[] | null;
  readonly changedById: string | null;
  readonly timestamp: string;
  readonly correlationId: string | null;
  readonly transactionId: string | null;
}

/** Entries of transaction $1 after id $2, at most $3, in the order of their ids. Of the changes only the names leave the server. */
export function entriesOfTransaction(log: TableName): string {
  return `select "id"::text as "entryId", "model" as "modelName", "object_pk" as "instanceId", "action",
  case when jsonb_typeof("changes") = 'object' then array(select jsonb_object_keys("changes")) end as "changedFields",
  "actor_id" as "changedById", ${exactTimeSql('"timestamp"')} as "timestamp",
  "correlation_id" as "correlationId", "transaction_id"::text as "transactionId"
from ${quoteTable(log)} where "transaction_id" = $1 and "id" > $2 order by "id" limit $3`;
}
