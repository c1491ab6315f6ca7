import { execFile } from 'node:child_process';
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { installInto, packLibrary } from '../support/packed-library';

const INSTALL_TIMEOUT_MS = 120_000;
const run = promisify(execFile);

let folder = '';
let consumer = '';

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'package-test-')));
  consumer = join(folder, 'consumer');
  await installInto(consumer, await packLibrary(folder));
}, INSTALL_TIMEOUT_MS);

afterAll(() => rm(folder, { recursive: true, force: true }));

test('require and import give the same library, with one context', async () => {
  const answer = await runInConsumer(
    'both.mjs',
    `import { createRequire } from 'node:module';
    import { createAuditLog, currentAuditContext } from 'sequelize-auditlog';
    const required = createRequire(import.meta.url)('sequelize-auditlog');
    const reason = await required.withAuditContext({ reason: 'stocktaking' }, async () => currentAuditContext().reason);
    console.log(JSON.stringify({ same: createAuditLog === required.createAuditLog, reason }))`,
  );
  expect(answer).toEqual({ same: true, reason: 'stocktaking' });
});

test('requiring the library loads nothing but its peers, and not Express', async () => {
  const answer = await runInConsumer(
    'loaded.cjs',
    `const loaded = () => Object.keys(require.cache);
    require('sequelize');
    require('pg');
    const before = new Set(loaded());
    require('sequelize-auditlog');
    console.log(JSON.stringify(loaded().filter((path) => !before.has(path))))`,
  );
  const own = join(consumer, 'node_modules', 'sequelize-auditlog', 'dist');
  expect((answer as string[]).filter((path) => !path.startsWith(own))).toEqual([]);
  expect(answer).toContain(join(own, 'index.js'));
});

async function runInConsumer(name: string, script: string): Promise<unknown> {
  await writeFile(join(consumer, name), script);
  const { stdout } = await run(process.execPath, [name], { cwd: consumer });
  return JSON.parse(stdout) as unknown;
}

test('the web entry brings its styles and script along, for require and import', async () => {
  const program = (load: string): string => `
    ${load}
    const { auditRouter } = await load('sequelize-auditlog/web');
    const { createAuditLog } = await load('sequelize-auditlog');
    const { Sequelize, DataTypes } = await load('sequelize');
    const { default: express } = await import('express');
    const sequelize = new Sequelize('postgres://nobody@localhost/nowhere', { logging: false });
    const auditLog = createAuditLog(sequelize);
    auditLog.registerAudited(sequelize.define('Order', { status: DataTypes.TEXT }));
    const server = express().use('/audit', auditRouter(auditLog, { authorize: () => true })).listen(0);
    const base = 'http://localhost:' + server.address().port + '/audit/no/page';
    const page = await fetch(base);
    const text = await page.text();
    const files = [...text.matchAll(/(?:href|src)="([^"]+\\.(?:css|js|svg))"/g)].map(([, path]) => path);
    const answers = await Promise.all(files.map((path) => fetch(new URL(path, base))));
    console.log(JSON.stringify([page.status, ...answers.map(({ status }) => status)]));
    server.close();`;
  const imported = 'const load = (name) => import(name);';
  const required = `import { createRequire } from 'node:module'; const load = createRequire(import.meta.url);`;
  expect(await runInConsumer('web-import.mjs', program(imported))).toEqual([404, 200, 200, 200]);
  expect(await runInConsumer('web-require.mjs', program(required))).toEqual([404, 200, 200, 200]);
});
