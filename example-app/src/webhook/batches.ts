import { setTimeout as pause } from 'node:timers/promises';

/** Groups what comes: a batch goes when it is full, or when nothing more has come for `waitMs`. */
export async function* batches<T>(
  source: AsyncIterator<T, unknown>,
  { size, waitMs }: { readonly size: number; readonly waitMs: number },
): AsyncGenerator<readonly T[]> {
  let batch: T[] = [];
  let next = source.next();
  for (;;) {
    const got = await (batch.length === 0 ? next : Promise.race([next, pause(waitMs, null)]));
    if (got?.done === true) break;
    if (got) {
      batch.push(got.value);
      next = source.next();
      // It may fail while the batch is on its way; whoever asks for the next one is told.
      next.catch(() => null);
    }
    if (got && batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
