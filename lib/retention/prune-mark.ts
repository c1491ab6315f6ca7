import type { Transaction } from 'sequelize';
import { resolveWriteContext } from '../context/resolve';
import type { JsonObject } from '../context/json';
import { storage } from '../context/storage';
import type { WriteContext } from '../core/types';
import { store } from '../history/log';
import { logTable, type HistorySettings } from '../history/settings';
import type { CatalogueQuery } from '../schema/catalogue';
import { replaceMark, type RemovedEntries } from '../statement/prune-removal';
import type { PrunedCounts } from './prune';

/** What a mark says of its prune. */
export interface MarkedPrune {
  /** ISO-8601 in UTC, with microseconds. */
  readonly olderThan: string;
  readonly keepLast: number;
  /** Name of the archive's folder. */
  readonly archive: string | null;
}

type Last = Pick<RemovedEntries, 'lastTransactionId' | 'lastEntryId'>;

function isAfter(a: Last, b: Last): boolean {
  const [at, bt] = [BigInt(a.lastTransactionId ?? -1), BigInt(b.lastTransactionId ?? -1)];
  return at === bt ? BigInt(a.lastEntryId ?? 0) > BigInt(b.lastEntryId ?? 0) : at > bt;
}

/**
 * What was removed of one model, and the entry that says so. Every transaction that removes anything also stores the mark, with
 * the counts so far, in the place of the one before: so nothing is ever gone without a mark, and a run leaves a single one.
 */
export class Mark {
  readonly #settings: HistorySettings;
  readonly #model: string;
  readonly #prune: MarkedPrune;
  #id: string | null = null;
  #counts: PrunedCounts = { entries: 0, versions: 0 };
  #last: Last = { lastTransactionId: null, lastEntryId: null };

  constructor(settings: HistorySettings, model: string, prune: MarkedPrune) {
    this.#settings = settings;
    this.#model = model;
    this.#prune = prune;
  }

  get counts(): PrunedCounts {
    return this.#counts;
  }

  /** Stores the mark with what this transaction removed; what it returns is to be called when that is committed. */
  async add(
    query: CatalogueQuery,
    transaction: Transaction,
    removed: PrunedCounts & Last,
  ): Promise<() => void> {
    const counts = {
      entries: this.#counts.entries + removed.entries,
      versions: this.#counts.versions + removed.versions,
    };
    const last = isAfter(removed, this.#last) ? removed : this.#last;
    const id = await this.#write(query, transaction, { counts, last }, false);
    return () => {
      this.#id = id;
      this.#counts = counts;
      this.#last = last;
    };
  }

  /** The last word, of which listeners are told. */
  async close(query: CatalogueQuery, transaction: Transaction): Promise<void> {
    await this.#write(query, transaction, { counts: this.#counts, last: this.#last }, true);
  }

  async #write(
    query: CatalogueQuery,
    transaction: Transaction,
    { counts, last }: { readonly counts: PrunedCounts; readonly last: Last },
    isHeard: boolean,
  ): Promise<string> {
    if (this.#id !== null) await query(replaceMark(logTable(this.#settings)), [this.#id]);
    const entry = {
      action: 'prune',
      model: this.#model,
      objectPk: null,
      objectRepr: this.#model,
      changes: null,
    };
    const context = this.#context(counts, last);
    return (await store(this.#settings, entry, context, transaction, isHeard)).id;
  }

  /**
   * Also inside `withoutAudit`: that what was recorded is gone is no change that could be left unrecorded. Readers rely on what
   * a mark says, so no data of the context may hide it, or push it out by being too much.
   */
  #context(counts: PrunedCounts, last: Last): WriteContext {
    const frame = storage.getStore()?.frame ?? null;
    const context = storage.run({ frame, silenced: false }, () =>
      resolveWriteContext(this.#settings.context, undefined),
    )!;
    const given = JSON.parse(context.additionalData ?? '{}') as JsonObject;
    return { ...context, additionalData: JSON.stringify({ ...given, ...this.#data(counts, last) }) };
  }

  /** Under every name that means something, also where it stays empty. */
  #data(counts: PrunedCounts, { lastTransactionId, lastEntryId }: Last): object {
    const { olderThan, keepLast, archive } = this.#prune;
    return {
      olderThan,
      ...counts,
      keepLast: keepLast > 0 ? keepLast : undefined,
      archive: archive ?? undefined,
      lastTransactionId: lastTransactionId ?? undefined,
      lastEntryId: lastEntryId ?? undefined,
    };
  }
}
