import {
  DataTypes,
  type BelongsToManyAddAssociationsMixin,
  type Model,
  type ModelStatic,
  type Sequelize,
} from 'sequelize';
import { createAuditLog, withoutAudit } from 'sequelize-auditlog';
import { actionsOf, entriesOf, entryOf, openAudited, refusalOf } from '../support/audited';
import { testDatabase } from '../support/database';

const database = testDatabase();
const { sequelize } = database;
const auditLog = createAuditLog(sequelize);
const { LogEntry, registerAudited } = auditLog;

interface WithTargets extends Model {
  addTargets: BelongsToManyAddAssociationsMixin<Model, number>;
}

beforeAll(() => openAudited(database, auditLog));
afterAll(() => database.close());

const Kept = sequelize.define('Kept', { text: DataTypes.TEXT });

let count = 0;

/** A model of its own for one test, with its table. */
async function define(name = `Model${(count += 1)}`, on: Sequelize = sequelize): Promise<ModelStatic<Model>> {
  const model = on.define(name, { text: DataTypes.TEXT, other: DataTypes.TEXT });
  await model.sync();
  return model;
}

describe('registering twice', () => {
  test('gives the same handle, replaces the options and logs once', async () => {
    const Row = await define();
    const first = registerAudited(Row, { exclude: ['text'], modelName: 'Before' });
    const second = registerAudited(Row, { exclude: ['other'] });
    expect(second).toBe(first);
    const entry = await entryOf(auditLog, () => Row.create({ text: 'a', other: 'b' }));
    expect([entry.model, Object.keys(entry.changes!)]).toEqual([Row.name, ['id', 'text']]);
    expect(first.modelName).toBe(Row.name);
  });

  test('frees the name that was given before', async () => {
    const [One, Two] = [await define(), await define()];
    registerAudited(One, { modelName: 'Borrowed' });
    registerAudited(One);
    expect(registerAudited(Two, { modelName: 'Borrowed' }).modelName).toBe('Borrowed');
  });

  test('counts once among the registered models, in order of registration', async () => {
    const [One, Two] = [await define(), await define()];
    registerAudited(One);
    registerAudited(Two);
    registerAudited(Two);
    expect(auditLog.registeredModels.slice(-2)).toEqual([One, Two]);
  });
});

test('a redefined model of the same name and table takes the registration over', async () => {
  const First = await define('Redefined');
  const first = registerAudited(First, { exclude: ['text'] });
  await First.create({ other: 'a' });
  const Second = await define('Redefined');
  const second = registerAudited(Second);
  expect(second).toBe(first);
  expect(second.model).toBe(Second);
  expect((await entryOf(auditLog, () => Second.create({ text: 'b' }))).changes).toMatchObject({
    text: [null, 'b'],
  });
  expect(await LogEntry.forModel(First)).toHaveLength(2);
});

test('another table under a taken name is refused, and nothing changes', async () => {
  const [One, Two] = [await define(), await define()];
  registerAudited(One, { modelName: 'Taken' });
  const error = await refusalOf(() => registerAudited(Two, { modelName: 'Taken' }));
  expect(error.code).toBe('ERR_AUDIT_NAME_TAKEN');
  expect(error.message).toContain(`"Taken" is taken by the model of table "${One.getTableName() as string}"`);
  expect([auditLog.isRegistered(One), auditLog.isRegistered(Two)]).toEqual([true, false]);
});

describe('a second model over one table', () => {
  async function pair(): Promise<[ModelStatic<Model>, ModelStatic<Model>]> {
    const First = await define();
    const columns = { text: DataTypes.TEXT, other: DataTypes.TEXT };
    return [First, sequelize.define(`${First.name}Second`, columns, { tableName: `${First.name}s` })];
  }

  test('is the registered model', async () => {
    const [First, Second] = await pair();
    const handle = registerAudited(First, { mask: ['text'] });
    expect(auditLog.audited(Second)).toBe(handle);
    const entry = await entryOf(auditLog, () => Second.create({ text: 'hush' }));
    expect([entry.model, entry.changes!['text']]).toEqual([First.name, [null, '********']]);
  });

  test.each([{}, { modelName: 'YetAnother' }])(
    'is refused under a name of its own, %p, and the masks of the first stay',
    async (options) => {
      const [First, Second] = await pair();
      registerAudited(First, { mask: ['text'] });
      const error = await refusalOf(() => registerAudited(Second, options));
      expect(error.code).toBe('ERR_AUDIT_NAME_TAKEN');
      expect(error.message).toContain(`is registered as "${First.name}" already`);
      expect(error.message).toContain(`{ modelName: '${First.name}' }`);
      expect(auditLog.audited(First)).toMatchObject({ model: First, masked: ['text'] });
    },
  );

  test('takes over under the name of the first, or once that is unregistered', async () => {
    const [First, Second] = await pair();
    const handle = registerAudited(First);
    expect(registerAudited(Second, { modelName: First.name })).toBe(handle);
    auditLog.unregister(Second);
    expect(registerAudited(Second).modelName).toBe(Second.name);
  });
});

test('modelName keeps the history of a class that is renamed', async () => {
  const Old = await define('OldName');
  registerAudited(Old);
  const row = await Old.create({ text: 'a' });
  const New = sequelize.define(
    'NewName',
    { text: DataTypes.TEXT, other: DataTypes.TEXT },
    { tableName: 'OldNames' },
  );
  const handle = registerAudited(New, { modelName: 'OldName' });
  await New.update({ text: 'b' }, { where: { id: row.get('id') as number } });
  expect((await handle.entries(row.get('id') as number)).map(({ action }) => action)).toEqual([
    'update',
    'create',
  ]);
});

describe('scopes and subclasses', () => {
  test('a scope registers its base model', async () => {
    const Row = await define();
    Row.addScope('some', { where: { text: 'x' } });
    expect(registerAudited(Row.scope('some')).model).toBe(Row);
    expect(actionsOf(await entriesOf(auditLog, () => Row.create({})))).toEqual([`create ${Row.name}`]);
  });

  test('unscoped() and scopes are the registered model', async () => {
    const Row = await define();
    const handle = registerAudited(Row);
    Row.addScope('some', {});
    expect([Row.unscoped(), Row.scope('some')].map((each) => auditLog.isRegistered(each))).toEqual([
      true,
      true,
    ]);
    expect(auditLog.audited(Row.unscoped())).toBe(handle);
    expect((await entryOf(auditLog, () => Row.unscoped().create({}))).model).toBe(Row.name);
  });

  test('a subclass without a table of its own is the registered model', async () => {
    const Row = await define();
    registerAudited(Row);
    class Special extends Row {}
    expect(auditLog.isRegistered(Special)).toBe(true);
    expect((await entryOf(auditLog, () => Special.create({ text: 'a' }))).model).toBe(Row.name);
  });

  test('unregister of a scope ends the registration', async () => {
    const Row = await define();
    registerAudited(Row);
    expect(auditLog.unregister(Row.unscoped())).toBe(true);
    expect(auditLog.isRegistered(Row)).toBe(false);
  });
});

describe('a schema() clone', () => {
  async function cloned(): Promise<[ModelStatic<Model>, ModelStatic<Model>]> {
    const Row = await define();
    registerAudited(Row);
    const Clone = Row.schema(await database.createSchema('tenant'));
    await Clone.sync();
    return [Row, Clone];
  }

  test.each<[string, (clone: ModelStatic<Model>) => Promise<unknown>]>([
    ['create', (Clone) => Clone.create({ text: 'a' })],
    ['bulkCreate', (Clone) => Clone.bulkCreate([{ text: 'a' }])],
    ['update', (Clone) => Clone.update({ text: 'b' }, { where: {} })],
    ['destroy', (Clone) => Clone.destroy({ where: {} })],
    ['upsert', (Clone) => Clone.upsert({ id: 1, text: 'a' })],
  ])('refuses %s until it is registered', async (_name, write) => {
    const [, Clone] = await cloned();
    const error = await refusalOf(() => write(Clone));
    expect(error.code).toBe('ERR_AUDIT_UNREGISTERED_SCHEMA');
    expect(error.message).toContain('{ modelName }');
    expect(await Clone.count()).toBe(0);
  });

  test('is not the registered model, and takes no history of it', async () => {
    const [Row, Clone] = await cloned();
    expect(auditLog.isRegistered(Clone)).toBe(false);
    expect((await refusalOf(() => LogEntry.forModel(Clone))).code).toBe('ERR_AUDIT_UNREGISTERED_SCHEMA');
    expect((await refusalOf(() => registerAudited(Clone))).code).toBe('ERR_AUDIT_NAME_TAKEN');
    expect(auditLog.isRegistered(Row)).toBe(true);
  });

  test('is a model of its own once registered under a name', async () => {
    const [Row, Clone] = await cloned();
    const tenants = registerAudited(Clone, { modelName: `Tenant${Row.name}`, snapshots: true });
    await auditLog.sync();
    const [row, clone] = [await Row.create({ text: 'a' }), await Clone.create({ text: 'b' })];
    await clone.update({ text: 'c' });
    expect(await LogEntry.forObject(row)).toHaveLength(1);
    expect((await tenants.versions(clone)).map((version) => version.get('text'))).toEqual(['c', 'b']);
  });

  test('writes without entries where the call says so', async () => {
    const [, Clone] = await cloned();
    await Clone.create({ text: 'a' }, { audit: false });
    await withoutAudit(() => Clone.update({ text: 'b' }, { where: {} }));
    expect(await Clone.count({ where: { text: 'b' } })).toBe(1);
  });
});

describe('associations', () => {
  test('may be defined after the registration: attributes that they add are tracked', async () => {
    const [Parent, Child] = [await define(), await define()];
    const children = registerAudited(Child, { snapshots: true });
    expect(children.tracked).not.toContain('parentId');
    Child.belongsTo(Parent, { foreignKey: 'parentId' });
    await sequelize.query(`alter table "${Child.getTableName() as string}" add column "parentId" integer`);
    await auditLog.sync();
    expect(children.tracked).toContain('parentId');
    const parent = await Parent.create({});
    const child = await Child.create({ parentId: parent.get('id') });
    const [entry] = await LogEntry.forObject(child);
    expect(entry!.changes!['parentId']).toEqual([null, parent.get('id')]);
    expect((await children.versions(child))[0]!.get('parentId')).toBe(parent.get('id'));
  });

  test('that are tracked may be defined after the registration', async () => {
    const [Owner, Target] = [await define(), await define()];
    registerAudited(Owner, { associations: ['targets'] });
    Owner.belongsToMany(Target, { through: `through_${count}`, as: 'targets' });
    await sequelize.sync();
    const [owner, target] = [(await Owner.create({})) as WithTargets, await Target.create({})];
    expect(Object.keys((await entryOf(auditLog, () => owner.addTargets([target]))).changes!)).toEqual([
      'targets',
    ]);
  });

  test('that are named wrongly are refused by sync and at the first write, with a suggestion', async () => {
    const [Owner, Target] = [await define(), await define()];
    registerAudited(Owner, { associations: ['target'] });
    Owner.belongsToMany(Target, { through: `through_${count}`, as: 'targets' });
    for (const work of [() => auditLog.sync(), () => Owner.create({})]) {
      const error = await refusalOf(work);
      expect(error.code).toBe('ERR_AUDIT_INVALID_OPTION');
      expect(error.message).toContain('associations names "target"');
      expect(error.message).toContain('Did you mean "targets"?');
    }
    auditLog.unregister(Owner);
  });

  test('of another kind cannot be tracked', async () => {
    const [Owner, Target] = [await define(), await define()];
    Owner.hasMany(Target, { as: 'many', foreignKey: 'ownerId' });
    registerAudited(Owner, { associations: ['many'] });
    expect((await refusalOf(() => Owner.create({}))).message).toContain('no belongsToMany association');
    auditLog.unregister(Owner);
  });
});

describe('models that are refused', () => {
  test('of another Sequelize instance', async () => {
    const Foreign = await define('Foreign', database.createSequelize());
    const error = await refusalOf(() => registerAudited(Foreign));
    expect(error.code).toBe('ERR_AUDIT_OTHER_INSTANCE');
    expect(error.message).toContain('registerAudited(Foreign)');
  });

  test('without a primary key', async () => {
    const Keyless = sequelize.define('Keyless', { text: DataTypes.TEXT });
    Keyless.removeAttribute('id');
    const error = await refusalOf(() => registerAudited(Keyless));
    expect(error.code).toBe('ERR_AUDIT_NO_PRIMARY_KEY');
    expect(error.message).toContain('registerAudited(Keyless)');
  });

  test.each<[string, () => ModelStatic<Model>]>([
    ['the log', () => LogEntry],
    ['a history', () => registerAudited(Kept, { snapshots: true }).Snapshot],
    [
      'a model of the application over the log',
      () => sequelize.define('Reader', {}, { tableName: 'audit_log_entries' }),
    ],
  ])('%s', async (_title, modelOf) => {
    const model = modelOf();
    const error = await refusalOf(() => registerAudited(model));
    expect(error.code).toBe('ERR_AUDIT_INVALID_ARGUMENT');
    expect(error.message).toContain('is the log or a history');
    expect(auditLog.isRegistered(model)).toBe(false);
    sequelize.modelManager.removeModel(model);
  });

  test('audited() of one that is not registered', async () => {
    const error = await refusalOf(() => auditLog.audited(sequelize.define('Never', {})));
    expect(error.code).toBe('ERR_AUDIT_NOT_REGISTERED');
    expect(error.message).toContain('registerAudited(Never)');
  });
});

test('a long table name has a history table of a name that fits', async () => {
  const tableName = `t${'x'.repeat(61)}`;
  const Long = sequelize.define('Long', { text: DataTypes.TEXT }, { tableName });
  await Long.sync();
  const longs = registerAudited(Long, { snapshots: true });
  await auditLog.sync();
  const row = await Long.create({ text: 'a' });
  expect(await longs.versions(row)).toHaveLength(1);
});

test('two attributes of one column are recorded, and refused where versions are wanted', async () => {
  const alias = { type: DataTypes.TEXT, field: 'text' };
  const Aliased = sequelize.define('Aliased', { text: DataTypes.TEXT, alias }, { timestamps: false });
  await sequelize.query('create table "Aliaseds" (id serial primary key, text text)');
  const error = await refusalOf(() => registerAudited(Aliased, { snapshots: true }));
  expect(error.code).toBe('ERR_AUDIT_INVALID_OPTION');
  expect(error.message).toContain('"alias" is the second attribute of column "text"');
  const handle = registerAudited(Aliased, { snapshots: true, exclude: ['alias'] });
  await auditLog.sync();
  const row = await Aliased.create({ text: 'a' });
  expect((await handle.versions(row))[0]!.get('text')).toBe('a');
});

describe('a history table that is already something else is refused', () => {
  async function refusal(model: ModelStatic<Model>, tableName: string): Promise<string> {
    const error = await refusalOf(() => registerAudited(model, { snapshots: { tableName } }));
    expect(error.message).toContain(`"${tableName}"`);
    expect(auditLog.isRegistered(model)).toBe(false);
    return error.code;
  }

  test('the history of another model', async () => {
    const [One, Two] = [await define(), await define()];
    registerAudited(One, { snapshots: { tableName: 'shared_history' } });
    expect(await refusal(Two, 'shared_history')).toBe('ERR_AUDIT_NAME_TAKEN');
    registerAudited(One, { snapshots: { tableName: 'shared_history' } });
  });

  test('the table of a model, its own too', async () => {
    const [One, Two] = [await define(), await define()];
    registerAudited(One);
    expect(await refusal(Two, One.getTableName() as string)).toBe('ERR_AUDIT_NAME_TAKEN');
    expect(await refusal(Two, Two.getTableName() as string)).toBe('ERR_AUDIT_NAME_TAKEN');
  });

  test('the log', async () => {
    expect(await refusal(await define(), 'audit_log_entries')).toBe('ERR_AUDIT_NAME_TAKEN');
  });
});
