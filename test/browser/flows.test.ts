import { readFile } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import type { Model } from 'sequelize';
import { testDatabase } from '../support/database';
import { asActor, webWorld } from '../support/web';
import { stageOf, type Scene } from './support/stage';

const database = testDatabase();
const world = webWorld(database);
const stage = stageOf(world);
const { Order, Customer, Tag, Item, auditLog } = world;

beforeAll(() => world.open());
afterAll(() => database.close());

const LONG =
  'Please deliver the parcel to the neighbours on the ground floor, ring twice, and leave a note in the box. ';

/** An order that was created, paid and described, then shipped. */
async function anOrder(): Promise<Model> {
  const order = await asActor('ada', null, () => Order.create({ status: 'pending', total: '10.00' }));
  await asActor('sam', 'ticket 7', () => order.update({ status: 'paid', description: LONG + LONG }));
  await asActor('ada', null, () =>
    order.update({ status: 'shipped', description: LONG + LONG.replace('ground', 'second') }),
  );
  return order;
}

const stateOf = async (order: Model): Promise<unknown> => {
  const row = await Order.findByPk(order.get('id') as number, { rejectOnEmpty: true });
  return { status: row.get('status'), total: row.get('total') };
};

describe.each([
  ['with JavaScript', true],
  ['without JavaScript', false],
])('%s', (_, javaScriptEnabled) => {
  const open = async (path = ''): Promise<Scene> => {
    const scene = await stage.scene({ policy: 'helmet' }, { javaScriptEnabled });
    await scene.page.goto(scene.site.root + path);
    return scene;
  };
  const pathOf = (order: Model): string => `o/Order/${String(order.get('id'))}`;
  const button = (scene: Scene, name: string) => scene.page.getByRole('button', { name, exact: true });
  const link = (scene: Scene, name: string) => scene.page.getByRole('link', { name, exact: true });
  const heading = (scene: Scene) => scene.page.getByRole('heading', { level: 1 }).textContent();
  const nothingWrong = (scene: Scene) => expect([...scene.troubles(), ...scene.site.reports]).toEqual([]);

  test('search, filters and their chips write one address', async () => {
    await anOrder();
    const scene = await open();
    const { page } = scene;
    await page.getByRole('searchbox').fill('actor:sam field:status');
    await button(scene, 'Search').click();
    expect(new URL(page.url()).search).toBe('?q=actor%3Asam+field%3Astatus');
    for (const sentence of await page.locator('.entry .sentence').allTextContents())
      expect(sentence).toMatch(/^sam changed .*status/);
    await page.getByText('Filters').click();
    await page.getByLabel('Model').selectOption('Order');
    await button(scene, 'Apply').click();
    expect(decodeURIComponent(page.url())).toMatch(/q=.*model:Order/);
    await link(scene, 'Remove Field: status').click();
    await link(scene, 'Remove Actor: sam').click();
    expect(new URL(page.url()).search).toBe('?q=model%3AOrder');
    await link(scene, 'Remove Model: Order').click();
    expect(new URL(page.url()).search).toBe('');
    nothingWrong(scene);
  });

  test('a group unfolds, leads to its request, to an entry, to its object', async () => {
    await asActor('bulk', 'all at once', async () => {
      for (const name of ['a', 'b', 'c', 'd', 'e']) await Tag.create({ name });
    });
    const scene = await open();
    const { page } = scene;
    const group = page.locator('details.group').first();
    expect(await group.locator('.entry').first().isVisible()).toBe(false);
    await group.locator('summary').click();
    expect(await group.locator('.entry').count()).toBe(5);
    await group.getByRole('link', { name: 'Whole request' }).click();
    expect(await heading(scene)).toContain('Request bulk-');
    await page.locator('.entry [data-open]').first().click();
    expect(await heading(scene)).toContain('Entry');
    expect(await page.getByText('all at once').count()).toBeGreaterThan(0);
    await link(scene, 'All entries of this object').click();
    expect(await heading(scene)).toBe('a');
    nothingWrong(scene);
  });

  test('a timeline narrows to a field, goes back in time, and compares two versions', async () => {
    const order = await anOrder();
    const scene = await open(pathOf(order));
    const { page } = scene;
    await page.locator('select[name="field"]').selectOption('total');
    await button(scene, 'Show').click();
    expect(await page.locator('.version').count()).toBe(1);
    await page.goBack();
    await page.getByRole('link', { name: 'State then' }).nth(1).click();
    expect(await heading(scene)).toContain('as of');
    expect(await page.locator('tr', { hasText: 'Status' }).textContent()).toBe('Statuspaidshipped');
    await link(scene, 'Previous version').click();
    expect(await page.locator('tr', { hasText: 'Status' }).textContent()).toBe('Statuspendingshipped');
    await link(scene, 'Timeline').click();
    await page.locator('input.pick').nth(0).check();
    await page.locator('input.pick').nth(1).check();
    await button(scene, 'Compare the two ticked').click();
    expect(await page.locator('tr', { hasText: 'Description' }).locator('del').allTextContents()).toEqual([
      'was ground',
    ]);
    await link(scene, 'Side by side').click();
    expect(await page.locator('table.diff-side').count()).toBe(1);
    nothingWrong(scene);
  });

  test('a time in a field shows the state of that time', async () => {
    const order = await anOrder();
    const scene = await open(pathOf(order));
    const { page } = scene;
    await page.locator('input[type="datetime-local"]').fill('2001-01-01T00:00:00');
    await page
      .locator('form', { has: page.locator('input[type="datetime-local"]') })
      .getByRole('button')
      .click();
    expect(await page.getByText('not yet created at that time').count()).toBe(1);
    nothingWrong(scene);
  });

  test('a revert is previewed, puts back what is ticked, and can itself be reverted', async () => {
    const order = await anOrder();
    const scene = await open(pathOf(order));
    const { page } = scene;
    await page.getByRole('link', { name: 'Revert to this' }).last().click();
    expect(await heading(scene)).toContain('Revert Order');
    await page.getByLabel('Description').uncheck();
    await page.getByLabel('Reason (required)').fill('not yet paid');
    await button(scene, 'Revert').click();
    expect(await page.getByText('Done: the object was put back.').count()).toBe(1);
    expect(await stateOf(order)).toEqual({ status: 'pending', total: '10.00' });
    expect((await Order.findByPk(order.get('id') as number))?.get('description')).toContain('second');
    await page.getByRole('link', { name: 'Revert to this' }).first().click();
    await page.getByLabel('Reason (required)').fill('it was paid after all');
    await button(scene, 'Revert').click();
    expect(await stateOf(order)).toEqual({ status: 'shipped', total: '10.00' });
    expect(await page.locator('.reason').first().textContent()).toContain('it was paid after all');
    nothingWrong(scene);
  });

  test('a revert of what has changed since is refused, and says what happened', async () => {
    const order = await anOrder();
    const scene = await open(pathOf(order));
    const { page } = scene;
    await page.getByRole('link', { name: 'Revert to this' }).last().click();
    await page.getByLabel('Reason (required)').fill('too late');
    await asActor('eve', null, () => order.update({ total: '99.00' }));
    await button(scene, 'Revert').click();
    expect(await heading(scene)).toBe('Changed in the meantime');
    expect(await page.locator('main').textContent()).toContain('eve changed');
    expect(await stateOf(order)).toEqual({ status: 'shipped', total: '99.00' });
    await link(scene, 'Look again').click();
    expect(await heading(scene)).toContain('Revert Order');
  });

  test('a deleted object is found among the deleted, and restored under its key', async () => {
    const key = { orderId: `gone ${String(javaScriptEnabled)}`, sku: 'a/b' };
    await asActor('ada', null, () => Item.create({ ...key, quantity: 3 }));
    await asActor('sam', 'mistake', () => Item.destroy({ where: key, individualHooks: true }));
    const scene = await open();
    const { page } = scene;
    await link(scene, 'Deleted').click();
    await page.locator('tr', { hasText: key.orderId }).getByRole('link', { name: 'Restore' }).click();
    await page.getByLabel('Reason (required)').fill('still needed');
    await button(scene, 'Restore').click();
    expect(await page.getByText('Done: the object was put back.').count()).toBe(1);
    expect((await Item.findOne({ where: key }))?.get('quantity')).toBe(3);
    await link(scene, 'Deleted').click();
    expect(await page.locator('tr', { hasText: key.orderId }).count()).toBe(0);
    nothingWrong(scene);
  });

  test('a request is undone after a preview', async () => {
    const ids: number[] = [];
    await asActor('import', null, async () => {
      for (const name of ['one', 'two']) ids.push((await Customer.create({ name })).get('id') as number);
    });
    const scene = await open();
    const { page } = scene;
    await page.getByRole('link', { name: 'Whole request' }).first().click();
    await page.getByLabel('Reason').fill('wrong file');
    await button(scene, 'Preview the undo').click();
    expect(await page.locator('main').textContent()).toContain('one is deleted');
    expect(await Customer.count({ where: { id: ids } })).toBe(2);
    await button(scene, 'Undo now').click();
    expect(await Customer.count({ where: { id: ids } })).toBe(0);
    expect(await page.locator('main').textContent()).toContain('Undone.');
    nothingWrong(scene);
  });

  test('what is searched is downloaded as CSV and NDJSON', async () => {
    await anOrder();
    const scene = await open('?q=actor%3Asam%20model%3AOrder');
    const rows = await auditLog.LogEntry.count({ where: { actorId: 'sam', model: 'Order' } });
    const load = async (name: string): Promise<string> => {
      const [download] = await Promise.all([
        scene.page.waitForEvent('download'),
        scene.page.getByRole('link', { name }).click(),
      ]);
      return readFile(await download.path(), 'utf8');
    };
    const csv = parse(await load('Export CSV'), { bom: true, columns: true, comment: '#' });
    expect(csv).toHaveLength(rows);
    const lines = (await load('Export NDJSON'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines.filter((line) => 'id' in line)).toHaveLength(rows);
    nothingWrong(scene);
  });
});
