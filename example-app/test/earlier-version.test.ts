import { closeTestShop, database, openTables as openNew } from './support/shop';
import { LogEntry, orders, products } from '../src/audit';
import { Customer, Order, Product, User } from '../src/models';
import { seedUsers } from '../src/seed';
import { placeOrder } from '../src/services/orders';
import { openTables } from '../src/tables';

beforeAll(openNew);

afterAll(closeTestShop);

/** What the shop had before it knew customers, descriptions and details, and when sales were called clerks. */
const EARLIER = `
  create type earlier_role as enum ('admin', 'clerk', 'support');
  alter table users alter column role type earlier_role using role::text::earlier_role;
  insert into users (email, name, role, password_hash) values ('clerk@shop.example', 'Clerk', 'clerk', 'x');
  alter table orders drop column customer_id;
  alter table orders_history drop column customer_id;
  alter table products drop column description, drop column details;
  alter table products_history drop column description, drop column details;
  drop table addresses, addresses_history, customers, customers_history;
  insert into products (sku, name, price) values ('TEA-1', 'Tea', 10);
  insert into orders (customer_name, customer_email) values ('Harbour Café', 'orders@harbour-cafe.example');
`;

test('a database of an earlier version opens, with what is missing added', async () => {
  await database.rows(EARLIER);
  await openTables();
  await seedUsers();
  expect(await User.findAll({ attributes: ['email', 'role'], order: ['id'], raw: true })).toEqual([
    { email: 'clerk@shop.example', role: 'sales' },
    { email: 'alice@shop.example', role: 'sales' },
    { email: 'sam@shop.example', role: 'support' },
    { email: 'ada@shop.example', role: 'admin' },
  ]);
  expect(await Product.findOne()).toMatchObject({ name: 'Tea', description: '', details: {} });
  expect(await Order.findOne()).toMatchObject({ customerName: 'Harbour Café', customerId: null });
});

test('what is written from then on is complete in the log and in versions', async () => {
  const customer = await Customer.create({ name: 'Harbour Café', email: 'orders@harbour-cafe.example' });
  const tea = await Product.findOne({ rejectOnEmpty: true });
  await tea.update({ description: 'A strong tea.', details: { origin: 'Assam' } });
  const values = { customerName: customer.name, customerEmail: customer.email };
  const order = await placeOrder(values, [{ productId: tea.id, quantity: 1 }]);
  const [entry] = await LogEntry.forObject(tea);
  expect(entry?.changes).toEqual({ description: ['', 'A strong tea.'], details: [{}, { origin: 'Assam' }] });
  expect((await products.versions(tea))[0]).toMatchObject({ details: { origin: 'Assam' } });
  expect((await orders.versions(order))[0]).toMatchObject({ customerId: customer.id });
});

test('to open it once more changes nothing', async () => {
  const columns = (): Promise<unknown[]> =>
    database.rows(
      `select table_name, column_name, data_type, is_nullable from information_schema.columns
        where table_schema = current_schema() order by 1, 2`,
    );
  const before = await columns();
  await openTables();
  expect(await columns()).toEqual(before);
});
