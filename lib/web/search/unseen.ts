import type { Registry } from '../../capture/registry';
import type { Access } from '../access';
import { isReprMadeOf } from '../hidden';
import type { Unseen } from './where';

/**
 * What searches of one visitor must not tell.
 *
 * @param model the one that the list is about, which may be registered no more
 */
export function unseenBy(access: Access, { registrations }: Registry, model: string | null = null): Unseen {
  const names = new Set([...registrations.map(({ name }) => name), ...(model === null ? [] : [model])]);
  const namesWhere = (isHidden: (each: Registry['registrations'][number]) => boolean): string[] =>
    registrations.filter(isHidden).map(({ name }) => name);
  return {
    modelsHiding: (attribute) => [...names].filter((name) => !access.sees(name, attribute)),
    modelsHidingRepr: namesWhere((each) => isReprMadeOf(each, access.hidden(each.name))),
  };
}
