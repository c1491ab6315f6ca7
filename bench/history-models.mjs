// What the readings of a long history are about: orders with a customer and items.
import { DataTypes } from 'sequelize';
import { orderAttributes } from './table.mjs';

export function defineHistoryModels(sequelize) {
  const indexed = (...fields) => [{ fields }];
  const Customer = sequelize.define('Customer', { name: DataTypes.TEXT }, { tableName: 'customers' });
  const Order = sequelize.define('Order', orderAttributes(), {
    tableName: 'orders',
    indexes: indexed('customerId'),
  });
  const OrderItem = sequelize.define(
    'OrderItem',
    { sku: DataTypes.TEXT, quantity: DataTypes.INTEGER },
    { tableName: 'order_items', indexes: indexed('orderId') },
  );
  Order.belongsTo(Customer, { as: 'buyer', foreignKey: 'customerId' });
  Order.hasMany(OrderItem, { as: 'items', foreignKey: 'orderId' });
  OrderItem.belongsTo(Order, { as: 'order', foreignKey: 'orderId' });
  return { Customer, Order, OrderItem };
}
