import { Option, type Command } from 'commander';
import { knownTables } from '../known-tables';
import { checkFileName, migrationsFolder } from '../new-files';
import { FORMATS, writeMigration, type MigrationFormat } from '../new-migration';
import type { Runner, Shell } from '../runner';

export const NO_MODELS =
  'Without --require only the log is known: name the module that exports auditLog for the history tables of your models.';

interface Flags {
  readonly name: string;
  readonly format: MigrationFormat;
  readonly dir?: string;
}

async function create(shell: Shell, { name, format, dir }: Flags): Promise<void> {
  const { host, output } = shell;
  checkFileName(name);
  const tables = await knownTables(shell);
  const folder = migrationsFolder(host.cwd, dir);
  const made = writeMigration({ cwd: host.cwd, folder, name, format, tables });
  if (!tables.hasModels) output.note(NO_MODELS);
  const sentence = made.map(({ file, created }) => `${created ? 'Created' : 'Kept'} ${file}`).join('\n');
  output.answer({ files: made }, sentence);
}

export function addMigration(program: Command, runner: Runner): void {
  program
    .command('migration')
    .description('migrations for sequelize-cli, umzug or plain SQL')
    .command('create')
    .description('write a migration that creates, or completes, the log and the history tables')
    .option('--name <name>', 'name behind the time', 'create-audit-tables')
    .addOption(new Option('--format <format>', 'format of the file').choices(FORMATS).default('cjs'))
    .option('--dir <folder>', 'folder (default: that of .sequelizerc, else migrations)')
    .action(runner.inShell(create));
}
