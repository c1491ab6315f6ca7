import { withAuditContext } from 'sequelize-auditlog';
import type { Model } from 'sequelize';
import { testDatabase } from '../support/database';
import { asActor, webWorld } from '../support/web';
import { stageOf } from './support/stage';

const database = testDatabase();
const world = webWorld(database);
const stage = stageOf(world);
const { Customer, Order, auditLog } = world;
let order: Model;

beforeAll(async () => {
  await world.open();
  await asActor('ada', null, () =>
    Customer.bulkCreate(
      ['a', 'b', 'c'].map((name) => ({ name })),
      { individualHooks: true },
    ),
  );
  order = await asActor('ada', null, () => Order.create({ status: 'one' }));
  for (const status of ['two', 'three', 'four']) await asActor('sam', null, () => order.update({ status }));
});
afterAll(() => database.close());

describe('times', () => {
  test('are shown in the zone of the browser, and from the next page on by the server', async () => {
    const { page, site } = await stage.scene({}, { timezoneId: 'Asia/Tokyo' });
    await page.goto(`${site.root}o/Order/1`);
    const at = await page.locator('time.moment').first().getAttribute('datetime');
    const inTokyo = new Date(at!).toLocaleTimeString('en', {
      timeZone: 'Asia/Tokyo',
      hourCycle: 'h23',
      timeStyle: 'medium',
    });
    expect(await page.locator('.moment-at').first().textContent()).toContain(inTokyo);
    expect(await page.locator('[data-zone-name]').textContent()).toContain('Asia/Tokyo');
    const answer = await page.reload();
    expect(await answer!.text()).toContain('data-zone="Asia/Tokyo"');
    expect(await page.locator('.moment-at').first().textContent()).toContain(inTokyo);
  });

  test('stay in the zone that the address asks for', async () => {
    const { page, site } = await stage.scene({}, { timezoneId: 'Asia/Tokyo' });
    await page.goto(`${site.root}?tz=Europe/Zurich`);
    expect(await page.locator('[data-zone-name]').textContent()).toBe('Times in Europe/Zurich');
    await page.getByRole('link', { name: 'Models' }).click();
    expect(page.url()).toContain('tz=Europe');
    expect(await page.context().cookies()).toEqual([]);
  });

  test('a time typed on the first page is meant in the browser’s zone', async () => {
    const { page, site } = await stage.scene({}, { timezoneId: 'Asia/Tokyo' });
    await page.goto(`${site.root}o/Order/1`);
    const [entry] = await auditLog.LogEntry.findAll({
      where: { model: 'Order', objectPk: '1' },
      order: ['id'],
    });
    const soon = new Date(entry!.timestamp.getTime() + 3_600_000).toLocaleString('sv', {
      timeZone: 'Asia/Tokyo',
    });
    await page.locator('input[type="datetime-local"]').fill(soon.replace(' ', 'T'));
    await page
      .locator('form', { has: page.locator('input[type="datetime-local"]') })
      .getByRole('button')
      .click();
    expect(await page.locator('h1').textContent()).toContain(soon.split(' ')[1]);
    expect(await page.locator('tr', { hasText: 'Status' }).textContent()).toContain('four');
  });
});

describe('keys', () => {
  const focused =
    'document.activeElement.closest("[data-item]")?.dataset.entry ?? document.activeElement.tagName';

  test('j and k walk through rows, Enter opens, / searches, ? helps, Escape leaves', async () => {
    const { page, site, troubles } = await stage.scene();
    await page.goto(site.root);
    const rows = await page
      .locator('[data-item]')
      .evaluateAll((all) =>
        all.filter((one) => one.checkVisibility()).map((one) => (one as HTMLElement).dataset['entry']),
      );
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    expect(await page.evaluate(focused)).toBe(rows[1]);
    await page.keyboard.press('k');
    expect(await page.evaluate(focused)).toBe(rows[0]);
    await page.keyboard.press('/');
    await page.keyboard.type('jk?');
    expect(await page.getByRole('searchbox').inputValue()).toBe('jk?');
    expect(await page.getByRole('dialog').count()).toBe(0);
    await page.keyboard.press('Escape');
    await page.keyboard.press('?');
    expect(await page.getByRole('dialog').isVisible()).toBe(true);
    await page.keyboard.press('j');
    await page.keyboard.press('Escape');
    expect(await page.getByRole('dialog').count()).toBe(0);
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/e\/\d+$/);
    expect(troubles()).toEqual([]);
  });

  test('can be switched off for whoever speaks to the browser', async () => {
    const { page, site } = await stage.scene();
    await page.goto(site.root);
    await page.getByRole('button', { name: 'Keyboard shortcuts' }).click();
    await page.getByLabel('Single keys work as shortcuts').uncheck();
    await page.getByRole('button', { name: 'Close' }).click();
    await page.reload();
    await page.keyboard.press('j');
    expect(await page.locator('[data-current]').count()).toBe(0);
  });

  test('with Control or another modifier are left to the browser', async () => {
    const { page, site } = await stage.scene();
    await page.goto(site.root);
    await page.keyboard.press('Alt+j');
    expect(await page.locator('[data-current]').count()).toBe(0);
  });
});

test('the slider walks through versions: arrow keys, words for screen readers, an address that follows', async () => {
  const { page, site, troubles } = await stage.scene({ policy: 'strict, with live' });
  const entries = await auditLog.LogEntry.findAll({
    where: { model: 'Order', objectPk: '1' },
    order: ['id'],
  });
  await page.goto(`${site.root}o/Order/1/at?entry=${entries.at(-1)!.id}`);
  const slider = page.getByRole('slider');
  const status = page.locator('[data-swap="state"] tr', { hasText: 'Status' });
  await slider.focus();
  for (const [index, value] of [
    [2, 'three'],
    [1, 'two'],
    [0, 'one'],
  ] as const) {
    await page.keyboard.press('ArrowLeft');
    await page.waitForURL(new RegExp(`entry=${entries[index]!.id}$`));
    await status.filter({ hasText: value }).waitFor();
    expect(await slider.getAttribute('aria-valuetext')).toContain(index === 0 ? 'create' : 'update');
  }
  expect(await page.title()).toContain('as of');
  await page.reload();
  expect(await slider.inputValue()).toBe('0');
  expect([...troubles(), ...site.reports]).toEqual([]);
});

test('under a policy that lets pages load nothing, the slider leads to the page of the version', async () => {
  const { page, site, troubles } = await stage.scene({ policy: 'strict' });
  const entries = await auditLog.LogEntry.findAll({
    where: { model: 'Order', objectPk: '1' },
    order: ['id'],
  });
  await page.goto(`${site.root}o/Order/1/at?entry=${entries.at(-1)!.id}`);
  await page.getByRole('slider').focus();
  await page.keyboard.press('Home');
  await page.waitForURL(new RegExp(`entry=${entries[0]!.id}$`));
  await page.goto(site.root);
  expect(await page.getByRole('button', { name: 'Live' }).count()).toBe(0);
  expect([...troubles(), ...site.reports]).toEqual([]);
});

test('of the boxes on a timeline two stay ticked, and only two can be compared', async () => {
  const { page, site } = await stage.scene();
  await page.goto(`${site.root}o/Order/1`);
  const [boxes, compare] = [
    page.locator('input.pick'),
    page.getByRole('button', { name: 'Compare the two ticked' }),
  ];
  expect(await compare.isDisabled()).toBe(true);
  for (const nth of [0, 1, 2]) await boxes.nth(nth).check();
  expect(await Promise.all([0, 1, 2].map((nth) => boxes.nth(nth).isChecked()))).toEqual([false, true, true]);
  expect(await compare.isEnabled()).toBe(true);
});

describe('live', () => {
  const shownTags =
    "[...document.querySelectorAll('[data-live] [data-entry]')].map((one) => one.dataset.entry)";

  /** Transactions that end in another order than they began, so that older ids turn up after newer ones. */
  async function commitOutOfOrder(count: number): Promise<string[]> {
    const { sequelize } = database;
    const open = [];
    for (let index = 0; index < count; index += 1) {
      const transaction = await sequelize.transaction();
      await withAuditContext({ actor: { id: 'live', label: 'live' }, correlationId: `live-${index}` }, () =>
        Customer.create({ name: `live ${index}` }, { transaction }),
      );
      open.push(transaction);
    }
    for (const transaction of open.toReversed()) await transaction.commit();
    return [];
  }

  test('acceptance 8: of 50 transactions that commit out of the order of ids none is missed and none doubled', async () => {
    const { page, site, troubles } = await stage.scene({ policy: 'strict, with live', pageSize: 100 });
    await page.goto(`${site.root}?q=actor%3Alive`);
    await page.getByRole('button', { name: 'Live' }).click();
    await page.locator('[data-live][data-watching]').waitFor();
    for (let round = 0; round < 10; round += 1) await commitOutOfOrder(5);
    await page.waitForFunction(
      () => document.querySelectorAll('[data-live] [data-entry]').length >= 50,
      undefined,
      { timeout: 30_000 },
    );
    const shown = (await page.evaluate(shownTags)) as string[];
    const stored = await auditLog.LogEntry.findAll({ where: { actorId: 'live' }, attributes: ['id'] });
    expect(shown.toSorted()).toEqual(stored.map(({ id }) => id).toSorted());
    await page.waitForFunction(
      () => document.querySelector<HTMLElement>('[data-live]')?.dataset['shown'] === '50',
    );
    expect(troubles()).toEqual([]);
  });

  test('rows wait while somebody reads: the number is told, the focus stays, a press shows them', async () => {
    const { page, site } = await stage.scene();
    await page.goto(`${site.root}?q=actor%3Areader,ada`);
    await page.getByRole('button', { name: 'Live' }).click();
    await page.locator('[data-live][data-watching]').waitFor();
    await page.keyboard.press('j');
    const before = await page.evaluate(shownTags);
    await asActor('reader', null, () => Customer.create({ name: 'while reading' }));
    const show = page.getByRole('button', { name: '1 new entry — show' });
    await show.waitFor({ timeout: 15_000 });
    expect(await page.getByRole('status').textContent()).toContain('1 new entry');
    expect(await page.evaluate(shownTags)).toEqual(before);
    expect(await page.locator('[data-live] :focus').count()).toBe(1);
    await show.click();
    await page.getByText('while reading').waitFor();
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Live');
  });

  test('nothing is asked for while the page is hidden, or once live is switched off', async () => {
    const { page, site } = await stage.scene();
    await page.goto(site.root);
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await page.getByRole('button', { name: 'Live' }).click();
    await page.locator('[data-live][data-watching]').waitFor();
    await page.evaluate(() => {
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => true });
      document.dispatchEvent(new Event('visibilitychange'));
    });
    asked.length = 0;
    await page.clock.install();
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
    await page.clock.runFor(20_000);
    expect(asked).toEqual([]);
    await page.evaluate(() =>
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => false }),
    );
    const [request] = await Promise.all([
      page.waitForRequest(/api\/v1\/entries/),
      page.evaluate(() => document.dispatchEvent(new Event('visibilitychange'))),
    ]);
    expect(request.headers()['if-none-match']).toBeTruthy();
    await request.response();
    await page.getByRole('button', { name: 'Live' }).click();
    asked.length = 0;
    await page.clock.runFor(20_000);
    expect(asked).toEqual([]);
  });
});
