import { DataTypes, type Model } from 'sequelize';
import express, { type Request } from 'express';
import request from 'supertest';
import { withAuditContext } from 'sequelize-auditlog';
import { auditRouter, type AuditRouterOptions } from 'sequelize-auditlog/web';
import { testDatabase } from '../support/database';
import { rowsOf } from '../support/page-table';
import { pageOf, type Page } from '../support/page-text';
import { rowOf } from '../support/audited';
import { asActor, webWorld } from '../support/web';

const database = testDatabase();
const world = webWorld(database);
const { Order, Tag, Item, Customer, auditLog } = world;
const Account = database.sequelize.define('Account', {
  email: { type: DataTypes.TEXT, unique: true },
  limit: DataTypes.INTEGER,
});
auditLog.registerAudited(Account, { snapshots: true });
const app = world.app();

type Options = AuditRouterOptions<Request>;

async function get(path: string, options?: Options): Promise<Page> {
  return pageOf(await request(options ? world.app(options) : app).get(`/audit/${path}`));
}

interface Wish {
  to?: string;
  expected?: string;
  only?: string[];
  reason?: string;
}

async function post(path: string, wish: Wish, options?: Options, headers: Record<string, string> = {}) {
  return request(options ? world.app(options) : app)
    .post(`/audit/${path}/revert`)
    .set({ 'Sec-Fetch-Site': 'same-origin', ...headers })
    .type('form')
    .send(wish);
}

/** What the form on the page sends when nothing is unticked. */
function formOf({ html }: Page): Required<Wish> {
  const value = (name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(html)?.[1] ?? '';
  const only = [...html.matchAll(/name="only" value="([^"]*)" checked/g)].map(([, name]) => name!);
  const hidden = [...html.matchAll(/type="hidden" name="only" value="([^"]*)"/g)].map(([, name]) => name!);
  return { to: value('to'), expected: value('expected'), only: [...hidden, ...only], reason: 'ticket 9' };
}

const entriesOf = async (model: Model) => (await auditLog.LogEntry.forObject(model)).toReversed();
const count = async () => auditLog.LogEntry.count();

async function changedOrder(values: object = {}): Promise<{ order: Model; path: string; first: string }> {
  const order = await asActor('alice', null, () =>
    Order.create({
      status: 'pending',
      total: '10.00',
      cardNumber: '4111111111111111',
      internalNotes: 'one',
      ...values,
    }),
  );
  await order.update({
    status: 'paid',
    total: '12.00',
    cardNumber: '4222222222222222',
    internalNotes: 'two',
  });
  const [first] = await entriesOf(order);
  return { order, path: `o/Order/${String(order.get('id'))}`, first: first!.id };
}

beforeAll(() => world.open());
afterAll(() => database.close());

test('the preview shows each attribute now, after and then, with a box; looking changes nothing', async () => {
  const { order, path, first } = await changedOrder();
  const before = await count();
  const page = await get(`${path}/revert?to=${first}`);
  expect(page.status).toBe(200);
  expect(rowsOf(page.html)).toEqual([
    ['', 'Status', 'paid', 'pending', 'pending'],
    ['', 'Total', '12.00', '10.00', '10.00'],
  ]);
  expect(page.text).toContain('Stays as it is Card number: masked Internal notes: not tracked');
  expect(page.html).toMatch(/<textarea[^>]* required/);
  expect(await count()).toBe(before);
  expect((await order.reload()).get('status')).toBe('paid');
});

test('H350, H351, H361: the chosen attributes are put back as a new change by the current actor; other versions stay', async () => {
  const { order, path, first } = await changedOrder();
  const versions = await auditLog.audited(Order).versions(order);
  const form = formOf(await get(`${path}/revert?to=${first}`));
  const acting = express();
  acting.use((req, _res, next) => {
    (req as unknown as { user: object }).user = { id: 'sam', username: 'sam' };
    next();
  });
  acting.use(world.app());
  const answer = await request(acting)
    .post(`/audit/${path}/revert`)
    .set('Sec-Fetch-Site', 'same-origin')
    .type('form')
    .send({ ...form, only: ['status'] });
  const entry = (await entriesOf(order)).at(-1)!;
  expect([answer.status, answer.headers['location']]).toEqual([303, `../../../${path}?reverted=${entry.id}`]);
  expect(entry.toJSON()).toMatchObject({
    action: 'update',
    actorId: 'sam',
    reason: 'ticket 9',
    changes: { status: ['paid', 'pending'] },
    additionalData: { revertedToEntry: first },
    request: `POST /audit/${path}/revert`,
  });
  expect((await auditLog.audited(Order).versions(order)).slice(1).map(({ historyId }) => historyId)).toEqual(
    versions.map(({ historyId }) => historyId),
  );
  expect((await get(`${path}?reverted=${entry.id}`)).text).toContain('Done: the object was put back.');
  // The notice is no text that a link could make up.
  expect((await get(`${path}?reverted=${first}`)).text).not.toContain('Done');
});

test('acceptance 12: masked and excluded attributes are never written back', async () => {
  const { order, path, first } = await changedOrder();
  const form = formOf(await get(`${path}/revert?to=${first}`));
  expect(form.only).toEqual(['status', 'total']);
  expect((await post(path, form)).status).toBe(303);
  expect(await rowOf(Order, order.get('id'))).toMatchObject({
    status: 'pending',
    total: '10.00',
    cardNumber: '4222222222222222',
    internalNotes: 'two',
  });
  // Not even when they are named.
  const again = formOf(await get(`${path}/revert?to=${first}`));
  for (const only of [['cardNumber'], ['internalNotes'], ['nothing']])
    expect([only, (await post(path, { ...again, ...form, expected: again.expected, only })).status]).toEqual([
      only,
      400,
    ]);
  expect(await rowOf(Order, order.get('id'))).toMatchObject({
    cardNumber: '4222222222222222',
    internalNotes: 'two',
  });
});

test('a revert is reverted like any change', async () => {
  const { order, path, first } = await changedOrder();
  await post(path, formOf(await get(`${path}/revert?to=${first}`)));
  const [, second] = await entriesOf(order);
  const answer = await post(path, formOf(await get(`${path}/revert?to=${second!.id}`)));
  expect(answer.status).toBe(303);
  expect((await order.reload()).get('status')).toBe('paid');
});

test('acceptance 12: what has changed since the preview is told, and nothing is done', async () => {
  const { order, path, first } = await changedOrder();
  const form = formOf(await get(`${path}/revert?to=${first}`));
  await asActor('bob', null, () => order.update({ status: 'sent' }));
  const before = await count();
  const page = pageOf(await post(path, form));
  expect(page.status).toBe(409);
  expect(page.sentences).toEqual([expect.stringMatching(/^bob changed status paid → sent on Order/)]);
  expect(page.links.get('Look again')).toBe(`../../../${path}/revert?to=${first}`);
  expect([await count(), (await order.reload()).get('status')]).toEqual([before, 'sent']);
  // Links leave no version, but are a change.
  const fresh = formOf(await get(`${path}/revert?to=${first}`));
  const tag = await Tag.create({ name: 'late' });
  await (order as Model & { addTags(tags: Model[]): Promise<void> }).addTags([tag]);
  expect((await post(path, fresh)).status).toBe(409);
});

test('a reason is required, and at least one attribute; what was typed stays', async () => {
  const { order, path, first } = await changedOrder();
  const form = formOf(await get(`${path}/revert?to=${first}`));
  const blank = pageOf(await post(path, { ...form, only: ['status'], reason: '  ' }));
  expect([blank.status, blank.text]).toEqual([400, expect.stringContaining('a revert needs a reason')]);
  expect(formOf(blank).only).toEqual(['status']);
  const none = pageOf(await post(path, { ...form, only: [], reason: '<because>' }));
  expect([none.status, none.text]).toEqual([400, expect.stringContaining('Tick at least one')]);
  expect(none.html).toContain('&lt;because></textarea>');
  expect((await order.reload()).get('status')).toBe('paid');
});

test('acceptance 12: a constraint in the way is told beforehand and afterwards, with nothing half done', async () => {
  const account = await Account.create({ email: 'a@example.com', limit: 1 });
  const [first] = await entriesOf(account);
  await account.update({ email: 'b@example.com', limit: 2 });
  const path = `o/Account/${String(account.get('id'))}`;
  const form = formOf(await get(`${path}/revert?to=${first!.id}`));
  await Account.create({ email: 'a@example.com' });
  const preview = await get(`${path}/revert?to=${first!.id}`);
  expect(preview.text).toMatch(/This stands in the way Email: .*unique/);
  const before = await count();
  const refused = pageOf(await post(path, form));
  expect([refused.status, refused.text]).toEqual([
    409,
    expect.stringMatching(/Nothing was changed\. .*Email: .*unique/),
  ]);
  expect(await rowOf(Account, account.get('id'))).toMatchObject({ email: 'b@example.com', limit: 2 });
  expect(await count()).toBe(before);
  // Without what is in the way the rest can be put back.
  expect((await post(path, { ...formOf(refused), only: ['limit'] })).status).toBe(303);
  expect(await rowOf(Account, account.get('id'))).toMatchObject({ email: 'b@example.com', limit: 1 });
});

test('acceptance 12: what is deleted comes back under its key, hard and soft', async () => {
  const item = await Item.create({ orderId: 'a/b', sku: '2', quantity: 7 });
  await item.destroy();
  const timeline = await get(`o/Item/${encodeURIComponent('["a/b","2"]')}`);
  const href = timeline.links.get('Restore')!.replace('../../', '');
  const page = await get(href);
  expect(page.html).toMatch(/<h1>Restore Item/);
  expect(rowsOf(page.html).map(([, name, now]) => [name, now])).toEqual([
    ['Order id', 'not there'],
    ['Sku', 'not there'],
    ['Quantity', 'not there'],
  ]);
  expect((await post(href.split('/revert')[0]!, formOf(page))).status).toBe(303);
  expect((await Item.findOne({ where: { orderId: 'a/b', sku: '2' } }))?.get('quantity')).toBe(7);

  const { order, path } = await changedOrder();
  await order.destroy();
  const back = await get(path);
  const restore = await get(back.links.get('Restore')!.replace('../../', ''));
  expect((await post(path, formOf(restore))).status).toBe(303);
  expect(await Order.findByPk(order.get('id') as number)).not.toBeNull();
});

test('relationships are put back with the rest', async () => {
  const { order, path } = await changedOrder();
  const tag = await Tag.create({ name: 'gift' });
  const tagged = order as Model & { setTags(tags: Model[]): Promise<void>; countTags(): Promise<number> };
  await tagged.setTags([tag]);
  const linked = (await entriesOf(order)).at(-1)!;
  await tagged.setTags([]);
  const page = await get(`${path}/revert?to=${linked.id}`);
  expect(rowsOf(page.html)).toEqual([['', 'Tags', 'without', '[gift]', '[gift]']]);
  expect((await post(path, formOf(page))).status).toBe(303);
  expect(await tagged.countTags()).toBe(1);
});

test('a preview waits for nobody longer than a page may take', async () => {
  const { order, path, first } = await changedOrder();
  await database.sequelize.transaction(async (transaction) => {
    await order.update({ status: 'busy' }, { transaction });
    const page = await get(`${path}/revert?to=${first}`, { statementTimeout: 50 });
    expect([page.status, page.text]).toEqual([503, expect.stringContaining('took too long')]);
  });
  expect((await get(`${path}/revert?to=${first}`)).status).toBe(200);
});

test('nothing to put back is said, and no form is offered', async () => {
  const { order, path } = await changedOrder();
  const last = (await entriesOf(order)).at(-1)!;
  const page = await get(`${path}/revert?to=${last.id}`);
  expect(page.text).toContain('There is nothing to put back');
  expect(page.html).not.toContain('<form method="post"');
});

test('a time without the object, before its history, the present, or no time at all', async () => {
  const { path } = await changedOrder();
  const status = async (to: string) => (await get(`${path}/revert?to=${to}`)).status;
  expect(await status('2020-01-01')).toBe(410);
  expect([await status(''), await status('current'), await status('soon')]).toEqual([400, 400, 400]);
  expect(await status('999999')).toBe(404);
  await database.rows(
    `insert into "Customers" ("name", "createdAt", "updatedAt") values ('old', now(), now())`,
  );
  const customer = (await Customer.findOne({ where: { name: 'old' } }))!;
  await customer.update({ name: 'new' });
  expect((await get(`o/Customer/${String(customer.get('id'))}/revert?to=2020-01-01`)).status).toBe(422);
});

describe('E45, fault 77, H366, H367, H370', () => {
  test('without permission nothing of a refused request is done, by page or by form', async () => {
    const { order, path, first } = await changedOrder();
    const form = formOf(await get(`${path}/revert?to=${first}`));
    const asked: unknown[] = [];
    const viewer: Options = {
      authorize: (_req, subject) => {
        asked.push(subject);
        return subject.action === 'view';
      },
    };
    const before = await count();
    for (const options of [viewer, { revert: false }]) {
      expect((await get(`${path}/revert?to=${first}`, options)).status).toBe(403);
      expect((await post(path, form, options)).status).toBe(403);
    }
    expect(asked).toContainEqual({ action: 'revert', model: 'Order', pk: String(order.get('id')) });
    expect([await count(), (await order.reload()).get('status')]).toEqual([before, 'paid']);
  });

  test('fault 78: a form of another site is refused', async () => {
    const { order, path, first } = await changedOrder();
    const form = formOf(await get(`${path}/revert?to=${first}`));
    for (const site of ['cross-site', 'same-site', 'none'])
      expect((await post(path, form, undefined, { 'Sec-Fetch-Site': site })).status).toBe(403);
    expect((await order.reload()).get('status')).toBe('paid');
  });

  test('the permission comes before the parameters', async () => {
    const viewer: Options = { authorize: (_req, { action }) => action === 'view' };
    expect((await get('o/Order/1/revert?to=nonsense', viewer)).status).toBe(403);
    expect((await post('o/Order/1', {}, viewer)).status).toBe(403);
  });
});

test('fault 76: what canSee hides is neither shown nor put back, not even when named', async () => {
  const { order, path, first } = await changedOrder();
  const options: Options = { canSee: (_req, _model, attribute) => attribute !== 'total' };
  const page = await get(`${path}/revert?to=${first}`, options);
  expect(page.html).not.toMatch(/10\.00|12\.00|Total/);
  expect(page.text).toContain('What you may not see stays as it is.');
  const form = formOf(page);
  expect(form.only).toEqual(['status']);
  expect((await post(path, { ...form, only: ['total'] }, options)).status).toBe(400);
  expect((await post(path, form, options)).status).toBe(303);
  expect(await rowOf(Order, order.get('id'))).toMatchObject({ status: 'pending', total: '12.00' });
});

test('scope: nobody puts back or overwrites what entries beyond theirs have made', async () => {
  const scope = () => ({ additionalData: { tenant: 'b' } });
  const { order, path, first } = await changedOrder();
  await withAuditContext({ additionalData: { tenant: 'b' } }, () => order.update({ status: 'ours' }));
  const ours = (await entriesOf(order)).at(-1)!;
  expect((await get(`${path}/revert?to=${first}`, { scope })).status).toBe(404);
  expect((await get(`${path}/revert?to=${ours.id}`, { scope })).status).toBe(200);
  await order.update({ status: 'theirs' });
  expect((await get(`${path}/revert?to=${ours.id}`, { scope })).status).toBe(404);
  const form = { to: ours.id, expected: ours.id, only: ['status'], reason: 'x' };
  expect((await post(path, form, { scope })).status).toBe(404);
  expect((await order.reload()).get('status')).toBe('theirs');
});

test('H353: a second mount works like the first', async () => {
  const { path, first } = await changedOrder();
  const host = express();
  host.use(auditLog.auditMiddleware);
  host.use('/a', auditRouter(auditLog, { authorize: () => true }));
  host.use('/deep/b', auditRouter(auditLog, { authorize: () => true, revert: false }));
  expect((await request(host).get(`/a/${path}/revert?to=${first}`)).status).toBe(200);
  expect((await request(host).get(`/deep/b/${path}`)).status).toBe(200);
  expect((await request(host).get(`/deep/b/${path}/revert?to=${first}`)).status).toBe(403);
});
