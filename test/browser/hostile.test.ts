import { withAuditContext } from 'sequelize-auditlog';
import { testDatabase } from '../support/database';
import { crawl } from '../support/crawl';
import { webWorld } from '../support/web';
import { stageOf } from './support/stage';

const database = testDatabase();
const world = webWorld(database);
const stage = stageOf(world);
const { Order, Customer, Item, Tag } = world;

/** Each sets the flag when it runs, or leaves an element that no page of ours has. */
const HOSTILE = [
  '<script>window.pwned=1</script>',
  '"><img src=x onerror="window.pwned=1">',
  "'><svg/onload=window.pwned=1>",
  '</title></textarea></option></select></script><iframe srcdoc="<script>parent.pwned=1</script>">',
  'javascript:window.pwned=1',
  'data:text/html,<script>window.pwned=1</script>',
  '{{constructor.constructor("window.pwned=1")()}}${window.pwned=1}<%= 1 %>',
  '<a href="javascript:window.pwned=1" class="evil">x</a><form action=//evil.example><input name=q>',
  '<math><mi xlink:href="data:x,<script>window.pwned=1</script>">',
  '--><meta http-equiv="refresh" content="0;url=//evil.example"><base href="//evil.example/">',
  '\u202E\u0007\u2028<b class="evil">',
];
const LINKS = [
  'javascript:window.pwned=1',
  ' java\nscript:window.pwned=1',
  'data:text/html,x',
  'vbscript:x',
  '//evil.example/x',
  '/ok',
];

beforeAll(async () => {
  await world.open();
  for (const [index, text] of HOSTILE.entries()) {
    const context = {
      actor: { id: text, label: text, type: text },
      reason: text,
      request: `GET /${text}`,
      additionalData: { [text]: text },
      correlationId: `hostile-${index}`,
    };
    await withAuditContext(context, async () => {
      const customer = await Customer.create({ name: text, about: `${text}\n${'long '.repeat(40)}` });
      await customer.update({ about: `${'long '.repeat(40)}\n${text}` });
      const order = await Order.create({
        status: text,
        description: text,
        shipping: { [text]: text, list: [text] },
      });
      await order.update({
        shipping: { [text]: { [text]: 1 }, list: [text, { [text]: text }] },
        cardNumber: text,
      });
      const tag = await Tag.create({ name: text });
      await (order as never as { addTag(tag: unknown): Promise<void> }).addTag(tag);
      const item = await Item.create({ orderId: text, sku: text, quantity: index });
      await item.destroy();
    });
  }
});
afterAll(() => database.close());

test('fault 73: hostile text in every value, key, label, name, reason, path and link is shown as text', async () => {
  let nth = 0;
  const site = await stage.site({
    policy: 'ours',
    title: HOSTILE[0]!,
    pageSize: 12,
    columns: { Order: ['status', 'description'] },
    linkTo: () => LINKS[(nth += 1) % LINKS.length],
    extend: (app) => app.get(/^\/(ok|x)/, (_, res) => void res.send('fine')),
  });
  // What policies would stop must not be there in the first place.
  const { page, troubles } = await stage.visitor(site, { bypassCSP: true });
  await page.addInitScript(() => {
    window.alert = window.confirm = () => ((window as never as { pwned: number }).pwned = 1) as never;
  });
  const visited: string[] = [];
  const found: Record<string, unknown> = {};
  const origin = new URL(site.root).origin;
  await crawl(
    async (method, path) => {
      if (method === 'POST' || /export|assets|\/ok/.test(path)) return { status: 200, text: '' };
      const answer = await page.goto(origin + path);
      visited.push(path);
      const wrong = await page.evaluate(() => {
        const strange =
          'iframe, object, embed, base, meta[http-equiv], img, math, .evil, script:not([src]), style, [onerror], [onload], [href^="javascript"], [href^="data"], [href^="vbscript"]';
        const foreign = [...document.querySelectorAll<HTMLAnchorElement>('a[href], form[action]')]
          .map((one) => one.getAttribute('href') ?? one.getAttribute('action') ?? '')
          .filter((href) => /^\s*(java|data|vb)/i.test(href));
        return {
          flag: (window as never as { pwned?: number }).pwned ?? null,
          elements: [...document.querySelectorAll(strange)].map(({ outerHTML }) => outerHTML.slice(0, 200)),
          foreign,
        };
      });
      const bad = troubles();
      if (wrong.flag !== null || wrong.elements.length + wrong.foreign.length + bad.length > 0)
        found[path] = { ...wrong, bad };
      return { status: answer!.status(), text: await answer!.text() };
    },
    '/audit/',
    { perShape: 2 },
  );
  expect(found).toEqual({});
  expect(visited.length).toBeGreaterThan(20);
  expect(visited.some((path) => path.includes('/diff'))).toBe(true);
});

test('hostile text survives whole: it is shown, not thrown away', async () => {
  const { page, site } = await stage.scene();
  await page.goto(`${site.root}?q=model%3ATag`);
  const shown = await page.locator('main').textContent();
  for (const text of HOSTILE.slice(0, 5)) expect(shown).toContain(text);
});
