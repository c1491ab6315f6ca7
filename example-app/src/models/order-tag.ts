import { type ForeignKey, type InferAttributes, type InferCreationAttributes, Model } from 'sequelize';
import { sequelize } from '../database';

export class OrderTag extends Model<InferAttributes<OrderTag>, InferCreationAttributes<OrderTag>> {
  declare orderId: ForeignKey<number>;
  declare tagId: ForeignKey<number>;
}

OrderTag.init({}, { sequelize, tableName: 'order_tags', timestamps: false });
