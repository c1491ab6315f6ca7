import type { JSX } from 'preact';
import { html, redirect, type Answer } from '../answers';
import { Bars } from '../parts/bars';
import { Chips } from '../parts/chips';
import { EntriesList } from '../parts/entries-list';
import { Filters, SearchBox } from '../parts/filters';
import { Layout } from '../parts/layout';
import { Pager } from '../parts/pager';
import type { ActivityBucket } from '../reading/activity';
import { readEntries, type EntryList } from '../reading/entries';
import { readRecentDays, RECENT_DAYS } from '../reading/recent-days';
import { knownActors } from '../reading/selection';
import type { EntryFilter } from '../search/entry-filter';
import { FILTER_PARAMETERS, filterOfParams, filterToParams, withTextWindow } from '../search/filter';
import { formatSearch, parseSearch } from '../search/language';
import { untilText } from '../search/time';
import { unseenBy } from '../search/unseen';
import type { Visit } from '../visit';
import { visibleWhere } from '../visible';

/** Says that a search of texts is not to be bounded to the last days. */
const UNBOUNDED = { window: 'all' } as const;

/** What the address asks for. */
interface Asked {
  readonly text: string;
  readonly problems: readonly string[];
  readonly filter: EntryFilter;
  /** The filter that is read: it may be bounded in time. */
  readonly bounded: EntryFilter;
}

/** What was read for the page. */
interface Found {
  readonly list: EntryList;
  readonly days: readonly ActivityBucket[];
}

interface FeedProps {
  readonly visit: Visit;
  readonly asked: Asked;
  readonly found: Found;
  readonly models: readonly string[];
  readonly canExport: boolean;
}

/**
 * Plain fields, and links of others, give a parameter per key. Each filter has one address here, which the search box shows:
 * `?q=…`. Null where the address is in that form already.
 */
function searchAddress({ query, urls, clock }: Visit): string | null {
  const isPlain =
    FILTER_PARAMETERS.some((name) => name !== 'q' && query.has(name)) || query.getAll('q').length > 1;
  if (!isPlain) return null;
  return urls.feed({ q: formatSearch(filterOfParams(query, clock.zone)) || null });
}

function askedOf({ query, clock }: Visit): Asked {
  const text = query.get('q') ?? '';
  const { filter, problems } = parseSearch(text, clock.zone);
  const isUnbounded = query.get('window') === UNBOUNDED.window;
  return { text, problems, filter, bounded: isUnbounded ? filter : withTextWindow(filter) };
}

/** The bars end where the filter does, and begin 30 days before, however far the filter goes back. */
function chartFilter({ since: _since, ...filter }: EntryFilter): EntryFilter {
  return filter;
}

async function read(visit: Visit, { bounded }: Asked, models: readonly string[]): Promise<Found> {
  const { settings, options } = visit.web;
  const where = visibleWhere(visit, models);
  const unseen = unseenBy(visit.access, settings.registry);
  const paging = { limit: options.pageSize, cursor: visit.query.get('cursor'), list: 'feed' };
  return visit.read(async (transaction) => {
    const selection = { where, unseen, filter: bounded, transaction };
    const known = { ...selection, actorIds: await knownActors(settings, selection) };
    const list = await readEntries(settings, { ...known, ...paging });
    const inChart = { ...known, filter: chartFilter(bounded) };
    return { list, days: await readRecentDays(settings, inChart, visit.clock.zone) };
  });
}

/** The page of this filter, with what else the address says. */
function here(visit: Visit, { filter, bounded }: Asked, cursor: string | null = null): string {
  const isUnbounded = bounded === filter && visit.query.get('window') === UNBOUNDED.window;
  return visit.urls.feed({ q: formatSearch(filter) || null, ...(isUnbounded && UNBOUNDED), cursor });
}

function captionOf({ texts }: Visit, days: number, date: string | null): string {
  if (days === 0) return texts.t('bars.none');
  const caption = date === null ? texts.tn('bars.last', days) : texts.tn('bars.until', days, { date });
  return days < RECENT_DAYS ? `${caption}. ${texts.t('bars.cut')}` : caption;
}

function Activity({ visit, asked, found }: FeedProps): JSX.Element {
  const { clock, urls } = visit;
  const { since, until, ...rest } = asked.filter;
  const others = formatSearch(rest);
  const hrefOf = (day: string): string => urls.feed({ q: `${others} at:${day}`.trim() });
  const isOneDay = since !== undefined && until !== undefined && untilText(until) === since.at;
  const last = found.days.at(-1)?.start;
  const date = until && last ? clock.date(last) : null;
  return (
    <Bars
      visit={visit}
      caption={captionOf(visit, found.days.length, date)}
      buckets={found.days}
      hrefOf={hrefOf}
      current={isOneDay ? since.at : null}
    />
  );
}

function Exports({ visit, asked }: FeedProps): JSX.Element {
  const q = formatSearch(asked.bounded) || null;
  return (
    <>
      {(['csv', 'ndjson'] as const).map((format) => (
        <a key={format} class="button" href={visit.urls.export(format, { q })}>
          {visit.texts.t('feed.export', { format: format.toUpperCase() })}
        </a>
      ))}
    </>
  );
}

function Entries({ visit, asked, found: { list } }: FeedProps): JSX.Element {
  const { texts, urls, entries } = visit;
  const isFiltered = asked.text !== '';
  return (
    <>
      {list.entries.length === 0 ? (
        <div class="empty">
          <p>{texts.t(isFiltered ? 'feed.emptyFiltered' : 'feed.empty')}</p>
          {isFiltered && (
            <p>
              <a href={urls.feed()}>{texts.t('feed.clear')}</a>
            </p>
          )}
        </div>
      ) : (
        <EntriesList
          visit={visit}
          entries={list.entries.map((entry) => entries.view(entry))}
          isOpen={{ before: list.prev !== null, after: list.next !== null }}
        />
      )}
      <Pager
        visit={visit}
        prev={list.prev && here(visit, asked, list.prev)}
        next={list.next && here(visit, asked, list.next)}
        first={here(visit, asked)}
      />
    </>
  );
}

/** The newest entries of this filter as JSON, which the script asks for; nothing on later pages, which don't change at the top. */
function liveAddress({ urls, query, clock }: Visit, { bounded }: Asked): string | undefined {
  if (query.get('cursor')) return undefined;
  // Days are those of the page; the API knows nothing of the browser's zone.
  const isInZone = [bounded.since, bounded.until].some((bound) => (bound?.zone ?? null) !== null);
  const zone = { tz: isInZone && !query.has('tz') ? clock.zone : null };
  return urls.to('api/v1/entries', filterToParams(bounded), zone);
}

function Page(props: FeedProps): JSX.Element {
  const { visit, asked, models, canExport } = props;
  const { texts, urls } = visit;
  const { problems, filter, bounded, text } = asked;
  const isRead = problems.length === 0;
  const unbounded = bounded === filter ? null : urls.feed({ q: text, ...UNBOUNDED });
  return (
    <Layout visit={visit} title={texts.t('feed.title')} current="activity">
      <div class="page-head">
        <h1>{texts.t('feed.title')}</h1>
        <div class="actions" data-live-control>
          <a class="button" href={here(visit, asked)}>
            {texts.t('feed.refresh')}
          </a>
          {canExport && isRead && <Exports {...props} />}
        </div>
      </div>
      <SearchBox visit={visit} text={text} problems={problems} />
      <Filters visit={visit} filter={filter} models={models} />
      <Chips visit={visit} filter={filter} unbounded={unbounded} />
      {isRead && <Activity {...props} />}
      {isRead && (
        <div data-live={liveAddress(visit, asked)}>
          <Entries {...props} />
        </div>
      )}
    </Layout>
  );
}

const NOTHING: Found = { list: { entries: [], next: null, prev: null }, days: [] };

/** All that happened, newest first: the home of the audit log. */
export async function feedPage(visit: Visit): Promise<Answer> {
  const models = await visit.access.requireModels('view');
  const address = searchAddress(visit);
  if (address !== null) return redirect(address, 302);
  const asked = askedOf(visit);
  const isRead = asked.problems.length === 0;
  const canExport = (await visit.access.models('export')).length > 0;
  const found = isRead ? await read(visit, asked, models) : NOTHING;
  const page = <Page visit={visit} asked={asked} found={found} models={models} canExport={canExport} />;
  return html(page, isRead ? 200 : 400);
}
