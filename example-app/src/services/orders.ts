import type { CreationAttributes, Transaction } from 'sequelize';
import { sequelize } from '../database';
import { Customer, Order, OrderItem, type OrderStatus, Product, Tag } from '../models';
import { fromCents, toCents } from '../money';
import { notFound, ShopError } from '../shop-error';

export interface OrderLine {
  readonly productId: number;
  readonly quantity: number;
}

type PricedLine = OrderLine & { readonly unitPrice: string };
type OrderValues = Omit<CreationAttributes<Order>, 'id' | 'total' | 'status' | 'customerId'>;

const NEXT_FROM: Readonly<Record<OrderStatus, readonly OrderStatus[]>> = {
  pending: [],
  paid: ['pending'],
  shipped: ['pending', 'paid'],
  cancelled: ['pending', 'paid'],
};

export const canBecome = (order: Order, status: OrderStatus): boolean =>
  NEXT_FROM[status].includes(order.status);

export const isOpen = (order: Order): boolean => canBecome(order, 'cancelled');

/** With all that belongs to it; in a transaction of `auditLog.asOf`, all of it as it was then. */
export function loadOrder(id: number, transaction?: Transaction): Promise<Order | null> {
  return Order.findByPk(id, {
    ...(transaction && { transaction }),
    include: [
      { model: OrderItem, as: 'items', include: [{ model: Product, as: 'product', paranoid: false }] },
      { model: Tag, as: 'tags' },
    ],
    order: [
      [{ model: OrderItem, as: 'items' }, 'id', 'asc'],
      [{ model: Tag, as: 'tags' }, 'name', 'asc'],
    ],
  });
}

export async function findOrder(id: number): Promise<Order> {
  const order = await loadOrder(id);
  if (!order) throw notFound(`Order ${id}`);
  return order;
}

export const orderExists = async (id: number): Promise<boolean> => (await Order.count({ where: { id } })) > 0;

export function placeOrder(values: OrderValues, lines: readonly OrderLine[]): Promise<Order> {
  return sequelize.transaction(async (transaction) => {
    const priced = await priceLines(lines, transaction);
    const customer = await Customer.findOne({ where: { email: values.customerEmail }, transaction });
    const order = await Order.create(
      { ...values, customerId: customer?.id ?? null, total: totalOf(priced) },
      { transaction },
    );
    const items = priced.map((line) => ({ ...line, orderId: order.id }));
    await OrderItem.bulkCreate(items, { transaction });
    return order;
  });
}

export const payOrder = (id: number): Promise<Order> => moveTo('paid', id);

export const cancelOrder = (id: number): Promise<Order> => moveTo('cancelled', id);

export const shipOrder = (id: number): Promise<Order> => moveTo('shipped', id, takeFromStock);

/** One UPDATE for all of them; the log still gets an entry for each. */
export async function bulkSetStatus(ids: readonly number[], status: OrderStatus): Promise<number> {
  const [count] = await Order.update({ status }, { where: { id: [...ids] } });
  return count;
}

/** Adds a product to an open order, or changes how many of it there are; none removes it. */
export function setLine(orderId: number, { productId, quantity }: OrderLine): Promise<Order> {
  return sequelize.transaction(async (transaction) => {
    const order = await lockOrder(orderId, transaction);
    if (!isOpen(order)) throw new ShopError(409, `Order ${orderId} is ${order.status}; its items are final.`);
    const item = await OrderItem.findOne({ where: { orderId, productId }, transaction });
    if (!item) await addItem(order, { productId, quantity }, transaction);
    else if (quantity === 0) await item.destroy({ transaction });
    else await item.update({ quantity }, { transaction });
    return order.update({ total: await sumItems(orderId, transaction) }, { transaction });
  });
}

function moveTo(
  status: OrderStatus,
  id: number,
  also?: (order: Order, transaction: Transaction) => Promise<void>,
): Promise<Order> {
  return sequelize.transaction(async (transaction) => {
    const order = await lockOrder(id, transaction);
    if (!canBecome(order, status)) {
      throw new ShopError(409, `Order ${id} is ${order.status}; it can't become ${status}.`);
    }
    await order.update({ status }, { transaction });
    await also?.(order, transaction);
    return order;
  });
}

async function lockOrder(id: number, transaction: Transaction): Promise<Order> {
  const order = await Order.findByPk(id, { transaction, lock: transaction.LOCK.UPDATE });
  if (!order) throw notFound(`Order ${id}`);
  return order;
}

async function takeFromStock(order: Order, transaction: Transaction): Promise<void> {
  const items = await OrderItem.findAll({ where: { orderId: order.id }, order: ['productId'], transaction });
  for (const { productId, quantity } of items) {
    await Product.decrement({ stock: quantity }, { where: { id: productId }, transaction });
  }
}

async function addItem(order: Order, line: OrderLine, transaction: Transaction): Promise<void> {
  if (line.quantity === 0) return;
  const [priced] = await priceLines([line], transaction);
  if (priced) await OrderItem.create({ ...priced, orderId: order.id }, { transaction });
}

async function priceLines(lines: readonly OrderLine[], transaction: Transaction): Promise<PricedLine[]> {
  const ids = lines.map((line) => line.productId);
  const found = await Product.findAll({ where: { id: ids }, transaction });
  const prices = new Map(found.map((product) => [product.id, product.price]));
  return lines.map((line) => {
    const unitPrice = prices.get(line.productId);
    if (unitPrice === undefined) throw new ShopError(422, `Product ${line.productId} is not for sale.`);
    return { ...line, unitPrice };
  });
}

async function sumItems(orderId: number, transaction: Transaction): Promise<string> {
  return totalOf(await OrderItem.findAll({ where: { orderId }, transaction }));
}

function totalOf(lines: readonly PricedLine[]): string {
  return fromCents(lines.reduce((sum, line) => sum + toCents(line.unitPrice) * line.quantity, 0));
}
