import {
  closeTestShop,
  logIn,
  logOf,
  newOrder,
  openTestShop,
  placeOrder,
  statusOf,
  visitor,
  type Visitor,
} from './support/shop';
import { Order } from '../src/models';

let admin: Visitor;
let sales: Visitor;
let support: Visitor;

beforeAll(async () => {
  ({ admin, sales, support } = await openTestShop());
});

afterAll(closeTestShop);

test('support reads everything', async () => {
  const id = await placeOrder(sales);
  const paths = ['/', '/orders', `/orders/${id}`, `/orders/${id}/log`, `/orders/${id}/versions`, '/products'];
  const statuses = await Promise.all(paths.map((path) => statusOf(support.get(path))));
  expect(new Set(statuses)).toEqual(new Set([200]));
});

test('support is refused every change, and nothing of it is in the log', async () => {
  const id = await placeOrder(sales);
  expect([
    await statusOf(support.post('/orders').send(newOrder())),
    await statusOf(support.patch(`/orders/${id}`).send({ notes: 'mine' })),
    await statusOf(support.post(`/orders/${id}/ship`)),
    await statusOf(support.post(`/orders/${id}/tags`).send({ name: 'urgent' })),
    await statusOf(support.delete(`/orders/${id}`)),
    await statusOf(support.post('/products/1/stock').send({ by: 5 })),
  ]).toEqual([403, 403, 403, 403, 403, 403]);
  expect(await logOf(support, id)).toHaveLength(1);
});

test('a salesperson may neither delete nor bulk-edit; an admin may', async () => {
  const id = await placeOrder(sales);
  const bulk = { ids: [id], status: 'paid' };
  for (const [who, expected] of [
    [sales, 403],
    [admin, 200],
  ] as const) {
    expect(await statusOf(who.post('/orders/bulk').send(bulk))).toBe(expected);
    expect(await statusOf(who.delete(`/orders/${id}`))).toBe(expected);
  }
});

test('who is not logged in sees nothing', async () => {
  expect(await statusOf(visitor().get('/orders'))).toBe(401);
  const { status, headers } = await visitor().get('/orders/1/log').set('Accept', 'text/html');
  expect([status, headers['location']]).toEqual([303, '/login?next=%2Forders%2F1%2Flog']);
});

test('a wrong password is refused', async () => {
  const guess = { email: 'ada@shop.example', password: 'guess' };
  expect(await statusOf(visitor().post('/login').send(guess))).toBe(401);
});

test('logging in leads only to addresses of the shop', async () => {
  const form = { email: 'alice@shop.example', password: 'shop', next: '//elsewhere.example/' };
  const { headers } = await visitor().post('/login').set('Accept', 'text/html').type('form').send(form);
  expect(headers['location']).toBe('/');
});

test('after logging out the session is gone', async () => {
  const someone = await logIn('sales');
  expect(await statusOf(someone.post('/logout'))).toBe(204);
  expect(await statusOf(someone.get('/orders'))).toBe(401);
});

test.each([
  ['another site', { 'Sec-Fetch-Site': 'cross-site' }],
  ['a sister site', { 'Sec-Fetch-Site': 'same-site' }],
  ['another origin, said by an older browser', { 'Sec-Fetch-Site': '', Origin: 'https://elsewhere.example' }],
  ['an opaque origin', { 'Sec-Fetch-Site': '', Origin: 'null' }],
])('a form from %s is refused', async (_from, headers) => {
  const before = await Order.count();
  const { status } = await sales.post('/orders').set(headers).type('form').send({ customerName: 'x' });
  expect([status, await Order.count()]).toEqual([403, before]);
});

test('an order that is shipped can be neither cancelled nor shipped again', async () => {
  const id = await placeOrder(sales);
  expect([
    await statusOf(sales.post(`/orders/${id}/ship`)),
    await statusOf(sales.post(`/orders/${id}/ship`)),
    await statusOf(sales.post(`/orders/${id}/cancel`).send({ reason: 'too late' })),
  ]).toEqual([200, 409, 409]);
  expect(await logOf(support, id)).toHaveLength(2);
});

test.each(['/orders/0', '/orders/99999999', '/orders/abc', '/orders/1%27', '/nowhere'])(
  '%s is not found',
  async (path) => {
    expect(await statusOf(support.get(path))).toBe(404);
  },
);
