import type { Command } from 'commander';
import { fileFrom } from '../new-files';
import type { Runner, Session } from '../runner';
import { counted, entries } from '../texts';

interface Flags {
  readonly table: string;
}

async function restore({ host, auditLog, output }: Session, { table }: Flags, folder: string): Promise<void> {
  const result = await auditLog.restoreArchive(fileFrom(host, folder), { tableName: table });
  const sentence = `Read ${entries(result.entries)} and ${counted(result.versions, 'version')} back into "${table}".`;
  output.answer(result, sentence);
}

export function addRestore(program: Command, runner: Runner): void {
  program
    .command('restore')
    .description('read an archive back into a table beside the log')
    .argument('<folder>', 'folder of the archive')
    .requiredOption('--table <name>', 'table to read it into')
    .action(runner.inSession(restore));
}
