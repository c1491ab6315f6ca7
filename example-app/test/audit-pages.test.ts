import {
  closeTestShop,
  logOf,
  openTestShop,
  placeOrder,
  statusOf,
  visitor,
  type Visitor,
} from './support/shop';

let admin: Visitor;
let sales: Visitor;
let support: Visitor;
let anonymous: Visitor;

/** Paths below `/audit` that only look. */
let toView: readonly string[];
let order: number;

beforeAll(async () => {
  ({ admin, sales, support } = await openTestShop());
  anonymous = visitor();
  order = await placeOrder(sales, { cardNumber: '4242424242421234' });
  await sales.patch(`/orders/${order}`).send({ notes: 'Ring twice.' }).expect(200);
  const [edited, placed] = await logOf(support, order);
  toView = [
    '/',
    `/e/${edited?.id}`,
    `/o/Order/${order}`,
    `/o/Order/${order}/at?t=${new Date().toISOString()}`,
    `/o/Order/${order}/diff?from=${placed?.id}&to=${edited?.id}`,
    `/r/${edited?.correlationId}`,
    `/t/${edited?.transactionId}`,
    `/a/${edited?.actorId}`,
    '/deleted',
    '/models',
    '/openapi.json',
    '/api/v1/entries',
    `/api/v1/entries/${edited?.id}`,
    `/api/v1/objects/Order/${order}/entries`,
    `/api/v1/objects/Order/${order}?at=${new Date().toISOString()}`,
    `/api/v1/objects/Order/${order}/diff?from=${placed?.id}&to=${edited?.id}`,
    `/api/v1/requests/${edited?.correlationId}/entries`,
    `/api/v1/transactions/${edited?.transactionId}/entries`,
    `/api/v1/actors/${edited?.actorId}/entries`,
    '/api/v1/stats/activity',
    '/api/v1/models',
  ];
});

afterAll(closeTestShop);

const TO_EXPORT = ['/export.csv', '/export.ndjson'];

async function statusesOf(who: Visitor, paths: readonly string[]): Promise<Array<readonly [string, number]>> {
  const statuses: Array<readonly [string, number]> = [];
  for (const path of paths) statuses.push([path, await statusOf(who.get(`/audit${path}`))]);
  return statuses;
}

const all = (status: number, paths: readonly string[]): Array<readonly [string, number]> =>
  paths.map((path) => [path, status]);

const revertForm = (who: Visitor) =>
  who.post(`/audit/o/Order/${order}/revert`).type('form').send({ reason: 'x' });

const revertCall = (who: Visitor, dryRun = true) =>
  who.post(`/audit/api/v1/objects/Order/${order}/reverts`).send({ to: 'x', reason: 'x', dryRun });

describe.each([
  ['who is not logged in', () => anonymous],
  ['sales', () => sales],
])('%s gets 403', (_name, who) => {
  test('for everything to look at and to take away', async () => {
    const paths = [...toView, ...TO_EXPORT, `/o/Order/${order}/revert`, '/nowhere', '/?limit=1', '/e/1/'];
    expect(await statusesOf(who(), paths)).toEqual(all(403, paths));
  });

  test('for what changes something', async () => {
    expect([await statusOf(revertForm(who())), await statusOf(revertCall(who()))]).toEqual([403, 403]);
  });
});

describe('support', () => {
  test('may look at everything', async () => {
    expect(await statusesOf(support, toView)).toEqual(all(200, toView));
  });

  test('gets 403 for exports, for the preview of a revert, and for reverts', async () => {
    const refused = [...TO_EXPORT, `/o/Order/${order}/revert`];
    expect(await statusesOf(support, refused)).toEqual(all(403, refused));
    expect([await statusOf(revertForm(support)), await statusOf(revertCall(support))]).toEqual([403, 403]);
  });

  test('finds no way to revert on the page of an order, where the admin has one', async () => {
    const read = async (who: Visitor) =>
      (await who.get(`/audit/o/Order/${order}`).set('Accept', 'text/html').expect(200)).text;
    expect(await read(support)).not.toContain('/revert');
    expect(await read(admin)).toContain('/revert');
  });
});

describe('the admin', () => {
  test('may look at everything and take it away', async () => {
    const paths = [...toView, ...TO_EXPORT];
    expect(await statusesOf(admin, paths)).toEqual(all(200, paths));
  });

  test('takes back a change with a reason, which is an entry of its own', async () => {
    const id = await placeOrder(sales);
    await sales.patch(`/orders/${id}`).send({ notes: 'Wrong.' }).expect(200);
    const [, placed] = await logOf(support, id);
    const { headers } = await admin.get(`/audit/api/v1/objects/Order/${id}`).expect(200);
    const path = `/audit/api/v1/objects/Order/${id}/reverts`;
    const revert = (body: object) => admin.post(path).set('If-Match', headers['etag']!).send(body);
    const preview = await revert({ to: placed?.id, reason: 'wrong order', dryRun: true }).expect(200);
    expect(preview.body.changes).toMatchObject([{ attribute: 'notes', now: 'Wrong.', after: null }]);
    await revert({ to: placed?.id, reason: 'wrong order' }).expect(201);
    const [newest] = await logOf(support, id);
    expect(newest).toMatchObject({
      actorLabel: 'ada@shop.example',
      reason: 'wrong order',
      request: `POST ${path}`,
      changes: { notes: ['Wrong.', null] },
    });
  });
});

test('no page of the audit log shows a whole card number or internal notes', async () => {
  const id = await placeOrder(sales, { cardNumber: '4000000000009995', internalNotes: 'Pays late.' });
  await sales
    .patch(`/orders/${id}`)
    .send({ cardNumber: '4242424242421234', internalNotes: 'Pays.' })
    .expect(200);
  const pages = [
    '/',
    `/o/Order/${id}`,
    `/api/v1/objects/Order/${id}/entries`,
    '/export.csv',
    '/export.ndjson',
  ];
  const texts = await Promise.all(pages.map(async (path) => (await admin.get(`/audit${path}`)).text));
  const text = texts.join('\n');
  expect(text).toContain('********1234');
  expect(text).not.toMatch(/4000000000009995|4242424242421234|Pays/);
});

test('its pages come with the policy of the shop, and without script or style of their own', async () => {
  const { headers, text } = await support.get('/audit/').set('Accept', 'text/html').expect(200);
  expect(headers['content-security-policy']).toContain("script-src 'self'");
  expect(text).not.toMatch(/<script(?![^>]* src=)(?![^>]*application\/json)|<style|style=|\son\w+=/);
});

describe('the shop leads there', () => {
  const page = async (who: Visitor, path: string): Promise<string> =>
    (await who.get(path).set('Accept', 'text/html').expect(200)).text;

  test('by its navigation, for those who may look', async () => {
    const has = async (who: Visitor) => (await page(who, '/orders')).includes('href="/audit/"');
    expect([await has(admin), await has(support), await has(sales)]).toEqual([true, true, false]);
  });

  test('from an order', async () => {
    const link = `href="/audit/o/Order/${order}"`;
    const has = async (who: Visitor) => (await page(who, `/orders/${order}`)).includes(link);
    expect([await has(admin), await has(support), await has(sales)]).toEqual([true, true, false]);
  });

  test('and shows the latest of a customer on its page, as text', async () => {
    const hostile = { name: '<b>Harbour</b> Café', email: 'orders@harbour-cafe.example' };
    const { body } = await sales.post('/customers').send(hostile).expect(201);
    await sales.post(`/customers/${body.id}`).send({ name: '<b>Harbour</b> Bar' }).expect(200);
    const [seen, unseen] = [
      await page(support, `/customers/${body.id}`),
      await page(sales, `/customers/${body.id}`),
    ];
    expect(seen).toContain('<ol class="audit-timeline">');
    expect(seen).toContain('&lt;b>Harbour&lt;/b> Café → &lt;b>Harbour&lt;/b> Bar');
    expect(seen).not.toContain('<b>Harbour');
    expect(unseen).not.toContain('audit-timeline');
  });

  test('and back', async () => {
    expect(await page(support, `/audit/o/Order/${order}`)).toContain(`href="/orders/${order}"`);
  });
});

describe('fifty edits at once', () => {
  test('are fifty entries, each from where the one before it ended', async () => {
    const { body } = await admin.post('/demo/fifty-edits').expect(200);
    expect(body).toEqual({ productId: 1, entries: 50, before: 100, after: 150, unbroken: true });
  });

  test('are for the admin', async () => {
    expect([
      await statusOf(sales.post('/demo/fifty-edits')),
      await statusOf(support.post('/demo/fifty-edits')),
      await statusOf(anonymous.post('/demo/fifty-edits')),
    ]).toEqual([403, 403, 401]);
    expect(await page('/')).toContain('Make 50 edits at once');
    async function page(path: string): Promise<string> {
      return (await admin.get(path).set('Accept', 'text/html').expect(200)).text;
    }
  });
});
