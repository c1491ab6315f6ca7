import { withAuditContext } from 'sequelize-auditlog';
import { Address, Customer, Order, Product, Tag, User, type Role } from './models';
import { hashPassword } from './password';
import { inOffice, type Staff } from './seed/actors';
import { backdate } from './seed/backdate';
import { CUSTOMERS, PASSWORD, TAG_NAMES, USERS } from './seed/catalogue';
import { startOfDay } from './seed/clock';
import { newAddress, planCustomers } from './seed/customer-lives';
import { planNight } from './seed/night';
import { planOrders } from './seed/order-lives';
import { planProducts } from './seed/product-lives';
import { PRODUCTS } from './seed/products';
import { createRandom, type Random } from './seed/random';
import { Timeline, type Happened } from './seed/timeline';
import type { World } from './seed/world';

const RANDOM_SEED = 20_26;

/** Three users with the password `shop`, of whom an older shop may have none. */
export async function seedUsers(): Promise<void> {
  for (const user of USERS) {
    if ((await User.count({ where: { email: user.email } })) > 0) continue;
    await User.create({ ...user, passwordHash: await hashPassword(PASSWORD) });
  }
}

/**
 * Half a year of a shop's life, made by real changes; leaves a shop that has orders alone.
 *
 * @param share - of all that happens; tests make do with a part.
 */
export async function seedShop(
  onProgress: (done: number, total: number) => void,
  share = 1,
): Promise<boolean> {
  await withAuditContext({ correlationId: INSTALLATION.correlationId, reason: 'installation' }, seedUsers);
  if ((await Order.count()) > 0) return false;
  const random = createRandom(RANDOM_SEED);
  await openForBusiness(random);
  const world = await planHalfAYear(random, share);
  const happened = await world.timeline.play(random, onProgress);
  await backdate([INSTALLATION, OPENING, ...happened]);
  return true;
}

const INSTALLATION: Happened = { correlationId: 'seed-install', at: startOfDay(0), request: null };

const OPENING: Happened = {
  correlationId: 'seed-open',
  at: new Date(startOfDay(0).getTime() + 60_000),
  request: null,
};

/** Whoever runs the shop takes over what was on paper. */
async function openForBusiness(random: Random): Promise<void> {
  const context = { ...inOffice(await staff()), correlationId: OPENING.correlationId, reason: 'opening' };
  await withAuditContext(context, async () => {
    await Tag.bulkCreate(TAG_NAMES.map((name) => ({ name })));
    await Product.bulkCreate(PRODUCTS.map((product) => ({ ...product, stock: random.between(8, 15) * 10 })));
    const customers = await Customer.bulkCreate(CUSTOMERS.map((customer) => ({ ...customer, note: null })));
    await Address.bulkCreate(customers.flatMap(({ id }) => addressesOf(id, random)));
  });
}

const addressesOf = (customerId: number, random: Random) =>
  (['delivery', 'invoice'] as const).map((kind) => ({ customerId, kind, ...newAddress(random) }));

async function planHalfAYear(random: Random, share: number): Promise<World> {
  const world: World = {
    timeline: new Timeline(),
    random,
    staff: await staff(),
    products: await Product.findAll({ order: ['id'] }),
    customers: await Customer.findAll({ order: ['id'] }),
    about: (count) => Math.ceil(count * share),
  };
  planOrders(world);
  planProducts(world);
  planCustomers(world);
  planNight(world);
  return world;
}

async function staff(): Promise<Staff> {
  return { alice: await userOf('sales'), sam: await userOf('support'), ada: await userOf('admin') };
}

async function userOf(role: Role): Promise<User> {
  const user = await User.findOne({ where: { role, email: USERS.map(({ email }) => email) } });
  if (!user) throw new Error(`The shop has nobody for ${role}.`);
  return user;
}
