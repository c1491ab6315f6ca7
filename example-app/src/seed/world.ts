import type { Customer, Product } from '../models';
import type { Staff } from './actors';
import type { Random } from './random';
import type { Timeline } from './timeline';

/** All that the lives in the shop are planned with. */
export interface World {
  readonly timeline: Timeline;
  readonly random: Random;
  readonly staff: Staff;
  readonly products: readonly Product[];
  readonly customers: readonly Customer[];
  /** That many, or in a small shop for tests its share of them, but never none. */
  readonly about: (count: number) => number;
}
