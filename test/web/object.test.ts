import type { Model } from 'sequelize';
import request from 'supertest';
import type { Request } from 'express';
import { withAuditContext } from 'sequelize-auditlog';
import type { AuditRouterOptions } from 'sequelize-auditlog/web';
import { testDatabase } from '../support/database';
import { tablesOf } from '../support/page-table';
import { pageOf, type Page } from '../support/page-text';
import { statementsOf } from '../support/statements';
import { asActor, webWorld } from '../support/web';

const database = testDatabase();
const world = webWorld(database);
const { Order, Customer, Item, Tag, auditLog } = world;
const app = world.app();

let order: Model;
let removed: Model;

async function get(path: string, options?: AuditRouterOptions<Request>): Promise<Page> {
  return pageOf(await request(options ? world.app(options) : app).get(`/audit/${path}`));
}

const ITEM = `o/Item/${encodeURIComponent('["a/b","2"]')}`;

beforeAll(async () => {
  await world.open();
  await asActor('alice', 'by phone', async () => {
    order = await Order.create({ status: 'pending', total: '10.00', cardNumber: '4111111111111111' });
  });
  await asActor('bob', null, () => order.update({ status: 'paid', total: '12.50' }));
  await withAuditContext({ additionalData: { tenant: 'b' } }, () => order.update({ description: 'none' }));
  const tag = await Tag.create({ name: 'gift' });
  await (order as Model & { addTags(tags: Model[]): Promise<void> }).addTags([tag]);
  await asActor('carol', 'gone', async () => {
    removed = await Customer.create({ name: 'Ada' });
    await removed.destroy();
  });
  const item = await Item.create({ orderId: 'a/b', sku: '2', quantity: 1 });
  await item.update({ quantity: 2 });
  await Tag.bulkCreate(Array.from({ length: 3 }, (_, at) => ({ name: `tag ${at}` })));
});
afterAll(() => database.close());

test('Q2, Q6, Q9, Q11, H337: the timeline has the object’s name, and who did what and why, newest first', async () => {
  const { status, text, sentences, html } = await get('o/Order/1');
  expect(status).toBe(200);
  expect(html).toContain('<h1>Order 1 (paid)</h1>');
  expect(sentences).toEqual([
    'system added gift to tags of Order 1 (paid)',
    expect.stringMatching(/^system changed description .*null → none on Order 1 \(paid\)$/),
    'bob changed status pending → paid, total 10.00 → 12.50 on Order 1 (paid)',
    'alice created Order 1 (pending)',
  ]);
  expect(text).toContain('by phone');
});

test('H338, H339: the oldest entry shows its values too; a foreign key is shown as key', async () => {
  const { html } = await get('o/Order/1');
  const first = tablesOf(html).at(-1)!;
  expect(first.rows.slice(1)).toEqual([
    ['1', 'Card number', '∅ null', '********1111 (masked)'],
    ['2', 'Id', '∅ null', '1'],
    ['3', 'Status', '∅ null', 'pending'],
    ['4', 'Total', '∅ null', '10.00'],
  ]);
});

test('the present stands at the head: what is masked or not recorded says so, and never shows', async () => {
  const { text, html } = await get('o/Order/1');
  expect(text).toMatch(/Now \(11 fields\) Id 1 Status paid Total 12\.50 Description none/);
  expect(text).toContain('Card number ********1111 (masked) Internal notes not tracked Customer ∅ null');
  expect(text).toContain('Masked, never shown: Card number. Not recorded: Internal notes.');
  expect(html).not.toContain('4111111111111111');
});

test('H355: the timeline of a deleted object opens, says who deleted it, and offers to restore it', async () => {
  const { status, text, links, html } = await get('o/Customer/1');
  expect(status).toBe(200);
  expect(html).toContain('<h1>Ada</h1>');
  expect(text).toMatch(/Deleted \w+ \d+, \d{4}, [\d:]+.* by carol\. Restore/);
  expect(links.get('Restore')).toMatch(/^\.\.\/\.\.\/o\/Customer\/1\/revert\?to=\d{4}-\d\d-\d\dT/);
});

test('objects with a key of several parts, and models without versions', async () => {
  const { status, text, sentences } = await get(ITEM);
  expect(status).toBe(200);
  expect(sentences[0]).toContain('changed quantity 1 → 2 on Item ["a/b","2"]');
  expect(text).toContain('No versions are kept of Item');
  // The key in the query, where a path can't hold it, and in another form.
  expect((await get(`o/Item/-?pk=${encodeURIComponent('["a/b", 2]')}`)).sentences).toEqual(sentences);
  expect((await get('o/Order/01')).status).toBe(200);
});

test('unknown objects, and what can’t be a key, are not found; fault of nobody', async () => {
  for (const path of ['o/Order/999', 'o/Item/1', 'o/Order/x', 'o/Nothing/1', 'o/Order/99999999999999999999'])
    expect([path, (await get(path)).status]).toEqual([path, 404]);
});

test('objects of a model that is registered no more stay readable, under raw names', async () => {
  const spare = database.sequelize.define('Spare', { fullName: 'TEXT' }, { timestamps: false });
  await spare.sync();
  auditLog.registerAudited(spare);
  await spare.create({ fullName: 'x' });
  auditLog.unregister(spare);
  const { status, text, html, sentences } = await get('o/Spare/1');
  expect([status, sentences]).toEqual([200, ['system created Spare 1']]);
  expect(tablesOf(html)[0]!.rows.map(([, field]) => field)).toEqual(['Field', 'fullName', 'id']);
  expect(text).toContain('Spare is not registered any more');
  expect((await get('o/Spare/1/at?t=2026-01-01')).status).toBe(422);
});

test('the field filter shows the entries that changed a field', async () => {
  const { sentences, html } = await get('o/Order/1?field=total');
  expect(sentences.map((each) => each.split(' ').slice(0, 2))).toEqual([
    ['bob', 'changed'],
    ['alice', 'created'],
  ]);
  expect(html).toContain('<option value="total" selected>Total</option>');
  expect((await get('o/Order/1?field=internalNotes')).text).toContain('No entry changed this field.');
});

test('Q3, Q5, H357, H358, H359: pages by cursor, the last one marked; no pager when all fit', async () => {
  const first = await get('o/Order/1', { pageSize: 3 });
  expect(first.sentences).toHaveLength(3);
  const older = new URL(first.links.get('Older')!, 'http://host/audit/o/Order/1');
  const last = await get(older.href.replace('http://host/audit/', ''), { pageSize: 3 });
  expect(last.sentences).toEqual(['alice created Order 1 (pending)']);
  expect([...last.links.keys()]).toContain('Newer');
  expect([...last.links.keys()]).not.toContain('Older');
  // The head is that of the object, not of the page.
  expect(last.html).toContain('<h1>Order 1 (paid)</h1>');
  expect([...(await get('o/Order/1')).links.keys()]).not.toContain('Older');
});

test('E47: the last entry of a page shows its changes like any other, whatever the size of the page', async () => {
  const changes = ({ html }: Page): string[][][] => tablesOf(html).map(({ rows }) => rows);
  const whole = changes(await get('o/Order/1'));
  expect(whole.map((rows) => rows.length)).toEqual([2, 2, 3, 5]);
  for (const pageSize of [1, 2, 3]) {
    const pages: string[][][] = [];
    for (let path: string | undefined = 'o/Order/1'; path !== undefined;) {
      const page = await get(path, { pageSize });
      pages.push(...changes(page));
      const older = page.links.get('Older');
      path = older && new URL(older, 'http://host/audit/o/Order/1').href.replace('http://host/audit/', '');
    }
    expect(pages).toEqual(whole);
  }
});

test('columns stand beside each version, from versions or from the entries themselves', async () => {
  const options = { columns: { Order: ['total', 'cardNumber'], Item: ['quantity'] } };
  const columns = async (path: string): Promise<string[]> =>
    [...(await get(path, options)).html.matchAll(/columns-then">(.*?)<\/p>/gs)].map(([, html]) =>
      html!.replaceAll(/<[^>]*>/g, ''),
    );
  expect(await columns('o/Order/1')).toEqual([
    'Total: 12.50Card number: ********1111 (masked)',
    'Total: 12.50Card number: ********1111 (masked)',
    'Total: 10.00Card number: ********1111 (masked)',
  ]);
  expect(await columns(ITEM)).toEqual(['Quantity: 2', 'Quantity: 1']);
});

test('the host’s own page is linked, but by no address that would run', async () => {
  expect(
    (await get('o/Order/1', { linkTo: (model, pk) => `/shop/${model}/${pk}` })).links.get(
      'Open in the application',
    ),
  ).toBe('/shop/Order/1');
  const evil = await get('o/Order/1', { linkTo: () => ' java\nscript:alert(1)' });
  expect(evil.links.has('Open in the application')).toBe(false);
});

test('two boxes lead to the comparison of the older with the newer, without script', async () => {
  const ids = [...(await get('o/Order/1')).html.matchAll(/name="pick" value="(\d+)"/g)].map(([, id]) => id!);
  const answer = await request(app).get(`/audit/o/Order/1/diff?pick=${ids[0]}&pick=${ids[2]}`);
  expect([answer.status, answer.headers['location']]).toEqual([
    302,
    `../../../o/Order/1/diff?from=${ids[2]}&to=${ids[0]}`,
  ]);
  for (const query of [`pick=${ids[0]}`, `pick=${ids[0]}&pick=${ids[1]}&pick=current`, 'pick=a&pick=b'])
    expect((await get(`o/Order/1/diff?${query}`)).status).toBe(400);
});

test('Q1, H346, H347, H369: without permission no page of the object opens', async () => {
  const authorize = (_req: unknown, { model, pk }: { model: string; pk?: string }) =>
    model === 'Tag' || (model === 'Order' && pk === '2');
  for (const path of [
    'o/Order/1',
    'o/Order/1/at?t=2026-01-01',
    'o/Order/1/diff?from=1&to=2',
    'o/Order/1/revert?to=1',
  ])
    expect([path, (await get(path, { authorize })).status]).toEqual([path, 404]);
  expect((await get('o/Order/1', { authorize: () => false })).status).toBe(403);
});

test('H365, H366, H367, H370: where nothing may be reverted, nothing says so', async () => {
  const allowed = await get('o/Order/1');
  expect(allowed.text).toContain('Revert to this');
  const viewer = { authorize: (_req: unknown, { action }: { action: string }) => action === 'view' };
  for (const options of [viewer, { revert: false }]) {
    for (const path of ['o/Order/1', 'o/Customer/1']) {
      const { status, html } = await get(path, options);
      expect(status).toBe(200);
      expect(html).not.toMatch(/revert|restore/i);
    }
  }
});

test('fault 76: what canSee hides shows nowhere, nor does a name made of it', async () => {
  const options = {
    canSee: (_req: unknown, _model: string, attribute: string) =>
      !['status', 'total', 'tags'].includes(attribute),
    columns: { Order: ['total'] },
  };
  const { html, text } = await get('o/Order/1', options);
  expect(html).toContain('<h1>Order 1</h1>');
  expect(html).not.toMatch(/pending|paid|12\.50|10\.00|gift/);
  expect(text).toContain('2 fields you may not see.');
  expect((await get('o/Order/1?field=status', options)).sentences).toEqual([]);
});

test('scope: an object of another tenant is not found, and a state that another’s entry made is not shown', async () => {
  const tenant = (name: string) => ({ scope: () => ({ additionalData: { tenant: name } }) });
  expect((await get('o/Order/1', tenant('a'))).status).toBe(404);
  const { status, sentences, text } = await get('o/Order/1', tenant('b'));
  expect([status, sentences.length]).toEqual([200, 1]);
  expect(text).toContain('What it is now was made by entries that you may not see.');
  expect(text).not.toContain('12.50');
});

test('the number of queries doesn’t depend on the number of entries', async () => {
  const count = async (pageSize: number): Promise<number> => {
    const options = { pageSize, columns: { Order: ['total'] } };
    const sent = await statementsOf(database.sequelize, () => get('o/Order/1', options));
    return sent.filter(({ text }) => /^\s*select/i.test(text)).length;
  };
  expect(await count(50)).toBe(await count(2));
  expect(await count(50)).toBeLessThanOrEqual(6);
});

test('fault 73, H383: whatever is stored is text on every page of the object', async () => {
  const evil = '</title><script>alert(1)</script><img src=x onerror=alert(1)>"\'';
  const target = await withAuditContext({ actor: { id: evil, label: evil }, reason: evil }, async () => {
    const made = await Order.create({ status: evil, description: evil, shipping: { [evil]: evil } });
    await made.update({
      description: `${evil.repeat(10)}x`,
      shipping: { [evil]: { [evil]: [evil] } },
      status: `${evil}2`,
    });
    return made;
  });
  const base = `o/Order/${String(target.get('id'))}`;
  const entries = await auditLog.LogEntry.forObject(target);
  const [newest, oldest] = entries.map(({ id }) => id);
  for (const path of [
    '',
    `/at?entry=${oldest}`,
    `/diff?from=${oldest}&to=${newest}&view=side&all=1`,
    `/diff?from=${oldest}&to=current`,
    `/revert?to=${oldest}`,
  ]) {
    const { status, html } = await get(`${base}${path}`);
    expect([path, status]).toEqual([path, 200]);
    expect(html.match(/<script[^>]*>/g)).toEqual([
      expect.stringMatching(/ src="[./]+assets\/audit\.[0-9a-f]+\.js" defer/),
    ]);
    expect(html).not.toMatch(/<img|<[^>]+\s(?:on\w+|style)=/i);
  }
});

test('an object whose entries were all pruned, or that nobody recorded, still has its page; with a scope it is in none', async () => {
  const tag = await Tag.create({ name: 'before' }, { audit: false });
  const path = `o/Tag/${String(tag.get('id'))}`;
  const { status, text } = await get(path);
  expect(status).toBe(200);
  expect(text).toContain('No entry tells of it');
  expect(text).toContain('before');
  const answer = await request(app).get(`/audit/api/v1/objects/Tag/${String(tag.get('id'))}/entries`);
  expect([answer.status, answer.body.data]).toEqual([200, []]);
  const scope = () => ({ additionalData: { tenant: 'a' } });
  expect((await get(path, { scope })).status).toBe(404);
  await tag.destroy({ audit: false });
  expect((await get(path)).status).toBe(404);
});
