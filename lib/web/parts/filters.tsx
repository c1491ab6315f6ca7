import type { ComponentChild, JSX } from 'preact';
import type { Choice, EntryFilter, TimeBound } from '../search/entry-filter';
import { formatSearch, parameterText } from '../search/language';
import { untilText } from '../search/time';
import type { Visit } from '../visit';

/** What every log has; words of the application's own come by the search. */
const ACTIONS = ['create', 'update', 'delete', 'access'];
const PLAIN = ['model', 'action', 'actor'] as const;

/** The zone a page was asked for goes along; a form drops the query of its address. */
function CarryZone({ visit }: { readonly visit: Visit }): ComponentChild {
  const zone = visit.query.get('tz');
  return zone && <input type="hidden" name="tz" value={zone} />;
}

/** The search box; the text as it was written, also where it can't be read. */
export function SearchBox({
  visit,
  text,
  problems,
}: {
  readonly visit: Visit;
  readonly text: string;
  readonly problems: readonly string[];
}): JSX.Element {
  const { texts, urls } = visit;
  const isWrong = problems.length > 0;
  return (
    <>
      <form class="search" role="search" action={urls.root}>
        <input
          type="search"
          name="q"
          value={text}
          maxLength={4000}
          aria-label={texts.t('search.label')}
          placeholder={texts.t('search.placeholder')}
          aria-invalid={isWrong ? 'true' : undefined}
          aria-describedby={isWrong ? 'search-problems' : 'search-help'}
          autocomplete="off"
          spellcheck={false}
        />
        <CarryZone visit={visit} />
        <button type="submit" class="primary">
          {texts.t('search.go')}
        </button>
      </form>
      {isWrong && (
        <div id="search-problems" class="notice error" role="alert">
          {problems.map((problem) => (
            <p key={problem}>{problem}</p>
          ))}
          <p>{texts.t('search.unread')}</p>
        </div>
      )}
    </>
  );
}

function valueOf(choice: Choice | undefined): string {
  return (choice?.any ?? []).map(parameterText).join(',');
}

function Choose({
  label,
  name,
  value,
  values,
  all,
}: {
  readonly label: string;
  readonly name: string;
  readonly value: string;
  readonly values: readonly string[];
  readonly all: string;
}): JSX.Element {
  // A search may ask for what the list doesn't offer, or for several.
  const offered = value === '' || values.includes(value) ? values : [value, ...values];
  return (
    <label>
      {label}
      <select name={name}>
        <option value="">{all}</option>
        {offered.map((each) => (
          <option key={each} value={each} selected={each === value}>
            {each}
          </option>
        ))}
      </select>
    </label>
  );
}

function TimeField({
  label,
  name,
  value,
}: {
  readonly label: string;
  readonly name: 'since' | 'until';
  readonly value: string;
}): JSX.Element {
  // A field for days can't show `7d` or a time of day.
  const isDay = /^(\d{4}-\d{2}-\d{2})?$/.test(value);
  return (
    <label>
      {label}
      <input type={isDay ? 'date' : 'text'} name={name} value={value} />
    </label>
  );
}

/** What the fields can't say goes along as a search. */
function restOf(filter: EntryFilter): string {
  const { since: _since, until: _until, ...rest } = filter;
  const plain = PLAIN.flatMap((key) =>
    rest[key] ? [[key, { any: [], none: rest[key].none }] as const] : [],
  );
  return formatSearch({ ...rest, ...Object.fromEntries(plain) });
}

const sinceText = (bound: TimeBound | undefined): string => bound?.at ?? '';

/** The same filter by plain fields: sending them leads to the search that says it. */
export function Filters({
  visit,
  filter,
  models,
}: {
  readonly visit: Visit;
  readonly filter: EntryFilter;
  /** Those that may be viewed. */
  readonly models: readonly string[];
}): JSX.Element {
  const { texts, urls } = visit;
  const { model, action, actor, since, until } = filter;
  const rest = restOf(filter);
  return (
    <details class="more-filters">
      <summary>{texts.t('filter.more')}</summary>
      <p id="search-help" class="hint">
        {texts.t('search.help')}
      </p>
      <form class="filters" action={urls.root}>
        <Choose
          label={texts.t('filter.model')}
          name="model"
          value={valueOf(model)}
          values={models}
          all={texts.t('filter.all')}
        />
        <Choose
          label={texts.t('filter.action')}
          name="action"
          value={valueOf(action)}
          values={ACTIONS}
          all={texts.t('filter.all')}
        />
        <label>
          {texts.t('filter.actor')}
          <input name="actor" value={valueOf(actor)} autocomplete="off" />
        </label>
        <TimeField label={texts.t('filter.since')} name="since" value={sinceText(since)} />
        <TimeField label={texts.t('filter.until')} name="until" value={until ? untilText(until) : ''} />
        {rest !== '' && <input type="hidden" name="q" value={rest} />}
        <CarryZone visit={visit} />
        <button type="submit">{texts.t('filter.apply')}</button>
      </form>
    </details>
  );
}
