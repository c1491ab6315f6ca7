import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';

/** A visitor with a window, and all that should not happen in it. */
export interface Visitor {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Errors, reports, dialogs and requests to other origins since the last look. */
  readonly troubles: () => string[];
}

/** `origin` is the only one that pages may ask for anything. */
export async function openVisitor(
  browser: Browser,
  origin: string,
  options: BrowserContextOptions = {},
): Promise<Visitor> {
  const context = await browser.newContext({ timezoneId: 'UTC', locale: 'en-GB', ...options });
  context.setDefaultTimeout(10_000);
  const page = await context.newPage();
  const found: string[] = [];
  const isOwn = (url: string): boolean =>
    url.startsWith(new URL(origin).origin) || /^(about|data|blob):/.test(url);
  page.on('console', (message) => {
    const { url } = message.location();
    // A page that answers 4xx on purpose is told of too.
    if (message.type() === 'error' && !/Failed to load resource.*\b4\d\d\b/.test(message.text()))
      found.push(`console: ${message.text()} (${url})`);
  });
  page.on('pageerror', (error) => found.push(`error: ${error.message}`));
  page.on('dialog', (dialog) => {
    found.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    if (!isOwn(request.url())) found.push(`request: ${request.url()}`);
  });
  page.on('popup', (popup) => found.push(`popup: ${popup.url()}`));
  return { page, context, troubles: () => found.splice(0) };
}
