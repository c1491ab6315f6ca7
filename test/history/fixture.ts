import {
  DataTypes,
  Model,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
  type ModelStatic,
} from 'sequelize';
import { Registry, type Registration } from '../../lib/capture/registry';
import { resolveOptions, type AuditLogOptions } from '../../lib/core/options';
import { addDisplay } from '../../lib/history/display';
import { addFinders, type LogEntryModel } from '../../lib/history/finders';
import type { HistorySettings } from '../../lib/history/settings';
import { SnapshotModels } from '../../lib/history/snapshots';
import { AuditedModels, type AuditedModel } from '../../lib/audited-model';
import { defineLogEntry } from '../../lib/schema/log-entry';
import type { RegistrationOptions } from '../../lib/schema/registration';
import { syncTables } from '../../lib/schema/sync';
import type { TestDatabase } from '../support/database';

/** What `createAuditLog` will wire: an audit log without capture, whose rows the tests write by hand. */
export interface Fixture {
  readonly settings: HistorySettings;
  readonly registry: Registry;
  readonly LogEntry: LogEntryModel;
  readonly snapshots: SnapshotModels;
  register<M extends Model>(model: ModelStatic<M>, options?: RegistrationOptions<M>): AuditedModel<M>;
  registration(model: ModelStatic<Model>): Registration;
  /** What `register` returned. */
  handle<M extends Model>(model: ModelStatic<M>): AuditedModel<M>;
  sync(options?: { force?: boolean }): Promise<void>;
}

export function auditFixture(
  database: Pick<TestDatabase, 'sequelize'>,
  given: AuditLogOptions = {},
): Fixture {
  const { sequelize } = database;
  const options = resolveOptions(given);
  const registry = new Registry(sequelize, options);
  const log = { schema: options.schema, table: options.tableName };
  const context = {
    options,
    isMasked: (model: ModelStatic<Model>, attribute: string) =>
      registry.find(model)?.masked.includes(attribute) ?? options.mask?.test(attribute) ?? false,
    report: (error: unknown) => {
      throw error;
    },
  };
  const settings: HistorySettings = {
    sequelize,
    options,
    registry,
    LogEntry: defineLogEntry(sequelize, log),
    context,
  };
  const snapshots = new SnapshotModels(settings);
  const models = new AuditedModels(settings, snapshots);
  addDisplay(settings.LogEntry, registry);
  return {
    settings,
    registry,
    LogEntry: addFinders(settings),
    snapshots,
    register: (model, registration = {}) =>
      models.of(registry.register(model, registration as RegistrationOptions)),
    registration: (model) => registry.get(model),
    handle: (model) => models.of(registry.get(model)),
    sync: (syncOptions) => syncTables(sequelize, registry.registrations, log, syncOptions),
  };
}

export class User extends Model<InferAttributes<User>, InferCreationAttributes<User>> {
  declare id: CreationOptional<number>;
  declare email: string;
  declare password: CreationOptional<string | null>;
}

export class Order extends Model<InferAttributes<Order>, InferCreationAttributes<Order>> {
  declare id: CreationOptional<number>;
  declare status: string;
  declare total: CreationOptional<string | null>;
  declare cardNumber: CreationOptional<string | null>;
  declare notes: CreationOptional<string | null>;
  declare data: CreationOptional<unknown>;
  declare customerId: CreationOptional<number | null>;
  declare shout: CreationOptional<string>;
  declare createdAt: CreationOptional<Date>;
  declare updatedAt: CreationOptional<Date>;
}

export class OrderItem extends Model<InferAttributes<OrderItem>, InferCreationAttributes<OrderItem>> {
  declare orderId: number;
  declare sku: string;
  declare quantity: CreationOptional<number>;
  declare deletedAt: CreationOptional<Date | null>;
}

/** The versions of orders. */
export const ORDER_HISTORY = { tableName: 'orders_history' };

/**
 * The models of these tests; `order_items` has a composite key in an order of its own and is paranoid. The table with the enum
 * has a name per file, as Sequelize puts enum types into the schema `public`, which all files share.
 */
export function defineModels(database: TestDatabase): void {
  const { sequelize } = database;
  User.init(
    {
      id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
      email: DataTypes.TEXT,
      password: DataTypes.TEXT,
    },
    { sequelize, tableName: 'users', timestamps: false },
  );
  Order.init(
    {
      id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
      status: {
        type: DataTypes.ENUM('pending', 'shipped'),
        allowNull: false,
        defaultValue: 'pending',
        get() {
          return `<${this.getDataValue('status')}>`;
        },
      },
      total: DataTypes.DECIMAL(10, 2),
      cardNumber: { type: DataTypes.TEXT, field: 'card' },
      notes: DataTypes.TEXT,
      data: DataTypes.JSONB,
      customerId: {
        type: DataTypes.INTEGER,
        field: 'customer_id',
        references: { model: 'users', key: 'id' },
      },
      shout: {
        type: DataTypes.VIRTUAL,
        get() {
          return this.getDataValue('status')?.toUpperCase();
        },
      },
      createdAt: { type: DataTypes.DATE, field: 'created_at' },
      updatedAt: { type: DataTypes.DATE, field: 'updated_at' },
    },
    { sequelize, tableName: `orders_${database.schema}`, defaultScope: { where: { status: 'pending' } } },
  );
  OrderItem.init(
    {
      sku: { type: DataTypes.TEXT, primaryKey: true },
      orderId: { type: DataTypes.INTEGER, primaryKey: true, field: 'order_id' },
      quantity: DataTypes.INTEGER,
      deletedAt: { type: DataTypes.DATE, field: 'deleted_at' },
    },
    { sequelize, tableName: 'order_items', createdAt: false, updatedAt: false, paranoid: true },
  );
}

/** Inserts a row as it stands, past every model, and returns its `id` or `history_id`. */
export async function insert(
  database: TestDatabase,
  table: string,
  row: Record<string, unknown>,
): Promise<string> {
  const columns = Object.keys(row).map((column) => `"${column}"`);
  const places = columns.map((_, at) => `$${at + 1}`);
  const sql = `insert into "${table}" (${columns.join(', ')}) values (${places.join(', ')}) returning *`;
  const [stored] = await database.rows<{ id: string; history_id?: string }>(sql, Object.values(row));
  return stored?.history_id ?? String(stored?.id);
}

/** An entry of the log; `changes` and `additional_data` as values. */
export async function insertEntry(
  database: TestDatabase,
  row: Record<string, unknown> = {},
): Promise<string> {
  const json = (value: unknown): unknown =>
    value === null || value === undefined ? null : JSON.stringify(value);
  const { changes = null, additional_data: data = null, ...columns } = row;
  const defaults = {
    action: 'update',
    model: 'Order',
    object_pk: '1',
    changes: json(changes),
    additional_data: json(data),
  };
  return insert(database, 'audit_log_entries', { ...defaults, ...columns });
}
