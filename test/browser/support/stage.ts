import type { Browser, BrowserContextOptions } from 'playwright-core';
import type { WebWorld } from '../../support/web';
import { launchChromium } from './chromium';
import { openSite, type Site, type SiteOptions } from './site';
import { openVisitor, type Visitor } from './visitor';

/** A site and a visitor on it. */
export interface Scene extends Visitor {
  readonly site: Site;
}

/** Opens sites and visitors for one test each: whatever a test leaves open is closed after it, so that the run can end. */
export interface Stage {
  readonly site: (options?: SiteOptions) => Promise<Site>;
  readonly visitor: (site: Site, options?: BrowserContextOptions) => Promise<Visitor>;
  readonly scene: (options?: SiteOptions, window?: BrowserContextOptions) => Promise<Scene>;
}

export function stageOf(world: WebWorld): Stage {
  const open: { close(): Promise<void> }[] = [];
  let browser: Browser;
  beforeAll(async () => void (browser = await launchChromium()));
  afterEach(async () => {
    for (const one of open.splice(0).toReversed()) await one.close();
  });
  afterAll(() => browser.close());

  const site: Stage['site'] = async (options) => {
    const opened = await openSite(world, options);
    open.push(opened);
    return opened;
  };
  const visitor: Stage['visitor'] = async ({ root }, options) => {
    const opened = await openVisitor(browser, root, options);
    open.push(opened.context);
    return opened;
  };
  const scene: Stage['scene'] = async (options, window) => {
    const opened = await site(options);
    return { site: opened, ...(await visitor(opened, window)) };
  };
  return { site, visitor, scene };
}
