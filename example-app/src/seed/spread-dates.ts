import type { Transaction } from 'sequelize';
import { withoutAudit } from 'sequelize-auditlog';
import { sequelize } from '../database';
import type { Dates } from './timeline';

const DATED_TABLES = { Order: 'orders', OrderItem: 'order_items', Product: 'products', User: 'users' };
const TABLES_WITH_VERSIONS = ['orders', 'order_items', 'products', 'tags', 'order_tags'];
const TABLES_WITHOUT_TIMESTAMPS = ['tags', 'order_tags'];

/**
 * Moves what was just recorded back to when it is supposed to have happened.
 *
 * Only a demo may do this. The dates of a real log are the database's clock at the change, and the library offers
 * no way to choose them, because a log that can be dated by hand proves nothing.
 */
export async function spreadDates(dates: Dates): Promise<void> {
  await withoutAudit(() =>
    sequelize.transaction(async (transaction) => {
      await moveEntries(dates, transaction);
      for (const table of TABLES_WITH_VERSIONS) await moveVersions(table, transaction);
      for (const [model, table] of Object.entries(DATED_TABLES)) await moveRows(model, table, transaction);
    }),
  );
}

async function moveEntries(dates: Dates, transaction: Transaction): Promise<void> {
  const bind = [dates.map(([id]) => id), dates.map(([, at]) => at.toISOString())];
  await sequelize.query(
    `update audit_log_entries as entry set timestamp = planned.at + placed.row * interval '3 milliseconds'
      from unnest($1::text[], $2::timestamptz[]) as planned (correlation_id, at),
           (select id, row_number() over (partition by correlation_id order by id) as row from audit_log_entries) as placed
     where entry.correlation_id = planned.correlation_id and placed.id = entry.id`,
    { bind, transaction },
  );
}

async function moveVersions(table: string, transaction: Transaction): Promise<void> {
  const timestamps = TABLES_WITHOUT_TIMESTAMPS.includes(table)
    ? ''
    : ', updated_at = entry.timestamp, created_at = first.timestamp';
  await sequelize.query(
    `update ${table}_history as version
        set history_date = entry.timestamp${timestamps}
       from audit_log_entries as entry, audit_log_entries as first
      where entry.id = version.log_entry_id
        and first.model = entry.model and first.object_pk = entry.object_pk and first.action = 'create'`,
    { transaction },
  );
}

async function moveRows(model: string, table: string, transaction: Transaction): Promise<void> {
  await sequelize.query(
    `update ${table} as object set created_at = span.first, updated_at = span.last
       from (select object_pk, min(timestamp) as first, max(timestamp) as last
               from audit_log_entries where model = $1 group by object_pk) as span
      where span.object_pk = object.id::text`,
    { bind: [model], transaction },
  );
}
