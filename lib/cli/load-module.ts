import type * as Fs from 'node:fs';
import type * as Jiti from 'jiti';
import type * as Path from 'node:path';
import type * as Url from 'node:url';
import { lazily } from '../core/lazily';
import { UsageError } from './exit-codes';

const fs = lazily(() => require('node:fs') as typeof Fs);
const path = lazily(() => require('node:path') as typeof Path);
const url = lazily(() => require('node:url') as typeof Url);

// Without a cache on disk: what would be kept may hold what a configuration holds.
const jiti = lazily(() => (require('jiti') as typeof Jiti).createJiti(__filename, { fsCache: false }));

export function isFile(file: string): boolean {
  return fs().existsSync(file);
}

/** The first of these files that there is in the folder or, failing that, in one above it. */
export function findUpward(folder: string, names: readonly string[]): string | null {
  for (const name of names) {
    const file = path().join(folder, name);
    if (isFile(file)) return file;
  }
  const parent = path().dirname(folder);
  return parent === folder ? null : findUpward(parent, names);
}

/** A file by its path from a folder, with or without its ending, else a package that is installed there. */
export function resolveModule(id: string, folder: string): string {
  const parentURL = url().pathToFileURL(path().join(folder, 'noop.js'));
  const resolve = (name: string): string | undefined => jiti().esmResolve(name, { parentURL, try: true });
  const found = resolve(path().resolve(folder, id)) ?? resolve(id);
  if (found !== undefined) return found.startsWith('file:') ? url().fileURLToPath(found) : found;
  throw new UsageError(
    `There is no module "${id}" in ${folder}: neither a file of that name nor an installed package.`,
  );
}

/** A module, whether JavaScript or TypeScript, CommonJS or not. */
export async function loadModule(file: string): Promise<unknown> {
  return jiti().import(file);
}

/** What a module exports as its own, or as its default. */
export function defaultOf(module: unknown): unknown {
  const { default: own } = (module ?? {}) as { readonly default?: unknown };
  return own ?? module;
}

/** A file of sequelize-cli: JavaScript without an ending. */
export function requireFile(file: string): unknown {
  return require(file) as unknown;
}

/** What a configuration file exports: an object, a promise of one, or a function that gives either. */
export async function loadSettings(file: string): Promise<Readonly<Record<string, unknown>>> {
  let exported = await defaultOf(await loadModule(file));
  if (typeof exported === 'function') exported = await (exported as () => unknown)();
  if (typeof exported === 'object' && exported !== null) return exported as Readonly<Record<string, unknown>>;
  throw new UsageError(`${file} must export an object, or a function that gives one.`);
}
