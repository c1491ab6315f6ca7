import { DataTypes, Sequelize } from 'sequelize';
import { createAuditLog, getAuditLog, withAuditContext } from 'sequelize-auditlog';
import { actionsOf, entriesOf, openAudited, refusalOf } from '../support/audited';
import { testDatabase } from '../support/database';

const database = testDatabase();
const { sequelize } = database;
const auditLog = createAuditLog(sequelize);

beforeAll(() => openAudited(database, auditLog));
afterAll(() => database.close());

test('a second audit log of an instance is refused, getAuditLog gives the first', async () => {
  const error = await refusalOf(() => createAuditLog(sequelize));
  expect([error.name, error.code]).toEqual(['AuditError', 'ERR_AUDIT_ALREADY_CREATED']);
  expect(getAuditLog(sequelize)).toBe(auditLog);
});

test('a refused call leaves the instance free for a right one', async () => {
  const own = database.createSequelize();
  await refusalOf(() => createAuditLog(own, { tableNam: 'x' } as never));
  expect(getAuditLog(own)).toBeUndefined();
  expect(getAuditLog(own)).toBe(undefined);
  expect(createAuditLog(own)).toBe(getAuditLog(own));
});

test.each([undefined, null, {}, 'postgres://localhost', Sequelize])(
  '%p is no Sequelize instance',
  async (given) => {
    const error = await refusalOf(() => createAuditLog(given as never));
    expect(error.code).toBe('ERR_AUDIT_INVALID_ARGUMENT');
    expect(error.message).toMatch(/^createAuditLog: expected a Sequelize instance, got /);
  },
);

// Their drivers aren't installed, and without one Sequelize makes no instance; the dialect is all that is asked.
test.each(['mysql', 'mariadb', 'sqlite', 'mssql', 'db2', 'oracle', 'snowflake'])(
  'the dialect %s is refused',
  async (dialect) => {
    const error = await refusalOf(() => createAuditLog({ getDialect: () => dialect } as never));
    expect(error.code).toBe('ERR_AUDIT_DIALECT');
    expect(error.message).toBe(
      `createAuditLog: the dialect is ${dialect}, but entries are computed by PostgreSQL. Use the dialect "postgres".`,
    );
  },
);

describe('two instances side by side', () => {
  async function instance(suffix: string) {
    const schema = await database.createSchema(suffix);
    const own = database.createSequelize({ dialectOptions: { options: `-c search_path=${schema}` } });
    const Row = own.define('Row', { text: DataTypes.TEXT, password: DataTypes.TEXT });
    const log = createAuditLog(own, suffix === 'one' ? {} : { mask: false, tableName: 'log_of_two' });
    log.registerAudited(Row);
    await own.sync();
    await log.sync();
    return { own, Row, log, schema };
  }

  test('have logs, options and registrations of their own', async () => {
    const [one, two] = [await instance('one'), await instance('two')];
    await withAuditContext({ actor: 'ann' }, () =>
      Promise.all([
        one.Row.create({ password: 'a' }),
        two.Row.bulkCreate([{ password: 'b' }, { password: 'c' }]),
      ]),
    );
    const [inOne, inTwo] = [
      await one.log.LogEntry.findAll(),
      await two.log.LogEntry.findAll({ order: ['id'] }),
    ];
    expect(inOne.map(({ changes }) => changes!['password'])).toEqual([[null, '********']]);
    expect(inTwo.map(({ changes }) => changes!['password'])).toEqual([
      [null, 'b'],
      [null, 'c'],
    ]);
    expect([...inOne, ...inTwo].map(({ actorId }) => actorId)).toEqual(['ann', 'ann', 'ann']);
  });

  test('a model of one is unknown to the other', async () => {
    const { Row } = await instance('one');
    expect(auditLog.isRegistered(Row)).toBe(false);
    expect((await refusalOf(() => auditLog.registerAudited(Row))).code).toBe('ERR_AUDIT_OTHER_INSTANCE');
  });
});

test('nothing is recorded on an instance without an audit log, over the same tables', async () => {
  const Row = sequelize.define('Plain', { text: DataTypes.TEXT });
  auditLog.registerAudited(Row);
  await Row.sync();
  const Elsewhere = database.createSequelize().define('Plain', { text: DataTypes.TEXT });
  expect(await entriesOf(auditLog, () => Elsewhere.create({}))).toEqual([]);
  expect(actionsOf(await entriesOf(auditLog, () => Row.create({})))).toEqual(['create Plain']);
});

test('every member may be destructured', async () => {
  const own = database.createSequelize();
  const {
    LogEntry,
    registerAudited,
    sync,
    isRegistered,
    audited,
    log,
    logAccess,
    unregister,
    registerAll,
    loadActors,
  } = createAuditLog(own);
  const Row = own.define('Destructured', { text: DataTypes.TEXT });
  registerAudited(Row);
  await own.sync();
  await sync();
  const row = await Row.create({ text: 'a' });
  await log(row, { action: 'approve' });
  await logAccess(row);
  const entries = await LogEntry.forObject(row);
  expect(entries.map(({ action }) => action)).toEqual(['access', 'approve', 'create']);
  expect(await audited(Row).entries(row)).toHaveLength(3);
  expect(await loadActors(entries)).toHaveLength(3);
  expect([isRegistered(Row), registerAll(), unregister(Row), isRegistered(Row)]).toEqual([
    true,
    [],
    true,
    false,
  ]);
});
