import type { ComponentChild, JSX } from 'preact';
import type { Transaction } from 'sequelize';
import { notFound } from '../access';
import { html, type Answer } from '../answers';
import type { EntryView } from '../entry-view';
import type { LogEntry } from '../../schema/log-entry';
import { runtimeOf } from '../../schema/sequelize-runtime';
import { Changes } from '../parts/changes';
import { Layout } from '../parts/layout';
import { ActorLink, hostLink, ObjectLink } from '../parts/links';
import { Moment } from '../parts/moment';
import { Sentence } from '../parts/sentence';
import { idOf, justBefore } from '../points';
import { viewing } from '../record-view';
import { inScope } from '../visible';
import type { Visit } from '../visit';

interface Found {
  readonly entry: LogEntry;
  /** Ids of the entries of the same object beside it. */
  readonly older: string | null;
  readonly newer: string | null;
}

async function beside(
  visit: Visit,
  { id, model, objectPk }: LogEntry,
  side: 'older' | 'newer',
  transaction: Transaction,
): Promise<string | null> {
  if (objectPk === null) return null;
  const { Op } = runtimeOf(visit.sequelize);
  const [operator, direction] = side === 'older' ? ([Op.lt, 'DESC'] as const) : ([Op.gt, 'ASC'] as const);
  const found = await visit.web.settings.LogEntry.findOne({
    attributes: ['id'],
    where: inScope(visit, { model, objectPk, id: { [operator]: id } }),
    order: [['id', direction]],
    transaction,
  });
  return found?.id ?? null;
}

async function read(visit: Visit, id: string): Promise<Found | null> {
  return visit.read(async (transaction) => {
    const entry = await visit.web.settings.LogEntry.findOne({ where: inScope(visit, { id }), transaction });
    if (!entry) return null;
    const older = await beside(visit, entry, 'older', transaction);
    return { entry, older, newer: await beside(visit, entry, 'newer', transaction) };
  });
}

interface EntryProps {
  readonly visit: Visit;
  readonly entry: EntryView;
  readonly found: Found;
}

function Fact({
  name,
  children,
}: {
  readonly name: string;
  readonly children: ComponentChild;
}): JSX.Element | null {
  if (children === null) return null;
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

function link(href: string, text: string): JSX.Element {
  return <a href={href}>{text}</a>;
}

function Actor({ visit, entry }: EntryProps): JSX.Element {
  const { actorId, actorLabel, actorType } = entry;
  const details = [actorLabel === actorId ? null : actorId, actorType].filter((each) => each !== null);
  return (
    <>
      <ActorLink visit={visit} entry={entry} />
      {details.length > 0 && <span class="muted"> ({details.join(', ')})</span>}
    </>
  );
}

function Facts(props: EntryProps): JSX.Element {
  const { visit, entry } = props;
  const { texts, urls } = visit;
  const { correlationId, transactionId, additionalData, request, remoteAddr, remotePort } = entry;
  return (
    <dl class="facts">
      <Fact name={texts.t('entry.when')}>
        <Moment visit={visit} at={entry.timestamp} />
      </Fact>
      <Fact name={texts.t('entry.actor')}>
        <Actor {...props} />
      </Fact>
      <Fact name={texts.t('entry.object')}>
        <ObjectLink visit={visit} entry={entry} />
      </Fact>
      <Fact name={texts.t('entry.action')}>{entry.action}</Fact>
      <Fact name={texts.t('entry.reason')}>{entry.reason}</Fact>
      <Fact name={texts.t('entry.request')}>{request && <span class="code">{request}</span>}</Fact>
      <Fact name={texts.t('entry.address')}>{remoteAddr && <span class="code">{remoteAddr}</span>}</Fact>
      <Fact name={texts.t('entry.port')}>{remotePort === null ? null : String(remotePort)}</Fact>
      <Fact name={texts.t('entry.correlationId')}>
        {correlationId === null ? null : link(urls.request(correlationId), correlationId)}
      </Fact>
      <Fact name={texts.t('entry.transaction')}>
        {transactionId === null ? null : link(urls.transaction(transactionId), transactionId)}
      </Fact>
      <Fact name={texts.t('entry.data')}>
        {additionalData && <span class="value">{JSON.stringify(additionalData, null, 2)}</span>}
      </Fact>
    </dl>
  );
}

/** Where the object stands around this entry. */
function Around({ visit, entry, found }: EntryProps): JSX.Element | null {
  const { texts, urls } = visit;
  const { model, objectPk, timestamp } = entry;
  if (objectPk === null) return null;
  const host = hostLink(visit, model, objectPk);
  const before = urls.at(model, objectPk, { t: justBefore(timestamp) });
  return (
    <nav class="toolbar" aria-label={texts.t('entry.object')}>
      {found.older !== null && (
        <a class="button" rel="prev" href={urls.entry(found.older)}>
          {texts.t('entry.older')}
        </a>
      )}
      {found.newer !== null && (
        <a class="button" rel="next" href={urls.entry(found.newer)}>
          {texts.t('entry.newer')}
        </a>
      )}
      {link(urls.object(model, objectPk), texts.t('entry.timeline'))}
      {entry.action !== 'create' && link(before, texts.t('entry.before'))}
      {link(urls.at(model, objectPk, { t: timestamp }), texts.t('entry.after'))}
      {host !== null && link(host, texts.t('entry.host'))}
    </nav>
  );
}

function Page(props: EntryProps): JSX.Element {
  const { visit, entry } = props;
  const { texts, urls } = visit;
  const title = texts.t('entry.title', { id: entry.id });
  const isBare = entry.changes === null || Object.keys(entry.changes).length + entry.hiddenChanges === 0;
  return (
    <Layout visit={visit} title={title} current="activity">
      <div class="page-head">
        <h1>{title}</h1>
        <a href={urls.entry(entry.id)} data-copy-link>
          {texts.t('entry.permalink')}
        </a>
      </div>
      <p class="headline">
        <Sentence visit={visit} entry={entry} />
      </p>
      <Around {...props} />
      <h2>{texts.t('entry.changes')}</h2>
      {isBare ? (
        <p class="muted">{texts.t('entry.noChanges')}</p>
      ) : (
        <Changes visit={visit} entry={entry} full />
      )}
      <h2>{texts.t('entry.facts')}</h2>
      <div class="panel">
        <Facts {...props} />
      </div>
      <details>
        <summary>{texts.t('entry.json')}</summary>
        <pre data-copy tabIndex={0}>
          {JSON.stringify(entry, null, 2)}
        </pre>
      </details>
    </Layout>
  );
}

/** One entry, under an address that stays. */
export async function entryPage(visit: Visit): Promise<Answer> {
  await visit.access.requireModels('view');
  const id = idOf(visit.param('id'));
  const found = id === null ? null : await read(visit, id);
  if (!found) throw notFound();
  const { model, objectPk } = found.entry;
  if (!(await visit.access.may({ action: 'view', model, ...(objectPk !== null && { pk: objectPk }) })))
    throw notFound();
  const entry = visit.entries.view(found.entry);
  const render = (): Answer => html(<Page visit={visit} entry={entry} found={found} />);
  // Who looks at a record of looking leaves no further one.
  if (objectPk === null || entry.action === 'access') return render();
  return viewing(
    visit,
    { model, objectPk, objectRepr: found.entry.objectRepr ?? `${model} ${objectPk}` },
    render,
  );
}
