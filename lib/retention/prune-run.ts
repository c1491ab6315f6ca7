import { inOwnTransaction } from '../history/own-transaction';
import { logTable, type HistorySettings } from '../history/settings';
import type { TableName } from '../schema/quote';
import { removeEntries, removeVersions, type RemovedEntries } from '../statement/prune-removal';
import type { PrunedCounts, PruneProgress, PruneResult } from './prune';
import type { BatchLock } from './prune-lock';
import { Mark } from './prune-mark';
import type { ResolvedPrune } from './prune-options';
import type { PlannedModel, PrunePlan } from './prune-plan';
import { Walk, type Batch, type BatchWork } from './prune-walk';

/** What a prune works with. */
export interface RunSettings {
  readonly settings: HistorySettings;
  readonly options: ResolvedPrune;
  readonly plan: PrunePlan;
  readonly lock: BatchLock;
  /** Stops the work after the batch at hand. */
  readonly signal: AbortSignal | undefined;
}

/** What was done of each model, as told to the caller. */
export class Tally {
  readonly #counts: Map<string, PrunedCounts>;
  readonly #phase: PruneProgress['phase'];
  readonly #onProgress: ResolvedPrune['onProgress'];
  #total: PrunedCounts = { entries: 0, versions: 0 };

  constructor({ plan, options }: RunSettings, phase: PruneProgress['phase']) {
    this.#counts = new Map(plan.models.map(({ name }) => [name, { entries: 0, versions: 0 }]));
    this.#phase = phase;
    this.#onProgress = options.onProgress;
  }

  get result(): PruneResult {
    return Object.fromEntries(this.#counts);
  }

  get total(): PrunedCounts {
    return this.#total;
  }

  async add(model: string, kind: Batch['kind'], count: number): Promise<void> {
    const plus = (counts: PrunedCounts): PrunedCounts => ({ ...counts, [kind]: counts[kind] + count });
    this.#counts.set(model, plus(this.#counts.get(model) ?? { entries: 0, versions: 0 }));
    this.#total = plus(this.#total);
    await this.#onProgress?.({ phase: this.#phase, model, ...this.#total });
  }
}

type Removed = PrunedCounts & Pick<RemovedEntries, 'lastTransactionId' | 'lastEntryId'>;

/** What is removed of one model, with its mark. */
export interface Removal {
  readonly model: string;
  readonly olderThan: string;
  readonly mark: Mark;
  readonly tally: Tally;
}

async function removeRows(
  { settings }: RunSettings,
  { model, olderThan }: Removal,
  { kind, ids, query }: Batch,
  history: TableName | undefined,
): Promise<Removed> {
  if (kind === 'versions') {
    const { rows } = await query(removeVersions(history!), [ids]);
    const { removed } = rows[0] as { removed: number };
    return { entries: 0, versions: removed, lastTransactionId: null, lastEntryId: null };
  }
  const { rows } = await query(removeEntries(logTable(settings)), [ids, model, olderThan]);
  const { removed, ...last } = rows[0] as RemovedEntries;
  return { entries: removed, versions: 0, ...last };
}

/** Removes a batch and stores the mark of it, in one transaction. */
export async function removeBatch(
  run: RunSettings,
  removal: Removal,
  batch: Batch,
  history: TableName | undefined,
): Promise<() => Promise<void>> {
  const removed = await removeRows(run, removal, batch, history);
  if (removed.entries + removed.versions === 0) return async () => undefined;
  const settle = await removal.mark.add(batch.query, batch.transaction, removed);
  return async () => {
    settle();
    await removal.tally.add(removal.model, batch.kind, removed[batch.kind]);
  };
}

async function closeMark({ settings }: RunSettings, mark: Mark): Promise<void> {
  const { entries, versions } = mark.counts;
  if (entries + versions === 0) return;
  await inOwnTransaction(settings.sequelize, (query, transaction) => mark.close(query, transaction));
}

/** Runs what removes of one model, and then tells listeners of the mark: also of what was removed before an error. */
export async function withMark(
  run: RunSettings,
  model: string,
  prune: { readonly olderThan: string; readonly archive: string | null },
  work: (mark: Mark) => Promise<void>,
): Promise<void> {
  const mark = new Mark(run.settings, model, { ...prune, keepLast: run.options.keepLast });
  try {
    await work(mark);
  } catch (error) {
    // The mark is there; that nobody hears of it is the lesser evil.
    await closeMark(run, mark).catch(() => undefined);
    throw error;
  }
  await closeMark(run, mark);
}

/** Goes through all models; `workOf` says what is done with what is found. */
export async function walkModels(
  run: RunSettings,
  removes: boolean,
  workOf: (model: PlannedModel) => BatchWork,
): Promise<void> {
  for (const model of run.plan.models) await walkModel(run, removes, model, workOf(model));
}

async function walkModel(
  run: RunSettings,
  removes: boolean,
  model: PlannedModel,
  work: BatchWork,
): Promise<void> {
  const { settings, plan, options, lock, signal } = run;
  const isOver = (): boolean => signal?.aborted === true;
  await new Walk({ settings, plan, batchSize: options.batchSize, lock, isOver, removes }, model, work).run();
}

/** Counts what would be removed. */
export async function countOnly(run: RunSettings): Promise<PruneResult> {
  const tally = new Tally(run, 'remove');
  await walkModels(
    run,
    false,
    ({ name }) =>
      async ({ kind, ids }) =>
      () =>
        tally.add(name, kind, ids.length),
  );
  return tally.result;
}

/** Removes what nobody needs. */
export async function removeAll(run: RunSettings): Promise<PruneResult> {
  const tally = new Tally(run, 'remove');
  const { olderThan } = run.plan;
  for (const model of run.plan.models) {
    await withMark(run, model.name, { olderThan, archive: null }, (mark) => {
      const removal = { model: model.name, olderThan, mark, tally };
      return walkModel(run, true, model, (batch) =>
        removeBatch(run, removal, batch, model.versions?.history),
      );
    });
  }
  return tally.result;
}
