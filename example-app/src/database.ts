import { Sequelize } from 'sequelize';

const url = process.env['DATABASE_URL'];
if (!url) throw new Error('DATABASE_URL is not set. Example: postgres://user:password@localhost:5432/shop');

export const databaseUrl: string = url;

export const sequelize = new Sequelize(databaseUrl, {
  dialect: 'postgres',
  logging: false,
  define: { underscored: true },
  pool: { max: Number(process.env['DATABASE_POOL'] ?? 5) },
});
