import { Router } from 'express';
import { Op } from 'sequelize';
import { LogEntry, orderTags } from '../audit';
import { currentUser, may, requireLogin } from '../middleware/current-user';
import { Alert, Order, type OrderStatus, type User } from '../models';
import { homePage } from '../views/home-page';
import { show } from './answer';

const LATEST = 12;
const ALERTS = 5;

export const homeRoutes = Router();

homeRoutes.get('/', requireLogin, async (_req, res) => {
  const user = currentUser(res);
  if (!user) return;
  const [counts, latest, alerts] = await Promise.all([countByStatus(), latestChanges(), latestAlerts(user)]);
  show(
    res,
    () => homePage({ user, counts, latest, alerts }),
    () => ({ counts, latest, alerts }),
  );
});

/** Without the rows that link tags: the order's own entry says the same in better words. */
const latestChanges = () =>
  LogEntry.findAll({
    where: { model: { [Op.ne]: orderTags.modelName } },
    order: [['id', 'desc']],
    limit: LATEST,
  });

/** They tell what is in the log, so they are for those who may see it. */
async function latestAlerts(user: User): Promise<readonly Alert[]> {
  return may(user, 'audit:view') ? Alert.findAll({ order: [['id', 'desc']], limit: ALERTS }) : [];
}

async function countByStatus(): Promise<Partial<Record<OrderStatus, number>>> {
  const rows = await Order.count({ group: ['status'] });
  return Object.fromEntries(rows.map((row) => [row['status'], row.count]));
}
