import { Order, OrderItem, Tag } from '../models';
import { bulkSetStatus, cancelOrder, payOrder, placeOrder, setLine, shipOrder } from '../services/orders';
import { atCounter, inOffice, payments, somebody, webShop } from './actors';
import { CANCEL_REASONS, INTERNAL_NOTES, NOTES, TAG_NAMES } from './catalogue';
import { atHour, later, SEEDED_DAYS, workingTime } from './clock';
import { LABELS_SKU, PENS_SKU } from './products';
import type { Random } from './random';
import type { World } from './world';

const ORDERS = 200;
const PAYMENT_DAYS = 30;
const CANCEL_DAY = SEEDED_DAYS - 12;

/** The id is known only once the order is placed, which is long after its life is planned. */
interface PlannedOrder {
  readonly placedOn: number;
  readonly unpaid: boolean;
  id: number;
}

export function planOrders(world: World): void {
  const count = world.about(ORDERS);
  const planned = Array.from({ length: count }, (_, index) => planOrder(world, dayOf(index, count)));
  planBulkCancel(
    world,
    planned.filter(({ unpaid }) => unpaid),
  );
}

const dayOf = (index: number, count: number): number => 1 + Math.floor((index * (SEEDED_DAYS - 1)) / count);

function planOrder(world: World, day: number): PlannedOrder {
  const { random } = world;
  const unpaid = random.chance(0.1);
  const order: PlannedOrder = { placedOn: day, unpaid, id: 0 };
  const placed = workingTime(day, random);
  planPlacing(world, order, placed);
  planTouches(world, order, placed);
  if (!unpaid) planRest(world, order, placed);
  return order;
}

function planPlacing(world: World, order: PlannedOrder, at: Date): void {
  const { timeline, random, staff, products, customers } = world;
  const by = random.chance(0.35) ? webShop : somebody(staff, random);
  const { name, email } = random.pick(customers);
  const values = { customerName: name, customerEmail: email, ...extras(random) };
  const sold = products.filter(({ sku }) => sku !== PENS_SKU && sku !== LABELS_SKU);
  const lines = random
    .sample(sold, random.between(1, 5))
    .map((product) => ({ productId: product.id, quantity: random.between(1, 8) }));
  timeline.add({
    at,
    by,
    request: () => 'POST /orders',
    run: async () => {
      order.id = (await placeOrder(values, lines)).id;
    },
  });
}

function extras(random: Random): {
  cardNumber: string | null;
  notes: string | null;
  internalNotes: string | null;
} {
  return {
    cardNumber: random.chance(0.7) ? `400000000000${random.between(1000, 9999)}` : null,
    notes: random.chance(0.3) ? random.pick(NOTES) : null,
    internalNotes: random.chance(0.1) ? random.pick(INTERNAL_NOTES) : null,
  };
}

function planTouches(world: World, order: PlannedOrder, placed: Date): void {
  const { timeline, random, staff } = world;
  const soon = later(placed, 0, random);
  if (random.chance(0.3)) {
    timeline.add({
      at: soon,
      by: { ...atCounter(staff), reason: 'customer called' },
      request: () => `POST /orders/${order.id}`,
      run: () => edit(order.id, { notes: random.pick(NOTES) }),
    });
  }
  if (random.chance(0.15)) {
    timeline.add({
      at: soon,
      by: somebody(staff, random),
      request: () => `POST /orders/${order.id}/items`,
      run: () => changeQuantity(order.id, random),
    });
  }
  if (random.chance(0.3)) planTag(world, order, soon);
}

function planTag({ timeline, random, staff }: World, order: PlannedOrder, at: Date): void {
  const name = random.pick(TAG_NAMES);
  let tagId = 0;
  timeline.add({
    at,
    by: atCounter(staff),
    request: () => `POST /orders/${order.id}/tags`,
    run: async () => {
      const tag = await Tag.findOne({ where: { name }, rejectOnEmpty: true });
      tagId = tag.id;
      await (await find(order.id)).addTag(tag);
    },
  });
  if (!random.chance(0.25)) return;
  timeline.add({
    at: later(at, 1, random),
    by: atCounter(staff),
    request: () => `POST /orders/${order.id}/tags/${tagId}/remove`,
    run: async () => (await find(order.id)).removeTag(tagId),
  });
}

function planRest(world: World, order: PlannedOrder, placed: Date): void {
  const { timeline, random, staff } = world;
  if (random.chance(0.06)) {
    timeline.add({
      at: later(placed, 1, random),
      by: { ...somebody(staff, random), reason: random.pick(CANCEL_REASONS) },
      request: () => `POST /orders/${order.id}/cancel`,
      run: () => cancelOrder(order.id),
    });
    return;
  }
  const paid = later(placed, random.between(1, 3), random);
  timeline.add({
    at: paid,
    by: payments,
    request: () => `POST /orders/${order.id}/pay`,
    run: () => payOrder(order.id),
  });
  planShipping(world, order, later(paid, random.between(1, 2), random));
}

function planShipping({ timeline, random, staff }: World, order: PlannedOrder, shipped: Date): void {
  timeline.add({
    at: shipped,
    by: somebody(staff, random),
    request: () => `POST /orders/${order.id}/ship`,
    run: () => shipOrder(order.id),
  });
  if (!random.chance(0.03)) return;
  timeline.add({
    at: later(shipped, 5, random),
    by: { ...inOffice(staff), reason: 'test order' },
    request: () => `POST /orders/${order.id}/delete`,
    run: async () => (await find(order.id)).destroy(),
  });
}

/** Once the admin cancels what nobody has paid for, all of it with one UPDATE. */
function planBulkCancel({ timeline, staff }: World, unpaid: readonly PlannedOrder[]): void {
  const due = unpaid.filter(({ placedOn }) => placedOn <= CANCEL_DAY - PAYMENT_DAYS);
  timeline.add({
    at: atHour(CANCEL_DAY, 9),
    by: { ...inOffice(staff), reason: `unpaid for ${PAYMENT_DAYS} days` },
    request: () => 'POST /orders/bulk',
    run: () =>
      bulkSetStatus(
        due.map(({ id }) => id),
        'cancelled',
      ),
  });
}

const edit = async (id: number, values: { notes: string }): Promise<Order> => (await find(id)).update(values);

const find = (id: number): Promise<Order> => Order.findByPk(id, { rejectOnEmpty: true });

async function changeQuantity(orderId: number, random: Random): Promise<void> {
  const item = await OrderItem.findOne({ where: { orderId }, order: ['id'], rejectOnEmpty: true });
  await setLine(orderId, { productId: item.productId, quantity: item.quantity + random.between(1, 4) });
}
