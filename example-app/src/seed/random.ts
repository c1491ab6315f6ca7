export interface Random {
  /** From 0 up to, but not including, 1. */
  next(): number;
  chance(probability: number): boolean;
  /** A whole number, both ends included. */
  between(low: number, high: number): number;
  pick<T>(list: readonly T[]): T;
  sample<T>(list: readonly T[], count: number): T[];
  uuid(): string;
}

/** The same numbers for the same seed (mulberry32), so that everybody's demo shop looks alike. */
export function createRandom(seed: number): Random {
  let state = seed;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1));
  return {
    next,
    between,
    chance: (probability) => next() < probability,
    pick: (list) => list[between(0, list.length - 1)]!,
    sample: (list, count) => shuffle(list, between).slice(0, count),
    uuid: () => uuidOf(between),
  };
}

function shuffle<T>(list: readonly T[], between: Random['between']): T[] {
  const rest = [...list];
  return list.map(() => rest.splice(between(0, rest.length - 1), 1)[0]!);
}

function uuidOf(between: Random['between']): string {
  const digits = Array.from({ length: 32 }, () => between(0, 15).toString(16)).join('');
  return digits.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, '$1-$2-4$3-a$4-$5');
}
