import { Address } from './address';
import { Customer } from './customer';
import { Order } from './order';
import { OrderItem } from './order-item';
import { OrderTag } from './order-tag';
import { Product } from './product';
import { Tag } from './tag';

const orderKey = { name: 'orderId', allowNull: false };
const productKey = { name: 'productId', allowNull: false };
const customerKey = { name: 'customerId', allowNull: false };
const orderingCustomerKey = { name: 'customerId', allowNull: true };

// A customer who is deleted takes the addresses along; orders stay, with the name they were placed under.
Customer.hasMany(Address, { as: 'addresses', foreignKey: customerKey, onDelete: 'CASCADE' });
Address.belongsTo(Customer, { as: 'customer', foreignKey: customerKey, onDelete: 'CASCADE' });
Customer.hasMany(Order, { as: 'orders', foreignKey: orderingCustomerKey, onDelete: 'SET NULL' });
Order.belongsTo(Customer, { as: 'customer', foreignKey: orderingCustomerKey, onDelete: 'SET NULL' });

Order.hasMany(OrderItem, { as: 'items', foreignKey: orderKey, onDelete: 'CASCADE' });
OrderItem.belongsTo(Order, { as: 'order', foreignKey: orderKey, onDelete: 'CASCADE' });
OrderItem.belongsTo(Product, { as: 'product', foreignKey: productKey, onDelete: 'RESTRICT' });

Order.belongsToMany(Tag, { as: 'tags', through: OrderTag, foreignKey: 'orderId', otherKey: 'tagId' });
Tag.belongsToMany(Order, { as: 'orders', through: OrderTag, foreignKey: 'tagId', otherKey: 'orderId' });

export { Alert } from './alert';
export { Address, ADDRESS_KINDS, type AddressKind } from './address';
export { Customer } from './customer';
export { ORDER_STATUSES, Order, type OrderStatus } from './order';
export { OrderItem } from './order-item';
export { type Details, Product } from './product';
export { Tag } from './tag';
export { type Role, User } from './user';
export { OrderTag };
