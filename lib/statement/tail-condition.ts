import { quoteLiteral } from '../schema/quote';

/** Behind which entry a tail goes on: transactions are told whole and in the order in which they began to write. */
export interface TailPosition {
  readonly transactionId: string;
  readonly id: string;
}

const TRANSACTION = '"transaction_id"';

/**
 * The entries behind a position that may be told: none of a transaction that began to write after one that is still open, since
 * entries of the open one would come in before it later on. PostgreSQL takes both from one snapshot.
 *
 * @param seen a snapshot, as text, what is visible in which is left out
 */
export function tailCondition({ transactionId, id }: TailPosition, seen: string | null): string {
  const after = `(${TRANSACTION}, "id") > (${quoteLiteral(transactionId)}::bigint, ${quoteLiteral(id)}::bigint)`;
  const closed = `${TRANSACTION} < pg_snapshot_xmin(pg_current_snapshot())::text::bigint`;
  const unseen = `not pg_visible_in_snapshot(${TRANSACTION}::text::xid8, ${quoteLiteral(seen ?? '')}::pg_snapshot)`;
  return [after, closed, ...(seen === null ? [] : [unseen])].join(' and ');
}

/** What a tail has to know of the server's transactions before it begins. */
export const CURRENT_SNAPSHOT =
  'select pg_current_snapshot()::text as "snapshot", pg_snapshot_xmin(pg_current_snapshot())::text as "xmin", pg_snapshot_xmax(pg_current_snapshot())::text as "xmax"';
