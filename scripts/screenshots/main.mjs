// Photographs the audit pages of the example shop for the documentation: light, dark, and as a phone shows them.
// Usage: npm run screenshots [picture...]   (needs Chromium, see CHROMIUM_PATH)
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
  executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
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

/** Pages with something to see: the order that most was done to. */
async function addresses(page) {
  const ask = async (query) =>
    (await (await page.request.get(`${shop.root}/audit/api/v1/${query}`)).json()).data;
  const counts = new Map();
  for (const { objectPk } of await ask('entries?model=Order&action=update&limit=200'))
    counts.set(objectPk, (counts.get(objectPk) ?? 0) + 1);
  const [[order]] = [...counts].toSorted(([, a], [, b]) => b - a);
  const entries = await ask(`objects/Order/${order}/entries?limit=200`);
  const first = entries.at(-1).id;
  const actor = entries.find(({ actorId }) => actorId !== null).actorId;
  return {
    feed: '',
    timeline: `o/Order/${order}`,
    'as-of': `o/Order/${order}/at?entry=${entries[1].id}`,
    compare: `o/Order/${order}/diff?from=${first}&to=current`,
    revert: `o/Order/${order}/revert?to=${entries.at(-2).id}`,
    actor: `a/${encodeURIComponent(actor)}`,
  };
}
