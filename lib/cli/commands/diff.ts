import { Option, type Command } from 'commander';
import { namedObject } from '../objects';
import { pointInTime, pointOrCurrent, pointText, type WrittenPoint } from '../points';
import type { Runner, Session } from '../runner';
import { changeJson, changeRow } from '../values';

interface Flags {
  readonly from: WrittenPoint;
  readonly to: WrittenPoint;
}

async function diff(session: Session, { from, to }: Flags, model: string, pk: string): Promise<void> {
  const { output } = session;
  const object = namedObject(session, model, pk);
  const older = await pointInTime(session, object, from);
  const newer = await pointInTime(session, object, to);
  const { changes } = await object.handle.diff(pk, older, newer);
  if (output.isJson) output.json({ model, objectPk: pk, changes: changes.map(changeJson) });
  else if (changes.length === 0) output.answer(null, 'Nothing differs.');
  else
    output.table(
      [{ head: 'ATTRIBUTE' }, { head: pointText(from) }, { head: pointText(to) }],
      changes.map((change) => changeRow(change, ['old', 'new'])),
    );
}

export function addDiff(program: Command, runner: Runner): void {
  program
    .command('diff')
    .argument('<model>', 'name under which the model is registered')
    .argument('<key>', 'primary key; of several columns a JSON array, such as ["7","A1"]')
    .description('what differs in an object between two times')
    .requiredOption('--from <point>', 'a time, an entry or a version', pointOrCurrent)
    .addOption(
      new Option('--to <point>', 'a time, an entry or a version, or current')
        .argParser(pointOrCurrent)
        .default({ kind: 'current' } satisfies WrittenPoint, 'current'),
    )
    .action(runner.inSession(diff as never));
}
