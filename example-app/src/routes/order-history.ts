import { Router } from 'express';
import { LogEntry, orders } from '../audit';
import { Order } from '../models';
import { notFound } from '../shop-error';
import { logPage } from '../views/log-page';
import { orderHead } from '../views/order-head';
import { versionsPage } from '../views/versions-page';
import { idOf, show } from './answer';

export const orderHistoryRoutes = Router();

// Neither route loads the order: what it was stays readable after it is gone.
orderHistoryRoutes.get('/:id/log', async (req, res) => {
  const id = idOf(req.params.id);
  const [entries, exists] = await Promise.all([LogEntry.forObject(Order, id), orderExists(id)]);
  if (!entries.length && !exists) throw notFound(`Order ${id}`);
  const title = `Log of order ${id}`;
  const head = orderHead({ id, title, tab: 'log', exists });
  show(
    res,
    () => logPage({ title, section: 'orders', head, entries }),
    () => entries,
  );
});

orderHistoryRoutes.get('/:id/versions', async (req, res) => {
  const id = idOf(req.params.id);
  const [versions, exists] = await Promise.all([
    orders.versions(id, { include: ['logEntry'] }),
    orderExists(id),
  ]);
  if (!versions.length && !exists) throw notFound(`Order ${id}`);
  const title = `Versions of order ${id}`;
  const head = orderHead({ id, title, tab: 'versions', exists });
  show(
    res,
    () => versionsPage({ title, head, versions }),
    () => versions,
  );
});

const orderExists = async (id: number): Promise<boolean> => (await Order.count({ where: { id } })) > 0;
