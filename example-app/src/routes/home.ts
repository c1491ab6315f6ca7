import { Router } from 'express';
import { LogEntry } from '../audit';
import { currentUser, requireLogin } from '../middleware/current-user';
import { Order, type OrderStatus } from '../models';
import { homePage } from '../views/home-page';
import { show } from './answer';

const LATEST = 12;

export const homeRoutes = Router();

homeRoutes.get('/', requireLogin, async (_req, res) => {
  const user = currentUser(res);
  if (!user) return;
  const [counts, latest] = await Promise.all([countByStatus(), latestChanges()]);
  show(
    res,
    () => homePage({ user, counts, latest }),
    () => ({ counts, latest }),
  );
});

const latestChanges = () => LogEntry.findAll({ order: [['id', 'desc']], limit: LATEST });

async function countByStatus(): Promise<Partial<Record<OrderStatus, number>>> {
  const rows = await Order.count({ group: ['status'] });
  return Object.fromEntries(rows.map((row) => [row['status'], row.count]));
}
