import { withAuditContext } from 'sequelize-auditlog';

type Context = Parameters<typeof withAuditContext>[0];

interface SeedEvent {
  readonly at: Date;
  readonly context: Context;
  readonly run: () => Promise<unknown>;
}

/** When each of them happened, by correlation id. */
export type Dates = ReadonlyArray<readonly [correlationId: string, at: Date]>;

// What one step changed is later spread over milliseconds, which must not reach into the next step.
const GAP_MS = 1000;

/** What is going to happen in the shop, in any order; played in the order of time. */
export class Timeline {
  readonly #events: SeedEvent[] = [];

  add(at: Date, context: Context, run: () => Promise<unknown>): void {
    this.#events.push({ at, context, run });
  }

  async play(onProgress: (done: number, total: number) => void): Promise<Dates> {
    const now = Date.now();
    const past = this.#events
      .filter(({ at }) => at.getTime() < now)
      .toSorted((a, b) => a.at.getTime() - b.at.getTime());
    const dates: Array<readonly [string, Date]> = [];
    let earliest = 0;
    for (const [index, { at, context, run }] of past.entries()) {
      const correlationId = `seed-${String(index + 1).padStart(5, '0')}`;
      await withAuditContext({ ...context, correlationId }, run);
      const date = Math.max(at.getTime(), earliest);
      earliest = date + GAP_MS;
      dates.push([correlationId, new Date(date)]);
      onProgress(index + 1, past.length);
    }
    return dates;
  }
}
