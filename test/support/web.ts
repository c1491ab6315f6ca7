import express, { type Express, type Request } from 'express';
import { DataTypes, type Model, type ModelStatic } from 'sequelize';
import { createAuditLog, withAuditContext, type AuditLog } from 'sequelize-auditlog';
import { auditRouter, type AuditRouterOptions } from 'sequelize-auditlog/web';
import { openAudited } from './audited';
import type { TestDatabase } from './database';

/** A small shop whose log the pages and the JSON API are tested with. */
export interface WebWorld {
  readonly auditLog: AuditLog;
  readonly Customer: ModelStatic<Model>;
  /** With versions, tags, a masked card and an excluded note; soft-deleted. */
  readonly Order: ModelStatic<Model>;
  /** Without versions; its key has two parts. */
  readonly Item: ModelStatic<Model>;
  readonly Tag: ModelStatic<Model>;
  /** Creates tables; call it in beforeAll. */
  open(): Promise<void>;
  /** An application with the router at `/audit`; everything is allowed unless options say otherwise. */
  app(options?: AuditRouterOptions<Request>, mount?: string): Express;
}

function defineModels(database: TestDatabase): Pick<WebWorld, 'Customer' | 'Order' | 'Item' | 'Tag'> {
  const { sequelize } = database;
  const Customer = sequelize.define('Customer', { name: DataTypes.TEXT, about: DataTypes.TEXT });
  const Order = sequelize.define(
    'Order',
    {
      status: DataTypes.TEXT,
      total: DataTypes.DECIMAL(10, 2),
      description: DataTypes.TEXT,
      shipping: DataTypes.JSONB,
      cardNumber: DataTypes.TEXT,
      internalNotes: DataTypes.TEXT,
      customerId: DataTypes.INTEGER,
    },
    { paranoid: true },
  );
  const key = { type: DataTypes.TEXT, primaryKey: true };
  const Item = sequelize.define('Item', {
    orderId: { ...key },
    sku: { ...key },
    quantity: DataTypes.INTEGER,
  });
  const Tag = sequelize.define('Tag', { name: DataTypes.TEXT });
  Order.belongsTo(Customer, { foreignKey: 'customerId' });
  Order.belongsToMany(Tag, { through: 'OrderTags', as: 'tags', timestamps: false });
  return { Customer, Order, Item, Tag };
}

function register(auditLog: AuditLog, { Customer, Order, Item, Tag }: ReturnType<typeof defineModels>): void {
  auditLog.registerAudited(Customer, { snapshots: true, repr: '{name}' });
  auditLog.registerAudited(Order, {
    snapshots: true,
    exclude: ['internalNotes'] as never,
    mask: { cardNumber: { keepLast: 4 } } as never,
    associations: ['tags'],
    labels: { customerId: 'customer' },
    repr: 'Order {id} ({status})',
  });
  auditLog.registerAudited(Item);
  auditLog.registerAudited(Tag, { repr: '{name}' });
}

export function webWorld(database: TestDatabase): WebWorld {
  const auditLog = createAuditLog(database.sequelize);
  const models = defineModels(database);
  register(auditLog, models);
  return {
    auditLog,
    ...models,
    open: () => openAudited(database, auditLog),
    app: (options = {}, mount = '/audit') => {
      const app = express();
      app.use(auditLog.auditMiddleware);
      app.use(mount, auditRouter(auditLog, { authorize: () => true, ...options }));
      return app;
    },
  };
}

/** Runs writes as one request of `actor` would: one correlation id, one reason. */
export function asActor<T>(actor: string, reason: string | null, work: () => Promise<T>): Promise<T> {
  const correlationId = `${actor}-${Math.random().toString(36).slice(2, 10)}`;
  return withAuditContext({ actor: { id: actor, label: actor }, reason, correlationId }, work);
}
