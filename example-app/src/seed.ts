import { withAuditContext } from 'sequelize-auditlog';
import { Order, Product, Tag, User } from './models';
import { hashPassword } from './password';
import { inOffice, type Staff } from './seed/actors';
import { PASSWORD, PRODUCTS, TAG_NAMES, USERS } from './seed/catalogue';
import { startOfDay } from './seed/clock';
import { planOrders, type World } from './seed/order-lives';
import { planProducts } from './seed/product-lives';
import { createRandom, type Random } from './seed/random';
import { spreadDates } from './seed/spread-dates';
import { type Dates, Timeline } from './seed/timeline';

const RANDOM_SEED = 20_26;

/** Three users with the password `shop`. */
export async function seedUsers(): Promise<void> {
  for (const user of USERS) await User.create({ ...user, passwordHash: await hashPassword(PASSWORD) });
}

/** Half a year of a shop's life, made by real changes; leaves a shop that has orders alone. */
export async function seedShop(onProgress: (done: number, total: number) => void): Promise<boolean> {
  if ((await Order.count()) > 0) return false;
  const random = createRandom(RANDOM_SEED);
  const opening = await openShop(random);
  const world = await planHalfAYear(random);
  const dates = await world.timeline.play(onProgress);
  await spreadDates([...opening, ...dates]);
  return true;
}

/** Users first, with nobody to have created them; then what they sell. */
async function openShop(random: Random): Promise<Dates> {
  await withAuditContext({ correlationId: 'seed-install', reason: 'installation' }, seedUsers);
  const context = { ...inOffice(await staff()), correlationId: 'seed-open', reason: 'opening' };
  await withAuditContext(context, async () => {
    await Tag.bulkCreate(TAG_NAMES.map((name) => ({ name })));
    await Product.bulkCreate(
      PRODUCTS.map(([sku, name, price]) => ({ sku, name, price, stock: random.between(40, 60) * 10 })),
    );
  });
  return [
    ['seed-install', startOfDay(0)],
    ['seed-open', new Date(startOfDay(0).getTime() + 60_000)],
  ];
}

async function planHalfAYear(random: Random): Promise<World> {
  const products = await Product.findAll({ order: ['id'] });
  const world = { timeline: new Timeline(), random, staff: await staff(), products };
  planOrders(world);
  planProducts(world);
  return world;
}

async function staff(): Promise<Staff> {
  const [admin, clerk] = await Promise.all(
    (['admin', 'clerk'] as const).map((role) => User.findOne({ where: { role }, rejectOnEmpty: true })),
  );
  if (!admin || !clerk) throw new Error('The shop has no admin or no clerk.');
  return { admin, clerk };
}
