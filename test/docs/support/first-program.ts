import { execFile } from 'node:child_process';
import { cp, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { transform } from '@swc/core';
import { ROOT } from './markdown';

const run = promisify(execFile);

/** A user's project in that folder: the library, compiled as it is published but not checked again, and Sequelize. */
export async function installLibrary(folder: string): Promise<void> {
  const installed = join(folder, 'node_modules/sequelize-auditlog');
  await mkdir(installed, { recursive: true });
  await cp(join(ROOT, 'package.json'), join(installed, 'package.json'));
  await symlink(join(ROOT, 'node_modules/sequelize'), join(folder, 'node_modules/sequelize'));
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  const flags = ['--noCheck', '--declaration', 'false', '--declarationMap', 'false', '--sourceMap', 'false'];
  const outDir = join(installed, 'dist');
  await run(process.execPath, [
    compiler,
    '-p',
    join(ROOT, 'tsconfig.build.json'),
    '--outDir',
    outDir,
    ...flags,
  ]);
}

/** Runs a TypeScript program as an ES module in that folder. */
export async function runProgram(
  folder: string,
  source: string,
  env: Readonly<Record<string, string>>,
): Promise<{ stdout: string; stderr: string }> {
  const jsc = { target: 'es2022', parser: { syntax: 'typescript' } } as const;
  const { code } = await transform(source, { jsc, module: { type: 'es6' }, swcrc: false });
  await writeFile(join(folder, 'program.mjs'), code);
  return run(process.execPath, ['program.mjs'], { cwd: folder, env: { ...process.env, ...env } });
}
