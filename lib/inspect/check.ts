import { AuditError, isAuditError } from '../core/errors';
import { COMPLETE_TABLES } from '../core/how-to';
import { INSUFFICIENT_PRIVILEGE } from '../core/postgres-codes';
import { checkAssociations } from '../schema/associations';
import {
  checkServerVersion,
  readForeignKeys,
  readTable,
  type CatalogueQuery,
  type ForeignKey,
  type TableInfo,
} from '../schema/catalogue';
import { HISTORY_COLUMNS, historyIndexes, historyTableOf } from '../schema/history-table';
import { LOG_COLUMNS, logIndexes } from '../schema/log-table';
import { sqlState } from '../schema/sql-state';
import type { TableName } from '../schema/quote';
import type { Registration, Registry } from '../capture/registry';
import { checkModel } from './check-model';
import { checkOwnTable, type OwnTable } from './check-table';

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

/** What a check looks at. */
export interface Checked {
  readonly registry: Registry;
  readonly log: TableName;
  /** Names that are masked without being listed. */
  readonly mask: RegExp | null;
}

/** Compares the database with what the registrations need; reads the catalogue only. */
export async function checkTables(query: CatalogueQuery, checked: Checked): Promise<CheckResult> {
  const findings: CheckFinding[] = [...(await checkServer(query))];
  if (findings.length === 0) {
    const keys = await readForeignKeys(query, 'all');
    findings.push(...(await checkLog(query, checked.log, keys)));
    for (const registration of checked.registry.registrations)
      findings.push(...(await checkRegistration(query, registration, keys, checked.mask)));
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

/** One of the library's own tables: there, and as it should be, or what is wrong. */
async function checkOwn(
  query: CatalogueQuery,
  table: TableName,
  keys: readonly ForeignKey[],
  wanted: Omit<OwnTable, 'info' | 'keys'>,
): Promise<CheckFinding[]> {
  try {
    const info = await readTable(query, table);
    if (info) return await checkOwnTable(query, { ...wanted, info, keys });
    return [
      { code: 'missing_table', message: `${wanted.where} does not exist. To create it, ${COMPLETE_TABLES}.` },
    ];
  } catch (error) {
    if (sqlState(error) !== INSUFFICIENT_PRIVILEGE) throw error;
    const message = `${wanted.where} can't be looked at (${(error as Error).message}). Grant the role usage on the schema.`;
    return [{ code: 'missing_privilege', message }];
  }
}

async function checkLog(
  query: CatalogueQuery,
  log: TableName,
  keys: readonly ForeignKey[],
): Promise<CheckFinding[]> {
  return checkOwn(query, log, keys, {
    where: `The log "${log.table}"`,
    columns: LOG_COLUMNS.map(({ column, type }) => ({ column, type, isOwn: true })),
    indexes: logIndexes(log),
    drawsIds: true,
  });
}

async function checkRegistration(
  query: CatalogueQuery,
  registration: Registration,
  keys: readonly ForeignKey[],
  mask: RegExp | null,
): Promise<CheckFinding[]> {
  const { name, table } = registration;
  const info = await readTable(query, table);
  const findings = [
    ...checkAssociationsOf(registration),
    ...checkModel(registration, { info, keys, mask }),
    ...(await checkHistory(query, registration, info, keys)),
  ];
  return findings.map((finding) => ({ ...finding, model: name }));
}

function checkAssociationsOf({ model, options }: Registration): CheckFinding[] {
  try {
    checkAssociations(model, options.associations);
    return [];
  } catch (error) {
    return [{ code: 'unknown_association', message: (error as Error).message }];
  }
}

async function checkHistory(
  query: CatalogueQuery,
  { name, tracked, options }: Registration,
  base: TableInfo | null,
  keys: readonly ForeignKey[],
): Promise<CheckFinding[]> {
  if (!options.snapshots) return [];
  const wanted = historyTableOf(name, tracked, options.snapshots, base);
  const limits = new Map(base?.columns.map((column) => [column.name, column.type]));
  const own = HISTORY_COLUMNS.map(({ column, type }) => ({ column, type, isOwn: true }));
  // Types are compared as the catalogue writes them, so only where the base table told them.
  const copied = wanted.columns.map(({ column, type }) => ({
    column,
    type: base ? type : null,
    isOwn: false,
    limited: limits.get(column),
  }));
  return checkOwn(query, wanted.table, keys, {
    where: `The history table "${wanted.table.table}" of ${name}`,
    columns: [...own, ...copied],
    indexes: historyIndexes(wanted),
    drawsIds: false,
  });
}
