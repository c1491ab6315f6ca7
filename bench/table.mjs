// The table that every variant writes: 12 columns of the kinds an application has.
import { DataTypes } from 'sequelize';

/** Made anew for each model, which takes them for its own. */
export const orderAttributes = () => ({
  number: { type: DataTypes.TEXT, allowNull: false },
  customer: DataTypes.TEXT,
  note: DataTypes.TEXT,
  status: DataTypes.TEXT,
  quantity: DataTypes.INTEGER,
  total: DataTypes.DECIMAL(12, 2),
  discount: DataTypes.DECIMAL(12, 2),
  meta: DataTypes.JSONB,
  placedAt: DataTypes.DATE,
});

/** Order: 12 columns with id, createdAt and updatedAt. Parcel with its items: a parent whose children go by cascade. */
export function defineModels(sequelize) {
  const Order = sequelize.define('Order', orderAttributes(), { tableName: 'orders' });
  const Parcel = sequelize.define('Parcel', { label: DataTypes.TEXT }, { tableName: 'parcels' });
  const Item = sequelize.define('Item', { text: DataTypes.TEXT }, { tableName: 'items' });
  Parcel.hasMany(Item, { foreignKey: 'parcelId', onDelete: 'CASCADE' });
  return { Order, Parcel, Item };
}

/** A new order; the same number gives the same values. */
export function orderValues(number) {
  return {
    number: `2026-${number}`,
    customer: `customer ${number % 1000}`,
    note: 'Please ring twice and leave it with the neighbour, if nobody is at home. ',
    status: 'pending',
    quantity: number % 17,
    total: ((number % 9000) + 0.95).toFixed(2),
    discount: '0.00',
    meta: { source: 'web', lines: [1, 2, number % 7], gift: false },
    placedAt: new Date(1_750_000_000_000 + number * 1000),
  };
}
