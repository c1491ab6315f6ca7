import type { JSX } from 'preact';
import { formatSearch } from '../search/language';
import { CHOICE_KEYS, type ChoiceKey, type EntryFilter } from '../search/entry-filter';
import { spanTexts } from '../search/time';
import type { Visit } from '../visit';

/** One condition of a filter, and the filter without it. */
interface Chip {
  readonly label: string;
  readonly rest: EntryFilter;
}

function without(values: readonly string[], value: string): string[] {
  return values.filter((each) => each !== value);
}

function choiceChips({ texts }: Visit, filter: EntryFilter, key: ChoiceKey): Chip[] {
  const { any = [], none = [] } = filter[key] ?? {};
  const name = texts.t(`filter.${key}`);
  return [
    ...any.map((value) => ({
      label: texts.t('chip.is', { name, value }),
      rest: { ...filter, [key]: { any: without(any, value), none } },
    })),
    ...none.map((value) => ({
      label: texts.t('chip.not', { name, value }),
      rest: { ...filter, [key]: { any, none: without(none, value) } },
    })),
  ];
}

function timeChips({ texts }: Visit, filter: EntryFilter): Chip[] {
  const { since, until, ...rest } = filter;
  const spans = spanTexts(filter);
  const name = texts.t('filter.at');
  const chip = (value: string, left: EntryFilter): Chip => ({
    label: texts.t('chip.is', { name, value }),
    rest: left,
  });
  if (spans.length < 2) return spans.map((value) => chip(value, rest));
  const [from = '', to = ''] = spans;
  return [chip(from, { ...rest, ...(until && { until }) }), chip(to, { ...rest, ...(since && { since }) })];
}

function textChips({ texts }: Visit, filter: EntryFilter): Chip[] {
  const { all = [], none = [] } = filter.text ?? {};
  const name = texts.t('filter.text');
  return [
    ...all.map((value) => ({
      label: texts.t('chip.is', { name, value }),
      rest: { ...filter, text: { all: without(all, value), none } },
    })),
    ...none.map((value) => ({
      label: texts.t('chip.not', { name, value }),
      rest: { ...filter, text: { all, none: without(none, value) } },
    })),
  ];
}

function RemovableChip({
  visit: { texts },
  label,
  href,
}: {
  readonly visit: Visit;
  readonly label: string;
  /** The page without it. */
  readonly href: string;
}): JSX.Element {
  return (
    <li class="chip">
      <span>{label}</span>
      <a class="remove" href={href} aria-label={texts.t('chip.remove', { label })}>
        ×
      </a>
    </li>
  );
}

/** What the list is narrowed to, each condition with a link that removes it. */
export function Chips({
  visit,
  filter,
  unbounded,
}: {
  readonly visit: Visit;
  readonly filter: EntryFilter;
  /** The page of all times, where only the page itself bounds it to the last days; else null. */
  readonly unbounded: string | null;
}): JSX.Element | null {
  const chips = [
    ...CHOICE_KEYS.flatMap((key) => choiceChips(visit, filter, key)),
    ...timeChips(visit, filter),
    ...textChips(visit, filter),
  ];
  if (chips.length === 0 && unbounded === null) return null;
  const { texts, urls } = visit;
  return (
    <ul class="chips" aria-label={texts.t('chip.label')}>
      {chips.map(({ label, rest }) => (
        <RemovableChip
          key={label}
          visit={visit}
          label={label}
          href={urls.feed({ q: formatSearch(rest) || null })}
        />
      ))}
      {unbounded !== null && <RemovableChip visit={visit} label={texts.t('chip.window')} href={unbounded} />}
    </ul>
  );
}
