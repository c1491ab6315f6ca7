import { setTimeout as sleep } from 'node:timers/promises';

const PAUSE_MS = 5;
const PATIENCE_MS = 10_000;

/** Waits for a condition that nothing tells of; fails when it doesn't come true. */
export async function until(isTrue: () => boolean | Promise<boolean>, what = String(isTrue)): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  while (!(await isTrue())) {
    if (Date.now() > end) throw new Error(`Waited ${PATIENCE_MS} ms in vain for ${what}`);
    await sleep(PAUSE_MS);
  }
}
