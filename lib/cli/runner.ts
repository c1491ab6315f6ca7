import type * as Os from 'node:os';
import type { Command } from 'commander';
import type { AuditLog, Foundation } from '../audit-log';
import type * as Scopes from '../context/scopes';
import type * as Connecting from './connection';
import { ask, requireConsent } from './confirm';
import { explain, trace } from './explain';
import { EXIT, exitCodeOf, Interrupted, type ExitCode } from './exit-codes';
import type { GlobalFlags, Host } from './host';
import { Interrupt } from './interrupt';
import { Output } from './output';
import type * as SettingsModule from './settings';
import type { Settings } from './settings';

/** What every command works with. */
export interface Shell {
  readonly host: Host;
  readonly flags: GlobalFlags;
  readonly output: Output;
  /** Name of the command. */
  readonly command: string;
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
  /** @throws {Interrupted} after Ctrl-C; to be called between two batches, with what is to be said of going on */
  readonly mayGoOn: (advice: string) => void;
  /** Reads where the log is, without a connection. @throws {UsageError} */
  readonly settings: () => Promise<Settings>;
  /** Asks a person; true without asking where `--yes` is given. */
  readonly confirm: (question: string) => Promise<boolean>;
}

/** What commands work with that need the database. */
export interface Session extends Shell {
  readonly auditLog: AuditLog;
  readonly foundation: Foundation;
  /** Whether the application's module gave the log, with its registrations (`--require`). */
  readonly hasModels: boolean;
}

/** How a command behaves beside its work. */
export interface Manner {
  /** It looks at `signal` itself and ends in its own time; others end with Ctrl-C at once. @default false */
  readonly endsItself?: boolean;
  /** It destroys: without a terminal it wants `--yes` or `--dry-run`. @default false */
  readonly isDestructive?: boolean;
}

/** What a command does; it may give another exit code than 0. */
export type Work<Place extends Shell, Options> = (
  place: Place,
  options: Options,
  ...given: never[]
) => Promise<ExitCode | void>;

/** A command's action as commander calls it: arguments, options, the command. */
export type Action = (...given: unknown[]) => Promise<void>;

/** What entries of this run say of where they come from: no user of the application, but one of this machine. */
function whatRuns(command: string): string {
  const os = require('node:os') as typeof Os;
  const line = `sequelize-auditlog ${command}`;
  try {
    return `${line} by ${os.userInfo().username}@${os.hostname()}`;
  } catch {
    // In a container the user may have no name.
    return `${line} at ${os.hostname()}`;
  }
}

const GOING_TO_END = 'Interrupted: what is at work is brought to its end first. Once more ends it at once.';

const UNSET = { json: false, quiet: false, verbose: false, yes: false };

/** One command that runs. */
interface Run extends Pick<Shell, 'flags' | 'output' | 'command'> {
  readonly manner: Manner;
}

/** Runs commands: gives them what they work with, and notes with which code the program is to end. */
export class Runner {
  exitCode: ExitCode = EXIT.done;
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  /** The action of a command that needs no database. */
  inShell<Options>(work: Work<Shell, Options>, manner: Manner = {}): Action {
    return this.#action(manner, work);
  }

  /** The action of a command that needs the database. */
  inSession<Options>(work: Work<Session, Options>, manner: Manner = {}): Action {
    return this.#action<Options>(manner, async (shell, options, ...given) => {
      const { connect } = require('./connection') as typeof Connecting;
      const { withAuditContext } = require('../context/scopes') as typeof Scopes;
      const connection = await connect(await shell.settings(), shell.output);
      try {
        shell.mayGoOn('Nothing was done.');
        const request = whatRuns(shell.command);
        return await withAuditContext({ request }, () =>
          work({ ...shell, ...connection }, options, ...given),
        );
      } finally {
        await connection.close();
      }
    });
  }

  #action<Options>(manner: Manner, work: Work<Shell, Options>): Action {
    return async (...given) => {
      const command = given.at(-1) as Command;
      const [options, args] = [given.at(-2) as Options, given.slice(0, -2) as never[]];
      const flags = { ...UNSET, ...command.optsWithGlobals<GlobalFlags & { readonly dryRun?: boolean }>() };
      const output = new Output(this.#host, flags);
      try {
        if (manner.isDestructive === true)
          requireConsent(this.#host, command.name(), flags, flags.dryRun === true);
        const run = { manner, flags, output, command: command.name() };
        const code = await this.#interruptible(run, (shell) => work(shell, options, ...args));
        this.exitCode = code ?? EXIT.done;
      } catch (error) {
        this.exitCode = exitCodeOf(error);
        report(output, error);
      }
    };
  }

  async #interruptible<T>(run: Run, work: (shell: Shell) => Promise<T>): Promise<T> {
    const [host, { output }] = [this.#host, run];
    const endsItself = run.manner.endsItself === true;
    const interrupt = new Interrupt(host.signals, {
      onFirst: () => endsItself && output.note(GOING_TO_END),
      onSecond: () => host.exit(EXIT.interrupted),
    });
    const shell = this.#shell(run, interrupt.signal);
    try {
      return await (endsItself ? work(shell) : Promise.race([work(shell), interrupt.come()]));
    } finally {
      output.progress.clear();
    }
  }

  #shell({ flags, output, command }: Run, signal: AbortSignal): Shell {
    const { env, cwd } = this.#host;
    return {
      host: this.#host,
      flags,
      output,
      command,
      signal,
      mayGoOn(advice) {
        if (signal.aborted) throw new Interrupted(advice);
      },
      settings: () => (require('./settings') as typeof SettingsModule).readSettings({ env, cwd, flags }),
      confirm: async (question) => {
        // The question takes the place of the line, and what comes after it is drawn at once.
        output.progress.clear();
        return flags.yes || ask(this.#host, question, signal);
      },
    };
  }
}

/** What went wrong, on stderr. */
function report(output: Output, error: unknown): void {
  output.error(explain(error));
  output.detail(trace(error));
}
