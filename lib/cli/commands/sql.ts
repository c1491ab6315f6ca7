import type { Command } from 'commander';
import { lazily } from '../../core/lazily';
import type * as Sync from '../../schema/sync';
import { knownTables } from '../known-tables';
import type { Runner, Shell } from '../runner';
import { sqlText } from '../templates/migration';
import { NO_MODELS } from './migration';

const sync = lazily(() => require('../../schema/sync') as typeof Sync);

async function sql(shell: Shell, { down }: { readonly down?: boolean }): Promise<void> {
  const { output } = shell;
  const { registrations, log, hasModels } = await knownTables(shell);
  const { createStatements, dropStatements } = sync();
  const statements = (down === true ? dropStatements : createStatements)(registrations, log);
  if (!hasModels) output.note(NO_MODELS);
  if (output.isJson) output.json({ statements });
  else output.data(sqlText(statements).trimEnd());
}

export function addSql(program: Command, runner: Runner): void {
  program
    .command('sql')
    .description('print the SQL that creates the log and the history tables, without a connection')
    .option('--down', 'print the SQL that drops them')
    .action(runner.inShell(sql));
}
