import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { transformFile, transform, type Options } from '@swc/core';
import { ROOT } from './markdown';

const run = promisify(execFile);

const commonjs: Options = {
  jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
  module: { type: 'commonjs' },
  swcrc: false,
};

/** A user's project in that folder: the compiled library and Sequelize. */
export async function installLibrary(folder: string): Promise<void> {
  const installed = join(folder, 'node_modules/sequelize-auditlog');
  const sources = await readdir(join(ROOT, 'lib'), { recursive: true });
  await mkdir(installed, { recursive: true });
  await cp(join(ROOT, 'package.json'), join(installed, 'package.json'));
  await symlink(join(ROOT, 'node_modules/sequelize'), join(folder, 'node_modules/sequelize'));
  const modules = sources.filter((name) => name.endsWith('.ts'));
  await Promise.all(modules.map((name) => compileModule(name, join(installed, 'dist'))));
}

async function compileModule(name: string, target: string): Promise<void> {
  const { code } = await transformFile(join(ROOT, 'lib', name), commonjs);
  const path = join(target, name.replace(/\.ts$/, '.js'));
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, code);
}

/** Runs a TypeScript program as an ES module in that folder. */
export async function runProgram(
  folder: string,
  source: string,
  env: Readonly<Record<string, string>>,
): Promise<{ stdout: string; stderr: string }> {
  const { code } = await transform(source, { ...commonjs, module: { type: 'es6' } });
  await writeFile(join(folder, 'program.mjs'), code);
  return run(process.execPath, ['program.mjs'], { cwd: folder, env: { ...process.env, ...env } });
}
