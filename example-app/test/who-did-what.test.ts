import {
  CLIENT_ADDRESS,
  closeTestShop,
  logOf,
  newestEntry,
  openTestShop,
  placeOrder,
  type Visitor,
} from './support/shop';
import { LogEntry } from '../src/audit';
import { OrderItem } from '../src/models';

let admin: Visitor;
let sales: Visitor;
let support: Visitor;

beforeAll(async () => {
  ({ admin, sales, support } = await openTestShop());
});

afterAll(closeTestShop);

test('a new order is in the log under the salesperson who placed it', async () => {
  const id = await placeOrder(sales);
  const entries = await logOf(support, id);
  expect(entries).toHaveLength(1);
  expect(entries[0]).toMatchObject({
    action: 'create',
    actorId: '1',
    actorLabel: 'alice@shop.example',
    request: 'POST /orders',
    remoteAddr: CLIENT_ADDRESS,
    reason: null,
    changes: {
      id: [null, id],
      status: [null, 'pending'],
      total: [null, '24.50'],
      customerName: [null, 'Harbour Café'],
    },
  });
});

test('shipping is in the log under the admin, with the old status and the new one', async () => {
  const id = await placeOrder(sales);
  await admin.post(`/orders/${id}/ship`).expect(200);
  expect(await newestEntry(support, id)).toMatchObject({
    action: 'update',
    actorLabel: 'ada@shop.example',
    request: `POST /orders/${id}/ship`,
    changes: { status: ['pending', 'shipped'] },
  });
});

test('an edit by PATCH logs only what is different', async () => {
  const id = await placeOrder(sales);
  await sales.patch(`/orders/${id}`).send({ notes: 'Ring twice.', customerName: 'Harbour Café' }).expect(200);
  const { changes, request } = await newestEntry(support, id);
  expect({ changes, request }).toEqual({
    changes: { notes: [null, 'Ring twice.'] },
    request: `PATCH /orders/${id}`,
  });
});

test('an edit that changes nothing leaves no entry', async () => {
  const id = await placeOrder(sales);
  await sales.patch(`/orders/${id}`).send({ customerName: 'Harbour Café' }).expect(200);
  expect(await logOf(support, id)).toHaveLength(1);
});

test('internal notes are not in the log', async () => {
  const id = await placeOrder(sales, { internalNotes: 'Pays late.' });
  await sales.patch(`/orders/${id}`).send({ internalNotes: 'Pays very late.' }).expect(200);
  const entries = await logOf(support, id);
  expect(entries).toHaveLength(1);
  expect(JSON.stringify(entries)).not.toContain('Pays');
});

test('the log of a deleted order stays, and names who deleted it and the items that went with it', async () => {
  const id = await placeOrder(sales);
  await admin.delete(`/orders/${id}`).expect(200);
  await support.get(`/orders/${id}`).expect(404);
  const entry = await newestEntry(support, id);
  expect(entry).toMatchObject({
    action: 'delete',
    actorLabel: 'ada@shop.example',
    changes: { status: ['pending', null] },
  });
  const items = await LogEntry.forModel(OrderItem, {
    where: { action: 'delete', correlationId: entry.correlationId },
  });
  expect(items.map(({ actorLabel }) => actorLabel)).toEqual(['ada@shop.example', 'ada@shop.example']);
});

test('a cancellation carries its reason', async () => {
  const id = await placeOrder(sales);
  await sales.post(`/orders/${id}/cancel`).send({ reason: 'ordered twice' }).expect(200);
  expect(await newestEntry(support, id)).toMatchObject({
    reason: 'ordered twice',
    changes: { status: ['pending', 'cancelled'] },
  });
});

test('a cancellation without a reason is refused and leaves no entry', async () => {
  const id = await placeOrder(sales);
  await sales.post(`/orders/${id}/cancel`).send({ reason: ' ' }).expect(422);
  expect(await logOf(support, id)).toHaveLength(1);
});

test('a bulk edit leaves one entry per order, each with its own old status', async () => {
  const [first, second] = [await placeOrder(sales), await placeOrder(sales)];
  await sales.post(`/orders/${second}/pay`).expect(200);
  const change = { ids: [first, second], status: 'cancelled', reason: 'out of stock' };
  const { body } = await admin.post('/orders/bulk').send(change).expect(200);
  expect(body).toEqual({ changed: 2 });
  const entries = [await newestEntry(support, first), await newestEntry(support, second)];
  expect(entries.map(({ changes }) => changes['status'])).toEqual([
    ['pending', 'cancelled'],
    ['paid', 'cancelled'],
  ]);
  const common = entries.map(({ actorLabel, reason, request }) => ({ actorLabel, reason, request }));
  const expected = { actorLabel: 'ada@shop.example', reason: 'out of stock', request: 'POST /orders/bulk' };
  expect(common).toEqual([expected, expected]);
  expect(entries[0]?.transactionId).toBe(entries[1]?.transactionId);
});

test('a changed quantity logs the item and the new total in one transaction', async () => {
  const id = await placeOrder(sales);
  await sales.post(`/orders/${id}/items`).send({ productId: 1, quantity: 3 }).expect(200);
  const { changes, transactionId } = await newestEntry(support, id);
  expect(changes).toEqual({ total: ['24.50', '34.50'] });
  const [item] = await LogEntry.inTransaction(transactionId).then((all) =>
    all.filter(({ model }) => model === 'OrderItem'),
  );
  expect(item?.changes).toEqual({ quantity: [2, 3] });
});

test('tags that are added and removed are updates of the order', async () => {
  const id = await placeOrder(sales);
  const { body } = await sales.post(`/orders/${id}/tags`).send({ name: 'urgent' }).expect(200);
  expect(body.id).toBe(id);
  const added = await newestEntry(support, id);
  expect(added.changes).toMatchObject({
    tags: { type: 'm2m', added: [{ repr: 'Tag urgent' }], removed: [] },
  });
});

test('two users who work at the same time keep their own names', async () => {
  const places = await Promise.all(
    Array.from({ length: 20 }, (_, turn) => placeOrder(turn % 2 ? admin : sales)),
  );
  const changes = places.map((id, turn) => {
    const by = turn % 2 ? admin : sales;
    return by
      .patch(`/orders/${id}`)
      .send({ notes: `turn ${turn}` })
      .expect(200);
  });
  await Promise.all(changes);
  const logs = await Promise.all(places.map((id) => logOf(support, id)));
  logs.forEach((entries, turn) => {
    const name = turn % 2 ? 'ada@shop.example' : 'alice@shop.example';
    expect(entries.map(({ actorLabel }) => actorLabel)).toEqual([name, name]);
  });
});
