import type { Command } from 'commander';
import { lazily } from '../../core/lazily';
import { checkAssociations } from '../../schema/associations';
import type * as Sync from '../../schema/sync';
import type { Runner, Session } from '../runner';
import { sqlText } from '../templates/migration';
import { counted } from '../texts';
import { NO_MODELS } from './migration';

const sync = lazily(() => require('../../schema/sync') as typeof Sync);

async function statementsOf({ foundation }: Session, isDryRun: boolean): Promise<readonly string[]> {
  const { sequelize, registry, options } = foundation.settings;
  const log = { schema: options.schema, table: options.tableName };
  const { registrations } = registry;
  for (const { model, options: each } of registrations) checkAssociations(model, each.associations);
  const { catalogueQuery, completeTables, planTables } = sync();
  if (isDryRun) return planTables(catalogueQuery(sequelize), registrations, log);
  return completeTables(sequelize, registrations, log);
}

async function migrate(session: Session, { dryRun }: { readonly dryRun?: boolean }): Promise<void> {
  const { output, hasModels } = session;
  const statements = await statementsOf(session, dryRun === true);
  if (!hasModels) output.note(NO_MODELS);
  if (output.isJson) return output.json({ dryRun: dryRun === true, statements });
  if (statements.length === 0) return output.answer(null, 'Nothing to do: nothing is missing.');
  output.note(`${dryRun === true ? 'Would run' : 'Ran'} ${counted(statements.length, 'statement')}:`);
  return output.data(sqlText(statements).trimEnd());
}

export function addMigrate(program: Command, runner: Runner): void {
  program
    .command('migrate')
    .description('create what is missing of the log and the history tables, in one transaction')
    .option('--dry-run', 'print the SQL and do nothing')
    .action(runner.inSession(migrate));
}
