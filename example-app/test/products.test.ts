import { closeTestShop, type Entry, openTestShop, placeOrder, statusOf, type Visitor } from './support/shop';

let admin: Visitor;
let sales: Visitor;

beforeAll(async () => {
  ({ admin, sales } = await openTestShop());
});

afterAll(closeTestShop);

async function newestOf(productId: number): Promise<Entry | undefined> {
  const { body } = await sales.get(`/products/${productId}/log`).expect(200);
  return body[0];
}

test('an increment, for which Sequelize runs no hook, is in the log', async () => {
  await sales.post('/products/1/stock').send({ by: 10 }).expect(200);
  expect(await newestOf(1)).toMatchObject({
    action: 'update',
    actorLabel: 'alice@shop.example',
    changes: { stock: [100, 110] },
  });
});

test('shipping an order takes its products from the stock, each with an entry', async () => {
  const id = await placeOrder(sales);
  await sales.post(`/orders/${id}/ship`).expect(200);
  expect(await newestOf(2)).toMatchObject({
    request: `POST /orders/${id}/ship`,
    changes: { stock: [100, 99] },
  });
});

test('a product that is removed softly and restored has a delete and an update', async () => {
  await admin.delete('/products/2').expect(200);
  expect(await newestOf(2)).toMatchObject({ action: 'delete', actorLabel: 'ada@shop.example' });
  await sales
    .post('/orders')
    .send({ customerName: 'A', customerEmail: 'a@b.example', items: [{ productId: 2, quantity: 1 }] })
    .expect(422);
  await admin.post('/products/2/restore').expect(200);
  expect(await newestOf(2)).toMatchObject({ action: 'update', actorLabel: 'ada@shop.example' });
});

test('a second product with the same SKU is refused', async () => {
  const product = { sku: 'TEA-1', name: 'More tea', price: '1.00' };
  expect(await statusOf(sales.post('/products').send(product))).toBe(409);
});

test('what is on the package is JSON, which a form sends as a text', async () => {
  const form = {
    name: 'Cup',
    price: '4.50',
    description: 'Stoneware.',
    details: '{"pieces": 6, "glaze": {"colour": "sand"}}',
  };
  await sales.post('/products/2').set('Accept', 'text/html').type('form').send(form).expect(303);
  expect(await newestOf(2)).toMatchObject({
    changes: { description: ['', 'Stoneware.'], details: [{}, { pieces: 6, glaze: { colour: 'sand' } }] },
  });
  const { text } = await sales.get('/products/2/edit').set('Accept', 'text/html').expect(200);
  expect(text).toContain('&quot;colour&quot;: &quot;sand&quot;');
});

test.each(['{"pieces":', '[1]', 'six'])('details like %s are refused', async (details) => {
  const { body } = await sales.patch('/products/2').send({ details }).expect(422);
  expect(body.error.fields).toHaveProperty('details');
});
