import type { Registry } from '../../capture/registry';
import type { Access } from '../access';
import { isReprMadeOf } from '../hidden';
import type { Unseen } from './where';

/** What searches of one visitor must not tell. */
export function unseenBy(access: Access, { registrations }: Registry): Unseen {
  const namesWhere = (isHidden: (each: Registry['registrations'][number]) => boolean): string[] =>
    registrations.filter(isHidden).map(({ name }) => name);
  return {
    modelsHiding: (attribute) => namesWhere(({ name }) => !access.sees(name, attribute)),
    modelsHidingRepr: namesWhere((each) => isReprMadeOf(each, access.hidden(each.name))),
  };
}
