import type { Command } from 'commander';
import type { CheckFinding } from '../../inspect/check';
import { EXIT, type ExitCode } from '../exit-codes';
import type { Runner, Session } from '../runner';

function printFindings({ output }: Session, findings: readonly CheckFinding[]): void {
  const rows = findings.map(({ code, model, message }) => [model ?? '(log)', code, message]);
  output.table([{ head: 'MODEL' }, { head: 'CODE' }, { head: 'FINDING' }], rows);
}

async function check(session: Session): Promise<ExitCode> {
  const { auditLog, hasModels, output } = session;
  const { ok, findings } = await auditLog.check();
  if (!hasModels)
    output.note("Only the log's own tables were checked: --require names the module with the models.");
  if (output.isJson) output.json({ ok, findings });
  else if (ok) output.answer(null, 'Nothing is missing.');
  else printFindings(session, findings);
  return ok ? EXIT.done : EXIT.findings;
}

export function addCheck(program: Command, runner: Runner): void {
  program
    .command('check')
    .description(
      "compare the database with what the log and the registered models need (exit code 3: it doesn't fit)",
    )
    .action(runner.inSession(check));
}
