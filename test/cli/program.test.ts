import { cp, readlink, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { AuditError } from 'sequelize-auditlog';
import { say } from './support/host';
import { Shop, type Application } from './support/shop';

const shop = new Shop();

beforeAll(async () => {
  await shop.open();
  await shop.install();
});
afterAll(() => shop.close());

describe('without a database', () => {
  test('help and version are quick: they load no library but the one for arguments', async () => {
    await shop.project.write({
      'spy.cjs': `process.on('exit', () => console.error(Object.keys(require.cache).join('\\n')))`,
    });
    for (const flag of ['--help', '-V']) {
      const answer = await shop.project.run([flag], { env: { NODE_OPTIONS: '--require ./spy.cjs' } });
      expect(answer.code).toBe(0);
      expect(answer.stderr).toMatch(/\/cli\/program\.js/);
      const loaded = answer.stderr
        .split('\n')
        .map((path) => /\/node_modules\/([^./][^/]*)\//.exec(path)?.[1]);
      expect([...new Set(loaded)].filter((name) => name !== undefined)).toEqual(['commander']);
    }
  });

  test('the version is that of the package', async () => {
    const { version } = require('../../package.json') as { version: string };
    expect(await say(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  test('help goes to stdout, and without a command to stderr', async () => {
    const asked = await say(['--help']);
    expect([asked.code, asked.stderr]).toEqual([0, '']);
    const unasked = await say([]);
    expect([unasked.code, unasked.stdout, unasked.stderr]).toEqual([2, '', asked.stdout]);
  });

  test('help of a command has the flags of all commands, what is required, and defaults in words', async () => {
    const { stdout } = await say(['diff', '--help']);
    expect(stdout).toMatch(/--from <point> +required: /);
    expect(stdout).toMatch(/--to <point> .*\(default:\s+current\)/s);
    expect(stdout).toMatch(/--require <module>/);
  });

  test.each([
    [['chek'], "error: unknown command 'chek'\n(Did you mean check?)"],
    [['check', '--lound'], "error: unknown option '--lound'"],
    [['export', '--format', 'xml'], 'Allowed choices are ndjson, csv.'],
    [['export', '--since', 'yesterday'], 'Expected a day (2026-11-21)'],
    [['prune'], "required option '--older-than <age>' not specified"],
    [['prune', '--older-than', '1d', '--batch', '0'], 'Expected a whole number of at least 1.'],
    [
      ['prune', '--older-than', '1d', '--keep-last', '1e9', '--yes'],
      'Expected a whole number of at least 0.',
    ],
    [['prune', '--older-than', '1d'], 'Add --yes to go on without asking, or --dry-run'],
    [['archive', '--older-than', '1d', '--to', 'a'], 'Add --yes to go on without asking, or --dry-run'],
    [['restore', '--table', 't'], "missing required argument 'folder'"],
    [['check'], 'No database is named'],
  ])('%j is a mistake of use: exit code 2, said on stderr', async (argv, message) => {
    const { code, stdout, stderr } = await say(argv);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
  });
});

describe('a database that can not be reached', () => {
  const at = ({ host = 'localhost', port = 1, database = 'shop' }): string =>
    `postgres://me:sesame@${host}:${port}/${database}`;

  test.each([
    [
      at({}),
      /Can't connect to the database "shop" at localhost:1 as user "me" \(from --url\): nothing listens/,
    ],
    [at({ host: 'nowhere.invalid', port: 5432 }), /at nowhere.invalid:5432 as user "me".*: .*host/],
    ['mysql://me:sesame@localhost/shop', /ERR_AUDIT_DIALECT: .* is mysql/],
    ['not-an-url-sesame', /ERR_AUDIT_DIALECT: .* none that can be read/],
  ])('%s is told of with exit code 1', async (url, message) => {
    for (const more of [[], ['--verbose']]) {
      const { code, stdout, stderr } = await say(['check', '--url', url, ...more]);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(message);
      expect(stderr).not.toContain('sesame');
    }
  });

  test('a URL that can not be read is a mistake of use', async () => {
    const argv = ['check', '--url', 'postgres://me:sesame@[::/shop', '--verbose'];
    const { code, stderr } = await shop.project.run(argv);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^The URL of --url can't be read/);
    expect(stderr).not.toContain('sesame');
  });

  test('a database of another name is told of', async () => {
    const { username, host } = new URL(shop.database.url);
    const { code, stderr } = await say([
      'check',
      '--url',
      `postgres://${username}:sesame@${host}/nothing-here`,
    ]);
    expect(code).toBe(1);
    expect(stderr).toContain(`Can't connect to the database "nothing-here" at ${host}`);
    expect(stderr).not.toContain('sesame');
  });

  test('--verbose says where the database was found, without its password', async () => {
    const env = { AUDIT_DATABASE_URL: shop.url.replace(/\/\/([^:@]+)(:[^@]*)?@/, '//$1:sesame@') };
    const { stderr } = await say(['stats', '--verbose'], { env });
    expect(stderr).toMatch(/^Database: postgres:\/\/[^:]+:\*\*\*@.*, from AUDIT_DATABASE_URL\./);
    expect(stderr).not.toContain('sesame');
  });
});

describe('the application’s module', () => {
  const env = (): Record<string, string> => ({ SHOP_URL: shop.url });
  const check = (file: string) => shop.project.run(['check', '--require', file, '--json'], { env: env() });
  const DEFINE = `
    const sequelize = new Sequelize(process.env.SHOP_URL, { logging: false });
    const Order = sequelize.define('Order', { id: { type: DataTypes.INTEGER, primaryKey: true }, status: DataTypes.TEXT }, { timestamps: false });
    const auditLog = createAuditLog(sequelize);
    auditLog.registerAudited(Order, { snapshots: true });`;
  const REQUIRED = `const { Sequelize, DataTypes } = require('sequelize'); const { createAuditLog } = require('sequelize-auditlog');`;

  test('may be TypeScript; what it prints and leaves open disturbs nothing', async () => {
    const { code, stdout, stderr } = await check('./audit');
    expect({ code, answer: JSON.parse(stdout) as unknown }).toEqual({
      code: 0,
      answer: { ok: true, findings: [] },
    });
    expect(stderr).toBe('The shop is ready.\n');
  });

  test.each([
    ['itself.js', `${REQUIRED}${DEFINE} module.exports = auditLog;`],
    [
      'module.mjs',
      `import { Sequelize, DataTypes } from 'sequelize';
      import { createAuditLog } from 'sequelize-auditlog';
      ${DEFINE} await sequelize.authenticate(); export default Promise.resolve({ auditLog });`,
    ],
  ])('may be %s', async (file, text) => {
    await shop.project.write({ [file]: text });
    const { code, stdout, stderr } = await check(`./${file}`);
    expect([code, JSON.parse(stdout), stderr]).toEqual([0, { ok: true, findings: [] }, '']);
  });

  test('that exports no audit log is refused', async () => {
    await shop.project.write({ 'nothing.js': 'exports.log = {}' });
    const { code, stderr } = await say(['check', '--require', './nothing.js'], { cwd: shop.project.folder });
    expect(code).toBe(2);
    expect(stderr).toContain(
      'nothing.js exports no audit log: export what createAuditLog returns as "auditLog".',
    );
  });

  test('that throws is told of, without passwords', async () => {
    await shop.project.write({ 'throws.js': `throw new Error('no postgres://me:sesame@db/shop today')` });
    const asked = ['check', '--require', './throws.js'];
    const { code, stdout, stderr } = await say(asked, { cwd: shop.project.folder });
    expect([code, stdout, stderr]).toEqual([1, '', 'no postgres://me:***@db/shop today\n']);
  });

  test('that uses another copy of the package is told so', async () => {
    const built = join(shop.project.folder, 'node_modules/sequelize-auditlog');
    const original = await readlink(built);
    await rm(built);
    await cp(original, built, { recursive: true });
    try {
      const { code, stderr } = await check('./audit');
      expect(code).toBe(2);
      expect(stderr).toMatch(/audit\.ts uses another copy of sequelize-auditlog than this program/);
    } finally {
      await rm(built, { recursive: true });
      await symlink(original, built);
    }
  });
});

describe('check', () => {
  test('gives exit code 3 when something is missing, as a table or as JSON', async () => {
    const missing = ['check', '--url', shop.url, '--schema', 'not_here'];
    const table = await say(missing);
    expect(table.code).toBe(3);
    expect(table.stdout).toMatch(/^MODEL  CODE           FINDING\n\(log\)  missing_table  /);
    expect(table.stderr).toContain('Only the log');
    const json = await say([...missing, '--json']);
    expect(json.code).toBe(3);
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, findings: [{ code: 'missing_table' }] });
  });

  test('says that nothing is missing', async () => {
    const { code, stdout } = await say(['check', '--url', shop.url]);
    expect([code, stdout]).toEqual([0, 'Nothing is missing.\n']);
  });
});

describe('stats', () => {
  beforeAll(async () => {
    await shop.empty();
    await shop.addEntries(1200, { daysAgo: 3, model: 'Order' });
    await shop.addEntries(2, { daysAgo: 500, model: 'Item' });
  });

  test('shows what there is of each model, and of each month', async () => {
    const { code, stdout } = await shop.say(['stats']);
    expect(code).toBe(0);
    const [models, months] = stdout.split('\n\n');
    expect(models).toMatch(
      /^MODEL +ENTRIES +VERSIONS +SIZE +OLDEST \(UTC\) +NEWEST \(UTC\)\nItem +2 +0 .*\nOrder +1,200 +0 /,
    );
    expect(months).toMatch(/^MONTH +MODEL +ENTRIES\n(\d{4}-\d{2}  Order +[\d,]+\n)+$/);
  });

  test('counts months from --since on, as JSON with the numbers themselves', async () => {
    const { stdout } = await say(['stats', '--url', shop.url, '--json', '--since', '501d']);
    const { models, months } = JSON.parse(stdout) as {
      models: Record<string, { entries: number }>;
      months: { model: string; entries: number }[];
    };
    expect([models['Item']?.entries, models['Order']?.entries]).toEqual([2, 1200]);
    const sumOf = (model: string): number =>
      months.filter((month) => month.model === model).reduce((sum, { entries }) => sum + entries, 0);
    expect([sumOf('Item'), sumOf('Order')]).toEqual([2, 1200]);
  });

  test('does not take versions for absent that it can not know of', async () => {
    const { stdout, stderr } = await say(['stats', '--url', shop.url]);
    expect(stdout).toMatch(/\nOrder +1,200 +[\d.]+ kB/);
    expect(stderr).toMatch(/^Only entries are counted: --require names the module/);
  });

  test('names the command to run when there is no log', async () => {
    const { code, stdout, stderr } = await say(['stats', '--url', shop.url, '--schema', 'not_here']);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^ERR_AUDIT_MISSING_TABLE: /);
  });
});

test.each([
  [
    new AuditError('ERR_AUDIT_CONFLICT', 'Order 1 was changed.'),
    4,
    'ERR_AUDIT_CONFLICT: Order 1 was changed.',
  ],
  [new AuditError('ERR_AUDIT_BUSY', 'Another one is at it.'), 1, 'ERR_AUDIT_BUSY: Another one is at it.'],
  [
    new AuditError('ERR_AUDIT_INVALID_OPTION', 'No such option.'),
    2,
    'ERR_AUDIT_INVALID_OPTION: No such option.',
  ],
  [new Error('no luck at postgres://me:sesame@db'), 1, 'no luck at postgres://me:***@db'],
])('%s gives its exit code, and its stack with --verbose only', async (error, code, message) => {
  const failing = ({ auditLog }: Application): unknown =>
    Object.assign(auditLog, {
      check: async () => {
        throw error;
      },
    });
  expect(await shop.say(['check'], {}, failing)).toEqual({ code, stdout: '', stderr: `${message}\n` });
  const { stderr } = await shop.say(['check', '--verbose'], {}, failing);
  expect(stderr).toMatch(/\n {4}at .*program\.test\.ts/);
  expect(stderr).not.toContain('sesame');
});

test('an error of PostgreSQL is told of as it is', async () => {
  const { code, stderr } = await shop.say(['check'], {}, ({ auditLog, sequelize }) =>
    Object.assign(auditLog, { check: () => sequelize.query('select 1 / 0') }),
  );
  expect([code, stderr]).toEqual([1, 'PostgreSQL refused: division by zero (22012)\n']);
});

test('a write by the program says what ran, who ran it and where', async () => {
  const answer = await shop.say(['check'], {}, ({ auditLog, Order }) =>
    Object.assign(auditLog, {
      check: async () => {
        await Order.create({ id: 77, status: 'new' });
        return { ok: true, findings: [] };
      },
    }),
  );
  expect(answer).toMatchObject({ code: 0, stderr: '' });
  const { auditLog, Order } = shop.application;
  const [entry] = await auditLog.LogEntry.forObject(Order, 77);
  expect(entry?.request).toMatch(/^sequelize-auditlog check (by .+@.+|at .+)$/);
  expect(entry?.actorId).toBeNull();
});
