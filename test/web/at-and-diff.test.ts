import type { Model } from 'sequelize';
import type { Request } from 'express';
import request from 'supertest';
import { withAuditContext } from 'sequelize-auditlog';
import type { AuditRouterOptions } from 'sequelize-auditlog/web';
import { testDatabase } from '../support/database';
import { rowsOf, tablesOf } from '../support/page-table';
import { pageOf, type Page } from '../support/page-text';
import { statementsOf } from '../support/statements';
import { asActor, webWorld } from '../support/web';

const database = testDatabase();
const world = webWorld(database);
const { Order, Item, Tag, auditLog } = world;
const app = world.app();

async function get(path: string, options?: AuditRouterOptions<Request>): Promise<Page> {
  return pageOf(await request(options ? world.app(options) : app).get(`/audit/${path}`));
}

const ITEM = `o/Item/${encodeURIComponent('["a/b","2"]')}`;
/** Ids of the order's entries, oldest first. */
let ids: string[];

const idsOf = async (model: string, pk: string): Promise<string[]> =>
  (await auditLog.LogEntry.forObject(model, pk)).map(({ id }) => id).toReversed();

/** The row of a field. */
const field = ({ html }: Page, name: string): string[] | undefined =>
  tablesOf(html)
    .flatMap(({ rows }) => rows)
    .find((row) => row[0] === name);

beforeAll(async () => {
  await world.open();
  const order = await asActor('alice', null, () =>
    Order.create({
      status: 'pending',
      total: '10.00',
      cardNumber: '4111111111111111',
      shipping: { city: 'Bern' },
      description: `${'so it goes '.repeat(30)}here`,
    }),
  );
  await asActor('bob', null, () => order.update({ status: 'paid', shipping: { city: 'Biel' } }));
  const tag = await Tag.create({ name: 'gift' });
  await (order as Model & { addTags(tags: Model[]): Promise<void> }).addTags([tag]);
  await withAuditContext({ additionalData: { tenant: 'b' } }, () =>
    order.update({ status: 'sent', description: `${'so it goes '.repeat(30)}there` }),
  );
  const item = await Item.create({ orderId: 'a/b', sku: '2', quantity: 1 });
  await item.update({ quantity: 2 });
  await item.destroy();
  ids = await idsOf('Order', '1');
  // An hour apart, on the day on which clocks in Zurich go back.
  for (const [index, id] of ids.entries()) {
    const time = `2025-10-26T0${index}:30:00.123456Z`;
    await database.rows(`update audit_log_entries set "timestamp" = '${time}' where id = ${id}`);
    await database.rows(`update "Orders_history" set history_date = '${time}' where log_entry_id = ${id}`);
  }
});
afterAll(() => database.close());

describe('the state as of a time', () => {
  test('H349, H362: the values then, and what is different now', async () => {
    const page = await get(`o/Order/1/at?entry=${ids[0]}`);
    expect(page.status).toBe(200);
    expect(page.html).toContain('<h1>Order 1 (pending) as of ');
    expect(field(page, 'Status')).toEqual(['Status', 'pending', 'sent']);
    expect(field(page, 'Total')).toEqual(['Total', '10.00', 'same']);
    expect(field(page, 'Card number')).toEqual(['Card number', '********1111 (masked)', 'can’t be compared']);
    expect(field(page, 'Internal notes')).toEqual(['Internal notes', 'not tracked', 'can’t be compared']);
    expect(page.html).toContain('<tr class="changed"><th scope="row">Status');
    expect(page.html).toContain('<tr class="same"><th scope="row">Total');
  });

  test('the same by version, by instant, and by an instant with offset', async () => {
    const [version] = await auditLog.audited(Order).versions(1, { where: { logEntryId: ids[1] } });
    for (const query of [
      `entry=${ids[1]}`,
      `version=${version!.historyId}`,
      't=2025-10-26T01:30:00.123456Z',
      `t=${encodeURIComponent('2025-10-26T02:00:00+00:00')}`,
    ]) {
      const page = await get(`o/Order/1/at?${query}`);
      expect([query, field(page, 'Status')]).toEqual([query, ['Status', 'paid', 'sent']]);
    }
  });

  test('a time without offset is one of the page’s zone, also in the hour that comes twice', async () => {
    const status = async (t: string): Promise<string | undefined> =>
      field(await get(`o/Order/1/at?tz=Europe/Zurich&t=${t}`), 'Status')?.[1];
    // 02:15 is 01:15 UTC the second time, and 02:45 is 01:45 UTC; 03:31 is 02:31 UTC.
    expect(await status('2025-10-26T02:15')).toBe('pending');
    expect(await status('2025-10-26T02:45:00')).toBe('paid');
    const page = await get('o/Order/1/at?tz=Europe/Zurich&t=2025-10-26T03:31');
    expect(page.html).toContain('value="2025-10-26T03:31:00"');
    expect(page.text).toContain('Relationships then Tags gift');
  });

  test('links lead to the versions beside it, and the list offers them all', async () => {
    const { links, html } = await get(`o/Order/1/at?entry=${ids[1]}`);
    const at = (id: string | undefined) => `../../../o/Order/1/at?entry=${id}`;
    expect([links.get('Previous version'), links.get('Next version')]).toEqual([at(ids[0]), at(ids[2])]);
    expect([...html.matchAll(/<option value="(\d+)"( selected)?/g)].map(([, id]) => id)).toEqual(
      ids.toReversed(),
    );
    expect(html).toContain(`<option value="${ids[1]}" selected>`);
    const first = await get(`o/Order/1/at?entry=${ids[0]}`);
    expect(first.links.has('Previous version')).toBe(false);
  });

  test('before it was created 404, after it was deleted 410, before its history 422', async () => {
    const before = await get('o/Order/1/at?t=2020-01-01');
    expect([before.status, before.text]).toEqual([404, expect.stringContaining('not yet created')]);
    const deleted = (await idsOf('Item', '["a/b","2"]')).at(-1);
    const gone = await get(`${ITEM}/at?entry=${deleted}`);
    expect([gone.status, gone.text]).toEqual([410, expect.stringContaining('deleted by that time')]);
    const known = await get(`${ITEM}/at?entry=${Number(deleted) - 1}`);
    expect([known.status, field(known, 'Quantity')]).toEqual([200, ['Quantity', '2']]);
    expect(known.text).toContain('It is deleted now.');
    await database.rows(
      `insert into "Items" ("orderId", "sku", "quantity", "createdAt", "updatedAt") values ('old', '1', 1, now(), now())`,
    );
    await Item.update({ quantity: 5 }, { where: { orderId: 'old' } });
    const unknown = await get(`o/Item/${encodeURIComponent('["old","1"]')}/at?t=2020-01-01`);
    expect([unknown.status, unknown.text]).toEqual([422, expect.stringContaining('its history begins')]);
  });

  test('what is no time, or an entry of another object, is refused', async () => {
    for (const query of [
      '',
      't=yesterday',
      't=2025-02-30',
      't=2025-10-26T25:00',
      'entry=x',
      'version=',
      't=current',
    ])
      expect([query, (await get(`o/Order/1/at?${query}`)).status]).toEqual([query, 400]);
    const other = await idsOf('Item', '["a/b","2"]');
    for (const query of [`entry=${other[0]}`, 'entry=999999', 'entry=9223372036854775808', 'version=999999'])
      expect([query, [400, 404].includes((await get(`o/Order/1/at?${query}`)).status)]).toEqual([
        query,
        true,
      ]);
    expect((await get(`o/Order/1/at?entry=${other[0]}`)).status).toBe(404);
  });

  test('fault 76, scope: what is not the visitor’s to see is not shown', async () => {
    const canSee = (_req: unknown, _model: string, attribute: string) =>
      !['status', 'tags'].includes(attribute);
    const page = await get(`o/Order/1/at?entry=${ids[3]}`, { canSee });
    expect(page.html).not.toMatch(/pending|paid|sent|gift|Status/);
    expect(page.text).toContain('1 field you may not see.');
    const scope = () => ({ additionalData: { tenant: 'b' } });
    expect((await get(`o/Order/1/at?entry=${ids[0]}`, { scope })).status).toBe(404);
    expect((await get('o/Order/1/at?t=2025-10-26T01:45:00Z', { scope })).status).toBe(404);
    const own = await get(`o/Order/1/at?entry=${ids[3]}`, { scope });
    expect(own.status).toBe(200);
    expect([...own.html.matchAll(/<option value="(\d+)"/g)].map(([, id]) => id)).toEqual([ids[3]]);
  });
});

describe('comparing two', () => {
  test('only what differs: words in long text, documents by path, relationships', async () => {
    const page = await get(`o/Order/1/diff?from=${ids[0]}&to=current`);
    expect(page.status).toBe(200);
    const [values, links] = tablesOf(page.html);
    expect(values!.rows).toEqual([
      ['Field', 'Change'],
      ['Status', '[was pending] → [now sent]'],
      ['Description', expect.stringMatching(/^… \d+ words … .* \[was here\]\[now there\]$/)],
      ['Shipping', 'city [was Bern] [now Biel]'],
    ]);
    expect(links!.rows[1]).toEqual(['1', 'Tags', 'added', 'gift']);
  });

  test('side by side, with all fields', async () => {
    const page = await get(`o/Order/1/diff?from=${ids[0]}&to=${ids[1]}&view=side&all=1`);
    expect(field(page, 'Status')).toEqual(['Status', '[was pending]', '[now paid]']);
    expect(field(page, 'Shipping')).toEqual(['Shipping', 'city [was Bern]', 'city [now Biel]']);
    expect(field(page, 'Total')).toEqual(['Total', '10.00', '10.00']);
    expect(field(page, 'Card number')).toEqual([
      'Card number',
      '********1111 (masked)',
      '********1111 (masked)',
    ]);
    expect(page.html).toContain('class="diff-side');
  });

  test('fault 49: masks that differ are shown as masks, those that are the same say nothing', async () => {
    const order = await Order.create({ status: 'new', cardNumber: '4111111111112222' });
    await order.update({ cardNumber: '5500000000005559' });
    const pk = String(order.get('id'));
    const [created] = await idsOf('Order', pk);
    const masks = ['********2222 (masked)', '********5559 (masked)'];
    const inline = await get(`o/Order/${pk}/diff?from=${created}&to=current`);
    expect(field(inline, 'Card number')).toEqual(['Card number', `[was ${masks[0]}] → [now ${masks[1]}]`]);
    const at = await get(`o/Order/${pk}/at?entry=${created}`);
    expect(field(at, 'Card number')).toEqual(['Card number', ...masks]);
    await order.update({ cardNumber: '4222222222222222' });
    const same = await get(`o/Order/${pk}/diff?from=${created}&to=current`);
    expect(field(same, 'Card number')).toBeUndefined();
    expect(inline.html + at.html + same.html).not.toMatch(/\d{16}/);
  });

  test('each switch keeps the others, and swapping swaps', async () => {
    const { links } = await get(`o/Order/1/diff?from=${ids[0]}&to=current&view=side&all=1`);
    const base = '../../../o/Order/1/diff?';
    expect(links.get('Inline')).toBe(`${base}from=${ids[0]}&to=current&all=1`);
    expect(links.get('Only what differs')).toBe(`${base}from=${ids[0]}&to=current&view=side`);
    expect(links.get('Swap')).toBe(`${base}from=current&to=${ids[0]}&view=side&all=1`);
    const swapped = await get(`o/Order/1/diff?from=current&to=${ids[0]}`);
    expect(field(swapped, 'Status')).toEqual(['Status', '[was sent] → [now pending]']);
    expect([...swapped.links.keys()].some((text) => text.startsWith('Revert'))).toBe(false);
  });

  test('nothing differs from itself; what was not there is compared with nothing', async () => {
    expect((await get(`o/Order/1/diff?from=${ids[1]}&to=${ids[1]}`)).text).toContain('Nothing differs');
    const items = await idsOf('Item', '["a/b","2"]');
    const page = await get(`${ITEM}/diff?from=${items[1]}&to=${items[2]}`);
    expect(page.status).toBe(200);
    expect(page.text).toContain('It was not there at');
    expect(field(page, 'Quantity')).toEqual(['Quantity', '[was 2] → [now ∅ null]']);
  });

  test('points that are missing, damaged or of another object', async () => {
    for (const query of ['', `from=${ids[0]}`, `to=${ids[0]}`, `from=x&to=${ids[0]}`])
      expect([query, (await get(`o/Order/1/diff?${query}`)).status]).toEqual([query, 400]);
    const [item] = await idsOf('Item', '["a/b","2"]');
    expect((await get(`o/Order/1/diff?from=${item}&to=current`)).status).toBe(404);
    expect((await get('o/Order/404/diff?from=1&to=current')).status).toBe(404);
  });

  test('fault 76, scope: what is not the visitor’s to see is not compared', async () => {
    const canSee = (_req: unknown, _model: string, attribute: string) =>
      !['status', 'tags'].includes(attribute);
    const page = await get(`o/Order/1/diff?from=${ids[0]}&to=current&all=1`, { canSee });
    expect(page.html).not.toMatch(/pending|paid|sent|gift|Status|Tags/);
    expect(field(page, 'Shipping')).toBeDefined();
    const scope = () => ({ additionalData: { tenant: 'b' } });
    for (const from of [ids[0], '2025-10-26T01:45:00Z'])
      expect((await get(`o/Order/1/diff?from=${from}&to=current`, { scope })).status).toBe(404);
  });

  test('at most seven queries a page: the last one asks whether that time was pruned', async () => {
    for (const path of [`o/Order/1/at?entry=${ids[1]}`, `o/Order/1/diff?from=${ids[0]}&to=current`]) {
      const sent = await statementsOf(database.sequelize, () => get(path));
      const selects = sent.filter(({ text }) => /^\s*(?:select|with)/i.test(text));
      expect([path, selects.length <= 7]).toEqual([path, true]);
      expect(selects.filter(({ text }) => /count\(|distinct/i.test(text))).toEqual([]);
    }
  });
});

test('H354: a version whose related row is gone still opens', async () => {
  const { Customer } = world;
  const customer = await Customer.create({ name: 'Ada' });
  const order = await Order.create({ status: 'new', customerId: customer.get('id') });
  await order.update({ customerId: null });
  await customer.destroy();
  const [first] = await idsOf('Order', String(order.get('id')));
  const page = await get(`o/Order/${String(order.get('id'))}/at?entry=${first}`);
  expect(field(page, 'Customer')).toEqual(['Customer', String(customer.get('id')), '∅ null']);
  expect(rowsOf(page.html)).toHaveLength(11);
});
