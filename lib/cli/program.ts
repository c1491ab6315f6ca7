import { Command, Help, type Option } from 'commander';
import { addCheck } from './commands/check';
import { addDiff } from './commands/diff';
import { addExport } from './commands/export';
import { addInit } from './commands/init';
import { addMigrate } from './commands/migrate';
import { addMigration } from './commands/migration';
import { addPopulate } from './commands/populate';
import { addArchive, addPrune } from './commands/prune';
import { addRestore } from './commands/restore';
import { addRevert } from './commands/revert';
import { addShow } from './commands/show';
import { addSql } from './commands/sql';
import { addStats } from './commands/stats';
import { addTail } from './commands/tail';
import type { Host } from './host';
import type { Runner } from './runner';

/** A command adds itself. */
export type AddCommand = (program: Command, runner: Runner) => void;

/** In the order of `--help`. */
const COMMANDS: readonly AddCommand[] = [
  addInit,
  addMigration,
  addSql,
  addMigrate,
  addCheck,
  addStats,
  addShow,
  addDiff,
  addRevert,
  addTail,
  addExport,
  addPrune,
  addArchive,
  addRestore,
  addPopulate,
];

const EPILOGUE = `
The database is the one of --require or --url, else of AUDIT_DATABASE_URL, of
sequelize-auditlog.config.{js,cjs,mjs,ts,json} here or in a folder above, of
.sequelizerc, of DATABASE_URL, in that order.

Exit codes: 0 done, 1 error, 2 usage, 3 findings, 4 conflict,
130 interrupted.`;

/** Commander knows what is required, and doesn't say so. */
function optionDescription(this: Help, option: Option): string {
  return `${option.mandatory ? 'required: ' : ''}${Help.prototype.optionDescription.call(this, option)}`;
}

function versionOf(): string {
  return (require('../../package.json') as { readonly version: string }).version;
}

/** The program with its commands; what is wrong with its arguments is thrown. */
export function createProgram({ stdout, stderr }: Host, runner: Runner): Command {
  const program = new Command('sequelize-auditlog')
    .description('Looks after an audit log of sequelize-auditlog.')
    .option('--config <file>', 'configuration file')
    .option('--require <module>', 'module that exports auditLog, for commands that need models')
    .option('--url <url>', 'database: postgres://user:password@host:port/database')
    .option('--schema <name>', 'schema of the log')
    .option('--json', 'answer as JSON')
    .option('--quiet', 'say nothing but data and errors')
    .option('--verbose', 'say more: where the database was found, stacks of errors, progress')
    .option('--no-color', 'no colors (as with NO_COLOR)')
    .option('--yes', 'do not ask before something is removed or changed')
    .version(versionOf(), '-V, --version')
    .addHelpText('after', EPILOGUE)
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
    })
    .configureHelp({ optionDescription, showGlobalOptions: true })
    .showHelpAfterError('Add --help to see what there is.')
    .exitOverride();
  for (const add of COMMANDS) add(program, runner);
  return program;
}
