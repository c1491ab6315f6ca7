import { DataTypes, type BelongsToManyAddAssociationMixin, type Model } from 'sequelize';
import { createAuditLog } from 'sequelize-auditlog';
import { actionsOf, entriesOf, openAudited, refusalOf } from '../support/audited';
import { testDatabase } from '../support/database';

interface OrderRow extends Model {
  addTag: BelongsToManyAddAssociationMixin<Model, number>;
}

const database = testDatabase();

/** Three models, one with a password, two of them linked, and an audit log for them. */
function shop() {
  const sequelize = database.createSequelize();
  const User = sequelize.define('User', { email: DataTypes.TEXT, password: DataTypes.TEXT });
  const Order = sequelize.define<OrderRow>('Order', { status: DataTypes.TEXT });
  const Tag = sequelize.define('Tag', { name: DataTypes.TEXT });
  Order.belongsToMany(Tag, { through: 'order_tags', as: { singular: 'tag', plural: 'tags' } });
  return { sequelize, User, Order, Tag, auditLog: createAuditLog(sequelize) };
}

beforeAll(async () => {
  const { sequelize, auditLog } = shop();
  await openAudited(database, auditLog);
  await sequelize.sync();
});
afterAll(() => database.close());

const names = (models: readonly { name: string }[]): string[] => models.map(({ name }) => name);

test('K10 K15 K38 registers every defined model, join tables too, without the log itself', () => {
  const { auditLog } = shop();
  const handles = auditLog.registerAll();
  expect(names(auditLog.registeredModels)).toEqual(['User', 'Order', 'Tag', 'order_tags']);
  expect(handles.map(({ modelName }) => modelName)).toEqual(['User', 'Order', 'Tag', 'order_tags']);
});

test.each([
  ['a name', () => ['User']],
  ['a model', ({ User }: ReturnType<typeof shop>) => [User]],
])('K11 K30 leaves out what except gives as %s', (_title, except) => {
  const all = shop();
  all.auditLog.registerAll({ except: except(all) });
  expect(names(all.auditLog.registeredModels)).toEqual(['Order', 'Tag', 'order_tags']);
});

test('K31 except may be a readonly array, and is left as it was', () => {
  const { auditLog } = shop();
  const except = Object.freeze(['User', 'order_tags'] as const);
  auditLog.registerAll({ except });
  expect(names(auditLog.registeredModels)).toEqual(['Order', 'Tag']);
});

test('K13 except of every model registers nothing', () => {
  const { auditLog, sequelize } = shop();
  expect(auditLog.registerAll({ except: Object.keys(sequelize.models) })).toEqual([]);
  expect(auditLog.registeredModels).toEqual([]);
});

test('K9 K29 a name that is no model is refused with a suggestion, and nothing is registered', async () => {
  const { auditLog } = shop();
  const error = await refusalOf(() => auditLog.registerAll({ except: ['Ordre'] }));
  expect(error.code).toBe('ERR_AUDIT_INVALID_OPTION');
  expect(error.message).toContain('except names string "Ordre"');
  expect(error.message).toContain('Did you mean "Order"?');
  expect(auditLog.registeredModels).toEqual([]);
});

test.each([[{ except: 'User' }], [{ except: { User: true } }], [{ except: [7] }], [{ except: null }]])(
  'K19 K25 K26 %j is refused',
  async (options) => {
    const { auditLog } = shop();
    const error = await refusalOf(() => auditLog.registerAll(options as never));
    expect(error.code).toBe('ERR_AUDIT_INVALID_OPTION');
    expect(error.message).toMatch(/^registerAll: .*except/);
  },
);

test('K18 an unknown key is refused with a suggestion', async () => {
  const error = await refusalOf(() => shop().auditLog.registerAll({ expect: [] } as never));
  expect(error.message).toContain('registerAll: unknown option "expect". Did you mean "except"?');
});

test('explicit registration is kept, whichever comes first', () => {
  const { auditLog, User, Order } = shop();
  auditLog.registerAudited(User, { mask: ['email'] });
  auditLog.registerAll({ options: { snapshots: true } });
  auditLog.registerAudited(Order, { exclude: ['status'] });
  expect(auditLog.audited(User).masked).toEqual(['email', 'password']);
  expect(auditLog.audited(Order).tracked).not.toContain('status');
  auditLog.registerAll();
  expect(auditLog.audited(Order).tracked).not.toContain('status');
});

test('options reach every model that is registered by the call', () => {
  const { auditLog, User } = shop();
  auditLog.registerAudited(User);
  auditLog.registerAll({ options: { actions: ['delete'], snapshots: true } });
  expect(auditLog.audited(shopModel(auditLog, 'Order')).Snapshot.name).toBe('OrderSnapshot');
  expect(() => auditLog.audited(User).Snapshot).toThrow(
    expect.objectContaining({ code: 'ERR_AUDIT_NO_SNAPSHOTS' }),
  );
});

function shopModel({ registeredModels }: { registeredModels: readonly { name: string }[] }, name: string) {
  return registeredModels.find((model) => model.name === name) as never;
}

test('K33 H14 the mask pattern reaches every model, whichever way it is registered', () => {
  const { auditLog, User } = shop();
  auditLog.registerAll();
  expect(auditLog.audited(User).masked).toEqual(['password']);
});

test('K22 K34 without it, explicit registration works alone, with exclude too', async () => {
  const { auditLog, Order, Tag } = shop();
  expect(auditLog.registerAudited(Order, { exclude: ['status'] }).tracked).not.toContain('status');
  const work = () => Promise.all([Order.create({}), Tag.create({})]);
  expect(actionsOf(await entriesOf(auditLog, work))).toEqual(['create Order']);
});

test('K37 K38 links are rows of the join table, not updates of an owner that tracks none', async () => {
  const { auditLog, Order, Tag } = shop();
  auditLog.registerAll();
  const [order, tag] = [await Order.create({}), await Tag.create({})];
  expect(actionsOf(await entriesOf(auditLog, () => order.addTag(tag)))).toEqual(['create order_tags']);
});

test('a model defined later is not registered', () => {
  const { auditLog, sequelize } = shop();
  auditLog.registerAll();
  expect(auditLog.isRegistered(sequelize.define('Late', {}))).toBe(false);
});

test('a model without a primary key is named in the refusal, and none is registered', async () => {
  const { auditLog, sequelize, User } = shop();
  auditLog.registerAudited(User);
  sequelize.define('Keyless', {}).removeAttribute('id');
  sequelize.define('Late', {});
  const error = await refusalOf(() => auditLog.registerAll());
  expect([error.code, error.message]).toEqual([
    'ERR_AUDIT_NO_PRIMARY_KEY',
    expect.stringMatching(/registerAudited\(Keyless\).*registerAll\(\{ except \}\)/),
  ]);
  expect(names(auditLog.registeredModels)).toEqual(['User']);
  auditLog.registerAll({ except: ['Keyless'] });
  expect(names(auditLog.registeredModels)).toEqual(['User', 'Order', 'Tag', 'order_tags', 'Late']);
});

test('of two models over one table it registers the first, or the one that is registered already', () => {
  for (const explicit of [null, 'Second']) {
    const { auditLog, sequelize } = shop();
    const Second = sequelize.define('Second', {}, { tableName: 'Orders' });
    if (explicit !== null) auditLog.registerAudited(Second);
    auditLog.registerAll();
    expect(auditLog.audited(Second).modelName).toBe(explicit ?? 'Order');
    expect(auditLog.registeredModels).toHaveLength(4);
  }
});

test('K10 a model of the application over the log is left out', () => {
  const { auditLog, sequelize } = shop();
  sequelize.define('Reader', {}, { tableName: 'audit_log_entries' });
  auditLog.registerAll();
  expect(names(auditLog.registeredModels)).not.toContain('Reader');
});
