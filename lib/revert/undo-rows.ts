import type { JsonText } from '../statement/undo-values';
import type { UndoneEntry } from './undo-entries';

/** What entries did to one attribute in all: what it was before the first and after the last of them. */
export interface ValueSpan {
  readonly before: JsonText;
  readonly after: JsonText;
  /** The first of them, after which others count as later. */
  readonly firstId: string;
  /** Whether an update named two values that look alike: masks hide what it changed. */
  readonly isHidden: boolean;
}

/** What entries did to one row, which may have got another key. */
export interface RowSpan {
  readonly model: string;
  /** Its keys as entries name them: the first, the last, and those between. */
  readonly pks: readonly string[];
  readonly repr: string | null;
  readonly existedBefore: boolean;
  readonly existsNow: boolean;
  /** Whether another row was created under the key meanwhile. */
  readonly isReplaced: boolean;
  readonly values: ReadonlyMap<string, ValueSpan>;
  readonly firstId: string;
  readonly lastId: string;
}

interface OpenSpan {
  model: string;
  pks: string[];
  repr: string | null;
  existedBefore: boolean;
  existsNow: boolean;
  isReplaced: boolean;
  values: Map<string, ValueSpan>;
  firstId: string;
  lastId: string;
}

export function firstPk({ pks }: RowSpan): string {
  return pks[0]!;
}

export function lastPk({ pks }: RowSpan): string {
  return pks.at(-1)!;
}

/** One text for an object, whose parts can't run into one another. */
export function objectKey(model: string, pk: string): string {
  return `${model}\0${pk}`;
}

/** Follows rows through entries, oldest first. */
class Spans {
  readonly #keyOf: (model: string) => string | undefined;
  readonly #all: OpenSpan[] = [];
  readonly #byObject = new Map<string, OpenSpan>();
  /** Rows on the way to another key, by the statement and both keys. */
  readonly #moving = new Map<string, OpenSpan>();

  constructor(keyOf: (model: string) => string | undefined) {
    this.#keyOf = keyOf;
  }

  get all(): readonly RowSpan[] {
    return this.#all;
  }

  add(entry: UndoneEntry, moves: ReadonlySet<string>): void {
    const span = this.#spanOf(entry, moves);
    this.#note(span, entry);
    if (this.#removes(entry)) this.#remove(span, entry, moves);
    else span.existsNow = true;
  }

  /** A soft delete never names the key, a hard one always. */
  #removes({ action, model, values }: UndoneEntry): boolean {
    const key = this.#keyOf(model);
    return action === 'delete' && values.some(([name, , now]) => name === key && now === null);
  }

  #spanOf(entry: UndoneEntry, moves: ReadonlySet<string>): OpenSpan {
    const object = objectKey(entry.model, entry.objectPk);
    const arrival = entry.action === 'create' ? moveKey(entry, entry.movedFrom, entry.objectPk) : '';
    const moving = moves.has(arrival) ? this.#moving.get(arrival) : undefined;
    if (moving) {
      moving.pks.push(entry.objectPk);
      this.#byObject.set(object, moving);
      return moving;
    }
    const known = this.#byObject.get(object);
    if (known && !known.existsNow && entry.action === 'create') known.isReplaced = true;
    if (known) return known;
    return this.#open(entry, object);
  }

  #open(entry: UndoneEntry, object: string): OpenSpan {
    const span: OpenSpan = {
      model: entry.model,
      pks: [entry.objectPk],
      repr: entry.objectRepr,
      existedBefore: entry.action !== 'create',
      existsNow: true,
      isReplaced: false,
      values: new Map(),
      firstId: entry.id,
      lastId: entry.id,
    };
    this.#all.push(span);
    this.#byObject.set(object, span);
    return span;
  }

  #note(span: OpenSpan, { id, objectRepr, values }: UndoneEntry): void {
    span.lastId = id;
    span.repr = objectRepr ?? span.repr;
    for (const [attribute, before, after] of values) {
      const known = span.values.get(attribute);
      const isHidden = known?.isHidden === true || before === after;
      const first = known ?? { before, firstId: id };
      span.values.set(attribute, { before: first.before, after, firstId: first.firstId, isHidden });
    }
  }

  #remove(span: OpenSpan, entry: UndoneEntry, moves: ReadonlySet<string>): void {
    span.existsNow = false;
    const departure = moveKey(entry, entry.objectPk, entry.movedTo);
    if (!moves.has(departure)) return;
    this.#moving.set(departure, span);
    this.#byObject.delete(objectKey(entry.model, entry.objectPk));
  }
}

function moveKey({ model, transactionId, at }: UndoneEntry, from: string | null, to: string | null): string {
  return from === null || to === null ? '' : JSON.stringify([model, transactionId, at, from, to]);
}

/** Changes of a key of which both entries are there; data of the application may look like one. */
function movesIn(entries: readonly UndoneEntry[]): ReadonlySet<string> {
  const left = entries
    .filter(({ action }) => action === 'delete')
    .map((entry) => moveKey(entry, entry.objectPk, entry.movedTo));
  const come = new Set(
    entries
      .filter(({ action }) => action === 'create')
      .map((entry) => moveKey(entry, entry.movedFrom, entry.objectPk)),
  );
  return new Set(left.filter((key) => key !== '' && come.has(key)));
}

/**
 * What entries did to each row in all.
 *
 * @param keyOf the first attribute of a model's key
 */
export function rowSpans(
  entries: readonly UndoneEntry[],
  keyOf: (model: string) => string | undefined,
): readonly RowSpan[] {
  const spans = new Spans(keyOf);
  const moves = movesIn(entries);
  for (const entry of entries) if (entry.values.length > 0) spans.add(entry, moves);
  return spans.all;
}

/** Attributes that the span changed: those whose value is another now, or may be behind a mask. */
export function changedValues({ values }: RowSpan): [attribute: string, span: ValueSpan][] {
  return [...values].filter(([, { before, after, isHidden }]) => isHidden || before !== after);
}
