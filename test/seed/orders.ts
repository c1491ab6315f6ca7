import {
  DataTypes,
  Model,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
  type Sequelize,
} from 'sequelize';

export class User extends Model<InferAttributes<User>, InferCreationAttributes<User>> {
  declare id: CreationOptional<number>;
  declare email: string;
}

export class Order extends Model<InferAttributes<Order>, InferCreationAttributes<Order>> {
  declare id: CreationOptional<number>;
  declare status: CreationOptional<string>;
  declare total: CreationOptional<string>;
  declare customerNotes: CreationOptional<string>;
  declare internalNotes: CreationOptional<string>;
  declare createdAt: CreationOptional<Date>;
  declare updatedAt: CreationOptional<Date>;
}

/** The models of the seed's example. */
export function defineOrders(sequelize: Sequelize): void {
  const id = { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true };
  User.init({ id, email: DataTypes.STRING }, { sequelize });
  Order.init(
    {
      id,
      status: { type: DataTypes.STRING(50), allowNull: false, defaultValue: 'pending' },
      total: { type: DataTypes.DECIMAL(10, 2), allowNull: false, defaultValue: 0 },
      customerNotes: { type: DataTypes.TEXT, field: 'customer_notes' },
      internalNotes: { type: DataTypes.TEXT, field: 'internal_notes' },
      createdAt: DataTypes.DATE,
      updatedAt: DataTypes.DATE,
    },
    { sequelize, tableName: 'orders' },
  );
}
