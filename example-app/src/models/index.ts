import { Order } from './order';
import { OrderItem } from './order-item';
import { OrderTag } from './order-tag';
import { Product } from './product';
import { Tag } from './tag';

const orderKey = { name: 'orderId', allowNull: false };
const productKey = { name: 'productId', allowNull: false };

Order.hasMany(OrderItem, { as: 'items', foreignKey: orderKey, onDelete: 'CASCADE' });
OrderItem.belongsTo(Order, { as: 'order', foreignKey: orderKey, onDelete: 'CASCADE' });
OrderItem.belongsTo(Product, { as: 'product', foreignKey: productKey, onDelete: 'RESTRICT' });

Order.belongsToMany(Tag, { as: 'tags', through: OrderTag, foreignKey: 'orderId', otherKey: 'tagId' });
Tag.belongsToMany(Order, { as: 'orders', through: OrderTag, foreignKey: 'tagId', otherKey: 'orderId' });

export { ORDER_STATUSES, Order, type OrderStatus } from './order';
export { OrderItem } from './order-item';
export { Product } from './product';
export { Tag } from './tag';
export { type Role, User } from './user';
export { OrderTag };
