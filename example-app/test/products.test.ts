import { closeTestShop, type Entry, openTestShop, placeOrder, statusOf, type Visitor } from './support/shop';

let admin: Visitor;
let clerk: Visitor;

beforeAll(async () => {
  ({ admin, clerk } = await openTestShop());
});

afterAll(closeTestShop);

async function newestOf(productId: number): Promise<Entry | undefined> {
  const { body } = await clerk.get(`/products/${productId}/log`).expect(200);
  return body[0];
}

test('an increment, for which Sequelize runs no hook, is in the log', async () => {
  await clerk.post('/products/1/stock').send({ by: 10 }).expect(200);
  expect(await newestOf(1)).toMatchObject({
    action: 'update',
    actorLabel: 'clerk@shop.example',
    changes: { stock: [100, 110] },
  });
});

test('shipping an order takes its products from the stock, each with an entry', async () => {
  const id = await placeOrder(clerk);
  await clerk.post(`/orders/${id}/ship`).expect(200);
  expect(await newestOf(2)).toMatchObject({
    request: `POST /orders/${id}/ship`,
    changes: { stock: [100, 99] },
  });
});

test('a product that is removed softly and restored has a delete and an update', async () => {
  await admin.delete('/products/2').expect(200);
  expect(await newestOf(2)).toMatchObject({ action: 'delete', actorLabel: 'admin@shop.example' });
  await clerk
    .post('/orders')
    .send({ customerName: 'A', customerEmail: 'a@b.example', items: [{ productId: 2, quantity: 1 }] })
    .expect(422);
  await admin.post('/products/2/restore').expect(200);
  expect(await newestOf(2)).toMatchObject({ action: 'update', actorLabel: 'admin@shop.example' });
});

test('a second product with the same SKU is refused', async () => {
  const product = { sku: 'TEA-1', name: 'More tea', price: '1.00' };
  expect(await statusOf(clerk.post('/products').send(product))).toBe(409);
});
