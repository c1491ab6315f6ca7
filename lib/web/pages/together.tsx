import type { JSX } from 'preact';
import { notFound } from '../access';
import { html, type Answer } from '../answers';
import type { EntryView } from '../entry-view';
import { EntryRow } from '../parts/entry-row';
import { Layout } from '../parts/layout';
import { ActorLink } from '../parts/links';
import { Moment } from '../parts/moment';
import { Pager } from '../parts/pager';
import { UndoOffer } from '../parts/undo-form';
import { readEntries, type EntryList } from '../reading/entries';
import { mayOfferUndo, readUndoable, targetUrl, targetWhere, type Undoable, type UndoTarget } from '../undo';
import type { Visit } from '../visit';
import { visibleWhere } from '../visible';

interface TogetherProps {
  readonly visit: Visit;
  readonly target: UndoTarget;
  readonly list: EntryList;
  readonly entries: readonly EntryView[];
  readonly canUndo: boolean;
}

interface Section {
  readonly transactionId: string | null;
  readonly entries: EntryView[];
}

function byTransaction(entries: readonly EntryView[]): Section[] {
  const sections: Section[] = [];
  for (const entry of entries) {
    const last = sections.at(-1);
    if (last && last.transactionId === entry.transactionId) last.entries.push(entry);
    else sections.push({ transactionId: entry.transactionId, entries: [entry] });
  }
  return sections;
}

function Lead({ visit, entries: [first] }: TogetherProps): JSX.Element {
  const { actorId, actorLabel, request, timestamp } = first!;
  const actor = <ActorLink visit={visit} entry={{ actorId, actorLabel }} />;
  const when = <Moment visit={visit} at={timestamp} />;
  const slots = { actor, when, request: <span class="code">{request}</span> };
  return (
    <p class="lead">{visit.texts.rich(request === null ? 'request.leadPlain' : 'request.lead', slots)}</p>
  );
}

function Sections({ visit, target, entries }: TogetherProps): JSX.Element[] {
  const { texts, urls } = visit;
  return byTransaction(entries).map(({ transactionId, entries: own }) => (
    <section key={own[0]!.id}>
      {target.kind === 'request' && transactionId !== null && (
        <h2 class="day">
          <a href={urls.transaction(transactionId)}>
            {texts.t('request.transaction', { id: transactionId })}
          </a>
        </h2>
      )}
      <ol class="entries">
        {own.map((entry) => (
          <EntryRow key={entry.id} visit={visit} entry={entry} inGroup={target.kind === 'request'} />
        ))}
      </ol>
    </section>
  ));
}

/** After an undo: where its own entries are. */
function UndoneNotice({ visit }: { readonly visit: Visit }): JSX.Element | null {
  const by = visit.query.get('undone') ?? '';
  if (!/^\d{1,19}$/.test(by)) return null;
  return (
    <p class="notice done" role="status">
      <a href={visit.urls.transaction(by)}>{visit.texts.t('undo.done')}</a>
    </p>
  );
}

function Page(props: TogetherProps): JSX.Element {
  const { visit, target, list, canUndo } = props;
  const title = visit.texts.t(`${target.kind}.title`, { id: target.id });
  const at = (cursor: string | null): string | null => cursor && targetUrl(visit, target, { cursor });
  return (
    <Layout visit={visit} title={title} current="activity">
      <UndoneNotice visit={visit} />
      <h1>{title}</h1>
      <Lead {...props} />
      <Sections {...props} />
      <Pager visit={visit} order="asc" prev={at(list.prev)} next={at(list.next)} />
      {canUndo && <UndoOffer visit={visit} action={targetUrl(visit, target)} />}
    </Layout>
  );
}

async function read(
  visit: Visit,
  target: UndoTarget,
  models: readonly string[],
): Promise<{ list: EntryList; undoable: Undoable | null }> {
  const { settings, options } = visit.web;
  const where = visibleWhere(visit, models, targetWhere(target));
  const paging = { limit: options.pageSize, cursor: visit.query.get('cursor'), order: 'asc' as const };
  return visit.read(async (transaction) => ({
    list: await readEntries(settings, { where, ...paging, list: `${target.kind} ${target.id}`, transaction }),
    undoable: visit.canRevert ? await readUndoable(visit, target, transaction) : null,
  }));
}

/** All that was written together, oldest first, with an undo for those who may. */
export async function togetherPage(visit: Visit, target: UndoTarget | null): Promise<Answer> {
  const models = await visit.access.requireModels('view');
  const found = target && (await read(visit, target, models));
  if (!target || !found || found.list.entries.length === 0) throw notFound();
  const canUndo = found.undoable !== null && (await mayOfferUndo(visit, found.undoable));
  const entries = found.list.entries.map((entry) => visit.entries.view(entry));
  return html(<Page visit={visit} target={target} list={found.list} entries={entries} canUndo={canUndo} />);
}
