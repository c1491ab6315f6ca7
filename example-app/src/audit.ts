import { createAuditLog } from 'sequelize-auditlog';
import { sequelize } from './database';
import { Address, Customer, Order, OrderItem, OrderTag, Product, Tag, User } from './models';

export const auditLog = createAuditLog(sequelize, { actor: { model: User } });
export const { auditMiddleware, registerAudited, LogEntry } = auditLog;

export const orders = registerAudited(Order, {
  snapshots: true,
  exclude: ['internalNotes'],
  mask: { cardNumber: { keepLast: 4 } },
  associations: ['tags'],
  repr: 'Order {id} ({customerName})',
  labels: {
    customerId: 'customer number',
    customerName: 'customer',
    customerEmail: 'e-mail',
    cardNumber: 'card',
  },
});

export const orderItems = registerAudited(OrderItem, {
  snapshots: true,
  repr: 'Item {id} of order {orderId}',
  labels: { orderId: 'order', productId: 'product', unitPrice: 'unit price' },
});

export const products = registerAudited(Product, {
  snapshots: true,
  repr: '{name} ({sku})',
  labels: { sku: 'SKU' },
});

export const customers = registerAudited(Customer, {
  snapshots: true,
  repr: '{name}',
  labels: { email: 'e-mail' },
});

export const addresses = registerAudited(Address, {
  snapshots: true,
  repr: '{street}, {city}',
  labels: { customerId: 'customer' },
});

export const tags = registerAudited(Tag, { snapshots: true, repr: 'Tag {name}' });

// The order's own entries tell of its tags too; the links' rows are what brings them back with a deleted order.
export const orderTags = registerAudited(OrderTag, {
  snapshots: true,
  repr: 'Tag {tagId} of order {orderId}',
  labels: { orderId: 'order', tagId: 'tag' },
});

// passwordHash is masked without being named here: the library knows such names.
export const users = registerAudited(User, {
  repr: 'User {email}',
  labels: { email: 'e-mail', passwordHash: 'password' },
});
