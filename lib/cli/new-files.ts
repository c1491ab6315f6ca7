import type * as Fs from 'node:fs';
import type * as Path from 'node:path';
import { lazily } from '../core/lazily';
import { UsageError } from './exit-codes';
import { findUpward, isFile, requireFile } from './load-module';

const fs = lazily(() => require('node:fs') as typeof Fs);
const path = lazily(() => require('node:path') as typeof Path);

/** A file that was asked for. */
export interface NewFile {
  /** As seen from the current folder. */
  readonly file: string;
  /** False when there was one, which is kept as it is. */
  readonly created: boolean;
}

/** Where migrations are: as asked, else where sequelize-cli has them, else `migrations`. */
export function migrationsFolder(cwd: string, dir: string | undefined): string {
  if (dir !== undefined) return path().resolve(cwd, dir);
  const rc = findUpward(cwd, ['.sequelizerc']);
  const named = rc && (requireFile(rc) as { readonly 'migrations-path'?: string })['migrations-path'];
  return named ? path().resolve(path().dirname(rc), named) : path().join(cwd, 'migrations');
}

/** Whether `.js` files of a folder are ECMAScript modules. */
export function isModulePackage(folder: string): boolean {
  const file = findUpward(folder, ['package.json']);
  if (file === null) return false;
  return (JSON.parse(fs().readFileSync(file, 'utf8')) as { readonly type?: string }).type === 'module';
}

/** A file that is there already. */
export function kept(cwd: string, file: string): NewFile {
  return { file: path().relative(cwd, file), created: false };
}

/** Writes a file that wasn't there. */
export function writeNew(cwd: string, file: string, text: string): NewFile {
  fs().mkdirSync(path().dirname(file), { recursive: true });
  try {
    fs().writeFileSync(file, text, { flag: 'wx' });
    return { file: path().relative(cwd, file), created: true };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return kept(cwd, file);
  }
}

/** The texts of the files in a folder; none when there is no such folder. */
export function textsIn(folder: string): Map<string, string> {
  if (!fs().existsSync(folder)) return new Map();
  const names = fs().readdirSync(folder, { withFileTypes: true });
  const files = names.filter((entry) => entry.isFile()).map(({ name }) => name);
  return new Map(files.map((name) => [name, fs().readFileSync(path().join(folder, name), 'utf8')]));
}

/** A file or folder that was named on the command line, as seen from where the program was called. */
export function fileFrom({ cwd }: { readonly cwd: string }, name: string): string {
  return path().resolve(cwd, name);
}

export function joined(folder: string, name: string): string {
  return path().join(folder, name);
}

/** A module as a file in `cwd` names it: a path where it is a file there, else the name of a package. */
export function moduleFrom(cwd: string, id: string): string {
  const file = path().resolve(cwd, id);
  const isPath = ['', '.js', '.cjs', '.mjs', '.ts', '.cts', '.mts'].some((ending) => isFile(file + ending));
  if (!isPath) return id;
  const relative = path().relative(cwd, file).split(path().sep).join('/');
  return relative.startsWith('.') ? relative : `./${relative}`;
}

/** `20261122105708`, in UTC. @param date when the file is made */
export function stampOf(date: Date): string {
  return date.toISOString().replaceAll(/\D/g, '').slice(0, 14);
}

/** @throws {UsageError} for what is no part of a file's name */
export function checkFileName(name: string): string {
  if (/^[\w-]+$/.test(name)) return name;
  throw new UsageError(`--name: expected letters, digits, "-" and "_" only, got "${name}".`);
}
