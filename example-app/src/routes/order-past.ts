import { type Request, type Response, Router } from 'express';
import { Op } from 'sequelize';
import { orders } from '../audit';
import { atQuery, compareQuery, deletedQuery } from '../input/past-input';
import { parse } from '../input/parse';
import { currentUser, may } from '../middleware/current-user';
import { changesOf, endOf, findChange, orderAsOf, pointOf, sideOf, startOf } from '../services/order-past';
import { loadOrder, orderExists } from '../services/orders';
import { notFound, ShopError } from '../shop-error';
import { comparePage, itemChanges } from '../views/compare-page';
import { deletedPage } from '../views/deleted-page';
import { textOf } from '../views/fields';
import { choosePage, orderAtPage, whyNot, type OrderAt } from '../views/order-at-page';
import { sendPage } from '../views/send';
import { idOf, show, showFormAgain } from './answer';
import { itemChangeJson, pastOrderJson } from './order-json';

const PAGE_SIZE = 25;

/** Before the routes of an order, to which `deleted` would be an order's number. */
export const orderPastRoutes = Router();

orderPastRoutes.get('/deleted', async (req, res) => {
  const { before } = parse(deletedQuery, req.query);
  const found = await orders.deleted({
    ...(before && { where: { historyId: { [Op.lt]: before } } }),
    include: ['logEntry'],
    order: [['historyId', 'desc']],
    limit: PAGE_SIZE + 1,
  });
  const deleted = found.slice(0, PAGE_SIZE);
  const next = found.length > PAGE_SIZE ? deleted.at(-1)?.historyId : undefined;
  show(
    res,
    () => deletedPage({ deleted, next, mayRestore: may(currentUser(res), 'delete') }),
    () => ({ deleted, next: next ?? null }),
  );
});

orderPastRoutes.get('/:id/at', async (req, res) => {
  const id = idOf(req.params.id);
  const [now, changes] = await Promise.all([loadOrder(id), changesOf(id)]);
  if (!now && changes.length === 0) throw notFound(`Order ${id}`);
  try {
    const at = await momentOf(id, req);
    if (!at) return askWhen(req, res, () => choosePage({ id, now, changes }));
    showOrderAt(res, { id, at, now, changes, past: await orderAsOf(id, at) });
  } catch (error) {
    const entered = textOf(req.query['t']);
    showFormAgain(req, res, error, ({ t }) =>
      choosePage({ id, now, changes }, { entered, message: t ?? 'There is no such change.' }),
    );
  }
});

async function momentOf(id: number, req: Request): Promise<Date | undefined> {
  const { t, before, after } = parse(atQuery, req.query);
  if (after) return (await endOf(await findChange(id, after))).timestamp;
  if (!before) return t;
  const { timestamp } = await startOf(await findChange(id, before));
  return new Date(timestamp.getTime() - 1);
}

function askWhen(req: Request, res: Response, page: () => ReturnType<typeof choosePage>): void {
  if (req.accepts(['html', 'json']) === 'json')
    throw new ShopError(422, 'As of when? Add ?t=2026-11-17T14:30.');
  sendPage(res, page());
}

function showOrderAt(res: Response, view: OrderAt): void {
  const { at, past } = view;
  const status = past ? 200 : statusWithout(view);
  res.status(status);
  show(
    res,
    () => orderAtPage(view),
    () => (past ? { at, order: pastOrderJson(past) } : { error: { status, message: whyNot(view) } }),
  );
}

/** Deleted by then, not yet placed, or not known. */
function statusWithout({ at, changes }: OrderAt): number {
  if (changes.find(({ timestamp }) => timestamp <= at)?.action === 'delete') return 410;
  return changes.at(-1)?.action === 'create' ? 404 : 422;
}

orderPastRoutes.get('/:id/compare', async (req, res) => {
  const id = idOf(req.params.id);
  const query = parse(compareQuery, req.query);
  const [older, newer] = [await pointOf(id, query.from), await pointOf(id, query.to)];
  const { changes } = await orders.diff(id, older, newer);
  const [from, to] = [await sideOf(id, older), await sideOf(id, newer)];
  const exists = await orderExists(id);
  show(
    res,
    () => comparePage({ id, exists, from, to, changes }),
    () => ({ changes, items: itemChanges(from.order, to.order).map(itemChangeJson) }),
  );
});
