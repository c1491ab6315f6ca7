import { type Request, type Response, Router } from 'express';
import { setReason } from 'sequelize-auditlog';
import { bulkInput, lineInput, orderChanges, reasonInput, tagInput } from '../input/order-input';
import { parse } from '../input/parse';
import { requirePermission } from '../middleware/current-user';
import { Order, Tag } from '../models';
import { bulkSetStatus, cancelOrder, findOrder, payOrder, setLine, shipOrder } from '../services/orders';
import { notFound } from '../shop-error';
import { editOrderPage } from '../views/order-form';
import { plural } from '../views/format';
import { sendPage } from '../views/send';
import { done, idOf, showFormAgain } from './answer';
import { orderJson } from './order-json';

type OrderRequest = Request<{ id: string }>;

const mayEdit = requirePermission('edit');

export const orderChangeRoutes = Router();

orderChangeRoutes.post('/bulk', requirePermission('bulk-edit'), async (req, res) => {
  const { ids, status, reason } = parse(bulkInput, req.body);
  if (reason) setReason(reason);
  const count = await bulkSetStatus(ids, status);
  done(res, {
    goTo: '/orders',
    notice: `${plural(count, 'order')} set to ${status}.`,
    json: { changed: count },
  });
});

orderChangeRoutes.get('/:id/edit', mayEdit, async (req, res) => {
  const order = await findOrder(idOf(req.params.id));
  sendPage(res, editOrderPage({ id: order.id, values: order.get() }));
});

orderChangeRoutes.post('/:id', mayEdit, editOrder);
orderChangeRoutes.patch('/:id', mayEdit, editOrder);

orderChangeRoutes.post('/:id/pay', mayEdit, async (req, res) => {
  changed(res, await payOrder(idOf(req.params.id)), 'is paid');
});

orderChangeRoutes.post('/:id/ship', mayEdit, async (req, res) => {
  changed(res, await shipOrder(idOf(req.params.id)), 'is on its way');
});

orderChangeRoutes.post('/:id/cancel', mayEdit, async (req, res) => {
  setReason(parse(reasonInput, req.body).reason);
  changed(res, await cancelOrder(idOf(req.params.id)), 'is cancelled');
});

orderChangeRoutes.post('/:id/items', mayEdit, async (req, res) => {
  changed(res, await setLine(idOf(req.params.id), parse(lineInput, req.body)), 'is changed');
});

orderChangeRoutes.post('/:id/delete', requirePermission('delete'), deleteOrder);
orderChangeRoutes.delete('/:id', requirePermission('delete'), deleteOrder);

orderChangeRoutes.post('/:id/tags', mayEdit, async (req, res) => {
  const { name } = parse(tagInput, req.body);
  const order = await findOrder(idOf(req.params.id));
  const [tag] = await Tag.findOrCreate({ where: { name } });
  await order.addTag(tag);
  changed(res, order, `has the tag ${name}`);
});

orderChangeRoutes.post('/:id/tags/:tagId/remove', mayEdit, async (req, res) => {
  const order = await findOrder(idOf(req.params.id));
  await order.removeTag(idOf(req.params.tagId));
  changed(res, order, 'has lost a tag');
});

async function editOrder(req: OrderRequest, res: Response): Promise<void> {
  const order = await findOrder(idOf(req.params.id));
  try {
    await order.update(withoutEmptyCard(parse(orderChanges, req.body), req));
    changed(res, order, 'is saved');
  } catch (error) {
    showFormAgain(req, res, error, (errors) => editOrderPage({ id: order.id, values: req.body, errors }));
  }
}

/** The form never shows the card number, so leaving the field empty there doesn't mean to remove it. */
function withoutEmptyCard<T extends { cardNumber?: string | null }>(changes: T, req: OrderRequest): T {
  if (changes.cardNumber !== null || !req.is('urlencoded')) return changes;
  const { cardNumber: _unchanged, ...others } = changes;
  return others as T;
}

async function deleteOrder(req: OrderRequest, res: Response): Promise<void> {
  const id = idOf(req.params.id);
  const order = await Order.findByPk(id);
  if (!order) throw notFound(`Order ${id}`);
  await order.destroy();
  done(res, {
    goTo: `/orders/${id}/log`,
    notice: `Order ${id} is deleted. Its log stays.`,
    json: { deleted: id },
  });
}

function changed(res: Response, order: Order, what: string): void {
  done(res, { goTo: `/orders/${order.id}`, notice: `Order ${order.id} ${what}.`, json: orderJson(order) });
}
