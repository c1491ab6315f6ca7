import { literal, memberOf } from './literal';

export type ModuleFormat = 'cjs' | 'esm' | 'ts';

/** What a migration is to do. */
export interface MigrationPlan {
  /** Options of `createAuditTables`. */
  readonly log: Readonly<Record<string, unknown>>;
  readonly histories: readonly HistoryCall[];
  /** Whether an earlier migration of the folder created the log already, and so has to drop it. */
  readonly completes: boolean;
}

/** One call of `createHistoryTable`. */
export interface HistoryCall {
  readonly table: string | { readonly tableName: string; readonly schema: string };
  readonly create: Readonly<Record<string, unknown>>;
  readonly drop: Readonly<Record<string, unknown>>;
}

const PACKAGE = 'sequelize-auditlog/migrations';
const TYPES = `import type { QueryInterface, Transaction } from 'sequelize';
`;
const TYPE_ALIASES = `
type Given = QueryInterface | { context: QueryInterface };
type Work = (queryInterface: QueryInterface, transaction: Transaction) => Promise<void>;
`;

function importsOf({ histories, completes }: MigrationPlan, format: ModuleFormat): string {
  const hasHistories = histories.length > 0;
  const names = [
    'createAuditTables',
    ...(hasHistories ? ['createHistoryTable'] : []),
    ...(completes ? [] : ['dropAuditTables', ...(hasHistories ? ['dropHistoryTable'] : [])]),
  ];
  const list =
    names.length > 2 ? `{\n${names.map((name) => `  ${name},\n`).join('')}}` : `{ ${names.join(', ')} }`;
  if (format === 'cjs') return `'use strict';\n\nconst ${list} = require('${PACKAGE}');\n`;
  return `${format === 'ts' ? TYPES : ''}import ${list} from '${PACKAGE}';\n`;
}

function helper(format: ModuleFormat): string {
  const typed = (name: string, type: string): string => (format === 'ts' ? `${name}: ${type}` : name);
  const found = format === 'ts' ? `'context' in given ? given.context : given` : `given.context ?? given`;
  return `
/** sequelize-cli gives the query interface itself, umzug an object with it as context. */
function inTransaction(${typed('given', 'Given')}, ${typed('work', 'Work')})${format === 'ts' ? ': Promise<void>' : ''} {
  const queryInterface = ${found};
  return queryInterface.sequelize.transaction((transaction) => work(queryInterface, transaction));
}
`;
}

/** `{ schema: 'audit', transaction }`, on lines of their own where there are more. */
function withTransaction(options: Readonly<Record<string, unknown>>): string {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const members = [...given.map(memberOf), 'transaction'];
  if (members.length < 3) return `{ ${members.join(', ')} }`;
  return `{\n${members.map((member) => `      ${member},\n`).join('')}    }`;
}

function upCalls({ log, histories }: MigrationPlan): string[] {
  return [
    `createAuditTables(queryInterface, ${withTransaction(log)})`,
    ...histories.map(
      ({ table, create }) =>
        `createHistoryTable(queryInterface, ${literal(table)}, ${withTransaction(create)})`,
    ),
  ];
}

function downCalls({ log, histories }: MigrationPlan): string[] {
  const drops = histories.map(
    ({ table, drop }) => `dropHistoryTable(queryInterface, ${literal(table)}, ${withTransaction(drop)})`,
  );
  return [...drops.toReversed(), `dropAuditTables(queryInterface, ${withTransaction(log)})`];
}

function step(name: 'up' | 'down', calls: readonly string[], format: ModuleFormat): string {
  const head = format === 'cjs' ? `exports.${name}` : `export const ${name}`;
  const given = format === 'ts' ? 'given: Given' : 'given';
  const lines = calls.map((call) => `    await ${call};\n`).join('');
  return `
${head} = (${given}) =>
  inTransaction(given, async (queryInterface, transaction) => {
${lines}  });
`;
}

/** A down that dropped the tables would take what earlier versions of them hold. */
function noDown(format: ModuleFormat): string {
  const head = format === 'cjs' ? 'exports.down' : 'export const down';
  return `
// What this migration adds stays: the tables are dropped by the migration that created them.
${head} = async () => {};
`;
}

/** The text of a migration that sequelize-cli and umzug run alike. */
export function migrationText(plan: MigrationPlan, format: ModuleFormat): string {
  return [
    importsOf(plan, format),
    format === 'ts' ? TYPE_ALIASES : '',
    helper(format),
    step('up', upCalls(plan), format),
    plan.completes ? noDown(format) : step('down', downCalls(plan), format),
  ].join('');
}

/** Statements as a file of SQL. */
export function sqlText(statements: readonly string[]): string {
  return statements.map((sql) => `${sql};\n`).join('\n');
}
