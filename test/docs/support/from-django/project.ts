import { mkdtempSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT, type Block } from '../markdown';

/** What a reader has already: the modules beside this one, under the names that the blocks import. */
const GIVEN = ['database', 'user'];

/** The files of the application that the blocks are: the first line of each is its name. */
export function filesOf(blocks: readonly Block[]): Record<string, string> {
  const given = GIVEN.map((name) => [
    `${name}.ts`,
    `export * from ${JSON.stringify(join(__dirname, name))};\n`,
  ]);
  const written = blocks.map(({ name, code }) => [name ?? 'without-a-name.ts', code]);
  return Object.fromEntries([...given, ...written]) as Record<string, string>;
}

/** Writes them into a folder outside the repository, at once, since tests inside them are declared while this file loads. */
export function writeProject(files: Readonly<Record<string, string>>): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'from-django-')));
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}
