import type { Product } from '../models';
import { fromCents, toCents } from '../money';
import { placeOrder, setLine } from '../services/orders';
import { ADDRESS, atCounter, inOffice, priceImport } from './actors';
import { atHour, SEEDED_DAYS } from './clock';
import type { World } from './order-lives';

const MONTH_DAYS = 30;
const DELIVERY_EVERY_DAYS = 21;

export function planProducts(world: World): void {
  for (let day = MONTH_DAYS; day < SEEDED_DAYS; day += MONTH_DAYS) planPriceImport(world, day);
  for (let day = 10; day < SEEDED_DAYS; day += DELIVERY_EVERY_DAYS) planDelivery(world, day);
  planRemovals(world);
  planRename(world);
  planNight(world);
}

function planPriceImport({ timeline, random, products }: World, day: number): void {
  const context = {
    ...priceImport,
    reason: 'price list of the wholesaler',
    additionalData: { file: `prices-${day}.csv` },
  };
  // The kettle's price is changed at night, which would keep the last import from being undone.
  const listed = products.slice(0, -2).filter((product) => !isKettle(product));
  const changed = random.sample(listed, 6).map((product) => [product, random.between(-4, 7)] as const);
  timeline.add(atHour(day, 2), context, async () => {
    for (const [product, percent] of changed) await reprice(product, percent);
  });
}

const isKettle = ({ sku }: Product): boolean => sku.startsWith('KTL');

async function reprice(product: Product, percent: number): Promise<void> {
  await product.update({ price: fromCents(Math.round(toCents(product.price) * (1 + percent / 100))) });
}

function planDelivery({ timeline, random, products, staff }: World, day: number): void {
  const delivered = random
    .sample(products.slice(0, -2), 7)
    .map((product) => [product, random.between(4, 12) * 10] as const);
  timeline.add(atHour(day, 7, 40), { ...atCounter(staff), reason: 'delivery' }, async () => {
    for (const [product, by] of delivered) await product.increment({ stock: by });
  });
}

function planRemovals({ timeline, products, staff }: World): void {
  const [pens, labels] = products.slice(-2);
  const office = inOffice(staff);
  timeline.add(atHour(70, 11), { ...office, reason: 'no longer made' }, async () => labels?.destroy());
  timeline.add(atHour(74, 9, 20), { ...office, reason: 'removed by mistake' }, async () => labels?.restore());
  timeline.add(atHour(120, 16), { ...office, reason: 'nobody buys them' }, async () => pens?.destroy());
}

/** Orders from before it show the old name in their past. */
function planRename({ timeline, products, staff }: World): void {
  const decaf = products.find(({ sku }) => sku === 'COF-DEC-1');
  const context = { ...inOffice(staff), reason: 'new label of the roaster' };
  timeline.add(atHour(95, 10), context, async () =>
    decaf?.update({ name: 'Decaf espresso, water process, 1 kg' }),
  );
}

/** Something to find in the log: the admin's account, at night, from an address that nobody knows. */
function planNight({ timeline, products, staff }: World): void {
  const kettle = products.find(isKettle);
  if (!kettle) return;
  const night = { actor: staff.admin, remoteAddr: ADDRESS.nobodyKnows };
  const customer = { customerName: 'Harbour Café', customerEmail: 'pick-up@elsewhere.example' };
  let price = kettle.price;
  let orderId = 0;
  const steps = [
    async () => {
      price = kettle.price;
      await kettle.update({ price: '1.00' });
    },
    async () => {
      orderId = (await placeOrder(customer, [{ productId: kettle.id, quantity: 2 }])).id;
    },
    async () => setLine(orderId, { productId: kettle.id, quantity: 20 }),
    async () => kettle.update({ price }),
  ];
  steps.forEach((step, index) => timeline.add(atHour(SEEDED_DAYS - 9, 3, 12 + index), night, step));
}
