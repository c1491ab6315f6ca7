import type * as Options from '../core/options';
import { lazily } from '../core/lazily';
import type { Registration } from '../capture/registry';
import type { TableName } from '../schema/quote';
import type * as Connecting from './connection';
import type { Shell } from './runner';

const options = lazily(() => require('../core/options') as typeof Options);
const connecting = lazily(() => require('./connection') as typeof Connecting);

/** Tables of the library that are known without asking a database. */
export interface KnownTables {
  readonly log: TableName;
  readonly registrations: readonly Registration[];
  /** Whether the application's module told them. */
  readonly hasModels: boolean;
}

/** The log as flags and configuration name it; with a module that exports `auditLog`, as that has it, and its histories. */
export async function knownTables(shell: Shell): Promise<KnownTables> {
  const { database, log } = await shell.settings();
  if (database?.kind === 'module') return tablesOfModule(database.file, shell);
  const { schema, tableName } = options().resolveOptions(log);
  return { log: { schema, table: tableName }, registrations: [], hasModels: false };
}

async function tablesOfModule(file: string, { output }: Shell): Promise<KnownTables> {
  const { settings } = await connecting().loadFoundation(file, output);
  const { schema, tableName } = settings.options;
  return {
    log: { schema, table: tableName },
    registrations: settings.registry.registrations,
    hasModels: true,
  };
}
