import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { main } from '../../../lib/cli/main';
import type { Host } from '../../../lib/cli/host';

/** A stream that remembers what was written to it, and may say that it is a terminal. */
export class Screen extends PassThrough {
  readonly isTTY: boolean;
  readonly columns = 80;
  /** Called with everything that is written, at once. */
  onText: (text: string) => unknown = () => undefined;
  #text = '';

  constructor(isTTY = false) {
    super();
    this.isTTY = isTTY;
    this.on('data', (chunk: Buffer) => (this.#text += chunk.toString()));
  }

  override write(chunk: unknown, ...rest: never[]): boolean {
    const goesOn = super.write(chunk, ...rest);
    if (typeof chunk === 'string') this.onText(chunk);
    return goesOn;
  }

  get text(): string {
    return this.#text;
  }
}

export interface HostOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Whether a person sits at it. @default false */
  readonly isTerminal?: boolean;
  /** What is typed; null keeps the input open. @default nothing */
  readonly input?: string | null;
  /** Ctrl-C comes when stderr shows this. */
  readonly interruptAt?: RegExp;
}

/** Stands for a process that runs the program. */
export class FakeHost implements Host {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdin: PassThrough & { readonly isTTY: boolean };
  readonly stdout: Screen;
  readonly stderr: Screen;
  readonly signals = new EventEmitter();
  readonly exits: number[] = [];

  constructor(
    argv: readonly string[],
    { env = {}, cwd = __dirname, isTerminal = false, input = '', interruptAt }: HostOptions = {},
  ) {
    this.argv = argv;
    this.env = env;
    this.cwd = cwd;
    this.stdin = Object.assign(new PassThrough(), { isTTY: isTerminal });
    this.stdout = new Screen(isTerminal);
    this.stderr = new Screen(isTerminal);
    if (input !== null) this.stdin.end(input);
    this.stderr.onText = (text) => interruptAt?.test(text) === true && this.signals.emit('SIGINT');
  }

  exit(code: number): void {
    this.exits.push(code);
  }
}

/** What the program answered. */
export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program inside this process: for everything that loads no module of an application. */
export async function say(argv: readonly string[], options: HostOptions = {}): Promise<Said> {
  const host = new FakeHost(argv, options);
  const code = await main(host);
  return { code, stdout: host.stdout.text, stderr: host.stderr.text };
}
