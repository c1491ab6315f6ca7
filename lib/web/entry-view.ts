import type { Registry } from '../capture/registry';
import type { Changes, LinkChange, LinkedObject, ValueChange } from '../core/types';
import type { LogEntry, LogEntryJson } from '../schema/log-entry';
import type { Access } from './access';
import { isReprMadeOf } from './hidden';

/** An entry as one visitor may see it: the only form in which entries reach pages, the API and exports. */
export interface EntryView extends LogEntryJson {
  /** How many changes are left out because `canSee` hides them. */
  readonly hiddenChanges: number;
}

/** What an object is called where its text may not be shown. */
function plainName(model: string, pk: string | null): string {
  return pk === null ? model : `${model} ${pk}`;
}

/** Shows entries to one visitor. */
export class EntryViewer {
  readonly #access: Access;
  readonly #registry: Registry;

  constructor(access: Access, registry: Registry) {
    this.#access = access;
    this.#registry = registry;
  }

  view(entry: LogEntry | LogEntryJson): EntryView {
    const json = isInstance(entry) ? entry.toJSON() : entry;
    const { model, changes } = json;
    const shown = changes && this.#shownChanges(model, changes);
    return {
      ...json,
      objectRepr: this.#repr(model, json.objectPk, json.objectRepr),
      changes: shown,
      hiddenChanges: Object.keys(changes ?? {}).length - Object.keys(shown ?? {}).length,
    };
  }

  #shownChanges(model: string, changes: Changes): Changes {
    const shown = Object.entries(changes).filter(([attribute]) => this.#access.sees(model, attribute));
    return Object.fromEntries(
      shown.map(([attribute, change]) => [attribute, this.#change(model, attribute, change)]),
    );
  }

  #change(model: string, attribute: string, change: ValueChange | LinkChange): ValueChange | LinkChange {
    if (Array.isArray(change)) return change;
    const rename = (link: LinkedObject): LinkedObject => this.#link(model, attribute, link);
    return { ...change, added: change.added.map(rename), removed: change.removed.map(rename) };
  }

  /** The name of a linked object may be made of attributes of its own model that are hidden. */
  #link(model: string, association: string, link: LinkedObject): LinkedObject {
    const target = this.#registry.findByName(model)?.model.associations[association]?.target;
    const registration = target ? this.#registry.find(target) : null;
    return registration
      ? { ...link, repr: this.#repr(registration.name, link.pk, link.repr) ?? link.pk }
      : link;
  }

  #repr(model: string, pk: string | null, repr: string | null): string | null {
    const hidden = this.#access.hidden(model);
    const registration = hidden.length > 0 ? this.#registry.findByName(model) : null;
    return registration && isReprMadeOf(registration, hidden) ? plainName(model, pk) : repr;
  }
}

function isInstance(entry: LogEntry | LogEntryJson): entry is LogEntry {
  return 'dataValues' in entry;
}
