import { closeTestShop, openTestShop, placeOrder, type Visitor } from './support/shop';

const CARD_NUMBER = '4242424242421234';
const HOSTILE = '<script>alert("x")</script> & Sons';

let admin: Visitor;
let sales: Visitor;

beforeAll(async () => {
  ({ admin, sales } = await openTestShop());
});

afterAll(closeTestShop);

test('each change makes a version of the whole order, newest first', async () => {
  const id = await placeOrder(sales);
  await sales.patch(`/orders/${id}`).send({ notes: 'Ring twice.' }).expect(200);
  await admin.post(`/orders/${id}/ship`).expect(200);
  await admin.delete(`/orders/${id}`).expect(200);
  const { body } = await sales.get(`/orders/${id}/versions`).expect(200);
  expect(
    body.map((version: Record<string, unknown>) => [
      version['historyType'],
      version['status'],
      version['notes'],
    ]),
  ).toEqual([
    ['-', 'shipped', 'Ring twice.'],
    ['~', 'shipped', 'Ring twice.'],
    ['~', 'pending', 'Ring twice.'],
    ['+', 'pending', null],
  ]);
});

test.each(['application/json', 'text/html'])('no card number is in clear, as %s', async (type) => {
  const id = await placeOrder(sales, { cardNumber: CARD_NUMBER });
  await sales.patch(`/orders/${id}`).send({ cardNumber: '4000 0000 0000 9995' }).expect(200);
  const read = async (page: string) => (await admin.get(`/orders/${id}${page}`).set('Accept', type)).text;
  const [order, log, versions] = [await read(''), await read('/log'), await read('/versions')];
  expect([order, log, versions].join('\n')).not.toMatch(/4242424242421234|4000000000009995/);
  expect(log).toMatch(/\*{8}1234.*\*{8}9995/s);
  expect(versions).toMatch(/\*{8}9995.*\*{8}1234/s);
});

test('a hostile customer name stays text on every page', async () => {
  const id = await placeOrder(sales, { customerName: HOSTILE, notes: HOSTILE });
  await sales
    .patch(`/orders/${id}`)
    .send({ notes: `${HOSTILE} again` })
    .expect(200);
  for (const path of [
    '/orders',
    ...['', '/edit', '/log', '/versions'].map((page) => `/orders/${id}${page}`),
  ]) {
    const { text } = await sales.get(path).set('Accept', 'text/html').expect(200);
    expect(text).not.toContain('<script');
    expect(text).toContain('&lt;script&gt;alert(');
  }
});

test('pages come with a policy that allows no inline script, and have none', async () => {
  const { headers, text } = await sales.get('/orders').set('Accept', 'text/html').expect(200);
  expect(headers['content-security-policy']).toContain("script-src 'self'");
  expect(text).not.toMatch(/<script|<style|style=|\son\w+=/);
});

test('a form with a mistake is shown again with what was entered', async () => {
  const form = {
    customerName: 'Mill Street Bakery',
    customerEmail: 'not an address',
    productId: '1',
    quantity: '2',
  };
  const { text } = await sales.post('/orders').set('Accept', 'text/html').type('form').send(form).expect(422);
  expect(text).toContain('value="Mill Street Bakery"');
  expect(text).toContain('This is not an e-mail address.');
});

test('a form that leaves the card number empty keeps it', async () => {
  const id = await placeOrder(sales, { cardNumber: CARD_NUMBER });
  const form = {
    customerName: 'North Library',
    customerEmail: 'orders@north-library.example',
    cardNumber: '',
    notes: '',
  };
  await sales.post(`/orders/${id}`).set('Accept', 'text/html').type('form').send(form).expect(303);
  const { body } = await sales.get(`/orders/${id}`).expect(200);
  expect(body).toMatchObject({ customerName: 'North Library', cardNumber: '•••• 1234' });
});
