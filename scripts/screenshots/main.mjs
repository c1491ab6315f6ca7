// Photographs the audit pages of the example shop for the documentation: light, dark, and as a phone shows them.
// Usage: npm run screenshots [picture...]   (needs Chromium, see CHROMIUM_PATH)
import { execFileSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { openShop } from './shop.mjs';

const FOLDER = path.join(import.meta.dirname, '..', '..', 'docs', 'images');
const LOGIN = { email: 'ada@shop.example', password: 'shop' };

const WINDOWS = {
  light: { viewport: { width: 1180, height: 820 }, colorScheme: 'light' },
  dark: { viewport: { width: 1180, height: 820 }, colorScheme: 'dark' },
  phone: { viewport: { width: 390, height: 780 }, colorScheme: 'light', isMobile: true, hasTouch: true },
};

const shop = await openShop();
const browser = await chromium.launch({
  executablePath: chromiumPath(),
  args: [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--force-color-profile=srgb',
    '--font-render-hinting=none',
  ],
});
try {
  await mkdir(FOLDER, { recursive: true });
  const wanted = process.argv.slice(2);
  for (const [name, window] of Object.entries(WINDOWS)) await photograph(name, window, wanted);
} finally {
  await browser.close();
  await shop.close();
}

function chromiumPath() {
  const script = path.join(import.meta.dirname, '..', 'ci', 'find-chromium.sh');
  return execFileSync(script, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();
}

async function photograph(mode, window, wanted) {
  const context = await browser.newContext({
    timezoneId: 'UTC',
    locale: 'en-GB',
    reducedMotion: 'reduce',
    ...window,
  });
  const page = await context.newPage();
  await logIn(page);
  for (const [name, address] of Object.entries(await addresses(page))) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    await page.goto(`${shop.root}/audit/${address}`);
    await page.evaluate(() => globalThis.document.fonts.ready);
    await page.screenshot({ path: path.join(FOLDER, `${name}-${mode}.png`) });
    console.log(`docs/images/${name}-${mode}.png`);
  }
  await context.close();
}

async function logIn(page) {
  await page.goto(`${shop.root}/login`);
  await page.getByLabel(/e-?mail/i).fill(LOGIN.email);
  await page.getByLabel(/password/i).fill(LOGIN.password);
  await page.getByRole('button', { name: /log in/i }).click();
  await page.waitForURL((url) => url.pathname !== '/login');
}

/** Pages with something to see: an order of which many fields changed, and a product whose long text did. */
async function addresses(page) {
  const ask = async (query) =>
    (await (await page.request.get(`${shop.root}/audit/api/v1/${query}`)).json()).data;
  const order = mostChanged(await ask('entries?model=Order&action=update&limit=200'));
  const versions = await ask(`objects/Order/${order}/entries?limit=200`);
  const [{ objectPk: product }] = await ask('entries?model=Product&action=update&field=description');
  const [created] = await ask(`objects/Product/${product}/entries?limit=1&order=asc`);
  const { actorId } = versions.find((entry) => entry.actorId !== null);
  return {
    feed: '',
    timeline: `o/Order/${order}`,
    'as-of': `o/Order/${order}/at?entry=${versions[1].id}`,
    compare: `o/Product/${product}/diff?from=${created.id}&to=current`,
    revert: `o/Product/${product}/revert?to=${created.id}`,
    actor: `a/${encodeURIComponent(actorId)}`,
  };
}

/** The key of the object of which most fields have changed. */
function mostChanged(entries) {
  const fields = new Map();
  for (const { objectPk, changes } of entries)
    fields.set(objectPk, new Set([...(fields.get(objectPk) ?? []), ...Object.keys(changes)]));
  const [[key]] = [...fields].toSorted(([, one], [, other]) => other.size - one.size);
  return key;
}
