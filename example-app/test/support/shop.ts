// First, because the models connect to DATABASE_URL when they are loaded.
import { database } from './database';
import supertest from 'supertest';
import { createApp, type Shop } from '../../src/app';
import { sequelize } from '../../src/database';
import { Product, type Role } from '../../src/models';
import { seedShop, seedUsers } from '../../src/seed';
import { USERS } from '../../src/seed/catalogue';
import * as tables from '../../src/tables';

export { database };

export const CLIENT_ADDRESS = '203.0.113.9';

export type Visitor = ReturnType<typeof supertest.agent>;

let shop: Shop | undefined;

export async function openTables(): Promise<void> {
  await database.open();
  await tables.openTables();
}

export async function openTestShop(): Promise<Record<Role, Visitor>> {
  await openTables();
  await seedUsers();
  await Product.bulkCreate([
    { sku: 'TEA-1', name: 'Tea', price: '10.00', stock: 100 },
    { sku: 'CUP-1', name: 'Cup', price: '4.50', stock: 100 },
  ]);
  return everybody();
}

/** With a part of the half year that `npm start` writes. */
export async function openSeededShop(share: number): Promise<Record<Role, Visitor>> {
  await openTables();
  await seedShop(() => undefined, share);
  return everybody();
}

async function everybody(): Promise<Record<Role, Visitor>> {
  shop = createApp();
  return { admin: await logIn('admin'), sales: await logIn('sales'), support: await logIn('support') };
}

export async function closeTestShop(): Promise<void> {
  shop?.close();
  await sequelize.close();
  await database.close();
}

/** Somebody who prefers JSON, behind a proxy on this machine that passes on where the request came from. */
export function visitor(): Visitor {
  if (!shop) throw new Error('The shop is not open.');
  const agent = supertest.agent(shop.app);
  agent.set('Accept', 'application/json');
  agent.set('Sec-Fetch-Site', 'same-origin');
  agent.set('X-Forwarded-For', CLIENT_ADDRESS);
  return agent;
}

export async function logIn(role: Role): Promise<Visitor> {
  const agent = visitor();
  const email = USERS.find((user) => user.role === role)?.email;
  const credentials = { email, password: 'shop' };
  await agent.post('/login').send(credentials).expect(200);
  return agent;
}

export async function statusOf(request: PromiseLike<{ status: number }>): Promise<number> {
  return (await request).status;
}

export const newOrder = (values: object = {}): object => ({
  customerName: 'Harbour Café',
  customerEmail: 'orders@harbour-cafe.example',
  items: [
    { productId: 1, quantity: 2 },
    { productId: 2, quantity: 1 },
  ],
  ...values,
});

export async function placeOrder(by: Visitor, values: object = {}): Promise<number> {
  const { body } = await by.post('/orders').send(newOrder(values)).expect(201);
  return body.id;
}

/** As the log's JSON has them, newest first. */
export interface Entry {
  readonly id: string;
  readonly action: string;
  readonly actorId: string | null;
  readonly actorLabel: string | null;
  readonly changes: Record<string, [unknown, unknown]>;
  readonly reason: string | null;
  readonly request: string | null;
  readonly remoteAddr: string | null;
  readonly correlationId: string;
  readonly transactionId: string;
}

export async function logOf(reader: Visitor, id: number): Promise<Entry[]> {
  return (await reader.get(`/orders/${id}/log`).expect(200)).body;
}

export async function newestEntry(reader: Visitor, id: number): Promise<Entry> {
  const [entry] = await logOf(reader, id);
  if (!entry) throw new Error(`Order ${id} has no log.`);
  return entry;
}
