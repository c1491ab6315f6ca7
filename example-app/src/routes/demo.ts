import { Router } from 'express';
import { requirePermission } from '../middleware/current-user';
import { editFiftyTimes, type FiftyEdits } from '../services/fifty-edits';
import { done } from './answer';

/** No shop needs this; it shows what the log makes of edits that get in each other's way. */
export const demoRoutes = Router();

demoRoutes.post('/fifty-edits', requirePermission('bulk-edit'), async (_req, res) => {
  const { product, ...result } = await editFiftyTimes();
  done(res, { goTo: '/', notice: notice(product.name, result), json: { productId: product.id, ...result } });
});

const notice = (name: string, { entries, before, after, unbroken }: Omit<FiftyEdits, 'product'>): string =>
  `${entries} entries: the stock of ${name} went from ${String(before)} to ${String(after)}, ` +
  (unbroken ? 'each entry starting where the one before it ended.' : 'with gaps between the entries.');
