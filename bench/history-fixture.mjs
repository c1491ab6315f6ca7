// Fills the log and a history table by SQL, as years of use would: 1,000,000 entries, of which 200,000 have a version.
const ENTRIES = 1_000_000;
const VERSIONS = 200_000;
const OBJECTS = 40_000;
const OF_ONE = 5_000;

/** The object of a version: the last ones all belong to the first object. */
const OBJECT = `case when n > ${VERSIONS - OF_ONE} then 1 else 1 + (n * 7919) % ${OBJECTS} end`;
const AT = `timestamptz '2024-01-01 00:00:00Z' + n * interval '80 seconds'`;
const CHANGES = `jsonb_build_object('status', jsonb_build_array('s' || n % 7, 's' || (n + 1) % 7), 'quantity', jsonb_build_array(n % 17, n % 13))`;

const FILL = [
  `insert into audit_log_entries ("timestamp", action, model, object_pk, object_repr, changes, actor_id, actor_label, actor_type, remote_addr, correlation_id, request, transaction_id)
   select ${AT}, case when n % 5 = 0 then 'create' else 'update' end,
     case when n <= ${VERSIONS} then 'Order' when n % 100000 = 0 then 'Rare' else 'Model' || n % 20 end,
     (case when n <= ${VERSIONS} then ${OBJECT} else n % 100000 end)::text, 'Object ' || n, ${CHANGES},
     (n % 500)::text, 'user ' || n % 500, 'user', '203.0.113.7',
     md5((n / 4)::text), 'PATCH /orders/' || n % 1000, 1000 + n / 3
   from generate_series(1, ${ENTRIES}) n order by n`,
  `insert into orders_history (id, number, customer, note, status, quantity, total, discount, meta, "placedAt", "createdAt", "updatedAt",
     history_date, history_type, history_user_id, log_entry_id)
   select ${OBJECT}, '2026-' || n, 'customer ' || n % 1000, 'note', 's' || n % 7, n % 17, n % 9000, 0, '{"gift": false}', ${AT}, ${AT}, ${AT},
     ${AT}, case when n <= ${OBJECTS} then '+' else '~' end, (n % 500)::text, n
   from generate_series(1, ${VERSIONS}) n order by n`,
  'vacuum (analyze) audit_log_entries',
  'vacuum (analyze) orders_history',
];

export async function fillHistory(sequelize) {
  for (const sql of FILL) await sequelize.query(sql);
}

/** A different one on each call, the same in every run. */
export function picker(count) {
  let at = 0;
  return () => 1 + (((at += 1) * 7717) % count);
}

export const sizes = { ENTRIES, VERSIONS, OBJECTS, OF_ONE };
