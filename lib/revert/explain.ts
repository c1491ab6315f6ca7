import type { Registration } from '../capture/registry';
import { obstacle, type Obstacle } from './obstacles';
import type { AttributeRevert, RevertFacts } from './plan';

/** Whether the type of an attribute itself refuses a value. */
function isUnfit({ model }: Registration, attribute: string, value: unknown): boolean {
  const { type } = model.getAttributes()[attribute] ?? {};
  const { validate } = (type ?? {}) as {
    validate?: (this: unknown, value: unknown, options: object) => unknown;
  };
  if (typeof validate !== 'function' || value === null) return false;
  try {
    return validate.call(type, value, {}) === false;
  } catch {
    return true;
  }
}

/**
 * The same obstacles with what only the plan knows: the attribute, where PostgreSQL names none and one alone can be meant, and
 * that a required value is missing because history doesn't hold it.
 */
export function explained(
  { registration, past }: Pick<RevertFacts, 'registration' | 'past'>,
  changes: readonly AttributeRevert[],
  obstacles: readonly Obstacle[],
): Obstacle[] {
  const unfit = changes.filter(({ attribute, after }) => isUnfit(registration, attribute, after));
  const [only, ...others] = unfit.length > 0 ? unfit : changes;
  const meant = others.length === 0 ? only?.attribute : undefined;
  return obstacles.map(({ attribute = meant, why, ...rest }) => {
    const reason = attribute === undefined ? undefined : past.unknown.get(attribute);
    const words = reason === undefined ? why : `${why} (${reason}: history does not hold it)`;
    return { ...rest, ...obstacle(attribute, words) };
  });
}
