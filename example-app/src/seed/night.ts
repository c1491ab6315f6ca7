import { auditLog } from '../audit';
import { placeOrder, setLine } from '../services/orders';
import { ADDRESS } from './actors';
import { atHour, SEEDED_DAYS } from './clock';
import { find } from './product-lives';
import { KETTLE_SKU } from './products';
import type { World } from './world';

const NIGHT = SEEDED_DAYS - 9;
const HOUR = 3;
const SECOND_MS = 1000;

/** Something to find in the log: the admin's account, at three in the morning, from an address that nobody knows. */
export function planNight(world: World): void {
  const by = { actor: world.staff.ada, remoteAddr: ADDRESS.nobodyKnows };
  planPrying(world, by);
  planBargain(world, by);
}

type By = Readonly<{ actor: World['staff']['ada']; remoteAddr: string }>;

/** One customer after the other, faster than anybody reads. */
function planPrying({ timeline, random, customers }: World, by: By): void {
  const start = atHour(NIGHT, HOUR, 4).getTime();
  for (const [index, customer] of customers.entries()) {
    timeline.add({
      at: new Date(start + index * 4 * SECOND_MS + random.between(0, 1500)),
      by,
      request: () => `GET /customers/${customer.id}`,
      run: () => auditLog.logAccess(customer),
    });
  }
}

/** A kettle for one euro, twenty times, and then its price is what it was. */
function planBargain({ timeline, products }: World, by: By): void {
  const kettle = find(products, KETTLE_SKU);
  const customer = { customerName: 'Harbour Café', customerEmail: 'pick-up@elsewhere.example' };
  let price = kettle.price;
  let orderId = 0;
  const steps: ReadonlyArray<[request: () => string, run: () => Promise<unknown>]> = [
    [
      () => `POST /products/${kettle.id}`,
      async () => {
        price = kettle.price;
        await kettle.update({ price: '1.00' });
      },
    ],
    [
      () => 'POST /orders',
      async () => {
        orderId = (await placeOrder(customer, [{ productId: kettle.id, quantity: 2 }])).id;
      },
    ],
    [
      () => `POST /orders/${orderId}/items`,
      async () => setLine(orderId, { productId: kettle.id, quantity: 20 }),
    ],
    [() => `POST /products/${kettle.id}`, async () => kettle.update({ price })],
  ];
  steps.forEach(([request, run], index) =>
    timeline.add({ at: atHour(NIGHT, HOUR, 12 + index), by, request, run }),
  );
}
