import type { Transaction } from 'sequelize';
import { inOwnTransaction } from '../history/own-transaction';
import type { HistorySettings } from '../history/settings';
import type { CatalogueQuery } from '../schema/catalogue';
import { lockAgainstCleaning } from '../statement/duplicates';
import { entriesPage, pageWithoutObject, type EntriesPage } from '../statement/prune-entries';
import { WITHOUT_JIT } from '../statement/prune-removal';
import { versionsPage, type VersionsPage } from '../statement/prune-versions';
import type { BatchLock } from './prune-lock';
import type { PlannedModel, PlannedVersions, PrunePlan } from './prune-plan';

/** What a walk comes by: rows of one kind that nobody needs, in one transaction. */
export interface Batch {
  readonly kind: 'entries' | 'versions';
  readonly ids: readonly string[];
  readonly query: CatalogueQuery;
  readonly transaction: Transaction;
}

/** Deals with a batch inside its transaction; what it returns is called when that is committed. */
export type BatchWork = (batch: Batch) => Promise<() => Promise<void> | void>;

/** How a walk goes. */
export interface WalkSettings {
  readonly settings: HistorySettings;
  readonly plan: PrunePlan;
  readonly batchSize: number;
  readonly lock: BatchLock;
  /** Whether to stop before the next batch. */
  readonly isOver: () => boolean;
  /** Whether what is found is removed, so that nobody else may remove from the history meanwhile. */
  readonly removes: boolean;
}

type Page = Pick<EntriesPage, 'seen' | 'ids'>;

/** Runs one batch in a transaction of its own, so that no lock is held for longer. */
export async function inBatch<T>(
  { settings, lock }: Pick<WalkSettings, 'settings' | 'lock'>,
  work: (query: CatalogueQuery, transaction: Transaction) => Promise<T>,
): Promise<T> {
  return inOwnTransaction(settings.sequelize, async (query, transaction) => {
    await lock(query);
    await query(WITHOUT_JIT, []);
    return work(query, transaction);
  });
}

/** Goes through the old entries and versions of one model, page by page. */
export class Walk {
  readonly #walk: WalkSettings;
  readonly #model: PlannedModel;
  readonly #work: BatchWork;

  constructor(walk: WalkSettings, model: PlannedModel, work: BatchWork) {
    this.#walk = walk;
    this.#model = model;
    this.#work = work;
  }

  /** Entries first: which of them are needed is told by versions. */
  async run(): Promise<void> {
    await this.#entries();
    await this.#entriesWithoutObject();
    if (this.#model.versions) await this.#versions(this.#model.versions);
  }

  async #entries(): Promise<void> {
    const { olderThan, highestId } = this.#walk.plan;
    const sql = entriesPage(this.#model.entries);
    let last: Pick<EntriesPage, 'lastPk' | 'lastId' | 'kept'> = { lastPk: null, lastId: null, kept: [] };
    await this.#pages('entries', highestId, async (query) => {
      const { lastPk, lastId, kept } = last;
      const behind = [lastPk ?? '', lastId ?? '0', this.#walk.batchSize, lastPk, kept];
      const { rows } = await query(sql, [this.#model.name, olderThan, highestId, ...behind]);
      const page = rows[0] as EntriesPage;
      last = page;
      return page;
    });
  }

  async #entriesWithoutObject(): Promise<void> {
    const { olderThan, highestId } = this.#walk.plan;
    const sql = pageWithoutObject(this.#model.entries);
    let lastId: string | null = '0';
    await this.#pages('entries', highestId, async (query) => {
      const { rows } = await query(sql, [
        this.#model.name,
        olderThan,
        highestId,
        lastId,
        this.#walk.batchSize,
      ]);
      const page = rows[0] as EntriesPage;
      lastId = page.lastId;
      return page;
    });
  }

  async #versions(versions: PlannedVersions): Promise<void> {
    const { removes, plan, batchSize } = this.#walk;
    const sql = versionsPage(versions);
    let lastId: string | null = '0';
    await this.#pages('versions', versions.highestId, async (query) => {
      if (removes) await query(lockAgainstCleaning(versions.history), []);
      const { rows } = await query(sql, [plan.olderThan, lastId, versions.highestId, batchSize]);
      const page = rows[0] as VersionsPage;
      lastId = page.lastId;
      return page;
    });
  }

  /** @param highestId null when there is nothing old */
  async #pages(
    kind: Batch['kind'],
    highestId: string | null,
    read: (query: CatalogueQuery) => Promise<Page>,
  ): Promise<void> {
    for (let seen = highestId === null ? 0 : this.#walk.batchSize; seen === this.#walk.batchSize;) {
      if (this.#walk.isOver()) return;
      const [page, settle] = await inBatch(this.#walk, async (query, transaction) => {
        const found = await read(query);
        const { ids } = found;
        const done = ids.length === 0 ? null : await this.#work({ kind, ids, query, transaction });
        return [found, done] as const;
      });
      await settle?.();
      seen = page.seen;
    }
  }
}
