import { InvalidArgumentError } from 'commander';
import type { TimeBound } from '../web/search/entry-filter';
import { sinceOf, untilOf } from '../web/search/time';

/** For an option that may be given several times. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** For an option that takes a whole number. */
export function wholeNumber(atLeast: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (/^\d+$/.test(value) && Number.isSafeInteger(number) && number >= atLeast) return number;
    throw new InvalidArgumentError(`Expected a whole number of at least ${atLeast}.`);
  };
}

const TIMES =
  'Expected a day (2026-11-21), a time (2026-11-21T20:17:26Z; UTC without zone), or a span before now (90d; also m, h, w).';

/** Written times mean what they mean in the searches of the pages. */
function bound(read: (text: string, zone: string) => TimeBound | null): (value: string) => TimeBound {
  return (value) => {
    const found = read(value, 'UTC');
    if (found) return found;
    throw new InvalidArgumentError(TIMES);
  };
}

/** For `--since`: the beginning of a day or time. */
export const since = bound(sinceOf);
/** For `--until`: a time is excluded, a day is included. */
export const until = bound(untilOf);
