import type { Command } from 'commander';
import type * as Scopes from '../../context/scopes';
import type { RevertOptions, RevertResult } from '../../revert/revert';
import { EXIT, type ExitCode } from '../exit-codes';
import { namedObject, type NamedObject } from '../objects';
import { point, pointInTime, pointText, type WrittenPoint } from '../points';
import type { Runner, Session } from '../runner';
import { counted } from '../texts';
import { changeJson, changeRow } from '../values';

interface Flags {
  readonly to: WrittenPoint;
  readonly only?: readonly string[];
  readonly reason?: string;
  readonly actor?: string;
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

type Guard = Pick<RevertOptions, 'expectedVersion'>;

/** What is the newest now, so that nothing is put back over what nobody was shown. */
async function guardOf({ handle, registration, pk }: NamedObject): Promise<Guard> {
  const action = ['create', 'update', 'delete'];
  const newest =
    registration.options.snapshots === null
      ? (await handle.entries(pk, { where: { action }, limit: 1 }))[0]
      : await handle.mostRecent(pk);
  return newest ? { expectedVersion: newest } : {};
}

function jsonOfResult({ changes, skipped, obstacles, entry }: RevertResult): object {
  return { changes: changes.map(changeJson), skipped, obstacles, entry };
}

/** What would be done, for a person who is to decide. */
function printPlan({ output }: Session, { changes, skipped, obstacles }: RevertResult): void {
  if (changes.length > 0)
    output.table(
      [{ head: 'ATTRIBUTE' }, { head: 'NOW' }, { head: 'AFTER' }],
      changes.map((change) => changeRow(change, ['now', 'after'])),
    );
  for (const { attribute, why } of skipped) output.note(`${attribute} stays as it is: ${why}.`);
  for (const { attribute, why } of obstacles)
    output.error(`In the way: ${attribute === undefined ? why : `${attribute}: ${why}`}.`);
}

/** One call of the command. */
class Reverting {
  readonly #session: Session;
  readonly #object: NamedObject;
  readonly #flags: Flags;
  readonly #options: RevertOptions;
  readonly #name: string;

  constructor(session: Session, object: NamedObject, flags: Flags, to: RevertOptions['to']) {
    this.#session = session;
    this.#object = object;
    this.#flags = flags;
    this.#name = `${object.registration.name} ${Object.values(object.key).join(', ')}`;
    this.#options = {
      to,
      ...(flags.only && { only: flags.only }),
      ...(flags.reason !== undefined && { reason: flags.reason }),
      ...(flags.force === true && { force: true }),
    };
  }

  async run(): Promise<ExitCode> {
    const { flags } = this.#session;
    if (flags.yes && this.#flags.dryRun !== true) return this.#revert({}, true);
    const guard = await guardOf(this.#object);
    const plan = await this.#call({ ...guard, dryRun: true });
    const isWanted = this.#flags.dryRun !== true && plan.obstacles.length + plan.changes.length > 0;
    if (!isWanted) return this.#tell(plan);
    printPlan(this.#session, plan);
    if (plan.obstacles.length > 0) return EXIT.conflict;
    const what = `${counted(plan.changes.length, 'attribute')} of ${this.#name}`;
    if (await this.#session.confirm(`This changes ${what}. Go on?`)) return this.#revert(guard, false);
    this.#session.output.note('Nothing was changed.');
    return EXIT.error;
  }

  #call(more: Partial<RevertOptions>): Promise<RevertResult> {
    return this.#object.handle.revert(this.#object.pk, { ...this.#options, ...more });
  }

  /** @throws {AuditError} ERR_AUDIT_CONFLICT */
  async #revert(guard: Guard, isNew: boolean): Promise<ExitCode> {
    const { output } = this.#session;
    const result = await this.#call(guard);
    if (isNew && !output.isJson) printPlan(this.#session, result);
    const entry = result.entry ? ` (entry ${result.entry.id})` : '';
    const done = `Put ${this.#name} back to ${pointText(this.#flags.to)}${entry}.`;
    output.answer(jsonOfResult(result), result.changes.length === 0 ? this.#nothing() : done);
    return EXIT.done;
  }

  #nothing(): string {
    return `Nothing to change: ${this.#name} is as it was at ${pointText(this.#flags.to)}.`;
  }

  /** A dry run, or that there is nothing to do. */
  #tell(plan: RevertResult): ExitCode {
    const { output } = this.#session;
    if (!output.isJson) printPlan(this.#session, plan);
    const would = `Would change ${counted(plan.changes.length, 'attribute')} of ${this.#name}.`;
    const isFree = plan.obstacles.length === 0;
    const sentence = plan.changes.length === 0 ? this.#nothing() : would;
    if (isFree || output.isJson) output.answer(jsonOfResult(plan), sentence);
    return isFree ? EXIT.done : EXIT.conflict;
  }
}

async function revert(session: Session, flags: Flags, model: string, pk: string): Promise<ExitCode> {
  const { withAuditContext } = require('../../context/scopes') as typeof Scopes;
  const object = namedObject(session, model, pk);
  const to = await pointInTime(session, object, flags.to);
  const context = flags.actor === undefined ? {} : { actor: flags.actor };
  return withAuditContext(context, () => new Reverting(session, object, flags, to).run());
}

const names = (list: string): readonly string[] =>
  list
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');

export function addRevert(program: Command, runner: Runner): void {
  program
    .command('revert')
    .argument('<model>', 'name under which the model is registered')
    .argument('<key>', 'primary key; of several columns a JSON array, such as ["7","A1"]')
    .description('put an object back to what it was (exit code 4: something is in the way)')
    .requiredOption('--to <point>', 'a time, an entry or a version', point)
    .option('--only <names>', 'only these attributes and associations, separated by commas', names)
    .option('--reason <text>', 'why; kept on the entry')
    .option('--actor <id>', 'who; kept on the entry (default: nobody)')
    .option('--force', 'also over another object that was created under the same key since')
    .option('--dry-run', 'try it, tell what it would change, and change nothing')
    .action(runner.inSession(revert as never, { isDestructive: true }));
}
