import type express from 'express';
import type session from 'express-session';
import {
  DataTypes,
  Model,
  type BelongsToManyAddAssociationsMixin,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
  type Sequelize,
} from 'sequelize';
import * as library from 'sequelize-auditlog';
import * as web from 'sequelize-auditlog/web';

/** The models that the README speaks of, as a reader would have them. */
export class User extends Model<InferAttributes<User>, InferCreationAttributes<User>> {
  declare id: CreationOptional<number>;
  declare email: string;
}

export class Order extends Model<InferAttributes<Order>, InferCreationAttributes<Order>> {
  declare id: CreationOptional<number>;
  declare status: string;
  declare total: CreationOptional<string>;
  declare views: CreationOptional<number>;
  declare internalNotes: CreationOptional<string | null>;
  declare cardNumber: CreationOptional<string | null>;
  declare addTags: BelongsToManyAddAssociationsMixin<Tag, number>;
}

export class OrderItem extends Model<InferAttributes<OrderItem>, InferCreationAttributes<OrderItem>> {
  declare id: CreationOptional<number>;
  declare quantity: number;
}

export class Product extends Model<InferAttributes<Product>, InferCreationAttributes<Product>> {
  declare id: CreationOptional<number>;
  declare sku: string;
  declare price: string;
}

export class Tag extends Model<InferAttributes<Tag>, InferCreationAttributes<Tag>> {
  declare id: CreationOptional<number>;
  declare name: string;
}

export class Invoice extends Model<InferAttributes<Invoice>, InferCreationAttributes<Invoice>> {
  declare id: CreationOptional<number>;
  declare deletedAt: CreationOptional<Date | null>;
}

const id = { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true };

export function defineModels(sequelize: Sequelize): void {
  User.init({ id, email: DataTypes.TEXT }, { sequelize });
  Order.init(
    {
      id,
      status: DataTypes.TEXT,
      total: { type: DataTypes.DECIMAL(10, 2), defaultValue: '99.99' },
      views: { type: DataTypes.INTEGER, defaultValue: 0 },
      internalNotes: DataTypes.TEXT,
      cardNumber: DataTypes.TEXT,
    },
    { sequelize },
  );
  OrderItem.init({ id, quantity: DataTypes.INTEGER }, { sequelize });
  Product.init({ id, sku: DataTypes.TEXT, price: DataTypes.DECIMAL(10, 2) }, { sequelize });
  Tag.init({ id, name: DataTypes.TEXT }, { sequelize });
  Invoice.init({ id, deletedAt: DataTypes.DATE }, { sequelize });
  Order.hasMany(OrderItem);
  Order.belongsToMany(Tag, { as: 'tags', through: 'OrderTags' });
}

const models = { User, Order, OrderItem, Product, Tag, Invoice };

/** Other systems of a reader, and what they were given. */
export interface Outside {
  readonly alerts: string[];
  readonly delivered: library.LogEntryJson[];
  readonly cursors: string[];
  readonly alert: (text: string) => void;
  readonly deliver: (entry: library.LogEntryJson) => Promise<void>;
  readonly loadCursor: () => Promise<string | undefined>;
  readonly storeCursor: (cursor: string) => Promise<void>;
  readonly signal: AbortSignal;
}

/** What a reader has in scope before any snippet: imports, models, an application. */
export type World = typeof library &
  typeof web &
  Outside &
  typeof models & {
    readonly sequelize: Sequelize;
    readonly express: typeof express;
    readonly session: typeof session;
    readonly app: express.Express;
  };

/** One instance of each model, and an entry, once the log is wired. */
export interface Objects {
  readonly user: User;
  readonly order: Order;
  readonly tag: Tag;
  readonly invoice: Invoice;
  readonly entry: library.LogEntry;
}

export const WORLD_NAMES = [
  ...(Object.keys(models) as (keyof typeof models)[]),
  'sequelize',
  'express',
  'session',
  'app',
  'createAuditLog',
  'getAuditLog',
  'isAuditError',
  'logAccessMiddleware',
  'withAuditContext',
  'withoutAudit',
  'setReason',
  'addAuditData',
  'auditRouter',
  'auditPath',
  'alert',
  'deliver',
  'loadCursor',
  'storeCursor',
  'signal',
] as const satisfies readonly (keyof World)[];

export const OBJECT_NAMES = [
  'user',
  'order',
  'tag',
  'invoice',
  'entry',
] as const satisfies readonly (keyof Objects)[];

/** What a reader has of other systems; remembers what it was given. */
function outside(): Outside {
  const alerts: string[] = [];
  const delivered: library.LogEntryJson[] = [];
  const cursors: string[] = [];
  return {
    alerts,
    delivered,
    cursors,
    alert: (text) => void alerts.push(text),
    deliver: async (entry) => void delivered.push(await Promise.resolve(entry)),
    loadCursor: () => Promise.resolve(cursors.at(-1)),
    storeCursor: async (cursor) => void cursors.push(await Promise.resolve(cursor)),
    signal: new AbortController().signal,
  };
}

export function createWorld(given: Pick<World, 'sequelize' | 'express' | 'session'>): World {
  defineModels(given.sequelize);
  return { ...library, ...web, ...models, ...given, ...outside(), app: given.express() };
}

/** Made without entries, except that `order` has its create and the update that `entry` is. */
export async function createObjects(auditLog: library.AuditLog): Promise<Objects> {
  const user = await User.create({ id: 7, email: 'alice@shop.example' }, { audit: false });
  const tag = await Tag.create({ id: 7, name: 'urgent' }, { audit: false });
  const invoice = await Invoice.create({}, { audit: false });
  await Product.create({ sku: 'A-1', price: '12.50' }, { audit: false });
  const order = await Order.create({ id: 42, status: 'pending', cardNumber: '1111222233333456' });
  const context = { actor: { id: 7, label: 'alice' }, correlationId: 'request-1' };
  await library.withAuditContext(context, () => order.update({ status: 'shipped' }));
  const [entry] = await auditLog.LogEntry.forObject(order);
  return { user, order, tag, invoice, entry: entry! };
}
