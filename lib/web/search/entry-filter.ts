/** Values of one key: an entry matches when it has one of `any` (or `any` is empty) and none of `none`. */
export interface Choice {
  readonly any: readonly string[];
  readonly none: readonly string[];
}

/** Free texts: an entry matches when it contains each of `all` and none of `none`. */
export interface TextChoice {
  readonly all: readonly string[];
  readonly none: readonly string[];
}

/**
 * The beginning of a moment, in its shortest form: a day (`2026-11-21`) or a time (`2026-11-21T20:17`) in `zone`, an instant in
 * UTC (`2026-11-21T20:17:26.123456Z`), or a span before now (`7d`), the last two without zone.
 */
export interface TimeBound {
  readonly at: string;
  readonly zone: string | null;
}

/** Keys that take a choice of values, and are parameters of a list too. */
export const PARAMETER_KEYS = [
  'model',
  'pk',
  'actor',
  'action',
  'field',
  'correlationId',
  'transactionId',
  'ip',
] as const;

/** All keys that take a choice of values: a reason is asked for by the search alone. */
export const CHOICE_KEYS = [...PARAMETER_KEYS, 'reason'] as const;

export type ChoiceKey = (typeof CHOICE_KEYS)[number];

/** What a list of entries is narrowed to; an empty object is everything. */
export interface EntryFilter extends Readonly<Partial<Record<ChoiceKey, Choice>>> {
  /** Not before this. */
  readonly since?: TimeBound;
  /** Before this. */
  readonly until?: TimeBound;
  /** In `objectRepr` or `reason`, in whatever case. */
  readonly text?: TextChoice;
}

/** Values per key: each is a comparison of its own. */
const MAX_VALUES = 50;

/** Makes a filter of what a person or program wrote, and notes what can't be understood. */
export class FilterBuilder {
  readonly problems: string[] = [];
  readonly #choices = new Map<ChoiceKey, { any: Set<string>; none: Set<string> }>();
  readonly #text = { all: new Set<string>(), none: new Set<string>() };
  readonly #bounds: { since?: TimeBound; until?: TimeBound } = {};

  add(key: ChoiceKey, value: string, isNegated = false): void {
    const choice = this.#choices.get(key) ?? { any: new Set(), none: new Set() };
    this.#choices.set(key, choice);
    this.#put(isNegated ? choice.none : choice.any, value, key);
  }

  addText(text: string, isNegated = false): void {
    this.#put(isNegated ? this.#text.none : this.#text.all, text, 'free text');
  }

  /** A second bound on the same side would have to widen or to narrow the first: neither is what both ask for. */
  addBound(side: 'since' | 'until', bound: TimeBound): void {
    if (this.#bounds[side])
      this.problems.push(`The ${side === 'since' ? 'start' : 'end'} of the time is given twice.`);
    else this.#bounds[side] = bound;
  }

  build(): EntryFilter {
    const choices = CHOICE_KEYS.flatMap((key) => {
      const choice = this.#choices.get(key);
      return choice ? [[key, { any: [...choice.any], none: [...choice.none] }] as const] : [];
    });
    const { all, none } = this.#text;
    const text = all.size + none.size > 0 ? { text: { all: [...all], none: [...none] } } : {};
    return { ...Object.fromEntries(choices), ...this.#bounds, ...text };
  }

  #put(set: Set<string>, value: string, what: string): void {
    if (set.size < MAX_VALUES || set.has(value)) set.add(value);
    else this.problems.push(`More than ${MAX_VALUES} values for ${what}.`);
  }
}
