import type { CatalogueTable } from '../schema/catalogue';
import { quoteIdentifier, quoteTable } from '../schema/quote';

/**
 * Addresses of locked rows: PostgreSQL keeps a locked row where it is until its transaction changes it. They may be many,
 * so they stay what PostgreSQL writes, two arrays as text, and Node only hands them on.
 */
export interface RowAddresses {
  readonly tableIds: string;
  readonly positions: string;
  readonly count: number;
}

export const NO_ROWS: RowAddresses = { tableIds: '{}', positions: '{}', count: 0 };

export function addressBinds({ tableIds, positions }: RowAddresses): [string, string] {
  return [tableIds, positions];
}

function joinArrays(arrays: readonly string[]): string {
  return `{${arrays.map((array) => array.slice(1, -1)).join(',')}}`;
}

export function joinAddresses(all: readonly RowAddresses[]): RowAddresses {
  const some = all.filter(({ count }) => count > 0);
  if (some.length < 2) return some[0] ?? NO_ROWS;
  return {
    tableIds: joinArrays(some.map(({ tableIds }) => tableIds)),
    positions: joinArrays(some.map(({ positions }) => positions)),
    count: some.reduce((sum, { count }) => sum + count, 0),
  };
}

/** Rows by address: quick by their position, exact by table and position, since partitions share positions. */
export function rowsAt(tableIds: string, positions: string, alias?: string): string {
  const prefix = alias === undefined ? '' : `${alias}.`;
  const address = `(${prefix}"tableoid", ${prefix}"ctid")`;
  return `${prefix}"ctid" = any (${positions}) and ${address} in (select * from unnest(${tableIds}, ${positions}))`;
}

const GATHERED = `coalesce(array_agg("t")::text, '{}') as "tableIds", coalesce(array_agg("c")::text, '{}') as "positions", count(*)::int as "count"`;

/** Locks the rows of a table that meet a condition, and answers with their addresses. */
export function lockRows(tableText: string, where: string | null, lock = 'for update'): string {
  const condition = where === null ? '' : ` where ${where}`;
  return `select ${GATHERED} from (select "tableoid" as "t", "ctid" as "c" from ${tableText}${condition} ${lock}) "!l"`;
}

/** Deletes the rows at `$1`, `$2`, and answers with the addresses of those that went: a trigger may keep some. */
export function deleteRows(tableText: string): string {
  const deletion = `delete from ${tableText} where ${rowsAt('$1::oid[]', '$2::tid[]')}`;
  return `with "!l" as (${deletion} returning "tableoid" as "t", "ctid" as "c") select ${GATHERED} from "!l"`;
}

/** What ties children to parents. */
interface Tie {
  readonly child: CatalogueTable;
  readonly childColumns: readonly string[];
  readonly parent: CatalogueTable;
  readonly parentColumns: readonly string[];
}

/** Locks the children of the rows at `$1`, `$2`, without those at `$3`, `$4`. */
export function lockChildren(
  { child, childColumns, parent, parentColumns }: Tie,
  lock: string,
  leavesOut: boolean,
): string {
  const columns = (names: readonly string[]): string => names.map(quoteIdentifier).join(', ');
  const at = rowsAt('$1::oid[]', '$2::tid[]');
  const parents = `select ${columns(parentColumns)} from ${quoteTable(parent)} where ${at}`;
  const locked = lockRows(quoteTable(child), `(${columns(childColumns)}) in (${parents})`, lock);
  return leavesOut
    ? `${locked} where ("t", "c") not in (select * from unnest($3::oid[], $4::tid[]))`
    : locked;
}

/** Puts the addresses of several sets together by the sets that they are in; `marks` are those sets' numbers. */
export function groupAddresses(sets: number): string {
  const marked = Array.from({ length: sets }, (_, at) => {
    const binds = `$${at * 2 + 1}::oid[], $${at * 2 + 2}::tid[]`;
    return `select ${at} as "mark", "t", "c" from unnest(${binds}) "!s"("t", "c")`;
  });
  const rows = `select "t", "c", array_agg("mark" order by "mark") as "marks" from (${marked.join(' union all ')}) "!m" group by "t", "c"`;
  return `select array_to_string("marks", ',') as "marks", ${GATHERED} from (${rows}) "!g" group by "!g"."marks" order by "!g"."marks"`;
}

/** A transaction-local setting that carries what only the WHERE of DO UPDATE sees. */
const NOTES = `'sequelize_auditlog.conflicts'`;

/** For the WHERE of DO UPDATE: notes the address of each row that is in the way, and changes none. */
export function noteConflict(tableText: string): string {
  const address = `${tableText}."tableoid"::text || ' ' || ${tableText}."ctid"::text`;
  return `set_config(${NOTES}, concat_ws(';', nullif(current_setting(${NOTES}, true), ''), ${address}), true) is null`;
}

/** The addresses that were noted. */
export const NOTED = `select ${GATHERED} from (
  select split_part("note", ' ', 1)::oid as "t", split_part("note", ' ', 2)::tid as "c"
  from unnest(string_to_array(nullif(current_setting(${NOTES}, true), ''), ';')) "note") "!n"`;

/** For the WHERE of DO UPDATE: lets every row pass, and notes those that are not at these addresses. */
export function noteOthers(tableText: string, tableIds: string, positions: string): string {
  const isKnown = `(${tableText}."tableoid", ${tableText}."ctid") in (select * from unnest(${tableIds}, ${positions}))`;
  return `case when ${isKnown} then true else set_config(${NOTES}, 'other', true) is not null end`;
}

/** Whether another row was noted. */
export const OTHERS_NOTED = `select coalesce(current_setting(${NOTES}, true), '') <> '' as "missed"`;
