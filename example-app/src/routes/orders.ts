import { Router } from 'express';
import { Op, type WhereOptions } from 'sequelize';
import { z } from 'zod';
import { newOrderInput } from '../input/order-input';
import { parse } from '../input/parse';
import { currentUser, requirePermission } from '../middleware/current-user';
import { Order, ORDER_STATUSES, Product } from '../models';
import { findOrder, placeOrder } from '../services/orders';
import { newOrderPage } from '../views/order-form';
import { orderList } from '../views/order-list';
import { orderPage } from '../views/order-page';
import { sendPage } from '../views/send';
import { done, idOf, show, showFormAgain } from './answer';
import { orderJson } from './order-json';

const PAGE_SIZE = 25;

const listQuery = z.object({
  status: z.enum(ORDER_STATUSES).optional().catch(undefined),
  before: z.coerce.number().int().positive().optional().catch(undefined),
});

const productsForSale = (): Promise<Product[]> => Product.findAll({ order: ['name'] });

export const orderRoutes = Router();

orderRoutes.get('/', async (req, res) => {
  const { status, before } = parse(listQuery, req.query);
  const where: WhereOptions<Order> = {
    ...(status && { status }),
    ...(before && { id: { [Op.lt]: before } }),
  };
  const found = await Order.findAll({ where, order: [['id', 'desc']], limit: PAGE_SIZE + 1 });
  const orders = found.slice(0, PAGE_SIZE);
  const next = found.length > PAGE_SIZE ? orders.at(-1)?.id : undefined;
  show(
    res,
    () => orderList({ orders, status, next, user: currentUser(res) }),
    () => ({ orders: orders.map(orderJson), next: next ?? null }),
  );
});

orderRoutes.get('/new', requirePermission('edit'), async (_req, res) => {
  sendPage(res, newOrderPage({ values: {}, products: await productsForSale() }));
});

orderRoutes.post('/', requirePermission('edit'), async (req, res) => {
  try {
    const { items, ...values } = parse(newOrderInput, req.body);
    const order = await placeOrder(values, items);
    const notice = `Order ${order.id} is placed.`;
    done(res, { goTo: `/orders/${order.id}`, notice, json: orderJson(order), status: 201 });
  } catch (error) {
    const products = await productsForSale();
    showFormAgain(req, res, error, (errors) => newOrderPage({ values: req.body, errors, products }));
  }
});

orderRoutes.get('/:id', async (req, res) => {
  const order = await findOrder(idOf(req.params.id));
  const products = await productsForSale();
  show(
    res,
    () => orderPage({ order, products, user: currentUser(res) }),
    () => orderJson(order),
  );
});
