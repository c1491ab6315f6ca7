import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = join(__dirname, '../..');
const peers = ['sequelize', 'pg', 'express'];

/** Builds and packs the library as it would be published, in that folder, without touching `dist`. Gives the tarball's path. */
export async function packLibrary(folder: string): Promise<string> {
  const stage = join(folder, 'stage');
  await mkdir(stage);
  for (const name of ['package.json', 'lib']) {
    await cp(join(root, name), join(stage, name), { recursive: true });
  }
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  await run(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--outDir', join(stage, 'dist')], {
    cwd: root,
  });
  await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: stage });
  const { name, version } = await packageFile(stage);
  return join(folder, `${name}-${version}.tgz`);
}

/** A user's project in that folder, with the tarball and the peers that this repository is tested with. */
export async function installInto(folder: string, tarball: string): Promise<void> {
  const installed = peers.map((name) => packageFile(join(root, 'node_modules', name)));
  const versions = (await Promise.all(installed)).map(({ name, version }) => `${name}@${version}`);
  await mkdir(folder);
  await writeFile(join(folder, 'package.json'), '{ "name": "consumer", "private": true }');
  const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts'];
  await run('npm', ['install', ...flags, tarball, ...versions], { cwd: folder });
}

async function packageFile(folder: string): Promise<{ name: string; version: string }> {
  return JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
  };
}
