import type { Model, ModelStatic } from 'sequelize';
import type { Registration } from '../capture/registry';
import { storedAttributes } from '../schema/attributes';
import type { ForeignKey, TableInfo } from '../schema/catalogue';
import type { CheckFinding } from './check';

/** What is known of a registered model's table. */
export interface ModelTable {
  readonly info: TableInfo | null;
  readonly keys: readonly ForeignKey[];
  readonly mask: RegExp | null;
}

/** What keeps writes of a model from being recorded rightly, in its table or in its class. */
export function checkModel(registration: Registration, { info, keys, mask }: ModelTable): CheckFinding[] {
  const ofClass = [...shadowedAttributes(registration), ...unmaskedColumns(registration, mask)];
  if (!info) {
    const message = `The table of ${registration.name} "${registration.table.table}" does not exist. Create it with your own migrations.`;
    return [{ code: 'missing_table', message }, ...ofClass];
  }
  return [
    ...checkRules(registration, info),
    ...missingColumns(registration, info),
    ...hiddenFromCascades(info, keys),
    ...ofClass,
  ];
}

function checkRules({ name, options }: Registration, info: TableInfo): CheckFinding[] {
  const findings: CheckFinding[] = [];
  if (info.hasRules) {
    const message = `The table of ${name} has rewrite rules, so its writes are refused. Replace the rules by triggers, or unregister ${name}.`;
    findings.push({ code: 'rewrite_rules', message });
  }
  if (info.hasRowSecurity && options.snapshots) {
    const message = `The table of ${name} has row-level security, which its history table does not inherit. Give the history table policies of its own.`;
    findings.push({ code: 'row_security', message });
  }
  return findings;
}

function missingColumns({ name, tracked }: Registration, info: TableInfo): CheckFinding[] {
  const present = new Set(info.columns.map((column) => column.name));
  return tracked.columns
    .filter(({ column }) => !present.has(column))
    .map(({ column, attribute }) => ({
      code: 'missing_column',
      message: `The table of ${name} has no column "${column}", so ${attribute} is not recorded. Migrate the table, or exclude the attribute.`,
    }));
}

function acts({ onDelete, onUpdate }: ForeignKey): boolean {
  return 'cnd'.includes(onDelete) || 'cnd'.includes(onUpdate);
}

/** PostgreSQL follows foreign keys past row-level security, but the role that reads the rows for their entries does not. */
function hiddenFromCascades(info: TableInfo, keys: readonly ForeignKey[]): CheckFinding[] {
  if (!info.isRowSecurityActive) return [];
  const into = keys.filter(
    (key) => acts(key) && key.child.table === info.table && key.child.schema === info.schema,
  );
  if (into.length === 0) return [];
  const names = into.map(({ name }) => `"${name}"`).join(', ');
  const message = `Row-level security may hide rows of "${info.table}" from this role, and rows that it hides leave no entry when a foreign key (${names}) removes or changes them. Let the role see every row that refers to rows it may delete or rename, or give it BYPASSRLS.`;
  return [{ code: 'cascade_row_security', message }];
}

/** A bare instance: no default of an attribute is asked for. */
function bareInstance(model: ModelStatic<Model>): object {
  try {
    return model.build({}, { isNewRecord: false, raw: true });
  } catch {
    // A constructor that needs more than Sequelize gives says nothing about the class's fields.
    return {};
  }
}

/** `title!: string` compiled to a class field hides Sequelize's getter, and the row's value with it. */
function shadowedAttributes({ name, model }: Registration): CheckFinding[] {
  const instance = bareInstance(model);
  const names = storedAttributes(model)
    .map(([attribute]) => attribute)
    .filter((attribute) => Object.hasOwn(instance, attribute));
  if (names.length === 0) return [];
  const message = `The class of ${name} has fields that hide its attributes: ${names.join(', ')}. What is assigned to them is neither saved nor recorded. Write "declare ${names[0]}: …" in the class.`;
  return [{ code: 'shadowed_attribute', message }];
}

/** The pattern reads attributes; a column's name tells what an attribute by another name is. */
function unmaskedColumns({ name, tracked }: Registration, mask: RegExp | null): CheckFinding[] {
  return tracked.columns
    .filter((each) => each.mask === null && !each.isKey && mask?.test(each.column) === true)
    .map(({ attribute, column }) => ({
      code: 'unmasked_column',
      message: `${name}.${attribute} is recorded as it is, but its column "${column}" has the name of a secret. Mask it: registerAudited(${name}, { mask: ['${attribute}'] }); or narrow the option mask of createAuditLog.`,
    }));
}
