import type { JSX } from 'preact';
import type { EntryView } from '../entry-view';
import type { Visit } from '../visit';
import { Group, groupEntries, type EntryGroup } from './group';

interface Day {
  readonly name: string;
  readonly groups: EntryGroup[];
}

/** Each group stands under the day of its first entry. */
function byDay({ clock }: Visit, groups: readonly EntryGroup[]): Day[] {
  const days: Day[] = [];
  for (const group of groups) {
    const name = clock.date(group.entries[0]!.timestamp);
    const last = days.at(-1);
    if (last?.name === name) last.groups.push(group);
    else days.push({ name, groups: [group] });
  }
  return days;
}

/** Entries across objects, in the order given: under headings of days, what one request did together. */
export function EntriesList({
  visit,
  entries,
  isOpen,
}: {
  readonly visit: Visit;
  readonly entries: readonly EntryView[];
  /** Whether the list goes on beyond the page. */
  readonly isOpen: { readonly before: boolean; readonly after: boolean };
}): JSX.Element {
  return (
    <>
      {byDay(visit, groupEntries(entries, isOpen)).map(({ name, groups }) => (
        <section key={name}>
          <h2 class="day" data-day>
            {name}
          </h2>
          <ol class="entries">
            {groups.map((group) => (
              <Group key={group.entries[0]!.id} visit={visit} group={group} />
            ))}
          </ol>
        </section>
      ))}
    </>
  );
}
