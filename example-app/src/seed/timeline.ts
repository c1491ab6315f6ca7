import { withAuditContext } from 'sequelize-auditlog';
import type { Random } from './random';

type Context = NonNullable<Parameters<typeof withAuditContext>[0]>;

interface SeedEvent {
  readonly at: Date;
  /** Who and from where, and why; one who comes by HTTP also with what request. */
  readonly by: Context;
  /** Asked after the event, when the number of a new order is known. */
  readonly request?: () => string;
  readonly run: () => Promise<unknown>;
}

/** One step and all the entries that it left, which its correlation id holds together. */
export interface Happened {
  readonly correlationId: string;
  readonly at: Date;
  readonly request: string | null;
}

// What one step changed is later spread over milliseconds, which must not reach into the next step.
const GAP_MS = 1000;

/** What is going to happen in the shop, in any order; played in the order of time. */
export class Timeline {
  readonly #events: SeedEvent[] = [];

  add(event: SeedEvent): void {
    this.#events.push(event);
  }

  async play(random: Random, onProgress: (done: number, total: number) => void): Promise<Happened[]> {
    const past = this.#eventsUntil(Date.now());
    const happened: Happened[] = [];
    let earliest = 0;
    for (const [index, { at, by, request, run }] of past.entries()) {
      const correlationId = by.correlationId ?? random.uuid();
      await withAuditContext({ ...by, correlationId }, run);
      const date = Math.max(at.getTime(), earliest);
      earliest = date + GAP_MS;
      happened.push({ correlationId, at: new Date(date), request: request?.() ?? null });
      onProgress(index + 1, past.length);
    }
    return happened;
  }

  #eventsUntil(time: number): SeedEvent[] {
    return this.#events
      .filter(({ at }) => at.getTime() < time)
      .toSorted((a, b) => a.at.getTime() - b.at.getTime());
  }
}
