// Fills the log, the histories and the tables by SQL, as years of use would: 1,000,000 entries, 200,000 versions of orders.

/** At scale 1: of 40,000 orders one has 5,000 versions more than the others, and 4,000 are deleted. */
export function sizesAt(scale) {
  const of = (count) => Math.round(count * scale);
  return {
    ENTRIES: of(1_000_000),
    VERSIONS: of(200_000),
    OBJECTS: of(40_000),
    OF_ONE: of(5_000),
    DELETED: of(4_000),
    CUSTOMERS: of(20_000),
    ITEMS: of(80_000),
    VERSIONS_OF_ITEM: 3,
  };
}

export const SECONDS_APART = 80;

const at = (n) => `timestamptz '2024-01-01 00:00:00Z' + (${n}) * interval '${SECONDS_APART} seconds'`;
const status = (n) => `'s' || ${n} % 7`;
const quantity = (n) => `${n} % 17`;

/** The versions of orders by number: object, version before, and what happened. The last ones all belong to the first object. */
function story({ VERSIONS, OBJECTS, OF_ONE, DELETED }) {
  const others = VERSIONS - OF_ONE;
  const type = `case when n <= ${OBJECTS} then '+' when n > ${others - DELETED} and n <= ${others} then '-' else '~' end`;
  const object = `case when n > ${others} then 1 else 1 + (n * 7919::bigint) % ${OBJECTS} end`;
  return `(select n, id, type, lag(n) over (partition by id order by n) as before
    from (select n, (${object})::int as id, ${type} as type from generate_series(1, ${VERSIONS}) n) s) v`;
}

const CREATED = `jsonb_build_object('id', jsonb_build_array(null, id), 'status', jsonb_build_array(null, ${status('n')}), 'quantity', jsonb_build_array(null, ${quantity('n')}))`;
const UPDATED = `jsonb_build_object('status', jsonb_build_array(${status('before')}, ${status('n')}), 'quantity', jsonb_build_array(${quantity('before')}, ${quantity('n')}))`;
const DELETED = `jsonb_build_object('id', jsonb_build_array(id, null), 'number', jsonb_build_array('2026-' || id, null), 'customer', jsonb_build_array('customer ' || id % 1000, null),
  'note', jsonb_build_array('note', null), 'status', jsonb_build_array(${status('before')}, null), 'quantity', jsonb_build_array(${quantity('before')}, null),
  'total', jsonb_build_array((id % 9000)::text, null), 'customerId', jsonb_build_array(customer, null))`;

/** A deleted order's last version is that before. */
const shown = `case type when '-' then before else n end`;

function statements(sizes) {
  const { ENTRIES, VERSIONS, CUSTOMERS, ITEMS, OBJECTS, VERSIONS_OF_ITEM } = sizes;
  const customer = `1 + id % ${CUSTOMERS}`;
  const orders = story(sizes);
  const columns =
    'id, number, customer, note, status, quantity, total, discount, meta, "placedAt", "createdAt", "updatedAt", "customerId"';
  const live = (table, names, condition = 'true') =>
    `insert into ${table} (${names}) select ${names} from (select distinct on (id) * from ${table}_history order by id, history_date desc, history_id desc) h where history_type <> '-' and ${condition}`;
  const item = 'id, sku, quantity, "createdAt", "updatedAt", "orderId"';
  return [
    `insert into audit_log_entries (id, "timestamp", action, model, object_pk, object_repr, changes, actor_id, actor_label, actor_type, remote_addr, correlation_id, request, transaction_id)
     select n, ${at('n')}, case type when '+' then 'create' when '-' then 'delete' else 'update' end, 'Order', id::text, 'Order ' || id,
       case type when '+' then ${CREATED} when '-' then ${DELETED} else ${UPDATED} end,
       (n % 500)::text, 'user ' || n % 500, 'user', '203.0.113.7', md5((n / 4)::text), 'PATCH /orders/' || n % 1000, 1000 + n / 3
     from (select *, ${customer} as customer from ${orders}) v order by n`,
    `insert into audit_log_entries (id, "timestamp", action, model, object_pk, object_repr, changes, actor_id, actor_label, actor_type, remote_addr, correlation_id, request, transaction_id)
     select n, ${at('n')}, case when n % 5 = 0 then 'create' else 'update' end,
       case when n % 100000 = 0 then 'Rare' else 'Model' || n % 20 end, (n % 100000)::text, 'Object ' || n,
       jsonb_build_object('status', jsonb_build_array(${status('n')}, ${status('(n + 1)')}), 'quantity', jsonb_build_array(n % 17, n % 13)),
       (n % 500)::text, 'user ' || n % 500, 'user', '203.0.113.7', md5((n / 4)::text), 'PATCH /orders/' || n % 1000, 1000 + n / 3
     from generate_series(${VERSIONS + 1}, ${ENTRIES}) n order by n`,
    `insert into orders_history (${columns}, history_date, history_type, history_user_id, log_entry_id)
     select id, '2026-' || id, 'customer ' || id % 1000, 'note', ${status(`(${shown})`)}, ${quantity(`(${shown})`)}, id % 9000, 0, '{"gift": false}',
       ${at('id')}, ${at('id')}, ${at('n')}, ${customer}, ${at('n')}, type, (n % 500)::text, n
     from ${orders} order by n`,
    `insert into customers_history (id, name, "createdAt", "updatedAt", history_date, history_type, log_entry_id)
     select n, 'customer ' || n, ${at('0')}, ${at('0')}, ${at('0')}, '+', n from generate_series(1, ${CUSTOMERS}) n`,
    `insert into order_items_history (${item}, history_date, history_type, log_entry_id)
     select id, 'sku ' || id % 100, v, d, d, 1 + id % ${OBJECTS}, d, case v when 1 then '+' else '~' end, v * ${ITEMS} + id
     from generate_series(1, ${VERSIONS_OF_ITEM}) v, generate_series(1, ${ITEMS}) id,
       lateral (select ${at(`(v - 1) * ${Math.round(VERSIONS / 4)} + id::float8 * ${VERSIONS / 4 / ITEMS}`)} as d) t order by v, id`,
    live('customers', 'id, name, "createdAt", "updatedAt"'),
    live('orders', columns),
    live('order_items', item, '"orderId" in (select id from orders)'),
    ...['audit_log_entries', 'customers'].map(
      (table) => `select setval(pg_get_serial_sequence('${table}', 'id'), max(id)) from ${table}`,
    ),
    ...['audit_log_entries', 'orders', 'customers', 'order_items'].flatMap((table) =>
      table === 'audit_log_entries'
        ? [`vacuum (analyze) ${table}`]
        : [`vacuum (analyze) ${table}`, `vacuum (analyze) ${table}_history`],
    ),
  ];
}

export async function fillHistory(sequelize, sizes) {
  for (const sql of statements(sizes)) await sequelize.query(sql, { audit: false });
}

/** A different one on each call, the same in every run. */
export function picker(count) {
  let place = 0;
  return () => 1 + (((place += 1) * 7717) % count);
}
