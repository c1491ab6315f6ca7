import { quoteIdentifier } from '../schema/quote';

/** A column of a key, and its type as SQL. */
export interface KeyColumn {
  readonly column: string;
  readonly type: string;
}

/** Columns of a page's keys, under names that no column of a table has. */
export function pageKey(at: number): string {
  return `"!k${at}"`;
}

/** `"t"."a", "t"."b"` */
export function keyList(keys: readonly KeyColumn[], alias: string): string {
  return keys.map(({ column }) => `${alias}.${quoteIdentifier(column)}`).join(', ');
}

/** SQL: the key lies behind the one whose parts are bound as texts, from `$1` on. */
export function behind(keys: readonly KeyColumn[], alias: string): string {
  const parts = keys.map(({ type }, at) => `$${at + 1}::text::${type}`);
  return `(${keyList(keys, alias)}) > (${parts.join(', ')})`;
}

/** The parts of the page's last key as texts, where the next page begins. */
export function lastOf(keys: readonly KeyColumn[], page: string): string {
  const places = keys.map((_, at) => pageKey(at));
  const texts = places.map((place) => `${place}::text`).join(', ');
  const order = places.map((place) => `${place} desc`).join(', ');
  return `(select array[${texts}] from ${page} order by ${order} limit 1)`;
}
