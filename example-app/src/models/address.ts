import {
  type CreationOptional,
  DataTypes,
  type ForeignKey,
  type InferAttributes,
  type InferCreationAttributes,
  Model,
} from 'sequelize';
import { sequelize } from '../database';

export const ADDRESS_KINDS = ['delivery', 'invoice'] as const;
export type AddressKind = (typeof ADDRESS_KINDS)[number];

export class Address extends Model<InferAttributes<Address>, InferCreationAttributes<Address>> {
  declare id: CreationOptional<number>;
  declare customerId: ForeignKey<number>;
  declare kind: AddressKind;
  declare street: string;
  declare city: string;
  declare createdAt: CreationOptional<Date>;
  declare updatedAt: CreationOptional<Date>;
}

Address.init(
  {
    id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
    kind: { type: DataTypes.ENUM(...ADDRESS_KINDS), allowNull: false },
    street: { type: DataTypes.TEXT, allowNull: false },
    city: { type: DataTypes.TEXT, allowNull: false },
    createdAt: DataTypes.DATE,
    updatedAt: DataTypes.DATE,
  },
  { sequelize, tableName: 'addresses', indexes: [{ fields: ['customer_id'] }] },
);
