import type { Transaction } from 'sequelize';
import { withoutAudit } from 'sequelize-auditlog';
import { sequelize } from '../database';
import type { Happened } from './timeline';

const TIMESTAMPS = ', updated_at = entry.timestamp, created_at = first.timestamp';

const HISTORIES = {
  orders_history: TIMESTAMPS,
  order_items_history: TIMESTAMPS,
  products_history: TIMESTAMPS,
  customers_history: TIMESTAMPS,
  addresses_history: TIMESTAMPS,
  tags_history: '',
  order_tags_history: '',
};

const DATED_TABLES = {
  Order: 'orders',
  OrderItem: 'order_items',
  Product: 'products',
  Customer: 'customers',
  Address: 'addresses',
  User: 'users',
};

/**
 * Moves what was just recorded back to when it is supposed to have happened, and to the request that did it.
 *
 * Only a demo may do this. The dates of a real log are the database's clock at the change, and the library offers
 * no way to choose them, because a log that can be dated by hand proves nothing.
 */
export async function backdate(happened: readonly Happened[]): Promise<void> {
  await withoutAudit(() =>
    sequelize.transaction(async (transaction) => {
      await moveEntries(happened, transaction);
      // Thousands of rows are new since the planner last looked.
      await sequelize.query('analyze audit_log_entries', { transaction });
      for (const [table, timestamps] of Object.entries(HISTORIES))
        await moveVersions(table, timestamps, transaction);
      for (const [model, table] of Object.entries(DATED_TABLES)) await moveRows(model, table, transaction);
    }),
  );
}

async function moveEntries(happened: readonly Happened[], transaction: Transaction): Promise<void> {
  const bind = [
    happened.map(({ correlationId }) => correlationId),
    happened.map(({ at }) => at.toISOString()),
    happened.map(({ request }) => request),
  ];
  await sequelize.query(
    `update audit_log_entries as entry
        set timestamp = planned.at + placed.row * interval '3 milliseconds', request = planned.request
       from unnest($1::text[], $2::timestamptz[], $3::text[]) as planned (correlation_id, at, request),
            (select id, row_number() over (partition by correlation_id order by id) as row from audit_log_entries) as placed
      where entry.correlation_id = planned.correlation_id and placed.id = entry.id`,
    { bind, transaction },
  );
}

async function moveVersions(table: string, timestamps: string, transaction: Transaction): Promise<void> {
  await sequelize.query(
    `update ${table} as version
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
               from audit_log_entries where model = $1 and action <> 'access' group by object_pk) as span
      where span.object_pk = object.id::text`,
    { bind: [model], transaction },
  );
}
