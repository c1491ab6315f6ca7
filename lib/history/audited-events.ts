import { AsyncResource } from 'node:async_hooks';
import type { AuditEvents, ModelAuditedEvent } from '../core/events';
import { runtimeOf } from '../schema/sequelize-runtime';
import { entriesOfTransaction, type AuditedRow } from '../statement/audited-rows';
import { OWN_READ } from '../capture/own-read';
import { logTable, type HistorySettings } from './settings';

const PAGE = 5000;
const OWN = { [OWN_READ]: true } as const;

function eventOf({ changedFields, timestamp, ...row }: AuditedRow): ModelAuditedEvent {
  return { ...row, changedFields: (changedFields ?? []).toSorted(), timestamp: new Date(timestamp) };
}

/** Tells of the entries of committed transactions, one transaction after the other, in the context of its commit. */
export class Herald {
  readonly #settings: HistorySettings;
  readonly #events: AuditEvents;
  #last: Promise<void> = Promise.resolve();

  constructor(settings: HistorySettings, events: AuditEvents) {
    this.#settings = settings;
    this.#events = events;
  }

  /** Queues a transaction; never throws. */
  committed(transactionId: string): void {
    const tell = AsyncResource.bind(() => this.#tell(transactionId));
    this.#last = this.#last.then(tell).catch((error: unknown) => {
      this.#events.report(error, `reading the entries of transaction ${transactionId} for 'audited'`);
    });
  }

  /** Page after page, so that memory stays flat however much one transaction wrote. */
  async #tell(transactionId: string): Promise<void> {
    let after = '0';
    while (this.#events.has('audited')) {
      const rows = await this.#page(transactionId, after);
      for (const row of rows) this.#events.tell(eventOf(row));
      if (rows.length < PAGE) return;
      after = rows.at(-1)!.entryId;
    }
  }

  #page(transactionId: string, after: string): Promise<AuditedRow[]> {
    const { sequelize } = this.#settings;
    const { SELECT } = runtimeOf(sequelize).QueryTypes;
    return sequelize.query<AuditedRow>(entriesOfTransaction(logTable(this.#settings)), {
      bind: [transactionId, after, PAGE],
      type: SELECT,
      // A replica may not have them yet. The transaction that wrote them is over, whatever Sequelize's CLS says.
      useMaster: true,
      transaction: null,
      raw: true,
      ...OWN,
    });
  }
}
