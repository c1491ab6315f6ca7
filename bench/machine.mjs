import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { cpus, totalmem } from 'node:os';

const require = createRequire(import.meta.url);
const PACKAGES = ['sequelize', 'pg', 'sequelize-paper-trail', 'sequelize-temporal', 'sequelize-version'];

async function versionOf(name) {
  const path = require.resolve(name);
  const folder = path.slice(0, path.lastIndexOf(`node_modules/${name}/`) + `node_modules/${name}/`.length);
  return JSON.parse(await readFile(`${folder}package.json`, 'utf8')).version;
}

/** One line on the machine, one on the versions. */
export async function describeMachine() {
  const [cpu] = cpus();
  const versions = await Promise.all(PACKAGES.map(async (name) => `${name} ${await versionOf(name)}`));
  const day = new Date().toISOString().slice(0, 10);
  return `${day}; ${cpus().length} cores (${cpu.model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GiB; PostgreSQL with default settings on the same machine.
Node ${process.versions.node}, ${versions.join(', ')}.`;
}
