import { execFile, spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import {
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = join(__dirname, '../..');
/** Below `node_modules`, so that no tool takes it for a source, and what the package requires is found. */
const CACHE = join(ROOT, 'node_modules/.cache/sequelize-auditlog-built');
const KEPT_MS = 60 * 60 * 1000;
const NAME = 'sequelize-auditlog';
/** What a user's project has beside the package. */
const PEERS = ['sequelize', 'pg', 'umzug', 'sequelize-cli', 'typescript', '@types'];

async function sourcesDigest(): Promise<string> {
  const files = await readdir(join(ROOT, 'lib'), { recursive: true, withFileTypes: true });
  const paths = files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));
  const hash = createHash('sha256');
  for (const path of [...paths.toSorted(), join(ROOT, 'package.json')])
    hash.update(path).update(await readFile(path));
  return hash.digest('hex').slice(0, 16);
}

async function compileInto(folder: string): Promise<void> {
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  // Types are checked elsewhere.
  const flags = ['--noCheck', '--declaration', 'false', '--declarationMap', 'false'];
  const into = ['--outDir', join(folder, 'dist')];
  await run(process.execPath, [compiler, '-p', 'tsconfig.build.json', ...flags, ...into], { cwd: ROOT });
  await cp(join(ROOT, 'package.json'), join(folder, 'package.json'));
  await cp(join(ROOT, 'lib'), join(folder, 'lib'), { recursive: true });
}

/** Folders of former states of the sources; one of the last hour may be in use. */
async function sweep(current: string): Promise<void> {
  for (const name of await readdir(CACHE)) {
    const folder = join(CACHE, name);
    const { mtimeMs } = await stat(folder).catch(() => ({ mtimeMs: Date.now() }));
    if (folder !== current && Date.now() - mtimeMs > KEPT_MS)
      await rm(folder, { recursive: true, force: true });
  }
}

async function build(folder: string): Promise<string> {
  if (existsSync(folder)) return folder;
  await mkdir(CACHE, { recursive: true });
  await sweep(folder);
  const own = await mkdtemp(join(CACHE, 'making-'));
  await compileInto(own);
  // Whoever comes second throws its own away: a lock would outlive a process that is killed.
  await rename(own, folder).catch(() => rm(own, { recursive: true, force: true }));
  return folder;
}

/** The package as compiled, with `package.json` and `dist`; made once for a state of the sources. */
export async function builtPackage(): Promise<string> {
  return build(join(CACHE, await sourcesDigest()));
}

/** What a process answered. */
export interface Answer {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Folder inside the project. @default the project's own */
  readonly cwd?: string;
}

/** Variables of the tests themselves must not lead a program to a database. */
const UNSET = { DATABASE_URL: undefined, DATABASE_URL_15: undefined, AUDIT_DATABASE_URL: undefined };

/** A user's project that has the compiled package installed. */
export class Project {
  readonly folder: string;
  readonly #package: string;

  constructor(folder: string, packageFolder: string) {
    this.folder = folder;
    this.#package = packageFolder;
  }

  async write(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(this.folder, name)), { recursive: true });
      await writeFile(join(this.folder, name), text);
    }
  }

  /** Starts the program; its input is open. */
  start(args: readonly string[], { env = {}, cwd = '' }: RunOptions = {}): ChildProcessWithoutNullStreams {
    return spawn(process.execPath, [join(this.#package, 'dist/cli/bin.js'), ...args], {
      cwd: join(this.folder, cwd),
      env: { ...process.env, ...UNSET, NODE_ENV: undefined, ...env },
    });
  }

  /** Runs the program to its end, without input. */
  async run(args: readonly string[], options: RunOptions = {}): Promise<Answer> {
    const child = this.start(args, options);
    child.stdin.end();
    return answerOf(child);
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Collects what a process writes until it ends. */
export async function answerOf(child: ChildProcessWithoutNullStreams): Promise<Answer> {
  const texts = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (texts.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (texts.stderr += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, ...texts }));
  });
}

/** A new project; call `remove()` when it is done with. */
export async function createProject(files: Readonly<Record<string, string>> = {}): Promise<Project> {
  const built = await builtPackage();
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'auditlog-project-')));
  await mkdir(join(folder, 'node_modules'));
  for (const name of PEERS)
    await symlink(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name));
  await symlink(built, join(folder, 'node_modules', NAME));
  const project = new Project(folder, built);
  await project.write({ 'package.json': '{ "name": "a-project", "private": true }', ...files });
  return project;
}
