import { DataTypes, type Model, type ModelStatic, type Sequelize } from 'sequelize';
import { createAuditLog, type AuditLog } from 'sequelize-auditlog';
import type { TestDatabase } from '../support/database';

export type AnyModel = ModelStatic<Model>;

/** Models with all that makes an undo hard: cascades, circles, swaps, composite and moving keys, links of both kinds. */
export interface UndoShop {
  readonly auditLog: AuditLog;
  readonly Customer: AnyModel;
  readonly Order: AnyModel;
  readonly Item: AnyModel;
  readonly Shelf: AnyModel;
  readonly Task: AnyModel;
  readonly Tag: AnyModel;
  readonly Visit: AnyModel;
  readonly Secret: AnyModel;
  /** Parents first. */
  readonly tables: readonly AnyModel[];
}

const id = { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true };

export function undoShop(sequelize: Sequelize): UndoShop {
  const auditLog = createAuditLog(sequelize);
  const Customer = sequelize.define(
    'Customer',
    {
      id,
      name: { type: DataTypes.TEXT, allowNull: false },
      code: { type: DataTypes.TEXT, unique: true },
      favouriteId: DataTypes.INTEGER,
    },
    { tableName: 'customers', version: true },
  );
  const Order = sequelize.define(
    'Order',
    {
      id,
      status: { type: DataTypes.ENUM('new', 'paid', 'gone'), allowNull: false, defaultValue: 'new' },
      total: { type: DataTypes.DECIMAL(10, 2) },
      meta: { type: DataTypes.JSONB },
      dueAt: { type: DataTypes.DATE, field: 'due_at' },
      labels: { type: DataTypes.ARRAY(DataTypes.TEXT) },
      internal: { type: DataTypes.TEXT },
    },
    { tableName: 'orders' },
  );
  const Item = sequelize.define(
    'Item',
    {
      orderId: { type: DataTypes.INTEGER, primaryKey: true, field: 'order_id' },
      line: { type: DataTypes.TEXT, primaryKey: true },
      quantity: { type: DataTypes.BIGINT },
    },
    { tableName: 'items', timestamps: false },
  );
  const Shelf = sequelize.define(
    'Shelf',
    {
      id,
      place: { type: DataTypes.INTEGER, allowNull: false, unique: true },
      badge: { type: DataTypes.TEXT, unique: true },
    },
    { tableName: 'shelves', timestamps: false },
  );
  const Task = sequelize.define(
    'Task',
    { id, title: DataTypes.TEXT },
    { tableName: 'tasks', paranoid: true },
  );
  const Tag = sequelize.define('Tag', { id, name: DataTypes.TEXT }, { tableName: 'tags', timestamps: false });
  const Group = sequelize.define('Group', { id }, { tableName: 'groups', timestamps: false });
  const Membership = sequelize.define(
    'Membership',
    { id, role: DataTypes.TEXT },
    { tableName: 'memberships', timestamps: false },
  );
  const Visit = sequelize.define('Visit', { id }, { tableName: 'visits', timestamps: false });
  const Secret = sequelize.define(
    'Secret',
    { id, name: DataTypes.TEXT, password: DataTypes.TEXT, photo: DataTypes.BLOB },
    { tableName: 'secrets', timestamps: false },
  );
  Order.belongsTo(Customer, { foreignKey: 'customerId', onDelete: 'CASCADE' });
  Item.belongsTo(Order, { foreignKey: 'orderId', onDelete: 'CASCADE', onUpdate: 'CASCADE' });
  Shelf.belongsTo(Shelf, { as: 'parent', foreignKey: 'parentId', onDelete: 'NO ACTION' });
  Task.belongsTo(Shelf, { foreignKey: 'shelfId', onDelete: 'SET NULL' });
  Visit.belongsTo(Customer, { foreignKey: 'customerId', onDelete: 'CASCADE' });
  Order.belongsToMany(Tag, { as: 'tags', through: 'order_tags', timestamps: false });
  Tag.belongsToMany(Order, { as: 'orders', through: 'order_tags', timestamps: false });
  Customer.belongsToMany(Group, { as: 'groups', through: Membership });
  Group.belongsToMany(Customer, { as: 'members', through: Membership });
  auditLog.registerAudited(Customer, { associations: ['groups'] });
  auditLog.registerAudited(Order, {
    exclude: ['internal'] as never,
    associations: ['tags'],
    snapshots: true,
  });
  for (const model of [Item, Shelf, Task, Tag, Group, Membership, Secret]) auditLog.registerAudited(model);
  const through = [Membership, sequelize.model('order_tags')];
  const tables = [Group, Tag, Shelf, Customer, Order, Item, Task, ...through, Visit, Secret];
  return { auditLog, Customer, Order, Item, Shelf, Task, Tag, Visit, Secret, tables };
}

/** Sequelize leaves out the foreign keys of tables that refer to each other. */
const CIRCLE =
  'alter table "customers" add constraint "favourite" foreign key ("favouriteId") references "orders" ("id") on delete set null';

/** Creates the tables one after another, with all their foreign keys. */
export async function openShop(database: TestDatabase, { auditLog, tables }: UndoShop): Promise<void> {
  await database.open();
  for (const model of tables) await model.sync();
  await database.rows(CIRCLE);
  await auditLog.sync();
}

const MANAGED = ['createdAt', 'updatedAt', 'version'];

/** Every row of every table, without what Sequelize sets by itself at each write. */
export async function tablesOf({ tables: models }: UndoShop): Promise<Record<string, unknown[]>> {
  const tables = await Promise.all(
    models.map(async (model): Promise<[string, unknown[]]> => {
      const exclude = MANAGED.filter((name) => name in model.getAttributes());
      const rows = await model.unscoped().findAll({ raw: true, paranoid: false, attributes: { exclude } });
      return [model.name, rows.map((row) => JSON.stringify(row)).toSorted()];
    }),
  );
  return Object.fromEntries(tables);
}
