import type { LinkChange, LinkedObject } from '../core/types';
import type { LogEntryJson } from '../schema/log-entry';
import type { Visit } from './visit';

/** Links that came and went between two times, or that were there at one. */
export interface Linked {
  readonly attribute: string;
  readonly added: readonly LinkedObject[];
  readonly removed: readonly LinkedObject[];
}

/** Links as the visitor may see them, by the one rule by which entries are shown. */
export function shownLinks(
  visit: Visit,
  model: string,
  links: readonly Linked[],
): readonly (readonly [attribute: string, change: LinkChange])[] {
  const changes = Object.fromEntries(
    links.map(({ attribute, added, removed }) => [
      attribute,
      { type: 'm2m' as const, added: [...added], removed: [...removed] },
    ]),
  );
  const none = { id: '0', objectPk: null, objectRepr: null } as Partial<LogEntryJson>;
  const view = visit.entries.view({ ...none, model, changes } as LogEntryJson);
  return Object.entries(view.changes ?? {}) as [string, LinkChange][];
}
