import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isModulePackage } from '../../lib/cli/new-files';
import { auditMigrationsIn, writeMigration } from '../../lib/cli/new-migration';
import { configText } from '../../lib/cli/templates/config';
import { migrationText, type MigrationPlan } from '../../lib/cli/templates/migration';
import { readTable, type CatalogueQuery } from '../../lib/schema/catalogue';
import { createProject, type Project } from '../support/built';
import { testDatabase } from '../support/database';

// Processes start slowly where others run tests too.
jest.setTimeout(120_000);

const exec = promisify(execFile);
const database = testDatabase();
let project: Project;

const AUDIT = `
const { DataTypes } = require('sequelize');
const { createAuditLog } = require('sequelize-auditlog');
const sequelize = require('./database').connect();
const Customer = sequelize.define('Customer', { name: DataTypes.TEXT });
const Order = sequelize.define('Order', {
  status: { type: DataTypes.STRING(20), field: 'order_status' },
  notes: DataTypes.TEXT,
  pin: DataTypes.INTEGER,
  apiKey: { type: DataTypes.JSONB, field: 'api_key' },
});
Order.belongsTo(Customer, { constraints: false });
exports.auditLog = createAuditLog(sequelize);
exports.auditLog.registerAudited(Customer);
exports.auditLog.registerAudited(Order, {
  exclude: ['notes'],
  mask: ['pin'],
  snapshots: { tableName: "order's trail", indexes: [{ fields: ['status'] }] },
});
`;

/** Nothing listens at the default: what must not connect is not told where. */
const DATABASE = `
const { Sequelize } = require('sequelize');
const { APP_URL = 'postgres://nobody@localhost:1/none', APP_SCHEMA } = process.env;
const options = { dialect: 'postgres', dialectOptions: { options: '-c search_path=' + APP_SCHEMA } };
module.exports = { url: APP_URL, ...options };
module.exports.connect = () => new Sequelize(APP_URL, { ...options, logging: console.log });
`;

const SEQUELIZERC = `
const path = require('path');
module.exports = {
  config: path.join(__dirname, 'database.js'),
  'migrations-path': path.join(__dirname, 'cjs'),
};
`;

/** Runs the migrations of each folder that is named with umzug: up, down, up, down. */
const UMZUG = `
const { createRequire } = require('node:module');
const { realpathSync } = require('node:fs');
const { memoryStorage, Umzug } = require('umzug');
const { createJiti } = createRequire(realpathSync(require.resolve('sequelize-auditlog')))('jiti');
const sequelize = require('./database').connect();
sequelize.options.logging = false;
const isForJiti = (path) => path.endsWith('.ts') && !process.features.typescript;
const load = (path) => (isForJiti(path) ? createJiti(__filename).import(path) : import(path));
const COUNT = \`select count(*)::int as count from pg_tables
  where schemaname = current_schema() and tablename not in ('Customers', 'Orders')\`;
async function run(folder) {
  const umzug = new Umzug({
    context: sequelize.getQueryInterface(),
    storage: memoryStorage(),
    logger: undefined,
    migrations: {
      glob: folder + '/*',
      resolve: ({ name, path, context }) => ({
        name,
        up: async () => (await load(path)).up({ context }),
        down: async () => (await load(path)).down({ context }),
      }),
    },
  });
  const tables = [];
  for (const step of ['up', 'down', 'up', 'down']) {
    await umzug[step]();
    tables.push((await sequelize.query(COUNT))[0][0].count);
  }
  return tables;
}
(async () => {
  const found = {};
  for (const folder of process.argv.slice(2)) found[folder] = await run(folder);
  console.log(JSON.stringify(found));
  await sequelize.close();
})();
`;

const HISTORY = "order's trail";
const OWN = ['audit_log_entries', HISTORY];

beforeAll(async () => {
  await database.open();
  project = await createProject({
    'audit.js': AUDIT,
    'database.js': DATABASE,
    '.sequelizerc': SEQUELIZERC,
    'umzug.js': UMZUG,
  });
  const stamps = '"createdAt" timestamptz, "updatedAt" timestamptz';
  await database.rows(`create table "Customers" (id integer primary key, name text, ${stamps})`);
  await database.rows(`create table "Orders" (id integer primary key, order_status varchar(20), notes text, pin integer,
    api_key jsonb, "CustomerId" integer, ${stamps})`);
});
afterEach(() => database.rows(`drop table if exists audit_log_entries, "${HISTORY}", "SequelizeMeta"`));
afterAll(async () => {
  await project.remove();
  await database.close();
});

const tables = async (): Promise<string[]> => {
  const sql = `select tablename as name from pg_tables where schemaname = $1
    and tablename not in ('Customers', 'Orders', 'SequelizeMeta') order by 1`;
  return (await database.rows<{ name: string }>(sql, [database.schema])).map(({ name }) => name);
};

const app = (): Record<string, string> => ({ APP_URL: database.url, APP_SCHEMA: database.schema });

/** What the program answers on stdout; fails unless it ends well. */
async function says(args: readonly string[], env: Record<string, string> = {}): Promise<string> {
  const { code, stdout, stderr } = await project.run(args, { env });
  expect({ code, stderr }).toEqual({ code: 0, stderr: code === 0 ? stderr : '' });
  return stdout;
}

async function node(...args: readonly string[]): Promise<string> {
  const options = { cwd: project.folder, env: { ...process.env, ...app() } };
  return (await exec(process.execPath, args, options)).stdout;
}

const filesOf = (folder: string): Promise<string[]> => readdir(join(project.folder, folder));
const textOf = (file: string): Promise<string> => readFile(join(project.folder, file), 'utf8');
const query: CatalogueQuery = async (sql, values) => ({ rows: await database.rows(sql, values) });

/** The log and the history as the database has them; a model may name its columns in another order than the table. */
async function shapes(): Promise<unknown[]> {
  const found = await Promise.all(OWN.map((table) => readTable(query, { schema: null, table })));
  return found.map((info) => ({
    columns: info?.columns.toSorted((a, b) => a.name.localeCompare(b.name)),
    indexes: info?.indexes,
  }));
}

const PLAN: MigrationPlan = {
  log: { schema: 'audit' },
  histories: [
    { table: { tableName: "it's", schema: 'crm' }, create: { mask: ['a'], exclude: ['b'] }, drop: {} },
  ],
  completes: false,
};

describe('the text of a migration', () => {
  test('is short and names its options', () => {
    const text = migrationText(PLAN, 'cjs');
    expect(text.slice(text.indexOf('exports.up'))).toBe(String.raw`exports.up = (given) =>
  inTransaction(given, async (queryInterface, transaction) => {
    await createAuditTables(queryInterface, { schema: 'audit', transaction });
    await createHistoryTable(queryInterface, { tableName: 'it\'s', schema: 'crm' }, {
      mask: ['a'],
      exclude: ['b'],
      transaction,
    });
  });

exports.down = (given) =>
  inTransaction(given, async (queryInterface, transaction) => {
    await dropHistoryTable(queryInterface, { tableName: 'it\'s', schema: 'crm' }, { transaction });
    await dropAuditTables(queryInterface, { schema: 'audit', transaction });
  });
`);
  });

  test('takes nothing back where an earlier migration made the log', () => {
    const text = migrationText({ ...PLAN, completes: true }, 'esm');
    expect(text).toMatch(/export const down = async \(\) => \{\};/);
    expect(text).not.toMatch(/drop\w+Table/);
  });

  test.each(['cjs', 'ts', 'sql'] as const)(
    'an earlier one in the format %s is known by its text',
    (format) => {
      const folder = join(project.folder, `known-${format}`);
      const known = { log: { schema: null, table: 'trail' }, registrations: [], hasModels: false };
      const make = (name: string): string[] => {
        const made = writeMigration({ cwd: folder, folder, name, format, tables: known });
        return made.map(({ file }) => file.slice('20261122105708'.length));
      };
      expect(make('first')).toHaveLength(format === 'sql' ? 2 : 1);
      expect(auditMigrationsIn(folder)).toHaveLength(1);
      expect(make('second')).toEqual([expect.stringMatching(/^-second\.(js|ts|up\.sql)$/)]);
    },
  );
});

test('a package of modules gets a configuration that is one, and a migration that sequelize-cli can load', async () => {
  await project.write({ 'esm-package/package.json': '{ "type": "module" }' });
  const folder = join(project.folder, 'esm-package');
  const known = { log: { schema: null, table: 'trail' }, registrations: [], hasModels: false };
  const made = writeMigration({ cwd: folder, folder, name: 'audit', format: 'cjs', tables: known });
  expect(made[0]?.file).toMatch(/-audit\.cjs$/);
  const config = configText(
    { require: null, schema: 'audit', tableName: undefined },
    isModulePackage(folder),
  );
  expect(config).toMatch(
    /^export default \{.*url: process\.env\.DATABASE_URL,\n {2}schema: 'audit',\n\};\n$/ms,
  );
});

describe('as processes', () => {
  /** What `migrate` makes, which the migrations have to make alike. */
  let expected: unknown[] = [];

  test('migrate does what its dry run tells, and then has nothing to do', async () => {
    const told = await says(['migrate', '--require', './audit', '--dry-run'], app());
    expect(await tables()).toEqual([]);
    expect(await says(['migrate', '--require', './audit'], app())).toBe(told);
    expect(await tables()).toEqual(OWN);
    expected = await shapes();
    expect(await says(['migrate', '--require', './audit'], app())).toMatch(/^Nothing to do/);
  });

  test('without models migrate makes the log alone, in the schema that is named', async () => {
    const schema = await database.createSchema('named');
    await database.rows(`drop schema "${schema}"`);
    const args = ['migrate', '--url', database.url, '--schema', schema, '--json'];
    const { code, stderr, stdout } = await project.run(args);
    expect([code, stderr]).toEqual([0, expect.stringMatching(/only the log is known/)]);
    const { dryRun, statements } = JSON.parse(stdout) as { dryRun: boolean; statements: string[] };
    expect([dryRun, statements[0]]).toEqual([false, `create schema if not exists "${schema}"`]);
    const made = await database.rows(`select tablename from pg_tables where schemaname = $1`, [schema]);
    expect(made).toEqual([{ tablename: 'audit_log_entries' }]);
  });

  test('init writes a migration that sequelize-cli runs up, down and up again', async () => {
    const said = await says(['init', '--require', './audit']);
    expect(said).toMatch(
      /Created sequelize-auditlog.config.js\nCreated cjs\/\d{14}-create-audit-tables.js\n\nNext:\n1\. /,
    );
    expect(await textOf('sequelize-auditlog.config.js')).toContain("require: './audit',");
    expect((await says(['init'])).match(/^Kept .*$/gm)).toHaveLength(2);
    const cli = 'node_modules/sequelize-cli/lib/sequelize';
    await node(cli, 'db:migrate');
    expect(await shapes()).toEqual(expected);
    await node(cli, 'db:migrate:undo:all');
    expect(await tables()).toEqual([]);
    await node(cli, 'db:migrate');
    expect(await shapes()).toEqual(expected);
    expect(await says(['check'], app())).toMatch(/Nothing is missing/);
  });

  test('umzug runs the formats esm and ts up, down and up again', async () => {
    for (const format of ['esm', 'ts'])
      await says(['migration', 'create', '--require', './audit', '--format', format, '--dir', format]);
    const run: unknown = JSON.parse(await node('umzug.js', 'esm', 'ts'));
    expect(run).toEqual({ esm: [2, 0, 2, 0], ts: [2, 0, 2, 0] });
  });

  test('the format sql is run by the driver, up, again, and down', async () => {
    const args = ['--require', './audit', '--format', 'sql', '--dir', 'sql', '--name', 'audit'];
    await says(['migration', 'create', ...args]);
    const [down = '', up = ''] = (await filesOf('sql')).toSorted();
    expect([up, down].map((name) => name.slice(14))).toEqual(['-audit.up.sql', '-audit.down.sql']);
    await database.rows(await textOf(`sql/${up}`));
    await database.rows(await textOf(`sql/${up}`));
    expect(await shapes()).toEqual(expected);
    await database.rows(await textOf(`sql/${down}`));
    expect(await tables()).toEqual([]);
  });

  test('sql prints what creates and what drops all of it, without a connection', async () => {
    await database.rows(await says(['sql', '--require', './audit']));
    expect(await tables()).toEqual(OWN);
    await database.rows(await says(['sql', '--down', '--require', './audit']));
    expect(await tables()).toEqual([]);
  });

  test('a name that is none is refused', async () => {
    const { code, stderr } = await project.run(['migration', 'create', '--name', '../x']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('--name: expected letters')]);
  });
});
