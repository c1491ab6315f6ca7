import { setTimeout as pause } from 'node:timers/promises';
import type { TailedEntry } from 'sequelize-auditlog';

export type Batch = readonly TailedEntry[];

const TIMEOUT_MS = 10_000;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 60_000;
/** Refusals that pass; any other one of the 400s will be the same next time. */
const PASSING = [408, 425, 429];

/** What no repetition mends: somebody has to look. */
export class RefusedError extends Error {}

async function post(url: string, batch: Batch, signal: AbortSignal): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': batch.at(-1)?.cursor ?? '' },
    body: JSON.stringify({ entries: batch.map(({ entry }) => entry) }),
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
  });
  await response.body?.cancel();
  if (response.ok) return;
  const { status } = response;
  const message = `${url} answered ${status}.`;
  throw status >= 400 && status < 500 && !PASSING.includes(status)
    ? new RefusedError(message)
    : new Error(message);
}

/**
 * Posts a batch until it is taken, twice as long apart each time. Entries may come twice: the receiver tells them by their `id`.
 *
 * @throws what `signal` was aborted with, or {@link RefusedError}
 */
export async function deliver(url: string, batch: Batch, signal: AbortSignal): Promise<void> {
  for (let wait = FIRST_PAUSE_MS; ; wait = Math.min(wait * 2, LONGEST_PAUSE_MS)) {
    try {
      return await post(url, batch, signal);
    } catch (error) {
      if (signal.aborted || error instanceof RefusedError) throw error;
      console.warn(`The webhook failed, next try in ${wait} ms: ${String(error)}`);
    }
    // Not all workers at the same moment, when a receiver comes back.
    await pause(wait * (0.5 + Math.random() / 2), undefined, { signal });
  }
}
