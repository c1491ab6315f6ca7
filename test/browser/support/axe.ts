import axe from 'axe-core';
import type { Page } from 'playwright-core';

/** Serious and critical findings of axe on the page as it stands, with the element they are about. */
export async function findingsOf(page: Page, rules?: readonly string[]): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(
    (only) =>
      (globalThis as unknown as { axe: typeof axe }).axe.run({
        resultTypes: ['violations'],
        // Nothing of another page is looked at, and style sheets of our own need not be asked for again.
        iframes: false,
        preload: false,
        ...(only && { runOnly: { type: 'rule', values: [...only] } }),
      }),
    rules,
  );
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`));
}
