import { Router } from 'express';
import { Op } from 'sequelize';
import { LogEntry, orderTags } from '../audit';
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

/** Without the rows that link tags: the order's own entry says the same in better words. */
const latestChanges = () =>
  LogEntry.findAll({
    where: { model: { [Op.ne]: orderTags.modelName } },
    order: [['id', 'desc']],
    limit: LATEST,
  });

async function countByStatus(): Promise<Partial<Record<OrderStatus, number>>> {
  const rows = await Order.count({ group: ['status'] });
  return Object.fromEntries(rows.map((row) => [row['status'], row.count]));
}
