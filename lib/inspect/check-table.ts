import { COMPLETE_TABLES } from '../core/how-to';
import { readPrivileges, type CatalogueQuery, type ForeignKey, type TableInfo } from '../schema/catalogue';
import type { IndexDefinition } from '../schema/log-table';
import { quoteIdentifier, quoteTable } from '../schema/quote';
import type { CheckFinding } from './check';

/** A column that a table of the library should have. */
export interface OwnColumn {
  readonly column: string;
  /** Null where nobody knows. */
  readonly type: string | null;
  /** The library's, not copied from the application's table. */
  readonly isOwn: boolean;
  /** The type with the limit that the application's table has: it does no harm while it is the same. */
  readonly limited?: string | undefined;
}

/** The log or a history table as it is, and as it should be. */
export interface OwnTable {
  /** Names it at the beginning of a sentence. */
  readonly where: string;
  readonly info: TableInfo;
  readonly columns: readonly OwnColumn[];
  readonly indexes: readonly IndexDefinition[];
  /** Whether writes name its sequence; PostgreSQL itself draws from one without asking for privileges. */
  readonly drawsIds: boolean;
  /** Every foreign key of the database. */
  readonly keys: readonly ForeignKey[];
}

/** What is missing or has drifted of a table that only the library writes. */
export async function checkOwnTable(query: CatalogueQuery, own: OwnTable): Promise<CheckFinding[]> {
  return [
    ...own.columns.flatMap((column) => checkColumn(own, column)),
    ...requiredColumns(own),
    ...checkIndexes(own),
    ...checkPersistence(own),
    ...checkForeignKeys(own),
    ...(await checkPrivileges(query, own)),
  ];
}

/** Types as the catalogue writes them. */
const CATALOGUE_NAMES: Readonly<Record<string, string>> = { timestamptz: 'timestamp with time zone' };
const TEXTS = ['text', 'character varying'];

/** Whether a column holds every value of a type. */
function holds(found: string, { type, limited }: OwnColumn): boolean {
  if (type === null || found === limited) return true;
  const wanted = CATALOGUE_NAMES[type] ?? type.toLowerCase();
  return found === wanted || (TEXTS.includes(found) && TEXTS.includes(wanted));
}

function checkColumn({ where, info }: OwnTable, wanted: OwnColumn): CheckFinding[] {
  const found = info.columns.find(({ name }) => name === wanted.column);
  if (!found) {
    const effect = wanted.isOwn ? '' : ', so versions leave it out';
    const message = `${where} lacks the column "${wanted.column}"${effect}. To add it, ${COMPLETE_TABLES}.`;
    return [{ code: 'missing_column', message }];
  }
  if (holds(found.type, wanted)) return [];
  const message = `${where} holds "${wanted.column}" as ${found.type}, but its values need ${wanted.type}. Change the column's type in a migration.`;
  return [{ code: 'column_type', message }];
}

/** A newer version of the library may have added columns, but none that an older one must fill. */
function requiredColumns({ where, info, columns }: OwnTable): CheckFinding[] {
  const known = new Set(columns.map(({ column }) => column));
  const isFilled = ({ defaultSql, identity, generated }: TableInfo['columns'][number]): boolean =>
    defaultSql !== null || identity !== null || generated;
  return info.columns
    .filter((column) => column.notNull && !known.has(column.name) && !isFilled(column))
    .map(({ name }) => ({
      code: 'required_column',
      message: `${where} has the column "${name}" that must not be null and that this library doesn't write, so every audited write fails. Drop the column, or its NOT NULL.`,
    }));
}

function checkIndexes({ where, info, indexes }: OwnTable): CheckFinding[] {
  return indexes.flatMap(({ name }) => {
    if (info.indexes.includes(name)) return [];
    if (!info.invalidIndexes.includes(name)) {
      const message = `${where} lacks the index "${name}". To create it, ${COMPLETE_TABLES}.`;
      return [{ code: 'missing_index', message }];
    }
    const index = `${quoteIdentifier(info.schema)}.${quoteIdentifier(name)}`;
    const message = `The index "${name}" of ${where.replace(/^The/, 'the')} is invalid: its creation failed, or is at work. Unless it is, run: drop index ${index}; then ${COMPLETE_TABLES}.`;
    return [{ code: 'invalid_index', message }];
  });
}

function checkPersistence({ where, info }: OwnTable): CheckFinding[] {
  if (info.persistence === 'p') return [];
  if (info.persistence === 't') {
    const message = `${where} is a temporary table, which is gone with the session. Name another, or create one that lasts: ${COMPLETE_TABLES} on a connection of its own.`;
    return [{ code: 'temporary_table', message }];
  }
  const message = `${where} is unlogged, so PostgreSQL empties it after a crash. Run: alter table ${quoteTable(info)} set logged.`;
  return [{ code: 'unlogged_table', message }];
}

/** Entries must outlive what they tell of, and go when they are pruned. */
function checkForeignKeys({ where, info, keys }: OwnTable): CheckFinding[] {
  const isOwn = ({ schema, table }: ForeignKey['child']): boolean =>
    schema === info.schema && table === info.table;
  return keys
    .filter(({ child, parent }) => isOwn(child) || isOwn(parent))
    .map(({ name, child, parent }) => {
      const seen = isOwn(child) ? `refers to "${parent.table}"` : `is referred to by "${child.table}"`;
      const message = `${where} ${seen} (foreign key "${name}"), so rows of one can't go without the other's. Run: alter table ${quoteTable(child)} drop constraint ${quoteIdentifier(name)}.`;
      return { code: 'foreign_key', message };
    });
}

async function checkPrivileges(
  query: CatalogueQuery,
  { where, info, drawsIds }: OwnTable,
): Promise<CheckFinding[]> {
  const found = await readPrivileges(query, info);
  if (!found) return [];
  const table = quoteTable(info);
  const grants = [
    ...(found.canInsert && found.canSelect ? [] : [`grant select, insert on ${table}`]),
    ...(drawsIds ? found.closedSequences : []).map(
      (name) => `grant usage on sequence ${quoteTable({ schema: info.schema, table: name })}`,
    ),
  ];
  if (grants.length === 0) return [];
  const message = `${where} may not be written and read by the role of this connection. As its owner, run: ${grants.map((grant) => `${grant} to <role>`).join('; ')}.`;
  return [{ code: 'missing_privilege', message }];
}
