import { withAuditContext, withoutAudit } from 'sequelize-auditlog';
import {
  closeTestShop,
  database,
  logOf,
  newestEntry,
  openTestShop,
  placeOrder,
  statusOf,
  type Visitor,
} from './support/shop';
import { Order, OrderItem, Product } from '../src/models';

const CARD_NUMBER = '4242424242421234';
const HOSTILE = '<script>alert("x")</script> & Sons';

let admin: Visitor;
let sales: Visitor;
let support: Visitor;
/** An order with a past, for tests that only look. */
let past: number;

beforeAll(async () => {
  ({ admin, sales, support } = await openTestShop());
  past = await orderWithPast();
});

afterAll(closeTestShop);

const page = (by: Visitor, path: string) => by.get(path).set('Accept', 'text/html');

const submit = (by: Visitor, path: string, form: object) =>
  by.post(path).set('Accept', 'text/html').type('form').send(form);

interface VersionJson {
  readonly historyId: string;
  readonly logEntryId: string;
}

async function versionsOf(id: number): Promise<VersionJson[]> {
  return (await sales.get(`/orders/${id}/versions`).expect(200)).body;
}

/** The name of a tag is that of its order, since all orders share the tags. */
async function orderWithPast(): Promise<number> {
  const id = await placeOrder(sales, { cardNumber: CARD_NUMBER, internalNotes: 'Pays late.' });
  await sales
    .post(`/orders/${id}/tags`)
    .send({ name: `tag ${id}` })
    .expect(200);
  await sales.post(`/orders/${id}/items`).send({ productId: 1, quantity: 5 }).expect(200);
  await sales.post(`/orders/${id}/items`).send({ productId: 2, quantity: 0 }).expect(200);
  await sales
    .patch(`/orders/${id}`)
    .send({ customerName: 'North Library', notes: 'Ring twice.' })
    .expect(200);
  return id;
}

describe('an order as of a date', () => {
  test('has the items, the tags and the values that it had', async () => {
    const id = past;
    const [, , , tagged, placed] = await logOf(support, id);
    const { body } = await support.get(`/orders/${id}/at?after=${placed?.id}`).expect(200);
    expect(body.order).toMatchObject({
      customerName: 'Harbour Café',
      total: '24.50',
      notes: null,
      tags: [],
      items: [
        { product: 'Tea', quantity: 2 },
        { product: 'Cup', quantity: 1 },
      ],
    });
    expect(body.order).not.toHaveProperty('cardNumber');
    const later = await support.get(`/orders/${id}/at?after=${tagged?.id}`).expect(200);
    expect(later.body.order.tags).toEqual([`tag ${id}`]);
  });

  test('its page marks what is different now', async () => {
    const id = past;
    const placed = (await logOf(support, id)).at(-1);
    const { text } = await page(support, `/orders/${id}/at?after=${placed?.id}`).expect(200);
    expect(text).toMatch(/<mark>Harbour Café<\/mark>\s*<small>now North Library<\/small>/);
    expect(text).toMatch(/<mark>Cup<\/mark>[\s\S]*?removed since/);
    expect(text).toMatch(/<mark>2<\/mark>\s*<small>now 5<\/small>/);
    expect(text).not.toContain(CARD_NUMBER);
  });

  test('products have the names that they had', async () => {
    const placed = (await logOf(support, past)).at(-1);
    const tea = await Product.findByPk(1, { rejectOnEmpty: true });
    await tea.update({ name: 'Green tea' });
    const { text } = await page(support, `/orders/${past}/at?after=${placed?.id}`).expect(200);
    await tea.update({ name: 'Tea' });
    expect(text).toMatch(/Tea<small>[\s\S]*?now called Green tea/);
  });

  test('before a change and after it are moments to look at', async () => {
    const id = past;
    const renamed = await newestEntry(support, id);
    const name = async (query: string) =>
      (await support.get(`/orders/${id}/at?${query}=${renamed.id}`).expect(200)).body.order.customerName;
    expect([await name('before'), await name('after')]).toEqual(['Harbour Café', 'North Library']);
  });

  test('a date alone means the end of that day, a time without zone is UTC', async () => {
    const id = await placeOrder(sales);
    await moveBack(id, '2026-03-05T12:00:00Z');
    const statuses = [
      '2026-03-04',
      '2026-03-05',
      '2026-03-05T11:59',
      '2026-03-05T12:00:01',
      '2026-03-05T12:30:00%2B01:00',
    ];
    const seen = await Promise.all(statuses.map((t) => statusOf(support.get(`/orders/${id}/at?t=${t}`))));
    expect(seen).toEqual([404, 200, 404, 200, 404]);
  });

  test.each(['last tuesday', '2026-02-30', '9999-01-01', '0000-01-01T00:00', '<b>'])(
    'the form comes again for "%s"',
    async (t) => {
      const path = `/orders/${past}/at?t=${encodeURIComponent(t)}`;
      const { text } = await page(support, path).expect(422);
      expect(text).toMatch(/role="alert"[\s\S]*?(no date and time|still to come)/);
      expect(text).toContain('type="datetime-local"');
      expect(text).not.toContain('<b>');
      expect(await statusOf(support.get(path))).toBe(422);
    },
  );

  test('without a date there is the form and the changes to choose from', async () => {
    const { text } = await page(support, `/orders/${past}/at`).expect(200);
    expect(text).toContain('type="datetime-local"');
    expect(text).toContain(`/orders/${past}/at?before=`);
    expect(await statusOf(support.get(`/orders/${past}/at`))).toBe(422);
  });

  test('an order that was not there yet, or not any more, or is not known, says so', async () => {
    const id = await placeOrder(sales);
    await admin.delete(`/orders/${id}`).expect(200);
    const [deleted, placed] = await logOf(support, id);
    const early = await page(support, `/orders/${id}/at?before=${placed?.id}`).expect(404);
    expect(early.text).toContain('was not placed yet');
    const late = await page(support, `/orders/${id}/at?after=${deleted?.id}`).expect(410);
    expect(late.text).toContain('was deleted by then: by ada@shop.example');
    const unrecorded = await unrecordedOrder();
    const unknown = await page(support, `/orders/${unrecorded}/at?t=2026-01-01`).expect(422);
    expect(unknown.text).toContain('is not known: its history begins');
    expect(await statusOf(support.get('/orders/999999/at?t=2026-01-01'))).toBe(404);
  });
});

/** Placed before there was a log, and changed since. */
async function unrecordedOrder(): Promise<number> {
  const order = await withoutAudit(() =>
    Order.create({ customerName: 'Old', customerEmail: 'old@shop.example', total: '1.00' }),
  );
  await sales.patch(`/orders/${order.id}`).send({ notes: 'found' }).expect(200);
  return order.id;
}

async function moveBack(id: number, at: string): Promise<void> {
  const { transactionId } = await newestEntry(support, id);
  await database.rows('update audit_log_entries set timestamp = $1 where transaction_id = $2', [
    at,
    transactionId,
  ]);
  await database.rows('update orders_history set history_date = $1 where id = $2', [at, id]);
  await database.rows('update order_items_history set history_date = $1 where order_id = $2', [at, id]);
}

describe('two versions', () => {
  test('are compared with their items and tags', async () => {
    const id = past;
    const first = (await versionsOf(id)).at(-1);
    const { body } = await support
      .get(`/orders/${id}/compare?from=${first?.historyId}&to=current`)
      .expect(200);
    expect(body.changes).toMatchObject([
      { attribute: 'total', old: '24.50', new: '50.00' },
      { attribute: 'customerName', old: 'Harbour Café', new: 'North Library' },
      { attribute: 'notes', old: null, new: 'Ring twice.' },
      { attribute: 'tags', added: [{ repr: `Tag tag ${id}` }], removed: [] },
    ]);
    expect(body.items).toMatchObject([
      { was: { product: 'Tea', quantity: 2 }, now: { quantity: 5 } },
      { was: { product: 'Cup', quantity: 1 }, now: null },
    ]);
    const { text } = await page(support, `/orders/${id}/compare?from=${first?.historyId}&to=current`).expect(
      200,
    );
    expect(text).toMatch(/<del>Harbour Café<\/del>[\s\S]*?<ins>North Library<\/ins>/);
  });

  test('that are equal say so', async () => {
    const id = await placeOrder(sales);
    const [{ historyId } = { historyId: '' }] = await versionsOf(id);
    const { text } = await page(support, `/orders/${id}/compare?from=${historyId}&to=current`).expect(200);
    expect(text).toContain('No difference.');
  });

  test('of another order, unknown ones and half a choice are refused', async () => {
    const [id, other] = [await placeOrder(sales), await placeOrder(sales)];
    const [foreign] = await versionsOf(other);
    const ask = (query: string) => statusOf(support.get(`/orders/${id}/compare?${query}`));
    expect([
      await ask(`from=${foreign?.historyId}&to=current`),
      await ask('from=999999&to=current'),
      await ask("from=1'&to=current"),
      await ask('from=current'),
    ]).toEqual([404, 404, 422, 422]);
  });

  test('can be chosen on the page of versions', async () => {
    const id = past;
    const { text } = await page(support, `/orders/${id}/versions`).expect(200);
    expect(text).toMatch(/type="radio"\s+name="from"/);
    expect(text).toMatch(/name="to"\s+value="current"[^>]*checked/);
    expect(text).not.toContain('/restore?to=');
  });
});

describe('restoring a version', () => {
  test('shows first what it would do, and does only what is checked', async () => {
    const id = await orderWithPast();
    const first = (await versionsOf(id)).at(-1);
    const path = `/orders/${id}/restore?to=${first?.historyId}`;
    const { body } = await sales.get(path).expect(200);
    expect(body.changes).toMatchObject([
      { attribute: 'customerName', now: 'North Library', after: 'Harbour Café' },
      { attribute: 'notes', now: 'Ring twice.', after: null },
      { attribute: 'tags', added: [], removed: [{ repr: `Tag tag ${id}` }] },
    ]);
    expect((await newestEntry(support, id)).id).toBe(body.seen);
    const form = { seen: body.seen, reason: 'typing error', only: ['customerName'] };
    await submit(sales, path, form).expect(303).expect('Location', `/orders/${id}`);
    const order = await sales.get(`/orders/${id}`).expect(200);
    expect(order.body).toMatchObject({ customerName: 'Harbour Café', notes: 'Ring twice.', total: '50.00' });
    expect(await newestEntry(support, id)).toMatchObject({
      reason: 'typing error',
      actorLabel: 'alice@shop.example',
      changes: { customerName: ['North Library', 'Harbour Café'] },
    });
  });

  test('its page has a box for each value and says what stays as it is', async () => {
    const id = past;
    const first = (await versionsOf(id)).at(-1);
    const { text } = await page(sales, `/orders/${id}/restore?to=${first?.historyId}`).expect(200);
    expect(text.match(/type="checkbox"/g)).toHaveLength(3);
    expect(text).toContain('Card (its value is not kept in the log)');
    expect(text).not.toContain(CARD_NUMBER);
  });

  test('needs a reason and at least one value, and keeps what was entered', async () => {
    const id = past;
    const first = (await versionsOf(id)).at(-1);
    const path = `/orders/${id}/restore?to=${first?.historyId}`;
    const { id: seen } = await newestEntry(support, id);
    const noReason = await submit(sales, path, { seen, reason: ' ', only: 'notes' }).expect(422);
    expect(noReason.text).toContain('Please say why.');
    expect(noReason.text.match(/ checked/g)).toHaveLength(1);
    const noValue = await submit(sales, path, { seen, reason: 'because' }).expect(422);
    expect(noValue.text).toContain('Check at least one value.');
    expect(noValue.text).toContain('value="because"');
    expect(await statusOf(sales.post(path).send({ seen, reason: 'x', only: ['total'] }))).toBe(422);
    expect((await newestEntry(support, id)).id).toBe(seen);
  });

  test('does nothing when somebody was faster', async () => {
    const id = await orderWithPast();
    const first = (await versionsOf(id)).at(-1);
    const path = `/orders/${id}/restore?to=${first?.historyId}`;
    const { id: seen } = await newestEntry(support, id);
    await admin.post(`/orders/${id}/tags`).send({ name: 'later' }).expect(200);
    const form = { seen, reason: 'too late', only: ['notes'] };
    const { text } = await submit(sales, path, form).expect(409);
    expect(text).toContain('was changed since you looked at it: ada@shop.example');
    expect(text).toContain(`href="${path}"`);
    expect(await statusOf(sales.post(path).send(form))).toBe(409);
    expect((await sales.get(`/orders/${id}`)).body.notes).toBe('Ring twice.');
  });

  test('leaves the status of a shipped order, whose products left the stock', async () => {
    const id = await placeOrder(sales);
    const [first] = await versionsOf(id);
    await sales.post(`/orders/${id}/ship`).expect(200);
    const path = `/orders/${id}/restore?to=${first?.historyId}`;
    const { body } = await sales.get(path).expect(200);
    expect(body.changes).toEqual([]);
    const form = { seen: body.seen, reason: 'again', only: ['status'] };
    expect(await statusOf(sales.post(path).send(form))).toBe(422);
    expect((await page(sales, path)).text).toContain('and so does the status');
  });

  test('says when there is nothing to put back', async () => {
    const id = await placeOrder(sales);
    const [newest] = await versionsOf(id);
    const { text } = await page(sales, `/orders/${id}/restore?to=${newest?.historyId}`).expect(200);
    expect(text).toContain('There is nothing to put back');
  });
});

describe('deleted orders', () => {
  async function deletedOrder(values: object = {}): Promise<number> {
    const id = await placeOrder(sales, { cardNumber: CARD_NUMBER, ...values });
    await sales
      .post(`/orders/${id}/tags`)
      .send({ name: `tag ${id}` })
      .expect(200);
    await admin.delete(`/orders/${id}`).expect(200);
    return id;
  }

  test('are listed, newest first, with who deleted them', async () => {
    const [first, second] = [await deletedOrder(), await deletedOrder()];
    const { body } = await support.get('/orders/deleted').expect(200);
    expect(body.deleted.slice(0, 2)).toMatchObject([
      { id: second, logEntry: { actorLabel: 'ada@shop.example' } },
      { id: first },
    ]);
    const pages = await Promise.all([admin, sales].map((by) => page(by, '/orders/deleted').expect(200)));
    expect(pages.map(({ text }) => text.includes(`/orders/${first}/restore`))).toEqual([true, false]);
  });

  test('come back under their numbers, with items and tags', async () => {
    const id = await deletedOrder({ internalNotes: 'Pays late.' });
    const path = `/orders/${id}/restore`;
    const preview = await page(admin, path).expect(200);
    expect(preview.text).toMatch(/Tea[\s\S]*Cup/);
    expect(preview.text).toContain('Internal notes (it is not part of the log)');
    const { body } = await admin.get(path).expect(200);
    expect(await Order.count({ where: { id } })).toBe(0);
    await submit(admin, path, { seen: body.seen, reason: 'deleted by mistake' }).expect(303);
    const order = await sales.get(`/orders/${id}`).expect(200);
    expect(order.body).toMatchObject({
      id,
      customerName: 'Harbour Café',
      cardNumber: 'none',
      tags: [`tag ${id}`],
      items: [{ quantity: 2 }, { quantity: 1 }],
    });
    expect(await newestEntry(support, id)).toMatchObject({ reason: 'deleted by mistake' });
    const listed = await support.get('/orders/deleted').expect(200);
    expect(listed.body.deleted.map((version: { id: number }) => version.id)).not.toContain(id);
  });

  test('come back after a second deletion as they were then', async () => {
    const id = await deletedOrder();
    for (const notes of ['first life', 'second life']) {
      const { body } = await admin.get(`/orders/${id}/restore`).expect(200);
      await admin.post(`/orders/${id}/restore`).send({ seen: body.seen, reason: 'mistake' }).expect(200);
      await sales.patch(`/orders/${id}`).send({ notes }).expect(200);
      await sales.post(`/orders/${id}/items`).send({ productId: 1, quantity: notes.length }).expect(200);
      await admin.delete(`/orders/${id}`).expect(200);
    }
    const { body } = await admin.get(`/orders/${id}/restore`).expect(200);
    await admin.post(`/orders/${id}/restore`).send({ seen: body.seen, reason: 'mistake' }).expect(200);
    const order = await sales.get(`/orders/${id}`).expect(200);
    expect(order.body).toMatchObject({
      notes: 'second life',
      total: '114.50',
      tags: [`tag ${id}`],
      items: [{ quantity: 11 }, { quantity: 1 }],
    });
  });

  test('come back once', async () => {
    const id = await deletedOrder();
    const { body } = await admin.get(`/orders/${id}/restore`).expect(200);
    const restore = () =>
      statusOf(admin.post(`/orders/${id}/restore`).send({ seen: body.seen, reason: 'mistake' }));
    const statuses = await Promise.all([restore(), restore()]);
    expect(statuses.toSorted()).toEqual([200, 409]);
    expect(await OrderItem.count({ where: { orderId: id } })).toBe(2);
    expect(await restore()).toBe(409);
  });

  test('need a reason', async () => {
    const id = await deletedOrder();
    const { body } = await admin.get(`/orders/${id}/restore`).expect(200);
    const { text } = await submit(admin, `/orders/${id}/restore`, { seen: body.seen, reason: '' }).expect(
      422,
    );
    expect(text).toContain('Please say why.');
    expect(await Order.count({ where: { id } })).toBe(0);
  });

  test('only who may delete brings them back', async () => {
    const id = await deletedOrder();
    const ask = (by: Visitor) => [by.get(`/orders/${id}/restore`), by.post(`/orders/${id}/restore`).send({})];
    expect(await Promise.all([...ask(sales), ...ask(support)].map(statusOf))).toEqual([403, 403, 403, 403]);
  });
});

describe('what one job did', () => {
  async function importPrices(correlationId: string): Promise<void> {
    await withAuditContext(
      { correlationId, actor: { id: 'import', label: 'price import', type: 'job' } },
      async () => {
        const products = await Product.findAll({ order: ['id'] });
        for (const product of products) await product.update({ price: '99.00' });
      },
    );
  }

  const prices = async () => (await Product.findAll({ order: ['id'] })).map(({ price }) => price);

  test('is undone as a whole, with a preview and a reason', async () => {
    const before = await prices();
    await importPrices('import-1');
    const { text } = await page(admin, '/requests/import-1/undo').expect(200);
    expect(text).toContain('Undo what price import did');
    const logs = await Promise.all([admin, sales].map((by) => page(by, '/products/1/log').expect(200)));
    expect(logs.map((log) => log.text.includes('/requests/import-1/undo'))).toEqual([true, false]);
    await submit(admin, '/requests/import-1/undo', { reason: '' }).expect(422);
    expect(await prices()).toEqual(before.map(() => '99.00'));
    await submit(admin, '/requests/import-1/undo', { reason: 'wrong file' }).expect(303);
    expect(await prices()).toEqual(before);
  });

  test('is left alone when a later change would be lost', async () => {
    const before = await prices();
    await importPrices('import-2');
    await sales.patch('/products/1').send({ price: '12.00' }).expect(200);
    const { text } = await page(admin, '/requests/import-2/undo').expect(200);
    expect(text).toContain('It can’t be undone any more');
    expect(await statusOf(admin.post('/requests/import-2/undo').send({ reason: 'late' }))).toBe(409);
    expect(await prices()).toEqual(['12.00', '99.00']);
    await Promise.all(before.map((price, index) => Product.update({ price }, { where: { id: index + 1 } })));
  });

  test('only who may edit many at once undoes it, and only what there was', async () => {
    const asked = [sales, support].map((by) => by.post('/requests/import-1/undo').send({ reason: 'mine' }));
    expect(await Promise.all([...asked, admin.get('/requests/nothing/undo')].map(statusOf))).toEqual([
      403, 403, 404,
    ]);
  });
});

test('support looks at the past and restores nothing', async () => {
  const id = past;
  const first = (await versionsOf(id)).at(-1);
  const look = [`at?after=${first?.logEntryId}`, `compare?from=${first?.historyId}&to=current`, 'at'];
  const pages = await Promise.all(look.map((path) => statusOf(page(support, `/orders/${id}/${path}`))));
  expect(pages).toEqual([200, 200, 200]);
  const path = `/orders/${id}/restore?to=${first?.historyId}`;
  const { id: seen } = await newestEntry(support, id);
  const form = { seen, reason: 'mine', only: ['notes'] };
  expect([await statusOf(support.get(path)), await statusOf(support.post(path).send(form))]).toEqual([
    403, 403,
  ]);
  const foreign = sales.post(path).set('Sec-Fetch-Site', 'cross-site').type('form').send(form);
  expect(await statusOf(foreign)).toBe(403);
  expect((await newestEntry(support, id)).id).toBe(seen);
});

test('hostile text stays text on the pages of the past', async () => {
  const id = await placeOrder(sales, { customerName: HOSTILE });
  await sales
    .patch(`/orders/${id}`)
    .send({ customerName: `${HOSTILE} again`, notes: HOSTILE })
    .expect(200);
  await sales.post(`/orders/${id}/tags`).send({ name: '<script>alert(1)' }).expect(200);
  const first = (await versionsOf(id)).at(-1);
  const paths = [
    'at',
    `at?after=${first?.logEntryId}`,
    `compare?from=${first?.historyId}&to=current`,
    'versions',
  ];
  const texts = [];
  for (const path of [...paths, `restore?to=${first?.historyId}`])
    texts.push(await textAt(`/orders/${id}/${path}`));
  await admin.delete(`/orders/${id}`).expect(200);
  texts.push(await textAt('/orders/deleted'), await textAt(`/orders/${id}/restore`));
  for (const text of texts) {
    expect(text).toContain('&lt;script&gt;alert(');
    expect(text).not.toMatch(/<script|<style|style=|\son\w+=/);
  }
});

const textAt = async (path: string): Promise<string> => (await page(admin, path).expect(200)).text;
