import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { redact, secretsOf } from '../../lib/cli/redact';
import { readSettings, type Given } from '../../lib/cli/settings';

let root = '';
let count = 0;

beforeAll(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'auditlog-settings-')));
});

afterAll(() => rm(root, { recursive: true, force: true }));

/** A folder with these files. */
async function folderWith(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = join(root, `${(count += 1)}`);
  await mkdir(folder);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return folder;
}

async function settingsIn(cwd: string, { env = {}, flags = {} }: Partial<Omit<Given, 'cwd'>> = {}) {
  return readSettings({ cwd, env, flags });
}

/** The host of the URL that was found, which names the place it stood in. */
async function placeOf(cwd: string, given?: Partial<Omit<Given, 'cwd'>>): Promise<string | null> {
  const { database } = await settingsIn(cwd, given);
  if (database === null) return null;
  if (database.kind === 'module') return database.file;
  return database.url === null ? (database.options.host ?? '') : new URL(database.url).hostname;
}

const urlOf = (place: string): string => `postgres://me:sesame@${place}/shop`;
const EVERYWHERE = {
  'sequelize-auditlog.config.js': `module.exports = { url: '${urlOf('config-file')}', schema: 'audit', tableName: 'log' }`,
  '.sequelizerc': `module.exports = { config: 'database.json' }`,
  'database.json': JSON.stringify({ development: { url: urlOf('sequelizerc') } }),
};
const ENV = { AUDIT_DATABASE_URL: urlOf('audit-url'), DATABASE_URL: urlOf('database-url') };

test('the database is that of the flag, AUDIT_DATABASE_URL, the configuration file, .sequelizerc, DATABASE_URL, in that order', async () => {
  const folder = await folderWith(EVERYWHERE);
  const places = [];
  places.push(await placeOf(folder, { env: ENV, flags: { url: urlOf('flag') } }));
  places.push(await placeOf(folder, { env: ENV }));
  const env = { DATABASE_URL: ENV.DATABASE_URL };
  places.push(await placeOf(folder, { env }));
  await rm(join(folder, 'sequelize-auditlog.config.js'));
  places.push(await placeOf(folder, { env }));
  await rm(join(folder, '.sequelizerc'));
  places.push(await placeOf(folder, { env }));
  places.push(await placeOf(folder));
  expect(places).toEqual(['flag', 'audit-url', 'config-file', 'sequelizerc', 'database-url', null]);
});

test('an empty variable names no database', async () => {
  const env = { AUDIT_DATABASE_URL: '', DATABASE_URL: urlOf('database-url') };
  expect(await placeOf(await folderWith({}), { env })).toBe('database-url');
});

test.each([
  ['js', `module.exports = { url: '${urlOf('js')}' }`],
  ['cjs', `module.exports = async () => ({ url: '${urlOf('cjs')}' })`],
  ['mjs', `const url = await Promise.resolve('${urlOf('mjs')}');\nexport default { url };`],
  ['ts', `const url: string = '${urlOf('ts')}';\nexport default { url } satisfies object;`],
  ['json', JSON.stringify({ url: urlOf('json') })],
])('a configuration file may end with .%s', async (ending, text) => {
  const folder = await folderWith({ [`sequelize-auditlog.config.${ending}`]: text });
  expect(await placeOf(folder)).toBe(ending);
});

test('the configuration file is looked for upward, and the nearest counts', async () => {
  const folder = await folderWith({
    'sequelize-auditlog.config.js': `module.exports = { url: '${urlOf('far')}' }`,
    'near/sequelize-auditlog.config.json': JSON.stringify({ url: urlOf('near') }),
    'near/deep/file': '',
    'other/file': '',
  });
  expect(await placeOf(join(folder, 'near/deep'))).toBe('near');
  expect(await placeOf(join(folder, 'other'))).toBe('far');
});

test('--config names a configuration file by its path', async () => {
  const folder = await folderWith({
    ...EVERYWHERE,
    'ci/audit.json': JSON.stringify({ url: urlOf('named') }),
  });
  expect(await placeOf(folder, { flags: { config: 'ci/audit.json' } })).toBe('named');
  await expect(placeOf(folder, { flags: { config: 'ci/no.json' } })).rejects.toThrow(
    `--config: there is no file ${join(folder, 'ci/no.json')}.`,
  );
});

test('a configuration file may hold options of Sequelize', async () => {
  const text = `module.exports = { sequelize: { host: 'db', database: 'shop', dialectOptions: { ssl: true } } }`;
  const folder = await folderWith({ 'sequelize-auditlog.config.js': text });
  expect((await settingsIn(folder)).database).toMatchObject({
    url: null,
    options: { host: 'db', database: 'shop', dialectOptions: { ssl: true } },
  });
});

test('names of the log come from the configuration file also when the database does not', async () => {
  const folder = await folderWith(EVERYWHERE);
  const flags = { url: urlOf('flag') };
  expect((await settingsIn(folder, { flags })).log).toEqual({ schema: 'audit', tableName: 'log' });
  expect((await settingsIn(folder, { flags: { ...flags, schema: 'other' } })).log).toEqual({
    schema: 'other',
    tableName: 'log',
  });
});

test('a misspelt member of the configuration file is refused', async () => {
  const folder = await folderWith({ 'sequelize-auditlog.config.json': '{ "shcema": "audit" }' });
  await expect(settingsIn(folder)).rejects.toThrow(/unknown option "shcema". Did you mean "schema"\?/);
});

test('a configuration file that exports no object is refused', async () => {
  const folder = await folderWith({ 'sequelize-auditlog.config.js': 'module.exports = 3' });
  await expect(settingsIn(folder)).rejects.toThrow(/must export an object/);
});

test('--require names a file of the folder with or without its ending, or a package that is installed there', async () => {
  const folder = await folderWith({
    'src/audit.ts': '',
    'node_modules/the-models/package.json': '{ "main": "main.js" }',
    'node_modules/the-models/main.js': '',
  });
  const [file, main] = [join(folder, 'src/audit.ts'), join(folder, 'node_modules/the-models/main.js')];
  for (const id of ['./src/audit.ts', './src/audit', 'src/audit', 'src/audit.ts', file])
    expect(await placeOf(folder, { flags: { require: id } })).toBe(file);
  expect(await placeOf(folder, { flags: { require: 'the-models' } })).toBe(main);
  await expect(placeOf(folder, { flags: { require: './no' } })).rejects.toThrow(/There is no module ".\/no"/);
});

test('--require goes before every other place, and contradicts --url and --schema', async () => {
  const folder = await folderWith({ ...EVERYWHERE, 'audit.js': '' });
  const flags = { require: './audit' };
  expect(await placeOf(folder, { env: ENV, flags })).toBe(join(folder, 'audit.js'));
  for (const other of [{ url: urlOf('flag') }, { schema: 'audit' }])
    await expect(settingsIn(folder, { flags: { ...flags, ...other } })).rejects.toThrow(
      /contradict each other/,
    );
});

test('a configuration file may name the module, by its own folder', async () => {
  const folder = await folderWith({
    'sequelize-auditlog.config.js': `module.exports = { require: './src/audit' }`,
    'src/audit.ts': '',
  });
  expect(await placeOf(join(folder, 'src'))).toBe(join(folder, 'src/audit.ts'));
  expect(await placeOf(folder, { env: ENV })).toBe('audit-url');
});

describe('.sequelizerc', () => {
  const rc = `const path = require('path'); module.exports = { config: path.resolve(__dirname, 'db/config.js') }`;

  test('of its configuration the part of NODE_ENV is taken, else development', async () => {
    const parts = `module.exports = { development: { host: 'dev' }, production: { host: 'prod' } }`;
    const folder = await folderWith({ '.sequelizerc': rc, 'db/config.js': parts });
    expect(await placeOf(folder)).toBe('dev');
    expect(await placeOf(folder, { env: { NODE_ENV: 'production' } })).toBe('prod');
  });

  test('a configuration without parts is taken whole, also from a function', async () => {
    const folder = await folderWith({
      '.sequelizerc': rc,
      'db/config.js': `module.exports = async () => ({ host: 'whole' })`,
    });
    expect(await placeOf(folder)).toBe('whole');
  });

  test('without a path its configuration is config/config.json', async () => {
    const folder = await folderWith({
      '.sequelizerc': 'module.exports = {}',
      'config/config.json': JSON.stringify({ development: { host: 'default' } }),
    });
    expect(await placeOf(folder)).toBe('default');
  });

  test('use_env_variable is followed, and missed when it is not set', async () => {
    const folder = await folderWith({
      '.sequelizerc': rc,
      'db/config.js': `module.exports = { development: { use_env_variable: 'SHOP_URL' } }`,
    });
    expect(await placeOf(folder, { env: { SHOP_URL: urlOf('variable') } })).toBe('variable');
    await expect(settingsIn(folder)).rejects.toThrow(/SHOP_URL, which is not set/);
  });
});

describe('passwords', () => {
  test.each([
    ['postgres://me:sesame@db/shop', 'postgres://me:***@db/shop'],
    ['postgres://me:p@ss:w@db:5432/shop?ssl=true', 'postgres://me:***@db:5432/shop?ssl=true'],
    [
      'postgres://me:sesame@db/shop?password=sesame&sslkey=/k',
      'postgres://me:***@db/shop?password=***&sslkey=***',
    ],
    ['postgres://me:p/w?d#x@db/shop', 'postgres://me:***@db/shop'],
    ['postgres://me@db/shop', 'postgres://me@db/shop'],
    ['can not reach "postgres://me:sesame@db/shop" now', 'can not reach "postgres://me:***@db/shop" now'],
  ])('%s is shown without its password', (url, shown) => {
    expect(redact(url)).toBe(shown);
  });

  test('what is known to be a password is shown nowhere, as written or as meant', () => {
    const secrets = secretsOf('postgres://me:open%20sesame@db/shop', 'other-one');
    expect(redact('"open sesame" or "open%20sesame" or other-one', secrets)).toBe('"***" or "***" or ***');
  });
});
