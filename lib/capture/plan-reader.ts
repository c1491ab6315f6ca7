import type { Model, ModelStatic } from 'sequelize';
import { AuditError } from '../core/errors';
import { checkAssociations } from '../schema/associations';
import { columnOf, managedAttributes, storedAttributes, tableOf } from '../schema/attributes';
import { readTable, type CatalogueColumn, type CatalogueQuery, type TableInfo } from '../schema/catalogue';
import { checkHistoryNames } from '../schema/history-table';
import type { TableName } from '../schema/quote';
import type { MaskRule } from '../schema/registration';
import type { TrackedColumn } from '../schema/tracked';
import type { LinkPlan, ModelPlan, PlannedColumn } from '../statement/plan';
import type { AuditedTable, Registration, TrackedAssociation } from './registry';
import { missingTable } from './write-errors';

/** Reads the plan of a table from the catalogue; null when the table does not exist. */
export async function readPlan(query: CatalogueQuery, audited: AuditedTable): Promise<ModelPlan | null> {
  const plan = audited.registration
    ? await readOwnPlan(query, audited.registration)
    : await readBarePlan(query, audited);
  return plan && withLinks(query, plan, audited.associations);
}

/** The plan of a registered model, without the links that its table may hold. */
async function readOwnPlan(query: CatalogueQuery, registration: Registration): Promise<ModelPlan | null> {
  const { tracked, options, table, model } = registration;
  const info = await readTable(query, table);
  if (!info) return null;
  checkRules(registration.name, info);
  checkAssociations(model, options.associations);
  const history = await readHistory(query, registration);
  const columns = plannedColumns(tracked.columns, info, history);
  const planned = (column: TrackedColumn | null): PlannedColumn | null =>
    columns.find((each) => each.attribute === column?.attribute) ?? null;
  return {
    ...planBase(registration.name, table, info),
    isLogged: true,
    columns,
    keys: tracked.keys.map(planned).filter((each) => each !== null),
    deletedAt: planned(tracked.deletedAt),
    repr: options.repr,
    actions: options.actions,
    history: history && { schema: history.schema, table: history.table },
    keyIsUnique: isUnique(tracked.keys, info),
    keyMayChange: info.rewritesUpdates || tracked.keys.some(({ column }) => isGenerated(column, info)),
    rewritesRows: info.rewritesUpdates || tracked.columns.some(({ column }) => isGenerated(column, info)),
    lacking: lackingColumns(tracked.columns, info),
    isComplete: [info, history].every((each) => !each || lackingColumns(tracked.columns, each).length === 0),
  };
}

/** A view has no keys of its own; its rows are taken for what the model says of them. */
function isUnique(keys: readonly TrackedColumn[], { kind, hasHeirs, uniqueKeys }: TableInfo): boolean {
  if (kind !== 'r' && kind !== 'p') return true;
  if (hasHeirs) return false;
  return uniqueKeys.some((columns) => columns.every((column) => keys.some((key) => key.column === column)));
}

function isGenerated(name: string, { columns }: TableInfo): boolean {
  return columns.some((column) => column.name === name && column.generated);
}

function lackingColumns(tracked: readonly TrackedColumn[], { columns }: TableInfo): string[] {
  return tracked
    .map(({ column }) => column)
    .filter((name) => !columns.some((column) => column.name === name));
}

function planBase(name: string, table: TableName, info: TableInfo): ModelPlan {
  return {
    name,
    table,
    isLogged: false,
    columns: [],
    keys: [],
    deletedAt: null,
    repr: null,
    actions: new Set(),
    history: null,
    links: [],
    keyIsUnique: true,
    lacking: [],
    isComplete: true,
    isTable: info.kind === 'r' || info.kind === 'p',
    isLockable: info.isLockable,
    keyMayChange: info.rewritesUpdates,
    rewritesRows: info.rewritesUpdates,
    rowType: info.rowType,
    tableColumns: info.columns.map((column) => column.name),
  };
}

/** The plan of a through table that is not registered: its key, and what the links need. */
async function readBarePlan(
  query: CatalogueQuery,
  { associations, table }: AuditedTable,
): Promise<ModelPlan | null> {
  const model = associations[0]?.through;
  const info = await readTable(query, table);
  if (!model || !info) return null;
  checkRules(model.name, info);
  return keyPlan(model, table, info);
}

/** A plan of a table that no model is known for: its key as the database has it. */
export async function readTablePlan(query: CatalogueQuery, table: TableName): Promise<ModelPlan | null> {
  const info = await readTable(query, table);
  if (!info) return null;
  const keys = info.columns
    .filter((column) => info.primaryKey.includes(column.name))
    .map((column, index) => ({ ...plainColumn(column, index), isKey: true }));
  return { ...planBase(table.table, table, info), columns: keys, keys };
}

/** The plan with old and new values of these columns in its images, whether tracked or not. */
export function withColumns(plan: ModelPlan, names: readonly string[], info: TableInfo | null): ModelPlan {
  const columns = [...plan.columns];
  for (const name of new Set(names)) linkColumn(columns, name, info);
  return { ...plan, columns };
}

/** A plan that knows no more of a model than its key. */
function keyPlan(model: ModelStatic<Model>, table: TableName, info: TableInfo): ModelPlan {
  const keyNames = new Set(model.primaryKeyAttributes);
  const fields = storedAttributes(model).filter(([name]) => keyNames.has(name));
  const keys = fields.flatMap(([attribute, { field }], index) => {
    const column = info.columns.find((each) => each.name === columnOf(model, field ?? attribute));
    return column ? [{ ...plainColumn(column, index), attribute, isKey: true }] : [];
  });
  return { ...planBase(model.name, table, info), columns: keys, keys };
}

function plainColumn(column: CatalogueColumn, index: number): PlannedColumn {
  return {
    index,
    attribute: column.name,
    column: column.name,
    type: column.valueType,
    mask: null,
    isKey: false,
    inDelta: false,
    inVersion: false,
    isLink: false,
  };
}

async function withLinks(
  query: CatalogueQuery,
  plan: ModelPlan,
  associations: readonly TrackedAssociation[],
): Promise<ModelPlan> {
  if (associations.length === 0) return plan;
  const info = await readTable(query, plan.table);
  const columns = [...plan.columns];
  const link = (name: string): PlannedColumn => linkColumn(columns, name, info);
  const links: LinkPlan[] = [];
  for (const association of associations) links.push(await linkPlan(query, association, link));
  return { ...plan, deletedAt: plan.deletedAt ?? deletedAtOf(associations, link), columns, links };
}

/** A soft delete of a row of a paranoid through table takes its link away, registered or not. */
function deletedAtOf(
  [association]: readonly TrackedAssociation[],
  link: (column: string) => PlannedColumn,
): PlannedColumn | null {
  const deletedAt = association && managedAttributes(association.through).deletedAt;
  return association && deletedAt ? link(fieldOf(association.through, deletedAt)) : null;
}

/** The column as the plan has it, marked as read by a link; added when the model doesn't track it. */
function linkColumn(columns: PlannedColumn[], name: string, info: TableInfo | null): PlannedColumn {
  const at = columns.findIndex((each) => each.column === name);
  const source = info?.columns.find((each) => each.name === name);
  const known = columns[at] ?? (source && plainColumn(source, columns.length));
  if (!known)
    throw new AuditError(
      'ERR_AUDIT_MISSING_COLUMN',
      `A table has no column "${name}", which a tracked association or a foreign key needs. Bring the table up to date with its models.`,
    );
  const column = { ...known, isLink: true };
  columns[at < 0 ? columns.length : at] = column;
  return column;
}

async function linkPlan(
  query: CatalogueQuery,
  association: TrackedAssociation,
  link: (column: string) => PlannedColumn,
): Promise<LinkPlan> {
  const owner = await readOwnPlan(query, association.owner);
  const target = await readTarget(query, association);
  if (!owner || !target) throw missingTable(association.owner.table.table);
  const scope = Object.entries(association.scope).map(([attribute, value]) => ({
    column: link(fieldOf(association.through, attribute)),
    value: String(value),
  }));
  return {
    association: association.name,
    owner,
    ownerColumn: association.ownerColumn,
    target,
    targetColumn: association.targetColumn,
    ownerLink: link(association.ownerLink),
    targetLink: link(association.targetLink),
    scope,
  };
}

async function readTarget(
  query: CatalogueQuery,
  { target, targetRegistration }: TrackedAssociation,
): Promise<ModelPlan | null> {
  if (targetRegistration) return readOwnPlan(query, targetRegistration);
  const table = tableOf(target);
  const info = await readTable(query, table);
  return info && keyPlan(target, table, info);
}

/** The column of an attribute. */
export function fieldOf(model: ModelStatic<Model>, attribute: string): string {
  const field = storedAttributes(model).find(([name]) => name === attribute)?.[1].field;
  return columnOf(model, field ?? attribute);
}

async function readHistory(
  query: CatalogueQuery,
  { options, name, tracked }: Registration,
): Promise<TableInfo | null> {
  if (!options.snapshots) return null;
  checkHistoryNames(name, tracked);
  const info = await readTable(query, options.snapshots.table);
  if (!info) throw missingTable(options.snapshots.table.table);
  return info;
}

/** Only columns that the table has: during a rolling deploy a model may know more than its table. */
function plannedColumns(
  tracked: readonly TrackedColumn[],
  info: TableInfo,
  history: TableInfo | null,
): PlannedColumn[] {
  const inTable = new Map(info.columns.map((column) => [column.name, column]));
  const inHistory = new Set(history?.columns.map((column) => column.name));
  return tracked
    .filter(({ column }) => inTable.has(column))
    .map(({ attribute, column, isKey, inDelta, mask }, index) => ({
      index,
      attribute,
      column,
      isKey,
      inDelta,
      mask: maskFor(mask, inTable.get(column)?.valueType ?? 'text'),
      type: inTable.get(column)?.valueType ?? 'text',
      inVersion: inHistory.has(column),
      isLink: false,
    }));
}

/** The last characters of a structured value are no part that means something: it is masked whole. */
function maskFor(mask: MaskRule | null, type: string): MaskRule | null {
  const isStructured = type === 'json' || type === 'jsonb' || type === 'bytea' || type.endsWith('[]');
  return mask && isStructured ? { keepLast: 0 } : mask;
}

/** PostgreSQL forbids a table with rewrite rules inside the statement that stores the entry. */
function checkRules(name: string, info: TableInfo): void {
  if (!info.hasRules) return;
  const message = `The table of ${name} has rewrite rules (CREATE RULE), which PostgreSQL does not allow in an audited statement, so the write was not made. Replace the rules by triggers, or unregister ${name}.`;
  throw new AuditError('ERR_AUDIT_UNSUPPORTED_WRITE', message);
}
