// The two-minute tour of the README, in its order: what it says is there is there.
import { closeTestShop, logOf, openSeededShop, placeOrder, type Visitor } from './support/shop';
import { LogEntry } from '../src/audit';
import { Address, Customer, Order, Product } from '../src/models';

const SEED_TIMEOUT_MS = 120_000;
const SHARE = 0.05;

let ada: Visitor;
let alice: Visitor;
let sam: Visitor;

beforeAll(async () => {
  ({ admin: ada, sales: alice, support: sam } = await openSeededShop(SHARE));
}, SEED_TIMEOUT_MS);

afterAll(closeTestShop);

const page = async (by: Visitor, path: string): Promise<string> =>
  (await by.get(path).set('Accept', 'text/html').expect(200)).text;

const submit = (by: Visitor, path: string, form: object) =>
  by.post(path).set('Accept', 'text/html').type('form').send(form);

const wordsOf = (html: string): string => html.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ');

/** Alice changes an order of two products, and then how many of one there are. */
async function changedOrder(): Promise<number> {
  const id = await placeOrder(alice, { cardNumber: '4242424242421234', notes: 'Leave it at the door.' });
  await alice
    .patch(`/orders/${id}`)
    .send({
      cardNumber: '4000000000009995',
      notes: 'Leave it at the back door.',
      customerName: 'North Library',
    })
    .expect(200);
  await alice.post(`/orders/${id}/items`).send({ productId: 1, quantity: 7 }).expect(200);
  return id;
}

test('what alice did is on top for sam, a group for each request', async () => {
  const id = await changedOrder();
  const text = wordsOf(await page(sam, '/audit/'));
  expect(text).toMatch(new RegExp(`alice@shop\\.example · POST /orders/${id}/items · 2 changes in 2 models`));
  expect(text).toMatch(/alice@shop\.example · POST \/orders · 3 changes in 2 models/);
});

test('an entry shows the request, and the card number masked', async () => {
  const id = await changedOrder();
  const edited = (await logOf(sam, id))[1];
  const html = await page(sam, `/audit/e/${edited?.id}`);
  expect(wordsOf(html)).toContain(`PATCH /orders/${id}`);
  expect(html).toContain('********1234');
  expect(html).toContain('********9995');
  expect(html).not.toMatch(/4242424242421234|4000000000009995/);
});

test('of a long text the words that differ are marked, of details the value', async () => {
  const tea = await Product.findOne({ where: { sku: 'TEA-SEN-01' }, rejectOnEmpty: true });
  const description = tea.description.replace('fresh grass', 'fresh hay');
  const details = { ...tea.details, brewing: { celsius: 60, minutes: 2 } };
  await alice.patch(`/products/${tea.id}`).send({ description, details }).expect(200);
  const [entry] = await LogEntry.forObject(tea);
  const html = await page(sam, `/audit/e/${entry?.id}`);
  expect(wordsOf(html)).toMatch(/was grass/);
  expect(wordsOf(html)).toMatch(/now hay/);
  expect(wordsOf(html)).toMatch(/brewing\.celsius was 75 now 60/);
});

test('a timeline leads to the past and to comparisons', async () => {
  const id = await changedOrder();
  const [, edited, placed] = await logOf(sam, id);
  expect(wordsOf(await page(sam, `/audit/o/Order/${id}`))).toContain('North Library');
  const past = await page(sam, `/audit/o/Order/${id}/at?t=${placed?.id}`);
  expect(wordsOf(past)).toContain('Leave it at the door.');
  const compared = wordsOf(await page(sam, `/audit/o/Order/${id}/diff?from=${placed?.id}&to=${edited?.id}`));
  expect(compared).toContain('Harbour Café');
  expect(compared).toContain('North Library');
});

/** What ada ticks, and what she was shown last. */
async function revert(id: number, to: string, without: string[]): Promise<void> {
  const path = `/audit/o/Order/${id}/revert?to=${to}`;
  const html = await page(ada, path);
  const only = [...html.matchAll(/<input[^>]* name="only"[^>]* value="([^"]*)"/g)].map((match) => match[1]!);
  const [, expected] = /name="expected" value="(\d+)"/.exec(html) ?? [];
  await submit(ada, path, {
    only: only.filter((name) => !without.includes(name)),
    expected,
    reason: 'asked by phone',
  }).expect(303);
}

test('ada reverts a change without one of its fields, and then the revert', async () => {
  const id = await changedOrder();
  const [, , placed] = await logOf(sam, id);
  await revert(id, placed!.id, ['total', 'notes']);
  const [reverted, before] = await logOf(sam, id);
  expect(reverted).toMatchObject({
    actorLabel: 'ada@shop.example',
    reason: 'asked by phone',
    changes: { customerName: ['North Library', 'Harbour Café'] },
  });
  await revert(id, before!.id, []);
  expect(await Order.findByPk(id)).toMatchObject({
    customerName: 'North Library',
    notes: 'Leave it at the back door.',
    cardNumber: '4000000000009995',
  });
});

test('the customer who was taken for a duplicate comes back with the addresses', async () => {
  const list = await page(ada, '/audit/deleted?model=Customer');
  expect(wordsOf(list)).toContain('Lakeside Hostel');
  const entry = await LogEntry.findOne({
    where: { model: 'Customer', action: 'delete' },
    rejectOnEmpty: true,
  });
  const path = `/audit/t/${entry.transactionId}`;
  expect(await page(ada, path)).toContain('Preview the undo');
  const preview = await submit(ada, path, { preview: '1', reason: 'no duplicate' }).expect(200);
  expect(preview.text.match(/comes back/g)).toHaveLength(3);
  await submit(ada, path, { reason: 'no duplicate' }).expect(303);
  const customer = await Customer.findOne({ where: { name: 'Lakeside Hostel' }, rejectOnEmpty: true });
  expect(await Address.count({ where: { customerId: customer.id } })).toBe(2);
  expect(wordsOf(await page(ada, '/audit/deleted?model=Customer'))).not.toContain('Lakeside Hostel');
});

test('the search finds the price import and the night', async () => {
  const search = (q: string) => page(ada, `/audit/?q=${encodeURIComponent(q)}`);
  const imported = wordsOf(await search('actor:price-import field:price at:>=2026-11-01'));
  expect(imported).toMatch(/price import · \d+ changes in Product/);
  const night = wordsOf(await search('ip:203.0.113.66 model:Product'));
  expect(night).toMatch(/49\.00 → 1\.00 on Steel kettle/);
});

test('what was found is there as a table, for ada only', async () => {
  const path = '/audit/export.csv?actor=price-import&field=price';
  const [head, ...rows] = (await ada.get(path).expect(200)).text.trim().split('\n');
  expect(head).toContain('actor');
  expect(rows).toHaveLength(await LogEntry.count({ where: { actorId: 'price-import' } }));
  await sam.get(path).expect(403);
});
