import type { Order, OrderItem } from '../models';
import type { ItemChange } from '../views/compare-page';
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

/** Of the past, without what the history doesn't hold, where null would look like a value. */
export function pastOrderJson(order: Order): Record<string, unknown> {
  const { cardNumber: _masked, internalNotes: _excluded, ...values } = orderJson(order);
  return values;
}

export const itemChangeJson = ({ item, was, now }: ItemChange): Record<string, unknown> => ({
  id: item.id,
  was: was ? itemJson(was) : null,
  now: now ? itemJson(now) : null,
});

const itemJson = ({ productId, quantity, unitPrice, product }: OrderItem): Record<string, unknown> => ({
  productId,
  product: product?.name,
  quantity,
  unitPrice,
});
