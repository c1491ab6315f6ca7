import { testDatabase } from '../support/database';
import { webWorld } from '../support/web';
import { seedAwkward, seedLives } from '../support/web-seed';
import { findingsOf } from './support/axe';
import type { POLICIES } from './support/site';
import { stageOf } from './support/stage';

const database = testDatabase();
const world = webWorld(database);
const stage = stageOf(world);
let pages: string[] = [];

beforeAll(async () => {
  await world.open();
  const { alive, gone } = await seedLives(world);
  await seedAwkward(world);
  const object = { where: { model: 'Order', objectPk: String(alive.get('id')) }, order: ['id'] as never };
  const entries = await world.auditLog.LogEntry.findAll(object);
  const [first, second] = entries;
  const order = `o/Order/${String(alive.get('id'))}`;
  pages = [
    '',
    '?q=actor:ada -action:delete',
    '?q=at:nonsense',
    '?q=reason:nothing-like-this',
    `e/${second!.id}`,
    order,
    `o/Order/${String(gone.get('id'))}`,
    `${order}/at?t=${second!.timestamp.toISOString()}`,
    `${order}/diff?from=${first!.id}&to=current`,
    `${order}/diff?from=${first!.id}&to=current&view=side`,
    `${order}/revert?to=${first!.id}`,
    'r/req-2',
    `t/${second!.transactionId}`,
    'a/ada',
    'deleted',
    'models',
    'nothing/here',
  ];
});
afterAll(() => database.close());

test.each(['helmet', 'strict', 'ours'] satisfies (keyof typeof POLICIES)[])(
  'no page is reported under the policy %s, nor asks another origin for anything',
  async (policy) => {
    const { site, page, troubles } = await stage.scene({ policy });
    const found: Record<string, unknown> = {};
    for (const path of pages) {
      const answer = await page.goto(site.root + path);
      expect([path, answer!.status() < 500]).toEqual([path, true]);
      await page.waitForFunction(() => document.documentElement.classList.contains('script'));
      const wrong = [...troubles(), ...site.reports.splice(0)];
      if (wrong.length > 0) found[path] = wrong;
    }
    expect(found).toEqual({});
  },
);

test.each(['light', 'dark'] as const)('axe finds nothing serious on any page, %s', async (colorScheme) => {
  const { site, page } = await stage.scene({ pageSize: 12 }, { colorScheme });
  // In the dark only colours differ.
  const rules = colorScheme === 'dark' ? ['color-contrast'] : undefined;
  const found: Record<string, string[]> = {};
  for (const path of pages) {
    await page.goto(site.root + path);
    const findings = await findingsOf(page, rules);
    if (findings.length > 0) found[path] = findings;
  }
  expect(found).toEqual({});
});

test('no page scrolls sideways on a phone of 360 pixels, with all that folds unfolded', async () => {
  const { site, page } = await stage.scene({}, { viewport: { width: 360, height: 740 } });
  const found: Record<string, unknown> = {};
  for (const path of pages) {
    await page.goto(site.root + path);
    const wide = await page.evaluate(() => {
      for (const one of document.querySelectorAll('details')) one.open = true;
      const { scrollWidth, clientWidth } = document.documentElement;
      if (scrollWidth <= clientWidth) return null;
      const culprits = [...document.querySelectorAll('main *')].filter(
        (one) => one.getBoundingClientRect().right > clientWidth,
      );
      return culprits.slice(0, 4).map(({ outerHTML }) => outerHTML.slice(0, 160));
    });
    if (wide) found[path] = wide;
  }
  expect(found).toEqual({});
});

test('paper shows no navigation, no forms and no buttons', async () => {
  const { site, page } = await stage.scene();
  await page.emulateMedia({ media: 'print' });
  for (const path of pages.slice(0, 13)) {
    await page.goto(site.root + path);
    const shown = await page.evaluate(() =>
      [
        ...document.querySelectorAll(
          'nav, button, input:not([type="hidden"]), select, textarea, .button, .pager, .skip',
        ),
      ]
        .filter((one) => one.checkVisibility())
        .map(({ outerHTML }) => outerHTML.slice(0, 160)),
    );
    expect([path, shown]).toEqual([path, []]);
    expect(await page.locator('h1').isVisible()).toBe(true);
    // What forms are about is printed: the entries of a timeline, the values of a revert.
    const hidden = await page.evaluate(() =>
      [...document.querySelectorAll('.version, .revert tbody tr')].filter((one) => !one.checkVisibility()),
    );
    expect(hidden).toEqual([]);
  }
});
