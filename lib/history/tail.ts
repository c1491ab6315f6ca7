import { setTimeout as pause } from 'node:timers/promises';
import { AuditError } from '../core/errors';
import { checkKeys, invalidOption } from '../core/suggest';
import type { LogEntry } from '../schema/log-entry';
import { runtimeOf } from '../schema/sequelize-runtime';
import { pruneBehind } from '../statement/prune-marks';
import { CURRENT_SNAPSHOT, tailCondition, type TailPosition } from '../statement/tail-condition';
import { OWN_READ } from '../capture/own-read';
import type { PruneMark } from './prune-marks';
import { logTable, type HistorySettings } from './settings';

/** Options of `auditLog.tail`. */
export interface TailOptions {
  /** The cursor of the last entry that was dealt with, or `'now'` for the end of the log; null begins with the oldest entry. @default null */
  readonly after?: string | null | undefined;
  /** Ends the iteration, normally. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds between two looks when there is nothing new. @default 500 */
  readonly pollMs?: number | undefined;
}

/** One entry of the stream. */
export interface TailedEntry {
  readonly entry: LogEntry;
  /** Keep it once the entry is dealt with; `after` goes on behind it. Opaque. */
  readonly cursor: string;
}

const PAGE = 500;
const OWN = { [OWN_READ]: true } as const;
const DEFAULT_POLL_MS = 500;
const CURSOR = /^t1\.(\d{1,19})\.(\d{1,19})(?:\.(\d{1,19}))?$/;
const OLDEST: TailPosition = { transactionId: '0', id: '0' };
const NO_PRUNE = '0';

interface ServerSnapshot {
  readonly snapshot: string;
  readonly xmin: string;
  readonly xmax: string;
}

/** What a cursor says. */
interface Progress {
  readonly position: TailPosition;
  /** Entry of the newest prune by then: what it and older ones removed, this reader never missed. */
  readonly lastPrune: string;
}

function cursorOf({ transactionId, id }: TailPosition, lastPrune: string): string {
  return `t1.${transactionId}.${id}.${lastPrune}`;
}

/** @throws {AuditError} ERR_AUDIT_INVALID_OPTION */
function progressOf(cursor: unknown): Progress {
  const [, transactionId, id, lastPrune = NO_PRUNE] =
    (typeof cursor === 'string' && CURSOR.exec(cursor)) || [];
  if (transactionId !== undefined && id !== undefined) return { position: { transactionId, id }, lastPrune };
  return invalidOption('auditLog.tail', 'after', '"now" or the cursor of an entry of tail()', cursor);
}

function checkOptions(options: TailOptions): void {
  const { pollMs, signal } = options;
  checkKeys('auditLog.tail', options, ['after', 'signal', 'pollMs']);
  if (pollMs !== undefined && !(Number.isFinite(pollMs) && pollMs > 0))
    invalidOption('auditLog.tail', 'pollMs', 'a positive number of milliseconds', pollMs);
  if (signal !== undefined && typeof signal?.addEventListener !== 'function')
    invalidOption('auditLog.tail', 'signal', 'an AbortSignal', signal);
}

/** One iteration over the log. */
class Tail {
  readonly #settings: HistorySettings;
  #position: TailPosition = OLDEST;
  /** What was committed when the tail began at the end. */
  #seen: ServerSnapshot | null = null;
  /** The newest prune that was dealt with. */
  #lastPrune = NO_PRUNE;

  constructor(settings: HistorySettings) {
    this.#settings = settings;
  }

  async begin(after: string | null | undefined): Promise<void> {
    const isCursor = after !== undefined && after !== null && after !== 'now';
    if (isCursor) this.#goOn(progressOf(after));
    const now = await this.#snapshot();
    if (after === 'now') this.#beginAt(now);
    if (isCursor) this.#checkServer(now);
    // Who begins without a cursor takes what there is.
    const behind = await this.#pruneBehind();
    if (isCursor && behind) throw overtaken('the cursor', behind);
  }

  #goOn({ position: reached, lastPrune }: Progress): void {
    this.#position = reached;
    this.#lastPrune = lastPrune;
  }

  #beginAt(now: ServerSnapshot): void {
    // Everything below xmin is over; what is open now will commit after now.
    this.#position = { transactionId: String(BigInt(now.xmin) - 1n), id: '9223372036854775807' };
    this.#seen = now;
  }

  /** Transactions count anew on a server that was restored from a dump: behind the cursor nothing would ever come. */
  #checkServer({ xmax }: ServerSnapshot): void {
    const { transactionId } = this.#position;
    if (BigInt(transactionId) < BigInt(xmax)) return;
    const message = `auditLog.tail: the cursor is of transaction ${transactionId}, but this server has only come to ${xmax}: the log was restored from a dump, or the cursor is of another server. Begin without a cursor (entries come twice) or with "now".`;
    throw new AuditError('ERR_AUDIT_CURSOR', message);
  }

  /** @throws {AuditError} ERR_AUDIT_HISTORY_GAP */
  async page(): Promise<TailedEntry[]> {
    const entries = await this.#read();
    // Behind these, or before them, some may have been removed since the last look, if this reader was that slow.
    const behind = entries.length > 0 ? await this.#pruneBehind() : null;
    if (behind) throw overtaken('this reader', behind);
    return entries.map((entry) => ({ entry, cursor: cursorOf(position(entry), this.#lastPrune) }));
  }

  #read(): Promise<LogEntry[]> {
    const { LogEntry: model, sequelize } = this.#settings;
    const { literal } = runtimeOf(sequelize);
    return model.findAll({
      where: literal(tailCondition(this.#position, this.#seen?.snapshot ?? null)),
      order: [
        ['transactionId', 'ASC'],
        ['id', 'ASC'],
      ],
      limit: PAGE,
      useMaster: true,
      transaction: null,
      ...OWN,
    });
  }

  /** The reader has got this far. */
  passed(entry: LogEntry): void {
    this.#position = position(entry);
    if (this.#seen && BigInt(this.#position.transactionId) >= BigInt(this.#seen.xmax)) this.#seen = null;
  }

  /** A prune since the last look that removed entries which this reader has not got to. */
  async #pruneBehind(): Promise<PruneMark | null> {
    const { transactionId, id } = this.#position;
    const sql = pruneBehind(logTable(this.#settings));
    const [found] = await this.#select<PruneMark & { readonly id: string | null }>(sql, [
      this.#lastPrune,
      transactionId,
      id,
    ]);
    this.#lastPrune = found?.id ?? this.#lastPrune;
    return found?.since === null ? null : (found ?? null);
  }

  async #snapshot(): Promise<ServerSnapshot> {
    return (await this.#select<ServerSnapshot>(CURRENT_SNAPSHOT))[0]!;
  }

  #select<Row extends object>(sql: string, bind: readonly string[] = []): Promise<Row[]> {
    const { sequelize } = this.#settings;
    return sequelize.query<Row>(sql, {
      ...(bind.length > 0 ? { bind: [...bind], supportsSearchPath: false } : {}),
      type: runtimeOf(sequelize).QueryTypes.SELECT,
      raw: true,
      useMaster: true,
      transaction: null,
      ...OWN,
    });
  }
}

function overtaken(who: string, { model, since }: PruneMark): AuditError {
  const seen = `entries that ${who} had not got to were pruned: those of ${model} before ${since}`;
  const advice =
    'They come no more, unless from an archive. Go on without a cursor, from the oldest entry that is left, or with "now".';
  return new AuditError('ERR_AUDIT_HISTORY_GAP', `auditLog.tail: ${seen}. ${advice}`);
}

function position({ transactionId, id }: LogEntry): TailPosition {
  return { transactionId: transactionId ?? '0', id };
}

/** Waits; at once over when the signal says so. */
async function wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await pause(ms, undefined, signal ? { signal, ref: true } : {}).catch(() => null);
}

/**
 * All committed entries of all processes, in an order in which none is skipped: an entry comes once no older transaction is open.
 * No connection is held between two looks.
 */
export async function* tail(
  settings: HistorySettings,
  options: TailOptions = {},
): AsyncGenerator<TailedEntry, void, undefined> {
  checkOptions(options);
  const { after, signal, pollMs = DEFAULT_POLL_MS } = options;
  const reader = new Tail(settings);
  if (signal?.aborted === true) return;
  await reader.begin(after);
  const isOver = (): boolean => signal?.aborted === true;
  while (!isOver()) {
    const page = await reader.page();
    for (const each of page) {
      if (isOver()) return;
      yield each;
      reader.passed(each.entry);
    }
    if (page.length < PAGE) await wait(pollMs, signal);
  }
}
