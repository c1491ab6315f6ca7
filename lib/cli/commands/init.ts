import type { Command } from 'commander';
import { knownTables, type KnownTables } from '../known-tables';
import { findUpward } from '../load-module';
import {
  isModulePackage,
  joined,
  kept,
  migrationsFolder,
  moduleFrom,
  writeNew,
  type NewFile,
} from '../new-files';
import { auditMigrationsIn, writeMigration } from '../new-migration';
import type { Runner, Shell } from '../runner';
import { CONFIG_FILES } from '../settings';
import { configText } from '../templates/config';

interface Flags {
  readonly dir?: string;
  readonly ts?: boolean;
}

async function writeConfig({ host, flags, settings }: Shell, isTypeScript: boolean): Promise<NewFile> {
  const { cwd } = host;
  const existing = findUpward(cwd, CONFIG_FILES);
  if (existing !== null) return kept(cwd, existing);
  const { schema, tableName } = (await settings()).log;
  const required = flags.require === undefined ? null : moduleFrom(cwd, flags.require);
  const text = configText({ require: required, schema, tableName }, isTypeScript || isModulePackage(cwd));
  return writeNew(cwd, joined(cwd, `sequelize-auditlog.config.${isTypeScript ? 'ts' : 'js'}`), text);
}

function firstMigration({ host }: Shell, { dir, ts }: Flags, tables: KnownTables): NewFile[] {
  const folder = migrationsFolder(host.cwd, dir);
  const [existing] = auditMigrationsIn(folder);
  if (existing !== undefined) return [kept(host.cwd, joined(folder, existing))];
  const format = ts === true ? 'ts' : 'cjs';
  return writeMigration({ cwd: host.cwd, folder, name: 'create-audit-tables', format, tables });
}

function nextSteps(made: readonly NewFile[], hasModels: boolean): string {
  const steps = [
    ...(hasModels ? [] : ['Name the module that exports your auditLog in the configuration file.']),
    'Run the migration as you run yours (npx sequelize-cli db:migrate, or umzug), or: npx sequelize-auditlog migrate',
    'See that nothing is missing: npx sequelize-auditlog check',
  ];
  const written = made.map(({ file, created }) => `${created ? 'Created' : 'Kept'} ${file}`);
  return [...written, '', 'Next:', ...steps.map((step, at) => `${at + 1}. ${step}`)].join('\n');
}

async function init(shell: Shell, flags: Flags): Promise<void> {
  const tables = await knownTables(shell);
  const made = [await writeConfig(shell, flags.ts === true), ...firstMigration(shell, flags, tables)];
  shell.output.answer({ files: made }, nextSteps(made, tables.hasModels));
}

export function addInit(program: Command, runner: Runner): void {
  program
    .command('init')
    .description('write a configuration file and the first migration; what is there is kept')
    .option('--dir <folder>', 'folder of the migration (default: that of .sequelizerc, else migrations)')
    .option('--ts', 'write both in TypeScript')
    .action(runner.inShell(init));
}
