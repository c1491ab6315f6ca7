import { closeTestShop, openTestShop, placeOrder, statusOf, type Visitor } from './support/shop';
import { addresses, auditLog, LogEntry } from '../src/audit';
import { Address, Customer, Order } from '../src/models';

let admin: Visitor;
let sales: Visitor;
let support: Visitor;

beforeAll(async () => {
  ({ admin, sales, support } = await openTestShop());
});

afterAll(closeTestShop);

async function newCustomer(): Promise<number> {
  const email = `orders-${(await Customer.count()) + 1}-${Date.now()}@harbour-cafe.example`;
  const { body } = await sales.post('/customers').send({ name: 'Harbour Café', email }).expect(201);
  for (const kind of ['delivery', 'invoice'] as const)
    await Address.create({ customerId: body.id, kind, street: '1 Mill Street', city: 'Northport' });
  return body.id;
}

test('reading a customer’s page is in the log', async () => {
  const id = await newCustomer();
  await support.get(`/customers/${id}`).expect(200);
  const [entry] = await LogEntry.forObject(Customer, id);
  expect(entry).toMatchObject({
    action: 'access',
    actorLabel: 'sam@shop.example',
    request: `GET /customers/${id}`,
  });
});

test('an order belongs to the customer with its e-mail address', async () => {
  const id = await newCustomer();
  const customer = await Customer.findByPk(id, { rejectOnEmpty: true });
  const known = await placeOrder(sales, { customerEmail: customer.email });
  const unknown = await placeOrder(sales, { customerEmail: 'somebody@elsewhere.example' });
  const { body } = await sales.get(`/customers/${id}`).expect(200);
  expect(body.orders.map((order: { id: number }) => order.id)).toEqual([known]);
  expect(await Order.findByPk(unknown)).toMatchObject({ customerId: null });
});

test('an address is changed on its own', async () => {
  const id = await newCustomer();
  const address = await Address.findOne({ where: { customerId: id }, rejectOnEmpty: true });
  await sales.post(`/customers/${id}/addresses/${address.id}`).send({ street: '2 Canal Walk' }).expect(200);
  expect((await addresses.entries(address))[0]).toMatchObject({
    changes: { street: ['1 Mill Street', '2 Canal Walk'] },
  });
  expect(await statusOf(sales.post(`/customers/1/addresses/999`).send({ street: 'x' }))).toBe(404);
});

test('what goes with a deleted customer is in the log, and comes back with the transaction', async () => {
  const id = await newCustomer();
  const customer = await Customer.findByPk(id, { rejectOnEmpty: true });
  const order = await placeOrder(sales, { customerEmail: customer.email });
  expect(await statusOf(sales.post(`/customers/${id}/delete`))).toBe(403);
  await admin.post(`/customers/${id}/delete`).expect(200);
  const [entry] = await LogEntry.forObject(Customer, id);
  const gone = await LogEntry.inTransaction(entry!.transactionId!, { order: [['model', 'asc']] });
  expect(gone.map(({ action, model }) => `${action} ${model}`)).toEqual([
    'delete Address',
    'delete Address',
    'delete Customer',
    'update Order',
  ]);
  await auditLog.revertTransaction(entry!.transactionId!, { reason: 'by mistake' });
  expect(await Address.count({ where: { customerId: id } })).toBe(2);
  expect(await Order.findByPk(order)).toMatchObject({ customerId: id });
});

test('a customer’s page and forms answer, and mistakes are shown', async () => {
  const id = await newCustomer();
  const page = (path: string) => sales.get(path).set('Accept', 'text/html').expect(200);
  expect((await page('/customers')).text).toContain(`/customers/${id}`);
  expect((await page(`/customers/${id}`)).text).toContain('1 Mill Street');
  expect((await page(`/customers/${id}/edit`)).text).toContain('value="Harbour Café"');
  const { text } = await sales
    .post(`/customers/${id}`)
    .set('Accept', 'text/html')
    .type('form')
    .send({ name: 'Harbour', email: 'no address' })
    .expect(422);
  expect(text).toContain('This is not an e-mail address.');
});
