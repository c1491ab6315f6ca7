// Hand-written triggers that write the same columns as the library's log: what one would do without a library.
const COLUMNS = `"timestamp", "action", "model", "object_pk", "changes", "actor_id", "actor_label", "actor_type",
  "remote_addr", "correlation_id", "request", "transaction_id"`;

const CONTEXT = `current_setting('audit.actor_id', true), current_setting('audit.actor_label', true), 'user',
  current_setting('audit.remote_addr', true)::inet, current_setting('audit.correlation_id', true),
  current_setting('audit.request', true), pg_current_xact_id()::text::bigint`;

/** Members that differ, as { name: [old, new] }. */
const DELTA = `select jsonb_object_agg(k, jsonb_build_array(o -> k, n -> k))
  from jsonb_object_keys(coalesce(o, n)) k where (o -> k) is distinct from (n -> k)
  and not (coalesce(o -> k, 'null') = 'null' and coalesce(n -> k, 'null') = 'null')`;

const DELTA_FUNCTION = `create function delta_of(o jsonb, n jsonb) returns jsonb language sql immutable as $$ ${DELTA} $$`;

const ROW_FUNCTION = `create function audit_row() returns trigger language plpgsql as $$
declare
  o jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) end;
  n jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) end;
  d jsonb;
begin
  ${DELTA} into d;
  if d is not null then
    insert into audit_log_entries (${COLUMNS}) values (clock_timestamp(),
      case tg_op when 'INSERT' then 'create' when 'UPDATE' then 'update' else 'delete' end,
      tg_argv[0], coalesce(n, o) ->> 'id', d, ${CONTEXT});
  end if;
  return null;
end $$`;

function statementFunction(name, action, from, old, now) {
  return `create function ${name}() returns trigger language plpgsql as $$
begin
  execute format('insert into audit_log_entries (${COLUMNS.replaceAll('\n', ' ')})
    select clock_timestamp(), ''${action}'', %L, id, delta, ${CONTEXT.replaceAll('\n', ' ').replaceAll("'", "''")}
    from (select ${now === 'null' ? 'o' : 'n'}.id::text as id, delta_of(${old}, ${now}) as delta from ${from}) rows
    where delta is not null', tg_argv[0]);
  return null;
end $$`;
}

const STATEMENT_FUNCTIONS = [
  statementFunction('audit_insert', 'create', 'new_rows n', 'null', 'to_jsonb(n)'),
  statementFunction(
    'audit_update',
    'update',
    'old_rows o join new_rows n on n.id = o.id',
    'to_jsonb(o)',
    'to_jsonb(n)',
  ),
  statementFunction('audit_delete', 'delete', 'old_rows o', 'to_jsonb(o)', 'null'),
];

export function rowTriggers(tables) {
  return [
    ROW_FUNCTION,
    ...tables.map(
      ([table, model]) =>
        `create trigger audit after insert or update or delete on ${table} for each row execute function audit_row('${model}')`,
    ),
  ];
}

export function statementTriggers(tables) {
  const trigger = (table, model, verb, transition) =>
    `create trigger audit_${verb} after ${verb} on ${table} referencing ${transition} for each statement execute function audit_${verb}('${model}')`;
  return [
    DELTA_FUNCTION,
    ...STATEMENT_FUNCTIONS,
    ...tables.flatMap(([table, model]) => [
      trigger(table, model, 'insert', 'new table as new_rows'),
      trigger(table, model, 'update', 'old table as old_rows new table as new_rows'),
      trigger(table, model, 'delete', 'old table as old_rows'),
    ]),
  ];
}
