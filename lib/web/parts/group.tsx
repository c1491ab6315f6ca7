import type { JSX } from 'preact';
import type { EntryView } from '../entry-view';
import type { Visit } from '../visit';
import { EntryRow } from './entry-row';
import { Moment } from './moment';

/** Entries next to each other that one request wrote, or without a request one transaction. */
export interface EntryGroup {
  /** What they have in common; null for an entry on its own. */
  readonly key: string | null;
  readonly entries: readonly EntryView[];
  /** Whether the list goes on beyond the page just here, so that there may be more of them. */
  readonly isCut: boolean;
}

function keyOf({ correlationId, transactionId }: EntryView): string | null {
  if (correlationId !== null) return `r ${correlationId}`;
  return transactionId === null ? null : `t ${transactionId}`;
}

/** Consecutive entries with one key. `isOpen` says whether the list goes on before the first and after the last. */
export function groupEntries(
  entries: readonly EntryView[],
  isOpen: { readonly before: boolean; readonly after: boolean },
): EntryGroup[] {
  const runs: { key: string | null; entries: EntryView[] }[] = [];
  for (const entry of entries) {
    const [key, last] = [keyOf(entry), runs.at(-1)];
    if (last && key !== null && last.key === key) last.entries.push(entry);
    else runs.push({ key, entries: [entry] });
  }
  return runs.map((run, index) => ({
    ...run,
    isCut: (index === 0 && isOpen.before) || (index === runs.length - 1 && isOpen.after),
  }));
}

/** Groups of up to this many entries are shown open. */
const MAX_OPEN = 3;

interface GroupProps {
  readonly visit: Visit;
  readonly group: EntryGroup;
}

function Counts({ visit: { texts }, group: { entries, isCut } }: GroupProps): JSX.Element {
  const changes = texts.tn(isCut ? 'group.changesCut' : 'group.changes', entries.length);
  const models = new Set(entries.map(({ model }) => model));
  const [only = ''] = models;
  return (
    <span class="counts">
      {texts.t('group.in', {
        changes,
        models: models.size === 1 ? only : texts.tn('group.models', models.size),
      })}
    </span>
  );
}

function Summary({ visit, group }: GroupProps): JSX.Element {
  const { texts } = visit;
  const { actorLabel, actorId, request, timestamp, reason } = group.entries[0]!;
  const actor = <span class="actor">{actorLabel ?? actorId ?? texts.t('actor.system')}</span>;
  const counts = <Counts visit={visit} group={group} />;
  return (
    <summary>
      <span>
        <span class="said">
          {request === null
            ? texts.rich('group.plain', { actor, counts })
            : texts.rich('group.request', { actor, request: <span class="code">{request}</span>, counts })}
        </span>
        <span class="meta">
          <Moment visit={visit} at={timestamp} />
        </span>
        {reason !== null && <span class="reason">{reason}</span>}
      </span>
    </summary>
  );
}

/** What one request or transaction did, as far as the list shows it; a single entry stands by itself. */
export function Group({ visit, group }: GroupProps): JSX.Element {
  const [first, ...more] = group.entries as [EntryView, ...EntryView[]];
  if (more.length === 0) return <EntryRow visit={visit} entry={first} />;
  const { urls, texts } = visit;
  const isRequest = first.correlationId !== null;
  return (
    <li>
      <details class="group" data-group={group.key} open={group.entries.length <= MAX_OPEN}>
        <Summary visit={visit} group={group} />
        <ol class="entries">
          {group.entries.map((entry) => (
            <EntryRow key={entry.id} visit={visit} entry={entry} inGroup />
          ))}
        </ol>
        <p class="meta">
          <a href={isRequest ? urls.request(first.correlationId!) : urls.transaction(first.transactionId!)}>
            {texts.t(isRequest ? 'group.wholeRequest' : 'group.wholeTransaction')}
          </a>
        </p>
      </details>
    </li>
  );
}
