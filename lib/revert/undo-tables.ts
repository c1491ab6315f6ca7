import type { Registration } from '../capture/registry';
import { AuditError } from '../core/errors';
import { columnOf, managedAttributes, storedAttributes } from '../schema/attributes';
import { readTable, type CatalogueColumn, type CatalogueQuery, type TableInfo } from '../schema/catalogue';
import type { TableName } from '../schema/quote';
import type { MaskRule } from '../schema/registration';
import type { HistorySettings } from '../history/settings';
import { keyText } from '../statement/undo-values';
import type { EncodedColumn } from '../statement/encode';
import type { KeyedTable, ManagedColumns } from '../statement/undo-sql';
import type { UndoneEntry } from './undo-entries';

/** A tracked column that entries tell of. */
export interface UndoColumn {
  readonly attribute: string;
  readonly column: CatalogueColumn;
  readonly mask: MaskRule | null;
}

/** A registered model's table as an undo writes to it. */
export interface UndoTable extends KeyedTable, ManagedColumns {
  readonly model: string;
  readonly registration: Registration;
  /** With its schema, to find it among foreign keys. */
  readonly resolved: TableName;
  /** By attribute. */
  readonly tracked: ReadonlyMap<string, UndoColumn>;
  readonly createdAt: CatalogueColumn | null;
  /** Columns that entries don't tell of, and that nothing else fills. */
  readonly untracked: readonly CatalogueColumn[];
}

const INSTANTS = new Set(['timestamptz', 'timestamp', 'date']);

function missing({ name, table }: Registration): AuditError {
  const message = `The table "${table.table}" of ${name} does not exist, so what was done to it can't be undone. Create it: run "await auditLog.sync()" or your migrations.`;
  return new AuditError('ERR_AUDIT_MISSING_TABLE', message);
}

function managedColumns(
  { model }: Registration,
  info: TableInfo,
): { createdAt: CatalogueColumn | null } & ManagedColumns {
  const { createdAt, updatedAt, version } = managedAttributes(model);
  const column = (attribute: string | null): CatalogueColumn | null =>
    info.columns.find((each) => attribute && each.name === columnFor(model, attribute)) ?? null;
  const instant = (attribute: string | null): CatalogueColumn | null => {
    const found = column(attribute);
    return found && INSTANTS.has(found.valueType) ? found : null;
  };
  return {
    createdAt: instant(createdAt),
    updatedAt: instant(updatedAt),
    version: column(version),
  };
}

function columnFor(model: Registration['model'], attribute: string): string {
  const field = storedAttributes(model).find(([name]) => name === attribute)?.[1].field;
  return columnOf(model, field ?? attribute);
}

function tableOf(registration: Registration, info: TableInfo): UndoTable {
  const managed = managedColumns(registration, info);
  const own = [managed.createdAt, managed.updatedAt, managed.version];
  const named = (name: string): CatalogueColumn | undefined =>
    info.columns.find((each) => each.name === name);
  const tracked = registration.tracked.columns.flatMap(({ attribute, column: name, mask, inDelta }) => {
    const column = named(name);
    return column && inDelta && !own.includes(column) ? [{ attribute, column, mask }] : [];
  });
  const isKnown = (column: CatalogueColumn): boolean =>
    own.includes(column) || tracked.some((each) => each.column === column);
  return {
    model: registration.name,
    registration,
    table: registration.table,
    resolved: { schema: info.schema, table: info.table },
    keys: registration.tracked.keys.map(({ column }) => named(column)).filter((each) => each !== undefined),
    tracked: new Map(tracked.map((each) => [each.attribute, each])),
    untracked: info.columns.filter((column) => !isKnown(column) && !column.generated),
    ...managed,
  };
}

/** The table of every model that entries are about. */
export type UndoTables = ReadonlyMap<string, UndoTable>;

/** @throws {AuditError} ERR_AUDIT_NOT_REGISTERED, ERR_AUDIT_MISSING_TABLE */
export async function readUndoTables(
  query: CatalogueQuery,
  { registry }: HistorySettings,
  entries: readonly UndoneEntry[],
): Promise<UndoTables> {
  const tables = new Map<string, UndoTable>();
  for (const name of new Set(entries.map(({ model }) => model))) {
    const registration = registry.findByName(name);
    if (!registration) throw notRegistered(name);
    const info = await readTable(query, registration.table);
    if (!info) throw missing(registration);
    tables.set(name, tableOf(registration, info));
  }
  return tables;
}

function notRegistered(name: string): AuditError {
  const message = `Entries of "${name}" are to be undone, but no model is registered under that name, so its table is unknown. Register it, with { modelName: '${name}' } when the class has another name now.`;
  return new AuditError('ERR_AUDIT_NOT_REGISTERED', message);
}

/** The parts of a key as entries name it, ready to bind. */
export function keyParts({ keys }: KeyedTable, objectPk: string): string[] {
  const parts = keys.length === 1 ? [objectPk] : (JSON.parse(objectPk) as string[]);
  return keys.map((key, at) => keyText(parts[at] ?? '', key));
}

/** One array per key column, as statements bind them. */
export function keyBinds(table: KeyedTable, pks: readonly string[]): string[][] {
  const rows = pks.map((pk) => keyParts(table, pk));
  return table.keys.map((_, at) => rows.map((parts) => parts[at]!));
}

/** What decides the form of the column's values in entries. */
export function encodedColumn({ column, mask }: UndoColumn): EncodedColumn & { column: string } {
  return { column: column.name, type: column.valueType, mask: mask && { keepLast: 0 } };
}
