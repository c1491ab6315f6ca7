import { Router } from 'express';
import { LogEntry, orders } from '../audit';
import { currentUser, may } from '../middleware/current-user';
import { Order } from '../models';
import { orderExists } from '../services/orders';
import { notFound } from '../shop-error';
import { logPage } from '../views/log-page';
import { beforeAfter } from '../views/order-at-page';
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
    () => logPage({ title, section: 'orders', head, entries, more: (entry) => beforeAfter(id, entry) }),
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
    () => versionsPage({ id, title, head, versions, exists, mayRestore: may(currentUser(res), 'edit') }),
    () => versions,
  );
});
