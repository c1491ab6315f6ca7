import {
  DataTypes,
  Model,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
} from 'sequelize';
import { sequelize } from './database';

/** The user model that a reader of docs/from-django.md has. */
export class User extends Model<InferAttributes<User>, InferCreationAttributes<User>> {
  declare id: CreationOptional<number>;
  declare email: string;
  declare role: string;
  declare passwordHash: CreationOptional<string | null>;
}

User.init(
  {
    id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
    email: DataTypes.TEXT,
    role: DataTypes.TEXT,
    passwordHash: DataTypes.TEXT,
  },
  { sequelize },
);
