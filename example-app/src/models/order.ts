import {
  type BelongsToManyAddAssociationMixin,
  type BelongsToManyRemoveAssociationMixin,
  type CreationOptional,
  DataTypes,
  type ForeignKey,
  type InferAttributes,
  type InferCreationAttributes,
  Model,
  type NonAttribute,
} from 'sequelize';
import { sequelize } from '../database';
import type { OrderItem } from './order-item';
import type { Tag } from './tag';

export const ORDER_STATUSES = ['pending', 'paid', 'shipped', 'cancelled'] as const;
export type OrderStatus = (typeof ORDER_STATUSES)[number];

export class Order extends Model<InferAttributes<Order>, InferCreationAttributes<Order>> {
  declare id: CreationOptional<number>;
  declare status: CreationOptional<OrderStatus>;
  declare total: CreationOptional<string>;
  /** Null when the customer is not on file, or no longer. */
  declare customerId: CreationOptional<ForeignKey<number | null>>;
  declare customerName: string;
  declare customerEmail: string;
  declare cardNumber: CreationOptional<string | null>;
  declare notes: CreationOptional<string | null>;
  declare internalNotes: CreationOptional<string | null>;
  declare createdAt: CreationOptional<Date>;
  declare updatedAt: CreationOptional<Date>;

  declare items?: NonAttribute<OrderItem[]>;
  declare tags?: NonAttribute<Tag[]>;
  declare addTag: BelongsToManyAddAssociationMixin<Tag, number>;
  declare removeTag: BelongsToManyRemoveAssociationMixin<Tag, number>;
}

Order.init(
  {
    id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
    status: { type: DataTypes.ENUM(...ORDER_STATUSES), allowNull: false, defaultValue: 'pending' },
    total: { type: DataTypes.DECIMAL(10, 2), allowNull: false, defaultValue: '0.00' },
    customerName: { type: DataTypes.TEXT, allowNull: false },
    customerEmail: { type: DataTypes.TEXT, allowNull: false },
    cardNumber: DataTypes.TEXT,
    notes: DataTypes.TEXT,
    internalNotes: DataTypes.TEXT,
    createdAt: DataTypes.DATE,
    updatedAt: DataTypes.DATE,
  },
  { sequelize, tableName: 'orders', indexes: [{ fields: ['customer_id'] }] },
);
