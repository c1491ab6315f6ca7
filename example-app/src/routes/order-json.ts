import type { Order, OrderItem } from '../models';
import { lastFour } from '../views/format';

/** What of an order leaves the shop: never the whole card number. */
export function orderJson(order: Order): Record<string, unknown> {
  const { cardNumber, ...values } = order.get({ plain: true });
  return {
    ...values,
    cardNumber: lastFour(cardNumber),
    items: order.items?.map(itemJson),
    tags: order.tags?.map((tag) => tag.name),
  };
}

const itemJson = ({ productId, quantity, unitPrice, product }: OrderItem): Record<string, unknown> => ({
  productId,
  product: product?.name,
  quantity,
  unitPrice,
});
