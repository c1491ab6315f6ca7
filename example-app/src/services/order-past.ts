import { isDeepStrictEqual } from 'node:util';
import { Op } from 'sequelize';
import { auditLog, LogEntry, orderItems, orders } from '../audit';
import { sequelize } from '../database';
import { Order } from '../models';
import { notFound } from '../shop-error';
import { findOrder, loadOrder } from './orders';

export type Entry = InstanceType<typeof LogEntry>;
export type Version = Awaited<ReturnType<typeof orders.versions>>[number];
export type Restored = Awaited<ReturnType<typeof orders.revert>>;
export type Difference = Awaited<ReturnType<typeof orders.diff>>['changes'][number];

type When = Parameters<typeof auditLog.asOf>[0];

/** The order with its items, products and tags, all as they were; null when it was not there. */
export const orderAsOf = (id: number, when: When): Promise<Order | null> =>
  auditLog.asOf(when, (transaction) => loadOrder(id, transaction));

/** What changed the order itself, newest first; also of one that is gone. */
export const changesOf = (id: number): Promise<Entry[]> =>
  LogEntry.forObject(Order, id, { where: { action: ['create', 'update', 'delete'] } });

export async function findVersion(id: number, historyId: string): Promise<Version> {
  const [version] = await orders.versions(id, { where: { historyId }, include: ['logEntry'] });
  if (!version) throw notFound(`This version of order ${id}`);
  return version;
}

export async function findChange(id: number, entryId: string): Promise<Entry> {
  const [entry] = await LogEntry.forObject(Order, id, { where: { id: entryId } });
  if (!entry) throw notFound(`This change of order ${id}`);
  return entry;
}

// An order and its items are written one after the other, in one transaction: between them is no order that anybody saw.

/** The last change of the transaction, after which it was all done. */
export async function endOf(entry: Entry): Promise<Entry> {
  const [last] = await inTransactionOf(entry, { limit: 1 });
  return last ?? entry;
}

export async function startOf(entry: Entry): Promise<Entry> {
  const [first] = await inTransactionOf(entry, { order: [['id', 'asc']], limit: 1 });
  return first ?? entry;
}

type FindOptions = NonNullable<Parameters<typeof LogEntry.inTransaction>[1]>;

const inTransactionOf = async ({ transactionId }: Entry, options: FindOptions): Promise<Entry[]> =>
  transactionId === null ? [] : LogEntry.inTransaction(transactionId, options);

/** One of the two orders of a comparison. */
export interface Side {
  readonly order: Order;
  /** Null for the order as it is now. */
  readonly at: Date | null;
}

export const pointOf = async (id: number, name: string): Promise<Version | 'current'> =>
  name === 'current' ? name : findVersion(id, name);

/** The order of a version with the items that were written with it. */
export async function sideOf(id: number, point: Version | 'current'): Promise<Side> {
  if (point === 'current') return { order: await findOrder(id), at: null };
  const order = await orderAsOf(id, point.logEntry ? await endOf(point.logEntry) : point);
  if (!order) throw notFound(`This version of order ${id}`);
  return { order, at: point.historyDate };
}

/** The moment before a transaction. Exact, by the change before it, whichever object that was about. */
async function beforeAll(entry: Entry): Promise<When> {
  const first = await startOf(entry);
  const last = await LogEntry.findOne({ where: { id: { [Op.lt]: first.id } }, order: [['id', 'desc']] });
  return last ?? new Date(first.timestamp.getTime() - 1);
}

type Change = Restored['changes'][number];

/** Not the total, which is the sum of the items, and those stay. */
const RESTORABLE = ['status', 'customerName', 'customerEmail', 'notes', 'tags'];

/** What of a version may be put back into an order that is there. */
export const restorable = ({ changes }: Restored): Change[] =>
  changes.filter((change) => RESTORABLE.includes(change.attribute) && !movesStock(change));

/** Shipping took the products from the stock, which going back to a status would not bring back. */
const movesStock = (change: Change): boolean =>
  change.attribute === 'status' && 'now' in change && [change.now, change.after].includes('shipped');

export interface Undeletion {
  /** As it was before it was deleted. */
  readonly order: Order;
  readonly plan: Restored;
}

/** What would come back. */
export async function previewUndeletion(id: number, deletion: Entry): Promise<Undeletion> {
  const to = await beforeAll(deletion);
  const plan = await orders.revert(id, { to, dryRun: true });
  const order = await orderAsOf(id, to);
  if (!order) throw notFound(`Order ${id}`);
  return { order, plan };
}

/** The order with its tags, and the items that went with it. */
export async function undelete(id: number, deletion: Entry, reason: string): Promise<void> {
  const to = await beforeAll(deletion);
  const items = await itemsGoneWith(id, deletion);
  await sequelize.transaction(async (transaction) => {
    await orders.revert(id, { to, reason, transaction });
    for (const itemId of items) await orderItems.revert(itemId, { to, reason, transaction });
  });
}

/** One request may delete several orders; each comes back with its own items. */
async function itemsGoneWith(id: number, deletion: Entry): Promise<string[]> {
  const deleted = await inTransactionOf(deletion, {
    where: { model: orderItems.modelName, action: 'delete' },
    order: [['id', 'asc']],
  });
  const isOfOrder = ({ changes }: Entry): boolean => isDeepStrictEqual(changes?.['orderId'], [id, null]);
  return deleted.filter(isOfOrder).flatMap(({ objectPk }) => objectPk ?? []);
}
