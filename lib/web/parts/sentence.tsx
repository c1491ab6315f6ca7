import { Fragment, type ComponentChild, type JSX } from 'preact';
import type { Registration } from '../../capture/registry';
import type { LinkChange, LinkedObject, ValueChange } from '../../core/types';
import { isLinkChange, isPrune, isRestore } from '../../history/display';
import type { EntryView } from '../entry-view';
import { fieldWords } from '../field-label';
import type { MessageKey } from '../messages';
import { shortText } from '../short-values';
import type { Visit } from '../visit';
import { fieldOf } from './fields';
import { ActorLink, ObjectLink } from './links';
import { Moment } from './moment';
import { shortValues } from './short-value';

/** With more changes only their number is said. */
const MAX_SPELLED = 3;
const MAX_LINKS = 3;

interface Sentenced {
  readonly visit: Visit;
  readonly entry: EntryView;
}

type Named = readonly [name: string, change: ValueChange | LinkChange];

const lists = new Map<string, Intl.ListFormat>();

/** Children in a row, set apart as the language does it. */
function listed(locale: string, children: readonly ComponentChild[]): ComponentChild[] {
  const list = lists.get(locale) ?? new Intl.ListFormat(locale, { type: 'unit' });
  lists.set(locale, list);
  return list
    .formatToParts(children.map((_, index) => String(index)))
    .map(({ type, value }) =>
      type === 'element' ? <Fragment key={value}>{children[Number(value)]}</Fragment> : value,
    );
}

/** One entry of a list, with what it takes to word it. */
class Wording {
  readonly #visit: Visit;
  readonly #entry: EntryView;
  readonly #registration: Registration | null;

  constructor({ visit, entry }: Sentenced) {
    this.#visit = visit;
    this.#entry = entry;
    this.#registration = visit.web.settings.registry.findByName(entry.model);
  }

  sentence(): ComponentChild[] {
    const { action } = this.#entry;
    const named = this.#entry.changes ?? {};
    // In the order of the table below it; jsonb has one of its own.
    const changes = Object.keys(named)
      .toSorted()
      .map((name) => [name, named[name]!] as const);
    if (isRestore(this.#entry, this.#registration)) return this.#say('sentence.restore');
    if (isPrune(this.#entry)) return this.#prune();
    if (action === 'update') return this.#update(changes);
    if (['create', 'delete', 'access', 'prune'].includes(action))
      return this.#say(`sentence.${action}` as MessageKey);
    const logged = { action: <b class="action">{action}</b> };
    if (changes.length === 0) return this.#say('sentence.own', logged);
    return this.#say('sentence.ownWith', { ...logged, changes: this.#changes(changes) });
  }

  #prune(): ComponentChild[] {
    const { texts } = this.#visit;
    const { entries, versions, olderThan } = this.#entry.additionalData ?? {};
    const counted = (key: 'sentence.prunedEntries' | 'sentence.prunedVersions', count: unknown): string[] =>
      typeof count === 'number' && count > 0 ? [texts.tn(key, count)] : [];
    const counts = [
      ...counted('sentence.prunedEntries', entries),
      ...counted('sentence.prunedVersions', versions),
    ];
    if (counts.length === 0 || typeof olderThan !== 'string') return this.#say('sentence.prune');
    const time = <Moment visit={this.#visit} at={olderThan} bare />;
    return this.#say('sentence.pruned', { counts: listed(texts.locale, counts), time });
  }

  #update(changes: readonly Named[]): ComponentChild[] {
    const [first, ...more] = changes;
    if (first === undefined) return this.#say('sentence.updateHidden');
    const [name, change] = first;
    const isOneWay =
      more.length === 0 && isLinkChange(change) && !(change.added.length && change.removed.length);
    if (!isOneWay) return this.#say('sentence.update', { changes: this.#changes(changes) });
    const { added, removed } = change;
    const links = this.#links(added.length > 0 ? added : removed);
    return this.#say(added.length > 0 ? 'sentence.linked' : 'sentence.unlinked', {
      field: this.#field(name),
      links,
    });
  }

  #say(key: MessageKey, slots: Readonly<Record<string, ComponentChild>> = {}): ComponentChild[] {
    const [visit, entry] = [this.#visit, this.#entry];
    const actor = <ActorLink visit={visit} entry={entry} />;
    const object = <ObjectLink visit={visit} entry={entry} />;
    return visit.texts.rich(key, { actor, object, ...slots });
  }

  #changes(changes: readonly Named[]): ComponentChild {
    const { texts } = this.#visit;
    if (changes.length > MAX_SPELLED) return texts.tn('sentence.fields', changes.length);
    return listed(
      texts.locale,
      changes.map(([name, change]) => this.#change(name, change)),
    );
  }

  #change(name: string, change: ValueChange | LinkChange): ComponentChild {
    const { texts } = this.#visit;
    const field = this.#field(name);
    if (isLinkChange(change)) return texts.rich('sentence.links', { field, links: this.#bothWays(change) });
    const values = shortValues(this.#visit, fieldOf(this.#visit, this.#entry.model, name), change);
    return texts.rich('sentence.value', { field, ...values });
  }

  #field(name: string): JSX.Element {
    return <b class="field">{fieldWords(this.#registration, name)}</b>;
  }

  #bothWays({ added, removed }: LinkChange): ComponentChild {
    const { texts } = this.#visit;
    const ways = [
      ...(added.length > 0 ? [texts.rich('sentence.added', { links: this.#links(added) })] : []),
      ...(removed.length > 0 ? [texts.rich('sentence.removed', { links: this.#links(removed) })] : []),
    ];
    return listed(texts.locale, ways);
  }

  #links(links: readonly LinkedObject[]): ComponentChild {
    const { texts } = this.#visit;
    const more = links.length - MAX_LINKS;
    const names = links.slice(0, MAX_LINKS).map(({ pk, repr }) => (
      <span key={pk} class="value">
        {shortText(repr)}
      </span>
    ));
    return listed(texts.locale, more > 0 ? [...names, texts.tn('sentence.more', more)] : names);
  }
}

/** What an entry says, in one sentence: who did what to which object. */
export function Sentence(props: Sentenced): JSX.Element {
  const { visit, entry } = props;
  return (
    <span class="sentence">
      {new Wording(props).sentence()}
      {entry.hiddenChanges > 0 && (
        <span class="hidden-changes"> ({visit.texts.tn('value.hidden', entry.hiddenChanges)})</span>
      )}
    </span>
  );
}
