import { execFile } from 'node:child_process';
import { mkdtemp, realpath, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT, type Block } from './markdown';
import { OBJECT_NAMES, WORLD_NAMES } from './reader';

const WIRING = 'wiring';
const READER = JSON.stringify(join(__dirname, 'reader'));

/** The names that a block declares at its top level. */
function declaredNames(code: string): string[] {
  const patterns = [...code.matchAll(/^(?:export )?const ([^=]+?) =/gm)].map(([, pattern = '']) => pattern);
  return patterns.flatMap((pattern) => pattern.match(/\w+/g) ?? []);
}

/** A block as a function of what its reader has in scope, which gives what it declares. */
function asFunction(name: string, code: string, parameter: string): string {
  const names = declaredNames(code).join(', ');
  const body = code.replaceAll(/^export /gm, '');
  // Braces of its own, since a block may declare what a parameter is called.
  return `export async function ${functionName(name)}(${parameter}) {{\n${body}\nreturn { ${names} };\n}}\n`;
}

export function functionName(name: string): string {
  return name.replaceAll(/\W+(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/**
 * A module with a function per block. Blocks come after `wiring`, whose names they see too; without a name of their own
 * they are numbered.
 */
export function moduleOf(wiring: Block, blocks: readonly Block[]): string {
  const world = WORLD_NAMES.join(', ');
  const everything = [world, ...declaredNames(wiring.code), ...OBJECT_NAMES].join(', ');
  return [
    "import { createWriteStream } from 'node:fs';",
    "import type { Request } from 'express';",
    `import type { Objects, World } from ${READER};`,
    asFunction(WIRING, wiring.code, `{ ${world} }: World`),
    `type Everything = World & Awaited<ReturnType<typeof ${WIRING}>> & Objects;`,
    ...blocks.map(({ name, code }, at) =>
      asFunction(name ?? `block${at + 1}`, code, `{ ${everything} }: Everything`),
    ),
  ].join('\n');
}

/** A folder outside the repository in which `node_modules` is the repository's. */
export async function temporaryFolder(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'docs-test-')));
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

/** The compiler's complaints about `files`, by file, with the project's own settings and paths. */
export async function typeCheck(
  folder: string,
  files: Readonly<Record<string, string>>,
): Promise<Record<string, string[]>> {
  const names = Object.keys(files);
  const typeRoots = [join(ROOT, 'node_modules/@types')];
  const project = {
    extends: join(ROOT, 'tsconfig.json'),
    compilerOptions: { typeRoots },
    files: names,
    include: [],
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(project));
  const lines = (await compile(folder)).split('\n');
  return Object.fromEntries(names.map((name) => [name, lines.filter((line) => line.startsWith(`${name}(`))]));
}

/** The compiler's output, whether it is content or not. */
function compile(folder: string): Promise<string> {
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [compiler, '--project', folder, '--pretty', 'false'],
      { cwd: folder },
      (_error, stdout) => resolve(stdout),
    );
  });
}
