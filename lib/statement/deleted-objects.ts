import { quoteLiteral, quoteTable, type TableName } from '../schema/quote';

const LATER = '"!later"';

/**
 * SQL: after an entry about a deletion, its object did not come back, and was not deleted once more.
 *
 * @param entry the alias of the entry's table
 * @param deletedAt the attribute by which the model deletes softly; null for a model that doesn't
 */
export function isStillDeleted(table: TableName, entry: string, deletedAt: string | null): string {
  const restored =
    deletedAt === null
      ? ''
      : ` or ${LATER}."action" = 'update' and ${LATER}."changes" -> ${quoteLiteral(deletedAt)} -> 1 = 'null'`;
  const isSame = `${LATER}."model" = ${entry}."model" and ${LATER}."object_pk" = ${entry}."object_pk"`;
  const isBack = `(${LATER}."action" in ('create', 'delete')${restored})`;
  // A key that changed is a deletion of the old one, whose object goes on under the new one.
  const isMoved = `coalesce(${entry}."additional_data" ->> 'movedTo', '') <> ''`;
  return `not exists (select 1 from ${quoteTable(table)} ${LATER} where ${isSame} and ${LATER}."id" > ${entry}."id" and ${isBack}) and not (${isMoved})`;
}

/** The ids that several selects find, each by an index of its own. */
export function idsOfAll(selects: readonly string[]): string {
  return `(${selects.map((select) => `(${select})`).join(' union all ')})`;
}
