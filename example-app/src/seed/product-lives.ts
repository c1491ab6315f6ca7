import { Product } from '../models';
import { fromCents, toCents } from '../money';
import { atCounter, inOffice, priceImport, stockCount } from './actors';
import { atHour, SEEDED_DAYS, workingTime } from './clock';
import { edited, EDITS, KETTLE_SKU, LABELS_SKU, PENS_SKU } from './products';
import type { World } from './world';

const WEEK_DAYS = 7;
const COUNT_EVERY_DAYS = 3;

export function planProducts(world: World): void {
  for (let day = 5; day < SEEDED_DAYS; day += WEEK_DAYS) planPriceImport(world, day);
  for (let day = 3; day < SEEDED_DAYS; day += WEEK_DAYS) planDelivery(world, day);
  for (let day = 1; day < SEEDED_DAYS; day += COUNT_EVERY_DAYS) planStockCount(world, day);
  planRemovals(world);
  planRename(world);
  planEdits(world);
}

const isListed = ({ sku }: Product): boolean => sku !== PENS_SKU && sku !== LABELS_SKU;

/** A job has no request. What it writes is one statement for the whole list, which updates what is there. */
function planPriceImport({ timeline, random, products, about }: World, day: number): void {
  // The kettle's price is changed at night, which would keep the last import from being undone.
  const listed = products.filter((product) => isListed(product) && product.sku !== KETTLE_SKU);
  const percents = new Map(random.sample(listed, about(34)).map(({ id }) => [id, random.between(-4, 6)]));
  const at = atHour(day, 2);
  const file = `prices-${at.toISOString().slice(0, 10)}.csv`;
  timeline.add({
    at,
    by: { ...priceImport(at), reason: 'price list of the wholesaler', additionalData: { file } },
    run: () => importPrices(percents),
  });
}

async function importPrices(percents: ReadonlyMap<number, number>): Promise<void> {
  const found = await Product.findAll({ where: { id: [...percents.keys()] }, order: ['id'] });
  const rows = found.map((product) => ({
    ...product.get({ plain: true }),
    price: repriced(product, percents.get(product.id) ?? 0),
  }));
  await Product.bulkCreate(rows, { updateOnDuplicate: ['price'] });
}

const repriced = ({ price }: Product, percent: number): string =>
  fromCents(Math.round(toCents(price) * (1 + percent / 100)));

function planDelivery({ timeline, random, products, staff, about }: World, day: number): void {
  const delivered = random.sample(products.filter(isListed), about(25)).map(({ id }) => id);
  const pieces = random.between(4, 10);
  timeline.add({
    at: atHour(day, 7, 40),
    by: { ...atCounter(staff), reason: 'delivery' },
    request: () => 'POST /products/stock',
    run: () => Product.increment({ stock: pieces }, { where: { id: delivered } }),
  });
}

/** What is on the shelf is never quite what the books say. */
function planStockCount({ timeline, random, products, about }: World, day: number): void {
  const counted = random.sample(products.filter(isListed), about(14)).map(({ id }) => id);
  const at = atHour(day, 21, 30);
  timeline.add({
    at,
    by: { ...stockCount(at), reason: 'counted on the shelf' },
    run: () => Product.decrement({ stock: random.between(1, 3) }, { where: { id: counted } }),
  });
}

function planRemovals({ timeline, products, staff }: World): void {
  const pens = find(products, PENS_SKU);
  const labels = find(products, LABELS_SKU);
  const remove = (day: number, product: Product, reason: string): void =>
    timeline.add({
      at: atHour(day, 11, 5),
      by: { ...inOffice(staff), reason },
      request: () => `POST /products/${product.id}/remove`,
      run: () => product.destroy(),
    });
  remove(70, labels, 'no longer made');
  remove(120, pens, 'nobody buys them');
  timeline.add({
    at: atHour(74, 9, 20),
    by: { ...inOffice(staff), reason: 'removed by mistake' },
    request: () => `POST /products/${labels.id}/restore`,
    run: () => labels.restore(),
  });
}

/** Orders from before it show the old name in their past. */
function planRename({ timeline, products, staff }: World): void {
  const decaf = find(products, 'COF-DEC-1');
  timeline.add({
    at: atHour(150, 10),
    by: { ...inOffice(staff), reason: 'new label of the roaster' },
    request: () => `POST /products/${decaf.id}`,
    run: () =>
      decaf.update({
        name: 'Decaf espresso, water process, 1 kg',
        description: decaf.description.replace('with carbon dioxide', 'with nothing but water'),
      }),
  });
}

function planEdits({ timeline, random, products, staff }: World): void {
  for (const [index, edit] of EDITS.entries()) {
    const product = find(products, edit.sku);
    const day = 12 + Math.floor((index * (SEEDED_DAYS - 20)) / EDITS.length);
    timeline.add({
      at: workingTime(day, random),
      by: { ...atCounter(staff), reason: edit.reason },
      request: () => `POST /products/${product.id}`,
      run: () => product.update(edited(edit, product)),
    });
  }
}

export function find(products: readonly Product[], sku: string): Product {
  const found = products.find((product) => product.sku === sku);
  if (!found) throw new Error(`The catalogue has no ${sku}.`);
  return found;
}
