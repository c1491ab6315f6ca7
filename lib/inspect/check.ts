import { AuditError, isAuditError } from '../core/errors';
import { checkAssociations } from '../schema/associations';
import {
  checkServerVersion,
  readForeignKeys,
  readTable,
  type CatalogueQuery,
  type ForeignKey,
  type TableInfo,
} from '../schema/catalogue';
import { historyIndexes, historyTableOf, type HistoryTable } from '../schema/history-table';
import { LOG_COLUMNS, logIndexes, type IndexDefinition } from '../schema/log-table';
import type { TableName } from '../schema/quote';
import type { Registration, Registry } from '../capture/registry';

/** One thing that is missing or has drifted. */
export interface CheckFinding {
  /** Stable, in words: `missing_table`, `missing_column`, `missing_index`, `column_type`, … */
  readonly code: string;
  /** The registered name, where the finding is about one model. */
  readonly model?: string;
  /** What was seen, what was expected, what to do. */
  readonly message: string;
}

export interface CheckResult {
  readonly ok: boolean;
  readonly findings: readonly CheckFinding[];
}

const SYNC = 'Run "await auditLog.sync()".';

/** Compares the database with what the registrations need; reads the catalogue only. */
export async function checkTables(
  query: CatalogueQuery,
  registry: Registry,
  log: TableName,
): Promise<CheckResult> {
  const findings: CheckFinding[] = [...(await checkServer(query))];
  if (findings.length === 0) {
    findings.push(...checkLog(log, await readTable(query, log)));
    const keys = await readForeignKeys(query);
    for (const registration of registry.registrations)
      findings.push(...(await checkModelTables(query, registration, keys)));
  }
  return { ok: findings.length === 0, findings };
}

/** @throws {AuditError} ERR_AUDIT_CHECK_FAILED with every finding in its message. */
export function throwFindings({ ok, findings }: CheckResult): void {
  if (ok) return;
  const list = findings.map(({ message }) => `- ${message}`).join('\n');
  throw new AuditError(
    'ERR_AUDIT_CHECK_FAILED',
    `The audit log's tables don't fit its registrations:\n${list}`,
  );
}

async function checkServer(query: CatalogueQuery): Promise<CheckFinding[]> {
  try {
    await checkServerVersion(query);
    return [];
  } catch (error) {
    if (!isAuditError(error)) throw error;
    return [{ code: 'server_version', message: error.message }];
  }
}

function missingTable({ table }: TableName, what: string): CheckFinding {
  return { code: 'missing_table', message: `${what} "${table}" does not exist. ${SYNC}` };
}

function missingIndexes(
  table: TableName,
  indexes: readonly IndexDefinition[],
  info: TableInfo,
): CheckFinding[] {
  return indexes
    .filter(({ name }) => !info.indexes.includes(name))
    .map(({ name }) => ({
      code: 'missing_index',
      message: `The table "${table.table}" lacks the index "${name}". ${SYNC}`,
    }));
}

function checkLog(log: TableName, info: TableInfo | null): CheckFinding[] {
  if (!info) return [missingTable(log, 'The log')];
  const present = new Set(info.columns.map((column) => column.name));
  const columns = LOG_COLUMNS.filter(({ column }) => !present.has(column)).map(({ column }) => ({
    code: 'missing_column',
    message: `The log "${log.table}" lacks the column "${column}". ${SYNC}`,
  }));
  return [...columns, ...missingIndexes(log, logIndexes(log), info)];
}

async function checkModelTables(
  query: CatalogueQuery,
  registration: Registration,
  keys: readonly ForeignKey[],
): Promise<CheckFinding[]> {
  const { name, table, tracked } = registration;
  const info = await readTable(query, table);
  const own = info ? checkOwn(registration, info) : [missingTable(table, `The table of ${name}`)];
  const missing = tracked.columns.filter(
    (each) => info && !info.columns.some((column) => column.name === each.column),
  );
  const columns = missing.map((each) => ({
    code: 'missing_column',
    message: `The table of ${name} has no column "${each.column}", so ${each.attribute} is not recorded. Migrate the table, or exclude the attribute.`,
  }));
  const hidden = info ? hiddenFromCascades(info, keys) : [];
  const findings = [...own, ...columns, ...hidden, ...(await checkHistory(query, registration, info))];
  return findings.map((finding) => ({ ...finding, model: name }));
}

function checkOwn({ name, model, options }: Registration, info: TableInfo): CheckFinding[] {
  const findings: CheckFinding[] = [];
  if (info.hasRules) {
    const message = `The table of ${name} has rewrite rules, so its writes are refused. Replace the rules by triggers, or unregister ${name}.`;
    findings.push({ code: 'rewrite_rules', message });
  }
  if (info.hasRowSecurity && options.snapshots) {
    const message = `The table of ${name} has row-level security, which its history table does not inherit. Give the history table policies of its own.`;
    findings.push({ code: 'row_security', message });
  }
  try {
    checkAssociations(model, options.associations);
  } catch (error) {
    findings.push({ code: 'unknown_association', message: (error as Error).message });
  }
  return findings;
}

/** PostgreSQL follows foreign keys past row-level security, but the role that reads the rows for their entries does not. */
function hiddenFromCascades(info: TableInfo, keys: readonly ForeignKey[]): CheckFinding[] {
  if (!info.isRowSecurityActive) return [];
  const into = keys.filter(({ child }) => child.table === info.table && child.schema === info.schema);
  if (into.length === 0) return [];
  const names = into.map(({ name }) => `"${name}"`).join(', ');
  const message = `Row-level security may hide rows of "${info.table}" from this role, and rows that it hides leave no entry when a foreign key (${names}) removes or changes them. Let the role see every row that refers to rows it may delete or rename, or give it BYPASSRLS.`;
  return [{ code: 'cascade_row_security', message }];
}

async function checkHistory(
  query: CatalogueQuery,
  { name, tracked, options }: Registration,
  base: TableInfo | null,
): Promise<CheckFinding[]> {
  if (!options.snapshots) return [];
  const wanted = historyTableOf(name, tracked, options.snapshots, base);
  const info = await readTable(query, wanted.table);
  if (!info) return [missingTable(wanted.table, `The history table of ${name}`)];
  return [
    ...historyColumns(name, wanted, info, base),
    ...missingIndexes(wanted.table, historyIndexes(wanted), info),
  ];
}

/** A limit on length that is the table's own does no harm while it is; one that differs makes writes fail. */
function isLimitOf(base: TableInfo | null, name: string, type: string): boolean {
  return base?.columns.find((column) => column.name === name)?.type === type;
}

/** Types are compared as the catalogue writes them, so only where the base table told them. */
function historyColumns(
  name: string,
  wanted: HistoryTable,
  info: TableInfo,
  base: TableInfo | null,
): CheckFinding[] {
  const present = new Map(info.columns.map((column) => [column.name, column.type]));
  return wanted.columns.flatMap(({ column, type }) => {
    const found = present.get(column);
    const where = `The history table "${wanted.table.table}" of ${name}`;
    if (found === undefined) {
      return [
        {
          code: 'missing_column',
          message: `${where} lacks the column "${column}", so versions leave it out. ${SYNC}`,
        },
      ];
    }
    if (found.toLowerCase() === type.toLowerCase() || isLimitOf(base, column, found)) return [];
    const message = `${where} holds "${column}" as ${found}, but the table's values need ${type}. Change the column's type in a migration.`;
    return [{ code: 'column_type', message }];
  });
}
