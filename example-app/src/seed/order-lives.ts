import { Order, OrderItem, type Product, Tag } from '../models';
import { bulkSetStatus, cancelOrder, payOrder, placeOrder, setLine, shipOrder } from '../services/orders';
import { atCounter, inOffice, payments, somebody, type Staff, webShop } from './actors';
import { CANCEL_REASONS, CUSTOMERS, INTERNAL_NOTES, NOTES, TAG_NAMES } from './catalogue';
import { atHour, later, SEEDED_DAYS, workingTime } from './clock';
import type { Random } from './random';
import type { Timeline } from './timeline';

const ORDERS = 300;
const PAYMENT_DAYS = 30;

export interface World {
  readonly timeline: Timeline;
  readonly random: Random;
  readonly staff: Staff;
  readonly products: readonly Product[];
}

/** The id is known only once the order is placed, which is long after its life is planned. */
interface PlannedOrder {
  readonly placedOn: number;
  readonly unpaid: boolean;
  id: number;
}

export function planOrders(world: World): void {
  const planned = Array.from({ length: ORDERS }, (_, index) => planOrder(world, dayOf(index)));
  planBulkCancels(
    world,
    planned.filter(({ unpaid }) => unpaid),
  );
}

const dayOf = (index: number): number => 1 + Math.floor((index * (SEEDED_DAYS - 1)) / ORDERS);

function planOrder(world: World, day: number): PlannedOrder {
  const { random } = world;
  const unpaid = random.chance(0.07);
  const order: PlannedOrder = { placedOn: day, unpaid, id: 0 };
  const placed = workingTime(day, random);
  planPlacing(world, order, placed);
  planTouches(world, order, placed);
  if (!unpaid) planRest(world, order, placed);
  return order;
}

function planPlacing({ timeline, random, staff, products }: World, order: PlannedOrder, at: Date): void {
  const by = random.chance(0.35) ? webShop : somebody(staff, random);
  const values = { ...random.pick(CUSTOMERS), ...extras(random) };
  const lines = random
    .sample(products.slice(0, -2), random.between(1, 4))
    .map((product) => ({ productId: product.id, quantity: random.between(1, 8) }));
  timeline.add(at, by, async () => {
    order.id = (await placeOrder(values, lines)).id;
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
  if (random.chance(0.12)) {
    const reason = 'customer called';
    timeline.add(soon, { ...atCounter(staff), reason }, () => edit(order.id, { notes: random.pick(NOTES) }));
  }
  if (random.chance(0.08))
    timeline.add(soon, somebody(staff, random), () => changeQuantity(order.id, random));
  if (random.chance(0.2)) planTag(world, order, soon);
}

function planTag({ timeline, random, staff }: World, order: PlannedOrder, at: Date): void {
  const name = random.pick(TAG_NAMES);
  timeline.add(at, atCounter(staff), async () => (await find(order.id)).addTag(await tag(name)));
  if (!random.chance(0.25)) return;
  timeline.add(later(at, 1, random), atCounter(staff), async () =>
    (await find(order.id)).removeTag(await tag(name)),
  );
}

function planRest(world: World, order: PlannedOrder, placed: Date): void {
  const { timeline, random, staff } = world;
  if (random.chance(0.06)) {
    const reason = random.pick(CANCEL_REASONS);
    timeline.add(later(placed, 1, random), { ...somebody(staff, random), reason }, () =>
      cancelOrder(order.id),
    );
    return;
  }
  const paid = later(placed, random.between(1, 3), random);
  timeline.add(paid, payments, () => payOrder(order.id));
  const shipped = later(paid, random.between(1, 2), random);
  timeline.add(shipped, somebody(staff, random), () => shipOrder(order.id));
  if (random.chance(0.03)) {
    timeline.add(later(shipped, 5, random), { ...inOffice(staff), reason: 'test order' }, () =>
      remove(order.id),
    );
  }
}

/** Once a month the admin cancels what nobody has paid for, all of it with one UPDATE. */
function planBulkCancels({ timeline, staff }: World, unpaid: readonly PlannedOrder[]): void {
  const reason = `unpaid for ${PAYMENT_DAYS} days`;
  for (let day = PAYMENT_DAYS; day < SEEDED_DAYS; day += PAYMENT_DAYS) {
    const due = unpaid.filter(
      ({ placedOn }) => placedOn > day - 2 * PAYMENT_DAYS && placedOn <= day - PAYMENT_DAYS,
    );
    if (due.length === 0) continue;
    timeline.add(atHour(day, 9), { ...inOffice(staff), reason }, () =>
      bulkSetStatus(
        due.map(({ id }) => id),
        'cancelled',
      ),
    );
  }
}

const edit = async (id: number, values: { notes: string }): Promise<Order> => (await find(id)).update(values);

const remove = async (id: number): Promise<void> => (await find(id)).destroy();

const find = (id: number): Promise<Order> => Order.findByPk(id, { rejectOnEmpty: true });

const tag = (name: string): Promise<Tag> => Tag.findOne({ where: { name }, rejectOnEmpty: true });

async function changeQuantity(orderId: number, random: Random): Promise<void> {
  const item = await OrderItem.findOne({ where: { orderId }, order: ['id'], rejectOnEmpty: true });
  await setLine(orderId, { productId: item.productId, quantity: item.quantity + random.between(1, 4) });
}
