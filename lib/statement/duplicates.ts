import { quoteIdentifier, quoteTable, type TableName } from '../schema/quote';
import { differs, type EncodedColumn } from './encode';
import { behind, keyList, lastOf, pageKey, type KeyColumn } from './key-pages';

/** A history table whose versions are compared with those before. */
export interface DuplicatesSource {
  readonly history: TableName;
  /** In key order, with the types of the history table. */
  readonly keys: readonly KeyColumn[];
  /** Every other column that holds a part of the row. */
  readonly columns: readonly (EncodedColumn & { readonly column: string })[];
  /** SQL: a version is looked at, by its `"history_date"`; null for all. */
  readonly since: string | null;
}

const VERSION = '"!h"';

/** No clean-up meets another one: the version that stays must not be one that the other takes. */
export function lockAgainstCleaning(history: TableName): string {
  return `lock table ${quoteTable(history)} in share update exclusive mode`;
}

/** Only updates repeat a state; what follows a delete is the object's return, whatever its values. */
function isDuplicate(columns: DuplicatesSource['columns']): string {
  const changed = columns.map((each) => {
    const name = quoteIdentifier(each.column);
    return differs(`"!n".${name}`, `"!o".${name}`, each);
  });
  const types = `"!n"."history_type" = '~' and "!o"."history_type" <> '-'`;
  return changed.length === 0 ? types : `${types} and not (${changed.join(' or ')})`;
}

/**
 * Compares the versions of a page of objects, in key order: how many were looked at as `examined`, how many equal the one before
 * as `removed`, up to the key `last` of `objects`. Binds: the parts of the key after which the page begins where `isBehind`, then its size.
 *
 * @param removes false only counts
 */
export function cleanPage(source: DuplicatesSource, isBehind: boolean, removes: boolean): string {
  const { history, keys, columns } = source;
  const table = quoteTable(history);
  const page = keys.map(({ column }, at) => `${VERSION}.${quoteIdentifier(column)} as ${pageKey(at)}`);
  const conditions = [isBehind ? behind(keys, VERSION) : null, source.since].filter((each) => each !== null);
  const where = conditions.length === 0 ? '' : ` where ${conditions.join(' and ')}`;
  const limit = `$${isBehind ? keys.length + 1 : 1}::int`;
  const order = keys.map((_, at) => pageKey(at)).join(', ');
  const before = `lead("history_id") over (partition by ${keyList(keys, VERSION)} order by "history_id" desc)`;
  const join = `join ${table} "!n" on "!n"."history_id" = "!v"."history_id" join ${table} "!o" on "!o"."history_id" = "!v"."before"`;
  const expressions = [
    `"!b" as materialized (select distinct ${page.join(', ')} from ${table} ${VERSION}${where} order by ${order} limit ${limit})`,
    `"!a" as (select "history_id", "history_date", ${before} as "before" from ${table} ${VERSION} where (${keyList(keys, VERSION)}) in (select * from "!b"))`,
    `"!v" as materialized (select "history_id", "before" from "!a"${source.since === null ? '' : ` where ${source.since}`})`,
    `"!d" as materialized (select "!v"."history_id" from "!v" ${join} where ${isDuplicate(columns)})`,
    ...(removes
      ? [`"!r" as (delete from ${table} where "history_id" in (select "history_id" from "!d") returning 1)`]
      : []),
  ];
  const counted = removes ? '"!r"' : '"!d"';
  return `with ${expressions.join(', ')} select (select count(*)::int from "!b") as "objects", ${lastOf(keys, '"!b"')} as "last", (select count(*)::int from "!v") as "examined", (select count(*)::int from ${counted}) as "removed"`;
}
