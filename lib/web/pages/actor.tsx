import type { JSX } from 'preact';
import { indexOrder, inIndex } from '../../history/in-index-order';
import { notFound } from '../access';
import { html, type Answer } from '../answers';
import type { MessageKey } from '../messages';
import { CountTable } from '../parts/count-table';
import { EntriesList } from '../parts/entries-list';
import { HeatMap } from '../parts/heat-map';
import { Layout } from '../parts/layout';
import { Moment } from '../parts/moment';
import { Pager } from '../parts/pager';
import { readActorActivity, type ActorActivity } from '../reading/activity';
import { readEntries, type EntryList } from '../reading/entries';
import type { LogEntry } from '../../schema/log-entry';
import { formatSearch } from '../search/language';
import type { Visit } from '../visit';
import { visibleWhere } from '../visible';

interface Found {
  readonly list: EntryList;
  /** Their oldest and their newest entry. */
  readonly seen: readonly LogEntry[];
  readonly activity: ActorActivity;
}

interface ActorProps {
  readonly visit: Visit;
  readonly actorId: string;
  readonly found: Found;
}

async function read(visit: Visit, actorId: string, models: readonly string[]): Promise<Found> {
  const { settings, options } = visit.web;
  const indexed = { attribute: 'actorId', value: actorId } as const;
  const where = visibleWhere(visit, models, inIndex(visit.sequelize, indexed));
  const list = {
    where,
    indexed,
    limit: options.pageSize,
    cursor: visit.query.get('cursor'),
    list: `actor ${actorId}`,
  };
  return visit.read(async (transaction) => {
    const outermost = (direction: 'ASC' | 'DESC'): Promise<LogEntry | null> =>
      settings.LogEntry.findOne({ where, order: indexOrder(indexed, direction), transaction });
    const seen = [await outermost('ASC'), await outermost('DESC')].filter((each) => each !== null);
    return {
      seen,
      list: await readEntries(settings, { ...list, transaction }),
      activity: await readActorActivity(settings, actorId, { where, zone: visit.clock.zone, transaction }),
    };
  });
}

function Facts({ visit, actorId, found: { seen } }: ActorProps): JSX.Element {
  const { texts, entries } = visit;
  const [first, last] = seen.map((entry) => entries.view(entry).timestamp);
  return (
    <dl class="facts">
      <dt>{texts.t('actor.id')}</dt>
      <dd class="code">{actorId}</dd>
      <dt>{texts.t('actor.first')}</dt>
      <dd>
        <Moment visit={visit} at={first!} />
      </dd>
      <dt>{texts.t('actor.last')}</dt>
      <dd>
        <Moment visit={visit} at={last!} />
      </dd>
    </dl>
  );
}

/** What was counted: the last days, or of a busy actor no more than the newest entries. */
function spanText(
  { texts }: Visit,
  { counted }: ActorActivity,
  days: MessageKey,
  newest: MessageKey,
): string {
  return counted === null ? texts.t(days) : texts.t(newest, { n: texts.number(counted) });
}

function Models({ visit, actorId, found: { activity } }: ActorProps): JSX.Element {
  const { texts, urls } = visit;
  const hrefOf = (model: string): string => {
    const [only, by] = [model, actorId].map((value) => ({ any: [value], none: [] }));
    return urls.feed({ q: formatSearch({ model: only!, actor: by! }) });
  };
  if (activity.models.length === 0) return <p class="muted">{texts.t('actor.none')}</p>;
  const rows = activity.models.map(({ model, count }) => ({ label: model, count, href: hrefOf(model) }));
  return (
    <CountTable visit={visit} of={texts.t('filter.model')} rows={rows} class="top-models">
      <caption>{spanText(visit, activity, 'actor.models', 'actor.modelsNewest')}</caption>
    </CountTable>
  );
}

function Page(props: ActorProps): JSX.Element {
  const { visit, actorId, found } = props;
  const { urls, entries } = visit;
  const { list, seen, activity } = found;
  const title = seen.at(-1)?.actorLabel ?? actorId;
  const at = (cursor: string | null): string | null => cursor && urls.actor(actorId, { cursor });
  return (
    <Layout visit={visit} title={title} current="activity">
      <div class="page-head">
        <h1>{title}</h1>
      </div>
      <div class="columns">
        <section class="panel">
          <Facts {...props} />
          <Models {...props} />
        </section>
        <HeatMap
          visit={visit}
          hours={activity.hours}
          caption={spanText(visit, activity, 'heat.last', 'heat.newest')}
        />
      </div>
      <EntriesList
        visit={visit}
        entries={list.entries.map((entry) => entries.view(entry))}
        isOpen={{ before: list.prev !== null, after: list.next !== null }}
      />
      <Pager visit={visit} prev={at(list.prev)} next={at(list.next)} first={urls.actor(actorId)} />
    </Layout>
  );
}

/** What one actor did, and when in the week. */
export async function actorPage(visit: Visit): Promise<Answer> {
  const models = await visit.access.requireModels('view');
  const actorId = visit.param('actorId');
  // PostgreSQL's texts hold none.
  if (actorId.includes('\0')) throw notFound();
  const found = await read(visit, actorId, models);
  if (found.seen.length === 0) throw notFound();
  return html(<Page visit={visit} actorId={actorId} found={found} />);
}
