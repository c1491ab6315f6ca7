import { auditLog } from '../audit';
import { batches } from './batches';
import { loadCursor, storeCursor } from './cursor';
import { deliver } from './deliver';

export interface Receiver {
  /** Under which its cursor is kept. */
  readonly name: string;
  readonly url: string;
  /** Ends it, once the batch that is on its way is given up. */
  readonly signal: AbortSignal;
}

const BATCH = { size: 100, waitMs: 100 };

/** Hands every entry to the receiver, in the order of the stream, and begins behind the last one that it took. */
export async function followLog({ name, url, signal }: Receiver): Promise<void> {
  const ended = new AbortController();
  let before = await loadCursor(name);
  try {
    const tail = auditLog.tail({ after: before, signal: AbortSignal.any([signal, ended.signal]) });
    for await (const batch of batches(tail, BATCH)) {
      await deliver(url, batch, signal);
      const last = batch.at(-1);
      if (!last) continue;
      await storeCursor(name, before, last);
      before = last.cursor;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    ended.abort();
  }
}
